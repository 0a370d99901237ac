// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Xen PV, 64-bit: detection, start of day, the descriptor.  Not used by a kernel with its
 * own platform code for Xen, which has its own descriptor.
 */
#include "internal.h"

const struct start_info *pvxen_start;
unsigned long *pvxen_p2m_addr;
unsigned long pvxen_p2m_size;

/* Xen's shared_info is mapped in place of this page's frame, which stays unused. */
static u8 shared_page[PV_PAGE_SIZE] __attribute__((aligned(4096)));

/* A PV guest can run no other backend: no privileged instruction works. */
static int detect(const struct pv_platform *platform, const char **why)
{
	const struct pv_cpuid_range *leaves;

	switch (pvxen_guest_type(platform, &leaves)) {
	case PVXEN_PV:
		return PV_SCORE_DEPRIVILEGED;
	case PVXEN_BAD_START:
		*why = "the start_info page has no Xen 3 magic";
		return PV_SCORE_NONE;
	default:
		*why = "no Xen PV start of day";
		return PV_SCORE_NONE;
	}
}

/* Checks the list of frames.  Its address cannot be checked, but it must contain @own. */
static const char *unusable(const struct start_info *start, pv_pfn_t own)
{
	u64 list = start->mfn_list, pages = start->nr_pages;

	if (!list || list % sizeof(u64))
		return "the list of frames has no valid address";
	if (pages > PV_FRAME_MASK >> PV_PAGE_SHIFT || list + pages * sizeof(u64) < list)
		return "the list of frames is longer than memory";
	if (pv_pfn_nr(own) >= pages)
		return "the list of frames ends before the kernel";
	return NULL;
}

static int init(const struct pv_platform *platform)
{
	pv_pfn_t pfn = pv_port_virt_to_pfn(shared_page);
	const char *why = unusable(platform->xen_start_info, pfn);
	int error;

	if (why) {
		pv_port_log("pvops: xen: start_info: %s", why);
		return -XEN_EINVAL;
	}
	pvxen_start = platform->xen_start_info;
	pvxen_p2m_addr = (unsigned long *)pvxen_start->mfn_list;
	pvxen_p2m_size = pvxen_start->nr_pages;
	PV_PERCPU_PTR(pvxen_vcpu_info)->evtchn_upcall_mask = 1;

	error = pv_batch_errno(pvxen_call3(__HYPERVISOR_update_va_mapping,
					   (unsigned long)shared_page,
					   pvxen_start->shared_info | PV_PTE_PRESENT | PV_PTE_RW |
					   PV_PTE_ACCESSED | PV_PTE_DIRTY, UVMF_INVLPG | UVMF_ALL));
	if (error) {
		pv_port_log("pvops: xen: shared_info cannot be mapped, error %d", error);
		return error;
	}
	/* A kernel that makes its own mappings then maps the same frame. */
	pvxen_p2m_addr[pv_pfn_nr(pfn)] = pvxen_start->shared_info >> PV_PAGE_SHIFT;
	pvxen_shared = (struct shared_info *)shared_page;
	return 0;
}

static void register_callback(u16 type, void (*entry)(void))
{
	struct callback_register callback = {
		.type = type,
		.flags = CALLBACKF_mask_events,
		.address = (unsigned long)entry,
	};
	long error = pvxen_check(pvxen_call2(__HYPERVISOR_callback_op, CALLBACKOP_register,
					     (unsigned long)&callback),
				 PV_BATCH_CPU_INIT, XEN_CALLER(), type, callback.address);

	if (error)
		pv_port_log("pvops: xen: callback %u refused, error %ld", type, error);
}

static void cpu_init(u32 cpu)
{
	struct physdev_set_iopl iopl = { .iopl = 1 };

	if (cpu >= PV_MAX_CPUS)
		pv_port_panic("pvops: xen: CPU number beyond PV_MAX_CPUS");
	pv_batch_setup(pvxen_submit);
	pvxen_mc_init();
	pvxen_register_vcpu(cpu, pvxen_virt_to_mfn(PV_PERCPU_PTR(pvxen_vcpu_info)));
	pvxen_cpu_registers_init();
	pvxen_time_init(cpu);
	register_callback(CALLBACKTYPE_event, pv_port_event_entry);
	register_callback(CALLBACKTYPE_failsafe, pvxen_failsafe_entry);
	pvxen_events_init(cpu);
	/* With level 1, Xen emulates the kernel's port instructions instead of a fault. */
	pvxen_check(pvxen_call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl),
		    PV_BATCH_CPU_INIT, XEN_CALLER(), cpu, iopl.iopl);
}

void pvxen_failsafe(void)
{
	pv_port_panic("pvops: xen: failsafe callback: Xen cannot load the state we return to");
}

static const struct pv_backend backend = {
	.name = "xen",
	.title = "Xen PV, 64-bit",
	.detect = detect,
	.init = init,
	.cpu_init = cpu_init,
	.hypercalls = pvxen_hypercalls,
	.tables_kept = pvxen_tables_kept,
	.lock_waits = pvxen_lock_waits,
	.null_hypercall = pvxen_null_hypercall,
	.irq = &pvxen_irq_impls,
	.cpu = &pvxen_cpu_impls,
	.mmu = &pvxen_mmu_impls,
	.time = &pvxen_time_impls,
	.smp = &pvxen_smp_impls,
	.lock = &pvxen_lock_impls,
};

PV_BACKEND(backend);
