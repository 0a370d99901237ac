/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A VM64 option ROM without a hypervisor: each call is carried out by the bare
 * instruction at CPL 0, and counted.  backends/vmi/ABI.md is the interface.
 *
 * FAULT selects what is wrong with the image, 0 for nothing; build.mk has the
 * names.  Addresses are relative to the image; finish.py fills in lengths and
 * the checksum.
 */

#define FAULT_TRUNCATED		1
#define FAULT_CHECKSUM		2
#define FAULT_OFFSET		3
#define FAULT_ENTRY		4
#define FAULT_TYPE		5
#define FAULT_API2		6
#define FAULT_API4		7
#define FAULT_INIT		8
#define FAULT_GARBAGE		9
#define FAULT_SLOT		10
#define FAULT_LICENCE		11
#define FAULT_CALLS		12
#define FAULT_SELFWRITE		13
#define FAULT_SELFINIT		14
#define FAULT_UNDEFINED		15

#if FAULT == FAULT_API2
#define API_MAJOR	2
#elif FAULT == FAULT_API4
#define API_MAJOR	4
#else
#define API_MAJOR	64
#endif

/* Layout of the copy, as in rom.lds; the counters come first in the data. */
#define DATA_OFFS	0x2000
#define MEMORY_BYTES	0x20000

/* RELOCATABLE, RING0, ENDBR, DIRECT_PT, NATIVE_IF */
#define FLAGS		0x1f

	.text
	.globl	image
image:
	.byte	0x55, 0xaa
	.byte	0				/* length: finish.py */
	.code16
	/* Four bytes for the BIOS; what a fault needs at POST is further down. */
	jmp	post
	nop
	.org	image + 0x07
	.code64
	.byte	0
	.ascii	"cVmi"
	.byte	0, API_MAJOR
	.byte	2				/* slots */
	.byte	0
	.long	0
	.word	0
	.word	licence - image
#if FAULT == FAULT_OFFSET
	.word	0xfff0
#else
	.word	pci - image
#endif
	.word	pnp - image
	.long	0
	.ascii	"VM64"
	.word	0x40, FLAGS
	.quad	0, 0				/* hole */
	.long	DATA_OFFS, MEMORY_BYTES
	.long	0				/* no vCPU pages */
	.long	DATA_OFFS			/* counters */
	.org	image + 0x80
#if FAULT == FAULT_SLOT
	.fill	8, 1, 0x90
#else
	endbr64
	jmp	1f
#endif
	.org	image + 0x88
	endbr64
	jmp	2f
	.org	image + 0x90
1:	jmp	init
2:	jmp	get_reloc

pci:	.ascii	"PCIR"
	.word	0x15ad, 0x0801
	.word	0, 24
	.byte	0
	.byte	0, 0x80, 5			/* memory controller, other */
	.globl	pci_chunks
pci_chunks:
	.word	0				/* finish.py */
	.byte	0, 1				/* version 1.0 */
	.byte	0, 0x80
	.word	0
pnp:	.ascii	"$PnP"
	.byte	1, 2
	.word	0, 0
	.long	0
	.word	maker - image, product - image
	.fill	14, 1, 0
maker:	.asciz	"pvops"
product:
	.asciz	"counting ROM"
licence:
#if FAULT == FAULT_LICENCE
	.asciz	"Proprietary"
#else
	.asciz	"Dual MIT/GPL"
#endif

/*
 * BIOSes take only images that are whole, but let them change themselves:
 * what a BIOS would refuse is broken here, in 16-bit code, CS: the image.
 */
	.code16
post:
#if FAULT == FAULT_CHECKSUM
	incb	%cs:maker - image
#elif FAULT == FAULT_TRUNCATED
	/* A block more than there is; another byte keeps the sum. */
	incb	%cs:2
	decb	%cs:7
#endif
	lret
	.code64

	.text
/* rax: entry, rdx: type; the table has both, 8 bytes a call. */
get_reloc:
	endbr64
#if FAULT == FAULT_GARBAGE
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	lea	0x5555(%rax, %rdi), %rdx
	ret
#endif
#if FAULT == FAULT_SELFWRITE
	/* Itself: not to be asked again. */
	movb	$0xc3, get_reloc(%rip)
#elif FAULT == FAULT_UNDEFINED
	ud2
#endif
	cmp	$74, %edi
	jae	1f
	mov	%edi, %edi
	lea	relocations(%rip), %rdx
	lea	(%rdx, %rdi, 8), %rdx
	movslq	(%rdx), %rax
	lea	image(%rip), %rcx
	add	%rcx, %rax
	movzbl	4(%rdx), %edx
	ret
1:	xor	%eax, %eax
	xor	%edx, %edx
	ret

init:
	endbr64
#if FAULT == FAULT_INIT
	mov	$-1, %eax
	ret
#elif FAULT == FAULT_SELFINIT
	/* With what a caller keeps changed, and no stack. */
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	std
	sub	$64, %rsp
	movb	$0xc3, entry_30(%rip)
	ud2
#else
	jmp	rom_init
#endif

#define NONE	0
#define CALL	1
#define JUMP	2
#define NOP	3

/* In order of numbers; those left out are NONE, 0. */
.macro RELOC nr, type, entry=image
	.org	relocations + 8 * \nr
	.long	\entry - image
	.byte	\type, 0, 0, 0
.endm

	/* One section, so that differences are numbers. */
	.text	1
	.balign	8
relocations:
	.text

/* Begin an entry: count it; flags may change in every class. */
.macro ENTRY nr, type=CALL
	.balign	16
entry_\nr:
	endbr64
	lock incq counters + 8 * \nr(%rip)
	.pushsection .text, 1
#if FAULT == FAULT_ENTRY
	.if	\nr == 30
	RELOC	\nr, \type, image + 0x40000000
	.else
	RELOC	\nr, \type, entry_\nr
	.endif
#elif FAULT == FAULT_TYPE
	.if	\nr == 30
	RELOC	\nr, 4, entry_\nr
	.else
	RELOC	\nr, \type, entry_\nr
	.endif
#elif FAULT == FAULT_CALLS
	.if	\nr == 33
	RELOC	\nr, NONE
	.else
	RELOC	\nr, \type, entry_\nr
	.endif
#else
	RELOC	\nr, \type, entry_\nr
#endif
	.popsection
.endm

.macro NOTHING nr
	.pushsection .text, 1
	RELOC	\nr, NOP
	.popsection
.endm

/* An entry whose work is a C function. */
.macro IN_C nr, function
	ENTRY	\nr
	jmp	\function
.endm

	ENTRY 0
	cpuid
	ret
	ENTRY 1
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
	wrmsr
	ret
	ENTRY 2
	mov	%edi, %ecx
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	ret
	ENTRY 3
	lgdt	(%rdi)
	ret
	ENTRY 4
	lldt	%di
	ret
	ENTRY 5
	lidt	(%rdi)
	ret
	ENTRY 6
	ltr	%di
	ret
	ENTRY 7
	sgdt	(%rdi)
	ret
	ENTRY 8
	sldt	%eax
	ret
	ENTRY 9
	sidt	(%rdi)
	ret
	ENTRY 10
	str	%eax
	ret
	ENTRY 11
	mov	%rdx, (%rdi, %rsi, 8)
	cmp	$16, %r8
	jne	1f
	mov	%rcx, 8(%rdi, %rsi, 8)
1:	ret
	ENTRY 12
	mov	%rdx, (%rdi, %rsi, 8)
	ret
	ENTRY 13
	shl	$4, %rsi
	mov	%rdx, (%rdi, %rsi)
	mov	%rcx, 8(%rdi, %rsi)
	ret
	ENTRY 14
	mov	%rsi, 4(%rdi)
	ret
	ENTRY 15
	mov	%rdi, %cr0
	ret
	ENTRY 16
	mov	%rdi, %cr2
	ret
	ENTRY 17
	mov	%rdi, %cr3
	ret
	ENTRY 18
	mov	%rdi, %cr4
	ret
	ENTRY 19
	mov	%cr0, %rax
	ret
	ENTRY 20
	mov	%cr2, %rax
	ret
	ENTRY 21
	mov	%cr3, %rax
	ret
	ENTRY 22
	mov	%cr4, %rax
	ret
	ENTRY 23
	wbinvd
	ret
	IN_C	24, rom_set_dr
	IN_C	25, rom_get_dr
	ENTRY 26
	mov	%edi, %ecx
	rdpmc
	shl	$32, %rdx
	or	%rdx, %rax
	ret
	ENTRY 27
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	ret
	ENTRY 28
	clts
	ret
	/* A pending interrupt is delivered at most two instructions after STI. */
	ENTRY 29
	sti
	nop
	ret
	ENTRY 30
	cli
	ret
	ENTRY 31
	pushfq
	pop	%rax
	and	$0x200, %eax
	ret
	ENTRY 32
	test	$0x200, %edi
	jz	1f
	sti
	nop
	ret
1:	cli
	ret
	ENTRY 33, JUMP
	iretq
	ENTRY 35
	test	$1, %edi
	jnz	1f
	sti
1:	hlt
	ret
	IN_C	36, rom_reboot
	IN_C	37, rom_shutdown
	IN_C	39, rom_set_pxe
	IN_C	41, rom_update_pxe
	IN_C	44, rom_allocate_page
	IN_C	45, rom_release_page
	ENTRY 46
	invlpg	(%rdi)
	ret
	/* Global entries go when CR4.PGE changes. */
	ENTRY 47
	test	$2, %edi
	jz	1f
	mov	%cr4, %rax
	test	$0x80, %al
	jz	1f
	mov	%rax, %rdx
	and	$~0x80, %rdx
	mov	%rdx, %cr4
	mov	%rax, %cr4
	ret
1:	mov	%cr3, %rax
	mov	%rax, %cr3
	ret
	IN_C	48, rom_set_linear_mapping
	NOTHING	61
	IN_C	62, rom_set_initial_ap_state
	ENTRY 63
	mov	%esi, (%rdi)
	ret
	ENTRY 64
	mov	(%rdi), %eax
	ret
	NOTHING	65
	IN_C	66, rom_get_cycle_frequency
	IN_C	67, rom_get_cycle_counter
	IN_C	68, rom_set_alarm
	IN_C	69, rom_cancel_alarm
	IN_C	70, rom_get_wallclock_time
	ENTRY 71
	xor	%eax, %eax
	ret
	IN_C	73, rom_set_lazy_mode

	.pushsection .text, 1
	.org	relocations + 8 * 74
	.popsection

/*
 * From a start-up IPI to the state of call 62.  Copied to the guest's page
 * below 1 MiB; CS is its address / 16, all is addressed from its start.
 */
	.section .rodata
	.balign	16
	.globl	trampoline, trampoline_end, trampoline_long, trampoline_gdt, trampoline_block
	.code16
trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	block_gdtr - trampoline
	movl	block_cr4 - trampoline, %eax
	movl	%eax, %cr4
	movl	trampoline_block - trampoline, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	movl	block_efer - trampoline, %eax
	xorl	%edx, %edx
	wrmsr
	movl	block_cr0 - trampoline, %eax
	movl	%eax, %cr0
	ljmpl	*(block_far - trampoline)
	.code64
trampoline_long:
	jmp	*block_entry(%rip)
	.balign	8
trampoline_gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	/* struct start_block in rom.c */
	.balign	8
trampoline_block:
	.long	0
block_efer:
	.long	0
block_cr4:
	.long	0
block_cr0:
	.long	0
block_far:
	.long	0
	.word	0
block_gdtr:
	.word	0
	.long	0
	.balign	8
block_entry:
	.quad	0
trampoline_end:

/* In the image's copy, on the start tables; offsets are ABI.md section 8's. */
	.text
	.globl	ap_entry
ap_entry:
	lea	ap_state(%rip), %rbx
	mov	0(%rbx), %rax
	mov	%rax, %cr0
	mov	16(%rbx), %rax
	mov	%rax, %cr3
	mov	24(%rbx), %rax
	mov	%rax, %cr4
	mov	8(%rbx), %rax
	mov	%rax, %cr2
	mov	32(%rbx), %rax
	mov	%rax, %cr8
	mov	$0xc0000080, %ecx
	mov	40(%rbx), %eax
	mov	44(%rbx), %edx
	wrmsr
	mov	96(%rbx), %rsp
	lgdt	ap_gdtr(%rip)
	lidt	ap_idtr(%rip)
	movzwl	236(%rbx), %eax
	push	%rax
	lea	1f(%rip), %rax
	push	%rax
	lretq
1:	mov	238(%rbx), %ss
	mov	240(%rbx), %ds
	mov	242(%rbx), %es
	mov	244(%rbx), %fs
	mov	246(%rbx), %gs
	mov	$0xc0000100, %ecx
	mov	192(%rbx), %eax
	mov	196(%rbx), %edx
	wrmsr
	inc	%ecx
	mov	200(%rbx), %eax
	mov	204(%rbx), %edx
	wrmsr
	inc	%ecx
	mov	208(%rbx), %eax
	mov	212(%rbx), %edx
	wrmsr
	push	48(%rbx)
	push	56(%rbx)
	popfq
	mov	64(%rbx), %rax
	mov	80(%rbx), %rcx
	mov	88(%rbx), %rdx
	mov	104(%rbx), %rbp
	mov	112(%rbx), %rsi
	mov	120(%rbx), %rdi
	mov	128(%rbx), %r8
	mov	136(%rbx), %r9
	mov	144(%rbx), %r10
	mov	152(%rbx), %r11
	mov	160(%rbx), %r12
	mov	168(%rbx), %r13
	mov	176(%rbx), %r14
	mov	184(%rbx), %r15
	mov	72(%rbx), %rbx
	ret

	.section .bss.counters, "aw", @nobits
	.balign	8
counters:
	.skip	74 * 8

	.section .note.GNU-stack, "", @progbits
