// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Is VMware here, and how is it called?  Pure functions of CPUID. */
#include "internal.h"

/*
 * Told by name, as there is no other signature that may be looked at without
 * side effects.  A hypervisor of this name that also shows the Hyper-V interface
 * (QEMU does) calls itself VMware, so Hyper-V is what it imitates.
 *
 * KVM and Xen show this name to guests that know no other, and keep their own
 * leaves beside it: they come first.
 */
#define VMWARE_SCORE	(PV_SCORE_GUEST - 2)

int pvvmware_detect(const struct pv_platform *platform, const char **why)
{
	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	*why = "no VMware by CPUID";
	return pv_cpuid_find(platform, "VMwareVMware") ? VMWARE_SCORE : PV_SCORE_NONE;
}

/* Leaf 0x10 of its leaves, ECX.  Both bits: either will do. */
u32 pvvmware_way(const struct pv_platform *platform)
{
	const struct pv_cpuid_range *range = pv_cpuid_find(platform, "VMwareVMware");

	return range ? range->leaf_10.ecx & (VMWARE_VMCALL | VMWARE_VMMCALL) : 0;
}
