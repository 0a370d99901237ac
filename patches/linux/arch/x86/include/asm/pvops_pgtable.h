/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table work that needs more than one op where a backend has replaced
 * the native code (pvops_pgtable.c), and the guards in front of it.
 */
#ifndef _ASM_X86_PVOPS_PGTABLE_H
#define _ASM_X86_PVOPS_PGTABLE_H

struct mm_struct;
struct page;

#if defined(CONFIG_PVOPS) && defined(CONFIG_PARAVIRT_XXL)
/* Updates of entries that are atomic natively */
#define paravirt_pte_replaced()		unlikely(pv_replaced_set_pte())
/* Table pages of processes come from the backend */
#define paravirt_tables_replaced()	unlikely(pv_replaced_alloc_pte())
#else
#define paravirt_pte_replaced()		false
#define paravirt_tables_replaced()	false
#endif

pte_t pvops_ptep_get_and_clear(struct mm_struct *mm, pte_t *ptep);
void pvops_ptep_set_wrprotect(pte_t *ptep);
int pvops_ptep_test_and_clear_young(struct mm_struct *mm, pte_t *ptep);

pgtable_t pvops_pte_alloc(void);
void pvops_pte_free(struct page *page);
pmd_t *pvops_pmd_alloc(void);
void pvops_pmd_free(pmd_t *pmd);
pud_t *pvops_pud_alloc(void);
void pvops_pud_free(pud_t *pud);
pgd_t *pvops_pgd_alloc(void);
void pvops_pgd_free(pgd_t *pgd);
void pvops_free_table(struct page *page);

#endif /* _ASM_X86_PVOPS_PGTABLE_H */
