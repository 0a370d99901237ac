/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From multiboot (32-bit, paging off, EBX: information) to C in long mode.  Other CPUs
 * come from their start-up IPI by the same path.  Memory below 4 GiB is identity-mapped
 * in 2 MiB pages.
 */
#define MAGIC	0x1badb002
#define FLAGS	0x3			/* modules on page boundaries, memory */
#define CS32	0x08
#define CS64	0x10
#define DS	0x18

	.section .multiboot, "a"
	.balign	4
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.code32
	.globl	start
start:
	cld
	cli
	mov	$boot_stack_top, %esp
	mov	%ebx, %esi
	call	tables
	mov	$main, %edi
	jmp	long_mode

/* Six pages: root, one L3, four L2 of 512 pages of 2 MiB. */
tables:
	movl	$l3 + 3, l4
	mov	$4, %ecx
	mov	$l3, %edi
	mov	$l2 + 3, %eax
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$4096, %eax
	loop	1b
	mov	$2048, %ecx
	mov	$l2, %edi
	mov	$0x83, %eax
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	loop	2b
	/* The local APIC is not cached. */
	orl	$0x18, l2 + (0xfee00000 >> 21) * 8
	ret

/* ESI: argument, EDI: function to call, ESP: stack. */
long_mode:
	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$l4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x1900, %eax		/* SVME, NXE, LME */
	wrmsr
	mov	%cr0, %eax
	and	$~0x60000000, %eax	/* CD, NW */
	or	$0x80010003, %eax
	mov	%eax, %cr0
	lgdt	gdtr
	ljmp	$CS64, $1f
	.code64
1:	mov	$DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%edi, %eax
	mov	%esi, %edi
	xor	%ebp, %ebp
	call	*%rax
	ud2

/* Copied to START_PAGE: real mode, CS = page / 16. */
	.globl	start_code, start_code_end
start_code:
	.code16
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	2f - start_code
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$CS32, $1f
2:	.word	gdt_end - gdt - 1
	.long	gdt
start_code_end:

	.code32
1:	mov	$DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	/* Each CPU takes a number, which also chooses its stack. */
	mov	$1, %esi
	lock xadd %esi, cpus_arrived
	mov	%esi, %eax
	shl	$14, %eax
	lea	cpu_stacks(%eax), %esp
	mov	$cpu_main, %edi
	jmp	long_mode

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
gdt_end:
gdtr:	.word	gdt_end - gdt - 1
	.quad	gdt
	.globl	cpus_arrived
cpus_arrived:
	.long	1

	.bss
	.balign	4096
l4:	.skip	4096
l3:	.skip	4096
l2:	.skip	4 * 4096
	.skip	16384
boot_stack_top:
/* The stack of CPU n ends at cpu_stacks + n * 16384. */
cpu_stacks:
	.skip	4 * 16384

	.section .note.GNU-stack, "", @progbits
