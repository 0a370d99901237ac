// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: callers that read the entry again, and other levels. */
static pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long address, pte_t *ptep)
{
	pte_t pte;

	pte = ptep_get_and_clear(mm, address, ptep);
	return pte;
}

void __page_table_check_pmd_set(struct mm_struct *mm, pmd_t *pmdp, pmd_t pmd)
{
	if (&init_mm == mm)
		return;

	__page_table_check_pmd_clear(mm, *pmdp);
}

void __page_table_check_pte_clear_range(struct mm_struct *mm, unsigned long addr, pmd_t pmd)
{
	for (i = 0; i < PTRS_PER_PTE; i++)
		__page_table_check_pte_clear(mm, addr, *ptep);
}
