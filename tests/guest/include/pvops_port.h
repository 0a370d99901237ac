/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The mini guest's side of the contract, inline part (include/pvops/port.h
 * says what each of these is).
 *
 * Memory: the kernel, and all memory it uses, is mapped at KERNEL_BASE +
 * guest-physical address.  Per-CPU variables are linked at address 0 upwards;
 * GS base is where a CPU's copy is.
 */
#ifndef PVOPS_PORT_INLINE_H
#define PVOPS_PORT_INLINE_H

#define KERNEL_BASE		0xffffffff80000000

/* GDT: one page per CPU, indices as below. */
#define PV_KERNEL_CS		0x10
#define PV_KERNEL_DS		0x18
#define PV_USER_DS		0x2b
#define PV_USER_CS		0x33
#define PV_GDT_TSS		8
#define PV_GDT_LDT		10
#define PV_GDT_TLS		12
#define PV_GDT_WRITABLE(gdt)	(gdt)
#define PV_MSR_MAY_FAULT	0
#define GDT_ENTRIES		16

#define PV_VECTOR_TIMER		0xf0
#define PV_VECTOR_IPI		0xf1
#define PV_IPI_COUNT		2
#define PV_VECTOR_EVENT		0xf3

#define PV_MAX_CPUS		80

/* tests/guest/retpoline.S */
#ifdef PV_PORT_RETPOLINE
#ifdef __ASSEMBLY__
#define PV_JMP(reg)		jmp __x86_indirect_thunk_##reg
#else
#define PV_ASM_JMP(reg)		"jmp __x86_indirect_thunk_" reg "\n\t"
#define PV_ASM_CALL(reg)	"call __x86_indirect_thunk_" reg "\n\t"
#endif
#endif

#ifndef __ASSEMBLY__
#include "../../types.h"

#define PV_RO_AFTER_INIT	__attribute__((section(".data..ro_after_init")))
#define PV_PERCPU_DECLARE(type, name)	extern type name
#define PV_PERCPU_DEFINE(type, name)	type name __attribute__((section(".percpu")))
#define PV_PERCPU_ASM			"%gs:"

/* First word of every CPU's area: its own address.  Then its number. */
PV_PERCPU_DECLARE(unsigned long, percpu_self);
PV_PERCPU_DECLARE(u32, percpu_cpu);
extern unsigned long percpu_base[PV_MAX_CPUS];

#define PV_PERCPU_PTR(name)						\
	({								\
		unsigned long self_;					\
									\
		asm("movq %%gs:percpu_self, %0"				\
		    : "=r" (self_) : "m" (name));			\
		(__typeof__(name) *)(self_ + (unsigned long)&(name));	\
	})
#define PV_PERCPU_PTR_OF(name, cpu) \
	((__typeof__(name) *)(percpu_base[cpu] + (unsigned long)&(name)))

static inline u32 pv_port_this_cpu(void)
{
	u32 cpu;

	asm volatile("movl %%gs:percpu_cpu, %0" : "=r" (cpu));
	return cpu;
}

/* Entry code pauses batches. */
static inline bool pv_port_in_interrupt(void)
{
	return false;
}

/* tests/guest/preempt.c: build "preempt". */
#ifdef PV_PORT_PREEMPTION
PV_PERCPU_DECLARE(u32, percpu_preempt_count);
PV_PERCPU_DECLARE(u32, percpu_need_resched);
void preempt_schedule(void);
/* plant=hooks: the layer's calls do nothing. */
extern bool preempt_left_out;

static inline void preempt_disable(void)
{
	asm volatile("incl %%gs:percpu_preempt_count" : : : "memory", "cc");
}

static inline void preempt_enable(void)
{
	u32 asked;

	asm volatile("movl %%gs:percpu_need_resched, %0\n\t"
		     "decl %%gs:percpu_preempt_count\n\t"
		     "jz 1f\n\t"
		     "xorl %0, %0\n"
		     "1:" : "=&r" (asked) : : "memory", "cc");
	if (asked)
		preempt_schedule();
}

static inline void pv_port_preempt_disable(void)
{
	if (!preempt_left_out)
		preempt_disable();
}

static inline void pv_port_preempt_enable(void)
{
	if (!preempt_left_out)
		preempt_enable();
}
#else
static inline void preempt_disable(void) { }
static inline void preempt_enable(void) { }
#endif

#define PV_EXTABLE(insn, fixup)			\
	".pushsection .extable, \"a\"\n\t"	\
	".balign 4\n\t"				\
	".long " #insn " - .\n\t"		\
	".long " #fixup " - .\n\t"		\
	".popsection\n"

#define PV_CALLER()	__builtin_return_address(0)

/* Macros, because the types come after this header. */
#define pv_port_virt_to_pfn(va)	pv_pfn(((unsigned long)(va) - KERNEL_BASE) >> 12)
#define pv_port_pfn_to_virt(pfn) ((void *)(KERNEL_BASE + (pv_pfn_nr(pfn) << 12)))

#endif /* __ASSEMBLY__ */
#endif
