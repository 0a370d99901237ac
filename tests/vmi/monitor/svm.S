/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Entry to the guest and exit from it (APM vol. 2 section 15.5); the monitor's
 * own interrupts.
 *
 * The monitor runs with GIF clear: interrupts are held until the monitor lets
 * them in, and end the guest's run (INTR is intercepted).  FS, GS, TR, LDTR and
 * the system call MSRs are the guest's all the time: the monitor's C code uses
 * none of them.
 */
	.text

/* void vcpu_enter(struct vcpu *v, u64 vmcb); registers by number from v + 0 */
	.globl	vcpu_enter
vcpu_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	%rsi, %rax
	mov	0x08(%rdi), %rcx
	mov	0x10(%rdi), %rdx
	mov	0x18(%rdi), %rbx
	mov	0x28(%rdi), %rbp
	mov	0x30(%rdi), %rsi
	mov	0x40(%rdi), %r8
	mov	0x48(%rdi), %r9
	mov	0x50(%rdi), %r10
	mov	0x58(%rdi), %r11
	mov	0x60(%rdi), %r12
	mov	0x68(%rdi), %r13
	mov	0x70(%rdi), %r14
	mov	0x78(%rdi), %r15
	mov	0x38(%rdi), %rdi
	vmrun	%rax
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rcx, 0x08(%rdi)
	mov	%rdx, 0x10(%rdi)
	mov	%rbx, 0x18(%rdi)
	mov	%rbp, 0x28(%rdi)
	mov	%rsi, 0x30(%rdi)
	mov	%r8, 0x40(%rdi)
	mov	%r9, 0x48(%rdi)
	mov	%r10, 0x50(%rdi)
	mov	%r11, 0x58(%rdi)
	mov	%r12, 0x60(%rdi)
	mov	%r13, 0x68(%rdi)
	mov	%r14, 0x70(%rdi)
	mov	%r15, 0x78(%rdi)
	pop	%rax
	mov	%rax, 0x38(%rdi)
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* Lines of the I/O APIC: notes the line for lines_check(). */
	.globl	host_lines
	.balign	16
host_lines:
	.set	line, 0
	.rept	24
	.balign	16
	lock btsq $line, lines_raised
	jmp	host_interrupt
	.set	line, line + 1
	.endr

/* Timer and kick: their only purpose is the exit from the guest. */
	.globl	host_interrupt
host_interrupt:
	push	%rax
	mov	$0xfee000b0, %eax
	movl	$0, (%rax)
	pop	%rax
host_spurious:
	iretq
	.globl	host_spurious

/*
 * DR0-3 are the guest's, and QEMU keeps the breakpoints of the guest's DR7 armed.  One of
 * them has hit in the monitor, for example at a port access for the guest.  The monitor
 * ignores it.
 */
host_exception_1:
	btsl	$16, 16(%rsp)		/* RF: no second hit at the same instruction */
	iretq

/* Any other exception is a bug: report its address. */
	.macro	EXCEPTION nr, has_error
host_exception_\nr:
	.if	!\has_error
	push	$0
	.endif
	push	$\nr
	jmp	host_exception
	.endm
	.irp	nr, 0, 2, 3, 4, 5, 6, 7, 9, 15, 16, 18, 19
	EXCEPTION \nr, 0
	.endr
	.irp	nr, 8, 10, 11, 12, 13, 14, 17
	EXCEPTION \nr, 1
	.endr
host_exception:
	mov	%rsp, %rdi
	and	$-16, %rsp
	call	host_dies

	.section .rodata
	.balign	8
	.globl	host_exceptions
host_exceptions:
	.irp	nr, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19
	.quad	host_exception_\nr
	.endr

	.section .note.GNU-stack, "", @progbits
