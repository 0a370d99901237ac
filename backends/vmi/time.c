// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Clocks and alarms: calls 66-70.  The ROM's cycles have any fixed rate. */
#include "internal.h"

#define NS	1000000000ULL
/* Bounds of the rate that the arithmetic below can handle. */
#define HZ_LOWEST	1000000ULL
#define HZ_END		(1ULL << 36)
#define SELF	0xffffffffULL

static u64 hz;
static u64 base;
/* Deadlines are in this clock's time; not so with "-clock_read", which leaves it to native. */
static bool own_clock;
/* ns = cycles * scale >> 32 */
static u64 scale;
/* cycles = ns * inverse >> 28, about */
static u64 inverse;
/* The latest deadline: 2^62 cycles.  It replaces all later ones. */
static u64 latest;

static u64 cycles(u64 counter, u64 apic_id)
{
	return pvvmi_call2(VMI_GET_CYCLE_COUNTER, counter, apic_id);
}

static u64 to_ns(u64 count)
{
	return (u64)((unsigned __int128)count * scale >> 32);
}

static u64 pvvmi_clock_read(void)
{
	return to_ns(cycles(VMI_CYCLES_REAL, SELF) - base);
}

static u64 pvvmi_stolen_time(u32 cpu)
{
	return to_ns(cycles(VMI_CYCLES_STOLEN, pv_port_apic_id(cpu)));
}

static u64 pvvmi_wall_clock(void)
{
	return pvvmi_call0(VMI_GET_WALLCLOCK_TIME);
}

static u64 to_cycles(u64 ns)
{
	return (u64)((unsigned __int128)ns * inverse >> 28);
}

/*
 * Converts a deadline from the chosen clock to this one.  The chosen clock is read first,
 * so the result is late rather than early.
 */
static u64 by_own_clock(u64 deadline)
{
	u64 now, left;

	if (!own_clock) {
		now = pv_clock_read();
		left = deadline > now ? deadline - now : 0;
		now = pvvmi_clock_read();
		deadline = left < latest - now ? now + left : latest;
	}
	return deadline < latest ? deadline : latest;
}

static void arm(u64 deadline)
{
	u64 at, reached;

	deadline = by_own_clock(deadline);
	/* A count whose nanoseconds are the deadline or a little more. */
	at = to_cycles(deadline);
	reached = to_ns(at);
	if (reached < deadline)
		at += to_cycles(deadline - reached) + 2;
	pvvmi_check(VMI_SET_ALARM, pvvmi_call3(VMI_SET_ALARM, VMI_CYCLES_REAL | VMI_ALARM_LVTT,
					       base + at, 0), PV_OP_set_timer, VMI_CALLER(), deadline, 0);
}

/*
 * An alarm that is far away may come early (ABI.md, 6.6).  So may one for a deadline of
 * another clock, which runs a little slower.  The upcall calls pvnative_timer_early().
 */
static void pvvmi_set_timer(u64 deadline)
{
	*PV_PERCPU_PTR(pvnative_deadline) = deadline;
	if (deadline == ~0ULL)
		pvvmi_call1(VMI_CANCEL_ALARM, VMI_CYCLES_REAL | VMI_ALARM_LVTT);
	else
		arm(deadline);
}

void pvvmi_fill_time(void)
{
	if (pvvmi_has(VMI_GET_CYCLE_FREQUENCY)) {
		hz = pvvmi_call0(VMI_GET_CYCLE_FREQUENCY);
		if (hz >= HZ_LOWEST && hz < HZ_END) {
			VMI_USE(pvvmi_time_impls, clock_read, pvvmi_clock_read, 0);
			VMI_USE(pvvmi_time_impls, set_timer, pvvmi_set_timer, 0);
			VMI_USE(pvvmi_time_impls, stolen_time, pvvmi_stolen_time, 0);
		} else {
			pv_port_log("pvops: vmi: time stays native: a cycle rate of %llu Hz is implausible",
				    (unsigned long long)hz);
			hz = 0;
		}
	}
	if (pvvmi_has(VMI_GET_WALLCLOCK_TIME))
		VMI_USE(pvvmi_time_impls, wall_clock, pvvmi_wall_clock, 0);
}

void pvvmi_time_late_init(void)
{
	if (!hz)
		return;
	scale = (NS << 32) / hz;
	inverse = (hz << 28) / NS;
	base = cycles(VMI_CYCLES_REAL, SELF);
	own_clock = pv_impl_is_own(PV_OP_clock_read);
	latest = hz > NS ? to_ns(~0ULL >> 2) : ~0ULL >> 2;
}
