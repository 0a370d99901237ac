/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: What the branch-site ops mean on bare hardware
 *
 * pv_native_<op>() for every op whose catalogue line says BRANCH: the code that
 * the compiler puts in line behind the branch site.  Part of the contract: a
 * backend must have the same effect on the guest's view of the machine.  The
 * native backend uses the same functions for its table.
 *
 * Instruction semantics: Intel SDM vol. 2; nothing here takes a lock, sleeps
 * or touches per-CPU data.  A kernel whose own native code does more puts that
 * behind the op's guard instead (call.h); these then stand for calls before
 * patching only.
 *
 * Context and clobbers are those of the op (ops/<table>.h); arguments that no
 * hardware has (a debug register 4, a counter that is not there) do what is said
 * at each.
 *
 * None of them is meant to be called by a kernel: pv_<op>() is, which is one of
 * these natively and something else elsewhere.
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
 * IF is bit 9 (SDM vol. 1 section 3.4.3).  1 if interrupts were masked.
 */
static __always_inline u8 pv_native_irqs_disabled_flags(pv_flags_t flags)
{
	return !((__force unsigned long)flags & PV_RFLAGS_IF);
}

/**
 * pv_native_cpuid - CPUID (SDM vol. 2A)
 * @regs: leaf in eax and subleaf in ecx; receives all four results
 *
 * Serialising.  In a virtual machine it exits: hundreds of instructions of
 * somebody else's, and never a fence to measure with.
 */
static __always_inline void pv_native_cpuid(struct pv_cpuid *regs)
{
	asm volatile("cpuid"
		     : "+a" (regs->eax), "=b" (regs->ebx),
		       "+c" (regs->ecx), "=d" (regs->edx)
		     : : "memory");
}

/* Where a register may not exist, it reads as 0 and is not written. */
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
 * If there is no such register: 0 with PV_MSR_MAY_FAULT (port.h), else #GP.
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
 * Serialising but for a few registers (x2APIC, TSC deadline).  Compiler
 * barrier, because MSRs change what memory accesses mean (GS base).  If there is
 * no such register: nothing with PV_MSR_MAY_FAULT, else #GP.
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
 * #GP if there is no such counter, #UD where the CPU has none at all.
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
 * Neither ordered before nor after its neighbours by the CPU; LFENCE on both
 * sides is the caller's business where that matters.
 */
static __always_inline u64 pv_native_rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

/* The access to the register that @nr names: an instruction of its own for each. */
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
 * @nr: 0-3 addresses, 6 status, 7 control; anything else reads 0
 *
 * A constant @nr leaves one instruction; DR4 and DR5 are aliases or #UD,
 * depending on CR4.DE, and are not offered.
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
 * @nr: as pv_native_get_debugreg(); anything else writes nothing
 * @val: #GP if a bit of 63..32 is set in DR6 or DR7
 */
static __always_inline void pv_native_set_debugreg(u32 nr, u64 val)
{
#define PV_DR_WRITE(n)	asm volatile("mov %0, %%db" #n : : "r" (val))
	PV_FOR_DEBUGREG(nr, PV_DR_WRITE);
#undef PV_DR_WRITE
}

/**
 * pv_native_load_tls - three descriptors into a GDT
 * @gdt: the table
 * @tls: what goes to index PV_GDT_TLS and the two behind it
 *
 * Segments that are loaded keep their old contents until they are loaded
 * again (SDM vol. 3A section 3.4.3).
 */
static __always_inline void pv_native_load_tls(u64 *gdt, const u64 *tls)
{
	volatile u64 *slot = gdt + PV_GDT_TLS;

	slot[0] = tls[0];
	slot[1] = tls[1];
	slot[2] = tls[2];
}

/**
 * pv_native_write_gdt_entry - one descriptor into a GDT
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
 * pv_native_write_ldt_entry - one descriptor into an LDT
 * @ldt: the table
 * @index: in units of 8 bytes
 * @desc: the descriptor; an LDT holds no system descriptors
 */
static __always_inline void pv_native_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	*(volatile u64 *)(ldt + index) = desc;
}

/**
 * pv_native_write_idt_entry - one gate into an IDT
 * @idt: the table
 * @vector: 0..255
 * @gate: 16 bytes, copied by plain stores: an interrupt of that very vector
 *	in between sees half of it
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
 * Drops all entries of the current PCID but the global ones (SDM vol. 3A
 * section 4.10.4.1).
 */
static __always_inline void pv_native_flush_tlb_user(void)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r" (cr3) : : "memory");
}

/**
 * pv_native_flush_tlb_kernel - drop everything, global entries too
 *
 * Toggling CR4.PGE does (SDM vol. 3A section 4.10.4.1); where global pages
 * are off, a write to CR3 is enough.  An interrupt in between is harmless.
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
 * Also drops the paging-structure caches of the current PCID, whatever the
 * address, and global entries for @va.
 */
static __always_inline void pv_native_flush_tlb_one(u64 va)
{
	asm volatile("invlpg (%0)" : : "r" (va) : "memory");
}

/*
 * pv_native_set_<level>, pv_native_<level>_val, pv_native_make_<level>: one aligned
 * 8-byte store, which no walk sees half of (SDM vol. 3A section 8.1.1), and
 * conversions that change nothing, as the frame number in an entry is the
 * kernel's own.  They give the compiler back all it knew: no barrier, no
 * register, no instruction.
 *
 * The store is volatile so that it happens once and where it stands; it does
 * not order other memory, and it flushes no TLB.
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
 * pv_native_ptep_modify_prot_start - take a live entry out
 * @ptep: the entry
 *
 * XCHG locks by itself (SDM vol. 3A section 8.1.2.1), so no walk of another
 * CPU can set A or D in the value that is returned after it was read.
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
 * A plain store: nobody else writes to an entry that is not present.
 */
static __always_inline void pv_native_ptep_modify_prot_commit(pv_pte_t *ptep, pv_pte_t pte)
{
	*(volatile pv_pte_t *)ptep = pte;
}

/**
 * pv_native_vcpu_is_preempted - nobody takes a bare machine's CPUs away
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
 * For backends whose op is native's and a little more, or native's in some cases:
 * they call it directly.  With the op's type; conventions beyond C's (ops that
 * are assembly) make some of them no business of C.
 */
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	extern ret pvnative_fn_##name PV_PROTO##n args;
#include "catalogue.h"

/** pvnative_deadline - what this CPU's set_timer() was last called with; 0: never */
PV_PERCPU_DECLARE(u64, pvnative_deadline);

/**
 * pvnative_timer_early - is this interrupt of set_timer()'s none yet?
 *
 * The local APIC counts 32 bits, at a rate that was measured.  An upcall that delivers
 * PV_VECTOR_TIMER asks first; true: the deadline is still to come, op set_timer has
 * armed the timer again, and nothing is to be delivered.  For native's set_timer(), and
 * others that may be early and write pvnative_deadline.  Context: upcall.
 */
bool pvnative_timer_early(void);

/**
 * pv_vector_is_own - an interrupt of the layer's, not a device's
 * @vector: as upcall gets it
 *
 * Timer and IPIs are edges: their end may be told before they are handled, and the
 * handler may take long.  A device's line can be a level, which must be low again
 * when its end is told, or it comes a second time: the handler sees to that.
 */
static __always_inline bool pv_vector_is_own(u32 vector)
{
	return vector == PV_VECTOR_TIMER || vector - PV_VECTOR_IPI < PV_IPI_COUNT;
}

#endif
