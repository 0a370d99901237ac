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

/* Some tests write what no hypervisor takes (debug_vm_pgtable.c). */
#define arch_page_tables_writable()	(!paravirt_tables_replaced())

/*
 * Exchanges, natively one locked instruction.  What a plain read of the entry
 * sees behind one, inside of lazy mode too:
 *
 * ptep_get_and_clear: none, at once.
 * ptep_get_and_clear_full (give_up): the entry as it was, until the updates
 * that wait are flushed.  It is for callers that have done with the entry, as
 * is everything that hands it on (set_pte() behind it waits behind it); who
 * looks all the same flushes before (page_table_check.c, mm_inline.h).
 * ptep_set_wrprotect, ptep_test_and_clear_young: a present entry, with the flag
 * as it was until then.
 */
pte_t pvops_ptep_get_and_clear(struct mm_struct *mm, pte_t *ptep);
pte_t pvops_ptep_give_up(struct mm_struct *mm, pte_t *ptep);
void pvops_ptep_set_wrprotect(pte_t *ptep);
int pvops_ptep_test_and_clear_young(struct mm_struct *mm, pte_t *ptep);

pgtable_t pvops_pte_alloc(void);
void pvops_pte_free(struct page *page);
pmd_t *pvops_pmd_alloc(void);
void pvops_pmd_free(pmd_t *pmd);
pud_t *pvops_pud_alloc(void);
void pvops_pud_free(pud_t *pud);
void pvops_set_p4d(p4d_t *p4dp, p4d_t p4d);
pgd_t *pvops_pgd_alloc(void);
void pvops_pgd_free(pgd_t *pgd);
void pvops_pgd_fill(pgd_t *pgd);
void pvops_free_table(struct page *page);

#endif /* _ASM_X86_PVOPS_PGTABLE_H */
