// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The usable parts of the interface: TLFS, Feature and Interface Discovery.
 *
 * Three bits decide on each enlightenment.  The privilege says that the guest may use
 * it, the feature that it exists, the recommendation that it is faster: a hypervisor
 * that does not recommend its hypercall has better hardware support.  No function here
 * touches the machine.
 */
#include "internal.h"

/* TLFS: leaves up to this one always exist. */
#define LEAF_LEAST	HV_CPUID_HINTS
/* 0x40000003 EBX: Isolation; the hypervisor cannot read the pages of such a guest. */
#define PRIV_ISOLATION	(1U << 22)

#define CALLS		(HV_PRIV_HYPERCALL | HV_PRIV_VP_INDEX)

static const struct {
	const char *name;
	u32 privileges;
	u32 features;
	u32 hints;
	/* Bits of enum pvhyperv_use, which come before this one. */
	u32 needs;
} uses[HV_USE_COUNT] = {
	[HV_USE_FLUSH] = { "remote TLB flush", CALLS, 0, HV_HINT_REMOTE_FLUSH, 0 },
	[HV_USE_IPI] = { "IPI", CALLS, 0, HV_HINT_CLUSTER_IPI, 0 },
	[HV_USE_EX] = { "sparse VP sets", CALLS, 0, HV_HINT_EX_MASKS, 0 },
	[HV_USE_EOI] = { "lazy EOI", HV_PRIV_APIC, 0, HV_HINT_APIC_MSR, 0 },
	/* While the page is not valid, the counter is read; so both are needed. */
	[HV_USE_CLOCK] = { "reference clock", HV_PRIV_REF_TSC | HV_PRIV_REF_COUNTER, 0, 0, 0 },
	/* Counts in the reference clock's time. */
	[HV_USE_TIMER] = { "synthetic timer", HV_PRIV_SYNTIMER, HV_FEAT_STIMER_DIRECT, 0,
			   1U << HV_USE_CLOCK },
	[HV_USE_FREQUENCY] = { "TSC frequency", HV_PRIV_FREQUENCY, HV_FEAT_FREQUENCY, 0, 0 },
	[HV_USE_RESET] = { "reset", HV_PRIV_RESET, 0, HV_HINT_RESET_MSR, 0 },
	[HV_USE_CRASH] = { "crash report", 0, HV_FEAT_CRASH, 0, 0 },
};

static const char *why_not(const struct pvhyperv_features *hv, enum pvhyperv_use use)
{
	if (uses[use].privileges & ~hv->privileges)
		return "no privilege";
	if (uses[use].features & ~hv->features)
		return "not offered";
	if (uses[use].hints & ~hv->hints)
		return "not recommended";
	if (uses[use].needs & ~hv->use)
		return "no reference clock";
	return NULL;
}

/*
 * KVM, Xen and others offer this interface, beside their own, to guests that do not know
 * them.  Their own interface needs no translation.  So an imitated interface comes behind
 * every real one, whatever the link order, and before native.
 */
/* The last real one, because all others can imitate this interface. */
#define SCORE_REAL	(PV_SCORE_GUEST - 3)

/*
 * The signature identifies the interface; the vendor's name is only informative.  But a
 * hypervisor with another name imitates.  So does one that shows its own name at the
 * next base, 0x100 higher (KVM), or at a later one.
 */
static bool is_imitated(const struct pv_platform *platform)
{
	return !pv_cpuid_same(platform->range[0].name, "Microsoft Hv") || platform->ranges > 1;
}

const char *pvhyperv_features_read(const struct pv_platform *platform,
				   struct pvhyperv_features *out)
{
	const struct pv_cpuid_range *range = &platform->range[0];
#define LEAF(nr)	(range->leaf[(nr) - HV_CPUID_BASE - 1])
	enum pvhyperv_use use;

	*out = (struct pvhyperv_features){ 0 };
	if (!platform->hypervisor)
		return "no hypervisor";
	/* TLFS: the interface's leaves are the first ones. */
	if (!platform->ranges || range->base != HV_CPUID_BASE ||
	    LEAF(HV_CPUID_INTERFACE).eax != HV_INTERFACE)
		return "no Hyper-V interface";
	if (range->last < LEAF_LEAST)
		return "its CPUID leaves end before the recommendations";
	out->privileges = LEAF(HV_CPUID_FEATURES).eax;
	out->features = LEAF(HV_CPUID_FEATURES).edx;
	out->hints = LEAF(HV_CPUID_HINTS).eax;
	out->imitated = is_imitated(platform);
	if (LEAF(HV_CPUID_FEATURES).ebx & PRIV_ISOLATION)
		return "an isolated guest shares no pages with the hypervisor";
#undef LEAF
	/* TLFS: a guest writes its identity before it uses the interface. */
	if (!(out->privileges & HV_PRIV_HYPERCALL))
		return "no privilege to set the guest OS ID";
	for (use = 0; use < HV_USE_COUNT; use++)
		if (!why_not(out, use))
			out->use |= 1U << use;
	/* Sparse VP sets are only a form of two other uses. */
	if (!(out->use & ~(1U << HV_USE_EX)))
		return "it offers nothing that the backend uses";
	return NULL;
}

void pvhyperv_features_text(const struct pvhyperv_features *features, u32 line, char *out,
			    size_t size)
{
	enum pvhyperv_use use;
	bool first = true;
	size_t at;

	at = (size_t)pv_port_format(out, size, line ? "not used:" : "uses");
	for (use = 0; use < HV_USE_COUNT && at < size; use++) {
		bool used = features->use >> use & 1;
		const char *why = used ? NULL : why_not(features, use);

		if (used == !!line)
			continue;
		/* CPUID offered all of it, but it did not work. */
		if (!used && !why)
			why = features->left >> use & 1 ? "left to native" : "refused";
		at += (size_t)pv_port_format(out + at, size - at, why ? "%s %s (%s)" : "%s %s",
					     first ? "" : ",", uses[use].name, why);
		first = false;
	}
	if (first && at < size)
		pv_port_format(out + at, size - at, " nothing");
}

int pvhyperv_detect(const struct pv_platform *platform, const char **why)
{
	struct pvhyperv_features found;

	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	*why = pvhyperv_features_read(platform, &found);
	if (*why)
		return PV_SCORE_NONE;
	return found.imitated ? PV_SCORE_IMITATED : SCORE_REAL;
}
