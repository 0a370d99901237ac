/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Start of day under Xen PV: the notes that Xen's domain builder reads
 * (xen/include/public/elfnote.h) and the entry point.
 *
 * The builder maps the image at VIRT_BASE + guest-physical address, zeroes
 * bss, and enters with start_info in rsi, events masked, on flat segments.
 */
#include <pvops_port.h>

#include <xen/elfnote.h>
#include <xen/features.h>
#include <xen/xen.h>


.macro NOTE type, desc:vararg
	.balign	4
	.long	4, 778f - 777f, \type
	.asciz	"Xen"
777:	\desc
778:	.balign	4
.endm

	.section .note.Xen, "a", @note
	NOTE	XEN_ELFNOTE_GUEST_OS, .asciz "pvops-guest"
	NOTE	XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
	NOTE	XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	NOTE	XEN_ELFNOTE_VIRT_BASE, .quad KERNEL_BASE
	NOTE	XEN_ELFNOTE_PADDR_OFFSET, .quad 0
	NOTE	XEN_ELFNOTE_ENTRY, .quad xen_pv_start
	NOTE	XEN_ELFNOTE_FEATURES, .asciz "!writable_page_tables|pae_pgdir_above_4gb"
	NOTE	XEN_ELFNOTE_SUPPORTED_FEATURES, .long 1 << XENFEAT_pae_pgdir_above_4gb | 1 << XENFEAT_dom0
	NOTE	XEN_ELFNOTE_PAE_MODE, .asciz "yes"
	NOTE	XEN_ELFNOTE_LOADER, .asciz "generic"
	NOTE	XEN_ELFNOTE_L1_MFN_VALID, .quad 1, 1
	NOTE	XEN_ELFNOTE_SUSPEND_CANCEL, .long 0
	NOTE	XEN_ELFNOTE_HV_START_LOW, .quad 0xffff800000000000

	.text
	.globl	xen_pv_start
	.type	xen_pv_start, @function
xen_pv_start:
	cld
	lea	boot_stack_top(%rip), %rsp
	mov	%rsi, %rbx

	/* The boot CPU's per-CPU area, which contains its own address. */
	mov	$SEGBASE_GS_KERNEL, %edi
	mov	$percpu_boot, %rsi
	mov	$__HYPERVISOR_set_segment_base, %eax
	syscall
	movq	$percpu_boot, %gs:percpu_self

	mov	%rbx, %rdi
	xor	%ebp, %ebp
	call	guest_start_xen
	ud2
	.size	xen_pv_start, . - xen_pv_start

	.section .note.GNU-stack, "", @progbits
