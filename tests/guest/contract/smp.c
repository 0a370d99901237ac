// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Contract tests of tables "smp" and "lock". */
#include "../guest.h"

#define TEST_IPI	(PV_VECTOR_IPI + 1)
#define MS		1000000ULL

/* Long enough for a machine that is busy with other things. */
static bool wait_for(volatile u64 *count, u64 want)
{
	u64 end = pv_clock_read() + 5000 * MS;

	while (*count != want && pv_clock_read() < end)
		asm volatile("pause");
	return *count == want;
}

static void wait_ms(u64 ms)
{
	u64 end = pv_clock_read() + ms * MS;

	while (pv_clock_read() < end)
		asm volatile("pause");
}

static void note_cpu(void *arg)
{
	*(volatile u64 *)arg = pv_port_this_cpu() + 100;
}

static u64 who_answers(u32 cpu)
{
	struct pv_cpumask mask = cpu_mask(cpu);
	volatile u64 seen = 0;

	pv_port_call_cpus(&mask, note_cpu, (void *)&seen);
	return seen;
}

#define CR4_LA57	(1ULL << 12)
#define CR4_PCIDE	(1ULL << 17)
#define CR4_CET		(1ULL << 23)

static volatile u64 cr4_seen;

/* The start of a CPU that only shows the state that it has got. */
static void show_cr4(u64 arg)
{
	u64 cr4;

	(void)arg;
	asm volatile("mov %%cr4, %0" : "=r" (cr4));
	cr4_seen = cr4;
	for (;;)
		asm volatile("cli; hlt");
}

static void check_cr4(u32 cpu, u64 bit, u64 cr3)
{
	struct pv_cpu_state state;

	cpu_make_state(cpu, &state);
	state.rip = (unsigned long)show_cr4;
	state.cr4 |= bit;
	if (cr3)
		state.cr3 = cr3;
	cr4_seen = 0;
	EXPECT_EQ(pv_start_cpu(cpu, &state), 0);
	EXPECT(wait_for(&cr4_seen, state.cr4));
	print("# start_cpu: CR4 bit 0x%lx\n", (unsigned long)bit);
}

/*
 * What a CPU can only be given in its turn, as far as this one offers it: 5 levels of
 * tables before paging, PCIDE in long mode, CET behind WP.
 */
static void check_order(u32 cpu)
{
	struct pv_cpuid one = { .eax = 1 }, seven = { .eax = 7 }, zero = { .eax = 0 };
	pv_pfn_t root5;

	pv_cpuid(&zero);
	pv_cpuid(&one);
	if (one.ecx & 1U << 17)
		check_cr4(cpu, CR4_PCIDE, 0);
	if (zero.eax < 7)
		return;
	pv_cpuid(&seven);
	if (seven.ecx & 1U << 7 || seven.edx & 1U << 20)
		check_cr4(cpu, CR4_CET, 0);
	if (!(seven.ecx & 1U << 16))
		return;
	root5 = page_alloc();
	((u64 *)pv_port_pfn_to_virt(root5))[PV_TABLE_ENTRIES - 1] =
		pv_pfn_nr(pv_port_kernel_root()) << PV_PAGE_SHIFT | PV_PTE_PRESENT | PV_PTE_RW;
	check_cr4(cpu, CR4_LA57, pv_pfn_nr(root5) << PV_PAGE_SHIFT);
	/* The next state takes the CPU off it. */
	check_cr4(cpu, 0, 0);
	page_put(root5);
}

TEST(start_cpu)
{
	struct pv_cpu_state state;
	u32 cpu = cpu_last();

	/* Impossible states are refused for every CPU. */
	cpu_make_state(PV_MAX_CPUS - 1, &state);
	state.cr0 &= ~0x80000000ULL;
	EXPECT(pv_start_cpu(PV_MAX_CPUS - 1, &state) < 0);
	if (!cpu) {
		test_skip("needs a second CPU for the rest");
		return;
	}
	EXPECT_EQ(who_answers(cpu), cpu + 100);
	/* Stopped, and started again. */
	cpu_stop(cpu);
	EXPECT(!cpu_is_online(cpu));
	cpu_make_state(cpu, &state);
	state.cr4 &= ~0x20ULL;
	EXPECT_EQ(pv_start_cpu(cpu, &state), (u64)-22);
	if (pv_impl_is_native(PV_OP_start_cpu))
		check_order(cpu);
	cpu_make_state(cpu, &state);
	EXPECT_EQ(cpu_start(cpu, &state), 0);
	EXPECT(cpu_is_online(cpu));
	EXPECT_EQ(who_answers(cpu), cpu + 100);
}

/* An APIC id that no CPU has. */
static u32 free_id(void)
{
	u32 id = 0xfe, cpu;

	for (cpu = 0; cpu < boot_info.cpu_count; cpu++)
		if (boot_info.apic_id[cpu] == id) {
			id--;
			cpu = ~0U;
		}
	return id;
}

TEST(cpu_missing)
{
	struct pv_cpu_state state;
	u32 online = cpus_online, count, apic_id;
	int error;

	/* CPUs beyond the limit of the kernel, and beyond those of the machine. */
	cpu_make_state(PV_MAX_CPUS - 1, &state);
	EXPECT_EQ(pv_start_cpu(PV_MAX_CPUS + 3, &state), (u64)-ENOENT);
	EXPECT_EQ(pv_start_cpu(PV_MAX_CPUS - 1, &state), (u64)-ENOENT);
	/* One that the kernel believes in and that never answers. */
	count = boot_info.cpu_count;
	apic_id = boot_info.apic_id[PV_MAX_CPUS - 1];
	boot_info.apic_id[PV_MAX_CPUS - 1] = free_id();
	boot_info.cpu_count = PV_MAX_CPUS;
	error = pv_start_cpu(PV_MAX_CPUS - 1, &state);
	EXPECT(error == -ETIMEDOUT || error == -ENOENT);
	boot_info.cpu_count = count;
	boot_info.apic_id[PV_MAX_CPUS - 1] = apic_id;
	EXPECT_EQ(cpus_online, online);
}

static volatile u64 received;
static volatile u64 received_by[PV_MAX_CPUS];

static void count_ipi(u32 vector)
{
	if (vector != TEST_IPI)
		return;
	received_by[pv_port_this_cpu()]++;
	__atomic_add_fetch(&received, 1, __ATOMIC_SEQ_CST);
}

static void ipis_begin(void)
{
	received = 0;
	memset((void *)received_by, 0, sizeof(received_by));
	interrupt_hook = count_ipi;
}

/* Exactly one for each CPU of a set, and none for others, now or later. */
static void ipis_are(const struct pv_cpumask *mask, u64 count)
{
	u32 cpu;

	EXPECT(wait_for(&received, count));
	wait_ms(2);
	EXPECT_EQ(received, count);
	for (cpu = 0; cpu < PV_MAX_CPUS; cpu++)
		EXPECT_EQ(received_by[cpu], mask->word[cpu / 64] >> cpu % 64 & 1);
	interrupt_hook = NULL;
}

/* To each CPU by itself; and to one that there is not, which is no way to reach all. */
TEST(send_ipi)
{
	const struct pv_cpumask none = { { 0 } };
	struct pv_cpumask all = none;
	u32 cpu;

	ipis_begin();
	for (cpu = 0; cpu < cpus_online; cpu++) {
		all.word[cpu / 64] |= 1ULL << cpu % 64;
		pv_send_ipi(cpu, TEST_IPI);
	}
	ipis_are(&all, cpus_online);
	ipis_begin();
	pv_send_ipi(PV_MAX_CPUS - 1, TEST_IPI);
	ipis_are(&none, 0);
}

TEST(send_ipi_mask)
{
	struct pv_cpumask mask = { { 0 } };
	u32 cpu;

	/* None; the last; all. */
	ipis_begin();
	pv_send_ipi_mask(&mask, TEST_IPI);
	ipis_are(&mask, 0);
	mask = cpu_mask(cpu_last());
	ipis_begin();
	pv_send_ipi_mask(&mask, TEST_IPI);
	ipis_are(&mask, 1);
	for (cpu = 0; cpu < cpus_online; cpu++)
		mask.word[cpu / 64] |= 1ULL << cpu % 64;
	ipis_begin();
	pv_send_ipi_mask(&mask, TEST_IPI);
	ipis_are(&mask, cpus_online);
}

TEST(stop_cpu)
{
	struct pv_cpu_state state;
	u32 cpu = cpu_last();

	if (!cpu) {
		test_skip("needs a second CPU");
		return;
	}
	cpu_stop(cpu);
	EXPECT(!cpu_is_online(cpu));
	/* It does nothing now: calls pass it by. */
	EXPECT_EQ(who_answers(cpu), 0);
	wait_ms(5);
	EXPECT(!cpu_is_online(cpu));
	cpu_make_state(cpu, &state);
	EXPECT_EQ(cpu_start(cpu, &state), 0);
	EXPECT_EQ(who_answers(cpu), cpu + 100);
}

/* As many as the environment was given (cpus=N), and each of them answers. */
TEST(every_cpu)
{
	size_t len;
	const char *wanted = cmdline_value("cpus=", &len);
	u32 cpu, count = 0;

	if (wanted) {
		while (len--)
			count = count * 10 + (u32)(*wanted++ - '0');
		EXPECT_EQ(cpus_online, count);
	}
	for (cpu = 1; cpu < cpus_online; cpu++)
		EXPECT_EQ(who_answers(cpu), cpu + 100);
}

TEST(console_write)
{
	static const char line[] = "# console_write wrote this line\n";

	pv_console_write(line, 0);
	pv_console_write(line, 10);
	pv_console_write(line + 10, sizeof(line) - 11);
	test_outside();
}

TEST(shutdown)
{
	/* At the end of the suite: the machine goes off, and is not reset. */
	test_outside();
}

static u8 lock_word;
static volatile u64 waiter_done;

static void wait_on_word(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&lock_word, __ATOMIC_ACQUIRE) == 1)
		pv_lock_wait(&lock_word, 1);
	waiter_done = 1;
}

TEST(lock_wait_kick)
{
	u32 self = pv_port_this_cpu(), other = cpu_last();

	/* Not the value waited for: returns at once. */
	lock_word = 0;
	pv_lock_wait(&lock_word, 1);
	/* A kick before the wait is not lost. */
	lock_word = 1;
	pv_lock_kick(self);
	pv_lock_wait(&lock_word, 1);
	if (!other)
		return;
	waiter_done = 0;
	cpu_call_async(other, wait_on_word, NULL);
	wait_ms(5);
	EXPECT_EQ(waiter_done, 0);
	__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
	pv_lock_kick(other);
	EXPECT(wait_for(&waiter_done, 1));
}

TEST(vcpu_is_preempted)
{
	EXPECT_EQ(pv_vcpu_is_preempted(pv_port_this_cpu()), 0);
}
