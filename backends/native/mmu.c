// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Native table pages come from the kernel; flushes of other CPUs' TLBs use IPIs.
 *
 * Functions that consist of several ops call the ops, not their native forms.  So they
 * also work for a backend that improves only those ops.
 */
#include "internal.h"

#define FLUSH_ALL_ABOVE	(32 * PV_PAGE_SIZE)

pv_pfn_t pvnative_fn_alloc_pte(void)
{
	return pv_port_alloc_page();
}

void pvnative_fn_release_pte(pv_pfn_t pfn)
{
	pv_port_free_page(pfn);
}

pv_pfn_t pvnative_fn_alloc_pmd(void)
{
	return pv_port_alloc_page();
}

void pvnative_fn_release_pmd(pv_pfn_t pfn)
{
	pv_port_free_page(pfn);
}

pv_pfn_t pvnative_fn_alloc_pud(void)
{
	return pv_port_alloc_page();
}

void pvnative_fn_release_pud(pv_pfn_t pfn)
{
	pv_port_free_page(pfn);
}

pv_pfn_t pvnative_fn_pgd_alloc(void)
{
	pv_pfn_t pfn = pv_port_alloc_page();
	const u64 *from;
	u64 *to;
	u32 i;

	if (pfn == PV_PFN_NONE)
		return pfn;
	from = pv_port_pfn_to_virt(pv_port_kernel_root());
	to = pv_port_pfn_to_virt(pfn);
	for (i = PV_TABLE_ENTRIES / 2; i < PV_TABLE_ENTRIES; i++)
		to[i] = from[i];
	return pfn;
}

void pvnative_fn_pgd_free(pv_pfn_t pfn)
{
	pv_port_free_page(pfn);
}

pv_pfn_t pvnative_fn_alloc_unpinned(void)
{
	return PV_PFN_NONE;
}

u32 pvnative_fn_pin_table(pv_pfn_t pfn)
{
	(void)pfn;
	return 0;
}

u32 pvnative_fn_unpin_table(pv_pfn_t pfn, u32 level)
{
	(void)pfn;
	(void)level;
	return 0;
}

u32 pvnative_fn_table_cache(u32 bound)
{
	(void)bound;
	return 0;
}

void pvnative_fn_set_fixmap(u32 index, pv_maddr_t maddr, u64 prot)
{
	u64 va;
	pv_pte_t *ptep = pv_port_fixmap_pte(index, &va);

	if (!ptep) {
		pv_port_log("pvops: set_fixmap: no fixed address %u", index);
		return;
	}
	pv_set_pte(ptep, (__force pv_pte_t)(prot ? pv_maddr_nr(maddr) | prot : 0));
	pv_flush_tlb_one(va);
}

struct flush {
	u64 start;
	u64 end;
};

static void flush_here(void *arg)
{
	const struct flush *flush = arg;
	u64 va;

	if (!flush->end || flush->end - flush->start > FLUSH_ALL_ABOVE) {
		pv_flush_tlb_user();
		return;
	}
	for (va = flush->start; va < flush->end; va += PV_PAGE_SIZE)
		pv_flush_tlb_one(va);
}

void pvnative_fn_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end)
{
	struct flush flush = { start, end };
	u32 cpu = pv_port_this_cpu();

	/* The other CPUs must see the updates that are queued here. */
	pv_batch_flush();
	pv_port_call_cpus(mask, flush_here, &flush);
	if (mask->word[cpu / 64] & 1ULL << cpu % 64)
		flush_here(&flush);
}
