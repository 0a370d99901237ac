// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Contract tests of table "time". */
#include "../guest.h"

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
	/* Boot is not long ago. */
	EXPECT(start < 600ULL * 1000000000);
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

TEST(set_timer)
{
	const u64 ms = 1000000;
	u64 before, now;

	pv_set_timer(~0ULL);
	before = trap_count[PV_VECTOR_TIMER];
	now = pv_clock_read();
	pv_set_timer(now + 2 * ms);
	EXPECT(fires_by(before, now + 200 * ms));
	EXPECT(pv_clock_read() >= now + 2 * ms);
	/* Once means once. */
	EXPECT(!fires_by(before + 1, pv_clock_read() + 5 * ms));

	/* In the past: at once. */
	before = trap_count[PV_VECTOR_TIMER];
	pv_set_timer(pv_clock_read() - ms);
	EXPECT(fires_by(before, pv_clock_read() + 200 * ms));

	/* Disarmed: never. */
	before = trap_count[PV_VECTOR_TIMER];
	pv_set_timer(pv_clock_read() + 3 * ms);
	pv_set_timer(~0ULL);
	EXPECT(!fires_by(before, pv_clock_read() + 8 * ms));

	/* Armed again: the later wish counts. */
	before = trap_count[PV_VECTOR_TIMER];
	now = pv_clock_read();
	pv_set_timer(now + 2 * ms);
	pv_set_timer(now + 10 * ms);
	EXPECT(!fires_by(before, now + 6 * ms));
	EXPECT(fires_by(before, now + 200 * ms));
}

TEST(stolen_time)
{
	u64 first = pv_stolen_time(pv_port_this_cpu()), second;

	EXPECT(first <= pv_clock_read());
	second = pv_stolen_time(pv_port_this_cpu());
	EXPECT(second >= first);
}
