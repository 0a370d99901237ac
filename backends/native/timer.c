// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The CPU's one-shot timer, which is the local APIC's.  Its counter has 32 bits, and its
 * rate is measured.  If an interrupt comes before the deadline, by the clock of
 * deadlines, it only arms the timer again.
 */
#include "internal.h"

#define APIC_LVT_TIMER		0x320
#define APIC_TIMER_INITIAL	0x380
#define APIC_TIMER_CURRENT	0x390
#define APIC_TIMER_DIVIDE	0x3e0
#define DIVIDE_BY_1		0xb
#define LVT_MASKED		0x10000

#define RUN_NS		1000000
#define RUNS		8
/* A run is good enough if the error of its length is at most one part in this many. */
#define GOOD		256
#define LOWEST_KHZ	1000
#define HIGHEST_KHZ	20000000

PV_PERCPU_DEFINE(u64, pvnative_deadline);

/* Timer counts per nanosecond, times 2^32. */
static u64 scale;
/* Longest time that the counter can hold. */
static u64 longest_ns;

struct run {
	u32 counts;
	u64 shortest;
	u64 longest;
};

/* Measures between two readings of the counter, each between two readings of the clock. */
static bool one_run(struct run *run)
{
	u64 before, begin, end, after;
	u32 first, last;

	pvnative_apic_write(APIC_LVT_TIMER, LVT_MASKED | PV_VECTOR_TIMER);
	pvnative_apic_write(APIC_TIMER_INITIAL, ~0U);
	before = pv_clock_read();
	first = pvnative_apic_read(APIC_TIMER_CURRENT);
	begin = pv_clock_read();
	do {
		end = pv_clock_read();
	} while (end - begin < RUN_NS);
	last = pvnative_apic_read(APIC_TIMER_CURRENT);
	after = pv_clock_read();
	pvnative_apic_write(APIC_TIMER_INITIAL, 0);
	pvnative_apic_write(APIC_LVT_TIMER, PV_VECTOR_TIMER);
	*run = (struct run){ first - last, end - begin, after - before };
	return last && last < first;
}

void pvnative_timer_cpu_setup(void)
{
	pvnative_apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	pvnative_apic_write(APIC_LVT_TIMER, PV_VECTOR_TIMER);
}

void pvnative_timer_setup(void)
{
	struct run run, best = { 0 };
	u64 khz;
	u32 i;

	for (i = 0; i < RUNS; i++) {
		if (!one_run(&run))
			continue;
		if (!best.counts || run.longest - run.shortest < best.longest - best.shortest)
			best = run;
		if (best.longest - best.shortest <= best.shortest / GOOD)
			break;
	}
	if (!best.counts)
		pv_port_panic("pvops: native: the APIC timer does not count");
	khz = best.counts * 1000000ULL / best.longest;
	if (khz < LOWEST_KHZ || khz > HIGHEST_KHZ)
		pv_port_log("pvops: native: APIC timer: %llu kHz is implausible: the timer or the clock is wrong",
			    (unsigned long long)khz);
	/* The fastest possible rate: then a count is rather too large than too small. */
	scale = ((best.counts + 1ULL) << 32) / best.shortest;
	longest_ns = ((~0U - 2ULL) << 32) / scale;
}

static void arm(u64 deadline)
{
	u64 now = pv_clock_read(), count;

	if (deadline <= now)
		count = 1;
	else if (deadline - now >= longest_ns)
		count = ~0U;
	else
		count = (u64)((unsigned __int128)(deadline - now) * scale >> 32) + 2;
	pvnative_apic_write(APIC_TIMER_INITIAL, (u32)count);
}

void pvnative_fn_set_timer(u64 deadline)
{
	*PV_PERCPU_PTR(pvnative_deadline) = deadline;
	if (deadline == ~0ULL)
		pvnative_apic_write(APIC_TIMER_INITIAL, 0);
	else
		arm(deadline);
}

bool pvnative_timer_early(void)
{
	u64 deadline = *PV_PERCPU_PTR(pvnative_deadline);

	if (!deadline || pv_clock_read() >= deadline)
		return false;
	/* By the op, because the timer need not be native's. */
	if (deadline != ~0ULL)
		pv_set_timer(deadline);
	return true;
}
