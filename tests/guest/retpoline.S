/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Thunks that replace indirect calls and jumps of the compiler
 * (-mindirect-branch=thunk-extern), and those of PV_JMP and the like.
 */
#ifdef PV_PORT_RETPOLINE
	.text
	.irp	reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	.balign	32
	.globl	__x86_indirect_thunk_\reg
	.type	__x86_indirect_thunk_\reg, @function
__x86_indirect_thunk_\reg:
	call	2f
1:	pause
	lfence
	jmp	1b
2:	mov	%\reg, (%rsp)
	ret
	int3
	.size	__x86_indirect_thunk_\reg, . - __x86_indirect_thunk_\reg
	.endr
#endif

	.section .note.GNU-stack, "", @progbits
