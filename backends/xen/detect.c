// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One function decides which type of Xen guest this is; both descriptors call it.
 * Pure: a test replays recorded machines.
 */
#include "internal.h"

static bool pv_magic(const struct start_info *start)
{
	static const char magic[] = "xen-3";
	u32 i;

	for (i = 0; magic[i]; i++)
		if (start->magic[i] != magic[i])
			return false;
	return true;
}

/*
 * PV: Xen enters the guest at the kernel's own address, with a start_info page.  CPUID is
 * not read: it shows the machine below, possibly with another hypervisor's leaves.
 *
 * PVH and HVM: the guest has the hardware's privileges, and Xen's leaves.  A PVH guest
 * is entered with struct hvm_start_info; it has no firmware, and local APICs are its only
 * emulated devices.  An HVM guest is entered from firmware, without that structure.
 */
enum pvxen_guest pvxen_guest_type(const struct pv_platform *platform,
				  const struct pv_cpuid_range **leaves)
{
	const struct hvm_start_info *info = platform->hvm_start_info;

	*leaves = NULL;
	if (platform->xen_start_info)
		return pv_magic(platform->xen_start_info) ? PVXEN_PV : PVXEN_BAD_START;
	if (platform->cpl)
		return PVXEN_NONE;
	*leaves = pv_cpuid_find(platform, "XenVMMXenVMM");
	/* Every version of Xen has the leaves up to 0x40000x02. */
	if (!*leaves || (*leaves)->last < (*leaves)->base + 2)
		return PVXEN_NONE;
	return info && info->magic == XEN_HVM_START_MAGIC_VALUE ? PVXEN_PVH : PVXEN_HVM;
}

/*
 * This is a hypervisor's own interface, so it is above any imitation: Xen with viridian=1
 * shows Hyper-V's leaves first and its own 0x100 higher.  It is behind KVM, which can show
 * Xen's leaves beside its own.
 */
#define HVM_SCORE	(PV_SCORE_GUEST - 1)

int pvxen_hvm_detect(const struct pv_platform *platform, const char **why)
{
	const struct pv_cpuid_range *leaves;
	enum pvxen_guest type = pvxen_guest_type(platform, &leaves);

	*why = "entered as a PV guest";
	if (type == PVXEN_PV || type == PVXEN_BAD_START)
		return PV_SCORE_NONE;
	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	*why = "no CPUID leaves of Xen";
	return type == PVXEN_NONE ? PV_SCORE_NONE : HVM_SCORE;
}
