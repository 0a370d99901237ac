// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Is VMware here, and how is it called?  Pure functions of CPUID. */
#include "vmware.h"

/* Leaf 0x40000000: name, last leaf; leaf 0x40000010 ECX: VMWARE_*. */
#define LEAF_NAME	0x40000000
#define LEAF_FEATURES	0x40000010

static struct pv_cpuid leaf(const struct pv_platform *platform, u32 nr)
{
	struct pv_cpuid regs = { .eax = nr };

	platform->cpuid(&regs);
	return regs;
}

/*
 * Told by name, as there is no other signature that may be looked at without
 * side effects.  A hypervisor of this name that also shows the Hyper-V interface
 * (QEMU does) calls itself VMware, so Hyper-V is what it imitates.
 */
int vmware_detect(const struct pv_platform *platform, const char **why)
{
	struct pv_cpuid regs;

	*why = "the kernel is not in ring 0";
	if (platform->cpl)
		return PV_SCORE_NONE;
	*why = "no VMware by CPUID";
	regs = leaf(platform, 1);
	if (!(regs.ecx & 1U << 31))
		return PV_SCORE_NONE;
	regs = leaf(platform, LEAF_NAME);
	if (__builtin_memcmp(&regs.ebx, "VMwa", 4) || __builtin_memcmp(&regs.ecx, "reVM", 4) ||
	    __builtin_memcmp(&regs.edx, "ware", 4))
		return PV_SCORE_NONE;
	return PV_SCORE_GUEST;
}

/* Both bits: either will do. */
u32 vmware_way(const struct pv_platform *platform)
{
	if (leaf(platform, LEAF_NAME).eax < LEAF_FEATURES)
		return 0;
	return leaf(platform, LEAF_FEATURES).ecx & (VMWARE_VMCALL | VMWARE_VMMCALL);
}
