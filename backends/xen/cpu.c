// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Control registers, MSRs, descriptor tables, context switch.
 *
 * A required op here keeps a copy that other ops answer from, or has no
 * native form at CPL 3.  The rest may be left to native: Xen emulates it.
 */
#include <pvops/native.h>
#include "internal.h"

#define CR0_PE		(1UL << 0)
#define CR0_TS		(1UL << 3)
#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)

/* CR4 bits that Xen lets a guest kernel change: TSD, DE, FSGSBASE, OSXSAVE. */
#define CR4_GUEST	(1UL << 2 | 1UL << 3 | 1UL << 16 | 1UL << 18)

#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

/* System call MSRs: kept to be read back; Xen enters the kernel its own way. */
struct xen_entry_msrs {
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 sysenter[3];
};

struct xen_tables {
	const struct pv_gate *idt;
	u32 gates;
	u64 *ldt;
	u32 ldt_entries;
	const u64 *gdt;
	u64 tls[3];
};

PV_PERCPU_DEFINE(u64, pvxen_cr0);
PV_PERCPU_DEFINE(u64, pvxen_cr3);
PV_PERCPU_DEFINE(u64, pvxen_cr4);
static PV_PERCPU_DEFINE(struct xen_entry_msrs, xen_entry_msrs);
static PV_PERCPU_DEFINE(struct xen_tables, xen_tables);

/* Reads of control registers are emulated: Xen's own answer. */
void pvxen_cpu_registers_init(void)
{
	u64 cr0, cr3, cr4;

	asm volatile("mov %%cr0, %0" : "=r" (cr0));
	asm volatile("mov %%cr3, %0" : "=r" (cr3));
	asm volatile("mov %%cr4, %0" : "=r" (cr4));
	*PV_PERCPU_PTR(pvxen_cr0) = cr0;
	/* A root's frame is ours: its present entry translates. */
	*PV_PERCPU_PTR(pvxen_cr3) =
		pvxen_p4d_val((__force pv_p4d_t)((cr3 & PV_FRAME_MASK) | PV_PTE_PRESENT)) &
		PV_FRAME_MASK;
	*PV_PERCPU_PTR(pvxen_cr4) = cr4;
}

static void set_ts(enum pv_op op, unsigned long caller, bool on)
{
	u64 *cr0 = PV_PERCPU_PTR(pvxen_cr0);

	*cr0 = on ? *cr0 | CR0_TS : *cr0 & ~CR0_TS;
	pvxen_mc_add(op, caller, __HYPERVISOR_fpu_taskswitch, on, 0, 0);
}

static void pvxen_write_cr0(u64 val)
{
	u64 must = CR0_PE | CR0_PG | CR0_WP;
	u64 old = *PV_PERCPU_PTR(pvxen_cr0);

	if (~val & must)
		pv_port_log("pvops: xen: write_cr0 of 0x%llx from 0x%lx: PE, WP and PG stay set",
			    (unsigned long long)val, XEN_CALLER());
	/* Xen clears TS when it delivers #NM: setting it again is never idle. */
	if (val & CR0_TS || old & CR0_TS)
		set_ts(PV_OP_write_cr0, XEN_CALLER(), val & CR0_TS);
}

static void pvxen_clts(void)
{
	if (*PV_PERCPU_PTR(pvxen_cr0) & CR0_TS)
		set_ts(PV_OP_clts, XEN_CALLER(), false);
}

static void pvxen_write_cr2(u64 val)
{
	*(volatile unsigned long *)&PV_PERCPU_PTR(pvxen_vcpu_info)->arch.cr2 = val;
}

static void pvxen_write_cr4(u64 val)
{
	u64 *copy = PV_PERCPU_PTR(pvxen_cr4);
	u64 cr4 = (*copy & ~CR4_GUEST) | (val & CR4_GUEST);

	if (cr4 == *copy)
		return;
	/* Emulated; Xen drops what this CPU does not have. */
	asm volatile("mov %1, %%cr4\n\tmov %%cr4, %0" : "=r" (cr4) : "r" (cr4) : "memory");
	*copy = cr4;
}

/*
 * CPUID as Xen shows it: the forced emulation prefix, an invalid opcode and
 * "xen", makes Xen execute the instruction with the guest's policy.
 */
static void pvxen_cpuid(struct pv_cpuid *regs)
{
	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid"
		     : "+a" (regs->eax), "=b" (regs->ebx),
		       "+c" (regs->ecx), "=d" (regs->edx)
		     : : "memory");
}

/*
 * Nothing to do for a guest without devices: Xen refuses it then, and keeps
 * memory coherent for everybody.
 */
static long flush_cache(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_FLUSH_CACHE };
	long error = pvxen_mmuext(&op, 1);

	return error == -XEN_EACCES || error == -XEN_EPERM ? 0 : error;
}

static void pvxen_wbinvd(void)
{
	pvxen_check(flush_cache(), PV_OP_wbinvd, XEN_CALLER(), 0, 0);
}

/* MSRs. */
static u64 *kept_msr(u32 msr)
{
	struct xen_entry_msrs *msrs = PV_PERCPU_PTR(xen_entry_msrs);

	switch (msr) {
	case MSR_STAR:
		return &msrs->star;
	case MSR_LSTAR:
		return &msrs->lstar;
	case MSR_CSTAR:
		return &msrs->cstar;
	case MSR_SFMASK:
		return &msrs->sfmask;
	case MSR_SYSENTER_CS:
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return &msrs->sysenter[msr - MSR_SYSENTER_CS];
	}
	return NULL;
}

static void enter_by_syscall(unsigned long caller)
{
	struct callback_register callback = {
		.type = CALLBACKTYPE_syscall,
		.flags = CALLBACKF_mask_events,
		.address = (unsigned long)pvxen_syscall_entry,
	};

	pvxen_check(pvxen_call2(__HYPERVISOR_callback_op, CALLBACKOP_register,
			    (unsigned long)&callback),
		  PV_OP_write_msr, caller, MSR_LSTAR, callback.address);
}

/*
 * In kernel mode GS base is the kernel's and KERNEL_GS_BASE the user's, as
 * after SWAPGS on hardware.
 */
static bool write_known_msr(u32 msr, u64 val, unsigned long caller)
{
	u64 *kept;

	switch (msr) {
	case MSR_FS_BASE:
		pvxen_mc_add(PV_OP_write_msr, caller, __HYPERVISOR_set_segment_base,
			   SEGBASE_FS, val, 0);
		return true;
	case MSR_KERNEL_GS_BASE:
		pvxen_mc_add(PV_OP_write_msr, caller, __HYPERVISOR_set_segment_base,
			   SEGBASE_GS_USER, val, 0);
		return true;
	case MSR_GS_BASE:
		/* Per-CPU variables move with it: never deferred. */
		pvxen_mc_flush();
		pvxen_check(pvxen_call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, val),
			  PV_OP_write_msr, caller, msr, val);
		return true;
	case MSR_EFER:
		/* SCE, LME and NXE are Xen's, and on. */
		return true;
	}
	kept = kept_msr(msr);
	if (!kept)
		return false;
	*kept = val;
	if (msr == MSR_LSTAR)
		enter_by_syscall(caller);
	return true;
}

static bool read_known_msr(u32 msr, u64 *val)
{
	const u64 *kept = kept_msr(msr);

	if (kept) {
		*val = *kept;
		return true;
	}
	/*
	 * Segment bases are read from the machine (emulated), not from a copy:
	 * user mode changes them by loading selectors.
	 */
	if (msr == MSR_FS_BASE || msr == MSR_KERNEL_GS_BASE)
		pvxen_mc_flush();
	return false;
}

static u64 pvxen_read_msr(u32 msr)
{
	u64 val;

	return read_known_msr(msr, &val) ? val : pv_native_read_msr(msr);
}

static void pvxen_write_msr(u32 msr, u64 val)
{
	if (!write_known_msr(msr, val, XEN_CALLER()))
		pv_native_write_msr(msr, val);
}

static int pvxen_read_msr_safe(u32 msr, u64 *val)
{
	u32 low, high;
	int error;

	if (read_known_msr(msr, val))
		return 0;
	asm volatile("mov %[eio], %[error]\n"
		     "1: rdmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : "=a" (low), "=d" (high), [error] "=&r" (error)
		     : "c" (msr), [eio] "i" (-PV_EIO) : "memory");
	*val = error ? 0 : low | (u64)high << 32;
	return error;
}

static int pvxen_write_msr_safe(u32 msr, u64 val)
{
	int error;

	if (write_known_msr(msr, val, XEN_CALLER()))
		return 0;
	asm volatile("mov %[eio], %[error]\n"
		     "1: wrmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : [error] "=&r" (error)
		     : "c" (msr), "a" ((u32)val), "d" ((u32)(val >> 32)), [eio] "i" (-PV_EIO)
		     : "memory");
	return error;
}

static u64 pvxen_get_debugreg(u32 nr)
{
	if (nr > 7 || nr == 4 || nr == 5)
		return 0;
	return (u64)pvxen_call1(__HYPERVISOR_get_debugreg, nr);
}

/* What no guest may have is left out. */
static long load_debugreg(u32 nr, u64 val)
{
	long error = pvxen_call2(__HYPERVISOR_set_debugreg, nr, val);

	return error == -XEN_EPERM || error == -XEN_EINVAL ? 0 : error;
}

static void pvxen_set_debugreg(u32 nr, u64 val)
{
	if (nr > 7 || nr == 4 || nr == 5)
		return;
	pvxen_check(load_debugreg(nr, val), PV_OP_set_debugreg, XEN_CALLER(), nr, val);
}

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
 * Make a GDT acceptable: in one page, without the TSS and LDT descriptors that
 * Xen does not know, and not writable.
 */
long pvxen_prepare_gdt(enum pv_op op, unsigned long caller, const struct pv_dtr *dtr,
		       pv_mfn_t *mfn)
{
	u64 *gdt = (u64 *)dtr->base;
	u32 entries = (dtr->limit + 1U) / 8;
	u32 i;

	/* set_gdt takes frames: selectors count from the start of the page. */
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

static void pvxen_load_gdt(const struct pv_dtr *dtr)
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

static void pvxen_load_tls(u64 *gdt, const u64 *tls)
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

static void pvxen_write_gdt_entry(u64 *gdt, u32 index, const u64 *desc, u32 words)
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
static void pvxen_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
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

static void pvxen_set_ldt(u64 *base, u32 entries)
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
	/* Refused while another CPU uses the same table; the last one does it. */
	if (old != base)
		protect_ldt(XEN_QUIET(PV_OP_set_ldt), XEN_CALLER(), old, old_entries, true);
}

/*
 * The IDT becomes Xen's trap table.  Handlers run on the flat kernel code
 * segment; an interrupt gate masks events; a gate's DPL says who may use INT.
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

/* Likewise (port.h, PV_STACK_FRAME). */
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

static void pvxen_load_idt(const struct pv_dtr *dtr)
{
	struct xen_tables *tables = PV_PERCPU_PTR(xen_tables);
	u32 gates = (dtr->limit + 1U) / sizeof(struct pv_gate);

	if (gates > 256)
		gates = 256;
	tables->idt = (const struct pv_gate *)dtr->base;
	tables->gates = gates;
	load_traps(PV_OP_load_idt, XEN_CALLER(), tables->idt, gates);
}

/* Xen's copy is per vCPU: other CPUs on the same table see it at their load_idt. */
static void pvxen_write_idt_entry(struct pv_gate *idt, u32 vector, const struct pv_gate *gate)
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
		/* An entry cannot be taken out of the table alone. */
		load_traps(PV_OP_write_idt_entry, XEN_CALLER(), idt, tables->gates);
	}
}

static void pvxen_load_tr(u16 selector)
{
	(void)selector;
}

static void pvxen_load_gs_index(u32 selector)
{
	pvxen_mc_flush();
	pvxen_check(pvxen_call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, selector & 0xffff),
		  PV_OP_load_gs_index, XEN_CALLER(), selector, 0);
}

static void pvxen_load_sp0(struct pv_tss *tss, u64 sp0)
{
	tss->sp0 = sp0;
	pvxen_mc_add(PV_OP_load_sp0, XEN_CALLER(), __HYPERVISOR_stack_switch, FLAT_KERNEL_SS, sp0, 0);
}

/* Level 0 leaves the kernel, at level 1, its own port accesses. */
static void pvxen_set_iopl(u32 level)
{
	struct physdev_set_iopl iopl = { .iopl = level ? level : 1 };

	pvxen_check(pvxen_call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl),
		  PV_OP_set_iopl, XEN_CALLER(), level, 0);
}

static void pvxen_start_context_switch(void)
{
	pv_batch_drain();
	pv_batch_begin(PV_BATCH_CPU);
}

static void pvxen_end_context_switch(void)
{
	/* Nothing is open where start_context_switch was left to native. */
	if (pv_batch_open(PV_BATCH_CPU))
		pv_batch_end(PV_BATCH_CPU);
	pvxen_mc_flush();
}

PV_CODE(code_read_cr2, "mov " XEN_VCPU_INFO " + 16, %rax");
PV_CODE(code_store_tr, "xor %eax, %eax");

const struct pv_cpu_impls pvxen_cpu_impls = {
	.read_cr0 = PV_FN(pvxen_read_cr0, 0),
	.write_cr0 = PV_FN(pvxen_write_cr0, PV_IMPL_REQUIRED),
	.read_cr2 = PV_INLINE(pvxen_read_cr2, code_read_cr2, PV_IMPL_REQUIRED),
	.write_cr2 = PV_FN(pvxen_write_cr2, PV_IMPL_REQUIRED),
	.read_cr4 = PV_FN(pvxen_read_cr4, 0),
	.write_cr4 = PV_FN(pvxen_write_cr4, PV_IMPL_REQUIRED),
	.clts = PV_FN(pvxen_clts, PV_IMPL_REQUIRED),
	.wbinvd = PV_FN(pvxen_wbinvd, 0),
	.cpuid = PV_FN(pvxen_cpuid, 0),
	.read_msr = PV_FN(pvxen_read_msr, PV_IMPL_REQUIRED),
	.write_msr = PV_FN(pvxen_write_msr, PV_IMPL_REQUIRED),
	.read_msr_safe = PV_FN(pvxen_read_msr_safe, PV_IMPL_REQUIRED),
	.write_msr_safe = PV_FN(pvxen_write_msr_safe, PV_IMPL_REQUIRED),
	/* read_pmc, rdtsc: native.  RDTSC works at CPL 3, RDPMC as Xen lets it. */
	.get_debugreg = PV_FN(pvxen_get_debugreg, 0),
	.set_debugreg = PV_FN(pvxen_set_debugreg, 0),
	.load_gdt = PV_FN(pvxen_load_gdt, PV_IMPL_REQUIRED),
	.load_idt = PV_FN(pvxen_load_idt, PV_IMPL_REQUIRED),
	.load_tr = PV_EMPTY(pvxen_load_tr, PV_IMPL_REQUIRED),
	.store_tr = PV_INLINE(pvxen_store_tr, code_store_tr, 0),
	.set_ldt = PV_FN(pvxen_set_ldt, PV_IMPL_REQUIRED),
	.load_tls = PV_FN(pvxen_load_tls, PV_IMPL_REQUIRED),
	.load_gs_index = PV_FN(pvxen_load_gs_index, PV_IMPL_REQUIRED),
	.write_gdt_entry = PV_FN(pvxen_write_gdt_entry, PV_IMPL_REQUIRED),
	.write_ldt_entry = PV_FN(pvxen_write_ldt_entry, PV_IMPL_REQUIRED),
	.write_idt_entry = PV_FN(pvxen_write_idt_entry, PV_IMPL_REQUIRED),
	.load_sp0 = PV_FN(pvxen_load_sp0, PV_IMPL_REQUIRED),
	.set_iopl = PV_FN(pvxen_set_iopl, PV_IMPL_REQUIRED),
	.io_delay = PV_EMPTY(pvxen_nothing, 0),
	.swapgs = PV_EMPTY(pvxen_nothing, PV_IMPL_REQUIRED),
	.iret = PV_FN(pvxen_iret, PV_IMPL_REQUIRED),
	.start_context_switch = PV_FN(pvxen_start_context_switch, 0),
	.end_context_switch = PV_FN(pvxen_end_context_switch, PV_IMPL_REQUIRED),
};
