// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: mm/debug_vm_pgtable: Not where page tables are read-only
//
// The tests store any value into tables of a new address space. Where a
// hypervisor hands out table pages, they are read-only from the start: a
// store faults, and the hypervisor refuses values that are no entries.
// The tables cannot be made writable, either: a table below one that a CPU
// can use must be the hypervisor's.
//
// Files: mm/debug_vm_pgtable.c

@@ @@
 debug_vm_pgtable(void)
 {
 ...
+#ifdef arch_page_tables_writable
+/* The tests store into tables, some of them what is no entry. */
+if (!arch_page_tables_writable()) {
+	pr_info("Not done: page tables are written by the hypervisor\n");
+	return 0;
+}
+#endif
 pr_info("Validating architecture page table helpers\n");
 ...
 }
