/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Boot by PVH (QEMU -kernel): 32-bit protected mode, paging off, EBX has the physical
 * address of struct hvm_start_info (xen/include/public/arch-x86/hvm/start_info.h).
 * Boot by Multiboot (tools/multiboot.py): the same, but EBX has the address of its
 * information.  The Xen PV entry is in head_xen.S.
 */
#include <pvops/site.h>
#include <xen/elfnote.h>

#define PHYS(x)	((x) - KERNEL_BASE)

/* For guest.lds, which reserves the areas. */
	.globl	percpu_areas
	percpu_areas = PV_MAX_CPUS

	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	PHYS(pvh_start)

	.text
	.code32
	.globl	multiboot_start
multiboot_start:
	mov	$1, %ebp
	jmp	.Lbare_start
	.globl	pvh_start
pvh_start:
	xor	%ebp, %ebp
.Lbare_start:
	cld
	cli
	mov	$PHYS(boot_stack_top), %esp
	mov	%cr4, %eax
	or	$0x2a0, %eax			/* PAE, PGE, OSFXSR */
	mov	%eax, %cr4
	mov	$PHYS(boot_l4), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER: LME, NXE, SCE */
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80010003, %eax		/* PG, WP, MP, PE */
	mov	%eax, %cr0
	lgdtl	PHYS(boot_gdtr)
	ljmp	$PV_KERNEL_CS, $PHYS(1f)

	.code64
1:	movabs	$2f, %rax
	PV_JMP(rax)
2:	movabs	$boot_stack_top, %rsp
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	/* The identity mapping is not needed any more; exceptions load CS from the GDT. */
	lgdt	boot_gdtr_high(%rip)
	mov	%rax, boot_l4(%rip)
	mov	%cr3, %rax
	mov	%rax, %cr3
	/* The per-CPU area of CPU 0, which contains its own address. */
	movq	$percpu_boot, %rax
	mov	%rax, (%rax)
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$0xc0000101, %ecx
	wrmsr
	mov	%ebx, %edi
	push	$0
	test	%ebp, %ebp
	jne	4f
	call	guest_start_pvh
3:	hlt
	jmp	3b
4:	call	guest_start_multiboot
	jmp	3b

	.section .data.boot, "aw", @progbits
	.balign	8
boot_gdt:				/* PV_KERNEL_CS as in the real one */
	.quad	0
	.quad	0
	.quad	0x00af9b000000ffff
boot_gdtr:
	.word	23
	.long	PHYS(boot_gdt)
boot_gdtr_high:
	.word	23
	.quad	boot_gdt

	/* 16 MiB in 4 KiB pages, at KERNEL_BASE, and at 0 until long mode is on. */
	.balign	4096
	.globl	boot_l4
boot_l4:
	.quad	PHYS(boot_l3_low) + 0x63
	.fill	510, 8, 0
	.quad	PHYS(boot_l3) + 0x63
boot_l3_low:
	.quad	PHYS(boot_l2) + 0x63
	.fill	511, 8, 0
boot_l3:
	.fill	510, 8, 0
	.quad	PHYS(boot_l2) + 0x63
	.quad	0
boot_l2:
	.set	i, 0
	.rept	8
	.quad	PHYS(boot_l1) + (i * 4096) + 0x63
	.set	i, i + 1
	.endr
	.fill	504, 8, 0
	.globl	boot_l1
boot_l1:
	.set	i, 0
	.rept	8 * 512
	.quad	(i * 4096) + 0x63
	.set	i, i + 1
	.endr

	.bss
	.balign	4096
boot_stack:
	.skip	16384
	.globl	boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
