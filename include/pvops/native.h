/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Native code of the branch-site ops
 *
 * pv_native_<op>() exists for every op whose catalogue line says BRANCH.  The compiler
 * puts it in line behind the branch site.  It is part of the contract: the form of any
 * backend has the same effect on the guest's view of the machine.  The native backend
 * uses the same functions in its table.
 *
 * Instruction semantics: Intel SDM vol. 2.  No function here takes a lock, sleeps
 * or touches per-CPU data.  A kernel whose native code does more puts that code behind
 * the op's guard (call.h); then these functions serve only calls before patching.
 *
 * Context and clobbers are those of the op (ops/<table>.h).  Each function states its
 * result for arguments that no hardware has (debug register 4, a missing counter).
 *
 * A kernel does not call these functions.  It calls pv_<op>(), which is one of them
 * natively and another form elsewhere.
 */
#ifndef PVOPS_NATIVE_H
#define PVOPS_NATIVE_H

#include "site.h"
#include "types.h"

/** PV_RFLAGS_IF - interrupt enable flag, bit 9 of RFLAGS */
#define PV_RFLAGS_IF	0x200UL
/** PV_CR4_PGE - global pages enabled, bit 7 of CR4 */
#define PV_CR4_PGE	0x80UL

/**
 * pv_native_irqs_disabled_flags - IF clear in a saved RFLAGS?
 * @flags: token of the native save_fl(), which is RFLAGS
 *
 * IF is bit 9 (SDM vol. 1 section 3.4.3).  Returns 1 if interrupts were masked.
 */
static __always_inline u8 pv_native_irqs_disabled_flags(pv_flags_t flags)
{
	return !((__force unsigned long)flags & PV_RFLAGS_IF);
}

/**
 * pv_native_cpuid - CPUID (SDM vol. 2A)
 * @regs: leaf in eax and subleaf in ecx; receives all four results
 *
 * Serialising.  In a virtual machine it exits, and the hypervisor executes hundreds of
 * instructions; so do not use it as a fence in measurements.
 */
static __always_inline void pv_native_cpuid(struct pv_cpuid *regs)
{
	asm volatile("cpuid"
		     : "+a" (regs->eax), "=b" (regs->ebx),
		       "+c" (regs->ecx), "=d" (regs->edx)
		     : : "memory");
}

/* With PV_MSR_MAY_FAULT, a missing register reads as 0 and ignores writes. */
#if PV_MSR_MAY_FAULT
#define PV_MSR_INSN(insn)	"1: " insn "\n2:\n" PV_EXTABLE(1b, 2b)
#define PV_MSR_READ(low, high)	"+a" (low), "+d" (high)
#else
#define PV_MSR_INSN(insn)	insn
#define PV_MSR_READ(low, high)	"=a" (low), "=d" (high)
#endif

/**
 * pv_native_read_msr - RDMSR (SDM vol. 2B)
 * @msr: register number
 *
 * A missing register reads as 0 with PV_MSR_MAY_FAULT (port.h); without, it raises #GP.
 */
static __always_inline u64 pv_native_read_msr(u32 msr)
{
	u32 low = 0, high = 0;

	asm volatile(PV_MSR_INSN("rdmsr") : PV_MSR_READ(low, high) : "c" (msr));
	return low | (u64)high << 32;
}

/**
 * pv_native_write_msr - WRMSR (SDM vol. 2D)
 * @msr: register number
 * @val: all 64 bits
 *
 * Serialising, except for a few registers (x2APIC, TSC deadline).  A compiler barrier,
 * because MSRs change the meaning of memory accesses (GS base).  A missing register
 * ignores the write with PV_MSR_MAY_FAULT; without, it raises #GP.
 */
static __always_inline void pv_native_write_msr(u32 msr, u64 val)
{
	asm volatile(PV_MSR_INSN("wrmsr")
		     : : "c" (msr), "a" ((u32)(val & 0xffffffff)), "d" ((u32)(val >> 32))
		     : "memory");
}

/**
 * pv_native_read_pmc - RDPMC (SDM vol. 2B)
 * @counter: number as the instruction takes it in ECX
 *
 * #GP if there is no such counter, #UD if the CPU has no counters.
 */
static __always_inline u64 pv_native_read_pmc(u32 counter)
{
	u32 low, high;

	asm volatile("rdpmc" : "=a" (low), "=d" (high) : "c" (counter));
	return low | (u64)high << 32;
}

/**
 * pv_native_rdtsc - RDTSC (SDM vol. 2B)
 *
 * The CPU may execute it before or after its neighbours.  A caller that needs the order
 * puts LFENCE on both sides.
 */
static __always_inline u64 pv_native_rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

/* Accesses debug register @nr: the instruction has the number in it. */
#define PV_FOR_DEBUGREG(nr, access)					\
	do {								\
		if ((nr) == 0)						\
			access(0);					\
		if ((nr) == 1)						\
			access(1);					\
		if ((nr) == 2)						\
			access(2);					\
		if ((nr) == 3)						\
			access(3);					\
		if ((nr) == 6)						\
			access(6);					\
		if ((nr) == 7)						\
			access(7);					\
	} while (0)

/**
 * pv_native_get_debugreg - MOV from a debug register (SDM vol. 3B chapter 17)
 * @nr: 0-3 addresses, 6 status, 7 control; any other number reads 0
 *
 * A constant @nr compiles to one instruction.  DR4 and DR5 are not offered: they are
 * aliases or raise #UD, depending on CR4.DE.
 */
static __always_inline u64 pv_native_get_debugreg(u32 nr)
{
	u64 val = 0;

#define PV_DR_READ(n)	asm volatile("mov %%db" #n ", %0" : "=r" (val))
	PV_FOR_DEBUGREG(nr, PV_DR_READ);
#undef PV_DR_READ
	return val;
}

/**
 * pv_native_set_debugreg - MOV to a debug register
 * @nr: as pv_native_get_debugreg(); any other number writes nothing
 * @val: #GP if a bit of 63..32 is set in DR6 or DR7
 */
static __always_inline void pv_native_set_debugreg(u32 nr, u64 val)
{
#define PV_DR_WRITE(n)	asm volatile("mov %0, %%db" #n : : "r" (val))
	PV_FOR_DEBUGREG(nr, PV_DR_WRITE);
#undef PV_DR_WRITE
}

/**
 * pv_native_load_tls - write three descriptors to a GDT
 * @gdt: the table
 * @tls: the descriptors for index PV_GDT_TLS and the two behind it
 *
 * A loaded segment keeps its old contents until it is loaded again (SDM vol. 3A
 * section 3.4.3).
 */
static __always_inline void pv_native_load_tls(u64 *gdt, const u64 *tls)
{
	volatile u64 *slot = gdt + PV_GDT_TLS;

	slot[0] = tls[0];
	slot[1] = tls[1];
	slot[2] = tls[2];
}

/**
 * pv_native_write_gdt_entry - write one descriptor to a GDT
 * @gdt: the table
 * @index: in units of 8 bytes
 * @desc: one or two words
 * @words: 2 for a system descriptor, which is 16 bytes in 64-bit mode
 *	(SDM vol. 3A section 7.2.3), else 1
 */
static __always_inline void pv_native_write_gdt_entry(u64 *gdt, u32 index,
						   const u64 *desc, u32 words)
{
	volatile u64 *slot = gdt + index;

	slot[0] = desc[0];
	if (words == 2)
		slot[1] = desc[1];
}

/**
 * pv_native_write_ldt_entry - write one descriptor to an LDT
 * @ldt: the table
 * @index: in units of 8 bytes
 * @desc: the descriptor; an LDT holds no system descriptors
 */
static __always_inline void pv_native_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	*(volatile u64 *)(ldt + index) = desc;
}

/**
 * pv_native_write_idt_entry - write one gate to an IDT
 * @idt: the table
 * @vector: 0..255
 * @gate: 16 bytes, copied by plain stores: an interrupt of the same vector in
 *	between uses half of it
 */
static __always_inline void pv_native_write_idt_entry(struct pv_gate *idt, u32 vector,
						   const struct pv_gate *gate)
{
	idt[vector] = *gate;
	asm volatile("" : : : "memory");
}

/**
 * pv_native_flush_tlb_user - write CR3 with itself
 *
 * Drops all entries of the current PCID except global ones (SDM vol. 3A
 * section 4.10.4.1).
 */
static __always_inline void pv_native_flush_tlb_user(void)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r" (cr3) : : "memory");
}

/**
 * pv_native_flush_tlb_kernel - drop all entries, global ones too
 *
 * Toggling CR4.PGE drops them (SDM vol. 3A section 4.10.4.1).  If global pages are off,
 * a write to CR3 is enough.  An interrupt in between is harmless.
 */
static __always_inline void pv_native_flush_tlb_kernel(void)
{
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r" (cr4));
	if (!(cr4 & PV_CR4_PGE)) {
		pv_native_flush_tlb_user();
		return;
	}
	asm volatile("mov %0, %%cr4\n\tmov %1, %%cr4"
		     : : "r" (cr4 & ~PV_CR4_PGE), "r" (cr4) : "memory");
}

/**
 * pv_native_flush_tlb_one - INVLPG (SDM vol. 2A)
 * @va: any address in the page
 *
 * Also drops all paging-structure caches of the current PCID, and global entries
 * for @va.
 */
static __always_inline void pv_native_flush_tlb_one(u64 va)
{
	asm volatile("invlpg (%0)" : : "r" (va) : "memory");
}

/*
 * pv_native_set_<level> is one aligned 8-byte store, so no page walk sees half of it
 * (SDM vol. 3A section 8.1.1).  pv_native_<level>_val and pv_native_make_<level> change
 * no bit, because the frame number in an entry is the kernel's own.  The compiler sees
 * through these conversions: they cost no barrier, no register, no instruction.
 *
 * The store is volatile so that it happens once and at its place.  It does not order
 * other memory accesses, and it flushes no TLB.
 */
#define PV_NATIVE_ENTRY(level)						\
static __always_inline void						\
pv_native_set_##level(pv_##level##_t *entry, pv_##level##_t val)		\
{									\
	*(volatile pv_##level##_t *)entry = val;			\
}									\
static __always_inline u64 pv_native_##level##_val(pv_##level##_t val)	\
{									\
	return (__force u64)val;					\
}									\
static __always_inline pv_##level##_t pv_native_make_##level(u64 val)	\
{									\
	return (__force pv_##level##_t)val;				\
}

PV_NATIVE_ENTRY(pte)
PV_NATIVE_ENTRY(pmd)
PV_NATIVE_ENTRY(pud)
PV_NATIVE_ENTRY(p4d)

/**
 * pv_native_ptep_modify_prot_start - read and clear a live entry
 * @ptep: the entry
 *
 * XCHG is always locked (SDM vol. 3A section 8.1.2.1), so no page walk of another CPU
 * can set A or D between the read and the clear.
 */
static __always_inline pv_pte_t pv_native_ptep_modify_prot_start(pv_pte_t *ptep)
{
	u64 old = 0;

	asm volatile("xchg %0, %1" : "+r" (old), "+m" (*ptep) : : "memory");
	return (__force pv_pte_t)old;
}

/**
 * pv_native_ptep_modify_prot_commit - put a changed entry back
 * @ptep: the entry, not present since pv_native_ptep_modify_prot_start()
 * @pte: its new contents
 *
 * A plain store is enough: no other CPU writes to an entry that is not present.
 */
static __always_inline void pv_native_ptep_modify_prot_commit(pv_pte_t *ptep, pv_pte_t pte)
{
	*(volatile pv_pte_t *)ptep = pte;
}

/**
 * pv_native_vcpu_is_preempted - returns 0: bare hardware never preempts a CPU
 * @cpu: ignored
 */
static __always_inline u8 pv_native_vcpu_is_preempted(u32 cpu)
{
	(void)cpu;
	return 0;
}

/**
 * pvnative_fn_<op> - the native backend's function for each op
 *
 * A backend calls it directly if its own form adds to the native one, or uses the native
 * one in some cases.  Each function has the op's type.  C code must not call the
 * functions of ops that only assembly uses (ASM6, JUMP6): they have no C convention.
 */
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	extern ret pvnative_fn_##name PV_PROTO##n args;
#include "catalogue.h"

/** pvnative_deadline - last argument of this CPU's set_timer(); 0: not called yet */
PV_PERCPU_DECLARE(u64, pvnative_deadline);

/**
 * pvnative_timer_early - is this timer interrupt before its deadline?
 *
 * The local APIC's counter has 32 bits and a measured rate, so the timer may be early.
 * An upcall calls this before it delivers PV_VECTOR_TIMER.  Returns true before the
 * deadline: then op set_timer has armed the timer again, and the upcall delivers nothing.
 * For native's set_timer(), and for others that may be early and write pvnative_deadline.
 * Context: upcall.
 */
bool pvnative_timer_early(void);

/**
 * pv_vector_is_own - does the vector belong to the layer, not to a device?
 * @vector: as upcall gets it
 *
 * Timer and IPIs are edge-triggered: the upcall may signal EOI before it calls the
 * handler, which may take long.  A device's line can be level-triggered.  Its handler
 * makes the line low, and EOI must come after that, or the interrupt comes a second time.
 */
static __always_inline bool pv_vector_is_own(u32 vector)
{
	return vector == PV_VECTOR_TIMER || vector - PV_VECTOR_IPI < PV_IPI_COUNT;
}

#endif
