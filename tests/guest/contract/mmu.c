// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Contract tests of table "mmu".  The kernel enters a scratch address space, and
 * observes its page tables by memory accesses through them.
 */
#include "../guest.h"

#define VA		0x40000000UL
#define FLAGS_RW	(PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_ACCESSED | PV_PTE_DIRTY)
#define FLAGS_RO	(PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_ACCESSED)

static struct mm mm;
static u64 home;

static u64 pa(pv_pfn_t pfn)
{
	return pv_pfn_nr(pfn) << PV_PAGE_SHIFT;
}

static bool enter(void)
{
	home = pv_read_cr3();
	if (!mm_create(&mm)) {
		test_error("no memory for an address space");
		return false;
	}
	PINNED(pv_write_cr3(pa(mm.root)));
	return true;
}

static void leave(void)
{
	PINNED(pv_write_cr3(home));
	mm_destroy(&mm);
}

static volatile u64 *at(u64 va)
{
	return (volatile u64 *)va;
}

/* Makes a page that contains a mark. */
static pv_pfn_t marked_page(u64 mark)
{
	pv_pfn_t pfn = page_alloc();

	if (pfn == PV_PFN_NONE)
		pv_port_panic("no memory in a test");
	*(u64 *)pv_port_pfn_to_virt(pfn) = mark;
	return pfn;
}

static u32 faults;
static u64 fault_error;
static u64 fault_skip;

static bool take_fault(struct regs *regs)
{
	if (regs->vector != VECTOR_PF)
		return false;
	faults++;
	fault_error = regs->error;
	regs->rip += fault_skip;
	return true;
}

/* Does a read (of 2 bytes of code) or a write (of 3) fault? */
static bool read_faults(u64 va)
{
	faults = 0;
	trap_hook = take_fault;
	fault_skip = 2;
	asm volatile("movb (%%rax), %%al" : "+a" (va) : : "memory");
	trap_hook = NULL;
	return faults;
}

static bool write_faults(u64 va)
{
	faults = 0;
	trap_hook = take_fault;
	fault_skip = 3;
	asm volatile("lock incb (%%rax)" : "+a" (va) : : "memory", "cc");
	trap_hook = NULL;
	return faults;
}

TEST(read_cr3)
{
	u64 cr3 = pv_read_cr3();

	EXPECT_EQ(cr3, pa(pv_port_kernel_root()));
	if (!enter())
		return;
	EXPECT_EQ(pv_read_cr3(), pa(mm.root));
	leave();
	EXPECT_EQ(pv_read_cr3(), cr3);
}

TEST(write_cr3)
{
	if (!enter())
		return;
	EXPECT(mm_map(&mm, VA, 1, true));
	EXPECT_EQ(*at(VA), 0);
	*at(VA) = 77;
	PINNED(pv_write_cr3(home));
	EXPECT(read_faults(VA));
	PINNED(pv_write_cr3(pa(mm.root)));
	EXPECT_EQ(*at(VA), 77);
	leave();
}

/* Changes the mapping of VA between two pages, with a flush after each change. */
static void check_flush(void (*flush)(void))
{
	pv_pfn_t a = marked_page(1), b = marked_page(2);
	pv_pte_t *ptep;
	u32 i;

	if (!enter())
		return;
	ptep = vm_walk(mm.root, VA, true, &mm);
	for (i = 0; i < 4; i++) {
		pv_set_pte(ptep, pv_make_pte(pa(i & 1 ? b : a) | FLAGS_RW));
		flush();
		EXPECT_EQ(*at(VA), i & 1 ? 2 : 1);
	}
	pv_set_pte(ptep, pv_make_pte(0));
	flush();
	EXPECT(read_faults(VA));
	leave();
	page_put(a);
	page_put(b);
}

static void by_user(void)
{
	PINNED(pv_flush_tlb_user());
}

static void by_kernel(void)
{
	PINNED(pv_flush_tlb_kernel());
}

static void by_one(void)
{
	PINNED(pv_flush_tlb_one(VA));
}

TEST(flush_tlb_user)
{
	check_flush(by_user);
}

TEST(flush_tlb_kernel)
{
	check_flush(by_kernel);
}

TEST(flush_tlb_one)
{
	check_flush(by_one);
}

static volatile u64 remote_saw;

static void remote_read(void *arg)
{
	/* The CPU stays in this address space, with the entry in the TLB. */
	PINNED(pv_write_cr3((u64)arg));
	remote_saw = *at(VA);
}

static void remote_read_again(void *arg)
{
	(void)arg;
	remote_saw = *at(VA);
}

static void remote_home(void *arg)
{
	PINNED(pv_write_cr3((u64)arg));
}

static void by_multi(void)
{
	struct pv_cpumask both = cpu_mask(cpu_last());

	both.word[0] |= 1;
	pv_flush_tlb_multi(&both, VA, VA + PAGE);
}

TEST(flush_tlb_multi)
{
	const struct pv_cpumask one = cpu_mask(cpu_last());
	struct pv_cpumask all = one;
	pv_pfn_t a, b;
	pv_pte_t *ptep;
	u32 i;

	all.word[0] |= 1;
	check_flush(by_multi);
	if (cpus_online < 2 || !enter())
		return;
	a = marked_page(1);
	b = marked_page(2);
	ptep = vm_walk(mm.root, VA, true, &mm);
	pv_set_pte(ptep, pv_make_pte(pa(a) | FLAGS_RW));
	pv_port_call_cpus(&one, remote_read, (void *)pa(mm.root));
	EXPECT_EQ(remote_saw, 1);
	for (i = 0; i < 4; i++) {
		pv_set_pte(ptep, pv_make_pte(pa(i & 1 ? a : b) | FLAGS_RW));
		/* A page, all entries, and a range that is too long for a flush by pages. */
		pv_flush_tlb_multi(&all, i ? VA : 0, i == 0 ? 0 : VA + (i == 2 ? 1000 : 1) * PAGE);
		pv_port_call_cpus(&one, remote_read_again, NULL);
		EXPECT_EQ(remote_saw, i & 1 ? 1 : 2);
		EXPECT_EQ(*at(VA), i & 1 ? 1 : 2);
	}
	pv_port_call_cpus(&one, remote_home, (void *)home);
	pv_set_pte(ptep, pv_make_pte(0));
	leave();
	page_put(a);
	page_put(b);
}

TEST(set_pte)
{
	pv_pfn_t a = marked_page(0xa), b = marked_page(0xb);
	pv_pte_t *ptep;

	if (!enter())
		return;
	ptep = vm_walk(mm.root, VA, true, &mm);
	pv_set_pte(ptep, pv_make_pte(pa(a) | FLAGS_RO));
	/* Outside a batch it takes effect at once, also for a plain read of the entry. */
	EXPECT_EQ(pv_pte_val(*ptep) & PV_FRAME_MASK, pa(a));
	PINNED(pv_flush_tlb_one(VA));
	EXPECT_EQ(*at(VA), 0xa);
	EXPECT(write_faults(VA));
	pv_set_pte(ptep, pv_make_pte(pa(b) | FLAGS_RW));
	PINNED(pv_flush_tlb_one(VA));
	EXPECT_EQ(*at(VA), 0xb);
	EXPECT(!write_faults(VA));
	pv_set_pte(ptep, pv_make_pte(0));
	PINNED(pv_flush_tlb_one(VA));
	EXPECT(read_faults(VA));
	leave();
	EXPECT_EQ(*(u64 *)pv_port_pfn_to_virt(a), 0xa);
	page_put(a);
	page_put(b);
}

/* Entries above level 1: a read faults after the table is unlinked, and works again after. */
static void check_upper(u32 level)
{
	pv_p4d_t *p4dp;
	pv_pud_t *pudp;
	pv_pmd_t *pmdp;
	u64 val4, val3, val2, i4 = VA >> 39, i3 = VA >> 30 & 511, i2 = VA >> 21 & 511;

	if (!enter())
		return;
	EXPECT(mm_map(&mm, VA, 1, true));
	*at(VA) = 0xabc;
	p4dp = (pv_p4d_t *)pv_port_pfn_to_virt(mm.root) + i4;
	val4 = pv_p4d_val(*p4dp);
	EXPECT_EQ(val4 & PV_PTE_PRESENT, 1);
	pudp = (pv_pud_t *)(KERNEL_BASE + (val4 & PV_FRAME_MASK)) + i3;
	val3 = pv_pud_val(*pudp);
	EXPECT_EQ(val3 & PV_PTE_PRESENT, 1);
	pmdp = (pv_pmd_t *)(KERNEL_BASE + (val3 & PV_FRAME_MASK)) + i2;
	val2 = pv_pmd_val(*pmdp);
	EXPECT_EQ(val2 & PV_PTE_PRESENT, 1);

	if (level == 2)
		pv_set_pmd(pmdp, pv_make_pmd(0));
	else if (level == 3)
		pv_set_pud(pudp, pv_make_pud(0));
	else
		pv_set_p4d(p4dp, pv_make_p4d(0));
	PINNED(pv_flush_tlb_user());
	EXPECT(read_faults(VA));
	if (level == 2)
		pv_set_pmd(pmdp, pv_make_pmd(val2));
	else if (level == 3)
		pv_set_pud(pudp, pv_make_pud(val3));
	else
		pv_set_p4d(p4dp, pv_make_p4d(val4));
	PINNED(pv_flush_tlb_user());
	EXPECT_EQ(*at(VA), 0xabc);
	leave();
}

TEST(set_pmd)
{
	check_upper(2);
}

TEST(set_pud)
{
	check_upper(3);
}

TEST(set_p4d)
{
	check_upper(4);
	/* User mode has the same view. */
	EXPECT_EQ(proc_wait(proc_start(USER_MEMORY, 0)), 0);
}

/* Values that a present or absent entry of the guest can have. */
#define CHECK_VALUES(val, make)							\
	do {									\
		pv_pfn_t page_ = page_alloc();					\
		u64 values_[] = {						\
			0, pa(page_) | FLAGS_RW, pa(page_) | FLAGS_RO,		\
			pa(page_) | FLAGS_RW | PV_PTE_NX, 0x123456780ULL << 12,	\
			0x8000000000000000ULL, 0xe00,				\
			(boot_info.memory_end - 1) << 12 | FLAGS_RO,		\
		};								\
		u32 i_;								\
										\
		for (i_ = 0; i_ < sizeof(values_) / 8; i_++)			\
			EXPECT_EQ(val(make(values_[i_])), values_[i_]);		\
		/* Foreign frame: same value, or is not present. */		\
		values_[0] = 0x3ffffffULL << 12 | FLAGS_RW;			\
		values_[1] = val(make(values_[0]));				\
		EXPECT(values_[1] == values_[0] || !(values_[1] & PV_PTE_PRESENT)); \
		page_put(page_);						\
	} while (0)

TEST(pte_val)
{
	CHECK_VALUES(pv_pte_val, pv_make_pte);
}

TEST(make_pte)
{
	pv_pfn_t a = marked_page(0x1234);
	pv_pte_t *ptep;

	CHECK_VALUES(pv_pte_val, pv_make_pte);
	/* Hardware accepts the value. */
	if (!enter())
		return;
	ptep = vm_walk(mm.root, VA, true, &mm);
	pv_set_pte(ptep, pv_make_pte(pa(a) | FLAGS_RO));
	EXPECT_EQ(*at(VA), 0x1234);
	/* leave() must not free the page together with the address space. */
	pv_set_pte(ptep, pv_make_pte(0));
	leave();
	page_put(a);
}

TEST(pmd_val)
{
	CHECK_VALUES(pv_pmd_val, pv_make_pmd);
}

TEST(make_pmd)
{
	CHECK_VALUES(pv_pmd_val, pv_make_pmd);
}

TEST(pud_val)
{
	CHECK_VALUES(pv_pud_val, pv_make_pud);
}

TEST(make_pud)
{
	CHECK_VALUES(pv_pud_val, pv_make_pud);
}

TEST(p4d_val)
{
	CHECK_VALUES(pv_p4d_val, pv_make_p4d);
}

TEST(make_p4d)
{
	CHECK_VALUES(pv_p4d_val, pv_make_p4d);
}

TEST(modify_prot)
{
	pv_pte_t *ptep, pte;
	u64 val;

	if (!enter())
		return;
	EXPECT(mm_map(&mm, VA, 1, true));
	*at(VA) = 1;
	ptep = vm_walk(mm.root, VA, false, &mm);
	pte = pv_ptep_modify_prot_start(ptep);
	val = pv_pte_val(pte);
	EXPECT_EQ(val & (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_DIRTY | PV_PTE_ACCESSED),
		  PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_DIRTY | PV_PTE_ACCESSED);
	pv_ptep_modify_prot_commit(ptep, pv_make_pte(val & ~PV_PTE_RW));
	PINNED(pv_flush_tlb_one(VA));
	EXPECT(write_faults(VA));
	EXPECT_EQ(*at(VA), 1);
	/* Accessed and dirty are not lost. */
	EXPECT_EQ(pv_pte_val(*ptep) & (PV_PTE_DIRTY | PV_PTE_ACCESSED),
		  PV_PTE_DIRTY | PV_PTE_ACCESSED);
	pte = pv_ptep_modify_prot_start(ptep);
	pv_ptep_modify_prot_commit(ptep, pv_make_pte(pv_pte_val(pte) | PV_PTE_RW));
	PINNED(pv_flush_tlb_one(VA));
	EXPECT(!write_faults(VA));
	leave();
}

static bool all_zero(pv_pfn_t pfn)
{
	const u64 *words = pv_port_pfn_to_virt(pfn);
	u32 i;

	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		if (words[i])
			return false;
	return true;
}

/* Allocates and releases tables: zeroed each time, and no page is lost. */
static void check_tables(pv_pfn_t (*alloc)(void), void (*release)(pv_pfn_t pfn))
{
	pv_pfn_t pages[8];
	u32 before, i, round;

	pv_table_cache(0);
	pv_table_cache(32);
	before = pages_free();
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 8; i++) {
			pages[i] = alloc();
			EXPECT(pages[i] != PV_PFN_NONE);
			EXPECT(all_zero(pages[i]));
		}
		for (i = 0; i < 8; i++)
			release(pages[i]);
	}
	pv_table_cache(0);
	EXPECT_EQ(pages_free(), before);
	pv_table_cache(64);
}

static pv_pfn_t get_pte(void)
{
	return pv_alloc_pte();
}

static void put_pte(pv_pfn_t pfn)
{
	pv_release_pte(pfn);
}

static pv_pfn_t get_pmd(void)
{
	return pv_alloc_pmd();
}

static void put_pmd(pv_pfn_t pfn)
{
	pv_release_pmd(pfn);
}

static pv_pfn_t get_pud(void)
{
	return pv_alloc_pud();
}

static void put_pud(pv_pfn_t pfn)
{
	pv_release_pud(pfn);
}

TEST(alloc_release_pte)
{
	pv_pfn_t page, table;
	pv_pte_t *ptep;
	u32 i;

	check_tables(get_pte, put_pte);
	/* The backend removes entries that are left in a table: one, and many. */
	for (i = 1; i <= 512; i += 511) {
		u32 n;

		table = pv_alloc_pte();
		page = page_alloc();
		ptep = pv_port_pfn_to_virt(table);
		pv_batch_enter(PV_BATCH_MMU);
		for (n = 0; n < i; n++)
			pv_set_pte(ptep + n, pv_make_pte(pa(page) | FLAGS_RW));
		pv_batch_leave(PV_BATCH_MMU);
		pv_release_pte(table);
		/* No table maps the page any more, so it can become a table itself. */
		page_put(page);
		table = pv_alloc_pte();
		EXPECT(all_zero(table));
		pv_release_pte(table);
	}
}

TEST(alloc_release_pmd)
{
	check_tables(get_pmd, put_pmd);
}

TEST(alloc_release_pud)
{
	check_tables(get_pud, put_pud);
}

TEST(pgd)
{
	u32 before, i, round;
	u64 old = pv_read_cr3();

	pv_table_cache(0);
	pv_table_cache(32);
	before = pages_free();
	for (round = 0; round < 3; round++) {
		pv_pfn_t root = pv_pgd_alloc();

		EXPECT(root != PV_PFN_NONE);
		for (i = 0; i < PV_TABLE_ENTRIES / 2; i++)
			EXPECT_EQ(((u64 *)pv_port_pfn_to_virt(root))[i], 0);
		pv_pgd_activate(root);
		PINNED(pv_write_cr3(pa(root)));
		/* The kernel continues to run in its shared half. */
		EXPECT_EQ(pv_read_cr3(), pa(root));
		PINNED(pv_write_cr3(old));
		pv_pgd_free(root);
	}
	pv_table_cache(0);
	EXPECT_EQ(pages_free(), before);
	pv_table_cache(64);
}

/* An entry of the kernel half that nothing uses. */
#define UNUSED_SLOT	300

static bool new_root_has_the_slot(u64 entry)
{
	pv_pfn_t root = pv_pgd_alloc();
	bool same = ((u64 *)pv_port_pfn_to_virt(root))[UNUSED_SLOT] == entry;

	pv_pgd_free(root);
	return same;
}

/* Roots that are kept for reuse follow the kernel half. */
TEST(pgd_kernel_half)
{
	pv_p4d_t *slot = (pv_p4d_t *)pv_port_pfn_to_virt(pv_port_kernel_root()) + UNUSED_SLOT;
	pv_pfn_t table = pv_alloc_pud();

	EXPECT(table != PV_PFN_NONE);
	EXPECT_EQ(*(u64 *)slot, 0);
	EXPECT(new_root_has_the_slot(0));
	pv_set_p4d(slot, pv_make_p4d(pa(table) | PV_PTE_PRESENT | PV_PTE_RW));
	EXPECT(*(u64 *)slot != 0);
	EXPECT(new_root_has_the_slot(*(u64 *)slot));
	pv_set_p4d(slot, pv_make_p4d(0));
	EXPECT(new_root_has_the_slot(0));
	pv_release_pud(table);
}

TEST(table_cache)
{
	pv_pfn_t pages[8];
	u32 before, i, gave, kept;

	pv_table_cache(0);
	before = pages_free();
	pv_table_cache(4);
	for (i = 0; i < 8; i++)
		pages[i] = pv_alloc_pte();
	for (i = 0; i < 8; i++)
		pv_release_pte(pages[i]);
	/* The bound is kept... */
	EXPECT(before - pages_free() <= 4 * cpus_online);
	kept = before - pages_free();
	if (pv_backend()->tables_kept)
		EXPECT_EQ(pv_backend()->tables_kept(), kept);
	/* ...and the result of shrinking is the number of pages given back. */
	gave = pv_table_cache(0);
	EXPECT_EQ(gave, kept);
	EXPECT_EQ(pages_free(), before);
	EXPECT_EQ(pv_table_cache(0), 0);
	pv_table_cache(64);
}

static pv_pfn_t frame(u64 val)
{
	return pv_pfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT);
}

/* The entry for @va at a level from 4 to 2; the tables are there. */
static void *entry_of(u64 va, u32 level)
{
	u64 *entry = (u64 *)pv_port_pfn_to_virt(mm.root) + (va >> 39 & 511);

	if (level < 4)
		entry = (u64 *)pv_port_pfn_to_virt(frame(pv_p4d_val(*(pv_p4d_t *)entry))) +
			(va >> 30 & 511);
	if (level < 3)
		entry = (u64 *)pv_port_pfn_to_virt(frame(pv_pud_val(*(pv_pud_t *)entry))) +
			(va >> 21 & 511);
	return entry;
}

/* A table of @va that is filled before it is one; with an entry to refuse, if @bad is a frame. */
static void fill_and_pin(u64 va, pv_pfn_t bad)
{
	pv_pfn_t pfn = pv_alloc_unpinned(), data[2] = { marked_page(0x11), marked_page(0x22) };
	u32 i, refused = pv_batch_error_count();
	pv_pmd_t *pmdp = entry_of(va, 2);
	u64 *ptes;

	EXPECT(pfn != PV_PFN_NONE);
	if (pfn == PV_PFN_NONE)
		return;
	EXPECT(all_zero(pfn));
	ptes = pv_port_pfn_to_virt(pfn);
	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		ptes[i] = (__force u64)pv_make_pte(pa(data[0]) | FLAGS_RW);
	if (bad != PV_PFN_NONE)
		ptes[5] = (__force u64)pv_make_pte(pa(bad) | FLAGS_RW);
	pv_set_pte((pv_pte_t *)&ptes[511], pv_make_pte(pa(data[1]) | FLAGS_RW));
	EXPECT(pv_pin_table(pfn));
	pv_set_pmd(pmdp, pv_make_pmd(pa(pfn) | PTE_TABLE));
	EXPECT_EQ(*at(va), 0x11);
	EXPECT_EQ(*at(va + 511 * PAGE), 0x22);
	*at(va + 511 * PAGE) = 0x33;
	EXPECT_EQ(*(u64 *)pv_port_pfn_to_virt(data[1]), 0x33);
	EXPECT_EQ(ptes[5] & PV_PTE_PRESENT, bad == PV_PFN_NONE ? PV_PTE_PRESENT : 0);
	EXPECT_EQ(pv_batch_error_count() > refused, bad != PV_PFN_NONE);
	pv_set_pmd(pmdp, pv_make_pmd(0));
	PINNED(pv_flush_tlb_user());
	pv_release_pte(pfn);
	page_put(data[0]);
	page_put(data[1]);
}

TEST(pin_table)
{
	u64 va = VA + (4UL << 21);
	pv_pfn_t table;
	u32 before;

	pv_table_cache(0);
	before = pages_free();
	if (!enter())
		return;
	/* So that the tables above it are there. */
	EXPECT(mm_map(&mm, VA, 1, true));
	if (pv_impl_is_native(PV_OP_alloc_unpinned)) {
		EXPECT(pv_alloc_unpinned() == PV_PFN_NONE);
	} else {
		fill_and_pin(va, PV_PFN_NONE);
		table = pv_alloc_pte();
		fill_and_pin(va, table);
		pv_release_pte(table);
		/* One that is not pinned goes back, too. */
		pv_release_pte(pv_alloc_unpinned());
	}
	leave();
	EXPECT_EQ(pages_free(), before);
	pv_table_cache(64);
}

/* Of an address space that ends, from the root to the level-1 table of @va. */
TEST(unpin_table)
{
	static u64 copy[PV_TABLE_ENTRIES];
	pv_pfn_t table[5];
	u32 before, level;
	u64 *ptes;

	pv_table_cache(0);
	before = pages_free();
	if (!enter())
		return;
	EXPECT(mm_map(&mm, VA, 100, true));
	*at(VA + 99 * PAGE) = 1;
	table[4] = mm.root;
	table[3] = frame(pv_p4d_val(*(pv_p4d_t *)entry_of(VA, 4)));
	table[2] = frame(pv_pud_val(*(pv_pud_t *)entry_of(VA, 3)));
	table[1] = frame(pv_pmd_val(*(pv_pmd_t *)entry_of(VA, 2)));
	PINNED(pv_write_cr3(home));
	for (level = 4; level && pv_unpin_table(table[level], level); level--)
		;
	/* It does so for all levels, or for none. */
	EXPECT(level == 4 || level == 0);
	if (!level) {
		ptes = pv_port_pfn_to_virt(table[1]);
		memcpy(copy, ptes, sizeof(copy));
		/* Plain stores work, ... */
		memset(ptes, 0, PAGE);
		memcpy(ptes, copy, sizeof(copy));
		EXPECT(*pv_port_page_word(table[1]) != 0);
		/* ... ops, too, ... */
		mm_protect(&mm, VA, 100, false);
		EXPECT(!(pv_pte_val(((pv_pte_t *)ptes)[99]) & PV_PTE_RW));
		mm_unmap(&mm, VA, 50);
		EXPECT_EQ(ptes[49], 0);
		EXPECT(ptes[50] != 0);
	}
	/* ... and no page is lost. */
	mm_destroy(&mm);
	EXPECT_EQ(pages_free(), before);
	pv_table_cache(64);
}

TEST(set_fixmap)
{
	pv_pfn_t a = marked_page(0xf1), b = marked_page(0xf2);
	const u64 prot = PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_ACCESSED | PV_PTE_DIRTY | PV_PTE_NX;
	pv_pte_t *ptep;
	u64 va;

	ptep = pv_port_fixmap_pte(2, &va);
	EXPECT(ptep != NULL);
	EXPECT(read_faults(va));
	/* Machine addresses, from the linear map's own entries. */
	pv_set_fixmap(2, (__force pv_maddr_t)((__force u64)*pv_port_linear_pte(a) & PV_FRAME_MASK),
		      prot);
	EXPECT_EQ(*at(va), 0xf1);
	pv_set_fixmap(2, (__force pv_maddr_t)((__force u64)*pv_port_linear_pte(b) & PV_FRAME_MASK),
		      prot);
	EXPECT_EQ(*at(va), 0xf2);
	*at(va) = 0xf3;
	EXPECT_EQ(*(volatile u64 *)pv_port_pfn_to_virt(b), 0xf3);
	pv_set_fixmap(2, (__force pv_maddr_t)0, 0);
	EXPECT(read_faults(va));
	page_put(a);
	page_put(b);
}

extern u8 __pv_text_start[], rodata_end[];

#define PTE_LARGE	0x080ULL	/* levels 2 and 3 */

struct map {
	u32 pages;
	u32 both;		/* writable and executable */
	u32 aliases;		/* writable, of memory that must be read-only */
};

static void judge(struct map *map, u64 va, u64 val, u32 level)
{
	u64 frame = (val & PV_FRAME_MASK) >> PV_PAGE_SHIFT, pages = 1UL << 9 * (level - 1);
	u64 ro_start = pv_pfn_nr(pv_port_virt_to_pfn(__pv_text_start));
	u64 ro_end = pv_pfn_nr(pv_port_virt_to_pfn(rodata_end));
	bool writable = val & PV_PTE_RW, executable = !(val & PV_PTE_NX);
	bool wrong = false;

	map->pages++;
	if (writable && executable) {
		map->both++;
		wrong = true;
	}
	if (writable && frame < ro_end && frame + pages > ro_start) {
		map->aliases++;
		wrong = true;
	}
	if (wrong && map->both + map->aliases <= 4)
		print("# 0x%lx: entry 0x%lx of level %u\n", (unsigned long)va,
		      (unsigned long)val, level);
}

/*
 * A deprivileged kernel can access only entries for user mode; the others belong to the
 * hypervisor.
 */
static void walk(struct map *map, const void *table, u64 va, u32 level)
{
	u32 i;

	for (i = level == 4 ? PV_TABLE_ENTRIES / 2 : 0; i < PV_TABLE_ENTRIES; i++) {
		u64 at = va | (u64)i << (12 + 9 * (level - 1));
		u64 val;

		if (level == 4) {
			at |= 0xffff000000000000UL;
			val = pv_p4d_val(((const pv_p4d_t *)table)[i]);
		} else if (level == 3) {
			val = pv_pud_val(((const pv_pud_t *)table)[i]);
		} else if (level == 2) {
			val = pv_pmd_val(((const pv_pmd_t *)table)[i]);
		} else {
			val = pv_pte_val(((const pv_pte_t *)table)[i]);
		}
		if (!(val & PV_PTE_PRESENT) || (boot_info.platform.cpl && !(val & PV_PTE_USER)))
			continue;
		if (level == 1 || (level < 4 && val & PTE_LARGE))
			judge(map, at, val, level);
		else
			walk(map, pv_port_pfn_to_virt(pv_pfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT)),
			     at, level - 1);
	}
}

/* No entry of the kernel half, at any address, breaks the rules of write and execute. */
TEST(wx_map)
{
	struct map map = { 0 };
	unsigned long text = (unsigned long)test_wx_map;
	u8 was = *(volatile u8 *)text;
	long alias;

	walk(&map, pv_port_pfn_to_virt(pv_port_kernel_root()), 0, 4);
	EXPECT(map.pages >= pv_pfn_nr(pv_port_virt_to_pfn(rodata_end)) -
	       pv_pfn_nr(pv_port_virt_to_pfn(__pv_text_start)));
	EXPECT_EQ(map.both, 0);
	EXPECT_EQ(map.aliases, 0);
	/* Inside a patch pass text is writable, and the walk must find that. */
	alias = pv_port_text_begin(text, text + 1);
	EXPECT(alias != PV_TEXT_REFUSED);
	*(volatile u8 *)(text + (unsigned long)alias) = was;
	map = (struct map){ 0 };
	walk(&map, pv_port_pfn_to_virt(pv_port_kernel_root()), 0, 4);
	pv_port_text_end(text, text + 1);
	EXPECT(map.both > 0);
	EXPECT(write_faults(text));
}

/* Text cannot be written, data cannot be executed. */
TEST(wx)
{
	static u64 data;
	u64 val;

	EXPECT(write_faults((unsigned long)test_wx));
	EXPECT(write_faults((unsigned long)"read-only"));
	EXPECT(write_faults((unsigned long)pv_kernel_sites()->start));
	EXPECT(write_faults((unsigned long)&pv_slots));
	EXPECT(write_faults((unsigned long)&pv_batch_submit));
	EXPECT(write_faults((unsigned long)pv_backend()));
	EXPECT(!write_faults((unsigned long)&data));
	val = pv_pte_val(*pv_port_linear_pte(pv_port_virt_to_pfn(&data)));
	EXPECT(val & PV_PTE_NX);
	val = pv_pte_val(*pv_port_linear_pte(pv_port_virt_to_pfn(test_wx)));
	EXPECT(!(val & PV_PTE_NX));
}
