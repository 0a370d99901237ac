/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of mmu_pv.c: mmu ops for the time before the kernel has memory, and
 * those that need Linux's own data (fixed addresses, the vsyscall page).
 */
#ifndef _XEN_PVOPS_MMU_H
#define _XEN_PVOPS_MMU_H

static void __init xen_pvops_set_pte_init(pv_pte_t *ptep, pv_pte_t pte)
{
	xen_set_pte_init((pte_t *)ptep, (pte_t) { (__force pteval_t)pte });
}

/* For the kernel's own tables, under init_mm. */
static void xen_pvops_attach_table(u64 pfn, u32 level)
{
	struct mmuext_op op = {
		.cmd = MMUEXT_PIN_L1_TABLE,
		.arg1.mfn = pfn_to_mfn(pfn),
	};

	make_lowmem_page_readonly(__va(PFN_PHYS(pfn)));
	if (level == 1 && HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF))
		BUG();
}

static void xen_pvops_detach_table(u64 pfn, u32 level)
{
	struct mmuext_op op = {
		.cmd = MMUEXT_UNPIN_TABLE,
		.arg1.mfn = pfn_to_mfn(pfn),
	};

	pv_batch_flush();
	if (level == 1 && HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF))
		BUG();
	make_lowmem_page_readwrite(__va(PFN_PHYS(pfn)));
}

static void xen_pvops_map_fixmap(u32 index, u64 phys, u64 flags)
{
	xen_set_fixmap(index, phys, __pgprot(flags));
}

void pv_port_user_root(u64 *root)
{
#ifdef CONFIG_X86_VSYSCALL_EMULATION
	root[pgd_index(VSYSCALL_ADDR)] =
		__pgd(__pa_symbol(level3_user_vsyscall) | _PAGE_TABLE).pgd;
#endif
}

/* From here on, Xen knows most tables as such. */
static void __init xen_pvops_set_pte_hyper(void)
{
	pv_override(PV_OP_set_pte, NULL);
}

static void __init xen_post_allocator_init(void)
{
	pv_override(PV_OP_make_pte, NULL);
}

void __init xen_pvops_override_mmu(void)
{
	PV_OVERRIDE(set_pte, xen_pvops_set_pte_init);
	pv_override(PV_OP_make_pte,
		    (void (*)(void))PV_CALLEE_SAVE(xen_make_pte_init));
	PV_OVERRIDE(attach_table, xen_pvops_attach_table);
	PV_OVERRIDE(detach_table, xen_pvops_detach_table);
	PV_OVERRIDE(map_fixmap, xen_pvops_map_fixmap);
}

#endif /* _XEN_PVOPS_MMU_H */
