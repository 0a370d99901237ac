/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From a start-up IPI to kernel text.  The code is copied to a page below 1 MiB.  CS holds
 * the page's address / 16, so addresses are relative to the start of the code.
 */
#include <pvops/site.h>

	.section .rodata
	.balign	16
	.globl	pvnative_trampoline, pvnative_trampoline_end, pvnative_trampoline_long
	.globl	pvnative_trampoline_gdt, pvnative_trampoline_block
	.code16
pvnative_trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	gdtr - pvnative_trampoline
	/* Only PAE and LA57; see start.c. */
	movl	block_cr4 - pvnative_trampoline, %eax
	movl	%eax, %cr4
	movl	pvnative_trampoline_block - pvnative_trampoline, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	movl	block_efer - pvnative_trampoline, %eax
	xorl	%edx, %edx
	wrmsr
	movl	block_cr0 - pvnative_trampoline, %eax
	movl	%eax, %cr0
	ljmpl	*(far_pointer - pvnative_trampoline)

	.code64
pvnative_trampoline_long:
	mov	block_state(%rip), %rbx
	mov	8(%rbx), %rsp
	/* A far return, which is not predicted: no retpoline is in reach of the copy. */
	push	$8
	push	block_entry(%rip)
	lretq

	.balign	8
pvnative_trampoline_gdt:
	.quad	0
	.quad	0x00af9b000000ffff

	/* struct start_block in start.c */
	.balign	8
pvnative_trampoline_block:
	.long	0			/* cr3 */
block_efer:
	.long	0
block_cr4:
	.long	0
block_cr0:
	.long	0
far_pointer:
	.long	0
	.word	0
gdtr:
	.word	0
	.long	0
	.balign	8
block_entry:
	.quad	0
block_state:
	.quad	0
pvnative_trampoline_end:

/* Kernel text, on the start tables, rbx: struct pv_cpu_state. */
	.text
	.globl	pvnative_cpu_entry
pvnative_cpu_entry:
	PV_ENDBR
	/* EFER with LMA, which is set now. */
	mov	$0xc0000080, %ecx
	mov	48(%rbx), %eax
	or	$0x400, %eax
	mov	52(%rbx), %edx
	wrmsr
	/* CR0.WP must be set before CR4.CET. */
	mov	24(%rbx), %rax
	mov	%rax, %cr0
	/* CR4.PCIDE can be set only with PCID 0 (SDM vol. 3A section 4.10.1). */
	mov	32(%rbx), %rax
	mov	%rax, %rdx
	and	$-0x1000, %rax
	mov	%rax, %cr3
	mov	40(%rbx), %rax
	mov	%rax, %cr4
	mov	%rdx, %cr3
	mov	8(%rbx), %rsp
	lgdt	64(%rbx)
	lidt	74(%rbx)
	push	$PV_KERNEL_CS
	lea	1f(%rip), %rax
	push	%rax
	lretq
1:	mov	$PV_KERNEL_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$0xc0000101, %ecx
	mov	56(%rbx), %eax
	mov	60(%rbx), %edx
	wrmsr
	mov	(%rbx), %rax
	mov	16(%rbx), %rdi
	movl	$1, pvnative_cpu_arrived(%rip)
	push	$0
	PV_JMP(rax)

	.bss
	.balign	4
	.globl	pvnative_cpu_arrived
pvnative_cpu_arrived:
	.long	0

	.section .note.GNU-stack, "", @progbits
