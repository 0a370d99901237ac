/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux's side of the pvops contract, inline part (pvops/port.h describes each
 * item).
 *
 * This header must not include <asm/paravirt.h>, not even indirectly.  The
 * layer's own files include no other header of Linux, so that their
 * native_<op>() do not conflict with Linux's functions of the same names.
 */
#ifndef _ASM_X86_PVOPS_PORT_INLINE_H
#define _ASM_X86_PVOPS_PORT_INLINE_H

#include <asm/pvops_compat.h>

/* Hypercalls can be made to fail (pvops/inject.h). */
#ifdef CONFIG_PVOPS_FAULT_INJECTION
#define PV_PORT_INJECT		1
#endif

/* As in <asm/segment.h>; pvops_port.c checks it. */
#define PV_KERNEL_CS		0x10
#define PV_KERNEL_DS		0x18
#define PV_USER_DS		0x2b
#define PV_USER_CS		0x33
#define PV_GDT_LDT		10
#define PV_GDT_TLS		12
/* The mapping of the GDT that the CPU uses is read-only. */
#define PV_GDT_WRITABLE(gdt)	pvops_gdt_rw(gdt)
#define PV_MSR_MAY_FAULT	1

/* Linux programs its timers and sends its IPIs itself. */
#define PV_VECTOR_TIMER		0xec
#define PV_VECTOR_IPI		0xfb
#define PV_IPI_COUNT		1

#define PV_MAX_CPUS		CONFIG_NR_CPUS

/* Linux's own ops. */
#define PV_CATALOGUE_EXTENSION	<asm/pvops_ops.h>

/* The Xen backend uses Linux's own copy of Xen's headers. */
#define PV_XEN_INTERFACE	<asm/pvops_xen.h>

/* As compiled, sites are direct branches to retpolines. */
#ifdef PVOPS_RETPOLINE
#define PV_PORT_RETPOLINE	1
#endif

#ifdef __ASSEMBLY__
#include <asm/ibt.h>
#include <asm/nospec-branch.h>

#define PV_ENDBR		ENDBR
#define PV_JMP(reg)		JMP_NOSPEC reg
#endif

#ifndef __ASSEMBLY__
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/page_64_types.h>
#include <asm/ibt.h>

struct cpumask;
struct desc_struct;
struct flush_tlb_info;
struct mm_struct;
struct mmu_gather;
struct qspinlock;

#define PV_PERCPU_DECLARE(type, name)	extern type name
#ifdef CONFIG_SMP
#define PV_PERCPU_DEFINE(type, name) \
	type name __section(".data..percpu..page_aligned")
#define PV_PERCPU_ASM			"%gs:"
#define PVOPS_PREEMPT_COUNT		"%%gs:" PVOPS_PREEMPT_COUNT_SYMBOL
#define PV_PERCPU_PTR(name)						\
	({								\
		unsigned long off_;					\
									\
		asm("movq %%gs:this_cpu_off, %0"			\
		    : "=r" (off_) : "m" (name));			\
		(typeof(name) *)(off_ + (unsigned long)&(name));	\
	})
#else
#define PV_PERCPU_DEFINE(type, name)	type name
#define PV_PERCPU_ASM			""
#define PVOPS_PREEMPT_COUNT		PVOPS_PREEMPT_COUNT_SYMBOL
#define PV_PERCPU_PTR(name)		(&(name))
#endif
unsigned long pvops_percpu_offset(u32 cpu);
#define PV_PERCPU_PTR_OF(name, cpu) \
	((typeof(name) *)(pvops_percpu_offset(cpu) + (unsigned long)&(name)))

#define PV_RO_AFTER_INIT	__ro_after_init

/* For objtool, IBT and return thunks. */
#define PV_ASM_ENDBR		ASM_ENDBR
#define PV_ASM_NOENDBR		ANNOTATE_NOENDBR
#define PV_ASM_RET		ASM_RET
#ifdef PVOPS_RETPOLINE
#define PV_ASM_JMP(reg)		"jmp __x86_indirect_thunk_" reg "\n\t"
#define PV_ASM_CALL(reg)	"call __x86_indirect_thunk_" reg "\n\t"
#endif
#define PV_STACK_POINTER	current_stack_pointer
#define PV_ASM_ODD(function)	STACK_FRAME_NON_STANDARD(function)

#define PV_EXTABLE(insn, fixup)	_ASM_EXTABLE(insn, fixup)
#define PV_CALLER()		__builtin_return_address(0)

/* As __pa() and __va(), because <asm/page.h> includes too much. */
extern unsigned long phys_base;
extern unsigned long page_offset_base;

static __always_inline u64 pvops_virt_to_pfn(const void *va)
{
	unsigned long addr = (unsigned long)va;
	unsigned long image = addr - __START_KERNEL_map;

	return (addr > image ? image + phys_base : addr - __PAGE_OFFSET) >> 12;
}

static __always_inline void *pvops_pfn_to_virt(u64 pfn)
{
	return (void *)((pfn << 12) + __PAGE_OFFSET);
}

u64 *pvops_gdt_rw(const u64 *gdt);
/* A function, because <linux/smp.h> includes too much. */
u32 pv_port_this_cpu(void);

/*
 * Linux's interrupt entry does not pause batches.  So nothing is queued in a
 * hard or soft interrupt, or while soft interrupts are disabled (the masks of
 * <linux/preempt.h>).
 */
static __always_inline bool pv_port_in_interrupt(void)
{
	bool yes;

	asm volatile("testl $0xffff00, " PVOPS_PREEMPT_COUNT
		     : "=@ccnz" (yes));
	return yes;
}

#ifdef CONFIG_PREEMPTION
/*
 * As preempt_disable_notrace() and preempt_enable_notrace(), because
 * <linux/preempt.h> includes too much.
 */
#define PV_PORT_PREEMPTION	1
#ifdef CONFIG_PREEMPT_DYNAMIC
/* A static call; objtool wants its key as a symbol of the object file. */
#define PVOPS_PREEMPT_SCHEDULE						\
	"call __SCT__preempt_schedule_notrace\n\t"			\
	".pushsection .discard.addressable, \"aw\"\n\t"			\
	".quad __SCK__preempt_schedule_notrace\n\t"			\
	".popsection\n"
#else
#define PVOPS_PREEMPT_SCHEDULE	"call preempt_schedule_notrace_thunk\n"
#endif

#ifdef CONFIG_PVOPS_FAULT_INJECTION
extern bool pvops_preempt_left_out;
#else
#define pvops_preempt_left_out	false
#endif

static __always_inline void pv_port_preempt_disable(void)
{
	if (pvops_preempt_left_out)
		return;
	asm volatile("incl " PVOPS_PREEMPT_COUNT : : : "memory", "cc");
}

/* 0: nothing else disables preemption, and a task with more right waits. */
static __always_inline void pv_port_preempt_enable(void)
{
	if (pvops_preempt_left_out)
		return;
	asm volatile("decl " PVOPS_PREEMPT_COUNT "\n\t"
		     "jnz 1f\n\t"
		     PVOPS_PREEMPT_SCHEDULE
		     "1:" : "+r" (current_stack_pointer) : : "memory", "cc");
}
#endif

#define pv_port_virt_to_pfn(va)		pv_pfn(pvops_virt_to_pfn(va))
#define pv_port_pfn_to_virt(pfn)	pvops_pfn_to_virt(pv_pfn_nr(pfn))

#endif /* __ASSEMBLY__ */
#endif /* _ASM_X86_PVOPS_PORT_INLINE_H */
