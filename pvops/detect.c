// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Detection: the hypervisor that CPUID names, each backend's score, and the best backend. */
#include "internal.h"

/* Each backend's result of detect(), in link order. */
static struct pv_candidate candidates[PV_BACKENDS];

/*
 * Names of hypervisors without a backend.  Their guests run natively, or by another
 * hypervisor's interface that they offer.  The signatures have no blanks here, because
 * published lists disagree on the blanks.  Sources: FreeBSD, sys/amd64/vmm/x86.c
 * (bhyve); Linux, arch/x86/include/asm/acrn.h; QEMU itself; public lists of CPUID
 * vendors for VirtualBox and for Parallels, whose signature occurs in both byte orders.
 */
static const char *const other_names[][2] = {
	{ "VBoxVBoxVBox", "VirtualBox" },
	{ "prlhyperv", "Parallels" },
	{ "lrpepyhvr", "Parallels" },
	{ "bhyvebhyve", "bhyve" },
	{ "ACRNACRNACRN", "ACRN" },
	{ "TCGTCGTCGTCG", "QEMU TCG" },
};

static const char *other_name(const char *signature)
{
	u32 nr;

	for (nr = 0; nr < sizeof(other_names) / sizeof(other_names[0]); nr++) {
		const char *want = other_names[nr][0], *is = signature;

		for (; *is; is++)
			if (*is != ' ' && *is != *want++)
				break;
		if (!*is && !*want)
			return other_names[nr][1];
	}
	return NULL;
}

/* Any vendor may offer the interface "Hv#1": TLFS, leaf 0x40000001. */
static bool shows_hv1(const struct pv_cpuid_range *range)
{
	return range->base == 0x40000000 && range->leaf[0].eax == 0x31237648;
}

static void name_hypervisors(const struct pv_platform *platform)
{
	u32 nr, i;

	for (nr = 0; nr < platform->ranges; nr++) {
		const struct pv_cpuid_range *range = &platform->range[nr];
		const char *other = other_name(range->name);
		char name[sizeof(range->name)];

		for (i = 0; range->name[i]; i++)
			name[i] = pv_printable(range->name[i]);
		name[i] = '\0';
		pv_add_line(detected, "CPUID 0x%x: hypervisor \"%s\"%s%s%s%s", range->base, name,
			    other ? " (" : "", other ? other : "", other ? ")" : "",
			    shows_hv1(range) ? ", interface Hv#1" : other ? ", no interface" : "");
	}
	if (platform->more_ranges)
		pv_add_line(detected, "CPUID: more than %u hypervisors: the layer ignores the others",
			    PV_CPUID_RANGES);
}

struct pv_candidate *pv_candidate_of(const struct pv_backend *backend)
{
	u32 nr = 0;

	while (__pv_backends_start[nr] != backend)
		nr++;
	return &candidates[nr];
}

/* Returns the backend with the highest score that has not failed; the first of equals. */
const struct pv_backend *pv_detect_best(void)
{
	const struct pv_backend *found = NULL;
	int high = PV_SCORE_NONE;
	u32 nr;

	for (nr = 0; nr < pv_backend_count(); nr++)
		if (!candidates[nr].failed && candidates[nr].score > high) {
			high = candidates[nr].score;
			found = __pv_backends_start[nr];
		}
	return found;
}

void pv_detect_all(const struct pv_platform *platform)
{
	u32 nr;

	name_hypervisors(platform);
	for (nr = 0; nr < pv_backend_count(); nr++) {
		const struct pv_backend *backend = __pv_backends_start[nr];
		struct pv_candidate *c = &candidates[nr];

		*c = (struct pv_candidate){ .why = "the backend gives no reason" };
		c->score = backend->detect(platform, &c->why);
		if (c->score > PV_SCORE_NONE)
			pv_add_line(detected, "%s: %s (score %d)", backend->name, backend->title,
				    c->score);
		else
			pv_add_line(detected, "%s: no: %s", backend->name, c->why);
	}
}
