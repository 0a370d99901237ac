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
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/mmu_context.h>
#include <asm/paravirt.h>
#include <asm/pvops_platform.h>
#include <asm/pgalloc.h>
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

/*
 * The end of an address space.  To remove an entry by an update costs some 430
 * instructions.  To unpin a table costs 12,000 and 145 for each entry, and the
 * next process pins another one for 12,000; but the tables above it must be
 * unpinned, too (backends/xen/README.md).
 */
#define DENSE_ENTRIES	80
#define ENTRY_GAIN	285
#define LAST_LEVEL_COST	24000
#define UPPER_LEVEL_COST 45000
#define ROOT_COST	60000

static bool is_dense(const pte_t *table)
{
	unsigned int i, count = 0;

	for (i = 0; i < PTRS_PER_PTE && count < DENSE_ENTRIES; i++)
		count += !!table[i].pte;
	return count == DENSE_ENTRIES;
}

/* The entry for the table of the last level, if there is one */
static pmd_t *pmd_of(struct mm_struct *mm, unsigned long at)
{
	pgd_t *pgd = pgd_offset(mm, at);
	p4d_t *p4d = p4d_offset(pgd, at);
	pud_t *pud;
	pmd_t *pmd;

	if (pgd_none(*pgd) || p4d_none(*p4d))
		return NULL;
	pud = pud_offset(p4d, at);
	if (pud_none(*pud))
		return NULL;
	pmd = pmd_offset(pud, at);
	return pmd_none(*pmd) ? NULL : pmd;
}

/* Is it, or can it be made so?  The tables above are unpinned. */
static bool unpinned(const void *at, u32 level)
{
	const void *table = PTR_ALIGN_DOWN(at, PAGE_SIZE);

	return virt_to_page(table)->mapping ||
	       pv_unpin_table(pv_port_virt_to_pfn(table), level);
}

static void unpin_last_level(struct mm_struct *mm, unsigned long at, pmd_t *pmd)
{
	p4d_t *p4d = p4d_offset(pgd_offset(mm, at), at);
	/* Who looks for the mappings of a page may be at the entries. */
	spinlock_t *lock;

	if (!unpinned(pud_offset(p4d, at), 3) || !unpinned(pmd, 2))
		return;
	lock = pte_lockptr(mm, pmd);
	spin_lock(lock);
	unpinned((void *)pmd_page_vaddr(*pmd), 1);
	spin_unlock(lock);
	cond_resched();
}

/* Returns what it costs to unpin the dense tables, or unpins them. */
static unsigned long dense_tables(struct mm_struct *mm, bool unpin)
{
	const void *above = NULL;
	unsigned long cost = 0, at;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	for_each_vma(vmi, vma) {
		if (vma_pages(vma) < DENSE_ENTRIES)
			continue;
		for (at = vma->vm_start & PMD_MASK; at < vma->vm_end; at += PMD_SIZE) {
			pmd_t *pmd = pmd_of(mm, at);

			if (!pmd || !is_dense((void *)pmd_page_vaddr(*pmd)))
				continue;
			if (unpin)
				unpin_last_level(mm, at, pmd);
			cost += LAST_LEVEL_COST;
			if (above != PTR_ALIGN_DOWN(pmd, PAGE_SIZE))
				cost += UPPER_LEVEL_COST;
			above = PTR_ALIGN_DOWN(pmd, PAGE_SIZE);
		}
	}
	return cost;
}

static void leave_mm_here(void *mm)
{
	if (this_cpu_read(cpu_tlbstate.loaded_mm) == mm)
		switch_mm(NULL, &init_mm, NULL);
}

static void xen_exit_mmap(struct mm_struct *mm)
{
	unsigned long gain = get_mm_rss(mm) * ENTRY_GAIN, cost;

	if (gain <= ROOT_COST)
		return;
	cost = dense_tables(mm, false);
	if (!cost || gain <= ROOT_COST + cost)
		return;
	/* CPUs may have it in lazy TLB mode. */
	on_each_cpu_mask(mm_cpumask(mm), leave_mm_here, mm, true);
	if (pv_unpin_table(pv_port_virt_to_pfn(mm->pgd), 4))
		dense_tables(mm, true);
}

static const struct pv_kernel_impls xen_kernel_impls = {
	.exit_mmap = PV_FN(xen_exit_mmap, 0),
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
