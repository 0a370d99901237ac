// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* test-host-vmware: VMware by its CPUID leaves, and how it is called. */
#include "../../backends/vmware/internal.h"
#include "unit.h"
#include "../../pvops/internal.h"

static struct {
	bool hypervisor;
	u32 last;
	char name[13];
	u32 interface;
	u32 features;
} machine;

static void replay(struct pv_cpuid *regs)
{
	u32 nr = regs->eax;

	*regs = (struct pv_cpuid){ 0 };
	switch (nr) {
	case 1:
		regs->ecx = machine.hypervisor ? 1U << 31 : 0;
		break;
	case 0x40000000:
		regs->eax = machine.last;
		memcpy(&regs->ebx, machine.name, 4);
		memcpy(&regs->ecx, machine.name + 4, 4);
		memcpy(&regs->edx, machine.name + 8, 4);
		break;
	case 0x40000001:
		regs->eax = machine.interface;
		break;
	case 0x40000010:
		regs->ecx = machine.features;
		break;
	}
}

static struct pv_platform platform = { .cpuid = replay };

static int vmware(void **state)
{
	fresh(state);
	memset(&machine, 0, sizeof(machine));
	machine.hypervisor = true;
	machine.last = 0x40000010;
	strcpy(machine.name, "VMwareVMware");
	return 0;
}

#define TEST_ON(function)	cmocka_unit_test_setup(function, vmware)

static int detect(struct pv_platform *where)
{
	const char *why = NULL;
	int score;

	pv_cpuid_scan(where);
	score = pvvmware_detect(where, &why);
	if (score <= PV_SCORE_NONE)
		assert_non_null(why);
	return score;
}

static void vmware_is_known_by_its_name(void **state)
{
	static const char *const others[] = {
		"KVMKVMKVM", "Microsoft Hv", "VMwareVMwarf", "VMware", "", "VMwareKVMKVM",
	};
	size_t i;

	(void)state;
	assert_int_equal(detect(&platform), PV_SCORE_GUEST - 2);
	for (i = 0; i < COUNT(others); i++) {
		memset(machine.name, 0, sizeof(machine.name));
		strcpy(machine.name, others[i]);
		assert_int_equal(detect(&platform), PV_SCORE_NONE);
	}
}

static void without_the_hypervisor_bit_there_is_no_vmware(void **state)
{
	(void)state;
	machine.hypervisor = false;
	assert_int_equal(detect(&platform), PV_SCORE_NONE);
}

static void deprivileged_or_encrypted_kernel_is_refused(void **state)
{
	struct pv_platform above = { .cpl = 3, .cpuid = replay };
	struct pv_platform encrypted = { .memory_encrypted = true, .cpuid = replay };

	(void)state;
	assert_int_equal(detect(&above), PV_SCORE_NONE);
	assert_int_equal(detect(&encrypted), PV_SCORE_NONE);
}

/* QEMU's: the name is VMware's, the interface Hyper-V's; old ones have few leaves. */
static void imitated_interface_is_used(void **state)
{
	(void)state;
	machine.interface = 0x31237648;
	machine.last = 0x40000005;
	assert_int_equal(detect(&platform), PV_SCORE_GUEST - 2);
	machine.last = 0x40000000;
	assert_int_equal(detect(&platform), PV_SCORE_GUEST - 2);
	/* A copy of another leaf: EAX 0 is a maximum on KVM of old alone. */
	machine.last = 0;
	assert_int_equal(detect(&platform), PV_SCORE_NONE);
}

static u32 way(void)
{
	pv_cpuid_scan(&platform);
	return pvvmware_way(&platform);
}

static void hypercall_instruction_is_the_advertised_one(void **state)
{
	(void)state;
	assert_int_equal(way(), 0);
	machine.features = 0xfffffffc;
	assert_int_equal(way(), 0);
	machine.features = 1;
	assert_int_equal(way(), VMWARE_VMMCALL);
	machine.features = 2;
	assert_int_equal(way(), VMWARE_VMCALL);
	/* The machine must have the leaf that says so. */
	machine.last = 0x4000000f;
	assert_int_equal(way(), 0);
	machine.last = 0;
	assert_int_equal(way(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_ON(vmware_is_known_by_its_name),
		TEST_ON(without_the_hypervisor_bit_there_is_no_vmware),
		TEST_ON(deprivileged_or_encrypted_kernel_is_refused),
		TEST_ON(imitated_interface_is_used),
		TEST_ON(hypercall_instruction_is_the_advertised_one),
	};

	return RUN(tests);
}
