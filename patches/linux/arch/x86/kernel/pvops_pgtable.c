// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of processes, where a backend has replaced the native code: the
 * far sides of the guards in <asm/pgtable.h> and <asm/pgalloc.h>.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include <asm/paravirt.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>

#include <pvops/port.h>

/*
 * May hardware set A or D in an entry of @mm while this CPU looks at it?  Not
 * if nobody but this thread can run there; the kernel's own bits nobody reads.
 */
static bool has_other_users(const struct mm_struct *mm)
{
	int users;

	if (mm == &init_mm)
		return false;
	users = atomic_read(&mm->mm_users);
	return users > 1 || (users == 1 && mm != current->mm);
}

/* Take the entry out at once; what hardware set in the last moment is left. */
static pte_t take_out(pte_t *ptep)
{
	pteval_t val, left;

	pv_batch_flush();
	val = (__force pteval_t)pv_ptep_modify_prot_start((pv_pte_t *)ptep);
	pv_ptep_modify_prot_commit((pv_pte_t *)ptep, (__force pv_pte_t)0);
	pv_batch_flush();
	left = READ_ONCE(ptep->pte);
	return (pte_t) { val | (left & (_PAGE_ACCESSED | _PAGE_DIRTY)) };
}

pte_t pvops_ptep_get_and_clear(struct mm_struct *mm, pte_t *ptep)
{
	pte_t pte;

	if (has_other_users(mm) && pte_flags(READ_ONCE(*ptep)) & _PAGE_PRESENT)
		pte = take_out(ptep);
	else
		pte = READ_ONCE(*ptep);
	pv_outline_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)0);
	return pte;
}

void pvops_ptep_set_wrprotect(pte_t *ptep)
{
	pteval_t val;

	val = (__force pteval_t)pv_outline_ptep_modify_prot_start((pv_pte_t *)ptep);
	pv_outline_ptep_modify_prot_commit((pv_pte_t *)ptep,
					   (__force pv_pte_t)(val & ~_PAGE_RW));
}

int pvops_ptep_test_and_clear_young(struct mm_struct *mm, pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);
	pteval_t flags = pte_flags(pte);

	if (!(flags & _PAGE_ACCESSED))
		return 0;
	/* Only a clean, writable entry has a D bit to lose. */
	if ((flags & (_PAGE_PRESENT | _PAGE_RW | _PAGE_DIRTY)) ==
	    (_PAGE_PRESENT | _PAGE_RW) && has_other_users(mm))
		pte = take_out(ptep);
	pte.pte &= ~_PAGE_ACCESSED;
	pv_outline_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)pte.pte);
	return 1;
}

/*
 * Tables.  Their level is kept in page->index, which a table page does not
 * use, from the moment they are handed to the mmu_gather.
 */
enum { TABLE_PTE = 1, TABLE_PMD, TABLE_PUD };

static struct page *table_page(pv_pfn_t pfn)
{
	return pfn == PV_PFN_NONE ? NULL : pfn_to_page(pv_pfn_nr(pfn));
}

pgtable_t pvops_pte_alloc(void)
{
	struct page *page = table_page(pv_outline_alloc_pte());

	if (page && !pgtable_pte_page_ctor(page)) {
		pv_outline_release_pte(pv_pfn(page_to_pfn(page)));
		return NULL;
	}
	return page;
}

void pvops_pte_free(struct page *page)
{
	pgtable_pte_page_dtor(page);
	pv_outline_release_pte(pv_pfn(page_to_pfn(page)));
}

pmd_t *pvops_pmd_alloc(void)
{
	struct page *page = table_page(pv_outline_alloc_pmd());

	if (!page)
		return NULL;
	if (!pgtable_pmd_page_ctor(page)) {
		pv_outline_release_pmd(pv_pfn(page_to_pfn(page)));
		return NULL;
	}
	return page_address(page);
}

void pvops_pmd_free(pmd_t *pmd)
{
	pgtable_pmd_page_dtor(virt_to_page(pmd));
	pv_outline_release_pmd(pv_pfn(page_to_pfn(virt_to_page(pmd))));
}

pud_t *pvops_pud_alloc(void)
{
	struct page *page = table_page(pv_outline_alloc_pud());

	return page ? page_address(page) : NULL;
}

void pvops_pud_free(pud_t *pud)
{
	pv_outline_release_pud(pv_pfn(page_to_pfn(virt_to_page(pud))));
}

pgd_t *pvops_pgd_alloc(void)
{
	struct page *page = table_page(pv_outline_pgd_alloc());

	return page ? page_address(page) : NULL;
}

void pvops_pgd_free(pgd_t *pgd)
{
	pv_outline_pgd_free(pv_pfn(page_to_pfn(virt_to_page(pgd))));
}

/* On its way to the mmu_gather. */
void pvops_table_level(unsigned long pfn, unsigned int level)
{
	pfn_to_page(pfn)->index = level;
}

/* No CPU walks the table any more. */
void pvops_free_table(struct page *page)
{
	pv_pfn_t pfn = pv_pfn(page_to_pfn(page));
	unsigned long level = page->index;

	page->index = 0;
	switch (level) {
	case TABLE_PTE:
		pv_outline_release_pte(pfn);
		break;
	case TABLE_PMD:
		pv_outline_release_pmd(pfn);
		break;
	case TABLE_PUD:
		pv_outline_release_pud(pfn);
		break;
	default:
		free_page_and_swap_cache(page);
	}
}
