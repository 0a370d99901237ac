// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One function decides what kind of Xen's guest this is; both descriptors ask it.
 * Pure: a test replays recorded machines.
 */
#include "detect.h"

/* Bit 31 of CPUID.1:ECX: a hypervisor's leaves are there. */
#define CPUID1_ECX_HYPERVISOR	(1U << 31)
#define LEAVES_FIRST		0x40000000U
#define LEAVES_END		0x40010000U
#define LEAVES_STEP		0x100U

/*
 * Xen's leaves are at any multiple of 0x100: one that imitates Hyper-V's
 * interface (viridian) gives that the first place (arch-x86/cpuid.h).  0: none.
 */
static u32 xen_leaves(const struct pv_platform *platform)
{
	struct pv_cpuid regs = { .eax = 1 };
	u32 base;

	platform->cpuid(&regs);
	if (!(regs.ecx & CPUID1_ECX_HYPERVISOR))
		return 0;
	for (base = LEAVES_FIRST; base < LEAVES_END; base += LEAVES_STEP) {
		regs = (struct pv_cpuid){ .eax = base };
		platform->cpuid(&regs);
		if (regs.ebx == XEN_CPUID_SIGNATURE_EBX && regs.ecx == XEN_CPUID_SIGNATURE_ECX &&
		    regs.edx == XEN_CPUID_SIGNATURE_EDX)
			/* Up to 0x40000x02 every version has them. */
			return regs.eax >= base + 2 && regs.eax < base + LEAVES_STEP ? base : 0;
	}
	return 0;
}

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
 * PV: entered at the kernel's own address, with a start_info page.  CPUID is not
 * asked: it shows the machine below, maybe with another hypervisor's leaves.
 *
 * PVH and HVM: the hardware's privileges, and Xen's leaves.  A PVH guest is
 * entered with struct hvm_start_info; it has no firmware and no emulated device
 * but local APICs.  An HVM guest comes from firmware, which gives no such thing.
 */
enum pvxen_guest pvxen_guest_type(const struct pv_platform *platform, u32 *leaf)
{
	const struct hvm_start_info *info = platform->hvm_start_info;

	*leaf = 0;
	if (platform->xen_start_info)
		return pv_magic(platform->xen_start_info) ? PVXEN_PV : PVXEN_BAD_START;
	if (platform->cpl)
		return PVXEN_NONE;
	*leaf = xen_leaves(platform);
	if (!*leaf)
		return PVXEN_NONE;
	return info && info->magic == XEN_HVM_START_MAGIC_VALUE ? PVXEN_PVH : PVXEN_HVM;
}
