/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Entry to and exit from the kernel: exceptions, interrupts, system calls,
 * and the switch between kernel stacks.
 */
#include <pvops/site.h>

	.text

.macro SAVE_REGS
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
.endm

.macro RESTORE_REGS
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

/* struct regs: registers, vector, error code, hardware frame. */
#define REGS_CS		(15 * 8 + 3 * 8)

.macro STUB vector, has_error=0
	.balign	16
entry_\vector:
	PV_CALL_OP adjust_exception_frame
	.if	!\has_error
	push	$0
	.endif
	push	$\vector
	jmp	common_entry
.endm

	STUB	0
	STUB	1
	STUB	2
	STUB	3
	STUB	4
	STUB	5
	STUB	6
	STUB	7
	STUB	8, 1
	STUB	9
	STUB	10, 1
	STUB	11, 1
	STUB	12, 1
	STUB	13, 1
	STUB	14, 1
	STUB	15
	STUB	16
	STUB	17, 1
	STUB	18
	STUB	19
	STUB	20
	STUB	21, 1
	STUB	224
	STUB	240
	STUB	241
	STUB	242
	STUB	255

	.balign	16
	.globl	pv_port_event_entry
pv_port_event_entry:
	PV_CALL_OP adjust_exception_frame
	push	$0
	push	$0x100			/* no vector: upcall(0) finds the event */

common_entry:
	SAVE_REGS
	testb	$3, REGS_CS(%rsp)
	jz	1f
	PV_CALL_OP swapgs
1:	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	trap
	mov	%rbp, %rsp

	.globl	return_to_context
return_to_context:
	testb	$3, REGS_CS(%rsp)
	jz	2f
	PV_CALL_OP swapgs
2:	RESTORE_REGS
	add	$16, %rsp
	PV_JUMP_OP iret

/* SYSCALL on bare hardware: rcx is RIP, r11 is RFLAGS, the stack is the user's. */
	.balign	16
	.globl	syscall_entry
syscall_entry:
	PV_CALL_OP swapgs
	mov	%rsp, %gs:percpu_user_rsp
	mov	%gs:percpu_kernel_stack, %rsp
	push	$PV_USER_DS
	push	%gs:percpu_user_rsp
	push	%r11
	push	$PV_USER_CS
	push	%rcx
	.globl	pv_port_syscall_hwframe
pv_port_syscall_hwframe:
	push	$0
	push	$0x200
	SAVE_REGS
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	syscall_dispatch
	mov	%rbp, %rsp
	jmp	return_to_context

/* void switch_stack(u64 *save_rsp, u64 rsp) */
	.globl	switch_stack
switch_stack:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* First return of a new process: its struct regs is on top of the stack. */
	.globl	first_return
first_return:
	jmp	return_to_context

	.section .rodata
	.balign	8
	.globl	entry_table
entry_table:				/* vector, address; ends with -1 */
	.irp	vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 224, 240, 241, 242, 255
	.quad	\vector, entry_\vector
	.endr
	.quad	PV_VECTOR_EVENT, pv_port_event_entry
	.quad	-1, 0

	.section .note.GNU-stack, "", @progbits
