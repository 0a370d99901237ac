// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Xen PV, 64-bit: detection, start of day, the descriptor.  Not for a kernel
 * with platform code for Xen of its own, which brings its own descriptor.
 */
#include "internal.h"

const struct start_info *pvxen_start;
struct shared_info *pvxen_shared;
unsigned long *xen_p2m_addr;
unsigned long xen_p2m_size;

PV_PERCPU_DEFINE(pvxen_vcpu_area, xen_vcpu_info);
PV_PERCPU_DEFINE(pvxen_runstate_area, pvxen_runstate);

/* vcpu_info can be registered once in a vCPU's life; a CPU may start again. */
static bool registered[PV_MAX_CPUS];

/* Its frame is replaced by the machine's shared_info; its own stays unused. */
static u8 shared_page[PV_PAGE_SIZE] __attribute__((aligned(4096)));

/*
 * A Xen PV kernel is entered at its own address with a start_info page, at
 * CPL 3.  Nothing else can run there: no privileged instruction works, and
 * CPUID shows the machine below, maybe with another hypervisor's leaves.
 * Hence the highest score, and no look at CPUID.  Xen HVM and PVH guests have
 * no such page and are none of this backend's business.
 */
static int xen_detect(const struct pv_platform *platform, const char **why)
{
	const struct start_info *start = platform->xen_start_info;
	static const char magic[] = "xen-3";
	u32 i;

	if (!start) {
		*why = "no Xen PV start of day";
		return PV_SCORE_NONE;
	}
	for (i = 0; magic[i]; i++)
		if (start->magic[i] != magic[i]) {
			*why = "the start_info page has no Xen 3 magic";
			return PV_SCORE_NONE;
		}
	return PV_SCORE_DEPRIVILEGED;
}

static int xen_init(const struct pv_platform *platform)
{
	pv_pfn_t pfn = pv_port_virt_to_pfn(shared_page);
	long error;

	pvxen_start = platform->xen_start_info;
	xen_p2m_addr = (unsigned long *)pvxen_start->mfn_list;
	xen_p2m_size = pvxen_start->nr_pages;
	PV_PERCPU_PTR(xen_vcpu_info)->evtchn_upcall_mask = 1;

	error = pvxen_call3(__HYPERVISOR_update_va_mapping, (unsigned long)shared_page,
			  pvxen_start->shared_info | PV_PTE_PRESENT | PV_PTE_RW |
			  PV_PTE_ACCESSED | PV_PTE_DIRTY, UVMF_INVLPG | UVMF_ALL);
	if (error) {
		pv_port_log("pvops: xen: shared_info cannot be mapped, error %ld", error);
		return (int)error;
	}
	/* So that a kernel which makes its own mappings maps the same frame. */
	xen_p2m_addr[pv_pfn_nr(pfn)] = pvxen_start->shared_info >> PV_PAGE_SHIFT;
	pvxen_shared = (struct shared_info *)shared_page;
	return 0;
}

static void register_vcpu(u32 cpu)
{
	pvxen_vcpu_area *info = PV_PERCPU_PTR(xen_vcpu_info);
	struct vcpu_register_vcpu_info where = {
		.mfn = pv_mfn_nr(pvxen_virt_to_mfn(info)),
		.offset = (unsigned long)info & (PV_PAGE_SIZE - 1),
	};
	struct vcpu_register_runstate_memory_area runstate;
	long error;

	/* Xen copies the state it kept so far; until then: masked. */
	info->evtchn_upcall_mask = 1;
	error = pvxen_vcpu_op(VCPUOP_register_vcpu_info, cpu, &where);
	if (error) {
		pv_port_log("pvops: xen: CPU %u: vcpu_info refused, error %ld", cpu, error);
		pv_port_panic("pvops: xen: no event mask, cannot go on");
	}

	runstate.addr.v = PV_PERCPU_PTR(pvxen_runstate);
	error = pvxen_vcpu_op(VCPUOP_register_runstate_memory_area, cpu, &runstate);
	if (error)
		pv_port_log("pvops: xen: CPU %u: no stolen time: runstate area refused, error %ld",
			    cpu, error);
}

static void xen_cpu_init(u32 cpu)
{
	struct physdev_set_iopl iopl = { .iopl = 1 };

	if (cpu >= PV_MAX_CPUS)
		pv_port_panic("pvops: xen: CPU number beyond PV_MAX_CPUS");
	pv_batch_setup(pvxen_submit);
	pvxen_mc_init();
	if (!registered[cpu])
		register_vcpu(cpu);
	registered[cpu] = true;
	pvxen_cpu_registers_init();
	pvxen_time_init(cpu);
	pvxen_events_init(cpu);
	/* Level 1: port instructions of the kernel are emulated, not refused. */
	pvxen_call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl);
}

void pvxen_failsafe(void)
{
	pv_port_panic("pvops: xen: failsafe callback: Xen cannot load the state we return to");
}

static const struct pv_backend xen_backend = {
	.name = "xen",
	.title = "Xen PV, 64-bit",
	.detect = xen_detect,
	.init = xen_init,
	.cpu_init = xen_cpu_init,
	.hypercalls = pvxen_hypercalls,
	.null_hypercall = pvxen_null_hypercall,
	.irq = &pvxen_irq_impls,
	.cpu = &pvxen_cpu_impls,
	.mmu = &pvxen_mmu_impls,
	.time = &pvxen_time_impls,
	.smp = &pvxen_smp_impls,
	.lock = &pvxen_lock_impls,
};

PV_BACKEND(xen_backend);
