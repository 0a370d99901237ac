// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: mm: Let exchanges of page-table entries wait in lazy mode
//
// In lazy mode updates of page-table entries may wait. ptep_get_and_clear()
// takes effect before it returns, so code may read the entry again.
// ptep_get_and_clear_full() may wait, because its callers do not read the
// entry again. The page table check reads the entry that a new one replaces
// nevertheless, so it flushes first.
//
// Where move_ptes() takes entries one by one, it does not read the old entry
// again, so it may wait, too.
//
// Files: arch/x86/include/asm/pgtable.h mm/mremap.c mm/page_table_check.c

@@
symbol pte;
identifier mm, addr, ptep, full;
expression list args;
@@
 ptep_get_and_clear_full(struct mm_struct *mm, unsigned long addr, pte_t *ptep, int full)
 {
 pte_t pte;
+
+if (paravirt_pte_replaced()) {
+	/* May be queued: such callers do not look at it again */
+	pte = pvops_ptep_give_up(mm, ptep, full);
+	page_table_check_pte_clear(args);
+	return pte;
+}
+
 if (full) {
	pte = native_local_ptep_get_and_clear(ptep);
	page_table_check_pte_clear(args);
 } else {
-	pte = ptep_get_and_clear(mm, addr, ptep);
+	pte = native_ptep_get_and_clear(ptep);
+	page_table_check_pte_clear(args);
 }
 return pte;
 }

// 7.2 takes several entries at once, by ptep_get_and_clear_full().
// Releases: 6.1 6.12
@@
symbol pte;
expression mm, addr, ptep;
@@
 move_ptes(...)
 {
 <...
-pte = ptep_get_and_clear(mm, addr, ptep);
+/* Nobody looks at the old entry again. */
+pte = ptep_get_and_clear_full(mm, addr, ptep, 0);
 ...>
 }

@@
symbol i;
identifier set = { __page_table_check_pte_set, __page_table_check_ptes_set };
@@
 set(...)
 {
 ...
(
+#ifdef CONFIG_PVOPS
+/* What is replaced may be gone already, in an update that waits. */
+arch_flush_lazy_mmu_mode();
+#endif
 __page_table_check_pte_clear(...);
|
+#ifdef CONFIG_PVOPS
+/* What is replaced may be gone already, in an update that waits. */
+arch_flush_lazy_mmu_mode();
+#endif
 for (...; ...; ...) __page_table_check_pte_clear(...);
)
 ...
 }
