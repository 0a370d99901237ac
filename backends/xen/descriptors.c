// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* GDT, LDT, IDT, and the ops that load selectors. */
#include <pvops/native.h>
#include "internal.h"

struct xen_tables {
	const struct pv_gate *idt;
	u32 gates;
	u64 *ldt;
	u32 ldt_entries;
	const u64 *gdt;
	u64 tls[3];
};

static PV_PERCPU_DEFINE(struct xen_tables, xen_tables);

/* The GDT. */
#define DESC_PRESENT	(1UL << 47)
#define DESC_CODE_DATA	(1UL << 44)
#define DESC_TYPE(d)	((d) >> 40 & 0xf)
#define TYPE_LDT	0x2
#define TYPE_TSS	0x9
#define TYPE_TSS_BUSY	0xb

static bool is_tss_or_ldt(u64 desc)
{
	u32 type = (u32)DESC_TYPE(desc);

	return desc & DESC_PRESENT && !(desc & DESC_CODE_DATA) &&
	       (type == TYPE_LDT || type == TYPE_TSS || type == TYPE_TSS_BUSY);
}

/*
 * Makes a GDT acceptable to Xen: in one page, without TSS and LDT descriptors, which
 * Xen does not accept, and read-only.
 */
long pvxen_prepare_gdt(enum pv_op op, unsigned long caller, const struct pv_dtr *dtr,
		       pv_mfn_t *mfn)
{
	u64 *gdt = (u64 *)dtr->base;
	u32 entries = (dtr->limit + 1U) / 8;
	u32 i;

	/* set_gdt takes frames, so the GDT begins at the start of a page. */
	if (!entries || dtr->base & (PV_PAGE_SIZE - 1) || dtr->limit >= PV_PAGE_SIZE) {
		pvxen_refused(op, caller, dtr->base, dtr->limit, -XEN_EINVAL, PV_BATCH_NOT_TRIED);
		return -XEN_EINVAL;
	}
	for (i = 0; i < entries; i++) {
		if (!is_tss_or_ldt(gdt[i]))
			continue;
		gdt[i] = 0;
		if (i + 1 < entries)
			gdt[i + 1] = 0;
	}
	*mfn = pvxen_virt_to_mfn(gdt);
	return pvxen_set_linear(op, caller, pv_port_virt_to_pfn(gdt), false);
}

void pvxen_gdt_loaded(const u64 *gdt, u32 entries)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	u32 i;

	tables->gdt = gdt;
	for (i = 0; i < 3; i++)
		tables->tls[i] = PV_GDT_TLS + i < entries ? gdt[PV_GDT_TLS + i] : 0;
}

void pvxen_load_gdt(const struct pv_dtr *dtr)
{
	u32 entries = (dtr->limit + 1U) / 8;
	unsigned long frames[1];
	pv_mfn_t mfn;

	pvxen_mc_flush();
	if (pvxen_prepare_gdt(PV_OP_load_gdt, XEN_CALLER(), dtr, &mfn))
		return;
	frames[0] = pv_mfn_nr(mfn);
	if (!pvxen_check(pvxen_call2(__HYPERVISOR_set_gdt, (unsigned long)frames, entries),
			 PV_OP_load_gdt, XEN_CALLER(), dtr->base, dtr->limit))
		pvxen_gdt_loaded((const u64 *)dtr->base, entries);
}

void pvxen_load_tls(u64 *gdt, const u64 *tls)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	u64 maddr = pvxen_virt_to_maddr(gdt + PV_GDT_TLS);
	u32 i;

	for (i = 0; i < 3; i++) {
		if (gdt == tables->gdt) {
			if (tables->tls[i] == tls[i])
				continue;
			tables->tls[i] = tls[i];
		}
		pvxen_mc_add(PV_OP_load_tls, XEN_CALLER(), __HYPERVISOR_update_descriptor,
			   maddr + i * 8, tls[i], 0);
	}
}

void pvxen_write_gdt_entry(u64 *gdt, u32 index, const u64 *desc, u32 words)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);

	if (words == 2 || is_tss_or_ldt(desc[0]))
		return;
	if (gdt == tables->gdt && index - PV_GDT_TLS < 3)
		tables->tls[index - PV_GDT_TLS] = desc[0];
	pvxen_mc_add(PV_OP_write_gdt_entry, XEN_CALLER(), __HYPERVISOR_update_descriptor,
		   pvxen_virt_to_maddr(gdt + index), desc[0], 0);
}

/* The LDT. */
void pvxen_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	pvxen_check(pvxen_call2(__HYPERVISOR_update_descriptor,
			    pvxen_virt_to_maddr(ldt + index), desc),
		  PV_OP_write_ldt_entry, XEN_CALLER(), pvxen_virt_to_maddr(ldt + index), desc);
}

static void protect_ldt(enum pv_op op, unsigned long caller, u64 *ldt, u32 entries, bool writable)
{
	u64 va = (unsigned long)ldt;
	u64 end = va + entries * 8UL;

	for (; va < end; va += PV_PAGE_SIZE)
		pvxen_mc_add(op, caller, __HYPERVISOR_update_va_mapping, va,
			   pvxen_linear_entry(pv_port_virt_to_pfn((void *)va), writable),
			   writable ? UVMF_INVLPG | UVMF_ALL : UVMF_NONE);
}

void pvxen_set_ldt(u64 *base, u32 entries)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT };
	u64 *old = tables->ldt;
	u32 old_entries = tables->ldt_entries;

	if (!entries)
		base = NULL;
	if (!entries && !old_entries)
		return;
	protect_ldt(PV_OP_set_ldt, XEN_CALLER(), base, entries, false);
	op.arg1.linear_addr = (unsigned long)base;
	op.arg2.nr_ents = entries;
	pvxen_mc_mmuext(PV_OP_set_ldt, XEN_CALLER(), &op, 1);
	tables->ldt = base;
	tables->ldt_entries = entries;
	/* Xen refuses this while another CPU uses the same table; the last CPU succeeds. */
	if (old != base)
		protect_ldt(XEN_QUIET(PV_OP_set_ldt), XEN_CALLER(), old, old_entries, true);
}

/*
 * The IDT becomes Xen's trap table.  Handlers run on the flat kernel code segment; an
 * interrupt gate masks events; a gate's DPL is the lowest privilege that may use INT.
 */
#define GATE_PRESENT	0x80
#define GATE_INTERRUPT	0x0e
#define TRAP_MASK	0x4

void pvxen_trap_entry(struct trap_info *trap, u32 vector, const struct pv_gate *gate)
{
	trap->vector = (u8)vector;
	trap->flags = gate->type_dpl_p >> 5 & 3;
	if ((gate->type_dpl_p & 0xf) == GATE_INTERRUPT)
		trap->flags |= TRAP_MASK;
	trap->cs = FLAT_KERNEL_CS;
	trap->address = gate->offset_low | (u64)gate->offset_mid << 16 |
			(u64)gate->offset_high << 32;
}

/* Most traps in one hypercall: the stack frame has room for as many (port.h, PV_STACK_FRAME). */
#define TRAPS	16

static long set_traps(enum pv_op op, unsigned long caller, const struct trap_info *traps)
{
	unsigned long list = (unsigned long)traps;

	return pvxen_check(pvxen_call1(__HYPERVISOR_set_trap_table, list), op, caller, list,
			   traps ? traps->vector : 0);
}

static void load_traps(enum pv_op op, unsigned long caller, const struct pv_gate *idt, u32 gates)
{
	struct trap_info traps[TRAPS + 1];
	long error = set_traps(op, caller, NULL);
	u32 vector, count = 0;

	for (vector = 0; vector < gates && !error; vector++) {
		if (idt[vector].type_dpl_p & GATE_PRESENT)
			pvxen_trap_entry(&traps[count++], vector, &idt[vector]);
		if (count == TRAPS || (count && vector == gates - 1)) {
			traps[count].address = 0;
			error = set_traps(op, caller, traps);
			count = 0;
		}
	}
}

void pvxen_load_idt(const struct pv_dtr *dtr)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	u32 gates = (dtr->limit + 1U) / sizeof(struct pv_gate);

	if (gates > 256)
		gates = 256;
	tables->idt = (const struct pv_gate *)dtr->base;
	tables->gates = gates;
	load_traps(PV_OP_load_idt, XEN_CALLER(), tables->idt, gates);
}

/* Xen keeps a copy per vCPU: other CPUs with the same table get the entry at load_idt. */
void pvxen_write_idt_entry(struct pv_gate *idt, u32 vector, const struct pv_gate *gate)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	struct trap_info traps[2];

	pv_native_write_idt_entry(idt, vector, gate);
	if (idt != tables->idt || vector >= tables->gates)
		return;
	if (gate->type_dpl_p & GATE_PRESENT) {
		pvxen_trap_entry(&traps[0], vector, gate);
		traps[1].address = 0;
		set_traps(PV_OP_write_idt_entry, XEN_CALLER(), traps);
	} else {
		/* Xen cannot remove a single entry. */
		load_traps(PV_OP_write_idt_entry, XEN_CALLER(), idt, tables->gates);
	}
}

void pvxen_load_tr(u16 selector)
{
	(void)selector;
}

void pvxen_load_gs_index(u32 selector)
{
	pvxen_mc_flush();
	pvxen_check(pvxen_call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, selector & 0xffff),
		  PV_OP_load_gs_index, XEN_CALLER(), selector, 0);
}
