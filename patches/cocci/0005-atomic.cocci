// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/pvops: Guard what is atomic natively
//
// Where page tables are read-only to the kernel, the locked instructions in
// ptep_get_and_clear(), ptep_set_wrprotect() and ptep_test_and_clear_young()
// trap, and the hypervisor emulates each. With a backend they become queued
// updates. Natively a guard costs one NOP.
//
// Files: arch/x86/include/asm/pgtable.h arch/x86/mm/pgtable.c

@@
symbol pte;
identifier mm, addr, ptep;
@@
 ptep_get_and_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
 {
-pte_t pte = native_ptep_get_and_clear(ptep);
+pte_t pte;
+
+if (paravirt_pte_replaced())
+	pte = pvops_ptep_get_and_clear(mm, ptep);
+else
+	pte = native_ptep_get_and_clear(ptep);
 ...
 }

// Later releases have a loop here.
@@
symbol old_pte;
identifier mm, addr, ptep;
@@
 ptep_set_wrprotect(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
 {
 ...
(
+if (paravirt_pte_replaced()) {
+	pvops_ptep_set_wrprotect(ptep);
+	return;
+}
+
 clear_bit(_PAGE_BIT_RW, ...);
|
+if (paravirt_pte_replaced()) {
+	pvops_ptep_set_wrprotect(ptep);
+	return;
+}
+
 old_pte = READ_ONCE(*ptep);
)
 ...
 }

@@
type T;
identifier vma, addr, ptep, ret;
expression none;
@@
 ptep_test_and_clear_young(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
 {
 T ret = none;
+
+if (paravirt_pte_replaced())
+	return pvops_ptep_test_and_clear_young(vma->vm_mm, ptep);
 ...
 }
