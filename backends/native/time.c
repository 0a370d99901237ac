// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Clocks of the bare machine: the TSC and the CMOS clock.  The TSC's rate comes from the
 * kernel, the hypervisor or calibrate.c.
 */
#include <pvops/pvops.h>
#include "internal.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71

/* ns = tsc * tsc_scale >> 32 */
static u64 tsc_scale;
static u64 tsc_base;
static u32 tsc_khz;

void pvnative_time_setup(void)
{
	tsc_khz = pvnative_tsc_asked(pv_port_tsc_khz(), "the kernel");
	if (!tsc_khz && pv_backend()->tsc_khz)
		tsc_khz = pvnative_tsc_asked(pv_backend()->tsc_khz(), pv_backend()->title);
	if (!tsc_khz)
		tsc_khz = pvnative_calibrate_tsc();
	tsc_scale = (1000000ULL << 32) / tsc_khz;
	tsc_base = pv_native_rdtsc();
}

u64 pvnative_fn_clock_read(void)
{
	return (u64)((unsigned __int128)(pv_native_rdtsc() - tsc_base) * tsc_scale >> 32);
}

void pvnative_delay_us(u32 us)
{
	u64 end = pv_clock_read() + us * 1000ULL;

	while (pv_clock_read() < end)
		asm volatile("pause");
}

u64 pvnative_fn_stolen_time(u32 cpu)
{
	(void)cpu;
	return 0;
}

static u8 cmos(u8 index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static u32 from_bcd(u32 val, bool binary)
{
	return binary ? val : (val >> 4) * 10 + (val & 0xf);
}

/* Days since 1970-01-01, for years from 2000: Gregorian, month 1..12. */
static u64 days(u32 year, u32 month, u32 day)
{
	static const u16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	u32 leaps = (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	return (year - 1970) * 365ULL + leaps + before[(month - 1) % 12] +
	       (leap && month > 2) + day - 1;
}

/* Register D has only one bit that can be 1 (MC146818), so all ones means no clock. */
static bool no_cmos(void)
{
	return cmos(0x0d) == 0xff;
}

bool pvnative_cmos_second(u32 *second)
{
	u8 now = cmos(0);

	*second = from_bcd(now, cmos(0x0b) & 4);
	return !no_cmos() && *second < 60;
}

u64 pvnative_fn_wall_clock(void)
{
	u32 sec, min, hour, day, month, year;
	bool binary;

	if (no_cmos()) {
		pv_port_log("pvops: native: no CMOS clock here: the time of day is unknown");
		return 0;
	}
	do {
		while (cmos(0x0a) & 0x80)
			asm volatile("pause");
		sec = cmos(0);
		min = cmos(2);
		hour = cmos(4);
		day = cmos(7);
		month = cmos(8);
		year = cmos(9);
	} while (sec != cmos(0));
	binary = cmos(0x0b) & 4;
	year = 2000 + from_bcd(year, binary);
	return (((days(year, from_bcd(month, binary), from_bcd(day, binary)) * 24 +
		  from_bcd(hour & 0x7f, binary)) * 60 + from_bcd(min, binary)) * 60 +
		from_bcd(sec, binary)) * 1000000000ULL;
}
