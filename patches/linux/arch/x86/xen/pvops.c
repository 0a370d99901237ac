// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pvops Xen backend in Linux: its descriptor, and the functions that the
 * backend needs from a kernel with its own platform code for Xen.
 *
 * Linux keeps start of day, the frame list, event channels, CPU start-up, time,
 * traps and LDTs (which are in vmalloc space).  The backend does the rest.
 */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/paravirt.h>
#include <asm/pvops_platform.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>
#include <asm/xen/hypervisor.h>

#include <pvops/backend.h>
#include <pvops/batch.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

#include <xen/interface/sched.h>
#include <xen/interface/vcpu.h>
#include <xen/xen.h>

#include "xen-ops.h"
#include "pvops.h"
#include "../pvops/xen/kernel.h"

static int xen_detect(const struct pv_platform *platform, const char **why)
{
	if (platform->xen_start_info)
		return PV_SCORE_DEPRIVILEGED;
	*why = "no Xen PV start of day";
	return PV_SCORE_NONE;
}

static void xen_cpu_init(u32 cpu)
{
	pv_batch_setup(pvxen_submit);
	pvxen_mc_init();
	pvxen_cpu_registers_init();
}

/*
 * Xen reads a bit for each vCPU of the domain, but an allocated cpumask ends at
 * nr_cpu_ids.  Preemption is off, and interrupt handlers flush no other CPU.
 */
static DEFINE_PER_CPU(struct pv_cpumask, flushed_cpus);

static void xen_flush_tlb_info(const struct cpumask *cpus,
			       const struct flush_tlb_info *info)
{
	struct pv_cpumask *mask = this_cpu_ptr(&flushed_cpus);

	bitmap_and((unsigned long *)mask->word, cpumask_bits(cpus),
		   cpumask_bits(cpu_online_mask), nr_cpu_ids);
	if (info->end == TLB_FLUSH_ALL)
		pv_flush_tlb_multi(mask, 0, 0);
	else
		pv_flush_tlb_multi(mask, info->start, info->end);
}

/*
 * Flushes of other CPUs send no IPIs, so walkers need RCU.  But nobody can walk
 * the tables of an address space that ends, and Xen flushes the CPUs' caches
 * before a table page gets another use.  So such a table is freed at once: if
 * no memory is left, others may wait for it.
 */
static void xen_remove_table(struct mmu_gather *tlb, void *table)
{
	if (!tlb->fullmm || atomic_read(&tlb->mm->mm_users)) {
		tlb_remove_table(tlb, table);
		return;
	}
	pvops_free_table(table);
	cond_resched();
}

static const struct pv_kernel_impls xen_kernel_impls = {
	.flush_tlb_info = PV_FN(xen_flush_tlb_info, PV_IMPL_REQUIRED),
	.remove_table = PV_FN(xen_remove_table, PV_IMPL_REQUIRED),
};

/* Of Linux's code for Xen PV, only that for locks can be left out. */
static const char *xen_needs(enum pv_op op)
{
	const char *why = NULL;

	if (!strcmp(pv_op_info[op].table, "time"))
		why = "a PV guest has no clock and no timer but Xen's";
	else if (!strcmp(pv_op_info[op].table, "smp"))
		why = "a PV guest has no local APIC";
	return why;
}

static bool xen_serves(enum pv_op op)
{
	return op == PV_OP_lock_wait || op == PV_OP_lock_kick;
}

static const struct pv_backend xen_backend = {
	.name = "xen",
	.title = "Xen PV, 64-bit",
	.detect = xen_detect,
	.cpu_init = xen_cpu_init,
	.hypercalls = pvxen_hypercalls,
	.tables_kept = pvxen_tables_kept,
	.lock_waits = pvxen_lock_waits,
	.null_hypercall = pvxen_null_hypercall,
	.note = pvops_platform_note,
	.needs = xen_needs,
	.serves = xen_serves,
	.irq = &pvxen_irq_impls,
	.cpu = &pvxen_cpu_impls,
	.mmu = &pvxen_mmu_impls,
	.kernel = &xen_kernel_impls,
};

PV_BACKEND(xen_backend);

void __init xen_pvops_init(struct start_info *si)
{
	/* Events are masked; until Xen writes this byte, it must say so. */
	this_cpu_write(xen_vcpu_info.evtchn_upcall_mask, 1);
	pvops_early_init_xen(si);
	xen_pvops_override_cpu();
	xen_pvops_override_mmu();
}

void xen_pvops_cpu_init(void)
{
	pv_cpu_init(raw_smp_processor_id());
}

/* Called by the backend */

void pvxen_halt(void)
{
	/* Nothing can wake a CPU that waits with events masked. */
	if (irqs_disabled())
		HYPERVISOR_vcpu_op(VCPUOP_down,
				   xen_vcpu_nr(smp_processor_id()), NULL);
	else
		HYPERVISOR_sched_op(SCHEDOP_block, NULL);
}

/* xen_pv_evtchn_do_upcall() is entered directly. */
void pvxen_upcall(u32 vector)
{
}

void pvxen_failsafe(void)
{
	panic("pvops: xen: failsafe callback: Xen cannot load the state we return to");
}

u64 pv_port_foreign_pfn(u64 mfn)
{
	return mfn_to_pfn(mfn);
}

u64 pv_port_foreign_mfn(u64 pfn)
{
	unsigned long mfn = __pfn_to_mfn(pfn);

	if (mfn == INVALID_P2M_ENTRY)
		return ~0ULL;
	return mfn & ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT);
}

/* Behind pvxen_syscall_entry; xen_enable_syscall() registers Linux's own. */
asm(".pushsection .text\n"
	".globl pv_port_syscall_hwframe\n"
	".type pv_port_syscall_hwframe, @function\n"
	"pv_port_syscall_hwframe:\n\t"
	"jmp entry_SYSCALL_64_after_hwframe\n"
	".size pv_port_syscall_hwframe, . - pv_port_syscall_hwframe\n"
	".popsection");
