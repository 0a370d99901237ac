/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts and waiting for them.  Part of <asm/pvops.h>. */
#ifndef _ASM_X86_PVOPS_IRQ_H
#define _ASM_X86_PVOPS_IRQ_H

/* Interrupts.  Saved flags are an opaque token of the backend. */
static __always_inline unsigned long arch_local_save_flags(void)
{
	return (__force unsigned long)pv_save_fl();
}

static __always_inline void arch_local_irq_disable(void)
{
	pv_irq_disable();
}

static __always_inline void arch_local_irq_enable(void)
{
	pv_irq_enable();
}

/* The real RFLAGS, under any backend. */
static __always_inline unsigned long pvops_rflags(void)
{
	unsigned long flags;

	asm volatile("pushf; pop %0" : "=rm" (flags) : : "memory");
	return flags;
}

/* Both ops in one guard save a NOP. */
static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags;

	asm_inline volatile(PVOPS_BRANCH
			    "pushf\n\t"
			    "pop %%rax\n\t"
			    "cli\n"
			    PVOPS_FAR
			    PV_TEXT_CALL9_OF(save, 0)
			    "push %%rax\n\t"
			    PV_TEXT_CALL9(0)
			    "pop %%rax\n\t"
			    PVOPS_FAR_END
			    : "=a" (flags)
			    : [op] "i" (PV_OP_irq_disable),
			      [save] "i" (PV_OP_save_fl)
			    : "memory", "cc");
	return flags;
}

#define __HAVE_ARCH_IRQ_FLAGS_TOKEN
static __always_inline int arch_irqs_disabled_flags(unsigned long flags)
{
	return pv_irqs_disabled_flags((__force pv_flags_t)flags);
}

static __always_inline int arch_irqs_disabled(void)
{
	/* A backend can keep the mask elsewhere, with tokens like RFLAGS (VMI). */
	if (unlikely(pv_replaced_save_fl()))
		return pv_outline_irqs_disabled_flags(pv_save_fl());
	return !(pvops_rflags() & X86_EFLAGS_IF);
}

/* In line is Linux's own code, which needs no POPF. */
static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	asm_inline volatile(PVOPS_BRANCH
			    "test %[mask], %k[flags]\n\t"
			    "jz 773f\n\t"
			    "sti\n"
			    PVOPS_FAR
			    "push %%rdi\n\t"
			    "mov %[flags], %%rdi\n"
			    PV_TEXT_OF_BRANCH
			    "pop %%rdi\n\t"
			    PVOPS_FAR_END
			    : : [flags] "r" (flags), [op] "i" (PV_OP_restore_fl),
			      [mask] "i" (X86_EFLAGS_IF)
			    : "rax", "memory", "cc");
}

static __always_inline void arch_safe_halt(void)
{
	x86_idle_clear_cpu_buffers();
	pv_safe_halt();
}

static __always_inline void halt(void)
{
	x86_idle_clear_cpu_buffers();
	pv_halt();
}

#endif /* _ASM_X86_PVOPS_IRQ_H */
