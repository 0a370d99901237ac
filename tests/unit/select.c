// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-select: detection and the pvops= word.
 *
 * Three fake backends stand in the image; each test says what they would
 * answer on its machine.  CPUID leaves are recorded ones.
 */
#include <errno.h>
#include <stdio.h>

#include <pvops/version.h>

#include "unit.h"
#include "../../pvops/internal.h"

/* --- recorded machines --- */

struct leaf {
	u32 leaf;
	u32 eax;
	char name[13];
};

struct machine {
	bool hypervisor_bit;
	struct leaf leaf[7];
};

static const struct machine bare = { 0 };
static const struct machine qemu_tcg = {
	true, { { 0x40000000, 0x40000001, "TCGTCGTCGTCG" } },
};
/* KVM's own name is 9 letters and three NULs. */
static const struct machine kvm = {
	true, { { 0x40000000, 0x40000001, "KVMKVMKVM" } },
};
/* Old KVM hosts: Linux's Documentation/virt/kvm/x86/cpuid.rst. */
static const struct machine kvm_old = {
	true, { { 0x40000000, 0, "KVMKVMKVM" }, { 0x40000001, 0x0100007b, "" } },
};
static const struct machine hyperv = {
	true, { { 0x40000000, 0x4000000c, "Microsoft Hv" } },
};
/* QEMU with KVM and hv-*: the imitated interface comes first here, too. */
static const struct machine kvm_hyperv = {
	true, {
		{ 0x40000000, 0x4000000a, "Microsoft Hv" },
		{ 0x40000001, 0x31237648, "" },
		{ 0x40000100, 0x40000101, "KVMKVMKVM" },
	},
};
/* The same, where KVM is of old. */
static const struct machine kvm_old_hyperv = {
	true, {
		{ 0x40000000, 0x4000000a, "Microsoft Hv" },
		{ 0x40000001, 0x31237648, "" },
		{ 0x40000100, 0, "KVMKVMKVM" },
	},
};
static const struct machine vmware = {
	true, { { 0x40000000, 0x40000010, "VMwareVMware" } },
};
static const struct machine virtualbox = {
	true, { { 0x40000000, 0x40000001, "VBoxVBoxVBox" } },
};
static const struct machine virtualbox_hyperv = {
	true, { { 0x40000000, 0x40000006, "VBoxVBoxVBox" }, { 0x40000001, 0x31237648, "" } },
};
static const struct machine parallels = {
	true, { { 0x40000000, 0x40000006, " prl hyperv " }, { 0x40000001, 0x31237648, "" } },
};
static const struct machine parallels_swapped = {
	true, { { 0x40000000, 0x40000001, " lrpepyh  vr" } },
};
static const struct machine bhyve = {
	true, { { 0x40000000, 0x40000001, "bhyve bhyve " } },
};
static const struct machine acrn = {
	true, { { 0x40000000, 0x40000010, "ACRNACRNACRN" } },
};
/* A name that begins like a known one, and one that goes on. */
static const struct machine half_known = {
	true, { { 0x40000000, 0x40000001, "bhyve" }, { 0x40000100, 0x40000101, "bhyve bhyvex" } },
};
/* Xen for an HVM guest with viridian on: the imitated interface comes first. */
static const struct machine xen_viridian = {
	true, {
		{ 0x40000000, 0x40000006, "Microsoft Hv" },
		{ 0x40000100, 0x40000105, "XenVMMXenVMM" },
	},
};
static const struct machine garbage = {
	true, { { 0x40000000, 0x40000001, "\x01\x1b[2J\xff\"%s%n" } },
};
/* Leaves beyond the last basic one repeat it on real processors. */
static const struct machine nonsense = {
	true, { { 0x40000000, 0x00000016, "GenuineIntel" } },
};

static const struct machine nonsense_above = {
	true, { { 0x40000000, 0x80000008, "AuthenticAMD" } },
};

/* QEMU 8.1 with KVM, hv-* and xen-version: three in a row. */
static const struct machine three = {
	true, {
		{ 0x40000000, 0x4000000a, "Microsoft Hv" },
		{ 0x40000001, 0x31237648, "" },
		{ 0x40000100, 0x40000105, "XenVMMXenVMM" },
		{ 0x40000200, 0x40000201, "KVMKVMKVM" },
	},
};
static const struct machine with_a_hole = {
	true, {
		{ 0x40000000, 0x4000000a, "Microsoft Hv" },
		{ 0x40000200, 0x40000201, "KVMKVMKVM" },
	},
};
/* Leaf 0 has its name in the order EBX, EDX, ECX. */
#define INTEL	{ 0, 0x16, "GenuntelineI" }
#define SIX_LEAVES							\
	{ 0x40000001, 0x11, "" }, { 0x40000002, 0x12, "" }, { 0x40000003, 0x13, "" }, \
	{ 0x40000004, 0x14, "" }, { 0x40000010, 0x20, "" }
static const struct machine all_leaves = {
	true, { INTEL, { 0x40000000, 0x40000010, "VMwareVMware" }, SIX_LEAVES },
};
static const struct machine few_leaves = {
	true, { INTEL, { 0x40000000, 0x40000003, "VMwareVMware" }, SIX_LEAVES },
};
static const struct machine nameless_0 = { true, { { 0x40000000, 0, "\x02" } } };
static const struct machine vmware_0 = { true, { { 0x40000000, 0, "VMwareVMware" } } };

/* What detection may cost: include/pvops/backend.h, struct pv_platform. */
#define CPUIDS_MOST	48

static const struct machine *machine;
static u32 cpuid_reads;

static void replay(struct pv_cpuid *regs)
{
	u32 leaf = regs->eax;
	size_t i;

	cpuid_reads++;
	*regs = (struct pv_cpuid){ 0 };
	if (leaf == 1) {
		regs->ecx = machine->hypervisor_bit ? 1U << 31 : 0;
		return;
	}
	for (i = 0; i < COUNT(machine->leaf); i++)
		if (machine->leaf[i].leaf == leaf && (leaf || machine->leaf[i].name[0])) {
			regs->eax = machine->leaf[i].eax;
			memcpy(&regs->ebx, machine->leaf[i].name, 4);
			memcpy(&regs->ecx, machine->leaf[i].name + 4, 4);
			memcpy(&regs->edx, machine->leaf[i].name + 8, 4);
		}
}

static struct pv_platform platform = { .cpuid = replay };

static void boot(const char *cmdline)
{
	pv_init(&platform, cmdline);
}

static int quiet_machine(void **state)
{
	fresh(state);
	machine = &bare;
	cpuid_reads = 0;
	return 0;
}

#define TEST_SELECT(function)	cmocka_unit_test_setup(function, quiet_machine)

static void assert_chosen(const char *name)
{
	assert_non_null(pv_backend());
	assert_string_equal(pv_backend()->name, name);
}

static const char *find(const char *(*line)(u32 nr), const char *text)
{
	u32 nr;

	for (nr = 0; line(nr); nr++)
		if (strstr(line(nr), text))
			return line(nr);
	return NULL;
}

static u32 refusals(void)
{
	u32 nr = 0;

	while (pv_refused(nr))
		nr++;
	return nr;
}

/* Exactly one refusal, with this in it. */
static void assert_refused(const char *text)
{
	if (refusals() != 1 || !strstr(pv_refused(0), text))
		fail_msg("%u refusals, first: %s; expected: %s", refusals(),
			 pv_refused(0) ? pv_refused(0) : "-", text);
}

static void fake_can_run(void)
{
	fake_backend[FAKE_FAKE].score = PV_SCORE_GUEST;
}

/* The table holds what was chosen, all of it. */
static void assert_table_is_the_choice(void)
{
	void (*const *slot)(void) = (void (*const *)(void))&pv_slots;
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++) {
		assert_non_null(slot[op]);
		assert_ptr_equal(slot[op], pv_impl_of(op)->fn);
	}
}

/* --- choice --- */

static void default_is_the_highest_score(void **state)
{
	(void)state;
	boot("");
	assert_chosen("native");
	fake_can_run();
	boot("quiet root=/dev/xvda");
	assert_chosen("fake");
	fake_backend[FAKE_OTHER].score = PV_SCORE_DEPRIVILEGED;
	boot("");
	assert_chosen("other");
	assert_int_equal(refusals(), 0);
}

static void equal_scores_take_the_first_linked(void **state)
{
	const char *first;
	u32 len;

	(void)state;
	fake_can_run();
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	fake_backend[FAKE_NATIVE].score = PV_SCORE_GUEST;
	boot("");
	first = pv_detected(0);
	len = (u32)strlen(pv_backend()->name);
	assert_true(!strncmp(first, pv_backend()->name, len) && first[len] == ':');
}

static void auto_is_the_default_by_name(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=auto");
	assert_chosen("fake");
	assert_int_equal(refusals(), 0);
}

static void name_beats_score(void **state)
{
	(void)state;
	fake_can_run();
	boot("console=hvc0 pvops=native quiet");
	assert_chosen("native");
	assert_int_equal(refusals(), 0);
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 1);
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 0);
}

static void every_backend_was_asked_and_answered(void **state)
{
	(void)state;
	fake_can_run();
	boot("");
	assert_non_null(find(pv_detected, "native: the host itself (score 1)"));
	assert_non_null(find(pv_detected, "fake: a hypervisor that is not there (score 100)"));
	assert_non_null(find(pv_detected, "other: no: no other machine"));
}

static void detection_without_a_reason_says_so(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].why = NULL;
	boot("pvops=other");
	assert_non_null(find(pv_detected, "other: no: the backend gives no reason"));
	assert_refused("pvops=other: the backend gives no reason");
}

static void unknown_name_is_refused(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=vmware");
	assert_chosen("fake");
	assert_refused("pvops=vmware: no such backend");
}

static void prefix_of_a_name_is_another_name(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=nativ");
	assert_chosen("fake");
	assert_refused("pvops=nativ: no such backend");
	boot("pvops=natives");
	assert_refused("pvops=natives: no such backend");
	boot("pvops=Native");
	assert_refused("pvops=Native: no such backend");
}

static void impossible_name_is_refused_with_its_reason(void **state)
{
	(void)state;
	boot("pvops=fake");
	assert_chosen("native");
	assert_refused("pvops=fake: nobody fakes here");
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 0);
}

static void native_in_a_deprivileged_kernel_is_refused(void **state)
{
	(void)state;
	fake_backend[FAKE_NATIVE].score = PV_SCORE_NONE;
	fake_backend[FAKE_NATIVE].why = "privileged instructions fault at CPL 3";
	fake_backend[FAKE_FAKE].score = PV_SCORE_DEPRIVILEGED;
	boot("pvops=native");
	assert_chosen("fake");
	assert_refused("pvops=native: privileged instructions fault at CPL 3");
}

static void negative_score_means_no(void **state)
{
	(void)state;
	fake_backend[FAKE_FAKE].score = -ENODEV;
	boot("pvops=fake");
	assert_chosen("native");
	assert_refused("pvops=fake: nobody fakes here");
}

static void last_possible_name_wins(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=fake pvops=native");
	assert_chosen("native");
	boot("pvops=native,fake");
	assert_chosen("fake");
	boot("pvops=native pvops=auto");
	assert_chosen("fake");
	assert_int_equal(refusals(), 0);
	boot("pvops=native pvops=vmware");
	assert_chosen("native");
	assert_refused("pvops=vmware");
}

static void empty_word_is_refused(void **state)
{
	(void)state;
	boot("pvops=");
	assert_chosen("native");
	assert_refused("empty name");
	boot("a pvops= b");
	assert_refused("empty name");
	boot("pvops=native,");
	assert_refused("empty name");
	boot("pvops=,native");
	assert_refused("empty name");
	assert_chosen("native");
	boot("pvops=,,");
	assert_int_equal(refusals(), 3);
}

static void only_whole_words_count(void **state)
{
	static const char *const not_ours[] = {
		"xpvops=native", "pvops", "pvops native", "PVOPS=native", "pvop=native",
		"a=pvops=native", "pvops:native", "init=/pvops=native", "-pvops=native",
	};
	size_t i;

	(void)state;
	fake_can_run();
	for (i = 0; i < COUNT(not_ours); i++) {
		boot(not_ours[i]);
		assert_chosen("fake");
		assert_int_equal(refusals(), 0);
	}
	boot("xpvops=foo \t\r\n pvops=native");
	assert_chosen("native");
	assert_int_equal(refusals(), 0);
}

/* lib/cmdline.c of Linux: text inside another option is not read. */
static void quotes_and_dashes_work_as_in_linux(void **state)
{
	static const char *const not_ours[] = {
		"dyndbg=\"file a.c +p pvops=native\" quiet", "init=/bin/sh -- pvops=native",
		"\"a b pvops=native\"", "x=\"pvops=native\"", "a\"b pvops=native c\"d",
		"x=\"open pvops=native", "\"--\" pvops=native", "quiet --\tpvops=native",
	};
	static const char *const ours[] = {
		"pvops=\"native\"", "\"pvops=native\"", "x=\"a b\" pvops=native", "--x pvops=native",
		"x=-- pvops=native", "--=y pvops=native", "a\"b c\"d pvops=native", "pvops=\"native",
		"- - pvops=native", "pvops=native -- pvops=fake", "x\vpvops=fake\fpvops=native",
		"\"pvops=native", "--pvops=fake pvops=native",
	};
	size_t i;

	(void)state;
	fake_can_run();
	for (i = 0; i < COUNT(not_ours); i++) {
		boot(not_ours[i]);
		if (strcmp(pv_backend()->name, "fake"))
			fail_msg("obeyed: %s", not_ours[i]);
		assert_int_equal(refusals(), 0);
	}
	for (i = 0; i < COUNT(ours); i++) {
		boot(ours[i]);
		if (strcmp(pv_backend()->name, "native"))
			fail_msg("not obeyed: %s", ours[i]);
		assert_int_equal(refusals(), 0);
	}
	boot("pvops=\"fake, -lock\" pvops=-wbinvd");
	assert_refused("pvops= -lock: no such backend");
	assert_true(pv_impl_is_native(PV_OP_wbinvd));
	boot("pvops=\"");
	assert_refused("empty name");
}

static void tokens_end_at_any_white_space(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=native\nfoo");
	assert_chosen("native");
	boot("\t pvops=native\tpvops=bar");
	assert_chosen("native");
	assert_refused("pvops=bar");
}

static void very_long_token_is_shown_short(void **state)
{
	static char line[5000] = "pvops=";

	(void)state;
	memset(line + 6, 'x', sizeof(line) - 7);
	boot(line);
	assert_chosen("native");
	assert_refused("pvops=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: no such backend");
	line[6] = '-';
	boot(line);
	assert_refused("xxx...: no such table or op");
	boot("pvops=0123456789abcdef0123456789abcdef");
	assert_refused("pvops=0123456789abcdef0123456789abcdef: no such backend");
	boot("pvops=0123456789abcdef0123456789abcdefg");
	assert_refused("pvops=0123456789abcdef0123456789abcdef...: no such backend");
}

static void control_characters_are_not_printed(void **state)
{
	const char *c;

	(void)state;
	boot("pvops=\x1b[31m\x07%s%n\xff\x80");
	assert_refused("no such backend");
	for (c = pv_refused(0); *c; c++)
		assert_in_range(*c, 0x20, 0x7e);
	assert_non_null(strstr(pv_refused(0), "?[31m?%s%n??"));
}

static void more_refusals_than_are_kept_are_logged(void **state)
{
	char line[600] = "pvops=";
	u32 i;

	(void)state;
	for (i = 0; i < 40; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%sbad%02u",
			 i ? "," : "", i);
	boot(line);
	for (i = 0; i < 40; i++) {
		char text[32];

		snprintf(text, sizeof(text), "pvops=bad%02u:", i);
		assert_true(find(pv_refused, text) || host_log_find(text));
	}
}

/* Refusals that are not kept are logged at once: by a kernel whose console is an op. */
static void ops_work_when_refusals_are_logged(void **state)
{
	char line[600] = "pvops=fake";
	u32 i;

	(void)state;
	fake_can_run();
	for (i = 0; i < 40; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ",-bad%02u", i);
	memset(&pv_slots, 0, sizeof(pv_slots));
	boot(line);
	assert_non_null(host_log_find("pvops: refused: -bad39: no such table or op"));
	assert_false(host_port.log_without_ops);
}

/* --- parts left to native --- */

static void table_is_left_to_native(void **state)
{
	u32 op;

	(void)state;
	fake_can_run();
	boot("pvops=fake,-time");
	assert_chosen("fake");
	assert_int_equal(refusals(), 0);
	for (op = 0; op < PV_OP_COUNT; op++)
		assert_int_equal(pv_impl_is_native(op), !strcmp(pv_op_info[op].table, "time"));
	assert_table_is_the_choice();
}

static void op_is_left_to_native(void **state)
{
	u32 op;

	(void)state;
	fake_can_run();
	boot("pvops=-wbinvd,-rdtsc");
	assert_chosen("fake");
	for (op = 0; op < PV_OP_COUNT; op++)
		assert_int_equal(pv_impl_is_native(op),
				 op == PV_OP_wbinvd || op == PV_OP_rdtsc);
	assert_table_is_the_choice();
}

static void exceptions_hold_for_any_word_and_order(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=-lock pvops=fake");
	assert_chosen("fake");
	assert_true(pv_impl_is_native(PV_OP_lock_wait));
	assert_false(pv_impl_is_native(PV_OP_wbinvd));
}

static void required_op_is_not_left_to_native(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=fake,-save_fl");
	assert_refused("-save_fl: fake cannot run with native save_fl");
	assert_false(pv_impl_is_native(PV_OP_save_fl));
	boot("pvops=fake,-iret,-wbinvd");
	assert_refused("-iret: fake cannot run with native iret");
	assert_true(pv_impl_is_native(PV_OP_wbinvd));
}

static void table_with_a_required_op_stays_whole(void **state)
{
	u32 op;

	(void)state;
	fake_can_run();
	boot("pvops=fake,-irq");
	assert_refused("-irq: fake cannot run with native save_fl");
	for (op = PV_OP_save_fl; op < PV_OP_read_cr0; op++)
		assert_false(pv_impl_is_native(op));
	assert_table_is_the_choice();
}

static void required_by_another_does_not_bind_native(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=native,-save_fl,-irq");
	assert_chosen("native");
	assert_int_equal(refusals(), 0);
}

static u64 own_clock(void)
{
	return 0x99;
}

static void override_replaces_the_choice(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	assert_int_equal(pv_slots.clock_read(), 0x99);
	assert_false(pv_impl_is_native(PV_OP_clock_read));
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	assert_int_equal(pv_slots.clock_read(), 0x77);
	assert_table_is_the_choice();

	boot("pvops=native");
	assert_true(pv_impl_is_native(PV_OP_clock_read));
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	assert_false(pv_impl_is_native(PV_OP_clock_read));
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	assert_true(pv_impl_is_native(PV_OP_clock_read));
}

static void override_holds_over_another_choice(void **state)
{
	static const char *const cmdline[] = { "pvops=other", "pvops=native" };
	size_t i;

	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	for (i = 0; i < COUNT(cmdline); i++) {
		boot(cmdline[i]);
		assert_int_equal(pv_slots.clock_read(), 0x99);
		assert_false(pv_impl_is_native(PV_OP_clock_read));
		assert_table_is_the_choice();
	}
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	assert_true(pv_impl_is_native(PV_OP_clock_read));
	boot("pvops=other");
	assert_int_equal(pv_slots.clock_read(), 0x77);
}

static void override_is_not_left_to_native(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	boot("pvops=other,-clock_read");
	assert_refused("-clock_read: the kernel has a clock_read of its own");
	assert_int_equal(pv_slots.clock_read(), 0x99);
	boot("pvops=other,-time");
	assert_refused("-time: the kernel has a clock_read of its own");
	assert_int_equal(pv_slots.clock_read(), 0x99);
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
}

static void override_of_patched_sites_is_refused(void **state)
{
	struct pv_site_set *sites = pv_kernel_sites();
	const struct pv_impl *before;

	(void)state;
	boot("pvops=native");
	before = pv_impl_of(PV_OP_clock_read);
	sites->impl = &before;
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), -EBUSY);
	sites->impl = NULL;
	assert_true(host_log_find("override of clock_read refused: sites are already patched"));
	assert_ptr_equal(pv_impl_of(PV_OP_clock_read), before);
}

/* --- ops of the kernel's own code for a backend --- */

static void wait_here(const u8 *word, u8 val)
{
	(void)word;
	(void)val;
}

static int provide(enum pv_op op, void *fn)
{
	return pv_provide(op, (void (*)(void))fn);
}

static void provided_op_belongs_to_the_choice(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), 0);
	assert_ptr_equal(pv_slots.lock_wait, wait_here);
	assert_true(pv_impl_is_own(PV_OP_lock_wait));
	assert_false(pv_impl_is_native(PV_OP_lock_wait));
	/* One that the backend has itself. */
	assert_int_equal(provide(PV_OP_clock_read, own_clock), 0);
	assert_int_equal(pv_slots.clock_read(), 0x99);
	assert_table_is_the_choice();
	boot("");
	assert_true(pv_impl_is_native(PV_OP_lock_wait));
	assert_int_equal(pv_slots.clock_read(), 0x77);
}

static void provided_op_is_counted(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), 0);
	pv_print();
	assert_true(host_log_find("chosen: other (a better clock), 2 of"));
}

static void native_takes_no_provided_op(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("pvops=native");
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), -EPERM);
	assert_true(pv_impl_is_native(PV_OP_lock_wait));
	assert_table_is_the_choice();
}

static void op_left_to_native_takes_no_provided_op(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("pvops=other,-lock");
	assert_true(pv_op_is_left(PV_OP_lock_wait));
	assert_false(pv_op_is_left(PV_OP_clock_read));
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), -EPERM);
	assert_true(pv_impl_is_native(PV_OP_lock_wait));
	assert_int_equal(provide(PV_OP_vcpu_is_preempted, wait_here), -EPERM);
	assert_int_equal(provide(PV_OP_clock_read, own_clock), 0);
	boot("pvops=other");
	assert_false(pv_op_is_left(PV_OP_lock_wait));
}

static void override_comes_before_provided(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), 0);
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	assert_int_equal(provide(PV_OP_clock_read, own_clock), -EBUSY);
	assert_false(pv_impl_is_own(PV_OP_clock_read));
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	assert_int_equal(pv_slots.clock_read(), 0x77);
	assert_int_equal(pv_override(PV_OP_lock_wait, NULL), 0);
	assert_ptr_equal(pv_slots.lock_wait, wait_here);
}

static void end_of_an_override_keeps_what_is_left_to_native(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("pvops=-clock_read");
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	assert_true(pv_impl_is_native(PV_OP_clock_read));
}

static void provided_op_of_patched_sites_is_refused(void **state)
{
	struct pv_site_set *sites = pv_kernel_sites();
	const struct pv_impl *before;

	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	before = pv_impl_of(PV_OP_lock_wait);
	sites->impl = &before;
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), -EBUSY);
	sites->impl = NULL;
	assert_true(host_log_find("override of lock_wait refused: sites are already patched"));
	assert_ptr_equal(pv_impl_of(PV_OP_lock_wait), before);
}

static void needed_op_is_not_left_to_native(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	fake_backend[FAKE_OTHER].needed = PV_OP_set_timer;
	boot("pvops=other,-time");
	assert_refused("-time: only it can wait");
	assert_false(pv_op_is_left(PV_OP_set_timer));
	assert_false(pv_op_is_left(PV_OP_clock_read));
	boot("pvops=other,-clock_read");
	assert_int_equal(refusals(), 0);
	boot("pvops=native,-time");
	assert_int_equal(refusals(), 0);
}

static void half_of_a_served_pair_is_refused(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("pvops=other,-lock_kick");
	assert_refused("-lock_kick: goes with lock_wait");
	assert_int_equal(provide(PV_OP_lock_wait, wait_here), 0);
	boot("pvops=other,-save_fl");
	assert_int_equal(refusals(), 0);
}

static void preview_starts_nothing(void **state)
{
	void (*slot)(void);

	(void)state;
	fake_can_run();
	boot("pvops=native");
	slot = (void (*)(void))pv_slots.lock_kick;
	assert_string_equal(pv_preview(&platform, "pvops=bad")->name, "fake");
	assert_refused("pvops=bad: no such backend");
	assert_string_equal(pv_preview(&platform, "pvops=native")->name, "native");
	assert_int_equal(refusals(), 0);
	assert_chosen("native");
	assert_ptr_equal(pv_slots.lock_kick, slot);
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 0);
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 1);
	fake_backend[FAKE_NATIVE].score = PV_SCORE_NONE;
	fake_backend[FAKE_FAKE].score = PV_SCORE_NONE;
	assert_null(pv_preview(&platform, ""));
}

/* --- ops that go together --- */

static void half_of_a_pair_is_refused(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=fake,-lock_kick");
	assert_refused("-lock_kick: goes with lock_wait");
	assert_false(pv_impl_is_native(PV_OP_lock_kick));
	boot("pvops=fake,-lock_wait");
	assert_refused("-lock_wait: goes with lock_kick");
	boot("pvops=fake,-end_context_switch");
	assert_refused("-end_context_switch: goes with start_context_switch");
	assert_table_is_the_choice();
}

static void both_of_a_pair_are_left_in_any_order(void **state)
{
	static const char *const lines[] = {
		"pvops=fake,-lock_kick,-lock_wait", "pvops=fake,-lock_wait pvops=-lock_kick",
		"pvops=-lock,-lock_kick,fake", "pvops=fake,-lock_kick,-lock",
	};
	size_t i;

	(void)state;
	fake_can_run();
	for (i = 0; i < COUNT(lines); i++) {
		boot(lines[i]);
		assert_int_equal(refusals(), 0);
		assert_true(pv_impl_is_native(PV_OP_lock_kick));
		assert_true(pv_impl_is_native(PV_OP_lock_wait));
		assert_table_is_the_choice();
	}
}

/* What was good because of another that is refused is refused, too. */
static void part_that_needs_a_refused_part_is_refused(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=fake,-irq_disable,-irq_enable,-safe_halt,-restore_fl,-irqs_disabled_flags,-wbinvd");
	assert_int_equal(refusals(), 5);
	assert_false(pv_impl_is_native(PV_OP_safe_halt));
	assert_true(pv_impl_is_native(PV_OP_wbinvd));
	/* save_fl is required. */
	boot("pvops=fake,-irq_disable,-save_fl");
	assert_int_equal(refusals(), 2);
	assert_non_null(find(pv_refused, "-save_fl: fake cannot run with native save_fl"));
	assert_non_null(find(pv_refused, "-irq_disable: goes with save_fl"));
	assert_table_is_the_choice();
}

/* Each op, alone: refused with one line, or gone without parting a pair. */
static void no_op_leaves_half_of_a_pair(void **state)
{
	u32 op, pair, left = 0;

	(void)state;
	fake_can_run();
	for (op = 0; op < PV_OP_COUNT; op++) {
		char line[80];

		snprintf(line, sizeof(line), "pvops=fake,-%s", pv_op_info[op].name);
		boot(line);
		assert_chosen("fake");
		assert_int_equal(refusals(), !pv_impl_is_native(op));
		left += pv_impl_is_native(op);
		for (pair = 0; pair < pv_pair_count; pair++)
			assert_int_equal(pv_impl_is_native(pv_pairs[pair].op),
					 pv_impl_is_native(pv_pairs[pair].other));
		assert_table_is_the_choice();
	}
	assert_in_range(left, 20, PV_OP_COUNT - 2 * pv_pair_count / 2);
}

/* Of a pair of which a backend has one, that one is free to go. */
static void op_whose_partner_the_backend_lacks_can_be_left_out(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("pvops=other,-clock_read");
	assert_int_equal(refusals(), 0);
	assert_true(pv_impl_is_native(PV_OP_clock_read));
	boot("pvops=native,-lock_kick,-save_fl");
	assert_int_equal(refusals(), 0);
}

static void too_many_exceptions_are_refused(void **state)
{
	static char line[8192] = "pvops=fake";
	u32 i;

	(void)state;
	fake_can_run();
	for (i = 0; i < PV_OP_COUNT + 10; i++)
		strcat(line, ",-wbinvd");
	boot(line);
	assert_int_equal(refusals(), 2);
	assert_string_equal(pv_refused(0), "-wbinvd: too many exceptions");
	assert_true(pv_impl_is_native(PV_OP_wbinvd));
}

/* What is registered with a hypervisor, and for which ops. */
static void backend_can_ask_which_ops_are_its_own(void **state)
{
	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_true(pv_impl_is_own(PV_OP_clock_read));
	assert_false(pv_impl_is_own(PV_OP_set_timer));
	assert_int_equal(PV_OVERRIDE(clock_read, own_clock), 0);
	assert_false(pv_impl_is_own(PV_OP_clock_read));
	assert_false(pv_impl_is_native(PV_OP_clock_read));
	assert_int_equal(pv_override(PV_OP_clock_read, NULL), 0);
	boot("pvops=other,-clock_read");
	assert_false(pv_impl_is_own(PV_OP_clock_read));
	boot("pvops=native");
	assert_true(pv_impl_is_own(PV_OP_clock_read));
}

static void unknown_part_is_refused(void **state)
{
	(void)state;
	fake_can_run();
	boot("pvops=fake,-clt");
	assert_refused("-clt: no such table or op");
	boot("pvops=fake,-wbinvds");
	assert_refused("-wbinvds: no such table or op");
	boot("pvops=fake,-");
	assert_refused("-: no such table or op");
	boot("pvops=fake,--lock");
	assert_refused("--lock: no such table or op");
	assert_chosen("fake");
	assert_false(pv_impl_is_native(PV_OP_lock_wait));
}

static void empty_entry_of_a_backend_is_native(void **state)
{
	u32 op;

	(void)state;
	fake_backend[FAKE_OTHER].score = PV_SCORE_GUEST;
	boot("");
	assert_chosen("other");
	for (op = 0; op < PV_OP_COUNT; op++)
		assert_int_equal(pv_impl_is_native(op), op != PV_OP_clock_read);
	assert_int_equal(pv_slots.clock_read(), 0x77);
	assert_table_is_the_choice();
	/* No hooks at all; and native's only once the machine is native's to set up. */
	pv_cpu_init(0);
	pv_cpu_exit();
	assert_int_equal(fake_backend[FAKE_NATIVE].cpu_inits, 0);
	pv_late_init();
	assert_int_equal(fake_backend[FAKE_NATIVE].late_inits, 1);
	pv_cpu_init(1);
	assert_int_equal(fake_backend[FAKE_NATIVE].cpu_inits, 1);
	assert_int_equal(fake_backend[FAKE_NATIVE].last_cpu, 1);
}

/* --- start --- */

static void failed_start_goes_to_the_next_best(void **state)
{
	(void)state;
	fake_can_run();
	fake_backend[FAKE_FAKE].init_error = -ENOMEM;
	boot("");
	assert_chosen("native");
	assert_refused("fake: start failed, error -12");
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 1);
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 1);
}

static void failed_start_of_a_named_backend_goes_to_the_next_best(void **state)
{
	(void)state;
	fake_can_run();
	fake_backend[FAKE_NATIVE].init_error = -EIO;
	boot("pvops=native");
	assert_chosen("fake");
	assert_refused("native: start failed, error -5");
	assert_table_is_the_choice();
}

static void no_backend_that_starts_is_a_panic(void **state)
{
	(void)state;
	fake_can_run();
	fake_backend[FAKE_FAKE].init_error = -EIO;
	fake_backend[FAKE_NATIVE].init_error = -EIO;
	host_port.panic_expected = true;
	if (!setjmp(host_port.panic_to)) {
		boot("");
		fail_msg("still alive");
	}
	assert_non_null(strstr(host_port.panic_why, "no backend can run here"));
	/* Each was tried once. */
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 1);
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 1);
}

static void no_backend_that_can_run_is_a_panic(void **state)
{
	(void)state;
	fake_backend[FAKE_NATIVE].score = PV_SCORE_NONE;
	host_port.panic_expected = true;
	if (!setjmp(host_port.panic_to)) {
		boot("pvops=native");
		fail_msg("still alive");
	}
	assert_non_null(strstr(host_port.panic_why, "no backend can run here"));
	/* And the log has the reasons: there is no other place for them any more. */
	assert_non_null(host_log_find("pvops: detected: native: no:"));
	assert_non_null(host_log_find("pvops: refused:"));
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 0);
}

static void hooks_of_the_chosen_backend_are_called(void **state)
{
	(void)state;
	fake_can_run();
	boot("");
	pv_cpu_init(0);
	pv_cpu_init(7);
	pv_cpu_exit();
	pv_late_init();
	assert_int_equal(fake_backend[FAKE_FAKE].cpu_inits, 2);
	assert_int_equal(fake_backend[FAKE_FAKE].last_cpu, 7);
	assert_int_equal(fake_backend[FAKE_FAKE].cpu_exits, 1);
	assert_int_equal(fake_backend[FAKE_FAKE].late_inits, 1);
	assert_int_equal(fake_backend[FAKE_NATIVE].cpu_inits, 0);
	assert_int_equal(fake_backend[FAKE_NATIVE].cpu_exits, 0);
}

/* --- native at once --- */

/* No backend is asked or started, and nothing is logged. */
static void early_native_calls_no_backend_and_no_cpuid(void **state)
{
	(void)state;
	fake_can_run();
	pv_init_native();
	assert_chosen("native");
	assert_table_is_the_choice();
	assert_true(pv_impl_is_native(PV_OP_wbinvd));
	assert_int_equal(cpuid_reads, 0);
	assert_string_equal(host_log(), "");
	assert_int_equal(fake_backend[FAKE_NATIVE].detects, 0);
	assert_int_equal(fake_backend[FAKE_FAKE].detects, 0);
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 0);
}

static void choice_replaces_early_native(void **state)
{
	(void)state;
	fake_can_run();
	pv_init_native();
	boot("");
	assert_chosen("fake");
	assert_false(pv_impl_is_native(PV_OP_wbinvd));
	assert_table_is_the_choice();
	pv_init_native();
	assert_chosen("native");
}

static void early_native_comes_too_late_for_patched_text(void **state)
{
	(void)state;
	fake_can_run();
	boot("");
	assert_int_equal(pv_patch(), 0);
	pv_init_native();
	assert_chosen("fake");
	assert_table_is_the_choice();
	assert_int_equal(pv_repatch(true), 0);
}

/* --- names from CPUID --- */

static void assert_hypervisors(const struct machine *m, const char *first, const char *second)
{
	u32 count = 0;
	u32 nr;

	machine = m;
	boot("");
	for (nr = 0; pv_detected(nr); nr++)
		count += strstr(pv_detected(nr), "CPUID") != NULL;
	assert_int_equal(count, !!first + !!second);
	if (first)
		assert_string_equal(pv_detected(0), first);
	if (second)
		assert_string_equal(pv_detected(1), second);
}

static void hypervisor_names_are_read_from_cpuid(void **state)
{
	(void)state;
	assert_hypervisors(&qemu_tcg, "CPUID 0x40000000: hypervisor \"TCGTCGTCGTCG\" (QEMU TCG), no interface", NULL);
	assert_hypervisors(&kvm, "CPUID 0x40000000: hypervisor \"KVMKVMKVM\"", NULL);
	assert_hypervisors(&hyperv, "CPUID 0x40000000: hypervisor \"Microsoft Hv\"", NULL);
}

static void imitated_hypervisor_does_not_hide_the_real_one(void **state)
{
	(void)state;
	assert_hypervisors(&xen_viridian, "CPUID 0x40000000: hypervisor \"Microsoft Hv\"",
			   "CPUID 0x40000100: hypervisor \"XenVMMXenVMM\"");
}

static void leaf_maximum_0_means_an_old_kvm(void **state)
{
	(void)state;
	assert_hypervisors(&kvm_old, "CPUID 0x40000000: hypervisor \"KVMKVMKVM\"", NULL);
	assert_hypervisors(&kvm_old_hyperv,
			   "CPUID 0x40000000: hypervisor \"Microsoft Hv\", interface Hv#1",
			   "CPUID 0x40000100: hypervisor \"KVMKVMKVM\"");
}

static void every_hypervisor_has_its_usual_name(void **state)
{
	(void)state;
	assert_hypervisors(&kvm_hyperv,
			   "CPUID 0x40000000: hypervisor \"Microsoft Hv\", interface Hv#1",
			   "CPUID 0x40000100: hypervisor \"KVMKVMKVM\"");
	assert_hypervisors(&vmware, "CPUID 0x40000000: hypervisor \"VMwareVMware\"", NULL);
	assert_hypervisors(&virtualbox,
			   "CPUID 0x40000000: hypervisor \"VBoxVBoxVBox\" (VirtualBox), no interface",
			   NULL);
	assert_hypervisors(&virtualbox_hyperv,
			   "CPUID 0x40000000: hypervisor \"VBoxVBoxVBox\" (VirtualBox), interface Hv#1",
			   NULL);
	assert_hypervisors(&parallels,
			   "CPUID 0x40000000: hypervisor \" prl hyperv \" (Parallels), interface Hv#1",
			   NULL);
	assert_hypervisors(&parallels_swapped,
			   "CPUID 0x40000000: hypervisor \" lrpepyh  vr\" (Parallels), no interface",
			   NULL);
	assert_hypervisors(&bhyve,
			   "CPUID 0x40000000: hypervisor \"bhyve bhyve \" (bhyve), no interface",
			   NULL);
	assert_hypervisors(&acrn,
			   "CPUID 0x40000000: hypervisor \"ACRNACRNACRN\" (ACRN), no interface",
			   NULL);
	assert_hypervisors(&half_known, "CPUID 0x40000000: hypervisor \"bhyve\"",
			   "CPUID 0x40000100: hypervisor \"bhyve bhyvex\"");
}

/* Whatever there is to choose from, CPUID is asked once: each is an exit. */
static void cpuid_is_asked_once(void **state)
{
	static const struct machine *const all[] = {
		&qemu_tcg, &kvm, &kvm_old, &hyperv, &kvm_hyperv, &kvm_old_hyperv, &vmware, &virtualbox,
		&virtualbox_hyperv, &parallels, &parallels_swapped, &bhyve, &acrn, &half_known,
		&xen_viridian, &garbage, &nonsense, &nonsense_above, &three, &with_a_hole,
		&all_leaves, &few_leaves, &nameless_0, &vmware_0,
	};
	size_t i;

	(void)state;
	fake_can_run();
	assert_hypervisors(&bare, NULL, NULL);
	assert_int_equal(cpuid_reads, 2);
	for (i = 0; i < COUNT(all); i++) {
		machine = all[i];
		cpuid_reads = 0;
		boot("pvops=other,fake,native,vmware,auto,-lock");
		assert_in_range(cpuid_reads, 3, CPUIDS_MOST);
	}
}

static void each_backend_is_asked_once(void **state)
{
	u32 i;

	(void)state;
	fake_can_run();
	fake_backend[FAKE_FAKE].init_error = -EIO;
	boot("pvops=other,fake,native,fake");
	for (i = 0; i < FAKE_COUNT; i++)
		assert_int_equal(fake_backend[i].detects, 1);
}

static void garbage_from_cpuid_is_harmless(void **state)
{
	const char *c;

	(void)state;
	assert_hypervisors(&nonsense, NULL, NULL);
	assert_hypervisors(&nonsense_above, NULL, NULL);
	machine = &garbage;
	boot("");
	assert_non_null(strstr(pv_detected(0), "??[2J?\"%s%n"));
	for (c = pv_detected(0); *c; c++)
		assert_in_range(*c, 0x20, 0x7e);
}

/* A machine that answers every leaf must not keep us for ever. */
static void endless(struct pv_cpuid *regs)
{
	u32 leaf = regs->eax;

	cpuid_reads++;
	*regs = (struct pv_cpuid){ .eax = leaf, .ebx = 0x41414141, .ecx = 1U << 31, .edx = 0x42424242 };
}

static void endless_cpuid_leaves_end(void **state)
{
	struct pv_platform strange = { .cpuid = endless };

	(void)state;
	pv_init(&strange, "");
	assert_chosen("native");
	assert_in_range(cpuid_reads, 3, CPUIDS_MOST);
	assert_int_equal(strange.ranges, PV_CPUID_RANGES);
	assert_non_null(find(pv_detected, "CPUID: more than 4 hypervisors: the layer ignores the others"));
}

/* Two would be enough; a fifth interface is reported, not read. */
static void scan_ends_at_the_first_missing_range(void **state)
{
	u32 reads;

	(void)state;
	machine = &three;
	boot("");
	assert_non_null(find(pv_detected, "CPUID 0x40000000: hypervisor \"Microsoft Hv\", interface Hv#1"));
	assert_non_null(find(pv_detected, "CPUID 0x40000100: hypervisor \"XenVMMXenVMM\""));
	assert_non_null(find(pv_detected, "CPUID 0x40000200: hypervisor \"KVMKVMKVM\""));
	assert_int_equal(platform.ranges, 3);
	assert_false(platform.more_ranges);
	assert_int_equal(platform.range[2].base, 0x40000200);
	assert_string_equal(platform.range[2].name, "KVMKVMKVM");
	cpuid_reads = 0;
	boot("");
	reads = cpuid_reads;
	assert_in_range(reads, 3, CPUIDS_MOST);
	machine = &with_a_hole;
	boot("");
	assert_int_equal(platform.ranges, 1);
	assert_null(pv_cpuid_find(&platform, "KVMKVMKVM"));
}

/* The leaves that backends read, and none that is not there. */
static void leaves_are_kept_up_to_the_last(void **state)
{
	const struct pv_cpuid_range *range = &platform.range[0];
	static const struct pv_cpuid none;

	(void)state;
	machine = &all_leaves;
	boot("");
	assert_int_equal(range->last, 0x40000010);
	assert_int_equal(range->leaf[0].eax, 0x11);
	assert_int_equal(range->leaf[2].eax, 0x13);
	assert_int_equal(range->leaf[3].eax, 0x14);
	assert_int_equal(range->leaf_10.eax, 0x20);
	assert_string_equal(platform.vendor, "GenuineIntel");
	machine = &few_leaves;
	boot("");
	assert_int_equal(range->last, 0x40000003);
	assert_int_equal(range->leaf[2].eax, 0x13);
	assert_memory_equal(&range->leaf[3], &none, sizeof(none));
	assert_memory_equal(&range->leaf_10, &none, sizeof(none));
	/* A hypervisor that is gone leaves nothing behind. */
	machine = &bare;
	boot("");
	assert_int_equal(platform.ranges, 0);
	assert_false(platform.hypervisor);
	machine = &qemu_tcg;
	boot("");
	assert_memory_equal(&range->leaf[2], &none, sizeof(none));
}

/*
 * QEMU -smp 2,dies=2,cores=1,threads=1 -cpu max,level=0x1f, and KVM whose vendor is
 * Intel: leaves that do not exist repeat the highest basic one, EAX 0, EBX 1.
 */
static void basic_leaf(struct pv_cpuid *regs)
{
	u32 nr = regs->eax;

	replay(regs);
	if (nr > 0x1f && nr != 0x40000000 && nr != 0x40000001)
		*regs = (struct pv_cpuid){ .eax = 0, .ebx = 1, .ecx = 0x100, .edx = 1 };
}

static void repeated_basic_leaves_are_no_hypervisors(void **state)
{
	struct pv_platform repeats = { .cpuid = basic_leaf };
	u32 nr;

	(void)state;
	machine = &qemu_tcg;
	pv_init(&repeats, "");
	assert_int_equal(repeats.ranges, 1);
	for (nr = 1; pv_detected(nr); nr++)
		assert_null(strstr(pv_detected(nr), "CPUID"));
	assert_in_range(cpuid_reads, 3, CPUIDS_MOST);
	assert_null(strstr(host_log(), "CPUID"));
}

/* Only an old KVM returns 0 in EAX. */
static void leaf_maximum_0_is_valid_for_kvm_only(void **state)
{
	(void)state;
	assert_hypervisors(&nameless_0, NULL, NULL);
	assert_hypervisors(&vmware_0, NULL, NULL);
	assert_int_equal(platform.ranges, 0);
}

/* --- after patching --- */

static void choice_stays_once_sites_are_patched(void **state)
{
	(void)state;
	fake_can_run();
	boot("");
	assert_int_equal(pv_patch(), 0);
	boot("pvops=native");
	assert_chosen("fake");
	assert_table_is_the_choice();
	assert_int_equal(fake_backend[FAKE_NATIVE].inits, 0);
	assert_int_equal(fake_backend[FAKE_FAKE].inits, 1);
	assert_logged("pvops: pv_init() refused: sites are already patched; the backend stays");
	/* As compiled they go where the table says. */
	assert_int_equal(pv_repatch(true), 0);
	boot("pvops=native");
	assert_chosen("native");
}

/* --- the one block --- */

static void print_says_that_nothing_is_patched(void **state)
{
	struct pv_stats before = pv_kernel_sites()->stats;
	char line[80];

	(void)state;
	boot("");
	pv_kernel_sites()->stats = (struct pv_stats){ 0 };
	pv_print();
	snprintf(line, sizeof(line), "pvops: sites: %u, not patched: all of them call through the table",
		 (u32)(pv_kernel_sites()->end - pv_kernel_sites()->start));
	assert_non_null(host_log_find(line));
	assert_null(host_log_find("failed"));
	pv_kernel_sites()->stats = before;
	host_log_clear();
	assert_int_equal(pv_patch(), 0);
	pv_print();
	assert_logged("pvops: sites: ", "failed 0");
	assert_int_equal(pv_repatch(true), 0);
}

static void print_writes_one_block(void **state)
{
	(void)state;
	machine = &qemu_tcg;
	fake_can_run();
	boot("pvops=fake,-wbinvd,-iret,vmware");
	pv_print();
	assert_logged("pvops: version " PV_VERSION);
	assert_logged("pvops: detected: CPUID 0x40000000: hypervisor \"TCGTCGTCGTCG\" (QEMU TCG)");
	assert_logged("pvops: detected: other: no: no other machine");
	assert_logged("pvops: chosen: fake (a hypervisor that is not there)");
	assert_logged("pvops: refused: pvops=vmware: no such backend");
	assert_logged("pvops: refused: -iret: fake cannot run with native iret");
	assert_logged("pvops: sites: ", "inline ", "call ", "nop ", "jump ", "indirect ",
		      "outline ", "failed ");
}

static void patch_and_repatch_use_the_choice(void **state)
{
	struct pv_site_set *set;
	struct pv_site_report report;
	u32 nr;

	(void)state;
	fake_can_run();
	boot("pvops=fake,-wbinvd");
	assert_int_equal(pv_patch(), 0);
	set = pv_kernel_sites();
	assert_true(set->stats.total > PV_OP_COUNT);
	for (nr = 0; pv_site_inspect(set, nr, &report); nr++)
		assert_int_equal(report.error, PV_SITE_OK);
	assert_int_equal(nr, set->stats.total);
	assert_int_equal(pv_repatch(true), 0);
	assert_int_equal(set->stats.form[PV_FORM_CALL], 0);
	assert_int_equal(set->stats.form[PV_FORM_INLINE], 0);
	assert_int_equal(pv_repatch(false), 0);
	assert_int_equal(set->stats.form[PV_FORM_INDIRECT], 0);
	assert_int_equal(pv_repatch(true), 0);
}

static void module_is_patched_for_the_choice(void **state)
{
	struct pv_site_set *kernel = pv_kernel_sites();
	struct pv_site_set module;

	(void)state;
	fake_can_run();
	boot("");
	module = *kernel;
	module.name = "module";
	module.impl = NULL;
	assert_int_equal(pv_module_patch(&module), 0);
	assert_int_equal(module.stats.form[PV_FORM_INDIRECT], 0);
	assert_true(module.stats.total > 0);
	assert_int_equal(pv_apply(&module, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_SELECT(default_is_the_highest_score),
		TEST_SELECT(equal_scores_take_the_first_linked),
		TEST_SELECT(auto_is_the_default_by_name),
		TEST_SELECT(name_beats_score),
		TEST_SELECT(every_backend_was_asked_and_answered),
		TEST_SELECT(detection_without_a_reason_says_so),
		TEST_SELECT(unknown_name_is_refused),
		TEST_SELECT(prefix_of_a_name_is_another_name),
		TEST_SELECT(impossible_name_is_refused_with_its_reason),
		TEST_SELECT(native_in_a_deprivileged_kernel_is_refused),
		TEST_SELECT(negative_score_means_no),
		TEST_SELECT(last_possible_name_wins),
		TEST_SELECT(empty_word_is_refused),
		TEST_SELECT(only_whole_words_count),
		TEST_SELECT(quotes_and_dashes_work_as_in_linux),
		TEST_SELECT(tokens_end_at_any_white_space),
		TEST_SELECT(very_long_token_is_shown_short),
		TEST_SELECT(control_characters_are_not_printed),
		TEST_SELECT(more_refusals_than_are_kept_are_logged),
		TEST_SELECT(ops_work_when_refusals_are_logged),
		TEST_SELECT(table_is_left_to_native),
		TEST_SELECT(op_is_left_to_native),
		TEST_SELECT(exceptions_hold_for_any_word_and_order),
		TEST_SELECT(required_op_is_not_left_to_native),
		TEST_SELECT(table_with_a_required_op_stays_whole),
		TEST_SELECT(required_by_another_does_not_bind_native),
		TEST_SELECT(override_of_patched_sites_is_refused),
		TEST_SELECT(provided_op_belongs_to_the_choice),
		TEST_SELECT(provided_op_is_counted),
		TEST_SELECT(native_takes_no_provided_op),
		TEST_SELECT(op_left_to_native_takes_no_provided_op),
		TEST_SELECT(override_comes_before_provided),
		TEST_SELECT(end_of_an_override_keeps_what_is_left_to_native),
		TEST_SELECT(provided_op_of_patched_sites_is_refused),
		TEST_SELECT(needed_op_is_not_left_to_native),
		TEST_SELECT(half_of_a_served_pair_is_refused),
		TEST_SELECT(preview_starts_nothing),
		TEST_SELECT(override_replaces_the_choice),
		TEST_SELECT(override_holds_over_another_choice),
		TEST_SELECT(override_is_not_left_to_native),
		TEST_SELECT(half_of_a_pair_is_refused),
		TEST_SELECT(both_of_a_pair_are_left_in_any_order),
		TEST_SELECT(part_that_needs_a_refused_part_is_refused),
		TEST_SELECT(no_op_leaves_half_of_a_pair),
		TEST_SELECT(op_whose_partner_the_backend_lacks_can_be_left_out),
		TEST_SELECT(too_many_exceptions_are_refused),
		TEST_SELECT(backend_can_ask_which_ops_are_its_own),
		TEST_SELECT(unknown_part_is_refused),
		TEST_SELECT(empty_entry_of_a_backend_is_native),
		TEST_SELECT(failed_start_goes_to_the_next_best),
		TEST_SELECT(failed_start_of_a_named_backend_goes_to_the_next_best),
		TEST_SELECT(no_backend_that_starts_is_a_panic),
		TEST_SELECT(no_backend_that_can_run_is_a_panic),
		TEST_SELECT(hooks_of_the_chosen_backend_are_called),
		TEST_SELECT(early_native_calls_no_backend_and_no_cpuid),
		TEST_SELECT(choice_replaces_early_native),
		TEST_SELECT(early_native_comes_too_late_for_patched_text),
		TEST_SELECT(hypervisor_names_are_read_from_cpuid),
		TEST_SELECT(imitated_hypervisor_does_not_hide_the_real_one),
		TEST_SELECT(leaf_maximum_0_means_an_old_kvm),
		TEST_SELECT(every_hypervisor_has_its_usual_name),
		TEST_SELECT(cpuid_is_asked_once),
		TEST_SELECT(each_backend_is_asked_once),
		TEST_SELECT(scan_ends_at_the_first_missing_range),
		TEST_SELECT(leaves_are_kept_up_to_the_last),
		TEST_SELECT(repeated_basic_leaves_are_no_hypervisors),
		TEST_SELECT(leaf_maximum_0_is_valid_for_kvm_only),
		TEST_SELECT(garbage_from_cpuid_is_harmless),
		TEST_SELECT(endless_cpuid_leaves_end),
		TEST_SELECT(choice_stays_once_sites_are_patched),
		TEST_SELECT(print_says_that_nothing_is_patched),
		TEST_SELECT(print_writes_one_block),
		TEST_SELECT(patch_and_repatch_use_the_choice),
		TEST_SELECT(module_is_patched_for_the_choice),
	};

	return RUN(tests);
}
