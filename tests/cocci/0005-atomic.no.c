// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: the same of other levels and in other functions. */
static inline pmd_t pmdp_huge_get_and_clear(struct mm_struct *mm, unsigned long addr,
					    pmd_t *pmdp)
{
	pmd_t pmd = native_pmdp_get_and_clear(pmdp);

	return pmd;
}

static inline void pmdp_set_wrprotect(struct mm_struct *mm,
				      unsigned long addr, pmd_t *pmdp)
{
	clear_bit(_PAGE_BIT_RW, (unsigned long *)pmdp);
}

int pmdp_test_and_clear_young(struct vm_area_struct *vma,
			      unsigned long addr, pmd_t *pmdp)
{
	int ret = 0;

	if (pmd_young(*pmdp))
		ret = test_and_clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)pmdp);
	return ret;
}

static pte_t other(pte_t *ptep)
{
	pte_t pte = native_ptep_get_and_clear(ptep);

	return pte;
}
