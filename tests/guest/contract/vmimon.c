// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the monitor of tests/vmi/monitor/ says of the guest's traps: the
 * interrupt mask costs none, and a batch of page-table updates next to none.
 * Its own count is asked for, not the backend's.
 */
#include "../guest.h"

#define VA		0x40000000UL
/* Private VMMCALL: exits of this virtual CPU so far, except for interrupts. */
#define MONITOR_EXITS	0x103

static u64 exits(void)
{
	u64 result;

	asm volatile("vmmcall" : "=a" (result) : "0" (MONITOR_EXITS) : "memory");
	return result;
}

TEST(vmimon_traps)
{
	u64 start, asking, mask, batch;
	pv_flags_t flags;
	struct mm mm;
	u32 i;

	if (!text_equal(boot_info.env, "vmimon") || !text_equal(pv_backend()->name, "vmi")) {
		test_skip("not VMI on the monitor");
		return;
	}
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
	EXPECT(batch >= 1 && batch <= 2);
	mm_destroy(&mm);
}
