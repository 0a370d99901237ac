// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls of a ROM that is not in use yet.  An exception in its code, for example a store
 * to this code, must not stop the kernel.  So exceptions have gates of their own during
 * the call, whether or not the kernel has set up its own.
 */
#include "internal.h"

#define VECTOR_NMI	2
#define GATES		15
#define GATE_INTERRUPT	0x8e

static struct pv_gate gates[GATES];

/* The exception, and the stack pointer to continue with; the assembly below writes both. */
struct pvvmi_fault pvvmi_fault;
extern u64 pvvmi_guard_stack;
u64 pvvmi_guard_stack;

void pvvmi_guard_nmi(void);
void pvvmi_guard_de(void);
void pvvmi_guard_ud(void);
void pvvmi_guard_gp(void);
void pvvmi_guard_pf(void);

PV_ASM_ODD(pvvmi_guard_nmi);
PV_ASM_ODD(pvvmi_guard_de);
PV_ASM_ODD(pvvmi_guard_ud);
PV_ASM_ODD(pvvmi_guard_gp);
PV_ASM_ODD(pvvmi_guard_pf);

#define GATE(name, text)						\
	".globl pvvmi_guard_" #name "\n"				\
	".type pvvmi_guard_" #name ", @function\n"			\
	"pvvmi_guard_" #name ":\n\t" PV_ASM_ENDBR text "\n"		\
	".size pvvmi_guard_" #name ", . - pvvmi_guard_" #name "\n"

/* Gates of exceptions without an error code push 0. */
asm(".pushsection .text\n"
	GATE(nmi, "iretq")
	GATE(de, "push $0\n\tpush $0\n\tjmp pvvmi_guard_left")
	GATE(ud, "push $0\n\tpush $6\n\tjmp pvvmi_guard_left")
	GATE(gp, "push $13\n\tjmp pvvmi_guard_left")
	GATE(pf, "push $14\n\tjmp pvvmi_guard_left")
	".popsection");

static void set_gate(u32 vector, void (*handler)(void))
{
	u64 va = (unsigned long)handler;

	gates[vector] = (struct pv_gate){
		.offset_low = (u16)va,
		.selector = PV_KERNEL_CS,
		.type_dpl_p = GATE_INTERRUPT,
		.offset_mid = (u16)(va >> 16),
		.offset_high = (u32)(va >> 32),
	};
}

/*
 * Calls by the C class.  The stack keeps the registers that the call must preserve,
 * because after an exception it does not return.
 */
static __attribute__((__noinline__)) struct pvvmi_reloc call(u64 entry, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct pvvmi_reloc result = { entry, a3 };

	asm volatile("push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\t"
		     "push %%r13\n\tpush %%r14\n\tpush %%r15\n\t"
		     "mov %%rsp, pvvmi_guard_stack(%%rip)\n\t"
		     PV_ASM_CALL("rax")
		     "jmp 1f\n"
		     "pvvmi_guard_left:\n\t"
		     "pop pvvmi_fault(%%rip)\n\t"
		     "pop pvvmi_fault + 8(%%rip)\n\t"
		     "pop pvvmi_fault + 16(%%rip)\n\t"
		     "mov %%cr2, %%rax\n\t"
		     "mov %%rax, pvvmi_fault + 24(%%rip)\n\t"
		     "mov pvvmi_guard_stack(%%rip), %%rsp\n\t"
		     "cld\n"
		     "1:\n\t"
		     "pop %%r15\n\tpop %%r14\n\tpop %%r13\n\t"
		     "pop %%r12\n\tpop %%rbp\n\tpop %%rbx\n\t"
		     : "+a" (result.entry), "+d" (result.type), "+D" (a1), "+S" (a2), "+c" (a4),
		       "+r" (PV_STACK_POINTER)
		     : : "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

PV_ASM_ODD(call);

bool pvvmi_call_guarded(u64 entry, const u64 *args, struct pvvmi_reloc *result)
{
	const struct pv_dtr own = { sizeof(gates) - 1, (unsigned long)gates };
	struct pv_dtr kernels;

	set_gate(0, pvvmi_guard_de);
	set_gate(VECTOR_NMI, pvvmi_guard_nmi);
	set_gate(6, pvvmi_guard_ud);
	set_gate(13, pvvmi_guard_gp);
	set_gate(14, pvvmi_guard_pf);
	pvvmi_fault.vector = VMI_NO_FAULT;
	asm volatile("sidt %0" : "=m" (kernels));
	asm volatile("lidt %0" : : "m" (own) : "memory");
	*result = call(entry, args[0], args[1], args[2], args[3]);
	asm volatile("lidt %0" : : "m" (kernels) : "memory");
	return pvvmi_fault.vector == VMI_NO_FAULT;
}
