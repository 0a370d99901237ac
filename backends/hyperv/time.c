// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time.  TLFS, Timers: reference counter, reference TSC page, synthetic timers.
 * All of them count the partition's reference time, in units of 100 ns.
 */
#include <pvops/call.h>
#include <pvops/pvops.h>
#include "internal.h"

#define UNIT	100ULL
/* 146 years. */
#define LATEST	(1ULL << 62)

static union {
	struct hv_tsc_page page;
	u8 bytes[PV_PAGE_SIZE];
} tsc __attribute__((aligned(4096)));

/* Reference time when this backend's clock was 0. */
static u64 epoch;
/* Timer 0 of this CPU is set up. */
static PV_PERCPU_DEFINE(bool, timer_on);
/* Deadlines are in this clock's time; not so with "-clock_read", which leaves it to native. */
static bool own_clock;

#define barrier()	asm volatile("" : : : "memory")

/*
 * The hypervisor changes the sequence together with the rest.  Sequence 0 means that the
 * TSC cannot be used now; then the counter gives the same time at the cost of an exit.
 */
static u64 reference_time(void)
{
	const struct hv_tsc_page *page = &tsc.page;
	u64 result;
	u32 sequence;

	do {
		sequence = page->sequence;
		if (!sequence)
			return pv_native_read_msr(HV_MSR_REF_COUNTER);
		barrier();
		asm volatile("lfence" : : : "memory");
		result = (u64)((unsigned __int128)pv_native_rdtsc() * page->scale >> 64) +
			 page->offset;
		barrier();
	} while (page->sequence != sequence);
	return result;
}

u64 pvhyperv_clock_read(void)
{
	return (reference_time() - epoch) * UNIT;
}

/* Bits 11..1 of the register keep their values. */
static void set_page(u64 page)
{
	u64 found = pv_native_read_msr(HV_MSR_REF_TSC);

	pv_native_write_msr(HV_MSR_REF_TSC,
			    (found & (PV_PAGE_SIZE - 1) & ~HV_REF_TSC_ENABLE) | page);
}

void pvhyperv_time_start(void)
{
	set_page(pvhyperv_phys(&tsc) | HV_REF_TSC_ENABLE);
	if (!epoch)
		epoch = reference_time();
}

void pvhyperv_time_stop(void)
{
	set_page(0);
	/* CPUs that still read the clock use the counter. */
	tsc.page.sequence = 0;
}

void pvhyperv_time_late_init(void)
{
	own_clock = pv_impl_of(PV_OP_clock_read)->fn == (void (*)(void))pvhyperv_clock_read;
}

u32 pvhyperv_tsc_khz(void)
{
	if (!pvhyperv_uses(HV_USE_FREQUENCY))
		return 0;
	return (u32)(pv_native_read_msr(HV_MSR_TSC_FREQUENCY) / 1000);
}

/* Sets up timer 0: it interrupts by vector, and a write of its count arms it. */
void pvhyperv_timer_cpu_start(void)
{
	pv_native_write_msr(HV_MSR_STIMER0_COUNT, 0);
	pv_native_write_msr(HV_MSR_STIMER0_CONFIG, HV_STIMER_AUTO_ENABLE | HV_STIMER_DIRECT |
			    (u64)PV_VECTOR_TIMER << HV_STIMER_VECTOR);
	*PV_PERCPU_PTR(timer_on) = true;
}

void pvhyperv_timer_cpu_stop(void)
{
	*PV_PERCPU_PTR(timer_on) = false;
	pv_native_write_msr(HV_MSR_STIMER0_COUNT, 0);
	pv_native_write_msr(HV_MSR_STIMER0_CONFIG, 0);
}

/* Rounds up, so that the clock has reached the deadline when the timer fires. */
static u64 to_reference(u64 deadline)
{
	u64 now;

	if (own_clock)
		return epoch + deadline / UNIT + (deadline % UNIT != 0);
	now = pv_clock_read();
	return reference_time() + (deadline > now ? (deadline - now) / UNIT + 1 : 0);
}

/*
 * The count is an absolute time.  0 disarms the timer; a time in the past fires at once.
 * KVM also fires at once if the time overflows its signed nanoseconds, so LATEST limits
 * the deadline.
 */
void pvhyperv_set_timer(u64 deadline)
{
	u64 soonest = deadline < LATEST ? deadline : LATEST;

	if (!*PV_PERCPU_PTR(timer_on)) {
		pvnative_fn_set_timer(deadline);
		return;
	}
	pv_native_write_msr(HV_MSR_STIMER0_COUNT,
			    deadline == ~0ULL ? 0 : to_reference(soonest));
}
