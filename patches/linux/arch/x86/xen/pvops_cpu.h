/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of enlighten_pv.c: the cpu ops that stay with Linux's platform code,
 * because they depend on Linux's entry points (traps), its workarounds (CPUID,
 * MSRs) or memory outside the linear map (GDT, LDT).
 */
#ifndef _XEN_PVOPS_CPU_H
#define _XEN_PVOPS_CPU_H

extern const struct pv_cpu_impls pvxen_cpu_impls;
void pvxen_gdt_loaded(const u64 *gdt, u32 entries);

static void xen_pvops_cpuid(struct pv_cpuid *regs)
{
	xen_cpuid(&regs->eax, &regs->ebx, &regs->ecx, &regs->edx);
}

static u64 xen_pvops_read_msr(u32 msr)
{
	return xen_read_msr(msr);
}

/*
 * The backend writes the user's segment bases.  Linux writes GS base, at points
 * where no per-CPU variable, so no queue, can be accessed.
 */
static bool xen_pvops_is_base(u32 msr)
{
	return msr == MSR_FS_BASE || msr == MSR_KERNEL_GS_BASE;
}

static void xen_pvops_write_msr(u32 msr, u64 val)
{
	if (xen_pvops_is_base(msr))
		pvxen_cpu_impls.write_msr.fn(msr, val);
	else
		xen_write_msr(msr, PVOPS_MSR_VALUE(val));
}

static int xen_pvops_read_msr_safe(u32 msr, u64 *val)
{
	return pvops_read_msr_safe(xen_read_msr_safe, msr, val);
}

static int xen_pvops_write_msr_safe(u32 msr, u64 val)
{
	if (xen_pvops_is_base(msr))
		return pvxen_cpu_impls.write_msr_safe.fn(msr, val);
	return xen_write_msr_safe(msr, PVOPS_MSR_VALUE(val));
}

static u64 xen_pvops_read_pmc(u32 counter)
{
	return xen_read_pmc(counter);
}

/* The backend can translate only addresses in the linear map. */
static u64 *xen_pvops_linear(const void *addr)
{
	if (!is_vmalloc_addr(addr))
		return (u64 *)addr;
	return page_address(vmalloc_to_page(addr)) + offset_in_page(addr);
}

static void xen_pvops_load_tls(u64 *gdt, const u64 *tls)
{
	pvxen_cpu_impls.load_tls.fn(xen_pvops_linear(gdt), tls);
}

static void xen_pvops_write_gdt_entry(u64 *gdt, u32 index, const u64 *desc,
				      u32 words)
{
	pvxen_cpu_impls.write_gdt_entry.fn(xen_pvops_linear(gdt), index, desc,
					   words);
}

static void xen_pvops_load_gdt(const struct pv_dtr *dtr)
{
	struct desc_struct *gdt = get_cpu_gdt_rw(smp_processor_id());

	/* percpu_alloc=page.  On the boot CPU, before sites are patched. */
	if (is_vmalloc_addr(gdt) && system_state == SYSTEM_BOOTING) {
		PV_OVERRIDE(load_tls, xen_pvops_load_tls);
		PV_OVERRIDE(write_gdt_entry, xen_pvops_write_gdt_entry);
	}
	xen_load_gdt((const struct desc_ptr *)dtr);
	pvxen_gdt_loaded(xen_pvops_linear(gdt), GDT_ENTRIES);
}

static void xen_pvops_load_idt(const struct pv_dtr *dtr)
{
	xen_load_idt((const struct desc_ptr *)dtr);
}

static void xen_pvops_write_idt_entry(struct pv_gate *idt, u32 vector,
				      const struct pv_gate *gate)
{
	xen_write_idt_entry((gate_desc *)idt, vector, (const gate_desc *)gate);
}

static void xen_pvops_set_ldt(u64 *base, u32 entries)
{
	xen_set_ldt(base, entries);
}

static void xen_pvops_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	xen_write_ldt_entry((struct desc_struct *)ldt, index, &desc);
}

static void __init xen_pvops_load_gdt_boot(const struct pv_dtr *dtr)
{
	xen_load_gdt_boot((const struct desc_ptr *)dtr);
}

static void __init xen_pvops_write_gdt_entry_boot(u64 *gdt, u32 index,
						  const u64 *desc, u32 words)
{
	xen_write_gdt_entry_boot((struct desc_struct *)gdt, index, desc,
				 words == 2 ? DESC_TSS : 0);
}

static void __init xen_pvops_gdt_boot(int cpu)
{
	PV_OVERRIDE(write_gdt_entry, xen_pvops_write_gdt_entry_boot);
	PV_OVERRIDE(load_gdt, xen_pvops_load_gdt_boot);

	pvops_switch_gdt(cpu);

	pv_override(PV_OP_write_gdt_entry, NULL);
	PV_OVERRIDE(load_gdt, xen_pvops_load_gdt);
}

void __init xen_pvops_override_cpu(void)
{
	PV_OVERRIDE(cpuid, xen_pvops_cpuid);
	PV_OVERRIDE(read_msr, xen_pvops_read_msr);
	PV_OVERRIDE(write_msr, xen_pvops_write_msr);
	PV_OVERRIDE(read_msr_safe, xen_pvops_read_msr_safe);
	PV_OVERRIDE(write_msr_safe, xen_pvops_write_msr_safe);
	PV_OVERRIDE(read_pmc, xen_pvops_read_pmc);
	PV_OVERRIDE(load_gdt, xen_pvops_load_gdt);
	PV_OVERRIDE(load_idt, xen_pvops_load_idt);
	PV_OVERRIDE(write_idt_entry, xen_pvops_write_idt_entry);
	PV_OVERRIDE(set_ldt, xen_pvops_set_ldt);
	PV_OVERRIDE(write_ldt_entry, xen_pvops_write_ldt_entry);
	PV_OVERRIDE(alloc_ldt, xen_alloc_ldt);
	PV_OVERRIDE(free_ldt, xen_free_ldt);
#ifdef CONFIG_X86_IOPL_IOPERM
	PV_OVERRIDE(invalidate_io_bitmap, xen_invalidate_io_bitmap);
	PV_OVERRIDE(update_io_bitmap, xen_update_io_bitmap);
#endif
}

#endif /* _XEN_PVOPS_CPU_H */
