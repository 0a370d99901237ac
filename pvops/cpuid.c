// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Read the machine's CPUID once, into struct pv_platform. */
#include "internal.h"

/* Leaves of hypervisors: SDM vol. 2A, CPUID; all public interfaces begin here. */
#define FIRST_BASE	0x40000000U
#define BASE_STEP	0x100U
#define LEAVES_END	0x40010000U

/* CPUID.1:ECX. */
#define HYPERVISOR	(1U << 31)

/* Kept here, because the kernel's platform may be gone when native asks for it. */
static u32 hypervisor_khz PV_RO_AFTER_INIT;

u32 pv_cpuid_tsc_khz(void)
{
	return hypervisor_khz;
}

static struct pv_cpuid leaf(const struct pv_platform *platform, u32 nr)
{
	struct pv_cpuid regs = { .eax = nr };

	platform->cpuid(&regs);
	return regs;
}

static void put(char *to, u32 word)
{
	__builtin_memcpy(to, &word, sizeof(word));
}

/*
 * Is there an interface at this base?  EAX is its highest leaf; EBX, ECX and EDX are
 * the signature, which may be blank.  A leaf that does not exist reads as zeros, or, on
 * Intel's processors and their imitations (SDM), as the highest basic leaf, whose EAX is
 * a small number, often 0.  KVM before Linux 3.x also reports EAX = 0, for base + 1
 * (Linux, Documentation/virt/kvm/x86/cpuid.rst); then only the signature decides.
 */
static bool is_range(const struct pv_platform *platform, u32 base, struct pv_cpuid_range *range)
{
	struct pv_cpuid regs = leaf(platform, base);

	range->base = base;
	put(range->name, regs.ebx);
	put(range->name + 4, regs.ecx);
	put(range->name + 8, regs.edx);
	range->name[12] = '\0';
	range->last = regs.eax;
	if (!regs.eax && pv_cpuid_same(range->name, "KVMKVMKVM"))
		range->last = base + 1;
	if (range->last < base || range->last >= LEAVES_END)
		return false;
	if (range->last >= base + BASE_STEP)
		range->last = base + BASE_STEP - 1;
	return true;
}

static struct pv_cpuid leaf_in(const struct pv_platform *platform,
			       const struct pv_cpuid_range *range, u32 nr)
{
	static const struct pv_cpuid none;

	return range->base + nr <= range->last ? leaf(platform, range->base + nr) : none;
}

/* 2 CPUIDs, at most 6 for each interface, and 1 to find the end. */
void pv_cpuid_scan(struct pv_platform *platform)
{
	struct pv_cpuid_range *range = platform->range, beyond;
	struct pv_cpuid regs = leaf(platform, 0);
	u32 base, nr;

	put(platform->vendor, regs.ebx);
	put(platform->vendor + 4, regs.edx);
	put(platform->vendor + 8, regs.ecx);
	platform->vendor[12] = '\0';
	platform->hypervisor = leaf(platform, 1).ecx & HYPERVISOR;
	platform->ranges = 0;
	platform->more_ranges = false;
	hypervisor_khz = 0;
	if (!platform->hypervisor)
		return;
	for (base = FIRST_BASE; platform->ranges < PV_CPUID_RANGES; base += BASE_STEP, range++) {
		if (!is_range(platform, base, range))
			return;
		for (nr = 1; nr <= PV_CPUID_LEAVES; nr++)
			range->leaf[nr - 1] = leaf_in(platform, range, nr);
		range->leaf_10 = leaf_in(platform, range, 0x10);
		if (base == FIRST_BASE)
			hypervisor_khz = range->leaf_10.eax;
		platform->ranges++;
	}
	platform->more_ranges = is_range(platform, base, &beyond);
}
