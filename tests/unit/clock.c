// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-clock: what the TSC's frequency comes out as, on machines with and without
 * each clock, on processors and hypervisors that say it, and on a busy host, which
 * takes the CPU away for milliseconds at any instruction.
 *
 * The machine is simulated: a time that everything takes some of, and a TSC, a PIT, a
 * HPET and a CMOS clock that show it.
 */
#include <pvops/call.h>
#include "unit.h"
#include "../../pvops/internal.h"

/* In the place of backends/native/internal.h. */
#define NATIVE_INTERNAL_H
#define pv_native_rdtsc	machine_rdtsc
#define pv_cpuid(regs)	machine_cpuid(regs)
#define inb		machine_inb
#define outb		machine_outb
u32 pvnative_calibrate_tsc(void);
u32 pvnative_tsc_asked(u64 khz, const char *source);
bool pvnative_cmos_second(u32 *second);
static u64 machine_rdtsc(void);
static void machine_cpuid(struct pv_cpuid *regs);
static u8 machine_inb(u16 port);
static void machine_outb(u16 port, u8 val);

#include "../../backends/native/calibrate.c"

#define US	1000ULL
#define MS	(1000 * US)

static struct {
	/* The truth. */
	u64 khz;
	u64 ns;
	/* What is there. */
	bool pit;
	bool hpet;
	bool cmos;
	/* It counts so much too fast. */
	u32 pit_lies;
	/* The CPU is away in one of so many instructions, for up to so long. */
	u32 away_in;
	u64 away_ns;
	u32 seed;
	/* CPUID. */
	u32 last_leaf;
	struct pv_cpuid leaf_15;
	struct pv_cpuid leaf_16;
	bool hypervisor;
	struct pv_cpuid leaf_40000000;
	struct pv_cpuid leaf_40000010;
	/* State. */
	u64 pit_loaded;
	u16 pit_latched;
	u32 pit_byte;
	u32 asked;
} machine;

static u32 hpet_registers[PV_PAGE_SIZE / 4];

static u32 random_number(void)
{
	machine.seed = machine.seed * 1664525 + 1013904223;
	return machine.seed >> 8;
}

static void takes(u64 ns)
{
	machine.ns += ns;
	if (machine.away_in && !(random_number() % machine.away_in))
		machine.ns += random_number() % machine.away_ns;
	hpet_registers[HPET_COUNTER / 4] = machine.hpet ? (u32)(machine.ns / 10) : 0;
}

static u64 machine_rdtsc(void)
{
	u64 now = machine.ns;

	takes(10);
	return (u64)((unsigned __int128)now * machine.khz / 1000000);
}

static void machine_cpuid(struct pv_cpuid *regs)
{
	u32 nr = regs->eax;

	machine.asked++;
	*regs = (struct pv_cpuid){ 0 };
	if (nr == 0)
		regs->eax = machine.last_leaf;
	else if (nr == 1)
		regs->ecx = machine.hypervisor ? 1U << 31 : 0;
	else if (nr == 0x15)
		*regs = machine.leaf_15;
	else if (nr == 0x16)
		*regs = machine.leaf_16;
	else if (nr == 0x40000000)
		*regs = machine.leaf_40000000;
	else if (nr == 0x40000010)
		*regs = machine.leaf_40000010;
}

static u64 pit_ticks(void)
{
	return (machine.ns - machine.pit_loaded) * PIT_HZ / NS * machine.pit_lies;
}

static u8 machine_inb(u16 port)
{
	u8 val = 0xff;

	if (machine.pit && port == PIT_GATE)
		val = pit_ticks() >= 0xffff ? GATE_OUT : 0;
	else if (machine.pit && port == PIT_CH2)
		val = (u8)(machine.pit_latched >> 8 * (machine.pit_byte++ % 2));
	takes(1000);
	return val;
}

static void machine_outb(u16 port, u8 val)
{
	if (port == PIT_MODE && val == PIT_LATCH_CH2) {
		machine.pit_latched = (u16)(0xffff - pit_ticks());
		machine.pit_byte = 0;
	} else if (port == PIT_CH2) {
		machine.pit_loaded = machine.ns;
	}
	takes(1000);
}

bool pvnative_cmos_second(u32 *second)
{
	*second = machine.ns / NS % 60;
	takes(2000);
	return machine.cmos;
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	(void)flags;
	assert_int_equal(pv_maddr_nr(maddr), HPET_ADDRESS);
	assert_int_equal(bytes, PV_PAGE_SIZE);
	memset(hpet_registers, machine.hpet ? 0 : 0xff, sizeof(hpet_registers));
	if (machine.hpet) {
		hpet_registers[HPET_CAPS / 4] = 0x8086a201;
		hpet_registers[HPET_PERIOD / 4] = 10000000;
	}
	return hpet_registers;
}

static int usual(void **state)
{
	fresh(state);
	hpet = NULL;
	memset(&machine, 0, sizeof(machine));
	machine.khz = 2310000;
	machine.ns = 12345678901;
	machine.pit = machine.hpet = machine.cmos = true;
	machine.pit_lies = 1;
	machine.seed = 1;
	return 0;
}

#define TEST_ON(function)	cmocka_unit_test_setup(function, usual)

/* To a permille. */
static void assert_khz(u32 khz, u64 want)
{
	if (khz < want - want / 1000 || khz > want + want / 1000)
		fail_msg("%u kHz, %llu wanted; log:\n%s", khz, (unsigned long long)want, host_log());
}

/* --- measured --- */

static void each_clock_gives_the_frequency(void **state)
{
	static const u64 rates[] = { 800000, 1000000, 2310000, 5700000 };
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(rates); i++) {
		usual(NULL);
		machine.khz = rates[i];
		assert_khz(pvnative_calibrate_tsc(), rates[i]);
		assert_logged("measured by the PIT");
		machine.pit = false;
		assert_khz(pvnative_calibrate_tsc(), rates[i]);
		assert_logged("measured by the HPET");
		machine.hpet = false;
		hpet = NULL;
		assert_khz(pvnative_calibrate_tsc(), rates[i]);
		assert_logged("measured by the CMOS clock");
		assert_int_equal(host_log_lines(), 3);
	}
}

/* An HPET that firmware has left off is off again afterwards. */
static void hpet_is_off_again_after_the_measurement(void **state)
{
	(void)state;
	machine.pit = false;
	pvnative_calibrate_tsc();
	assert_int_equal(hpet_registers[HPET_CONFIG / 4], 0);
}

/* Away now and then, also for longer than the PIT counts, and in the middle of readings. */
static void busy_host_gives_the_frequency(void **state)
{
	static const struct {
		u32 in;
		u64 ns;
	} busy[] = { { 2000, 4 * MS }, { 500, 30 * MS }, { 300, 10 * MS }, { 2000, 300 * MS } };
	u32 i, seed;

	(void)state;
	for (i = 0; i < COUNT(busy); i++)
		for (seed = 1; seed <= 100; seed++) {
			usual(NULL);
			machine.away_in = busy[i].in;
			machine.away_ns = busy[i].ns;
			machine.seed = seed;
			assert_khz(pvnative_calibrate_tsc(), 2310000);
		}
}

static void frequency_is_assumed_on_a_host_that_is_always_away(void **state)
{
	(void)state;
	/* Away at every instruction: nothing can be told to a twentieth. */
	machine.away_in = 1;
	machine.away_ns = 20 * MS;
	machine.cmos = false;
	assert_int_equal(pvnative_calibrate_tsc(), ASSUMED_KHZ);
	assert_logged("TSC: frequency unknown", "4000000 kHz assumed, so the clock is wrong");
}

static void implausible_pit_is_not_used(void **state)
{
	(void)state;
	machine.pit_lies = 300;
	assert_khz(pvnative_calibrate_tsc(), 2310000);
	assert_logged("TSC: ", "kHz by PIT is implausible, not used");
	assert_logged("measured by the HPET");
}

static void frequency_is_assumed_without_a_clock(void **state)
{
	(void)state;
	machine.pit = machine.hpet = machine.cmos = false;
	assert_int_equal(pvnative_calibrate_tsc(), ASSUMED_KHZ);
	assert_logged("TSC: frequency unknown: no PIT, HPET or CMOS clock", "the clock is wrong");
	assert_int_equal(host_log_lines(), 1);
	/* What is sold is the best that there is. */
	host_log_clear();
	machine.last_leaf = 0x16;
	machine.leaf_16.eax = 2300;
	assert_int_equal(pvnative_calibrate_tsc(), 2300000);
	assert_logged("TSC: no PIT, HPET or CMOS clock", "2300000 kHz by CPUID 0x16");
	assert_int_equal(host_log_lines(), 1);
}

/* --- asked --- */

static void frequency_of_the_processor_is_used(void **state)
{
	(void)state;
	machine.last_leaf = 0x16;
	/* An Atom: everything. */
	machine.leaf_15 = (struct pv_cpuid){ 3, 174, 19200000, 0 };
	assert_int_equal(pvnative_calibrate_tsc(), 1113600);
	assert_logged("1113600 kHz by CPUID 0x15");
	/* A Skylake: the crystal is not told, the base frequency is. */
	machine.leaf_15 = (struct pv_cpuid){ 2, 216, 0, 0 };
	machine.leaf_16 = (struct pv_cpuid){ 2600, 3500, 100, 0 };
	assert_int_equal(pvnative_calibrate_tsc(), 2600000);
	/* No leaf 0x15: what KVM repeats there does not count. */
	machine.last_leaf = 0x14;
	assert_khz(pvnative_calibrate_tsc(), 2310000);
	assert_logged("measured by the PIT");
}

static void implausible_frequency_of_the_processor_is_not_used(void **state)
{
	(void)state;
	machine.last_leaf = 0x16;
	machine.leaf_15 = (struct pv_cpuid){ 1, ~0U, ~0U, 0 };
	assert_khz(pvnative_calibrate_tsc(), 2310000);
	assert_logged("by CPUID 0x15 is implausible, not used");
	machine.leaf_15 = (struct pv_cpuid){ ~0U, 1, 1, 0 };
	assert_khz(pvnative_calibrate_tsc(), 2310000);
	machine.leaf_15 = (struct pv_cpuid){ 0, 5, 24000000, 0 };
	assert_khz(pvnative_calibrate_tsc(), 2310000);
	assert_int_equal(host_log_lines(), 1 + 3);
}

/* Returns what native gets on a machine whose CPUID the core has just read. */
static u32 scan_and_calibrate(void)
{
	struct pv_platform platform = { .cpuid = machine_cpuid };

	pv_cpuid_scan(&platform);
	machine.asked = 0;
	return pvnative_calibrate_tsc();
}

static void frequency_of_the_hypervisor_is_used(void **state)
{
	(void)state;
	machine.hypervisor = true;
	machine.leaf_40000000.eax = 0x40000010;
	machine.leaf_40000010.eax = 2999998;
	assert_int_equal(scan_and_calibrate(), 2999998);
	assert_logged("2999998 kHz by CPUID 0x40000010");
	/* The core has read the hypervisor's leaves; each CPUID is an exit. */
	assert_int_equal(machine.asked, 1);
	machine.leaf_40000010.eax = 3;
	assert_khz(scan_and_calibrate(), 2310000);
	assert_logged("3 kHz by CPUID 0x40000010 is implausible, not used");
	/* Its leaves end before; there are none. */
	machine.leaf_40000010.eax = 2999998;
	machine.leaf_40000000.eax = 0x40000001;
	assert_khz(scan_and_calibrate(), 2310000);
	machine.leaf_40000000.eax = 0x40000010;
	machine.hypervisor = false;
	assert_khz(scan_and_calibrate(), 2310000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(each_clock_gives_the_frequency),
		TEST_ON(hpet_is_off_again_after_the_measurement),
		TEST_ON(busy_host_gives_the_frequency),
		TEST_ON(frequency_is_assumed_on_a_host_that_is_always_away),
		TEST_ON(implausible_pit_is_not_used),
		TEST_ON(frequency_is_assumed_without_a_clock),
		TEST_ON(frequency_of_the_processor_is_used),
		TEST_ON(implausible_frequency_of_the_processor_is_not_used),
		TEST_ON(frequency_of_the_hypervisor_is_used),
	};

	return RUN(tests);
}
