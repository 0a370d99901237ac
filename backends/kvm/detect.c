// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Detect KVM and its features.  Pure functions of CPUID, tested on recorded machines.
 * Source: Linux's Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "internal.h"

/* The features that this backend uses. */
#define USED	(1U << KVM_FEATURE_CLOCKSOURCE | 1U << KVM_FEATURE_CLOCKSOURCE2 |	\
		 1U << KVM_FEATURE_NOP_IO_DELAY | 1U << KVM_FEATURE_STEAL_TIME |	\
		 1U << KVM_FEATURE_PV_EOI | 1U << KVM_FEATURE_PV_UNHALT |		\
		 1U << KVM_FEATURE_PV_TLB_FLUSH | 1U << KVM_FEATURE_PV_SEND_IPI |	\
		 1U << KVM_FEATURE_PV_SCHED_YIELD)

/*
 * Returns KVM's features, and the hypercall instruction of the CPU's vendor.  KVM accepts
 * the other vendor's instruction, too, but then rewrites the guest's text, which is
 * read-only.
 */
struct pvkvm_offer pvkvm_find(const struct pv_platform *platform)
{
	const struct pv_cpuid_range *range = pv_cpuid_find(platform, "KVMKVMKVM");
	const u32 nr = KVM_CPUID_FEATURES - KVM_CPUID_SIGNATURE - 1;

	if (!range)
		return (struct pvkvm_offer){ 0 };
	return (struct pvkvm_offer){
		.base = range->base,
		.features = range->leaf[nr].eax,
		.hints = range->leaf[nr].edx,
		.vmmcall = pv_vendor_is_amd(platform),
	};
}

/*
 * KVM can imitate other hypervisors for guests that do not know it: Hyper-V, whose leaves
 * then come first and KVM's own at the next base, Xen, or VMware's name.  Its own
 * interface is the real one.  So it has rank 0, before every interface that KVM imitates.
 */
int pvkvm_detect(const struct pv_platform *platform, const char **why)
{
	struct pvkvm_offer offer;

	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	offer = pvkvm_find(platform);
	*why = "no KVM signature in CPUID";
	if (!offer.base)
		return PV_SCORE_NONE;
	*why = "KVM offers nothing that helps";
	return offer.features & USED ? PV_SCORE_GUEST : PV_SCORE_NONE;
}
