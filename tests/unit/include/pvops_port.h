/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The contract's port, inline part, for an ordinary user process: the core
 * runs here under unit tests and fuzzers (include/pvops/port.h says what each
 * of these is).  "This CPU" is whichever the test says it is.
 */
#ifndef PVOPS_PORT_INLINE_H
#define PVOPS_PORT_INLINE_H

#define PV_KERNEL_CS		0x10
#define PV_KERNEL_DS		0x18
#define PV_USER_DS		0x2b
#define PV_USER_CS		0x33
#define PV_GDT_LDT		10
#define PV_GDT_TLS		12
#define PV_GDT_WRITABLE(gdt)	(gdt)
#define PV_MSR_MAY_FAULT	0

#define PV_VECTOR_TIMER		0xf0
#define PV_VECTOR_IPI		0xf1
#define PV_IPI_COUNT		2

#define PV_MAX_CPUS		2

#ifndef __ASSEMBLY__
#include "../../types.h"

/* The CPU that the code under test believes to run on. */
extern u32 host_cpu;
extern bool host_in_interrupt;

#define PV_PERCPU_DECLARE(type, name)	extern type name[PV_MAX_CPUS]
#define PV_PERCPU_DEFINE(type, name)	type name[PV_MAX_CPUS]
#define PV_PERCPU_PTR(name)		(&(name)[host_cpu])
#define PV_PERCPU_PTR_OF(name, cpu)	(&(name)[cpu])
/* Assembly sees CPU 0's: the element the symbol stands for. */
#define PV_PERCPU_ASM			""

/* Nothing faults on the host on purpose. */
#define PV_EXTABLE(insn, fixup)		""

#define PV_CALLER()			__builtin_return_address(0)

static inline u32 pv_port_this_cpu(void)
{
	return host_cpu;
}

static inline bool pv_port_in_interrupt(void)
{
	return host_in_interrupt;
}

/* No linear map: frames are addresses divided by the page size. */
#define pv_port_virt_to_pfn(va)		pv_pfn((unsigned long)(va) >> 12)
#define pv_port_pfn_to_virt(pfn)	((void *)(pv_pfn_nr(pfn) << 12))

#endif /* __ASSEMBLY__ */
#endif
