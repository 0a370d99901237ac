// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Detect VMware and the instruction that calls it.  Pure functions of CPUID. */
#include "internal.h"

/*
 * Detected by its name, because no other signature can be read without side effects.  If
 * a hypervisor of this name also offers the Hyper-V interface (QEMU does), Hyper-V is the
 * imitated one.
 *
 * KVM and Xen can show this name to guests that do not know them, beside their own
 * leaves.  Then their backends come first.
 */
#define VMWARE_SCORE	(PV_SCORE_GUEST - 2)

int pvvmware_detect(const struct pv_platform *platform, const char **why)
{
	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	*why = "no VMware by CPUID";
	return pv_cpuid_find(platform, "VMwareVMware") ? VMWARE_SCORE : PV_SCORE_NONE;
}

/* ECX of its leaf 0x10.  If both bits are set, both instructions work. */
u32 pvvmware_way(const struct pv_platform *platform)
{
	const struct pv_cpuid_range *range = pv_cpuid_find(platform, "VMwareVMware");

	return range ? range->leaf_10.ecx & (VMWARE_VMCALL | VMWARE_VMMCALL) : 0;
}
