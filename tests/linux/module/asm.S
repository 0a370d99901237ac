/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of sites that only assembly has. */
#include <linux/linkage.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <pvops/site.h>

/* Twice, so that nothing has changed.  Interrupts are off. */
SYM_FUNC_START(asm_swapgs_twice)
	PV_CALL_OP swapgs
	PV_CALL_OP swapgs
	RET
SYM_FUNC_END(asm_swapgs_twice)

/* Returns by the op instead of by RET: from the kernel to the kernel. */
SYM_CODE_START(asm_iret)
	movq	%rsp, %rax
	pushq	$__KERNEL_DS
	addq	$8, %rax
	pushq	%rax
	/* Interrupts stay off: the real flag is always set where they are masked by other means. */
	pushfq
	andq	$~X86_EFLAGS_IF, (%rsp)
	pushq	$__KERNEL_CS
	pushq	-8(%rax)
	PV_JUMP_OP iret
SYM_CODE_END(asm_iret)
