// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-cpuid: any CPUID, asked by every backend's detection.
 *
 * First bytes: is the hypervisor bit set, privilege level, a start of day, is memory
 * encrypted.  Then leaves, 8 bytes each: which one, a name that some hypervisor really
 * has or none, EAX near the leaf or anything.  What detection finds must be there, and
 * what is there must be found; CPUID is executed as often as allowed, and no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../backends/hyperv/internal.h"
#include "../../backends/kvm/internal.h"
#include "../../backends/vmware/internal.h"
#include "../../backends/xen/internal.h"
#include "../../pvops/internal.h"
#include "check.h"
#include "fake_backend.h"
#include "host_port.h"

#define HEAD		4
#define RECORD		8
#define LEAVES_MAX	24

/* As these hypervisors have it, and how people call those without a backend. */
static const struct {
	char signature[13];
	const char *shown;
} names[] = {
	{ "KVMKVMKVM\0\0\0", NULL }, { "XenVMMXenVMM", NULL }, { "Microsoft Hv", NULL },
	{ "VMwareVMware", NULL }, { "VBoxVBoxVBox", "VirtualBox" }, { " lrpepyh  vr", "Parallels" },
	{ " prl hyperv ", "Parallels" }, { "bhyve bhyve ", "bhyve" }, { "TCGTCGTCGTCG", "QEMU TCG" },
	{ "ACRNACRNACRN", "ACRN" }, { "AuthenticAMD", NULL }, { "GenuineIntel", NULL },
};

#define NAME_COUNT	(sizeof(names) / sizeof(names[0]))
#define NAME_KVM	0
#define NAME_XEN	1
#define NAME_VMWARE	3

/* Leaves that can be there: 0 and 1, and the first of the first bases. */
#define BASES		8
#define BASE_LEAVES	32

struct leaf {
	u32 nr;
	u32 name;	/* index of names; NAME_COUNT: none of them */
	struct pv_cpuid regs;
};

static struct leaf leaves[LEAVES_MAX];
static u32 leaf_count;
/* Which of them answers, by number, + 1. */
static u8 low[2], high[BASES][BASE_LEAVES];
static bool hypervisor;
static u32 asked;

/* What detection may cost: struct pv_platform. */
#define CPUIDS_MOST	48

static u8 *place_of(u32 nr)
{
	u32 offset = nr - 0x40000000;

	if (nr < 2)
		return &low[nr];
	if (offset >= BASES * 0x100 || offset % 0x100 >= BASE_LEAVES)
		return NULL;
	return &high[offset / 0x100][offset % 0x100];
}

static const struct leaf *leaf_of(u32 nr)
{
	const u8 *place = place_of(nr);

	return place && *place ? &leaves[*place - 1] : NULL;
}

static void forget_leaves(void)
{
	while (leaf_count)
		*place_of(leaves[--leaf_count].nr) = 0;
}

static void replay(struct pv_cpuid *regs)
{
	static const struct pv_cpuid none;
	const struct leaf *leaf = leaf_of(regs->eax);
	bool is_one = regs->eax == 1;

	CHECK(asked++ < (hypervisor ? CPUIDS_MOST : 2));
	*regs = leaf ? leaf->regs : none;
	if (is_one)
		regs->ecx = (regs->ecx & ~(1U << 31)) | (u32)hypervisor << 31;
}

static void read_leaf(const u8 *record)
{
	u32 nr = record[0] & 0x80 ? record[0] & 1 :
		 0x40000000U + record[0] % BASES * 0x100U + record[1] % BASE_LEAVES;
	struct pv_cpuid *regs = &leaves[leaf_count].regs;
	u8 *place = place_of(nr);

	leaves[leaf_count].nr = nr;
	leaves[leaf_count].name = NAME_COUNT;
	memcpy(&regs->ebx, record + 4, 4);
	regs->ecx = regs->ebx * 0x9e3779b9U;
	regs->edx = ~regs->ebx;
	regs->eax = record[1] & 0x80 ? regs->ebx : nr + record[3];
	/* "Hv#1" of TLFS. */
	if (record[1] & 0x40)
		regs->eax = 0x31237648;
	if (record[2] < NAME_COUNT) {
		leaves[leaf_count].name = record[2];
		memcpy(&regs->ebx, names[record[2]].signature, 4);
		memcpy(&regs->ecx, names[record[2]].signature + 4, 4);
		memcpy(&regs->edx, names[record[2]].signature + 8, 4);
	}
	leaf_count++;
	/* The first one counts. */
	if (!*place)
		*place = (u8)leaf_count;
}

/* Does the leaf that answers for a number say this name? */
static bool named(u32 nr, u32 name)
{
	const struct leaf *leaf = leaf_of(nr);

	return leaf && leaf->name == name;
}

/* Is there an interface?  EAX is its last leaf; 0 on old KVM alone. */
static bool is_range(u32 base)
{
	const struct leaf *leaf = leaf_of(base);

	if (!leaf)
		return false;
	if (!leaf->regs.eax)
		return leaf->name == NAME_KVM;
	return leaf->regs.eax >= base && leaf->regs.eax < 0x40010000;
}

/* Where the first interface of this name is, as far as there is one behind another; or 0. */
static u32 base_of(u32 name)
{
	u32 base;

	for (base = 0x40000000; base < 0x40000000 + PV_CPUID_RANGES * 0x100 && is_range(base);
	     base += 0x100)
		if (named(base, name))
			return base;
	return 0;
}

/* Hypervisors are named in order; those without a backend as people know them. */
static void check_names(struct pv_platform *platform)
{
	const char *line;
	u32 nr, base = 0x40000000;

	host_port_reset();
	fake_reset();
	fake_backend[FAKE_NATIVE].score = 1;
	asked = 0;
	pv_init(platform, "");
	CHECK(pv_backend() == &native_backend);
	for (nr = 0; (line = pv_detected(nr)); nr++) {
		unsigned int at;
		u32 i;

		if (sscanf(line, "CPUID 0x%x:", &at) != 1)
			continue;
		CHECK(hypervisor && at == base && is_range(at));
		base += 0x100;
		for (i = 0; i < NAME_COUNT; i++)
			if (names[i].shown && named(at, i))
				CHECK(strstr(line, names[i].shown));
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct hvm_start_info pvh = { .magic = XEN_HVM_START_MAGIC_VALUE };
	struct pv_platform platform = { .cpuid = replay };
	const struct pv_cpuid_range *leaves;
	struct pvhyperv_features features;
	struct pvkvm_offer offer;
	enum pvxen_guest guest;
	const char *why, *hv_why;
	u32 base, line;
	int score;

	if (size < HEAD)
		return -1;
	hypervisor = data[0] & 1;
	platform.cpl = data[0] & 2 ? 3 : 0;
	platform.hvm_start_info = data[0] & 4 ? &pvh : NULL;
	platform.memory_encrypted = data[0] & 8;
	forget_leaves();
	data += HEAD;
	for (size -= HEAD; size >= RECORD && leaf_count < LEAVES_MAX; size -= RECORD) {
		read_leaf(data);
		data += RECORD;
	}
	asked = 0;
	pv_cpuid_scan(&platform);
	CHECK(asked >= 2 && platform.hypervisor == hypervisor);

	offer = pvkvm_find(&platform);
	CHECK(offer.base == (hypervisor ? base_of(NAME_KVM) : 0));
	why = NULL;
	score = pvkvm_detect(&platform, &why);
	CHECK(score <= PV_SCORE_NONE || (!platform.cpl && !platform.memory_encrypted &&
					 offer.features));
	CHECK(score > PV_SCORE_NONE || why);

	guest = pvxen_guest_type(&platform, &leaves);
	base = hypervisor && !platform.cpl ? base_of(NAME_XEN) : 0;
	CHECK((leaves ? leaves->base : 0) == base);
	if (base && leaf_of(base)->regs.eax < base + 2)
		CHECK(guest == PVXEN_NONE);
	else
		CHECK(guest == (base ? platform.hvm_start_info ? PVXEN_PVH : PVXEN_HVM : PVXEN_NONE));
	why = NULL;
	score = pvxen_hvm_detect(&platform, &why);
	CHECK(score > PV_SCORE_NONE ? guest != PVXEN_NONE && !platform.memory_encrypted : !!why);

	hv_why = pvhyperv_features_read(&platform, &features);
	if (!hv_why)
		CHECK(hypervisor && features.use && features.privileges & HV_PRIV_HYPERCALL);
	for (line = 0; !hv_why && line < 2; line++) {
		char text[160];

		memset(text, 1, sizeof(text));
		pvhyperv_features_text(&features, line, text, sizeof(text));
		CHECK(memchr(text, 0, sizeof(text)));
	}

	CHECK((pvhyperv_detect(&platform, &why) > PV_SCORE_NONE) ==
	      (!hv_why && !platform.cpl && !platform.memory_encrypted));

	score = pvvmware_detect(&platform, &why);
	CHECK((score > PV_SCORE_NONE) == (hypervisor && !platform.cpl &&
					  !platform.memory_encrypted && base_of(NAME_VMWARE)));
	CHECK(!(pvvmware_way(&platform) & ~(VMWARE_VMCALL | VMWARE_VMMCALL)));

	check_names(&platform);
	return 0;
}
