/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The contract's port, inline part, for tools/optables: the fuzzers' machine in a
 * process, with per-CPU addresses as a kernel has them, and the port's choices as
 * variables, so that one program shows what depends on them.
 */
#ifndef OPTABLES_PORT_INLINE_H
#define OPTABLES_PORT_INLINE_H

#include "../../../tests/fuzz/include/pvops_port.h"

/* A process has GS base 0: this is CPU 0's, and reads as a kernel's does. */
#undef PV_PERCPU_ASM
#define PV_PERCPU_ASM		"%gs:"

/* Where it is asked for by #if it is 0, as any name that is no macro. */
#undef PV_MSR_MAY_FAULT
#define PV_MSR_MAY_FAULT	optables_msr_may_fault

#ifndef __ASSEMBLY__
/* init() runs on one CPU. */
#undef PV_PERCPU_DECLARE
#undef PV_PERCPU_DEFINE
#undef PV_PERCPU_PTR
#undef PV_PERCPU_PTR_OF
#define PV_PERCPU_DECLARE(type, name)	extern type name
#define PV_PERCPU_DEFINE(type, name)	type name
#define PV_PERCPU_PTR(name)		(&(name))
#define PV_PERCPU_PTR_OF(name, cpu)	((void)(cpu), &(name))

/* Inline code is to be what a kernel has; init() executes none of it but LIDT and SIDT. */
asm(".purgem cli\n.purgem sti\n.purgem hlt\n.purgem lidt\n.purgem sidt\n");

extern bool optables_msr_may_fault;
#endif

#endif
