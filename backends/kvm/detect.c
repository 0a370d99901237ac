// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Is KVM here, and what does it offer?  Pure functions of CPUID, tested on
 * recorded machines.  Source: Linux's Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "internal.h"

#define LEAVES_START	0x40000000U
#define LEAVES_END	0x40010000U
#define LEAVES_STEP	0x100U

/* What this backend can make something of. */
#define USED	(1U << KVM_FEATURE_CLOCKSOURCE | 1U << KVM_FEATURE_CLOCKSOURCE2 |	\
		 1U << KVM_FEATURE_NOP_IO_DELAY | 1U << KVM_FEATURE_STEAL_TIME |	\
		 1U << KVM_FEATURE_PV_EOI | 1U << KVM_FEATURE_PV_UNHALT |		\
		 1U << KVM_FEATURE_PV_TLB_FLUSH | 1U << KVM_FEATURE_PV_SEND_IPI |	\
		 1U << KVM_FEATURE_PV_SCHED_YIELD)

static struct pv_cpuid leaf(const struct pv_platform *platform, u32 nr)
{
	struct pv_cpuid regs = { .eax = nr };

	platform->cpuid(&regs);
	return regs;
}

static bool is_named(const struct pv_cpuid *regs, const char *name)
{
	return !__builtin_memcmp(&regs->ebx, name, 4) &&
	       !__builtin_memcmp(&regs->ecx, name + 4, 4) &&
	       !__builtin_memcmp(&regs->edx, name + 8, 4);
}

/*
 * VMMCALL is AMD's instruction (APM vol. 3), VMCALL Intel's (SDM vol. 3C).  KVM
 * takes the other one too, but rewrites the guest's text then, which is
 * read-only.  Leaf 0 names the vendor in another order of registers.
 */
static bool is_amd(const struct pv_platform *platform)
{
	struct pv_cpuid regs = leaf(platform, 0), name = regs;

	name.ecx = regs.edx;
	name.edx = regs.ecx;
	return is_named(&name, "AuthenticAMD") || is_named(&name, "HygonGenuine");
}

struct pvkvm_offer pvkvm_find(const struct pv_platform *platform)
{
	struct pvkvm_offer offer = { 0 };
	struct pv_cpuid regs = leaf(platform, 1);
	u32 base;

	/* CPUID.1:ECX bit 31: there are hypervisor leaves. */
	if (!(regs.ecx & 1U << 31))
		return offer;
	for (base = LEAVES_START; base < LEAVES_END; base += LEAVES_STEP) {
		regs = leaf(platform, base);
		if (is_named(&regs, "KVMKVMKVM\0\0"))
			break;
	}
	if (base == LEAVES_END)
		return offer;
	offer.base = base;
	offer.vmmcall = is_amd(platform);
	/* Old hosts give no highest leaf, and mean the first. */
	if (regs.eax && regs.eax < base + (KVM_CPUID_FEATURES - KVM_CPUID_SIGNATURE))
		return offer;
	regs = leaf(platform, base + (KVM_CPUID_FEATURES - KVM_CPUID_SIGNATURE));
	offer.features = regs.eax;
	offer.hints = regs.edx;
	return offer;
}

/*
 * Whatever else KVM imitates for guests that do not know it (Hyper-V's leaves
 * come first then, its own at the next base), this is what is there: an
 * imitation must score lower.  A VMI ROM is not KVM's, but of a hypervisor in
 * between, which does not hide KVM's leaves: it scores the same and is linked
 * first.
 */
int pvkvm_detect(const struct pv_platform *platform, const char **why)
{
	struct pvkvm_offer offer;

	*why = "the kernel is not in ring 0";
	if (platform->cpl)
		return PV_SCORE_NONE;
	offer = pvkvm_find(platform);
	*why = "no KVM signature in CPUID";
	if (!offer.base)
		return PV_SCORE_NONE;
	*why = "KVM offers nothing that helps";
	return offer.features & USED ? PV_SCORE_GUEST : PV_SCORE_NONE;
}
