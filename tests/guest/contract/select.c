// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Results of detection and selection, checked on the machine itself. */
#include "../guest.h"
#include "../../../backends/xen/internal.h"

/* backend.h, struct pv_platform: each CPUID is an exit. */
TEST(detection)
{
	if (boot_info.platform.hypervisor)
		EXPECT(boot_info.cpuids >= 3 && boot_info.cpuids <= 48);
	else
		EXPECT_EQ(boot_info.cpuids, 2);
}

/* Xen writes the run states of a vCPU only if an op in use reads them. */
TEST(xen_run_states)
{
	const volatile struct vcpu_runstate_info *state = &PV_PERCPU_PTR(pvxen_runstate)->info;

	if (!text_equal(pv_backend()->name, "xen") && !text_equal(pv_backend()->name, "xenhvm")) {
		test_skip("not Xen");
		return;
	}
	EXPECT_EQ(state->state_entry_time != 0, pv_impl_is_own(PV_OP_stolen_time) ||
		  pv_impl_is_own(PV_OP_vcpu_is_preempted));
}
