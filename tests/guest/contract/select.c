// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the core has found and chosen, seen on the machine itself. */
#include "../guest.h"

/* backend.h, struct pv_platform: each CPUID is an exit. */
TEST(detection)
{
	if (boot_info.platform.hypervisor)
		EXPECT(boot_info.cpuids >= 3 && boot_info.cpuids <= 48);
	else
		EXPECT_EQ(boot_info.cpuids, 2);
}
