// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Page tables.  Updates wait in the core's queue (batch.h), which handles nesting and
 * interrupts, and keeps the callers.  A flush hands them to the ROM in its lazy mode, so
 * all of them cost one trap.
 */
#include "internal.h"

/* Low bits of a request's address: level - 1. */
#define LEVEL_MASK	3ULL

/* Updates may be queued: no op that must come after them is native. */
static bool batching;

VMI_NOCFI struct pvvmi_reloc pvvmi_set_lazy(u32 classes)
{
	u32 *lazy = PV_PERCPU_PTR(pvvmi_lazy);

	pvvmi_counted(VMI_SET_LAZY_MODE, *lazy & ~classes);
	*lazy = classes;
	return ((pvvmi_fn_pair)pvvmi_at(VMI_SET_LAZY_MODE))(classes);
}

static VMI_NOCFI s64 set_entry(const struct pv_batch_req *req, u64 flags)
{
	pvvmi_counted(VMI_SET_PXE_LONG, !flags);
	return (s64)((pvvmi_fn3)pvvmi_at(VMI_SET_PXE_LONG))
		(req->val, req->ptr & ~LEVEL_MASK, 1ULL << (req->ptr & LEVEL_MASK) | flags);
}

/* The ROM's queue is at least as long as the core's; a shorter one would work, too. */
static int apply(const struct pv_batch_req *req, u32 count, u32 *done)
{
	u32 *lazy = PV_PERCPU_PTR(pvvmi_lazy);
	u32 at = 0;

	*done = 0;
	if (count == 1)
		return pv_batch_errno(set_entry(req, 0));
	while (at < count) {
		struct pvvmi_reloc result;
		u32 first = at;
		s64 error = 0;
		int flushed;

		pvvmi_set_lazy(*lazy | VMI_LAZY_MMU);
		while (at < count && error >= 0) {
			error = set_entry(&req[at], VMI_DEFER);
			at += error >= 0;
		}
		/* .entry: RAX, the status; .type: RDX, entries applied. */
		result = pvvmi_set_lazy(*lazy & ~(u32)VMI_LAZY_MMU);
		flushed = pv_batch_errno((s64)result.entry);
		if (flushed) {
			*done = first + (u32)result.type;
			return flushed;
		}
		if (error < 0 && at == first) {
			*done = at;
			return pv_batch_errno(error);
		}
	}
	return 0;
}

static int pvvmi_submit(const struct pv_batch_req *req, u32 count, u32 *done)
{
#ifdef PV_PORT_INJECT
	int result;

	if (pvvmi_inject_list(apply, req, count, done, &result))
		return result;
#endif
	return apply(req, count, done);
}

static __always_inline void append(enum pv_op op, unsigned long caller, const void *entry,
				   u32 level, u64 val)
{
	pv_batch_append(op, caller, (unsigned long)entry | (level - 1), val);
}

static void pvvmi_set_pte(pv_pte_t *ptep, pv_pte_t pte)
{
	append(PV_OP_set_pte, VMI_CALLER(), ptep, 1, (__force u64)pte);
}

static void pvvmi_set_pmd(pv_pmd_t *pmdp, pv_pmd_t pmd)
{
	append(PV_OP_set_pmd, VMI_CALLER(), pmdp, 2, (__force u64)pmd);
}

static void pvvmi_set_pud(pv_pud_t *pudp, pv_pud_t pud)
{
	append(PV_OP_set_pud, VMI_CALLER(), pudp, 3, (__force u64)pud);
}

/* The caller may use the image's address of the kernel's own root. */
static void pvvmi_set_p4d(pv_p4d_t *p4dp, pv_p4d_t p4d)
{
	u64 offset = (unsigned long)p4dp % PV_PAGE_SIZE;

	p4dp = (pv_p4d_t *)((u8 *)pv_port_pfn_to_virt(pv_port_virt_to_pfn(p4dp)) + offset);
	append(PV_OP_set_p4d, VMI_CALLER(), p4dp, 4, (__force u64)p4d);
}

/* ptep_modify_prot_start is native: section 6.2 allows its exchange with 0. */
static void pvvmi_ptep_modify_prot_commit(pv_pte_t *ptep, pv_pte_t pte)
{
	append(PV_OP_ptep_modify_prot_commit, VMI_CALLER(), ptep, 1, (__force u64)pte);
}

static void pvvmi_write_cr3(u64 paddr)
{
	pv_batch_drain();
	if (pvvmi_has(VMI_SET_CR3))
		pvvmi_call1(VMI_SET_CR3, paddr);
	else
		asm volatile("mov %0, %%cr3" : : "r" (paddr) : "memory");
}

static void flush_user(void)
{
	if (pvvmi_has(VMI_FLUSH_TLB))
		pvvmi_call1(VMI_FLUSH_TLB, 1);
	else
		pv_native_flush_tlb_user();
}

static void flush_one(u64 va)
{
	if (pvvmi_has(VMI_INVAL_PAGE))
		pvvmi_call1(VMI_INVAL_PAGE, va);
	else
		pv_native_flush_tlb_one(va);
}

static void pvvmi_flush_tlb_user(void)
{
	pv_batch_drain();
	flush_user();
}

static void pvvmi_flush_tlb_kernel(void)
{
	pv_batch_drain();
	if (pvvmi_has(VMI_FLUSH_TLB))
		pvvmi_call1(VMI_FLUSH_TLB, 3);
	else
		pv_native_flush_tlb_kernel();
}

static void pvvmi_flush_tlb_one(u64 va)
{
	pv_batch_drain();
	flush_one(va);
}

/* Table pages come from the kernel, and are registered with the hypervisor. */
static __always_inline pv_pfn_t allocate(enum pv_op op, unsigned long caller, u64 level)
{
	pv_pfn_t pfn = pv_port_alloc_page();

	if (pfn == PV_PFN_NONE || !pvvmi_has(VMI_ALLOCATE_PAGE) ||
	    pvvmi_check(VMI_ALLOCATE_PAGE, pvvmi_call5(VMI_ALLOCATE_PAGE, pv_pfn_nr(pfn),
						       level | VMI_PAGE_ZEROED, 0, 0, 0),
			op, caller, pv_pfn_nr(pfn), level) >= 0)
		return pfn;
	pv_port_free_page(pfn);
	return PV_PFN_NONE;
}

static __always_inline void release(enum pv_op op, unsigned long caller, pv_pfn_t pfn, u64 level)
{
	pv_batch_drain();
	/* After a refusal, the hypervisor still uses the page, so it is not freed. */
	if (!pvvmi_has(VMI_RELEASE_PAGE) ||
	    pvvmi_check(VMI_RELEASE_PAGE, pvvmi_call2(VMI_RELEASE_PAGE, pv_pfn_nr(pfn), level),
			op, caller, pv_pfn_nr(pfn), level) >= 0)
		pv_port_free_page(pfn);
}

static pv_pfn_t pvvmi_alloc_pte(void)
{
	return allocate(PV_OP_alloc_pte, VMI_CALLER(), VMI_PT);
}

static void pvvmi_release_pte(pv_pfn_t pfn)
{
	release(PV_OP_release_pte, VMI_CALLER(), pfn, VMI_PT);
}

static pv_pfn_t pvvmi_alloc_pmd(void)
{
	return allocate(PV_OP_alloc_pmd, VMI_CALLER(), VMI_PD);
}

static void pvvmi_release_pmd(pv_pfn_t pfn)
{
	release(PV_OP_release_pmd, VMI_CALLER(), pfn, VMI_PD);
}

static pv_pfn_t pvvmi_alloc_pud(void)
{
	return allocate(PV_OP_alloc_pud, VMI_CALLER(), VMI_PDP);
}

static void pvvmi_release_pud(pv_pfn_t pfn)
{
	release(PV_OP_release_pud, VMI_CALLER(), pfn, VMI_PDP);
}

static pv_pfn_t pvvmi_pgd_alloc(void)
{
	const u32 half = PV_TABLE_ENTRIES / 2;
	pv_pfn_t root = pv_port_kernel_root(), pfn = pv_port_alloc_page();
	const u64 *from = pv_port_pfn_to_virt(root);
	u64 *to = pv_port_pfn_to_virt(pfn);
	u32 i;

	if (pfn == PV_PFN_NONE)
		return pfn;
	for (i = half; i < PV_TABLE_ENTRIES; i++)
		to[i] = from[i];
	if (!pvvmi_has(VMI_ALLOCATE_PAGE) ||
	    pvvmi_check(VMI_ALLOCATE_PAGE,
			pvvmi_call5(VMI_ALLOCATE_PAGE, pv_pfn_nr(pfn),
				    VMI_PML4 | VMI_PAGE_CLONE | VMI_PAGE_ZEROED, pv_pfn_nr(root),
				    half, half),
			PV_OP_pgd_alloc, VMI_CALLER(), pv_pfn_nr(pfn), VMI_PML4) >= 0)
		return pfn;
	pv_port_free_page(pfn);
	return PV_PFN_NONE;
}

static void pvvmi_pgd_free(pv_pfn_t pfn)
{
	release(PV_OP_pgd_free, VMI_CALLER(), pfn, VMI_PML4);
}

static void pvvmi_pgd_activate(pv_pfn_t pfn)
{
	(void)pfn;
	pv_batch_drain();
}

static u32 pvvmi_table_cache(u32 bound)
{
	(void)bound;
	pv_batch_drain();
	return 0;
}

static void pvvmi_set_fixmap(u32 index, pv_maddr_t maddr, u64 prot)
{
	u64 val = prot ? pv_maddr_nr(maddr) | prot : 0;
	struct pv_batch_req req = { .val = val };
	u64 va;

	pv_batch_drain();
	req.ptr = (unsigned long)pv_port_fixmap_pte(index, &va);
	if (!req.ptr)
		pvvmi_refused(PV_OP_set_fixmap, VMI_CALLER(), index, val, -VMI_EINVAL,
			      PV_BATCH_NOT_TRIED);
	else if (pvvmi_check(VMI_SET_PXE_LONG, set_entry(&req, 0), PV_OP_set_fixmap, VMI_CALLER(),
			     index, val) >= 0)
		flush_one(va);
}

static void pvvmi_batch_enter(enum pv_batch_kind kind)
{
	if (batching)
		pv_batch_begin(kind);
}

static void pvvmi_batch_leave(enum pv_batch_kind kind)
{
	if (batching)
		pv_batch_end(kind);
}

static void pvvmi_batch_flush(void)
{
	pv_batch_drain();
}

/*
 * Returns an op that must drain the queue but is native, so that it would overtake queued
 * updates; PV_OP_COUNT if there is none.
 */
static u32 overtaker(void)
{
	static const u8 drains[] = {
		PV_OP_set_pte, PV_OP_set_pmd, PV_OP_set_pud, PV_OP_set_p4d,
		PV_OP_ptep_modify_prot_commit, PV_OP_write_cr3, PV_OP_flush_tlb_user,
		PV_OP_flush_tlb_kernel, PV_OP_flush_tlb_one, PV_OP_release_pte,
		PV_OP_release_pmd, PV_OP_release_pud, PV_OP_pgd_free,
		PV_OP_pgd_activate, PV_OP_table_cache, PV_OP_set_fixmap, PV_OP_batch_enter,
		PV_OP_batch_leave, PV_OP_batch_flush, PV_OP_send_ipi, PV_OP_send_ipi_mask,
		PV_OP_stop_cpu, PV_OP_start_cpu, PV_OP_start_context_switch,
	};
	u32 i;

	for (i = 0; i < sizeof(drains); i++)
		if (pv_impl_is_native(drains[i]))
			return drains[i];
	return PV_OP_COUNT;
}

_Static_assert(PV_OP_COUNT < 256, "ops in a byte");

void pvvmi_mmu_cpu_init(void)
{
	u32 op;

	*PV_PERCPU_PTR(pvvmi_lazy) = 0;
	if (!pvvmi_has(VMI_SET_PXE_LONG))
		return;
	op = overtaker();
	batching = op == PV_OP_COUNT;
	if (!batching && !pv_port_this_cpu())
		pv_port_log("pvops: vmi: page-table updates are not queued: %s is native",
			    pv_op_info[op].name);
	pv_batch_setup(pvvmi_submit);
}

#define USE(op, more)	VMI_USE(pvvmi_mmu_impls, op, pvvmi_##op, more)

void pvvmi_fill_mmu(u32 rom_flags)
{
	bool set = pvvmi_has(VMI_SET_PXE_LONG), allocate_page = pvvmi_has(VMI_ALLOCATE_PAGE);
	unsigned long must = rom_flags & VMI_FLAG_DIRECT_PT ? 0 : PV_IMPL_REQUIRED;

	if (pvvmi_has(VMI_GET_CR3))
		VMI_DIRECT(pvvmi_mmu_impls, read_cr3, VMI_GET_CR3, 0);
	if (set || pvvmi_has(VMI_SET_CR3))
		USE(write_cr3, 0);
	if (set || pvvmi_has(VMI_FLUSH_TLB)) {
		USE(flush_tlb_user, 0);
		USE(flush_tlb_kernel, 0);
	}
	if (set || pvvmi_has(VMI_INVAL_PAGE))
		USE(flush_tlb_one, 0);
	if (set || allocate_page) {
		USE(alloc_pte, must);
		USE(release_pte, must);
		USE(alloc_pmd, must);
		USE(release_pmd, must);
		USE(alloc_pud, must);
		USE(release_pud, must);
		USE(pgd_alloc, must);
		USE(pgd_free, must);
	}
	if (!set)
		return;
	USE(set_pte, must);
	USE(set_pmd, must);
	USE(set_pud, must);
	USE(set_p4d, must);
	USE(ptep_modify_prot_commit, must);
	USE(set_fixmap, must);
	USE(pgd_activate, 0);
	USE(table_cache, 0);
	USE(batch_enter, 0);
	USE(batch_leave, 0);
	USE(batch_flush, 0);
}
