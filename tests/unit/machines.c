// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-machines: what is chosen on a machine, and what is said of it, by the
 * detection of every backend that asks CPUID.
 *
 * KVM, Hyper-V's and VMware's interface, Xen: recorded (recorded.h).  Those
 * with encrypted memory do not run here; their leaves are as documented: Linux,
 * Documentation/virt/kvm/x86/cpuid.rst and arch/x86/coco; TLFS, leaf 0x40000003 EBX
 * bit 22 (Isolation) and leaf 0x4000000c.
 */
#include <stdio.h>

#include "../../backends/hyperv/internal.h"
#include "../../backends/kvm/internal.h"
#include "../../backends/vmi/internal.h"
#include "../../backends/vmware/internal.h"
#include "../../backends/xen/internal.h"
#include "recorded.h"
#include "unit.h"
#include "vmi_image.h"

/*
 * "native" is the fake one.  The order here is not the mini guest's: it decides
 * nothing (backend.h).
 */
#define BACKEND(id, text, how)						\
	static const struct pv_backend id##_backend = {			\
		.name = #id, .title = text, .detect = how,		\
	};								\
	PV_BACKEND(id##_backend)

BACKEND(vmware, "VMware", pvvmware_detect);
BACKEND(hyperv, "Hyper-V", pvhyperv_detect);
BACKEND(xenhvm, "Xen", pvxen_hvm_detect);
BACKEND(kvm, "KVM", pvkvm_detect);
BACKEND(vmi, "VMI", pvvmi_detect);

#define LEAVES	8

struct machine {
	const char *name;
	/* What entry code knows. */
	bool encrypted;
	const char *no_roms;
	struct recorded_leaf leaf[LEAVES];
	/* What comes of it; reasons of the others. */
	const char *chosen;
	const char *says[6];
};

/* What Azure's generation 2 offers, about. */
#define HV_PRIVILEGES	(HV_PRIV_REF_COUNTER | HV_PRIV_SYNTIMER | HV_PRIV_APIC | \
			 HV_PRIV_HYPERCALL | HV_PRIV_VP_INDEX | HV_PRIV_REF_TSC | HV_PRIV_FREQUENCY)
#define HV_HINTS	(HV_HINT_REMOTE_FLUSH | HV_HINT_CLUSTER_IPI | HV_HINT_EX_MASKS)
#define HV_ISOLATION	(1U << 22)

#define ENCRYPTED	"memory is encrypted, and no page of it is shared"
#define NO_ROMS		"memory is encrypted: option ROMs are not read"

static const struct machine machines[] = {
	{ "bare Intel", .leaf = { INTEL, { 1, REGS(0, 0, 0, 0) } }, .chosen = "native", .says = {
		"kvm: no: no KVM signature in CPUID", "hyperv: no: no hypervisor",
		"xenhvm: no: no CPUID leaves of Xen", "vmware: no: no VMware by CPUID",
		"vmi: no: no VMI option ROM" } },
	{ "KVM", .leaf = { AMD, GUEST, KVM_AT(0x40000000) }, .chosen = "kvm", .says = {
		"CPUID 0x40000000: hypervisor \"KVMKVMKVM\"" } },
	{ "KVM with Hyper-V's interface", .leaf = { AMD, GUEST, HYPERV_AT(0x4000000a),
		{ 0x40000003, REGS(HV_PRIVILEGES, 0, 0, 0) }, { 0x40000004, REGS(HV_HINTS, 0, 0, 0) },
		KVM_AT(0x40000100) }, .chosen = "kvm", .says = {
		"CPUID 0x40000100: hypervisor \"KVMKVMKVM\"", "hyperv: Hyper-V (score 50)" } },
	{ "Azure", .leaf = { INTEL, GUEST, HYPERV_AT(0x4000000c),
		{ 0x40000003, REGS(HV_PRIVILEGES, 0, 0, 0) }, { 0x40000004, REGS(HV_HINTS, 0, 0, 0) } },
	  .chosen = "hyperv", .says = {
		"CPUID 0x40000000: hypervisor \"Microsoft Hv\", interface Hv#1" } },
	{ "VMware", .leaf = { INTEL, GUEST, VMWARE }, .chosen = "vmware" },
	{ "Xen HVM with viridian", .leaf = { AMD, GUEST, HYPERV_AT(0x40000006),
		{ 0x40000003, REGS(HV_PRIVILEGES, 0, 0, 0) }, { 0x40000004, REGS(HV_HINTS, 0, 0, 0) },
		XEN_AT(0x40000100) }, .chosen = "xenhvm" },
	/* KVM for guests that know no other: QEMU's hv-vendor-id, and KVM_XEN_HVM_CONFIG. */
	{ "KVM by VMware's name", .leaf = { AMD, GUEST,
		{ 0x40000000, NAME(0x40000001, "VMwa", "reVM", "ware") }, KVM_AT(0x40000100) },
	  .chosen = "kvm", .says = { "vmware: VMware (score 98)" } },
	{ "KVM with Xen's leaves", .leaf = { AMD, GUEST,
		{ 0x40000000, NAME(0x40000002, "XenV", "MMXe", "nVMM") }, KVM_AT(0x40000100) },
	  .chosen = "kvm", .says = { "xenhvm: Xen (score 99)" } },
	{ "Xen by VMware's name", .leaf = { AMD, GUEST,
		{ 0x40000000, NAME(0x40000001, "VMwa", "reVM", "ware") },
		{ 0x40000100, NAME(0x40000102, "XenV", "MMXe", "nVMM") } }, .chosen = "xenhvm" },

	/* CPUID by the page of the firmware, or by #VE: both know KVM's leaves. */
	{ "SEV-SNP on KVM", .encrypted = true, .no_roms = NO_ROMS,
	  .leaf = { AMD, GUEST, KVM_AT(0x40000000) }, .chosen = "native", .says = {
		"CPUID 0x40000000: hypervisor \"KVMKVMKVM\"", "kvm: no: " ENCRYPTED,
		"hyperv: no: " ENCRYPTED, "vmware: no: " ENCRYPTED, "xenhvm: no: " ENCRYPTED,
		"vmi: no: " NO_ROMS } },
	{ "TDX on KVM", .encrypted = true, .no_roms = NO_ROMS,
	  .leaf = { INTEL, GUEST, KVM_AT(0x40000000) }, .chosen = "native", .says = {
		"kvm: no: " ENCRYPTED, "vmi: no: " NO_ROMS } },
	{ "Azure TDX", .encrypted = true, .no_roms = NO_ROMS,
	  .leaf = { INTEL, GUEST, HYPERV_AT(0x4000000c),
		{ 0x40000003, REGS(HV_PRIVILEGES, HV_ISOLATION, 0, 0) },
		{ 0x40000004, REGS(HV_HINTS, 0, 0, 0) }, { 0x4000000c, REGS(0, 3, 0, 0) } },
	  .chosen = "native", .says = {
		"CPUID 0x40000000: hypervisor \"Microsoft Hv\", interface Hv#1",
		"hyperv: no: " ENCRYPTED, "kvm: no: " ENCRYPTED, "vmi: no: " NO_ROMS } },
	/* A kernel that does not know of it: the leaves do. */
	{ "Hyper-V, isolated", .leaf = { AMD, GUEST, HYPERV_AT(0x4000000c),
		{ 0x40000003, REGS(HV_PRIVILEGES, HV_ISOLATION, 0, 0) },
		{ 0x40000004, REGS(HV_HINTS, 0, 0, 0) }, { 0x4000000c, REGS(1, 2, 0, 0) } },
	  .chosen = "native", .says = {
		"hyperv: no: an isolated guest shares no pages with the hypervisor" } },
};

extern const struct pv_backend *const __pv_backends_start[];
extern const struct pv_backend *const __pv_backends_end[];

/* 0xc0000..0xdffff with a good ROM in it. */
static u8 rom_area[VMI_AREA_BYTES];

static const struct machine *machine;
static u32 reads;

static void replay(struct pv_cpuid *regs)
{
	u32 nr = regs->eax, i;

	reads++;
	*regs = (struct pv_cpuid){ 0 };
	for (i = 0; i < LEAVES; i++) {
		const struct recorded_leaf *leaf = &machine->leaf[i];

		if (leaf->nr == nr && (nr || leaf->regs.eax)) {
			*regs = leaf->regs;
			return;
		}
	}
}

static struct pv_platform platform_of(const struct machine *on)
{
	return (struct pv_platform){
		.memory_encrypted = on->encrypted, .no_option_roms = on->no_roms, .cpuid = replay,
	};
}

static void start(const struct machine *on, const char *cmdline)
{
	struct pv_platform platform = platform_of(on);

	machine = on;
	reads = 0;
	pv_init(&platform, cmdline);
}

static bool said(const char *(*line)(u32 nr), const char *text)
{
	u32 nr;

	for (nr = 0; line(nr); nr++)
		if (!strcmp(line(nr), text))
			return true;
	return false;
}

static void each_machine_gets_its_backend(void **state)
{
	size_t i, nr;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		start(&machines[i], "");
		if (strcmp(pv_backend()->name, machine->chosen))
			fail_msg("%s: %s", machine->name, pv_backend()->name);
		for (nr = 0; nr < COUNT(machine->says) && machine->says[nr]; nr++)
			if (!said(pv_detected, machine->says[nr]))
				fail_msg("%s: not said: %s", machine->name, machine->says[nr]);
	}
}

static void a_rom_wins_on_each_machine_that_can_have_one(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		struct pv_platform platform = platform_of(&machines[i]);

		if (platform.memory_encrypted)
			continue;
		machine = &machines[i];
		platform.option_roms = rom_area;
		pv_init(&platform, "");
		if (strcmp(pv_backend()->name, "vmi"))
			fail_msg("%s with a ROM: %s", machine->name, pv_backend()->name);
	}
}

static void no_rom_where_tables_have_five_levels(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		struct pv_platform platform = platform_of(&machines[i]);

		machine = &machines[i];
		platform.option_roms = rom_area;
		platform.five_levels = true;
		pv_init(&platform, "pvops=vmi");
		if (strcmp(pv_backend()->name, machine->chosen))
			fail_msg("%s: %s", machine->name, pv_backend()->name);
		if (!said(pv_refused, "pvops=vmi: page tables have five levels (CR4.LA57 is set)"))
			fail_msg("%s: not said", machine->name);
	}
}

static void assert_no_tie(const struct pv_platform *platform, const char *roms)
{
	const struct pv_backend *const *a, *const *b;
	const char *why;

	for (a = __pv_backends_start; a < __pv_backends_end; a++) {
		int score = (*a)->detect(platform, &why);

		for (b = __pv_backends_start; score > PV_SCORE_NONE && b < a; b++)
			if ((*b)->detect(platform, &why) == score)
				fail_msg("%s%s: %s and %s both have score %d", machine->name, roms,
					 (*b)->name, (*a)->name, score);
	}
}

static void no_two_backends_have_the_same_score(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		struct pv_platform platform = platform_of(&machines[i]);

		machine = &machines[i];
		/* Fills in what CPUID says. */
		pv_init(&platform, "");
		assert_no_tie(&platform, "");
		platform.option_roms = rom_area;
		assert_no_tie(&platform, " with a ROM");
	}
}

static void named_backend_is_refused_where_memory_is_encrypted(void **state)
{
	static const char *const names[] = { "kvm", "hyperv", "vmware", "xenhvm" };
	size_t i, nr;

	(void)state;
	for (i = 0; i < COUNT(machines); i++)
		for (nr = 0; machines[i].encrypted && nr < COUNT(names); nr++) {
			char word[40], line[120];

			snprintf(word, sizeof(word), "pvops=%s", names[nr]);
			snprintf(line, sizeof(line), "pvops=%s: " ENCRYPTED, names[nr]);
			start(&machines[i], word);
			assert_string_equal(pv_backend()->name, "native");
			assert_true(said(pv_refused, line));
		}
	start(&machines[COUNT(machines) - 1], "pvops=hyperv");
	assert_true(said(pv_refused, "pvops=hyperv: an isolated guest shares no pages with the hypervisor"));
}

static void detection_costs_few_exits(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(machines); i++) {
		start(&machines[i], "");
		if (machine->leaf[1].regs.ecx)
			assert_in_range(reads, 3, 48);
		else
			assert_int_equal(reads, 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_machine_gets_its_backend),
		TEST(a_rom_wins_on_each_machine_that_can_have_one),
		TEST(no_rom_where_tables_have_five_levels),
		TEST(no_two_backends_have_the_same_score),
		TEST(named_backend_is_refused_where_memory_is_encrypted),
		TEST(detection_costs_few_exits),
	};

	memset(rom_area, 0xff, sizeof(rom_area));
	image_make(rom_area + 0xa000);
	return RUN(tests);
}
