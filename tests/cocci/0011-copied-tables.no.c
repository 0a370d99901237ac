// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rules leave alone: other users of tables. */
static int other_pte_range(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_alloc_map_lock(mm, pmd, addr, &ptl);

	if (!pte)
		return -ENOMEM;
	arch_enter_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	return 0;
}
