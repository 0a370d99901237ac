// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static inline pte_t ptep_get_and_clear_full(struct mm_struct *mm,
					    unsigned long addr, pte_t *ptep,
					    int full)
{
	pte_t pte;

	if (paravirt_pte_replaced()) {
		/* May be queued: such callers do not look at it again */
		pte = pvops_ptep_give_up(mm, ptep, full);
		page_table_check_pte_clear(mm, addr, pte);
		return pte;
	}

	if (full) {
		/* One */
		pte = native_local_ptep_get_and_clear(ptep);
		page_table_check_pte_clear(mm, addr, pte);
	} else {
		pte = native_ptep_get_and_clear(ptep);
		page_table_check_pte_clear(mm, addr, pte);
	}
	return pte;
}

/* As in 6.12 */
static inline pte_t ptep_get_and_clear_full(struct mm_struct *mm,
					    unsigned long addr, pte_t *ptep,
					    int full)
{
	pte_t pte;

	if (paravirt_pte_replaced()) {
		/* May be queued: such callers do not look at it again */
		pte = pvops_ptep_give_up(mm, ptep, full);
		page_table_check_pte_clear(mm, pte);
		return pte;
	}

	if (full) {
		pte = native_local_ptep_get_and_clear(ptep);
		page_table_check_pte_clear(mm, pte);
	} else {
		pte = native_ptep_get_and_clear(ptep);
		page_table_check_pte_clear(mm, pte);
	}
	return pte;
}

static void move_ptes(struct vm_area_struct *vma, pmd_t *old_pmd)
{
	for (; old_addr < old_end; old_pte++) {
		if (pte_none(*old_pte))
			continue;
		/* Nobody looks at the old entry again. */
		pte = ptep_get_and_clear_full(mm, old_addr, old_pte, 0);
		one(pte);
	}
}

/* As in 6.1 */
void __page_table_check_pte_set(struct mm_struct *mm, unsigned long addr,
				pte_t *ptep, pte_t pte)
{
	if (&init_mm == mm)
		return;

#ifdef CONFIG_PVOPS
	/* What is replaced may be gone already, in an update that waits. */
	arch_flush_lazy_mmu_mode();
#endif
	__page_table_check_pte_clear(mm, addr, *ptep);
	if (one(pte)) {
		two(pte);
	}
}

/* As in 6.12 */
void __page_table_check_ptes_set(struct mm_struct *mm, pte_t *ptep, pte_t pte,
				 unsigned int nr)
{
	unsigned int i;

	if (&init_mm == mm)
		return;

#ifdef CONFIG_PVOPS
	/* What is replaced may be gone already, in an update that waits. */
	arch_flush_lazy_mmu_mode();
#endif
	for (i = 0; i < nr; i++)
		__page_table_check_pte_clear(mm, ptep_get(ptep + i));
	if (one(pte))
		two(pte);
}
