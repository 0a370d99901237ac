// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Contract tests of tables "smp" and "lock". */
#include "../guest.h"

#define TEST_IPI	(PV_VECTOR_IPI + 1)
#define MS		1000000ULL

static const struct pv_cpumask second = { { 2 } };

static bool wait_for(volatile u64 *count, u64 want)
{
	u64 end = pv_clock_read() + 100 * MS;

	while (*count != want && pv_clock_read() < end)
		asm volatile("pause");
	return *count == want;
}

static void note_cpu(void *arg)
{
	*(volatile u64 *)arg = pv_port_this_cpu() + 100;
}

TEST(start_cpu)
{
	struct pv_cpu_state state;
	volatile u64 seen = 0;

	/* States that no CPU can start in are refused, whoever the CPU is. */
	cpu_make_state(PV_MAX_CPUS - 1, &state);
	state.cr0 &= ~0x80000000ULL;
	EXPECT(pv_start_cpu(PV_MAX_CPUS - 1, &state) < 0);
	if (cpus_online < 2) {
		test_skip("needs a second CPU for the rest");
		return;
	}
	pv_port_call_cpus(&second, note_cpu, (void *)&seen);
	EXPECT_EQ(seen, 101);
	/* Stopped, and started again. */
	cpu_stop(1);
	EXPECT(!cpu_is_online(1));
	cpu_make_state(1, &state);
	state.cr4 &= ~0x20ULL;
	EXPECT_EQ(pv_start_cpu(1, &state), (u64)-22);
	cpu_make_state(1, &state);
	EXPECT_EQ(cpu_start(1, &state), 0);
	EXPECT(cpu_is_online(1));
	seen = 0;
	pv_port_call_cpus(&second, note_cpu, (void *)&seen);
	EXPECT_EQ(seen, 101);
}

TEST(cpu_missing)
{
	struct pv_cpu_state state;
	u32 online = cpus_online, count, apic_id;
	int error;

	/* Beyond what the kernel was built for, and beyond what the machine has. */
	cpu_make_state(PV_MAX_CPUS - 1, &state);
	EXPECT_EQ(pv_start_cpu(PV_MAX_CPUS + 3, &state), (u64)-2);
	EXPECT_EQ(pv_start_cpu(PV_MAX_CPUS - 1, &state), (u64)-2);
	/* One that the kernel believes in and that never answers. */
	count = boot_info.cpu_count;
	apic_id = boot_info.apic_id[PV_MAX_CPUS - 1];
	boot_info.cpu_count = PV_MAX_CPUS;
	boot_info.apic_id[PV_MAX_CPUS - 1] = 0x77;
	error = pv_start_cpu(PV_MAX_CPUS - 1, &state);
	EXPECT(error == -110 || error == -2);
	boot_info.cpu_count = count;
	boot_info.apic_id[PV_MAX_CPUS - 1] = apic_id;
	EXPECT_EQ(cpus_online, online);
}

static volatile u64 received;

static void count_ipi(u32 vector)
{
	if (vector == TEST_IPI)
		__atomic_add_fetch(&received, 1ULL << 32 | 1U << pv_port_this_cpu() * 8,
				   __ATOMIC_SEQ_CST);
}

TEST(send_ipi)
{
	received = 0;
	interrupt_hook = count_ipi;
	pv_send_ipi(pv_port_this_cpu(), TEST_IPI);
	EXPECT(wait_for(&received, 1ULL << 32 | 1));
	if (cpus_online > 1) {
		pv_send_ipi(1, TEST_IPI);
		EXPECT(wait_for(&received, 2ULL << 32 | 0x101));
	}
	interrupt_hook = NULL;
}

TEST(send_ipi_mask)
{
	struct pv_cpumask all = { { 1 } }, none = { { 0 } };
	u64 want = 1ULL << 32 | 1;

	if (cpus_online > 1) {
		all.word[0] = 3;
		want = 2ULL << 32 | 0x101;
	}
	received = 0;
	interrupt_hook = count_ipi;
	pv_send_ipi_mask(&none, TEST_IPI);
	pv_send_ipi_mask(&all, TEST_IPI);
	EXPECT(wait_for(&received, want));
	EXPECT_EQ(received, want);
	interrupt_hook = NULL;
}

TEST(stop_cpu)
{
	struct pv_cpu_state state;
	volatile u64 seen = 0;
	u64 end;

	if (cpus_online < 2) {
		test_skip("needs a second CPU");
		return;
	}
	cpu_stop(1);
	EXPECT(!cpu_is_online(1));
	/* It does nothing now: calls pass it by, counters stand. */
	pv_port_call_cpus(&second, note_cpu, (void *)&seen);
	end = pv_clock_read() + 5 * MS;
	while (pv_clock_read() < end)
		asm volatile("pause");
	EXPECT_EQ(seen, 0);
	cpu_make_state(1, &state);
	EXPECT_EQ(cpu_start(1, &state), 0);
	pv_port_call_cpus(&second, note_cpu, (void *)&seen);
	EXPECT_EQ(seen, 101);
}

TEST(console_write)
{
	static const char line[] = "# console_write wrote this line\n";

	pv_console_write(line, 0);
	pv_console_write(line, 10);
	pv_console_write(line + 10, sizeof(line) - 11);
	EXPECT(pv_impl_of(PV_OP_console_write)->fn != NULL);
}

TEST(shutdown)
{
	/* What it does is seen by whoever runs the suite: the machine goes off. */
	EXPECT(pv_impl_of(PV_OP_shutdown)->fn != NULL);
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
	u32 self = pv_port_this_cpu();
	u64 settle;

	/* Not the value waited for: returns at once. */
	lock_word = 0;
	pv_lock_wait(&lock_word, 1);
	/* A kick before the wait is not lost. */
	lock_word = 1;
	pv_lock_kick(self);
	pv_lock_wait(&lock_word, 1);
	if (cpus_online < 2)
		return;
	waiter_done = 0;
	cpu_call_async(1, wait_on_word, NULL);
	settle = pv_clock_read() + 5 * MS;
	while (pv_clock_read() < settle)
		asm volatile("pause");
	EXPECT_EQ(waiter_done, 0);
	__atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
	pv_lock_kick(1);
	EXPECT(wait_for(&waiter_done, 1));
}

TEST(vcpu_is_preempted)
{
	EXPECT_EQ(pv_vcpu_is_preempted(pv_port_this_cpu()), 0);
}
