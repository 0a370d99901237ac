// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Contract tests of table "time". */
#include "../guest.h"

#define MS		1000000ULL
#define SECOND		(1000 * MS)

/* Sleeps, so that the wait executes few instructions where these are the time. */
static void nap_until(u64 deadline)
{
	while (pv_clock_read() < deadline) {
		pv_irq_disable();
		pv_set_timer(deadline);
		pv_safe_halt();
	}
}

/* --- another clock --- */

/* ACPI's PM timer: at least 24 bits, at this port on QEMU's machines. */
#define PM_TIMER	0x608
#define PM_HZ		3579545ULL
#define PM_MASK		0xffffffU
#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define NOTHING		0xff

/* A reading of another clock, between two readings of the tested clock. */
struct reading {
	u32 val;
	u64 before;
	u64 after;
};

static inline u32 inl(u16 port)
{
	u32 val;

	asm volatile("inl %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static inline u8 cmos(u8 index)
{
	u8 val;

	asm volatile("outb %0, %1" : : "a" (index), "Nd" ((u16)CMOS_INDEX));
	asm volatile("inb %1, %0" : "=a" (val) : "Nd" ((u16)CMOS_DATA));
	return val;
}

/* Takes the best of many readings, because a host may stop the CPU for a while. */
static struct reading read_pm(void)
{
	struct reading best = { 0, 0, ~0ULL };
	u32 i;

	for (i = 0; i < 50; i++) {
		struct reading now;

		now.before = pv_clock_read();
		now.val = inl(PM_TIMER) & PM_MASK;
		now.after = pv_clock_read();
		if (now.after - now.before < best.after - best.before)
			best = now;
	}
	return best;
}

static u32 second(void)
{
	u8 val = cmos(0);

	return cmos(0x0b) & 4 ? val : (val >> 4) * 10U + (val & 15);
}

/* Waits for the next change of the seconds after @last. */
static struct reading read_second(u32 last)
{
	struct reading now = { 0, pv_clock_read(), 0 };
	u32 i;

	for (i = 0; i < 100000; i++) {
		now.val = second();
		now.after = pv_clock_read();
		if (now.val != last)
			break;
		now.before = now.after;
		nap_until(now.after + MS);
	}
	return now;
}

/* Checks that the clock and another one agree, to one part in @part. */
static void compare(u64 ns, const struct reading *first, const struct reading *last, u32 part)
{
	u64 shortest = last->before - first->after, longest = last->after - first->before;

	EXPECT(shortest - shortest / part <= ns);
	EXPECT(longest + longest / part >= ns);
	if (shortest - shortest / part > ns || longest + longest / part < ns)
		print("# clock_read: %lu to %lu us, another clock: %lu us\n",
		      (unsigned long)shortest / 1000, (unsigned long)longest / 1000,
		      (unsigned long)ns / 1000);
}

static bool compare_pm(void)
{
	u32 probe = inl(PM_TIMER), i;
	struct reading first, last;

	/* There is no PM timer, or it does not count. */
	for (i = 0; i < 1000 && inl(PM_TIMER) == probe; i++)
		;
	if (i == 1000 || probe == ~0U)
		return false;
	first = read_pm();
	nap_until(first.after + 50 * MS);
	last = read_pm();
	compare(((last.val - first.val) & PM_MASK) * SECOND / PM_HZ, &first, &last, 200);
	return true;
}

static bool compare_cmos(void)
{
	struct reading first, last;

	/* Register D has only one bit that can be 1. */
	if (cmos(0x0d) == NOTHING)
		return false;
	first = read_second(second());
	last = read_second(first.val);
	/* Without a better clock, this one also calibrated the TSC, less exactly. */
	compare((last.val + 60 - first.val) % 60 * SECOND, &first, &last, 40);
	return true;
}

TEST(clock_read)
{
	u64 last = pv_clock_read(), tsc = pv_rdtsc(), now, start = last;
	u32 i;

	for (i = 0; i < 1000; i++) {
		now = pv_clock_read();
		EXPECT(now >= last);
		last = now;
	}
	EXPECT(last > start);
	EXPECT(pv_rdtsc() > tsc);
	/* The clock starts at boot, which is not long ago. */
	EXPECT(start < 600 * SECOND);
	if (!compare_pm() && !compare_cmos())
		test_skip("no other clock here to compare it with");
}

TEST(wall_clock)
{
	u64 wall = pv_wall_clock();

	/* 2020-01-01 .. 2100-01-01 */
	EXPECT(wall > 1577836800ULL * 1000000000);
	EXPECT(wall < 4102444800ULL * 1000000000);
	EXPECT(pv_wall_clock() >= wall);
}

static bool fires_by(u64 before, u64 end)
{
	while (trap_count[PV_VECTOR_TIMER] == before && pv_clock_read() < end)
		asm volatile("pause");
	return trap_count[PV_VECTOR_TIMER] != before;
}

/*
 * Arms for @first and then @second after *@now.  A host may stop the CPU in between, and
 * then @first fires rightly: again, until both calls are made before it is due.
 */
static u64 arm_twice(u64 first, u64 second, u64 *now)
{
	u64 before;

	do {
		pv_set_timer(~0ULL);
		before = trap_count[PV_VECTOR_TIMER];
		*now = pv_clock_read();
		pv_set_timer(*now + first);
		pv_set_timer(second == ~0ULL ? second : *now + second);
	} while (pv_clock_read() >= *now + first);
	return before;
}

TEST(set_timer)
{
	const u64 ms = MS;
	u64 before, now;

	pv_set_timer(~0ULL);
	before = trap_count[PV_VECTOR_TIMER];
	now = pv_clock_read();
	pv_set_timer(now + 2 * ms);
	EXPECT(fires_by(before, now + 200 * ms));
	EXPECT(pv_clock_read() >= now + 2 * ms);
	/* It fires only once. */
	EXPECT(!fires_by(before + 1, pv_clock_read() + 5 * ms));

	/* A deadline in the past fires at once. */
	before = trap_count[PV_VECTOR_TIMER];
	pv_set_timer(pv_clock_read() - ms);
	EXPECT(fires_by(before, pv_clock_read() + 200 * ms));

	/* A disarmed timer never fires. */
	before = arm_twice(3 * ms, ~0ULL, &now);
	EXPECT(!fires_by(before, pv_clock_read() + 8 * ms));

	/* The later of two calls counts. */
	before = arm_twice(2 * ms, 10 * ms, &now);
	EXPECT(fires_by(before, now + 200 * ms));
	EXPECT(pv_clock_read() >= now + 10 * ms);
}

/*
 * Deadlines beyond the range of a 32-bit counter (4.3 s at 1 GHz), up to the largest
 * one, never fire too early.
 */
TEST(timer_far)
{
	static const u64 beyond[] = { ~0ULL - 1, ~0ULL >> 1, 1ULL << 62, 1ULL << 50 };
	u64 deadline, before;
	u32 i;

	for (i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		before = trap_count[PV_VECTOR_TIMER];
		pv_set_timer(beyond[i]);
		EXPECT(!fires_by(before, pv_clock_read() + 3 * MS));
	}
	before = trap_count[PV_VECTOR_TIMER];
	deadline = pv_clock_read() + 7 * SECOND;
	pv_set_timer(deadline);
	for (;;) {
		pv_irq_disable();
		if (trap_count[PV_VECTOR_TIMER] != before)
			break;
		pv_safe_halt();
	}
	pv_irq_enable();
	EXPECT(pv_clock_read() >= deadline);
	/* A busy host may make it late. */
	EXPECT(pv_clock_read() < deadline + 5 * SECOND);
	EXPECT_EQ(trap_count[PV_VECTOR_TIMER], before + 1);
}

TEST(stolen_time)
{
	u64 first = pv_stolen_time(pv_port_this_cpu()), second;

	EXPECT(first <= pv_clock_read());
	second = pv_stolen_time(pv_port_this_cpu());
	EXPECT(second >= first);
}
