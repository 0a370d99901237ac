/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of <asm/pgalloc.h>: tables of processes may come from the backend.  The
 * kernel's own tables never do; they are attached (pvops.h).
 */
#ifndef _ASM_X86_PVOPS_PGALLOC_H
#define _ASM_X86_PVOPS_PGALLOC_H

static inline void arch_pte_free(struct mm_struct *mm, struct page *page)
{
	if (paravirt_tables_replaced())
		pvops_pte_free(page);
	else
		pte_free(mm, page);
}

#define pte_free(mm, page)	arch_pte_free(mm, page)

static inline pmd_t *arch_pmd_alloc_one(struct mm_struct *mm,
					unsigned long addr)
{
	if (paravirt_tables_replaced() && mm != &init_mm)
		return pvops_pmd_alloc(mm);
	return pmd_alloc_one(mm, addr);
}

#undef pmd_alloc_one
#define pmd_alloc_one(mm, addr)	arch_pmd_alloc_one(mm, addr)

static inline void arch_pmd_free(struct mm_struct *mm, pmd_t *pmd)
{
	if (paravirt_tables_replaced() && mm != &init_mm)
		pvops_pmd_free(pmd);
	else
		pmd_free(mm, pmd);
}

#define pmd_free(mm, pmd)	arch_pmd_free(mm, pmd)

static inline pud_t *arch_pud_alloc_one(struct mm_struct *mm,
					unsigned long addr)
{
	if (paravirt_tables_replaced() && mm != &init_mm)
		return pvops_pud_alloc(mm);
	return pud_alloc_one(mm, addr);
}

#undef pud_alloc_one
#define pud_alloc_one(mm, addr)	arch_pud_alloc_one(mm, addr)

static inline void arch_pud_free(struct mm_struct *mm, pud_t *pud)
{
	if (paravirt_tables_replaced() && mm != &init_mm)
		pvops_pud_free(pud);
	else
		pud_free(mm, pud);
}

#define pud_free(mm, pud)	arch_pud_free(mm, pud)

#endif /* _ASM_X86_PVOPS_PGALLOC_H */
