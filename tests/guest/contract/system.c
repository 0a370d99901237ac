// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The ops together: processes, faults, patching as a whole, counters. */
#include "../guest.h"

#define VA	0x40000000UL

TEST(processes)
{
	struct proc *a = proc_start(USER_EXIT_CODE, 11), *b = proc_start(USER_EXIT_CODE, 22);

	EXPECT_EQ(proc_wait(b), 22);
	EXPECT_EQ(proc_wait(a), 11);
}

TEST(syscalls)
{
	EXPECT_EQ(proc_wait(proc_start(USER_SYSCALLS, 100)), 0);
}

TEST(memory)
{
	u32 before, after;

	pv_table_cache(0);
	before = pages_free();
	EXPECT_EQ(proc_wait(proc_start(USER_MEMORY, 0)), 0);
	pv_table_cache(0);
	after = pages_free();
	EXPECT_EQ(after, before);
	pv_table_cache(64);
}

TEST(fork)
{
	u32 before;

	pv_table_cache(0);
	before = pages_free();
	EXPECT_EQ(proc_wait(proc_start(USER_FORK, 0)), 0);
	EXPECT_EQ(proc_wait(proc_start(USER_FORK_MANY, 5)), 0);
	pv_table_cache(0);
	EXPECT_EQ(pages_free(), before);
	pv_table_cache(64);
}

TEST(user_faults)
{
	EXPECT_EQ(proc_wait(proc_start(USER_FAULT, 0x10000000)), -VECTOR_PF);
	/* The kernel's half, and read-only text. */
	EXPECT_EQ(proc_wait(proc_start(USER_FAULT, (unsigned long)&boot_info)), -VECTOR_PF);
	EXPECT_EQ(proc_wait(proc_start(USER_FAULT, USER_TEXT)), -VECTOR_PF);
	EXPECT_EQ(proc_wait(proc_start(USER_PRIVILEGED, 0)), -VECTOR_GP);
}

/* On a busy machine a turn can be over before its timer has had the CPU. */
TEST(preemption)
{
	u64 ticks = trap_count[PV_VECTOR_TIMER], switches = context_switches;
	u32 round;

	for (round = 0; round < 50 && trap_count[PV_VECTOR_TIMER] - ticks < 4; round++) {
		struct proc *a = proc_start(USER_SPIN, 10), *b = proc_start(USER_SPIN, 10);

		EXPECT_EQ(proc_wait(a), 0);
		EXPECT_EQ(proc_wait(b), 0);
	}
	EXPECT(trap_count[PV_VECTOR_TIMER] - ticks >= 4);
	EXPECT(context_switches - switches >= 4);
}

/* Every register that a trap must not touch. */
TEST(register_state)
{
	u64 in[13], out[13], *from = in, *to = out;
	u32 i;

	for (i = 0; i < 13; i++)
		in[i] = 0x1010101010101010ULL * i + 0xf;
	trap_hook = NULL;
	/* A timer interrupt and a page fault with a fix-up occur on the way. */
	pv_set_timer(pv_clock_read() + 20000);
	asm volatile("push %%rbp\n\t"
		     "push %[out]\n\t"
		     "mov 0(%[in]), %%rax\n\tmov 8(%[in]), %%rbx\n\tmov 16(%[in]), %%rcx\n\t"
		     "mov 24(%[in]), %%rdx\n\tmov 32(%[in]), %%rdi\n\tmov 40(%[in]), %%rbp\n\t"
		     "mov 48(%[in]), %%r8\n\tmov 56(%[in]), %%r9\n\tmov 64(%[in]), %%r10\n\t"
		     "mov 72(%[in]), %%r11\n\tmov 80(%[in]), %%r12\n\tmov 88(%[in]), %%r13\n\t"
		     "mov 96(%[in]), %%r14\n\t"
		     "mov $100000, %%r15d\n"
		     "1: dec %%r15\n\tjnz 1b\n"
		     "2: mov 0x123, %%r15\n"
		     "3: pop %%rsi\n\t"
		     "mov %%rax, 0(%%rsi)\n\tmov %%rbx, 8(%%rsi)\n\tmov %%rcx, 16(%%rsi)\n\t"
		     "mov %%rdx, 24(%%rsi)\n\tmov %%rdi, 32(%%rsi)\n\tmov %%rbp, 40(%%rsi)\n\t"
		     "mov %%r8, 48(%%rsi)\n\tmov %%r9, 56(%%rsi)\n\tmov %%r10, 64(%%rsi)\n\t"
		     "mov %%r11, 72(%%rsi)\n\tmov %%r12, 80(%%rsi)\n\tmov %%r13, 88(%%rsi)\n\t"
		     "mov %%r14, 96(%%rsi)\n\t"
		     "pop %%rbp\n\t"
		     PV_EXTABLE(2b, 3b)
		     : [in] "+S" (from), [out] "+D" (to)
		     : : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		       "r15", "memory", "cc");
	for (i = 0; i < 13; i++)
		EXPECT_EQ(out[i], in[i]);
}

static u64 text_sum(void)
{
	const struct pv_site_set *set = pv_kernel_sites();
	const u64 *word = (const u64 *)set->text_start;
	u64 sum = 0;

	for (; word < (const u64 *)set->text_end; word++)
		sum = (sum << 7 | sum >> 57) ^ *word;
	return sum;
}

static u64 sums[3];

/* The last CPU has looked for a hold, and has not masked interrupts yet. */
static volatile bool late;

static void wait_for_call(void)
{
	u64 calls = trap_count[PV_VECTOR_IPI];

	if (pv_port_this_cpu() != cpu_last())
		return;
	late = true;
	while (trap_count[PV_VECTOR_IPI] == calls)
		asm volatile("pause");
	cpu_before_mask = NULL;
}

static int count_hold(void *arg)
{
	(*(u32 *)arg)++;
	return 0;
}

/* A CPU that takes the call of a hold just before it halts is held, too. */
TEST(hold_cpus)
{
	u32 held = 0;

	if (cpus_online < 2) {
		test_skip("needs a second CPU");
		return;
	}
	late = false;
	cpu_before_mask = wait_for_call;
	cpu_wake(cpu_last());
	while (!late)
		asm volatile("pause");
	EXPECT_EQ(pv_port_hold_cpus(count_hold, &held), 0);
	EXPECT_EQ(held, 1);
}

static int there_and_back(void *arg)
{
	int failed;

	(void)arg;
	sums[0] = text_sum();
	failed = pv_repatch(true);
	sums[1] = text_sum();
	failed += pv_repatch(false);
	sums[2] = text_sum();
	return failed;
}

TEST(repatch)
{
	struct pv_site_report report;
	u32 nr, serialised = text_serialisations;

	EXPECT_EQ(pv_port_hold_cpus(there_and_back, NULL), 0);
	EXPECT(sums[1] != sums[0]);
	EXPECT_EQ(sums[2], sums[0]);
	/* One serialisation per pass. */
	EXPECT_EQ(text_serialisations - serialised, 2);
	for (nr = 0; pv_site_inspect(pv_kernel_sites(), nr, &report); nr++) {
		EXPECT_EQ(report.error, PV_SITE_OK);
		EXPECT(report.form != PV_FORM_INDIRECT);
	}
	EXPECT_EQ(nr, pv_kernel_sites()->stats.total);
	EXPECT_EQ(proc_wait(proc_start(USER_FORK, 0)), 0);
}

TEST(patch_pass)
{
	const struct pv_stats *stats = &pv_kernel_sites()->stats;

	EXPECT_EQ(stats->form[PV_FORM_INDIRECT], 0);
	EXPECT_EQ(stats->failed, 0);
	EXPECT(stats->total > 100);
	EXPECT_EQ((unsigned long)(pv_kernel_sites()->end - pv_kernel_sites()->start),
		  stats->total);
}

/* Counts the hypercalls of a change of 256 entries. */
TEST(counters)
{
	struct mm mm;
	u64 home = pv_read_cr3(), before, calls;

	if (!mm_create(&mm)) {
		test_error("no memory for an address space");
		return;
	}
	EXPECT(mm_map(&mm, VA, 256, true));
	pv_write_cr3(pv_pfn_nr(mm.root) << PV_PAGE_SHIFT);
	before = hypercalls();
	mm_protect(&mm, VA, 256, false);
	calls = hypercalls() - before;
	pv_write_cr3(home);
	if (pv_impl_is_native(PV_OP_set_pte))
		/* At most the flush makes hypercalls. */
		EXPECT(calls <= (pv_impl_is_native(PV_OP_flush_tlb_multi) ? 0ULL : 1) +
				(pv_impl_is_native(PV_OP_flush_tlb_user) ? 0 : 1));
	else if (batches())
		EXPECT(calls >= 1 && calls <= 3);
	else
		EXPECT(calls >= 256);
	mm_destroy(&mm);
}
