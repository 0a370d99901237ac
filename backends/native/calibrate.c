// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The TSC's frequency, if neither the kernel nor the chosen hypervisor knows it.
 * CPUID is read first; else the TSC is measured against a clock of the machine.
 *
 * A measurement lasts from one tick of that clock to another.  Each tick lies between
 * two readings of the TSC, so the error of the length is at most the sum of these two
 * gaps, even if a busy host stops the CPU in between.  The run with the smallest gaps
 * counts.
 */
#include <pvops/pvops.h>
#include "internal.h"

#define RUNS		8
#define EDGES		16
/* A run is good enough if its error is at most one part in this many. */
#define GOOD		500
/* If the error is larger than this, the next clock is tried. */
#define BAD		20

#define NS		1000000000ULL

/* Plausible frequencies of a TSC. */
#define LOWEST_KHZ	10000
#define HIGHEST_KHZ	20000000
/* Assumed without any clock: the fastest usual TSC, so that no delay is too short. */
#define ASSUMED_KHZ	4000000

/* --- asking --- */

static struct pv_cpuid leaf(u32 nr)
{
	struct pv_cpuid regs = { .eax = nr };

	pv_cpuid(&regs);
	return regs;
}

static bool plausible(u64 khz, const char *source)
{
	if (khz >= LOWEST_KHZ && khz <= HIGHEST_KHZ)
		return true;
	if (khz)
		pv_port_log("pvops: native: TSC: %llu kHz by %s is implausible, not used",
			    (unsigned long long)khz, source);
	return false;
}

/* Leaf 0x16 EAX, in MHz: the processor's nominal frequency. */
static u32 base_mhz(u32 last)
{
	return last >= 0x16 ? leaf(0x16).eax & 0xffff : 0;
}

/*
 * Leaf 0x15: TSC / crystal = EBX / EAX.  ECX is the crystal's frequency in Hz, or 0; then
 * the TSC runs at the base frequency of leaf 0x16 (SDM vol. 3B section 19.7.3).
 */
static u64 ask_processor(u32 last)
{
	struct pv_cpuid ratio;

	if (last < 0x15)
		return 0;
	ratio = leaf(0x15);
	if (!ratio.eax || !ratio.ebx)
		return 0;
	if (!ratio.ecx)
		return base_mhz(last) * 1000ULL;
	return (u64)ratio.ecx * ratio.ebx / ratio.eax / 1000;
}

/* --- clocks of the machine --- */

/* PIT (Intel 8254): input clock in Hz; channel 2 is gated by port 0x61. */
#define PIT_HZ		1193182
#define PIT_CH2		0x42
#define PIT_MODE	0x43
#define PIT_GATE	0x61
#define PIT_LATCH_CH2	0x80
#define PIT_CH2_MODE0	0xb0
#define GATE_ON		0x01
#define GATE_SPEAKER	0x02
#define GATE_OUT	0x20
#define NO_DEVICE	0xff

static u8 gate_found;

static u32 pit_count(void)
{
	u32 low;

	outb(PIT_MODE, PIT_LATCH_CH2);
	low = inb(PIT_CH2);
	return low | (u32)inb(PIT_CH2) << 8;
}

/* Mode 0: the counter goes down from 65535 once; then OUT becomes high. */
static bool pit_start(u64 *hz)
{
	u32 count, tries;

	gate_found = inb(PIT_GATE);
	if (gate_found == NO_DEVICE)
		return false;
	outb(PIT_GATE, (u8)((gate_found & ~GATE_SPEAKER) | GATE_ON));
	outb(PIT_MODE, PIT_CH2_MODE0);
	outb(PIT_CH2, 0xff);
	outb(PIT_CH2, 0xff);
	*hz = PIT_HZ;
	/* The PIT loads the count at its next tick. */
	count = pit_count();
	for (tries = 0; tries < 100000; tries++)
		if (pit_count() != count)
			return true;
	return false;
}

static bool pit_read(u32 *ticks)
{
	*ticks = 0xffff - pit_count();
	return !(inb(PIT_GATE) & GATE_OUT);
}

static void pit_stop(void)
{
	outb(PIT_GATE, gate_found);
}

/* HPET (IA-PC HPET 1.0a), at the address of chipsets, which firmware does not change. */
#define HPET_ADDRESS	0xfed00000
#define HPET_CAPS	0x00
#define HPET_PERIOD	0x04		/* femtoseconds */
#define HPET_CONFIG	0x10
#define HPET_COUNTER	0xf0
#define HPET_ON		1
#define HPET_LONGEST	100000000
#define FEMTO		1000000000000000ULL

static volatile u32 *hpet;
static u32 hpet_found, hpet_first;

static bool hpet_start(u64 *hz)
{
	u32 period;

	if (!hpet)
		hpet = pv_port_map_phys((__force pv_maddr_t)HPET_ADDRESS, PV_PAGE_SIZE,
					PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
	if (!hpet)
		return false;
	period = hpet[HPET_PERIOD / 4];
	/* Without a device, all bits read as 1, or all as 0. */
	if (!(hpet[HPET_CAPS / 4] & 0xff) || !period || period > HPET_LONGEST)
		return false;
	hpet_found = hpet[HPET_CONFIG / 4];
	hpet[HPET_CONFIG / 4] = hpet_found | HPET_ON;
	hpet_first = hpet[HPET_COUNTER / 4];
	*hz = FEMTO / period;
	return true;
}

static bool hpet_read(u32 *ticks)
{
	*ticks = hpet[HPET_COUNTER / 4] - hpet_first;
	return true;
}

static void hpet_stop(void)
{
	hpet[HPET_CONFIG / 4] = hpet_found;
}

/* CMOS clock: it counts seconds, so it is the last choice. */
static u32 cmos_last, cmos_ticks;

static bool cmos_start(u64 *hz)
{
	*hz = 1;
	cmos_ticks = 0;
	return pvnative_cmos_second(&cmos_last);
}

static bool cmos_read(u32 *ticks)
{
	u32 now;

	if (!pvnative_cmos_second(&now))
		return false;
	cmos_ticks += (now + 60 - cmos_last) % 60;
	cmos_last = now;
	*ticks = cmos_ticks;
	return true;
}

static void cmos_stop(void)
{
}

static const struct reference {
	const char *name;
	/* Returns false if there is no such clock. */
	bool (*start)(u64 *hz);
	/* Reads ticks since start(); returns false if start() was too long ago. */
	bool (*read)(u32 *ticks);
	void (*stop)(void);
	/* A run takes 1 / @per_second seconds, or a tick if that is longer. */
	u32 per_second;
	/* Number of ticks from which the best one is chosen. */
	u32 edges;
	u32 runs;
} references[] = {
	{ "PIT", pit_start, pit_read, pit_stop, 100, EDGES, RUNS },
	{ "HPET", hpet_start, hpet_read, hpet_stop, 100, EDGES, RUNS },
	{ "CMOS clock", cmos_start, cmos_read, cmos_stop, 1, 3, 3 },
};

/* --- measuring --- */

struct edge {
	u32 ticks;
	u64 before;
	u64 after;
};

/* Longest wait for a tick, in TSC counts: 4 ticks at the fastest TSC. */
static u64 patience(u64 hz)
{
	return HIGHEST_KHZ * 4000ULL / hz + 1000000;
}

/*
 * Finds a tick at or after number @from: of the next few, the one with the smallest gap.
 * The first may have a large gap, because the host stopped the CPU.
 */
static bool find_edge(const struct reference *ref, u64 hz, u32 from, struct edge *edge)
{
	u64 moved = pv_native_rdtsc(), before = moved, now, after, best = ~0ULL;
	u32 last, ticks, seen = 0;

	*edge = (struct edge){ 0 };
	if (!ref->read(&last))
		return false;
	while (seen < ref->edges) {
		now = pv_native_rdtsc();
		if (!ref->read(&ticks))
			return false;
		after = pv_native_rdtsc();
		if (ticks == last && after - moved > patience(hz))
			return false;
		if (ticks != last) {
			moved = after;
			if (ticks >= from && after - before < best) {
				best = after - before;
				*edge = (struct edge){ ticks, before, after };
			}
			seen += ticks >= from;
		}
		/* The clock had this count after @now, so the next tick comes later. */
		last = ticks;
		before = now;
	}
	return true;
}

struct run {
	u32 ticks;
	u64 shortest;
	u64 longest;
};

static bool one_run(const struct reference *ref, u64 *hz, struct run *run)
{
	struct edge first, last;
	bool good;

	good = ref->start(hz) && find_edge(ref, *hz, 0, &first) &&
	       find_edge(ref, *hz, first.ticks + (u32)(*hz / ref->per_second), &last);
	ref->stop();
	if (good)
		*run = (struct run){ last.ticks - first.ticks, last.before - first.after,
				     last.after - first.before };
	return good;
}

static u64 khz_of(u64 counts, u32 ticks, u64 hz)
{
	u64 ns = ticks * NS / hz;

	/* Out of range: a value that is not plausible. */
	return counts >> 40 || !ns ? ~0ULL : counts * 1000000 / ns;
}

static u64 measure(const struct reference *ref)
{
	struct run run, best = { 0 };
	u64 hz, khz, spread = ~0ULL;
	u32 i;

	for (i = 0; i < ref->runs && spread > best.shortest / GOOD; i++)
		if (one_run(ref, &hz, &run) && run.longest - run.shortest < spread) {
			best = run;
			spread = run.longest - run.shortest;
		}
	if (!best.ticks)
		return 0;
	khz = khz_of(best.shortest / 2 + best.longest / 2, best.ticks, hz);
	if (!plausible(khz, ref->name))
		return 0;
	if (spread > best.shortest / BAD) {
		pv_port_log("pvops: native: TSC: the %s is too inexact, %llu to %llu kHz, not used",
			    ref->name, (unsigned long long)khz_of(best.shortest, best.ticks, hz),
			    (unsigned long long)khz_of(best.longest, best.ticks, hz));
		return 0;
	}
	pv_port_log("pvops: native: TSC: %llu kHz, measured by the %s to 1 in %llu",
		    (unsigned long long)khz, ref->name,
		    (unsigned long long)(best.shortest / (spread | 1)));
	return khz;
}

u32 pvnative_tsc_asked(u64 khz, const char *source)
{
	if (!plausible(khz, source))
		return 0;
	pv_port_log("pvops: native: TSC: %llu kHz by %s", (unsigned long long)khz, source);
	return (u32)khz;
}

u32 pvnative_calibrate_tsc(void)
{
	u32 last = leaf(0).eax, i;
	u64 khz;

	khz = pvnative_tsc_asked(ask_processor(last), "CPUID 0x15");
	if (!khz)
		khz = pvnative_tsc_asked(pv_cpuid_tsc_khz(), "CPUID 0x40000010");
	for (i = 0; !khz && i < sizeof(references) / sizeof(references[0]); i++)
		khz = measure(&references[i]);
	if (!khz && plausible(base_mhz(last) * 1000ULL, "CPUID 0x16")) {
		khz = base_mhz(last) * 1000ULL;
		pv_port_log("pvops: native: TSC: no PIT, HPET or CMOS clock measures it; %llu kHz by CPUID 0x16",
			    (unsigned long long)khz);
	}
	if (!khz) {
		khz = ASSUMED_KHZ;
		pv_port_log("pvops: native: TSC: frequency unknown: no PIT, HPET or CMOS clock measures it; %llu kHz assumed, so the clock is wrong",
			    (unsigned long long)khz);
	}
	return (u32)khz;
}
