/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The inline part of a port: types, constants and macros.  include/pvops/port.h and
 * types.h say what each of them is; docs/porting.md in which order to fill them in.
 *
 * As it stands: all memory is mapped at KERNEL_BASE + physical address, per-CPU
 * variables are linked at 0 and up, and GS base is where a CPU's copy is.
 */
#ifndef PVOPS_PORT_INLINE_H
#define PVOPS_PORT_INLINE_H

#define KERNEL_BASE		0xffffffff80000000

/* Selectors and slots of the kernel's GDT. */
#define PV_KERNEL_CS		0x08
#define PV_KERNEL_DS		0x10
#define PV_USER_DS		0x1b
#define PV_USER_CS		0x23
#define PV_GDT_LDT		7
#define PV_GDT_TLS		9
#define PV_GDT_WRITABLE(gdt)	(gdt)

/* Vectors that the kernel keeps for the layer. */
#define PV_VECTOR_TIMER		0xf0
#define PV_VECTOR_IPI		0xf1
#define PV_IPI_COUNT		1
#define PV_VECTOR_EVENT		0xf3

#define PV_MAX_CPUS		8
#define PV_MSR_MAY_FAULT	0

#ifndef __ASSEMBLY__
/*
 * A kernel with types of its own takes those, and not these headers (types.h).  They are
 * written out here, because this folder is copied and must compile anywhere.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define __bitwise
#define __force
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))

#define PV_PERCPU_DECLARE(type, name)	extern type name
#define PV_PERCPU_DEFINE(type, name)	type name __attribute__((section(".percpu")))
#define PV_PERCPU_ASM			"%gs:"

/* The first words of each CPU's area: its own address, and its number. */
PV_PERCPU_DECLARE(unsigned long, percpu_self);
PV_PERCPU_DECLARE(u32, percpu_cpu);
/* Where each CPU's area is. */
extern unsigned long percpu_base[PV_MAX_CPUS];

#define PV_PERCPU_PTR(name)						\
	__extension__({							\
		unsigned long self_;					\
									\
		__asm__("movq %%gs:percpu_self, %0"			\
			: "=r" (self_) : "m" (name));			\
		(__typeof__(name) *)(self_ + (unsigned long)&(name));	\
	})
#define PV_PERCPU_PTR_OF(name, cpu) \
	((__typeof__(name) *)(percpu_base[cpu] + (unsigned long)&(name)))

static inline u32 pv_port_this_cpu(void)
{
	u32 cpu;

	__asm__ volatile("movl %%gs:percpu_cpu, %0" : "=r" (cpu));
	return cpu;
}

/* True to its word only with entry code that pauses batches (batch.h, rule 4). */
static inline bool pv_port_in_interrupt(void)
{
	return false;
}

/* Where the kernel's exception handler looks; the linker script keeps it. */
#define PV_EXTABLE(insn, fixup)			\
	".pushsection .extable, \"a\"\n\t"	\
	".balign 4\n\t"				\
	".long " #insn " - .\n\t"		\
	".long " #fixup " - .\n\t"		\
	".popsection\n"

#define PV_CALLER()	__builtin_return_address(0)

/* Macros, because pv_pfn_t comes after this header. */
#define pv_port_virt_to_pfn(va)	pv_pfn(((unsigned long)(va) - KERNEL_BASE) >> 12)
#define pv_port_pfn_to_virt(pfn) ((void *)(KERNEL_BASE + (pv_pfn_nr(pfn) << 12)))

#endif /* __ASSEMBLY__ */
#endif
