/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Measures the rates of the TSC and of the APIC timer, for the ROM and the monitor, which
 * have their own rdtsc(), inb() and outb().  Each reading of a counter lies between two
 * readings of the TSC, so the host may stop the CPU meanwhile.  The best of several runs
 * counts.
 */
#ifndef VMI_CLOCKS_H
#define VMI_CLOCKS_H

#define CLOCK_RUNS	8
/* A run is good enough if the error of its length is at most one part in this many. */
#define CLOCK_GOOD	500
/* PIT channel 2 (Intel 8254), gated by port 0x61, whose bit 5 shows the end of the count. */
#define PIT_HZ		1193182

struct clock_reading {
	u32 count;
	u64 before;
	u64 after;
};

static inline struct clock_reading pit_reading(void)
{
	struct clock_reading now;

	now.before = rdtsc();
	outb(0x43, 0x80);
	now.count = inb(0x42);
	now.count |= (u32)inb(0x42) << 8;
	now.after = rdtsc();
	return now;
}

static inline u64 clock_spread(const struct clock_reading *first, const struct clock_reading *last)
{
	return (last->after - first->before) - (last->before - first->after);
}

/* Returns TSC counts per second; 0 if the PIT does not count. */
static inline u64 measure_tsc(void)
{
	u64 best = ~0ULL, hz = 0;
	u8 gate = inb(0x61);
	u32 i;

	for (i = 0; i < CLOCK_RUNS; i++) {
		struct clock_reading first, last;
		u64 shortest;

		outb(0x61, (u8)((gate & ~2) | 1));
		outb(0x43, 0xb0);
		outb(0x42, 0xff);
		outb(0x42, 0xff);
		first = pit_reading();
		do {
			last = pit_reading();
		} while (first.count - last.count < PIT_HZ / 100 && !(inb(0x61) & 0x20));
		if (inb(0x61) & 0x20 || last.count >= first.count)
			continue;
		shortest = last.before - first.after;
		if (clock_spread(&first, &last) < best) {
			best = clock_spread(&first, &last);
			hz = (shortest + best / 2) * PIT_HZ / (first.count - last.count);
		}
		if (best < shortest / CLOCK_GOOD)
			break;
	}
	outb(0x61, gate);
	return hz;
}

/*
 * Returns timer counts per TSC count, times 2^32, rather too many than too few; 0 if the
 * timer does not count.  @restart starts it from its highest count, without an interrupt.
 */
static inline u64 measure_apic(u64 tsc_hz, void (*restart)(void), u32 (*count)(void))
{
	u64 best = ~0ULL, scale = 0;
	u32 i;

	for (i = 0; i < CLOCK_RUNS; i++) {
		struct clock_reading first, last;
		u64 shortest;

		restart();
		first.before = rdtsc();
		first.count = count();
		first.after = rdtsc();
		do {
			last.before = rdtsc();
		} while (last.before - first.after < tsc_hz / 1000);
		last.count = count();
		last.after = rdtsc();
		if (!last.count || last.count >= first.count)
			continue;
		shortest = last.before - first.after;
		if (clock_spread(&first, &last) < best) {
			best = clock_spread(&first, &last);
			scale = ((first.count - last.count + 1ULL) << 32) / shortest;
		}
		if (best < shortest / CLOCK_GOOD)
			break;
	}
	return scale;
}

#endif
