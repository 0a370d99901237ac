// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-xen: which kind of Xen's guest a machine is.  CPUID leaves are
 * recorded ones (Xen 4.17: PVH as QEMU's TCG runs it, HVM with viridian=1).
 */
#include "unit.h"
#include "../../pvops/internal.h"
#include "../../backends/xen/internal.h"

struct leaf {
	u32 leaf;
	u32 eax;
	char name[13];
};

struct machine {
	bool hypervisor_bit;
	struct leaf leaf[3];
};

static const struct machine bare = { 0 };
static const struct machine tcg = { true, { { 0x40000000, 0x40000001, "TCGTCGTCGTCG" } } };
static const struct machine kvm = { true, { { 0x40000000, 0x40000001, "KVMKVMKVM" } } };
static const struct machine hyperv = { true, { { 0x40000000, 0x4000000c, "Microsoft Hv" } } };
static const struct machine xen = { true, { { 0x40000000, 0x40000005, "XenVMMXenVMM" } } };
static const struct machine viridian = {
	true, {
		{ 0x40000000, 0x40000006, "Microsoft Hv" },
		{ 0x40000100, 0x40000105, "XenVMMXenVMM" },
	},
};
/* Nobody leaves a base out. */
static const struct machine alone = { true, { { 0x40000100, 0x40000105, "XenVMMXenVMM" } } };
/* A name without what must come behind it. */
static const struct machine few = { true, { { 0x40000000, 0x40000001, "XenVMMXenVMM" } } };
static const struct machine nonsense = { true, { { 0x40000000, 0xffffffff, "XenVMMXenVMM" } } };
/* Leaves that the processor does not declare are not read. */
static const struct machine hidden = { false, { { 0x40000000, 0x40000005, "XenVMMXenVMM" } } };

static const struct machine *machine;

static void replay(struct pv_cpuid *regs)
{
	u32 leaf = regs->eax;
	size_t i;

	*regs = (struct pv_cpuid){ 0 };
	if (leaf == 1) {
		regs->ecx = machine->hypervisor_bit ? 1U << 31 : 0;
		return;
	}
	for (i = 0; i < COUNT(machine->leaf); i++)
		if (leaf && machine->leaf[i].leaf == leaf) {
			regs->eax = machine->leaf[i].eax;
			memcpy(&regs->ebx, machine->leaf[i].name, 4);
			memcpy(&regs->ecx, machine->leaf[i].name + 4, 4);
			memcpy(&regs->edx, machine->leaf[i].name + 8, 4);
		}
}

static const struct hvm_start_info pvh_info = { .magic = XEN_HVM_START_MAGIC_VALUE };
static const struct hvm_start_info other_info = { .magic = 0x12345678 };
static const struct start_info pv_info = { .magic = "xen-3.0-x86_64" };
static const struct start_info old_info = { .magic = "xen-2.0" };

static struct pv_platform scanned;
static const struct pv_cpuid_range *leaves;

static enum pvxen_guest guest_of(const struct machine *m, struct pv_platform platform)
{
	machine = m;
	platform.cpuid = replay;
	pv_cpuid_scan(&platform);
	scanned = platform;
	leaves = (void *)&scanned;
	return pvxen_guest_type(&scanned, &leaves);
}

#define GUEST(m, ...)	guest_of(&(m), (struct pv_platform){ __VA_ARGS__ })

static void pv_is_known_by_its_start_info(void **state)
{
	(void)state;
	/* Whatever the machine below shows. */
	assert_int_equal(GUEST(bare, .cpl = 3, .xen_start_info = &pv_info), PVXEN_PV);
	assert_int_equal(GUEST(kvm, .cpl = 3, .xen_start_info = &pv_info), PVXEN_PV);
	assert_int_equal(GUEST(xen, .cpl = 3, .xen_start_info = &pv_info), PVXEN_PV);
	assert_null(leaves);
	assert_int_equal(GUEST(xen, .cpl = 3, .xen_start_info = &old_info), PVXEN_BAD_START);
}

static void pvh_and_hvm_differ_by_start_info(void **state)
{
	(void)state;
	assert_int_equal(GUEST(xen, .hvm_start_info = &pvh_info), PVXEN_PVH);
	assert_int_equal(leaves->base, 0x40000000);
	assert_int_equal(GUEST(xen, .cpl = 0), PVXEN_HVM);
	assert_int_equal(leaves->base, 0x40000000);
	assert_int_equal(GUEST(xen, .hvm_start_info = &other_info), PVXEN_HVM);
}

static void imitated_hyperv_does_not_hide_xen(void **state)
{
	(void)state;
	assert_int_equal(GUEST(viridian, .cpl = 0), PVXEN_HVM);
	assert_int_equal(leaves->base, 0x40000100);
	assert_int_equal(GUEST(alone, .cpl = 0), PVXEN_NONE);
}

/* QEMU's -kernel enters by PVH too, on any machine. */
static void other_hypervisors_are_not_xen(void **state)
{
	(void)state;
	assert_int_equal(GUEST(bare, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_int_equal(GUEST(tcg, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_int_equal(GUEST(kvm, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_int_equal(GUEST(hyperv, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_null(leaves);
}

static void unusable_leaves_are_no_xen(void **state)
{
	(void)state;
	assert_int_equal(GUEST(few, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_int_equal(GUEST(nonsense, .hvm_start_info = &pvh_info), PVXEN_NONE);
	assert_int_equal(GUEST(hidden, .hvm_start_info = &pvh_info), PVXEN_NONE);
	/* Deprivileged by somebody else: no VMMCALL there. */
	assert_int_equal(GUEST(xen, .cpl = 3, .hvm_start_info = &pvh_info), PVXEN_NONE);
}

static void assert_detected(int score, const char *text)
{
	const char *why = "";

	assert_int_equal(pvxen_hvm_detect(&scanned, &why), score);
	assert_string_equal(why, text);
}

static void detection_gives_the_reason(void **state)
{
	(void)state;
	GUEST(xen, .cpl = 0);
	assert_int_equal(pvxen_hvm_detect(&scanned, &(const char *){ NULL }), PV_SCORE_GUEST - 1);
	GUEST(kvm, .cpl = 0);
	assert_detected(PV_SCORE_NONE, "no CPUID leaves of Xen");
	GUEST(xen, .cpl = 3);
	assert_detected(PV_SCORE_NONE, "the kernel is not in ring 0");
	GUEST(xen, .cpl = 3, .xen_start_info = &pv_info);
	assert_detected(PV_SCORE_NONE, "entered as a PV guest");
	GUEST(xen, .memory_encrypted = true);
	assert_detected(PV_SCORE_NONE, "memory is encrypted, and no page of it is shared");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pv_is_known_by_its_start_info), TEST(pvh_and_hvm_differ_by_start_info),
		TEST(imitated_hyperv_does_not_hide_xen), TEST(other_hypervisors_are_not_xen),
		TEST(unusable_leaves_are_no_xen), TEST(detection_gives_the_reason),
	};

	return RUN(tests);
}
