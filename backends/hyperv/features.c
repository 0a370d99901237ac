// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What may be used of the interface: TLFS, Feature and Interface Discovery.
 *
 * Three answers decide on each enlightenment.  The privilege says that the
 * guest may, the feature that it is there, the recommendation that it is worth
 * it: a hypervisor that does not recommend its hypercall has something better
 * in hardware.  Nothing here touches the machine but through @cpuid.
 */
#include "hyperv.h"

/* TLFS: leaves up to this one are there. */
#define LEAF_LEAST	HV_CPUID_HINTS
#define LEAF_MOST	0x4000ffff
/* 0x40000003 EBX: Isolation; pages of such a guest are not the hypervisor's to read. */
#define PRIV_ISOLATION	(1U << 22)

#define CALLS		(HV_PRIV_HYPERCALL | HV_PRIV_VP_INDEX)

static const struct {
	const char *name;
	u32 privileges;
	u32 features;
	u32 hints;
	/* Bits of enum hv_use; they stand before this one. */
	u32 needs;
} uses[HV_USE_COUNT] = {
	[HV_USE_FLUSH] = { "remote TLB flush", CALLS, 0, HV_HINT_REMOTE_FLUSH, 0 },
	[HV_USE_IPI] = { "IPI", CALLS, 0, HV_HINT_CLUSTER_IPI, 0 },
	[HV_USE_EX] = { "sparse VP sets", CALLS, 0, HV_HINT_EX_MASKS, 0 },
	[HV_USE_EOI] = { "lazy EOI", HV_PRIV_APIC, 0, HV_HINT_APIC_MSR, 0 },
	/* Where the page is not valid the counter is asked: it takes both. */
	[HV_USE_CLOCK] = { "reference clock", HV_PRIV_REF_TSC | HV_PRIV_REF_COUNTER, 0, 0, 0 },
	/* Counts in the reference clock's time. */
	[HV_USE_TIMER] = { "synthetic timer", HV_PRIV_SYNTIMER, HV_FEAT_STIMER_DIRECT, 0,
			   1U << HV_USE_CLOCK },
	[HV_USE_FREQUENCY] = { "TSC frequency", HV_PRIV_FREQUENCY, HV_FEAT_FREQUENCY, 0, 0 },
	[HV_USE_RESET] = { "reset", HV_PRIV_RESET, 0, HV_HINT_RESET_MSR, 0 },
	[HV_USE_CRASH] = { "crash report", 0, HV_FEAT_CRASH, 0, 0 },
};

static const char *why_not(const struct hv_features *hv, enum hv_use use)
{
	if (uses[use].privileges & ~hv->privileges)
		return "no privilege";
	if (uses[use].features & ~hv->features)
		return "not there";
	if (uses[use].hints & ~hv->hints)
		return "not recommended";
	if (uses[use].needs & ~hv->use)
		return "no reference clock";
	return NULL;
}

static struct pv_cpuid leaf(void (*cpuid)(struct pv_cpuid *regs), u32 nr)
{
	struct pv_cpuid regs = { .eax = nr };

	cpuid(&regs);
	return regs;
}

/*
 * The interface is told by its signature, the vendor's name is for people; but
 * a hypervisor of another name imitates.  So does one that shows itself at the
 * next base, 0x100 higher (KVM), or at a later one.
 */
static bool is_imitated(void (*cpuid)(struct pv_cpuid *regs), const struct pv_cpuid *first)
{
	static const char microsoft[] = "Microsoft Hv";
	struct pv_cpuid next = leaf(cpuid, HV_CPUID_BASE + 0x100);

	if (__builtin_memcmp(&first->ebx, microsoft, 4) ||
	    __builtin_memcmp(&first->ecx, microsoft + 4, 4) ||
	    __builtin_memcmp(&first->edx, microsoft + 8, 4))
		return true;
	/* Maximum 0 is what old KVM says; an absent leaf has no name either. */
	return next.ebx && (!next.eax || (next.eax >= HV_CPUID_BASE + 0x100 &&
					  next.eax <= HV_CPUID_BASE + 0x1ff));
}

const char *hv_features_read(void (*cpuid)(struct pv_cpuid *regs), struct hv_features *out)
{
	struct pv_cpuid base, regs = leaf(cpuid, 1);
	enum hv_use use;

	*out = (struct hv_features){ 0 };
	/* CPUID.1:ECX bit 31: there are hypervisor's leaves. */
	if (!(regs.ecx & 1U << 31))
		return "no hypervisor";
	base = leaf(cpuid, HV_CPUID_BASE);
	if (base.eax < HV_CPUID_INTERFACE || base.eax > LEAF_MOST ||
	    leaf(cpuid, HV_CPUID_INTERFACE).eax != HV_INTERFACE)
		return "no Hyper-V interface";
	if (base.eax < LEAF_LEAST)
		return "its CPUID leaves end before the recommendations";
	regs = leaf(cpuid, HV_CPUID_FEATURES);
	out->privileges = regs.eax;
	out->features = regs.edx;
	out->hints = leaf(cpuid, HV_CPUID_HINTS).eax;
	out->imitated = is_imitated(cpuid, &base);
	if (regs.ebx & PRIV_ISOLATION)
		return "an isolated guest shares no pages with the hypervisor";
	/* TLFS: a guest tells who it is before it uses anything. */
	if (!(out->privileges & HV_PRIV_HYPERCALL))
		return "no privilege to tell the hypervisor who we are";
	for (use = 0; use < HV_USE_COUNT; use++)
		if (!why_not(out, use))
			out->use |= 1U << use;
	/* A form of two others, not of use alone. */
	if (!(out->use & ~(1U << HV_USE_EX)))
		return "nothing it offers is to be used";
	return NULL;
}

void hv_features_text(const struct hv_features *features, u32 line, char *out, size_t size)
{
	enum hv_use use;
	bool first = true;
	size_t at;

	at = (size_t)pv_port_format(out, size, line ? "not used:" : "uses");
	for (use = 0; use < HV_USE_COUNT && at < size; use++) {
		bool used = features->use >> use & 1;
		const char *why = used ? NULL : why_not(features, use);

		if (used == !!line)
			continue;
		/* All was there, and did not work. */
		if (!used && !why)
			why = "refused";
		at += (size_t)pv_port_format(out + at, size - at, why ? "%s %s (%s)" : "%s %s",
					     first ? "" : ",", uses[use].name, why);
		first = false;
	}
	if (first && at < size)
		pv_port_format(out + at, size - at, " nothing");
}
