// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * KVM: the descriptor, and the start of the offered features.
 *
 * The features are known only after CPUID was read.  So init() fills the tables, before
 * the core reads them.
 */
#include "internal.h"

struct pvkvm_offer pvkvm_offer PV_RO_AFTER_INIT;
static struct pv_cpu_impls cpu_impls PV_RO_AFTER_INIT;

static void nothing(void)
{
}

/* QEMU's names of the features (-cpu host,-kvm-<name>). */
static const struct {
	const char *name;
	u32 feature;
} names[] = {
	{ "clock", KVM_FEATURE_CLOCKSOURCE2 },
	{ "nopiodelay", KVM_FEATURE_NOP_IO_DELAY },
	{ "steal-time", KVM_FEATURE_STEAL_TIME },
	{ "pv-eoi", KVM_FEATURE_PV_EOI },
	{ "pv-unhalt", KVM_FEATURE_PV_UNHALT },
	{ "pv-tlb-flush", KVM_FEATURE_PV_TLB_FLUSH },
	{ "pv-ipi", KVM_FEATURE_PV_SEND_IPI },
	{ "pv-sched-yield", KVM_FEATURE_PV_SCHED_YIELD },
};

#define NAMES	(sizeof(names) / sizeof(names[0]))

/* Logs one line with the features that are offered, or with those that are not. */
static void say(const char *what, bool there)
{
	char text[160];
	int at = 0;
	u32 i;

	for (i = 0; i < NAMES; i++)
		if (pvkvm_has(names[i].feature) == there && at < (int)sizeof(text))
			at += pv_port_format(text + at, sizeof(text) - (size_t)at, " %s",
					     names[i].name);
	if (at)
		pv_port_log("pvops: kvm: %s:%s", what, text);
}

static struct pv_backend backend;

static int init(const struct pv_platform *platform)
{
	pvkvm_offer = pvkvm_find(platform);
	pv_port_log("pvops: kvm: leaves at 0x%x, features 0x%x, hypercalls by %s", pvkvm_offer.base,
		    pvkvm_offer.features, pvkvm_offer.vmmcall ? "VMMCALL" : "VMCALL");
	say("offers", true);
	say("does not offer", false);
	if (pvkvm_dedicated())
		pv_port_log("pvops: kvm: vCPUs are dedicated: TLB flush and lock waiting stay native");
	/* The host emulates I/O ports, and needs no delay between two accesses. */
	if (pvkvm_has(KVM_FEATURE_NOP_IO_DELAY)) {
		cpu_impls.io_delay.fn = nothing;
		cpu_impls.io_delay.flags = PV_IMPL_NOP;
	}
	pvkvm_fill_time();
	pvkvm_fill_irq();
	pvkvm_fill_mmu();
	pvkvm_fill_smp();
	pvkvm_fill_lock();
	backend.null_hypercall = pvkvm_null_hypercall();
	return 0;
}

static void cpu_init(u32 cpu)
{
	if (cpu >= PV_MAX_CPUS)
		pv_port_panic("pvops: kvm: CPU number beyond PV_MAX_CPUS");
	pvkvm_share(cpu);
}

static u64 hypercalls(u32 nr)
{
	const struct pvkvm_counts *count = PV_PERCPU_PTR(pvkvm_count);
	u64 all = 0;
	u32 i;

	if (nr != ~0U)
		return nr < PVKVM_HYPERCALLS ? count->nr[nr] : 0;
	for (i = 0; i < PVKVM_HYPERCALLS; i++)
		all += count->nr[i];
	return all;
}

static struct pv_backend backend PV_RO_AFTER_INIT = {
	.name = "kvm",
	.title = "KVM",
	.detect = pvkvm_detect,
	.init = init,
	.cpu_init = cpu_init,
	.cpu_exit = pvkvm_unshare,
	.hypercalls = hypercalls,
	.tsc_khz = pvkvm_tsc_khz,
	.irq = &pvkvm_irq_impls,
	.cpu = &cpu_impls,
	.mmu = &pvkvm_mmu_impls,
	.time = &pvkvm_time_impls,
	.smp = &pvkvm_smp_impls,
	.lock = &pvkvm_lock_impls,
};

PV_BACKEND(backend);
