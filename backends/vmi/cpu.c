// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Control registers, MSRs, descriptors: ops and calls have the same arguments. */
#include "internal.h"

static void pvvmi_write_cr0(u64 val)
{
	pvvmi_call1(VMI_SET_CR0, val);
}

static void pvvmi_write_cr2(u64 val)
{
	pvvmi_call1(VMI_SET_CR2, val);
}

static void pvvmi_write_cr4(u64 val)
{
	pvvmi_call1(VMI_SET_CR4, val);
}

static void pvvmi_clts(void)
{
	pvvmi_call0(VMI_CLTS);
}

static void pvvmi_wbinvd(void)
{
	pvvmi_call0(VMI_WBINVD);
}

/* The only call that uses its instruction's registers: EBX is a result. */
static void pvvmi_cpuid(struct pv_cpuid *regs)
{
	register u64 entry asm("rsi") = pvvmi_entry[VMI_CPUID];

	pvvmi_counted(VMI_CPUID, true);
	asm volatile(PV_ASM_CALL("rsi")
		     : "+a" (regs->eax), "=b" (regs->ebx), "+c" (regs->ecx), "=d" (regs->edx),
		       "+r" (PV_STACK_POINTER)
		     : "r" (entry)
		     : "memory", "cc");
}

static u64 pvvmi_read_msr(u32 msr)
{
	return pvvmi_call1(VMI_RDMSR, msr);
}

static void pvvmi_write_msr(u32 msr, u64 val)
{
	pvvmi_call2(VMI_WRMSR, msr, val);
}

static u64 pvvmi_read_pmc(u32 counter)
{
	return pvvmi_call1(VMI_RDPMC, counter);
}

static VMI_NOCFI u64 pvvmi_rdtsc(void)
{
	pvvmi_counted(VMI_RDTSC, false);
	return ((pvvmi_fn0)pvvmi_at(VMI_RDTSC))();
}

static bool debugreg_exists(u32 nr)
{
	return nr <= 3 || nr == 6 || nr == 7;
}

static u64 pvvmi_get_debugreg(u32 nr)
{
	return debugreg_exists(nr) ? pvvmi_call1(VMI_GET_DR, nr) : 0;
}

static void pvvmi_set_debugreg(u32 nr, u64 val)
{
	if (debugreg_exists(nr))
		pvvmi_call2(VMI_SET_DR, nr, val);
}

static void pvvmi_load_gdt(const struct pv_dtr *dtr)
{
	pvvmi_call1(VMI_SET_GDT, (unsigned long)dtr);
}

static void pvvmi_load_idt(const struct pv_dtr *dtr)
{
	pvvmi_call1(VMI_SET_IDT, (unsigned long)dtr);
}

static void pvvmi_load_tr(u16 selector)
{
	pvvmi_call1(VMI_SET_TR, selector);
}

static void pvvmi_write_gdt_entry(u64 *gdt, u32 index, const u64 *desc, u32 words)
{
	if (!pvvmi_has(VMI_WRITE_GDT_ENTRY)) {
		pv_native_write_gdt_entry(gdt, index, desc, words);
		return;
	}
	pvvmi_call5(VMI_WRITE_GDT_ENTRY, (unsigned long)gdt, index, desc[0],
		    words == 2 ? desc[1] : 0, words * 8);
}

static void pvvmi_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	pvvmi_call5(VMI_WRITE_LDT_ENTRY, (unsigned long)ldt, index, desc, 0, 8);
}

static void pvvmi_write_idt_entry(struct pv_gate *idt, u32 vector, const struct pv_gate *gate)
{
	u64 half[2];

	__builtin_memcpy(half, gate, sizeof(half));
	pvvmi_call5(VMI_WRITE_IDT_ENTRY, (unsigned long)idt, vector, half[0], half[1], 16);
}

/* Most tasks have the same descriptors, and a comparison is cheaper than a call. */
static void pvvmi_load_tls(u64 *gdt, const u64 *tls)
{
	u32 i;

	for (i = 0; i < 3; i++)
		if (*(volatile u64 *)&gdt[PV_GDT_TLS + i] != tls[i])
			pvvmi_write_gdt_entry(gdt, PV_GDT_TLS + i, &tls[i], 1);
}

static u64 *current_gdt(void)
{
	struct pv_dtr gdtr;

	if (pvvmi_has(VMI_GET_GDT))
		pvvmi_call1(VMI_GET_GDT, (unsigned long)&gdtr);
	else
		asm volatile("sgdt %0" : "=m" (gdtr));
	return (u64 *)gdtr.base;
}

static void pvvmi_set_ldt(u64 *base, u32 entries)
{
	if (entries) {
		u64 address = (unsigned long)base;
		u64 limit = entries * 8UL - 1;
		u64 desc[2];

		/* System descriptor type 2, present (SDM vol. 3A figure 8-4). */
		desc[0] = (limit & 0xffff) | (address & 0xffffff) << 16 | 0x82ULL << 40 |
			  (limit >> 16 & 0xf) << 48 | (address >> 24 & 0xff) << 56;
		desc[1] = address >> 32;
		pvvmi_write_gdt_entry(PV_GDT_WRITABLE(current_gdt()), PV_GDT_LDT, desc, 2);
	}
	pvvmi_call1(VMI_SET_LDT, entries ? PV_GDT_LDT * 8 : 0);
}

static void pvvmi_load_sp0(struct pv_tss *tss, u64 sp0)
{
	pvvmi_call2(VMI_UPDATE_KERNEL_STACK, (unsigned long)tss, sp0);
}

static void pvvmi_set_iopl(u32 level)
{
	pvvmi_call1(VMI_SET_IOPL_MASK, level << 12);
}

/* The calls of a context switch can share one trap.  Interrupts are masked. */
static void pvvmi_start_context_switch(void)
{
	pv_batch_drain();
	pv_batch_begin(PV_BATCH_CPU);
	pvvmi_set_lazy(*PV_PERCPU_PTR(pvvmi_lazy) | VMI_LAZY_CPU);
}

static void pvvmi_end_context_switch(void)
{
	s64 error = (s64)pvvmi_set_lazy(*PV_PERCPU_PTR(pvvmi_lazy) & ~(u32)VMI_LAZY_CPU).entry;

	/* No retry: only the ROM knows the calls that are lost now. */
	if (error < 0)
		pvvmi_refused(PV_OP_end_context_switch, VMI_CALLER(), 0, 0, error,
			      PV_BATCH_NOT_TRIED);
	pv_batch_end(PV_BATCH_CPU);
}

#define USE(op, nr)							\
	do {								\
		if (pvvmi_has(nr))					\
			VMI_USE(pvvmi_cpu_impls, op, pvvmi_##op, 0);	\
		else if (pvvmi_is_nop(nr))				\
			VMI_EMPTY(pvvmi_cpu_impls, op, 0);		\
	} while (0)
#define DIRECT(op, nr)							\
	do {								\
		if (pvvmi_has(nr))					\
			VMI_DIRECT(pvvmi_cpu_impls, op, nr, 0);		\
		else if (pvvmi_is_nop(nr))				\
			VMI_EMPTY(pvvmi_cpu_impls, op, 0);		\
	} while (0)

void pvvmi_fill_cpu(void)
{
	DIRECT(read_cr0, VMI_GET_CR0);
	USE(write_cr0, VMI_SET_CR0);
	DIRECT(read_cr2, VMI_GET_CR2);
	USE(write_cr2, VMI_SET_CR2);
	DIRECT(read_cr4, VMI_GET_CR4);
	USE(write_cr4, VMI_SET_CR4);
	USE(clts, VMI_CLTS);
	USE(wbinvd, VMI_WBINVD);
	USE(cpuid, VMI_CPUID);
	/* A fault of these calls is in the ROM's code, which has no exception table. */
	if (!PV_MSR_MAY_FAULT) {
		USE(read_msr, VMI_RDMSR);
		USE(write_msr, VMI_WRMSR);
	}
	USE(read_pmc, VMI_RDPMC);
	USE(rdtsc, VMI_RDTSC);
	USE(get_debugreg, VMI_GET_DR);
	USE(set_debugreg, VMI_SET_DR);
	USE(load_gdt, VMI_SET_GDT);
	USE(load_idt, VMI_SET_IDT);
	USE(load_tr, VMI_SET_TR);
	DIRECT(store_tr, VMI_GET_TR);
	USE(set_ldt, VMI_SET_LDT);
	USE(load_tls, VMI_WRITE_GDT_ENTRY);
	USE(write_gdt_entry, VMI_WRITE_GDT_ENTRY);
	USE(write_ldt_entry, VMI_WRITE_LDT_ENTRY);
	USE(write_idt_entry, VMI_WRITE_IDT_ENTRY);
	USE(load_sp0, VMI_UPDATE_KERNEL_STACK);
	USE(set_iopl, VMI_SET_IOPL_MASK);
	DIRECT(io_delay, VMI_IO_DELAY);
	USE(start_context_switch, VMI_SET_LAZY_MODE);
	USE(end_context_switch, VMI_SET_LAZY_MODE);
}
