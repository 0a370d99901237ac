/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "time": clocks and the per-CPU timer. */

/**
 * clock_read - monotonic nanoseconds
 * Native: TSC, scaled by a frequency from pv_port_tsc_khz(), the hypervisor or CPUID,
 *	or measured against a clock of the machine (PIT, HPET, CMOS).
 * Context: any, incl. NMI.  Starts near 0 at boot, never goes backwards on
 *	one CPU.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(time, clock_read, CALL6, C, u64, 0, (), clock_read)

/**
 * wall_clock - nanoseconds since 1970-01-01 00:00 UTC
 * Native: the CMOS clock (1 s resolution).
 * Context: process context, slow.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(time, wall_clock, CALL6, C, u64, 0, (), wall_clock)

/**
 * set_timer - arm this CPU's one-shot timer
 * Native: local APIC timer, armed several times for a deadline beyond its 32 bits.
 *	Delivers PV_VECTOR_TIMER through upcall() when clock_read() >= @deadline, never
 *	before.  A deadline in the past fires at once; ~0 disarms.  A new deadline
 *	replaces the old one.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(time, set_timer, CALL6, C, void, 1, (u64, deadline), set_timer)

/**
 * stolen_time - nanoseconds this CPU was ready but not running
 * Native: 0.
 * Context: any; @cpu any CPU that has started.  Never decreases.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(time, stolen_time, CALL6, C, u64, 1, (u32, cpu), stolen_time)
