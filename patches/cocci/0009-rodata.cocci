// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/pvops: Leave a hypervisor's code executable
//
// A VMI ROM is copied to the kernel's own data, within reach of its text.
// mark_rodata_ro() calls the ROM to change page tables, so the ROM's pages
// must never lose their execute permission. They have been read-only since
// the copy.
//
// Files: arch/x86/mm/init_64.c

@@
symbol text_end, all_end;
@@
 mark_rodata_ro(void)
 {
 <...
+#ifdef CONFIG_PVOPS
+pvops_protect_data(text_end, all_end);
+#else
 set_memory_nx(text_end, (all_end - text_end) >> PAGE_SHIFT);
+#endif
 ...>
 }
