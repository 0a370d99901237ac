// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-kvm: what the KVM backend makes of CPUID.  The machines are recorded
 * ones (KVM of Linux 6.1 below QEMU 7.2), and some that nobody has seen.
 */
#include "unit.h"
#include "../../pvops/internal.h"
#include "../../backends/kvm/internal.h"

struct leaf {
	u32 nr;
	u32 eax;
	char name[13];	/* ebx, ecx, edx */
};

#define LEAVES	5

struct machine {
	struct leaf leaf[LEAVES];
	u32 features_at;
	u32 features;
	u32 hints;
};

/* Leaf 0 has its name in the order ebx, edx, ecx. */
#define AMD	{ 0, 0x10, "AuthcAMDenti" }
#define HYGON	{ 0, 0x10, "HygouinenGen" }
#define INTEL	{ 0, 0x16, "GenuntelineI" }
#define SEEN	0x01007afbU

static const struct machine kvm_amd = {
	{ AMD, { 0x40000000, 0x40000001, "KVMKVMKVM" } }, 0x40000001, SEEN, 0,
};
static const struct machine kvm_hygon = {
	{ HYGON, { 0x40000000, 0x40000001, "KVMKVMKVM" } }, 0x40000001, SEEN, 0,
};
static const struct machine kvm_intel = {
	{ INTEL, { 0x40000000, 0x40000001, "KVMKVMKVM" } }, 0x40000001, SEEN, 1,
};
/* -cpu host,hv-relaxed,hv-vpindex,hv-time: Hyper-V's leaves come first. */
static const struct machine kvm_hyperv = {
	{ AMD, { 0x40000000, 0x40000005, "Microsoft Hv" },
	  { 0x40000100, 0x40000101, "KVMKVMKVM" } }, 0x40000101, SEEN, 0,
};
/* The last place where it is looked for, and behind it. */
static const struct machine kvm_last = {
	{ AMD, { 0x40000000, 0x40000001, "a" }, { 0x40000100, 0x40000101, "b" },
	  { 0x40000200, 0x40000201, "c" }, { 0x40000300, 0x40000301, "KVMKVMKVM" } },
	0x40000301, SEEN, 0,
};
static const struct machine kvm_beyond = {
	{ { 0x40000000, 0x40000001, "a" }, { 0x40000100, 0x40000101, "b" },
	  { 0x40000200, 0x40000201, "c" }, { 0x40000300, 0x40000301, "d" },
	  { 0x40000400, 0x40000401, "KVMKVMKVM" } }, 0x40000401, SEEN, 0,
};
/* Nobody leaves a base out. */
static const struct machine kvm_alone = {
	{ AMD, { 0x40000100, 0x40000101, "KVMKVMKVM" } }, 0x40000101, SEEN, 0,
};
/* Before Linux 3.x; cpuid.rst: to be taken as 0x40000001. */
static const struct machine kvm_old = {
	{ AMD, { 0x40000000, 0, "KVMKVMKVM" } }, 0x40000001, 0x3, 0,
};
static const struct machine kvm_no_leaf = {
	{ AMD, { 0x40000000, 0x40000000, "KVMKVMKVM" } }, 0x40000001, SEEN, 0,
};
/* -cpu host,-kvm-... for each: the name only. */
static const struct machine kvm_empty = {
	{ AMD, { 0x40000000, 0x40000001, "KVMKVMKVM" } }, 0x40000001, 0x0100c410, 0,
};
/* A longer name that begins as KVM's does. */
static const struct machine other = {
	{ AMD, { 0x40000000, 0x40000001, "KVMKVMKVMx" } }, 0x40000001, SEEN, 0,
};
static const struct machine tcg = { { AMD, { 0x40000000, 0x40000001, "TCGTCGTCGTCG" } }, 0, 0, 0 };

static const struct machine *machine;
static bool hypervisor_bit;

static void replay(struct pv_cpuid *regs)
{
	u32 nr = regs->eax, i;

	*regs = (struct pv_cpuid){ 0 };
	if (nr == 1) {
		regs->ecx = hypervisor_bit ? 1U << 31 : 0;
	} else if (nr && nr == machine->features_at) {
		regs->eax = machine->features;
		regs->edx = machine->hints;
	} else {
		for (i = 0; i < LEAVES; i++) {
			const struct leaf *leaf = &machine->leaf[i];

			if (leaf->nr != nr || !leaf->name[0])
				continue;
			regs->eax = leaf->eax;
			memcpy(&regs->ebx, leaf->name, 4);
			memcpy(&regs->ecx, leaf->name + 4, 4);
			memcpy(&regs->edx, leaf->name + 8, 4);
		}
	}
}

static struct pv_platform platform = { .cpuid = replay };

static struct pvkvm_offer find(const struct machine *on)
{
	machine = on;
	hypervisor_bit = true;
	pv_cpuid_scan(&platform);
	return pvkvm_find(&platform);
}

static void assert_offer(const struct machine *on, u32 base, u32 features, bool vmmcall)
{
	struct pvkvm_offer offer = find(on);

	assert_int_equal(offer.base, base);
	assert_int_equal(offer.features, features);
	assert_int_equal(offer.vmmcall, vmmcall);
}

static void kvm_is_found_at_any_base(void **state)
{
	(void)state;
	assert_offer(&kvm_amd, 0x40000000, SEEN, true);
	assert_offer(&kvm_hyperv, 0x40000100, SEEN, true);
	assert_offer(&kvm_last, 0x40000300, SEEN, true);
	assert_offer(&kvm_beyond, 0, 0, false);
	assert_offer(&kvm_alone, 0, 0, false);
}

static void hypercall_instruction_depends_on_the_vendor(void **state)
{
	(void)state;
	assert_offer(&kvm_hygon, 0x40000000, SEEN, true);
	assert_offer(&kvm_intel, 0x40000000, SEEN, false);
}

static void hints_are_read(void **state)
{
	(void)state;
	assert_int_equal(find(&kvm_intel).hints, 1U << KVM_HINTS_REALTIME);
	assert_int_equal(find(&kvm_amd).hints, 0);
}

static void old_and_short_leaves_are_read(void **state)
{
	(void)state;
	assert_offer(&kvm_old, 0x40000000, 0x3, true);
	assert_offer(&kvm_no_leaf, 0x40000000, 0, true);
}

static void assert_score(const struct machine *on, u32 cpl, int score, const char *reason)
{
	const char *why = NULL;

	machine = on;
	platform.cpl = cpl;
	pv_cpuid_scan(&platform);
	assert_int_equal(pvkvm_detect(&platform, &why), score);
	if (reason)
		assert_string_equal(why, reason);
	platform.cpl = 0;
}

static void detection_scores_kvm_and_refuses_others(void **state)
{
	static const char no_signature[] = "no KVM signature in CPUID";

	(void)state;
	hypervisor_bit = true;
	assert_score(&kvm_amd, 0, PV_SCORE_GUEST, NULL);
	assert_score(&kvm_old, 0, PV_SCORE_GUEST, NULL);
	assert_score(&kvm_hyperv, 0, PV_SCORE_GUEST, NULL);
	assert_score(&kvm_amd, 3, PV_SCORE_NONE, "the kernel is not in ring 0");
	assert_score(&kvm_empty, 0, PV_SCORE_NONE, "KVM offers nothing that helps");
	assert_score(&kvm_no_leaf, 0, PV_SCORE_NONE, "KVM offers nothing that helps");
	assert_score(&tcg, 0, PV_SCORE_NONE, no_signature);
	assert_score(&other, 0, PV_SCORE_NONE, no_signature);
	platform.memory_encrypted = true;
	assert_score(&kvm_amd, 0, PV_SCORE_NONE, "memory is encrypted, and no page of it is shared");
	platform.memory_encrypted = false;
	/* Without the hypervisor bit those leaves mean nothing. */
	hypervisor_bit = false;
	assert_score(&kvm_amd, 0, PV_SCORE_NONE, no_signature);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kvm_is_found_at_any_base), TEST(hypercall_instruction_depends_on_the_vendor),
		TEST(hints_are_read),
		TEST(old_and_short_leaves_are_read), TEST(detection_scores_kvm_and_refuses_others),
	};

	return RUN(tests);
}
