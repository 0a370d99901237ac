// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The guest's traps, counted by the monitor of tests/vmi/monitor/: the interrupt
 * mask costs no trap, and a batch of page-table updates one or two.  The test
 * reads the monitor's own count, not the backend's.
 */
#include "../guest.h"

#define VA		0x40000000UL
/* Private VMMCALL: exits of this virtual CPU so far, without those of interrupts. */
#define MONITOR_EXITS	0x103

#define IOAPIC		0xfec00000UL
#define IOAPIC_VERSION	1
/* An address without a device: the ACPI timer has a port instead. */
#define NOWHERE		0xfed00000UL

static u64 exits(void)
{
	u64 result;

	asm volatile("vmmcall" : "=a" (result) : "0" (MONITOR_EXITS) : "memory");
	return result;
}

static bool possible(void)
{
	if (text_equal(boot_info.env, "vmimon") && text_equal(pv_backend()->name, "vmi"))
		return true;
	test_skip("not VMI on the monitor");
	return false;
}

static volatile u32 *map(u64 at)
{
	return pv_port_map_phys((__force pv_maddr_t)at, PAGE,
				PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
}

/* Besides memory, the guest's tables may map only registers of the monitor. */
TEST(vmimon_ioapic)
{
	u32 errors = pv_batch_error_count();
	volatile u32 *ioapic;

	if (!possible())
		return;
	ioapic = map(IOAPIC);
	EXPECT_EQ(pv_batch_error_count(), errors);
	if (pv_batch_error_count() == errors) {
		ioapic[0] = IOAPIC_VERSION;
		/* Intel 82093AA: 24 lines, version 0x11. */
		EXPECT_EQ(ioapic[4], 0x170011);
	}
	errors = pv_batch_error_count();
	map(NOWHERE);
	EXPECT_EQ(pv_batch_error_count(), errors + 1);
}

TEST(vmimon_traps)
{
	u64 start, asking, mask, batch;
	pv_flags_t flags;
	struct mm mm;
	u32 i;

	if (!possible())
		return;
	pv_set_timer(~0ULL);
	start = exits();
	asking = exits() - start;
	EXPECT_EQ(asking, 1);

	start = exits();
	for (i = 0; i < 100; i++) {
		flags = pv_save_fl();
		pv_irq_disable();
		pv_restore_fl(flags);
		pv_irq_disable();
		pv_irq_enable();
	}
	mask = exits() - start - asking;
	EXPECT_EQ(mask, 0);

	if (!mm_create(&mm) || !mm_map(&mm, VA, 256, true)) {
		test_error("no memory for an address space");
		return;
	}
	start = exits();
	mm_protect(&mm, VA, 256, false);
	batch = exits() - start - asking;
	if (batches())
		EXPECT(batch >= 1 && batch <= 2);
	else
		EXPECT(batch >= 256);
	mm_destroy(&mm);
}
