// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-hyperv: which enlightenments may be used on a machine, told by its
 * CPUID leaves, and CPU masks in the hypervisor's numbering.
 */
#include <stdio.h>

#include "../../backends/hyperv/internal.h"
#include "unit.h"
#include "../../pvops/internal.h"

/* --- machines --- */

static struct {
	struct pv_cpuid leaf;
	u32 nr;
} leaves[8];
static u32 leaf_count;

static void replay(struct pv_cpuid *regs)
{
	u32 nr = regs->eax, i;

	*regs = (struct pv_cpuid){ 0 };
	for (i = 0; i < leaf_count; i++)
		if (leaves[i].nr == nr)
			*regs = leaves[i].leaf;
}

static void set(u32 nr, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	u32 i;

	for (i = 0; i < leaf_count && leaves[i].nr != nr; i++)
		;
	leaf_count += i == leaf_count;
	leaves[i].nr = nr;
	leaves[i].leaf = (struct pv_cpuid){ eax, ebx, ecx, edx };
}

static void set_name(u32 nr, u32 eax, const char *name)
{
	u32 word[3] = { 0 };

	memcpy(word, name, strlen(name));
	set(nr, eax, word[0], word[1], word[2]);
}

#define ALL_PRIVILEGES	(HV_PRIV_REF_COUNTER | HV_PRIV_SYNTIMER | HV_PRIV_APIC |	\
			 HV_PRIV_HYPERCALL | HV_PRIV_VP_INDEX | HV_PRIV_RESET |		\
			 HV_PRIV_REF_TSC | HV_PRIV_FREQUENCY)
#define ALL_FEATURES	(HV_FEAT_FREQUENCY | HV_FEAT_CRASH | HV_FEAT_STIMER_DIRECT)
#define ALL_HINTS	(HV_HINT_REMOTE_FLUSH | HV_HINT_APIC_MSR | HV_HINT_RESET_MSR |	\
			 HV_HINT_CLUSTER_IPI | HV_HINT_EX_MASKS)
#define ALL_USES	((1U << HV_USE_COUNT) - 1)

/* One that offers and recommends everything. */
static int generous(void **state)
{
	fresh(state);
	leaf_count = 0;
	set(1, 0, 0, 1U << 31, 0);
	set_name(0x40000000, 0x4000000a, "Microsoft Hv");
	set(0x40000001, 0x31237648, 0, 0, 0);
	set(0x40000003, ALL_PRIVILEGES, 0, 0, ALL_FEATURES);
	set(0x40000004, ALL_HINTS, 0, 0, 0);
	return 0;
}

#define TEST_ON(function)	cmocka_unit_test_setup(function, generous)

static struct pv_platform platform = { .cpuid = replay };

static void assert_no(const char *why)
{
	struct pvhyperv_features found;
	const char *said;

	pv_cpuid_scan(&platform);
	said = pvhyperv_features_read(&platform, &found);
	assert_non_null(said);
	if (!strstr(said, why))
		fail_msg("said: %s; expected: %s", said, why);
}

static struct pvhyperv_features read_all(void)
{
	struct pvhyperv_features found;
	const char *why;

	pv_cpuid_scan(&platform);
	why = pvhyperv_features_read(&platform, &found);
	if (why)
		fail_msg("not usable: %s", why);
	return found;
}

/* --- the interface as a whole --- */

static void all_that_is_offered_is_used(void **state)
{
	struct pvhyperv_features found = read_all();
	char line[200];

	(void)state;
	assert_int_equal(found.use, ALL_USES);
	assert_false(found.imitated);
	pvhyperv_features_text(&found, 0, line, sizeof(line));
	assert_string_equal(line, "uses remote TLB flush, IPI, sparse VP sets, lazy EOI, "
			    "reference clock, synthetic timer, TSC frequency, reset, crash report");
	pvhyperv_features_text(&found, 1, line, sizeof(line));
	assert_string_equal(line, "not used: nothing");
}

static void no_hypervisor_is_refused(void **state)
{
	(void)state;
	set(1, 0, 0, 0, 0);
	assert_no("no hypervisor");
}

static void the_interface_is_known_by_its_signature(void **state)
{
	(void)state;
	set(0x40000001, 0x0100007b, 0, 0, 0);
	assert_no("no Hyper-V interface");
}

static void truncated_leaves_are_refused(void **state)
{
	static const u32 none[] = { 0, 0x16, 0x40000000, 0x80000008, 0x40010000, ~0U };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(none); i++) {
		set_name(0x40000000, none[i], "Microsoft Hv");
		assert_no("no Hyper-V interface");
	}
	set_name(0x40000000, 0x40000001, "Microsoft Hv");
	assert_no("end before the recommendations");
	set_name(0x40000000, 0x40000003, "Microsoft Hv");
	assert_no("end before the recommendations");
	set_name(0x40000000, 0x40000004, "Microsoft Hv");
	assert_int_equal(read_all().use, ALL_USES);
}

static void interface_without_identity_is_refused(void **state)
{
	(void)state;
	set(0x40000003, ALL_PRIVILEGES & ~HV_PRIV_HYPERCALL, 0, 0, ALL_FEATURES);
	assert_no("no privilege to set");
}

static void isolated_guest_is_refused(void **state)
{
	(void)state;
	set(0x40000003, ALL_PRIVILEGES, 1U << 22, 0, ALL_FEATURES);
	assert_no("isolated");
}

/* QEMU with hv-relaxed only. */
static void empty_interface_is_refused(void **state)
{
	(void)state;
	set(0x40000003, HV_PRIV_HYPERCALL, 0, 0, 0);
	set(0x40000004, 1U << 5, 0, 0, 0);
	assert_no("it offers nothing");
	/* A form of calls that are not offered is nothing. */
	set(0x40000003, HV_PRIV_HYPERCALL | HV_PRIV_VP_INDEX, 0, 0, 0);
	set(0x40000004, HV_HINT_EX_MASKS, 0, 0, 0);
	assert_no("it offers nothing");
}

/* --- each enlightenment, without each of what it needs --- */

static const struct {
	enum pvhyperv_use use;
	u32 privileges;
	u32 features;
	u32 hints;
	const char *name;
} needs[] = {
	{ HV_USE_FLUSH, HV_PRIV_VP_INDEX, 0, HV_HINT_REMOTE_FLUSH, "remote TLB flush" },
	{ HV_USE_IPI, HV_PRIV_VP_INDEX, 0, HV_HINT_CLUSTER_IPI, "IPI" },
	{ HV_USE_EX, HV_PRIV_VP_INDEX, 0, HV_HINT_EX_MASKS, "sparse VP sets" },
	{ HV_USE_EOI, HV_PRIV_APIC, 0, HV_HINT_APIC_MSR, "lazy EOI" },
	{ HV_USE_CLOCK, HV_PRIV_REF_TSC, 0, 0, "reference clock" },
	{ HV_USE_CLOCK, HV_PRIV_REF_COUNTER, 0, 0, "reference clock" },
	{ HV_USE_TIMER, HV_PRIV_SYNTIMER, HV_FEAT_STIMER_DIRECT, 0, "synthetic timer" },
	{ HV_USE_FREQUENCY, HV_PRIV_FREQUENCY, HV_FEAT_FREQUENCY, 0, "TSC frequency" },
	{ HV_USE_RESET, HV_PRIV_RESET, 0, HV_HINT_RESET_MSR, "reset" },
	{ HV_USE_CRASH, 0, HV_FEAT_CRASH, 0, "crash report" },
};

static void assert_not_used(size_t i, u32 privileges, u32 features, u32 hints, const char *why)
{
	struct pvhyperv_features found;
	char line[300], want[80];

	set(0x40000003, ALL_PRIVILEGES & ~privileges, 0, 0, ALL_FEATURES & ~features);
	set(0x40000004, ALL_HINTS & ~hints, 0, 0, 0);
	found = read_all();
	assert_false(found.use >> needs[i].use & 1);
	pvhyperv_features_text(&found, 0, line, sizeof(line));
	snprintf(want, sizeof(want), " %s", needs[i].name);
	assert_null(strstr(line, want));
	pvhyperv_features_text(&found, 1, line, sizeof(line));
	snprintf(want, sizeof(want), " %s (%s)", needs[i].name, why);
	if (!strstr(line, want))
		fail_msg("no \"%s\" in: %s", want, line);
}

static void missing_feature_is_not_used_and_is_logged(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(needs); i++) {
		if (needs[i].privileges)
			assert_not_used(i, needs[i].privileges, 0, 0, "no privilege");
		if (needs[i].features)
			assert_not_used(i, 0, needs[i].features, 0, "not offered");
		if (needs[i].hints)
			assert_not_used(i, 0, 0, needs[i].hints, "not recommended");
	}
}

/* What one lacks does not take another away, but for the timer its clock. */
static void missing_feature_disables_no_other(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(needs); i++) {
		u32 gone = 1U << needs[i].use;

		if (needs[i].privileges == HV_PRIV_VP_INDEX)
			continue;
		if (needs[i].use == HV_USE_CLOCK)
			gone |= 1U << HV_USE_TIMER;
		set(0x40000003, ALL_PRIVILEGES & ~needs[i].privileges, 0, 0,
		    ALL_FEATURES & ~needs[i].features);
		set(0x40000004, ALL_HINTS & ~needs[i].hints, 0, 0, 0);
		assert_int_equal(read_all().use, ALL_USES & ~gone);
	}
}

static void the_timer_needs_the_clock(void **state)
{
	struct pvhyperv_features found;
	char line[200];

	(void)state;
	set(0x40000003, ALL_PRIVILEGES & ~HV_PRIV_REF_TSC, 0, 0, ALL_FEATURES);
	found = read_all();
	pvhyperv_features_text(&found, 1, line, sizeof(line));
	assert_string_equal(line, "not used: reference clock (no privilege), "
			    "synthetic timer (no reference clock)");
}

static void text_fits_any_buffer(void **state)
{
	struct pvhyperv_features found = read_all();
	char line[64];
	size_t size;

	(void)state;
	for (size = 1; size < sizeof(line); size++) {
		memset(line, 'x', sizeof(line));
		pvhyperv_features_text(&found, 0, line, size);
		assert_in_range(strlen(line), 0, size - 1);
		assert_int_equal(line[size], 'x');
	}
}

/* What the user left to native was neither refused nor missing. */
static void feature_left_to_native_is_logged(void **state)
{
	struct pvhyperv_features found = read_all();
	char line[200];

	(void)state;
	found.use &= ~(1U << HV_USE_EOI | 1U << HV_USE_RESET);
	found.left = 1U << HV_USE_EOI;
	pvhyperv_features_text(&found, 1, line, sizeof(line));
	assert_string_equal(line, "not used: lazy EOI (left to native), reset (refused)");
}

/* --- hypervisors that imitate it --- */

static void imitated_interface_is_detected(void **state)
{
	(void)state;
	set_name(0x40000100, 0x40000101, "KVMKVMKVM");
	assert_true(read_all().imitated);
	set_name(0x40000100, 0, "KVMKVMKVM");
	assert_true(read_all().imitated);
	set_name(0x40000100, 0x40000105, "XenVMMXenVMM");
	assert_true(read_all().imitated);
}

static void another_vendor_imitates_the_interface(void **state)
{
	static const char *const names[] = {
		"VMwareVMware", "VBoxVBoxVBox", " prl hyperv ", "Linux KVM Hv", "Microsoft Hw", "",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		set_name(0x40000000, 0x4000000a, names[i]);
		assert_true(read_all().imitated);
	}
}

static void invalid_leaves_are_no_second_hypervisor(void **state)
{
	(void)state;
	/* Absent leaves repeat the last basic one on real processors, or are 0. */
	set_name(0x40000100, 0x16, "GenuineIntel");
	assert_false(read_all().imitated);
	set_name(0x40000100, 0x40010000, "KVMKVMKVM");
	assert_false(read_all().imitated);
	set_name(0x40000100, 0, "");
	assert_false(read_all().imitated);
}

/* --- VP sets --- */

static void mask_has_the_vps_below_64(void **state)
{
	static const u32 vp[PV_MAX_CPUS] = { 63, 0 };
	static const u32 one[PV_MAX_CPUS] = { HV_VP_UNKNOWN, 5 };
	struct pv_cpumask cpus = { { 3 } };

	(void)state;
	assert_true(pvhyperv_vp_mask(&cpus, vp) == (1ULL << 63 | 1));
	/* A CPU that never ran has nothing in its TLB. */
	assert_int_equal(pvhyperv_vp_mask(&cpus, one), 1U << 5);
	cpus.word[0] = 1;
	assert_int_equal(pvhyperv_vp_mask(&cpus, one), 0);
	cpus.word[0] = 0;
	assert_int_equal(pvhyperv_vp_mask(&cpus, vp), 0);
	/* CPUs that the kernel was not built for. */
	cpus = (struct pv_cpumask){ { ~3ULL } };
	assert_int_equal(pvhyperv_vp_mask(&cpus, vp), 0);
}

static void assert_set(u64 cpus, const u32 *vp, u32 banks, u64 valid, u64 first, u64 second)
{
	const struct pv_cpumask mask = { { cpus } };
	u64 out[2 + HV_SET_BANKS];
	u32 i;

	memset(out, 0xa5, sizeof(out));
	assert_int_equal(pvhyperv_vp_set(&mask, vp, out), banks);
	assert_int_equal(out[0], 0);
	assert_true(out[1] == valid);
	if (banks > 0)
		assert_true(out[2] == first);
	if (banks > 1)
		assert_true(out[3] == second);
	for (i = 2 + banks; i < COUNT(out); i++)
		assert_true(out[i] == 0xa5a5a5a5a5a5a5a5);
}

static void sets_have_only_the_banks_they_need(void **state)
{
	static const u32 near[PV_MAX_CPUS] = { 3, 0 };
	static const u32 far[PV_MAX_CPUS] = { 70, 4095 };
	static const u32 back[PV_MAX_CPUS] = { 4095, 70 };
	static const u32 same[PV_MAX_CPUS] = { 130, 191 };
	static const u32 one[PV_MAX_CPUS] = { HV_VP_UNKNOWN, 64 };

	(void)state;
	assert_set(3, near, 1, 1, 9, 0);
	/* In order of bank, whatever the order of CPUs. */
	assert_set(3, far, 2, 1ULL << 63 | 2, 1ULL << 6, 1ULL << 63);
	assert_set(3, back, 2, 1ULL << 63 | 2, 1ULL << 6, 1ULL << 63);
	assert_set(2, far, 1, 1ULL << 63, 1ULL << 63, 0);
	assert_set(3, same, 1, 4, 1ULL << 63 | 4, 0);
	assert_set(3, one, 1, 2, 1, 0);
	assert_set(1, one, 0, 0, 0, 0);
	assert_set(0, far, 0, 0, 0, 0);
}

static void cpus_that_never_ran_are_left_out(void **state)
{
	static const u32 vp[PV_MAX_CPUS] = { HV_VP_UNKNOWN, 70 };
	static const struct pv_cpumask none, first = { { 1 } }, second = { { 2 } };
	static const struct pv_cpumask both = { { 3 } };
	static const struct pv_cpumask beyond = { { ~3ULL } };

	(void)state;
	assert_true(pvhyperv_nobody(&none, vp));
	assert_true(pvhyperv_nobody(&first, vp));
	assert_true(pvhyperv_nobody(&beyond, vp));
	assert_false(pvhyperv_nobody(&second, vp));
	assert_false(pvhyperv_nobody(&both, vp));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_ON(all_that_is_offered_is_used),
		TEST_ON(no_hypervisor_is_refused),
		TEST_ON(the_interface_is_known_by_its_signature),
		TEST_ON(truncated_leaves_are_refused),
		TEST_ON(interface_without_identity_is_refused),
		TEST_ON(isolated_guest_is_refused),
		TEST_ON(empty_interface_is_refused),
		TEST_ON(missing_feature_is_not_used_and_is_logged),
		TEST_ON(missing_feature_disables_no_other),
		TEST_ON(the_timer_needs_the_clock),
		TEST_ON(text_fits_any_buffer),
		TEST_ON(feature_left_to_native_is_logged),
		TEST_ON(imitated_interface_is_detected),
		TEST_ON(another_vendor_imitates_the_interface),
		TEST_ON(invalid_leaves_are_no_second_hypervisor),
		TEST_ON(mask_has_the_vps_below_64),
		TEST_ON(cpus_that_never_ran_are_left_out),
		TEST_ON(sets_have_only_the_banks_they_need),
	};

	return RUN(tests);
}
