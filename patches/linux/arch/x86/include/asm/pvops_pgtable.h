/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table functions that need more than one op under a backend that replaces
 * the native code (pvops_pgtable.c), and their guards.
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

/* Some tests write entries that a hypervisor refuses (debug_vm_pgtable.c). */
#define arch_page_tables_writable()	(!paravirt_tables_replaced())

/*
 * Exchanges, which are one locked instruction natively.  After each of them, a
 * plain read of the entry returns the following, inside of lazy mode, too:
 *
 * ptep_get_and_clear: an empty entry, at once.
 * ptep_get_and_clear_full (give_up): the old entry, until the queue is flushed.
 * It is for callers that do not read the entry again; a later set_pte() waits
 * behind it in the queue.  Code that reads the entry nevertheless flushes first
 * (page_table_check.c, mm_inline.h).
 * ptep_set_wrprotect, ptep_test_and_clear_young: a present entry, with the old
 * flag until the queue is flushed.
 * ptep_try_set: the new entry, at once, if it returns true; the old one otherwise.
 */
pte_t pvops_ptep_get_and_clear(struct mm_struct *mm, pte_t *ptep);
pte_t pvops_ptep_give_up(struct mm_struct *mm, pte_t *ptep, int full);
void pvops_ptep_set_wrprotect(pte_t *ptep);
int pvops_ptep_test_and_clear_young(struct mm_struct *mm, pte_t *ptep);
bool pvops_ptep_try_set(pte_t *ptep, pte_t pte);

pgtable_t pvops_pte_alloc(struct mm_struct *mm);
void pvops_pte_free(struct page *page);
pmd_t *pvops_pmd_alloc(struct mm_struct *mm);
void pvops_pmd_free(pmd_t *pmd);
pud_t *pvops_pud_alloc(struct mm_struct *mm);
void pvops_pud_free(pud_t *pud);
void pvops_set_p4d(p4d_t *p4dp, p4d_t p4d);
pgd_t *pvops_pgd_alloc(void);
void pvops_pgd_free(pgd_t *pgd);
void pvops_pgd_fill(pgd_t *pgd);
void pvops_free_table(void *table);

/*
 * fork: a table that gets many entries is filled before it becomes one.  The
 * first function returns the entry that will link it, or an empty one: then the
 * table is to be one from the start.
 */
pmd_t pvops_begin_copied_table(struct mm_struct *mm, const pmd_t *pmd,
			       const pmd_t *from, unsigned long addr,
			       unsigned long end);
void pvops_end_copied_table(struct mm_struct *mm, pmd_t *pmd, pte_t *ptep);

#define arch_begin_copied_table(mm, pmd, from, addr, end, lock)		\
({									\
	pmd_t _link = { 0 };						\
	pte_t *_ptep;							\
									\
	if (paravirt_tables_replaced())					\
		_link = pvops_begin_copied_table(mm, pmd, from, addr,	\
						 end);			\
	if (unlikely(!pmd_none(_link)))					\
		_ptep = pte_offset_map_lock(mm, &_link, addr, lock);	\
	else								\
		_ptep = pte_alloc_map_lock(mm, pmd, addr, lock);	\
	_ptep;								\
})

#define arch_end_copied_table(mm, pmd, ptep)				\
do {									\
	if (paravirt_tables_replaced())					\
		pvops_end_copied_table(mm, pmd, ptep);			\
} while (0)

#endif /* _ASM_X86_PVOPS_PGTABLE_H */
