// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of processes under a backend that replaces the native code: the
 * far sides of the guards in <asm/pgtable.h> and <asm/pgalloc.h>.
 */
#include <linux/cpuhotplug.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>

#include <asm/paravirt.h>
#include <asm/pgalloc.h>
#include <asm/tlb.h>

#include <pvops/port.h>
#include <pvops/pvops.h>

/*
 * May hardware set A or D in an entry of @mm while this CPU works on it?  It
 * cannot if only this thread can run in @mm.  In the kernel's own entries it
 * may, but nobody reads these bits.
 */
static bool has_other_users(const struct mm_struct *mm)
{
	int users;

	if (mm == &init_mm)
		return false;
	users = atomic_read(&mm->mm_users);
	return users > 1 || (users == 1 && mm != current->mm);
}

/*
 * May D be lost if the entry is read, and a later update replaces it?  Only a
 * clean, writable entry can get it.  A lost A costs nothing: pages of entries
 * that go are not aged by it.
 */
static bool may_get_dirty(const struct mm_struct *mm, pte_t pte)
{
	return (pte_flags(pte) & (_PAGE_PRESENT | _PAGE_RW | _PAGE_DIRTY)) ==
	       (_PAGE_PRESENT | _PAGE_RW) && has_other_users(mm);
}

/*
 * Removes the entry at once, and returns it.  A and D bits that hardware sets
 * in the last moment stay in the entry; the result has them, too.
 */
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

/* @full: the address space ends. */
pte_t pvops_ptep_give_up(struct mm_struct *mm, pte_t *ptep, int full)
{
	pte_t pte = READ_ONCE(*ptep);

	/* Of an unpinned table (pv_port_page_word())? */
	if (full && virt_to_page(ptep)->mapping) {
		WRITE_ONCE(*ptep, (pte_t) { 0 });
		return pte;
	}
	if (may_get_dirty(mm, pte))
		pte = take_out(ptep);
	pv_outline_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)0);
	return pte;
}
EXPORT_SYMBOL_GPL(pvops_ptep_give_up);

/* take_out() may leave A and D in the entry, which pte_none() ignores. */
pte_t pvops_ptep_get_and_clear(struct mm_struct *mm, pte_t *ptep)
{
	pte_t pte = pvops_ptep_give_up(mm, ptep, false);

	if (!pte_none(READ_ONCE(*ptep)))
		pv_batch_flush();
	return pte;
}
EXPORT_SYMBOL_GPL(pvops_ptep_get_and_clear);

void pvops_ptep_set_wrprotect(pte_t *ptep)
{
	pteval_t val;

	val = (__force pteval_t)pv_outline_ptep_modify_prot_start((pv_pte_t *)ptep);
	pv_outline_ptep_modify_prot_commit((pv_pte_t *)ptep,
					   (__force pv_pte_t)pvops_wrprotect(val));
}
EXPORT_SYMBOL_GPL(pvops_ptep_set_wrprotect);

int pvops_ptep_test_and_clear_young(struct mm_struct *mm, pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);

	if (!(pte_flags(pte) & _PAGE_ACCESSED))
		return 0;
	if (may_get_dirty(mm, pte))
		pte = take_out(ptep);
	pte.pte &= ~_PAGE_ACCESSED;
	pv_outline_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)pte.pte);
	/* take_out() has removed it: no reader may find it so. */
	if (!pte_present(READ_ONCE(*ptep)))
		pv_batch_flush();
	return 1;
}
EXPORT_SYMBOL_GPL(pvops_ptep_test_and_clear_young);

/*
 * No backend has an update that compares.  Those who set an empty entry of the
 * kernel compete with each other only.  An NMI that comes into this function
 * must not wait for it; to its caller, a refusal is a fault.
 */
bool pvops_ptep_try_set(pte_t *ptep, pte_t pte)
{
	static DEFINE_RAW_SPINLOCK(installers);
	unsigned long flags;
	bool empty;

	while (!raw_spin_trylock_irqsave(&installers, flags)) {
		if (in_nmi())
			return false;
		cpu_relax();
	}
	pv_batch_flush();
	empty = pte_none(READ_ONCE(*ptep));
	if (empty) {
		pv_outline_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)pte.pte);
		pv_batch_flush();
	}
	raw_spin_unlock_irqrestore(&installers, flags);
	return empty;
}
EXPORT_SYMBOL_GPL(pvops_ptep_try_set);

/*
 * Tables.  A page is accounted like one that the page allocator returns for
 * GFP_PGTABLE_USER, from hand_out() to release_table().  It goes back to the
 * backend in the state in which it came.  Meanwhile it is marked, so that
 * paravirt_release_*() can distinguish it from the kernel's own tables.  As long
 * as the table is in use, ->index belongs to Linux (->pt_share_count, ->pt_mm);
 * after paravirt_release_*() it is the level.
 */
enum table_level { TABLE_PTE = 1, TABLE_PMD, TABLE_PUD, TABLE_PGD };

static void give_back(struct page *page, enum table_level level)
{
	pv_pfn_t pfn = pv_pfn(page_to_pfn(page));

	memcg_kmem_uncharge_page(page, 0);
	ClearPagePinned(page);
	pvops_table_index(page) = 0;
	/* pvops_pgd_fill() uses that of a root, which the backend may keep. */
	if (level != TABLE_PGD)
		set_page_private(page, 0);
	/* Since 6.18 the flags are a word in a structure. */
	VM_WARN_ON_ONCE_PAGE(*(const unsigned long *)&page->flags & PAGE_FLAGS_CHECK_AT_PREP,
			     page);
	VM_WARN_ON_ONCE_PAGE(atomic_read(&page->_mapcount) != -1, page);
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
	case TABLE_PGD:
		pv_outline_pgd_free(pfn);
		break;
	default:
		WARN_ONCE(1, "pvops: table page 0x%llx has unknown level %d, not released\n",
			  pv_pfn_nr(pfn), level);
	}
}

static void release_table(struct page *page, enum table_level level)
{
	if (PVOPS_DTOR_IS_LAST)
		pvops_table_dtor(page, level);
	give_back(page, level);
}

/* Releases a table that the mmu_gather has not seen. */
static void release_unused(struct page *page, enum table_level level)
{
	if (!PVOPS_DTOR_IS_LAST)
		pvops_table_dtor(page, level);
	release_table(page, level);
}

static struct page *hand_out(struct mm_struct *mm, pv_pfn_t pfn,
			     enum table_level level)
{
	struct page *page;

	if (pfn == PV_PFN_NONE)
		return NULL;
	page = pfn_to_page(pv_pfn_nr(pfn));
	SetPagePinned(page);
	if (memcg_kmem_charge_page(page, GFP_PGTABLE_USER, 0) ||
	    !pvops_table_ctor(mm, page, level)) {
		give_back(page, level);
		return NULL;
	}
	return page;
}

pgtable_t pvops_pte_alloc(struct mm_struct *mm)
{
	return hand_out(mm, pv_outline_alloc_pte(), TABLE_PTE);
}

void pvops_pte_free(struct page *page)
{
	release_unused(page, TABLE_PTE);
}

/*
 * fork.  An update of a table in use costs some 560 instructions on Xen; to pin
 * a filled table costs 12,000 and 195 for each entry (backends/xen/README.md).
 */
#define COPIED_MIN	48

static bool has_many(const pmd_t *from, unsigned long addr, unsigned long end)
{
	pmd_t pmd = READ_ONCE(*from);
	unsigned int i, count = 0;
	const pte_t *ptep;

	if (pmd_none(pmd) || pmd_bad(pmd))
		return false;
	ptep = (pte_t *)pmd_page_vaddr(pmd) + pte_index(addr);
	for (i = 0; i < (end - addr) >> PAGE_SHIFT && count < COPIED_MIN; i++)
		count += !pte_none(READ_ONCE(ptep[i]));
	return count == COPIED_MIN;
}

/*
 * @mm has no other users yet.  pvops_end_copied_table() links the table before
 * the lock of the table that is copied is released.
 */
pmd_t pvops_begin_copied_table(struct mm_struct *mm, const pmd_t *pmd,
			       const pmd_t *from, unsigned long addr,
			       unsigned long end)
{
	struct page *page = NULL;

	if (pmd_none(*pmd) && has_many(from, addr, end))
		page = hand_out(mm, pv_alloc_unpinned(), TABLE_PTE);
	if (!page)
		return (pmd_t) { 0 };
	return __pmd(PFN_PHYS(page_to_pfn(page)) | _PAGE_TABLE);
}

void pvops_end_copied_table(struct mm_struct *mm, pmd_t *pmd, pte_t *ptep)
{
	struct page *page = virt_to_page(ptep);

	if (!pmd_none(*pmd))
		return;
	if (!pv_pin_table(pv_pfn(page_to_pfn(page)))) {
		pr_err("pvops: fork: a table is lost, with all its entries\n");
		return;
	}
	mm_inc_nr_ptes(mm);
	pmd_populate(mm, pmd, page);
	pv_batch_flush();
}

pmd_t *pvops_pmd_alloc(struct mm_struct *mm)
{
	struct page *page = hand_out(mm, pv_outline_alloc_pmd(), TABLE_PMD);

	return page ? page_address(page) : NULL;
}

void pvops_pmd_free(pmd_t *pmd)
{
	release_unused(virt_to_page(pmd), TABLE_PMD);
}

pud_t *pvops_pud_alloc(struct mm_struct *mm)
{
	struct page *page = hand_out(mm, pv_outline_alloc_pud(), TABLE_PUD);

	return page ? page_address(page) : NULL;
}

void pvops_pud_free(pud_t *pud)
{
	release_unused(virt_to_page(pud), TABLE_PUD);
}

pgd_t *pvops_pgd_alloc(void)
{
	struct page *page = hand_out(NULL, pv_outline_pgd_alloc(), TABLE_PGD);

	return page ? page_address(page) : NULL;
}

void pvops_pgd_free(pgd_t *pgd)
{
	release_unused(virt_to_page(pgd), TABLE_PGD);
}

/* Counts writes to entries in the kernel half of any root. */
static atomic_t kernel_half = ATOMIC_INIT(0);

void pvops_set_p4d(p4d_t *p4dp, p4d_t p4d)
{
	pv_outline_set_p4d((pv_p4d_t *)p4dp, (__force pv_p4d_t)native_p4d_val(p4d));
	if (!pgdp_maps_userspace(p4dp))
		atomic_inc(&kernel_half);
}

/*
 * Called when a root is put on the list of sync_global_pgds().  It lacks the
 * entries that the kernel half got since the backend allocated it, or while the
 * backend kept it.  This function adds them.  Under pgd_lock.
 */
void pvops_pgd_fill(pgd_t *pgd)
{
	struct page *page = virt_to_page(pgd);
	unsigned long now = (unsigned int)atomic_read(&kernel_half);
	unsigned int i;

	if (page_private(page) == now)
		return;
	/* Pairs with atomic_inc(), which comes after the write of the entry. */
	smp_rmb();
	for (i = KERNEL_PGD_BOUNDARY; i < PTRS_PER_PGD; i++)
		if (!pgd[i].pgd && swapper_pg_dir[i].pgd)
			pv_outline_set_p4d((pv_p4d_t *)&pgd[i],
					   (__force pv_p4d_t)swapper_pg_dir[i].pgd);
	set_page_private(page, now);
}

/* Called for a table that will be freed, with or without the mmu_gather. */
void pvops_table_unhooked(unsigned long pfn, unsigned int level)
{
	struct page *page = pfn_to_page(pfn);

	if (PagePinned(page))
		pvops_table_index(page) = level;
	else
		pv_outline_detach_table(pfn, level);
}

/* Number of tables that OOM victims have freed since the last notification. */
static atomic_t victims_tables = ATOMIC_INIT(0);

/* No CPU walks the table any more. */
void pvops_free_table(void *table)
{
	struct page *page = table;

	if (!PagePinned(page)) {
		if (PVOPS_DTOR_IS_LAST)
			pvops_table_dtor(page, 0);
		pvops_free_kernels_table(page);
		return;
	}
	release_table(page, pvops_table_index(page));
	if (unlikely(tsk_is_oom_victim(current)))
		atomic_inc(&victims_tables);
}

/* The backend may keep tables again that are released from now on. */
static unsigned long empty_cache(void)
{
	unsigned long given = pv_table_cache(0);

	pv_table_cache(~0U);
	return given;
}

static unsigned long count_kept(struct shrinker *shrinker, struct shrink_control *sc)
{
	return pv_backend()->tables_kept();
}

static unsigned long give_kept(struct shrinker *shrinker, struct shrink_control *sc)
{
	return empty_cache();
}

/* What a CPU has kept is of no use to others. */
static int cpu_is_dead(unsigned int cpu)
{
	empty_cache();
	return 0;
}

/*
 * Out of memory: the backend gives back the tables that it keeps.
 *
 * Tables are freed more slowly than other memory, each by a hypercall, and a
 * victim still has tables when the OOM killer has done with it.  While some are
 * freed, no other process is to be killed.  The wait of one tick lets a victim
 * run.
 */
static int out_of_memory_notify(struct notifier_block *nb, unsigned long action,
				void *freed)
{
	empty_cache();
	schedule_timeout_uninterruptible(1);
	*(unsigned long *)freed += atomic_xchg(&victims_tables, 0);
	return NOTIFY_OK;
}

static struct notifier_block out_of_memory_block = {
	.notifier_call = out_of_memory_notify,
};

static int __init pvops_pgtable_init(void)
{
	int error = 0;

	if (!paravirt_tables_replaced())
		return 0;
	if (pv_backend()->tables_kept)
		error = pvops_add_shrinker("pvops-tables", count_kept, give_kept);
	if (error)
		pr_err("pvops: tables are kept when memory is short: error %d\n", error);
	error = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "x86/pvops:tables",
					  NULL, cpu_is_dead);
	if (error < 0)
		pr_err("pvops: tables of a CPU that goes are kept: error %d\n", error);
	return register_oom_notifier(&out_of_memory_block);
}
core_initcall(pvops_pgtable_init);
