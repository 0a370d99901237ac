/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: What the branch-site ops mean on bare hardware
 *
 * native_<op>() for every op whose catalogue line says BRANCH: the code that
 * the compiler puts in line behind the branch site.  Part of the contract: a
 * backend must have the same effect on the guest's view of the machine.  The
 * native backend uses the same functions for its table.
 *
 * Instruction semantics: Intel SDM vol. 2; nothing here takes a lock, sleeps
 * or touches per-CPU data.
 */
#ifndef PVOPS_NATIVE_H
#define PVOPS_NATIVE_H

#include "types.h"

/** PV_RFLAGS_IF - interrupt enable flag, bit 9 of RFLAGS */
#define PV_RFLAGS_IF	0x200UL
/** PV_CR4_PGE - global pages enabled, bit 7 of CR4 */
#define PV_CR4_PGE	0x80UL

static __always_inline u8 native_irqs_disabled_flags(pv_flags_t flags)
{
	return !((__force unsigned long)flags & PV_RFLAGS_IF);
}

static __always_inline void native_cpuid(struct pv_cpuid *regs)
{
	asm volatile("cpuid"
		     : "+a" (regs->eax), "=b" (regs->ebx),
		       "+c" (regs->ecx), "=d" (regs->edx)
		     : : "memory");
}

static __always_inline u64 native_read_msr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return low | (u64)high << 32;
}

static __always_inline void native_write_msr(u32 msr, u64 val)
{
	asm volatile("wrmsr"
		     : : "c" (msr), "a" ((u32)(val & 0xffffffff)), "d" ((u32)(val >> 32))
		     : "memory");
}

static __always_inline u64 native_read_pmc(u32 counter)
{
	u32 low, high;

	asm volatile("rdpmc" : "=a" (low), "=d" (high) : "c" (counter));
	return low | (u64)high << 32;
}

static __always_inline u64 native_rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

static __always_inline u64 native_get_debugreg(u32 nr)
{
	u64 val = 0;

	switch (nr) {
	case 0:
		asm volatile("mov %%db0, %0" : "=r" (val));
		break;
	case 1:
		asm volatile("mov %%db1, %0" : "=r" (val));
		break;
	case 2:
		asm volatile("mov %%db2, %0" : "=r" (val));
		break;
	case 3:
		asm volatile("mov %%db3, %0" : "=r" (val));
		break;
	case 6:
		asm volatile("mov %%db6, %0" : "=r" (val));
		break;
	case 7:
		asm volatile("mov %%db7, %0" : "=r" (val));
		break;
	}
	return val;
}

static __always_inline void native_set_debugreg(u32 nr, u64 val)
{
	switch (nr) {
	case 0:
		asm volatile("mov %0, %%db0" : : "r" (val));
		break;
	case 1:
		asm volatile("mov %0, %%db1" : : "r" (val));
		break;
	case 2:
		asm volatile("mov %0, %%db2" : : "r" (val));
		break;
	case 3:
		asm volatile("mov %0, %%db3" : : "r" (val));
		break;
	case 6:
		asm volatile("mov %0, %%db6" : : "r" (val));
		break;
	case 7:
		asm volatile("mov %0, %%db7" : : "r" (val));
		break;
	}
}

static __always_inline void native_load_tls(u64 *gdt, const u64 *tls)
{
	volatile u64 *slot = gdt + PV_GDT_TLS;

	slot[0] = tls[0];
	slot[1] = tls[1];
	slot[2] = tls[2];
}

static __always_inline void native_write_gdt_entry(u64 *gdt, u32 index,
						   const u64 *desc, u32 words)
{
	volatile u64 *slot = gdt + index;

	slot[0] = desc[0];
	if (words == 2)
		slot[1] = desc[1];
}

static __always_inline void native_write_ldt_entry(u64 *ldt, u32 index, u64 desc)
{
	*(volatile u64 *)(ldt + index) = desc;
}

static __always_inline void native_write_idt_entry(struct pv_gate *idt, u32 vector,
						   const struct pv_gate *gate)
{
	idt[vector] = *gate;
	asm volatile("" : : : "memory");
}

static __always_inline void native_flush_tlb_user(void)
{
	u64 cr3;

	asm volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r" (cr3) : : "memory");
}

static __always_inline void native_flush_tlb_kernel(void)
{
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r" (cr4));
	if (!(cr4 & PV_CR4_PGE)) {
		native_flush_tlb_user();
		return;
	}
	asm volatile("mov %0, %%cr4\n\tmov %1, %%cr4"
		     : : "r" (cr4 & ~PV_CR4_PGE), "r" (cr4) : "memory");
}

static __always_inline void native_flush_tlb_one(u64 va)
{
	asm volatile("invlpg (%0)" : : "r" (va) : "memory");
}

static __always_inline void native_set_pte(pv_pte_t *ptep, pv_pte_t pte)
{
	*(volatile pv_pte_t *)ptep = pte;
}

static __always_inline void native_set_pmd(pv_pmd_t *pmdp, pv_pmd_t pmd)
{
	*(volatile pv_pmd_t *)pmdp = pmd;
}

static __always_inline void native_set_pud(pv_pud_t *pudp, pv_pud_t pud)
{
	*(volatile pv_pud_t *)pudp = pud;
}

static __always_inline void native_set_p4d(pv_p4d_t *p4dp, pv_p4d_t p4d)
{
	*(volatile pv_p4d_t *)p4dp = p4d;
}

static __always_inline u64 native_pte_val(pv_pte_t pte)
{
	return (__force u64)pte;
}

static __always_inline pv_pte_t native_make_pte(u64 val)
{
	return (__force pv_pte_t)val;
}

static __always_inline u64 native_pmd_val(pv_pmd_t pmd)
{
	return (__force u64)pmd;
}

static __always_inline pv_pmd_t native_make_pmd(u64 val)
{
	return (__force pv_pmd_t)val;
}

static __always_inline u64 native_pud_val(pv_pud_t pud)
{
	return (__force u64)pud;
}

static __always_inline pv_pud_t native_make_pud(u64 val)
{
	return (__force pv_pud_t)val;
}

static __always_inline u64 native_p4d_val(pv_p4d_t p4d)
{
	return (__force u64)p4d;
}

static __always_inline pv_p4d_t native_make_p4d(u64 val)
{
	return (__force pv_p4d_t)val;
}

static __always_inline pv_pte_t native_ptep_modify_prot_start(pv_pte_t *ptep)
{
	u64 old = 0;

	asm volatile("xchg %0, %1" : "+r" (old), "+m" (*ptep) : : "memory");
	return (__force pv_pte_t)old;
}

static __always_inline void native_ptep_modify_prot_commit(pv_pte_t *ptep, pv_pte_t pte)
{
	*(volatile pv_pte_t *)ptep = pte;
}

static __always_inline u8 native_vcpu_is_preempted(u32 cpu)
{
	(void)cpu;
	return 0;
}

#endif
