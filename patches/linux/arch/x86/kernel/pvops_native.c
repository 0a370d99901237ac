// SPDX-License-Identifier: GPL-2.0-only
/*
 * Far sides of the conversions of page-table entries, native functions of Linux's
 * own ops, and batches across a context switch.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include <asm/fixmap.h>
#include <asm/io_bitmap.h>
#include <asm/paravirt.h>
#include <asm/tlb.h>
#ifdef CONFIG_PARAVIRT_SPINLOCKS
#include <asm/qspinlock.h>
#endif

#include <pvops/backend.h>
#include <pvops/batch.h>

/*
 * The far sides of <asm/pvops_entries.h>.  An entry that stays present, or
 * stays absent, keeps its frame number, which needs no conversion.
 */

pte_t pvops_pte_modify(pte_t pte, pgprot_t newprot)
{
	pteval_t val = native_pte_val(pte);
	pteval_t new = pvops_change_flags(val, newprot, _PAGE_CHG_MASK,
					  PTE_PFN_MASK);

	if (!((val ^ new) & _PAGE_PRESENT))
		return native_make_pte(new);
	return __pte(pvops_change_flags(pte_val(pte), newprot, _PAGE_CHG_MASK,
					PTE_PFN_MASK));
}
EXPORT_SYMBOL_GPL(pvops_pte_modify);

pte_t pvops_pte_advance_pfn(pte_t pte, unsigned long nr)
{
	pteval_t val = pte_val(pte), step = nr << PAGE_SHIFT;

	return __pte(__pte_needs_invert(val) ? val - step : val + step);
}
EXPORT_SYMBOL_GPL(pvops_pte_advance_pfn);

pmd_t pvops_pmd_modify(pmd_t pmd, pgprot_t newprot)
{
	pmdval_t val = native_pmd_val(pmd);
	pmdval_t new = pvops_change_flags(val, newprot, _HPAGE_CHG_MASK,
					  PHYSICAL_PMD_PAGE_MASK);

	if (!((val ^ new) & _PAGE_PRESENT))
		return native_make_pmd(new);
	return __pmd(pvops_change_flags(pmd_val(pmd), newprot, _HPAGE_CHG_MASK,
					PHYSICAL_PMD_PAGE_MASK));
}
EXPORT_SYMBOL_GPL(pvops_pmd_modify);

/* Linux's own ops, natively (pvops_ops.h) */

void pvops_nop(void)
{
}

static void native_flush_tlb_info(const struct cpumask *mask,
				  const struct flush_tlb_info *info)
{
	native_flush_tlb_multi(mask, info);
}

static void native_remove_table(struct mmu_gather *tlb, void *table)
{
	tlb_remove_page(tlb, table);
}

static void native_map_fixmap(u32 index, u64 phys, u64 flags)
{
	native_set_fixmap(index, phys, __pgprot(flags));
}

#ifdef CONFIG_PARAVIRT_SPINLOCKS
PV_CODE(code_lock_release, "movb $0, (%rdi)");
#endif

#define NOTHING(name)						\
	.name = PV_EMPTY((typeof(pv_slots.name))pvops_nop,	\
			 PV_IMPL_BEHIND_BRANCH)
#define NATIVE(name)	.name = PV_FN(native_##name, PV_IMPL_BEHIND_BRANCH)

const struct pv_kernel_impls pv_native_kernel_impls = {
	NOTHING(attach_table),
	NOTHING(detach_table),
	NOTHING(alloc_ldt),
	NOTHING(free_ldt),
	NATIVE(flush_tlb_info),
	NATIVE(remove_table),
	NOTHING(exit_mmap),
	NOTHING(enc_status_changed),
	NATIVE(map_fixmap),
#ifdef CONFIG_X86_IOPL_IOPERM
	.invalidate_io_bitmap = PV_FN(native_tss_invalidate_io_bitmap,
				      PV_IMPL_BEHIND_BRANCH),
	.update_io_bitmap = PV_FN(native_tss_update_io_bitmap,
				  PV_IMPL_BEHIND_BRANCH),
#endif
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	.lock_slowpath = PV_FN(native_queued_spin_lock_slowpath,
			       PV_IMPL_BEHIND_BRANCH),
	.lock_release = PV_INLINE(__raw_callee_save___native_queued_spin_unlock,
				  code_lock_release, PV_IMPL_BEHIND_BRANCH),
#endif
};

/*
 * A task may sleep, or be preempted, while it updates page tables lazily.  Its
 * nested batches end when it is switched out, and are opened again when it runs
 * next.
 */
void pvops_start_context_switch(struct task_struct *prev)
{
	prev->thread.lazy_mmu_depth = pv_batch_switch_out();
	pv_outline_start_context_switch();
}

void pvops_end_context_switch(struct task_struct *next)
{
	pv_outline_end_context_switch();
	pv_batch_switch_in(next->thread.lazy_mmu_depth);
	/* A child begins with a copy of this, and with no batch. */
	next->thread.lazy_mmu_depth = 0;
}
