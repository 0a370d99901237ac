/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The contract's port, inline part, for backends that run in a process on a
 * machine made of the fuzzer's input (machine.h): the unit tests' with what
 * backends want beyond it.
 *
 * Physical memory begins at KERNEL_BASE: 16 MiB of memory proper, then the
 * program, linked there like a kernel into its linear map.
 */
#ifndef FUZZ_PORT_INLINE_H
#define FUZZ_PORT_INLINE_H

#include "../../unit/include/pvops_port.h"

#define KERNEL_BASE		0x10000000UL
#define PV_VECTOR_EVENT		0xf3

#ifndef __ASSEMBLY__

#undef PV_EXTABLE
#define PV_EXTABLE(insn, fixup)			\
	".pushsection .extable, \"a\"\n\t"	\
	".balign 8\n\t"				\
	".quad " #insn "\n\t"			\
	".quad " #fixup "\n\t"			\
	".popsection\n"

#undef pv_port_virt_to_pfn
#undef pv_port_pfn_to_virt
#define pv_port_virt_to_pfn(va)	pv_pfn(((unsigned long)(va) - KERNEL_BASE) >> 12)
#define pv_port_pfn_to_virt(pfn) ((void *)(KERNEL_BASE + (pv_pfn_nr(pfn) << 12)))

/*
 * Instructions whose effect is the machine's, and that must not or cannot be
 * executed here: machine.c finds the registers on its stack.
 */
asm(".macro syscall\n\tcall machine_syscall\n.endm\n"
    ".macro vmcall\n\tcall machine_vmcall\n.endm\n"
    ".macro vmmcall\n\tcall machine_vmcall\n.endm\n"
    ".macro rdmsr\n\tcall machine_rdmsr\n.endm\n"
    ".macro wrmsr\n\tcall machine_wrmsr\n.endm\n"
    ".macro cpuid\n\tcall machine_cpu_id\n.endm\n"
    ".macro rdtsc\n\tcall machine_rdtsc\n.endm\n"
    ".macro cli\n\tcall machine_cli\n.endm\n"
    ".macro sti\n\tcall machine_sti\n.endm\n"
    ".macro hlt\n\tcall machine_hlt\n.endm\n"
    ".macro lidt at\n.endm\n"
    ".macro sidt at\n.endm\n");

/* Variables of what is tested, apart: every input begins with them as linked. */
#ifdef MACHINE_STATE
#pragma clang section bss=".machine_bss" data=".machine_data"
#endif

#endif /* __ASSEMBLY__ */
#endif
