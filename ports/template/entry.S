/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The entries that include/pvops/port.h asks for, as stubs, and a start that a kernel
 * replaces by its own: it is entered in 64-bit mode, on the kernel's page tables.
 */
#include <pvops/site.h>

	.text
	.globl	_start
_start:
	movq	$port_stack_top, %rsp
	/* Per-CPU area of CPU 0: it knows its own address. */
	movq	$percpu_boot, %rdi
	movq	%rdi, (%rdi)
	movq	%rdi, %rax
	movq	%rdi, %rdx
	shr	$32, %rdx
	movl	$0xc0000101, %ecx		/* IA32_GS_BASE */
	wrmsr
	push	$0
	call	port_start

	.globl	pv_port_syscall_hwframe
pv_port_syscall_hwframe:
	movq	$1f, %rdi
	jmp	port_stub
	.section .rodata
1:	.asciz	"pv_port_syscall_hwframe"
	.text

	/* Every interrupt and exception entry begins with this site. */
	.globl	pv_port_event_entry
pv_port_event_entry:
	PV_CALL_OP adjust_exception_frame
	movq	$1f, %rdi
	jmp	port_stub
	.section .rodata
1:	.asciz	"pv_port_event_entry"

	.bss
	.balign	16
	.skip	16384
port_stack_top:

	.section .note.GNU-stack, "", @progbits
