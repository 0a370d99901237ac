/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The entries that include/pvops/port.h asks for, as stubs, and a start that a kernel
 * replaces by its own: that of a PVH guest, as which QEMU (-kernel), KVM and Xen boot an
 * image with this note.  32-bit protected mode, paging off, EBX: physical address of
 * struct hvm_start_info.
 */
#include <pvops/site.h>

#define PHYS(x)		((x) - KERNEL_BASE)
#define PHYS32_ENTRY	18		/* XEN_ELFNOTE_PHYS32_ENTRY */

	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, PHYS32_ENTRY
	.asciz	"Xen"
	.long	PHYS(_start)

	.text
	.code32
	.globl	_start
_start:
	cld
	cli
	mov	%cr4, %eax
	or	$0x20, %eax			/* PAE */
	mov	%eax, %cr4
	mov	$PHYS(boot_l4), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER: LME; without NXE bit 63 of entries is 0 */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax		/* PG, PE; without WP text can be written */
	mov	%eax, %cr0
	lgdtl	PHYS(boot_gdtr)
	ljmp	$PV_KERNEL_CS, $PHYS(1f)

	.code64
1:	movabs	$2f, %rax
	jmp	*%rax
2:	movq	$port_stack_top, %rsp
	lgdt	boot_gdtr_high
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	/* Per-CPU area of CPU 0: it knows its own address. */
	movq	$percpu_boot, %rdi
	movq	%rdi, (%rdi)
	movq	%rdi, %rax
	movq	%rdi, %rdx
	shr	$32, %rdx
	movl	$0xc0000101, %ecx		/* IA32_GS_BASE */
	wrmsr
	mov	%ebx, %esi
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

	/* The first GiB of memory, at KERNEL_BASE and, for the start, at 0. */
	.data
	.balign	4096
	.globl	boot_l4
boot_l4:
	.quad	PHYS(boot_l3) + 3
	.fill	510, 8, 0
	.quad	PHYS(boot_l3) + 3
boot_l3:
	.quad	PHYS(boot_l2) + 3
	.fill	509, 8, 0
	.quad	PHYS(boot_l2) + 3
	.quad	0
boot_l2:
	.set	i, 0
	.rept	512
	.quad	(i << 21) + 0x83
	.set	i, i + 1
	.endr
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* PV_KERNEL_CS */
	.quad	0x00cf93000000ffff		/* PV_KERNEL_DS */
boot_gdtr:
	.word	23
	.long	PHYS(boot_gdt)
boot_gdtr_high:
	.word	23
	.quad	boot_gdt

	.bss
	.balign	16
	.skip	16384
port_stack_top:

	.section .note.GNU-stack, "", @progbits
