// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Page tables: entry updates, address-space switch, TLB.  tables.c allocates table
 * pages.
 *
 * Updates are arrays of mmu_update, not update_va_mapping or multicalls; README.md,
 * "Measured", has the reason.
 */
#include "internal.h"

/* The queue's requests have Xen's layout, so that a flush is only the hypercall. */
_Static_assert(sizeof(struct pv_batch_req) == sizeof(struct mmu_update), "same layout");
_Static_assert(offsetof(struct pv_batch_req, val) == offsetof(struct mmu_update, val),
	       "same layout");

int pvxen_submit(const struct pv_batch_req *req, u32 count, u32 *done)
{
	*done = 0;
	return pv_batch_errno(pvxen_call4(__HYPERVISOR_mmu_update, (unsigned long)req, count,
					  (unsigned long)done, DOMID_SELF));
}

u64 pvxen_foreign_val(u64 entry)
{
	u64 pfn = pv_port_foreign_pfn((entry & PV_FRAME_MASK) >> PV_PAGE_SHIFT);

	if (pfn == ~0ULL)
		return entry & ~PV_PTE_PRESENT;
	return (entry & ~PV_FRAME_MASK) | pfn << PV_PAGE_SHIFT;
}

u64 pvxen_foreign_entry(u64 val)
{
	u64 mfn = pv_port_foreign_mfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT);

	return mfn == ~0ULL ? 0 : (val & ~PV_FRAME_MASK) | mfn << PV_PAGE_SHIFT;
}

static __always_inline u64 entry_maddr(const void *entry)
{
	return pvxen_virt_to_maddr(entry);
}

/* In an unpinned table an update is a plain store. */
static bool stored(void *entry, u64 val)
{
	if (!pvxen_is_unpinned(pv_port_virt_to_pfn(entry)))
		return false;
	*(volatile u64 *)entry = val;
	return true;
}

static __attribute__((__noinline__)) void update_or_store(enum pv_op op, unsigned long caller,
							  void *entry, u64 kind, u64 val)
{
	if (!stored(entry, val))
		pv_batch_append(op, caller, entry_maddr(entry) | kind, val);
}

/* The call is the last thing, so that the usual way needs no stack frame. */
static __always_inline void update(enum pv_op op, unsigned long caller, void *entry, u64 kind,
				   u64 val)
{
	if (__builtin_expect(__atomic_load_n(&pvxen_unpinned_tables, __ATOMIC_RELAXED), 0))
		update_or_store(op, caller, entry, kind, val);
	else
		pv_batch_append(op, caller, entry_maddr(entry) | kind, val);
}

static void pvxen_set_pte(pv_pte_t *ptep, pv_pte_t pte)
{
	update(PV_OP_set_pte, XEN_CALLER(), ptep, MMU_NORMAL_PT_UPDATE, (__force u64)pte);
}

static void pvxen_set_pmd(pv_pmd_t *pmdp, pv_pmd_t pmd)
{
	update(PV_OP_set_pmd, XEN_CALLER(), pmdp, MMU_NORMAL_PT_UPDATE, (__force u64)pmd);
}

static void pvxen_set_pud(pv_pud_t *pudp, pv_pud_t pud)
{
	update(PV_OP_set_pud, XEN_CALLER(), pudp, MMU_NORMAL_PT_UPDATE, (__force u64)pud);
}

/* User mode has a root of its own, with the same user half. */
static void pvxen_set_p4d(pv_p4d_t *p4dp, pv_p4d_t p4d)
{
	u64 offset = (unsigned long)p4dp & (PV_PAGE_SIZE - 1);
	pv_mfn_t user = pv_mfn(0);

	if (stored(p4dp, (__force u64)p4d))
		return;
	if (offset < PV_PAGE_SIZE / 2)
		user = pvxen_user_root(pv_port_virt_to_pfn(p4dp));
	else
		pvxen_forget_roots();
	/* One hypercall for both, if no batch is open. */
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_append(PV_OP_set_p4d, XEN_CALLER(),
			entry_maddr(p4dp) | MMU_NORMAL_PT_UPDATE, (__force u64)p4d);
	if (pv_mfn_nr(user))
		pv_batch_append(PV_OP_set_p4d, XEN_CALLER(),
				pv_maddr_nr(pv_mfn_to_maddr(user)) | offset | MMU_NORMAL_PT_UPDATE,
				(__force u64)p4d);
	pv_batch_end(PV_BATCH_MMU);
}

/*
 * The entry stays in place between start and commit: an exchange with 0 would trap, and
 * Xen would emulate it.  When Xen writes the new value, it keeps A and D bits that
 * hardware has set meanwhile.
 */
static pv_pte_t pvxen_ptep_modify_prot_start(pv_pte_t *ptep)
{
	return *(volatile pv_pte_t *)ptep;
}

static void pvxen_ptep_modify_prot_commit(pv_pte_t *ptep, pv_pte_t pte)
{
	update(PV_OP_ptep_modify_prot_commit, XEN_CALLER(), ptep, MMU_PT_UPDATE_PRESERVE_AD,
	       (__force u64)pte);
}

static void pvxen_set_fixmap(u32 index, pv_maddr_t maddr, u64 prot)
{
	u64 val = prot ? pv_maddr_nr(maddr) | prot : 0;
	u64 va;

	pv_batch_drain();
	if (!pv_port_fixmap_pte(index, &va)) {
		pvxen_refused(PV_OP_set_fixmap, XEN_CALLER(), index, val, -XEN_EINVAL,
			      PV_BATCH_NOT_TRIED);
		return;
	}
	pvxen_check(pvxen_call3(__HYPERVISOR_update_va_mapping, va, val, UVMF_INVLPG | UVMF_LOCAL),
		  PV_OP_set_fixmap, XEN_CALLER(), va, val);
}

/* Loads both roots in one hypercall; only the first kernel root has no user root. */
static void pvxen_write_cr3(u64 paddr)
{
	pv_pfn_t root = pv_pfn(paddr >> PV_PAGE_SHIFT);
	struct mmuext_op op[2] = {
		pvxen_mmuext_mfn(MMUEXT_NEW_BASEPTR, pvxen_mfn(root)),
		pvxen_mmuext_mfn(MMUEXT_NEW_USER_BASEPTR, pvxen_user_root(root)),
	};

	pv_batch_drain();
	*PV_PERCPU_PTR(pvxen_cr3) = paddr;
	pvxen_mc_mmuext(PV_OP_write_cr3, XEN_CALLER(), op, 2);
}

/* TLB. */
static __always_inline void flush_tlb(enum pv_op which, unsigned long caller)
{
	struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };

	pv_batch_drain();
	pvxen_check(pvxen_mmuext(&op, 1), which, caller, 0, 0);
}

static void pvxen_flush_tlb_user(void)
{
	flush_tlb(PV_OP_flush_tlb_user, XEN_CALLER());
}

/* Xen's local flush also drops global entries. */
static void pvxen_flush_tlb_kernel(void)
{
	flush_tlb(PV_OP_flush_tlb_kernel, XEN_CALLER());
}

static void pvxen_flush_tlb_one(u64 va)
{
	struct mmuext_op op = { .cmd = MMUEXT_INVLPG_LOCAL };

	op.arg1.linear_addr = va;
	pv_batch_drain();
	pvxen_check(pvxen_mmuext(&op, 1), PV_OP_flush_tlb_one, XEN_CALLER(), va, 0);
}

/*
 * Page by page, Xen interrupts the other CPUs once for each page; a full flush interrupts
 * them once.  So only a single page is flushed by its address.
 */
static void pvxen_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end)
{
	struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_MULTI };

	if (end > start && end - start <= PV_PAGE_SIZE) {
		op.cmd = MMUEXT_INVLPG_MULTI;
		op.arg1.linear_addr = start;
	}
	set_xen_guest_handle(op.arg2.vcpumask, (void *)mask->word);
	pv_batch_drain();
	pvxen_check(pvxen_mmuext(&op, 1), PV_OP_flush_tlb_multi, XEN_CALLER(), start, end);
}

/* Batches. */
static void pvxen_batch_enter(enum pv_batch_kind kind)
{
	pv_batch_begin(kind);
}

static void pvxen_batch_leave(enum pv_batch_kind kind)
{
	pv_batch_end(kind);
	if (kind == PV_BATCH_CPU && !pv_batch_open(kind))
		pvxen_mc_flush();
}

static void pvxen_batch_flush(void)
{
	pv_batch_drain();
	pvxen_mc_flush();
}

PV_CODE(code_read_cr3, "mov " PV_PERCPU_ASM "pvxen_cr3, %rax");

/* All required: frame numbers, read-only tables and two roots have no native form. */
const struct pv_mmu_impls pvxen_mmu_impls = {
	.read_cr3 = PV_INLINE(pvxen_read_cr3, code_read_cr3, PV_IMPL_REQUIRED),
	.write_cr3 = PV_FN(pvxen_write_cr3, PV_IMPL_REQUIRED),
	.flush_tlb_user = PV_FN(pvxen_flush_tlb_user, PV_IMPL_REQUIRED),
	.flush_tlb_kernel = PV_FN(pvxen_flush_tlb_kernel, PV_IMPL_REQUIRED),
	.flush_tlb_one = PV_FN(pvxen_flush_tlb_one, PV_IMPL_REQUIRED),
	.flush_tlb_multi = PV_FN(pvxen_flush_tlb_multi, PV_IMPL_REQUIRED),
	.set_pte = PV_FN(pvxen_set_pte, PV_IMPL_REQUIRED),
	.set_pmd = PV_FN(pvxen_set_pmd, PV_IMPL_REQUIRED),
	.set_pud = PV_FN(pvxen_set_pud, PV_IMPL_REQUIRED),
	.set_p4d = PV_FN(pvxen_set_p4d, PV_IMPL_REQUIRED),
	.pte_val = PV_FN(pvxen_pte_val, PV_IMPL_REQUIRED),
	.make_pte = PV_FN(pvxen_make_pte, PV_IMPL_REQUIRED),
	.pmd_val = PV_FN(pvxen_pmd_val, PV_IMPL_REQUIRED),
	.make_pmd = PV_FN(pvxen_make_pmd, PV_IMPL_REQUIRED),
	.pud_val = PV_FN(pvxen_pud_val, PV_IMPL_REQUIRED),
	.make_pud = PV_FN(pvxen_make_pud, PV_IMPL_REQUIRED),
	.p4d_val = PV_FN(pvxen_p4d_val, PV_IMPL_REQUIRED),
	.make_p4d = PV_FN(pvxen_make_p4d, PV_IMPL_REQUIRED),
	.ptep_modify_prot_start = PV_FN(pvxen_ptep_modify_prot_start, PV_IMPL_REQUIRED),
	.ptep_modify_prot_commit = PV_FN(pvxen_ptep_modify_prot_commit, PV_IMPL_REQUIRED),
	.alloc_pte = PV_FN(pvxen_alloc_pte, PV_IMPL_REQUIRED),
	.release_pte = PV_FN(pvxen_release_pte, PV_IMPL_REQUIRED),
	.alloc_pmd = PV_FN(pvxen_alloc_pmd, PV_IMPL_REQUIRED),
	.release_pmd = PV_FN(pvxen_release_pmd, PV_IMPL_REQUIRED),
	.alloc_pud = PV_FN(pvxen_alloc_pud, PV_IMPL_REQUIRED),
	.release_pud = PV_FN(pvxen_release_pud, PV_IMPL_REQUIRED),
	.alloc_unpinned = PV_FN(pvxen_alloc_unpinned, 0),
	.pin_table = PV_FN(pvxen_pin_table, 0),
	.unpin_table = PV_FN(pvxen_unpin_table, 0),
	.pgd_alloc = PV_FN(pvxen_pgd_alloc, PV_IMPL_REQUIRED),
	.pgd_free = PV_FN(pvxen_pgd_free, PV_IMPL_REQUIRED),
	.pgd_activate = PV_FN(pvxen_pgd_activate, PV_IMPL_REQUIRED),
	.table_cache = PV_FN(pvxen_table_cache, 0),
	.set_fixmap = PV_FN(pvxen_set_fixmap, PV_IMPL_REQUIRED),
	.batch_enter = PV_FN(pvxen_batch_enter, PV_IMPL_REQUIRED),
	.batch_leave = PV_FN(pvxen_batch_leave, PV_IMPL_REQUIRED),
	.batch_flush = PV_FN(pvxen_batch_flush, PV_IMPL_REQUIRED),
};
