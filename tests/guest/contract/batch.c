// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rules of include/pvops/batch.h, on the machine: nesting, bound,
 * interrupts, draining, refusals.  Native queues nothing, so the same assertions
 * hold there trivially.
 */
#include "../guest.h"

#define VA		0x40000000UL
#define FLAGS_RO	(PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_ACCESSED)

static struct mm mm;
static pv_pfn_t page;
static pv_pte_t *ptes;
static u64 home;

static u64 pa(pv_pfn_t pfn)
{
	return pv_pfn_nr(pfn) << PV_PAGE_SHIFT;
}

static bool setup(void)
{
	if (!mm_create(&mm)) {
		test_error("no memory for an address space");
		return false;
	}
	home = pv_read_cr3();
	page = page_alloc();
	ptes = vm_walk(mm.root, VA, true, &mm);
	return true;
}

static void teardown(void)
{
	u32 i;

	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		if (pv_pte_val(ptes[i]) & PV_PTE_PRESENT)
			pv_set_pte(&ptes[i], pv_make_pte(0));
	mm_destroy(&mm);
	page_put(page);
}

static u64 ours(void)
{
	return pa(page) | FLAGS_RO;
}

static u64 frame_in(u32 nr)
{
	return pv_pte_val(ptes[nr]) & (PV_FRAME_MASK | PV_PTE_PRESENT);
}

#define IS_OURS(nr)	EXPECT_EQ(frame_in(nr), pa(page) | PV_PTE_PRESENT)

TEST(batch)
{
	u32 i;

	if (!setup())
		return;
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		pv_set_pte(&ptes[i], pv_make_pte(ours()));
	pv_batch_flush();
	for (i = 0; i < 10; i++)
		IS_OURS(i);
	for (i = 10; i < 20; i++)
		pv_set_pte(&ptes[i], pv_make_pte(ours()));
	pv_batch_leave(PV_BATCH_MMU);
	for (i = 10; i < 20; i++)
		IS_OURS(i);
	EXPECT_EQ(frame_in(20), 0);
	teardown();
}

TEST(batch_nested)
{
	if (!setup())
		return;
	pv_batch_enter(PV_BATCH_MMU);
	pv_set_pte(&ptes[0], pv_make_pte(ours()));
	pv_batch_enter(PV_BATCH_MMU);
	pv_set_pte(&ptes[1], pv_make_pte(ours()));
	pv_batch_leave(PV_BATCH_MMU);
	pv_set_pte(&ptes[2], pv_make_pte(ours()));
	pv_batch_leave(PV_BATCH_MMU);
	IS_OURS(0);
	IS_OURS(1);
	IS_OURS(2);
	/* The batch is closed, so updates take effect at once again. */
	pv_set_pte(&ptes[3], pv_make_pte(ours()));
	IS_OURS(3);
	teardown();
}

TEST(batch_overflow)
{
	u32 i;

	if (!setup())
		return;
	/* More than twice the queue, in order: the last update of each entry counts. */
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 512; i++)
		pv_set_pte(&ptes[i], pv_make_pte(0x1000));
	for (i = 0; i < 512; i++)
		pv_set_pte(&ptes[i], pv_make_pte(ours()));
	pv_batch_leave(PV_BATCH_MMU);
	for (i = 0; i < 512; i++)
		IS_OURS(i);
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 512; i++)
		pv_set_pte(&ptes[i], pv_make_pte(0));
	pv_batch_leave(PV_BATCH_MMU);
	for (i = 0; i < 512; i++)
		EXPECT_EQ(frame_in(i), 0);
	teardown();
}

static volatile u32 progress;
static volatile u32 handler_ran;
static volatile u32 handler_saw;

/*
 * All updates queued before the interrupt are in the tables.  There may be more interrupts
 * than were armed: see TEST(masked_interrupts).
 */
static void look_inside(u32 vector)
{
	u32 n = progress, i, seen = 0;

	if (vector != PV_VECTOR_TIMER)
		return;
	for (i = 0; i < n; i++)
		seen += frame_in(i) != 0;
	handler_saw += seen == n;
	handler_ran++;
	/* Updates of the handler take effect at once, whatever was open. */
	pv_set_pte(&ptes[511], pv_make_pte(ours()));
	handler_saw += frame_in(511) == (pa(page) | PV_PTE_PRESENT);
	pv_set_pte(&ptes[511], pv_make_pte(0));
	/* The handler may open a batch of its own. */
	pv_batch_enter(PV_BATCH_MMU);
	pv_set_pte(&ptes[510], pv_make_pte(ours()));
	pv_batch_leave(PV_BATCH_MMU);
	handler_saw += frame_in(510) == (pa(page) | PV_PTE_PRESENT);
	pv_set_pte(&ptes[510], pv_make_pte(0));
}

TEST(batch_interrupt)
{
	u32 round, i;

	if (!setup())
		return;
	/* Cancel a timer of an earlier test. */
	pv_set_timer(~0ULL);
	handler_ran = 0;
	handler_saw = 0;
	interrupt_hook = look_inside;
	for (round = 0; round < 40; round++) {
		u64 end;
		u32 before = handler_ran;

		progress = 0;
		pv_batch_enter(PV_BATCH_MMU);
		/* The interrupt comes at another place in each round. */
		pv_set_timer(pv_clock_read() + 2000 + round * 997);
		for (i = 0; i < 400; i++) {
			pv_set_pte(&ptes[i], pv_make_pte(ours()));
			progress = i + 1;
		}
		end = pv_clock_read() + 5000000000ULL;
		while (handler_ran == before && pv_clock_read() < end)
			asm volatile("pause");
		EXPECT(handler_ran != before);
		pv_batch_leave(PV_BATCH_MMU);
		for (i = 0; i < 400; i++)
			IS_OURS(i);
		progress = 0;
		pv_batch_enter(PV_BATCH_MMU);
		for (i = 0; i < 400; i++)
			pv_set_pte(&ptes[i], pv_make_pte(0));
		pv_batch_leave(PV_BATCH_MMU);
		for (i = 0; i < 400; i++)
			EXPECT_EQ(frame_in(i), 0);
	}
	interrupt_hook = NULL;
	/* All three checks, in each interrupt. */
	EXPECT_EQ(handler_saw, 3 * handler_ran);
	teardown();
}

/* Queues one update, does something that must drain, and checks the entry. */
#define DRAINS(nr, what)					\
	do {							\
		pv_set_pte(&ptes[nr], pv_make_pte(ours()));	\
		what;						\
		IS_OURS(nr);					\
	} while (0)

/* As the scheduler does it. */
static void context_switch(void)
{
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	pv_start_context_switch();
	pv_end_context_switch();
	pv_restore_fl(flags);
}

TEST(batch_drains)
{
	const struct pv_cpumask self = { { 1 } };
	pv_pfn_t spare;

	if (!setup())
		return;
	spare = pv_alloc_pte();
	pv_batch_enter(PV_BATCH_MMU);
	DRAINS(0, PINNED(pv_flush_tlb_one(VA)));
	DRAINS(1, PINNED(pv_flush_tlb_user()));
	DRAINS(2, PINNED(pv_flush_tlb_kernel()));
	DRAINS(3, PINNED(pv_flush_tlb_multi(&self, VA, VA + PAGE)));
	DRAINS(4, PINNED(pv_write_cr3(pa(mm.root))));
	DRAINS(5, PINNED(pv_write_cr3(home)));
	DRAINS(6, pv_release_pte(spare));
	DRAINS(7, pv_send_ipi(pv_port_this_cpu(), PV_VECTOR_IPI + 1));
	DRAINS(8, pv_table_cache(64));
	DRAINS(9, context_switch());
	pv_batch_leave(PV_BATCH_MMU);
	teardown();
}

/*
 * Batches of random depth, with updates and a look at the entries at random places.  In a
 * kernel with preemption the task moves meanwhile, and finds its batches again.
 */
TEST(batch_preempted)
{
	u32 lost = pv_batch_lost_count(), random = 1, depth = 0, round, i;
	bool queues;

	if (!setup())
		return;
	queues = !pv_impl_is_native(PV_OP_set_pte) && batches();
	for (round = 0; round < 1500; round++) {
		u32 nr;

		random = random * 1664525 + 1013904223;
		nr = random >> 23;
		switch (random >> 20 & 7) {
		case 0:
		case 1:
			if (depth < 3) {
				pv_batch_enter(PV_BATCH_MMU);
				depth++;
			}
			break;
		case 2:
		case 3:
			if (depth) {
				pv_batch_leave(PV_BATCH_MMU);
				depth--;
			}
			break;
		case 4:
			pv_batch_flush();
			EXPECT(frame_in(nr) == 0 || frame_in(nr) == (pa(page) | PV_PTE_PRESENT));
			break;
		default:
			pv_set_pte(&ptes[nr], pv_make_pte(ours()));
			if (!depth)
				IS_OURS(nr);
			pv_set_pte(&ptes[nr], pv_make_pte(round & 1 ? ours() : 0));
			if (!depth)
				EXPECT_EQ(frame_in(nr), round & 1 ? pa(page) | PV_PTE_PRESENT : 0);
		}
		if (queues)
			EXPECT_EQ(pv_batch_open(PV_BATCH_MMU), depth != 0);
	}
	for (; depth; depth--)
		pv_batch_leave(PV_BATCH_MMU);
	EXPECT(!pv_batch_open(PV_BATCH_MMU));
	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		pv_set_pte(&ptes[i], pv_make_pte(ours()));
	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		IS_OURS(i);
	EXPECT_EQ(pv_batch_lost_count(), lost);
	teardown();
}

/* Asks for a writable view of a page table, which a hypervisor cannot grant. */
TEST(batch_refused)
{
	u32 before = pv_batch_error_count(), lost = pv_batch_lost_count(), i;
	const struct pv_batch_error *error;
	pv_pfn_t table;

	if (pv_impl_is_native(PV_OP_set_pte)) {
		test_skip("bare hardware refuses no entry");
		return;
	}
	if (pv_impl_is_native(PV_OP_alloc_pte)) {
		test_skip("the hypervisor does not validate page tables");
		return;
	}
	if (!setup())
		return;
	table = pv_alloc_pte();
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 9; i++)
		pv_set_pte(&ptes[i], pv_make_pte(i == 4 ? pa(table) | FLAGS_RO | PV_PTE_RW :
						 ours()));
	pv_batch_leave(PV_BATCH_MMU);
	for (i = 0; i < 9; i++)
		if (i != 4)
			IS_OURS(i);
	EXPECT_EQ(frame_in(4), 0);
	EXPECT_EQ(pv_batch_error_count(), before + 1);
	error = pv_batch_error(0);
	EXPECT(error != NULL);
	if (error) {
		EXPECT_EQ(error->note.op, PV_OP_set_pte);
		EXPECT(error->error < 0);
		/* The retry had the same result. */
		EXPECT_EQ(error->again, error->error);
		EXPECT(error->note.caller >= (unsigned long)test_batch_refused &&
		       error->note.caller < (unsigned long)test_batch_refused + 4096);
	}
	/* The same for a single update outside a batch. */
	pv_set_pte(&ptes[20], pv_make_pte(pa(table) | FLAGS_RO | PV_PTE_RW));
	EXPECT_EQ(pv_batch_error_count(), before + 2);
	EXPECT_EQ(pv_batch_lost_count(), lost + 2);
	EXPECT_EQ(frame_in(20), 0);
	pv_release_pte(table);
	teardown();
}

static u32 fake_calls;

/* Acts as a hypervisor that does not know the request. */
static int unknown_error(const struct pv_batch_req *req, u32 count, u32 *done)
{
	(void)req;
	fake_calls++;
	*done = 0;
	return count == 3 ? -9999 : 0;
}

TEST(batch_unknown_error)
{
	pv_batch_submit_t real = pv_batch_submit;
	u32 before = pv_batch_error_count();
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	vm_ro_after_init_writable(true);
	pv_batch_submit = unknown_error;
	fake_calls = 0;
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_update(PV_OP_set_pmd, 0x1111, 1, 2);
	pv_batch_update(PV_OP_set_pte, 0x2222, 3, 4);
	pv_batch_update(PV_OP_set_pte, 0x3333, 5, 6);
	pv_batch_end(PV_BATCH_MMU);
	pv_batch_submit = real;
	vm_ro_after_init_writable(false);
	pv_restore_fl(flags);
	/* All entries, the retry of the first, the rest. */
	EXPECT_EQ(fake_calls, 3);
	EXPECT_EQ(pv_batch_error_count(), before + 1);
	EXPECT_EQ(pv_batch_error(0)->again, 0);
	EXPECT_EQ(pv_batch_error(0)->error, (u64)(s64)-9999);
	EXPECT_EQ(pv_batch_error(0)->note.op, PV_OP_set_pmd);
	EXPECT_EQ(pv_batch_error(0)->note.caller, 0x1111);
}
