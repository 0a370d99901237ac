// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Clocks and alarms: calls 66-70.  The ROM's cycles are any fixed rate. */
#include "internal.h"

#define NS	1000000000ULL
/* What the arithmetic below takes. */
#define HZ_LOWEST	1000000ULL
#define HZ_END		(1ULL << 36)
#define SELF	0xffffffffULL

static u64 hz;
static u64 base;
/* Is the clock of deadlines this one?  "-clock_read" leaves it to native. */
static bool own_clock;
/* ns = cycles * scale >> 32 */
static u64 scale;
/* cycles = ns * inverse >> 28, about */
static u64 inverse;
/* Deadlines from here on are beyond 2^62 cycles: they are this one. */
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

/* A deadline by the clock that was chosen, by this one: as much later, that one read first. */
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
 * ABI.md, 6.6: one that is far away may come early, as may one by another clock that runs a
 * little slower: whose upcall it is asks pvnative_timer_early().
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
			pv_port_log("pvops: vmi: time stays native: %llu Hz is no rate for cycles",
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
