/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The VMI ROM of the monitor: backends/vmi/ABI.md.  Linked into the monitor,
 * which puts it at ROM_BASE; runs in the guest's copy, position independent.
 *
 * Calls that need the hypervisor are a VMMCALL with the call's number.  The
 * rest works on the shared page, which is another one on each virtual CPU.
 */
#include "rom.h"

/* rom_count.S includes this file for a second ROM, which counts calls. */
#ifdef ROM_COUNT
#define ROM		rom_counting
#define MEMORY		ROM_MEMORY_COUNTING
#define COUNTERS	ROM_COUNTERS
#define COUNT(nr)	lock incq (rom_start + ROM_COUNTERS + 8 * (nr))(%rip)
#else
#define ROM		rom_plain
#define MEMORY		ROM_MEMORY
#define COUNTERS	0
#define COUNT(nr)
#endif

#define VENDOR	0x15ad
#define DEVICE	0x0801

#define NONE	0
#define CALL	1
#define JUMP	2
#define NOP	3

#define SHARED(field)	(rom_start + ROM_SHARED + (field))(%rip)

	.section .rom, "ax"
	.balign	4096
rom_start:
	.byte	0x55, 0xaa
	.byte	ROM_SHARED / 512
	.byte	0xcb, 0, 0, 0, 0
	.ascii	"cVmi"
	.byte	0, 64, 2, 0
	.long	0
	.word	0
	.word	license - rom_start
	.word	pci - rom_start
	.word	pnp - rom_start
	.long	0
	.ascii	"VM64"
	.word	0x40
	.word	0x3			/* RELOCATABLE, RING0 */
	.quad	0, 0			/* no hole */
	.long	ROM_SHARED
	.long	MEMORY
	.long	ROM_SHARED		/* vcpu_offs */
	.long	COUNTERS
	.fill	24, 1, 0
	.fill	32, 1, 0
	.org	rom_start + 0x80
	.byte	0xeb, slot_init - (. + 1)
	.org	rom_start + 0x88
	.byte	0xeb, slot_reloc - (. + 1)
	.org	rom_start + 0x90

slot_init:
	mov	$CALL_INIT, %eax
	vmmcall
	ret

slot_reloc:
	xor	%eax, %eax
	xor	%edx, %edx
	cmp	$74, %edi
	jae	1f
	lea	relocations(%rip), %rcx
	mov	%edi, %edi
	movzwl	(%rcx,%rdi,4), %eax
	movzwl	2(%rcx,%rdi,4), %edx
	test	%eax, %eax
	jz	1f
	lea	rom_start(%rip), %rcx
	add	%rcx, %rax
1:	ret

	.balign	4
relocations:
	.macro	RELOC type, entry=rom_start
	.word	\entry - rom_start, \type
	.endm
	RELOC	CALL, cpuid_entry	/* 0 CPUID */
	RELOC	CALL, write_msr		/* WRMSR */
	RELOC	CALL, call_2		/* RDMSR */
	RELOC	CALL, call_3		/* SetGDT */
	RELOC	CALL, call_4		/* SetLDT */
	RELOC	CALL, call_5		/* SetIDT */
	RELOC	CALL, call_6		/* SetTR */
	RELOC	CALL, call_7		/* GetGDT */
	RELOC	CALL, call_8		/* GetLDT */
	RELOC	CALL, call_9		/* GetIDT */
	RELOC	CALL, call_10		/* GetTR */
	RELOC	CALL, write_gdt
	RELOC	CALL, write_ldt
	RELOC	CALL, write_gate	/* WriteIDTEntry */
	RELOC	CALL, kernel_stack	/* UpdateKernelStack */
	RELOC	CALL, call_15		/* SetCR0 */
	RELOC	CALL, set_cr2
	RELOC	CALL, set_cr3
	RELOC	CALL, call_18		/* SetCR4 */
	RELOC	CALL, get_cr0
	RELOC	CALL, get_cr2
	RELOC	CALL, get_cr3
	RELOC	CALL, get_cr4
	RELOC	CALL, call_23		/* WBINVD */
	RELOC	CALL, call_24		/* SetDR */
	RELOC	CALL, call_25		/* GetDR */
	RELOC	CALL, call_26		/* RDPMC */
	RELOC	CALL, read_tsc		/* RDTSC */
	RELOC	CALL, call_28		/* CLTS */
	RELOC	CALL, enable
	RELOC	CALL, disable
	RELOC	CALL, get_mask
	RELOC	CALL, set_mask
	RELOC	JUMP, iret
	RELOC	NONE			/* SYSEXIT */
	RELOC	CALL, call_35		/* Halt */
	RELOC	CALL, call_36		/* Reboot */
	RELOC	CALL, call_37		/* Shutdown */
	RELOC	NONE			/* SetPxE */
	RELOC	CALL, set_entry		/* SetPxELong */
	RELOC	NONE			/* UpdatePxE */
	RELOC	NOP			/* UpdatePxELong: nested tables need no word */
	RELOC	NONE			/* MachineToPhysical */
	RELOC	NONE			/* PhysicalToMachine */
	RELOC	CALL, call_44		/* AllocatePage */
	RELOC	CALL, call_45		/* ReleasePage */
	RELOC	CALL, call_46		/* InvalPage */
	RELOC	CALL, call_47		/* FlushTLB */
	RELOC	CALL, call_48		/* SetLinearMapping */
	.rept	12			/* IN ... OUTS */
	RELOC	NONE
	.endr
	RELOC	NOP			/* SetIOPLMask: IRET's frame says it */
	RELOC	CALL, call_62		/* SetInitialAPState */
	RELOC	CALL, call_63		/* APICWrite */
	RELOC	CALL, call_64		/* APICRead */
	RELOC	NOP			/* IODelay */
	RELOC	CALL, call_66		/* GetCycleFrequency */
	RELOC	CALL, cycles
	RELOC	CALL, call_68		/* SetAlarm */
	RELOC	CALL, call_69		/* CancelAlarm */
	RELOC	CALL, call_70		/* GetWallclockTime */
	RELOC	CALL, call_71		/* WallclockUpdated */
	RELOC	NONE			/* SetCallbacks */
	RELOC	CALL, lazy_mode
	.if	. - relocations - 74 * 4
	.error	"relocations"
	.endif

	.macro	TRAPS nrs:vararg
	.irp	nr, \nrs
call_\nr:
	COUNT(\nr)
trap_\nr:
	mov	$\nr, %eax
	vmmcall
	ret
	.endr
	.endm
	TRAPS	1,2,3,4,5,6,7,8,9,10,15,17,18,23,24,25,26
	TRAPS	28,35,36,37,44,45,46,47,48,62,63,64,66,68,69,70,71,73

cpuid_entry:
	COUNT(0)
	push	%r8
	mov	%eax, %r8d
	xor	%eax, %eax
	vmmcall
	pop	%r8
	ret

/* --- interrupts: changes RAX and flags only --- */

enable:
	COUNT(29)
	movl	$0x200, SHARED(SHARED_IF)
	cmpl	$0, SHARED(SHARED_PENDING)
	jne	pending
	ret
pending:
	mov	$CALL_PENDING, %eax
	vmmcall
	ret

disable:
	COUNT(30)
	movl	$0, SHARED(SHARED_IF)
	ret

get_mask:
	COUNT(31)
	mov	SHARED(SHARED_IF), %eax
	ret

set_mask:
	COUNT(32)
	mov	%edi, %eax
	and	$0x200, %eax
	mov	%eax, SHARED(SHARED_IF)
	jz	1f
	cmpl	$0, SHARED(SHARED_PENDING)
	jne	pending
1:	ret

/*
 * Between the two labels IF is 1 and nothing may be delivered: it would be on
 * top of a frame, and GS perhaps the user's.  The monitor waits for the IRETQ.  The frame
 * may lie on a stack that cannot be written (Linux's for 16-bit stack segments), so there
 * is no register free: the monitor knows this VMMCALL by its place.
 */
iret:
	COUNT(33)
	testl	$0x200, 16(%rsp)
	jz	rom_iret_out
	movl	$0x200, SHARED(SHARED_IF)
rom_iret_begin:
	cmpl	$0, SHARED(SHARED_PENDING)
	je	rom_iret_out
	vmmcall
rom_iret_out:
	iretq
rom_iret_end:

/* LSTAR points here: SYSCALL masks, and the monitor does not see it. */
rom_syscall:
	movl	$0, SHARED(SHARED_IF)
rom_syscall_end:
	jmp	*SHARED(SHARED_LSTAR)

/* --- CPU --- */

get_cr0:
	COUNT(19)
	mov	SHARED(SHARED_CR), %rax
	ret
get_cr2:
	COUNT(20)
	mov	SHARED(SHARED_CR + 8), %rax
	ret
set_cr2:
	COUNT(16)
	mov	%rdi, SHARED(SHARED_CR + 8)
	ret
get_cr3:
	COUNT(21)
	mov	SHARED(SHARED_CR + 16), %rax
	ret
/* In lazy CPU mode the trap is SetLazyMode's. */
set_cr3:
	COUNT(17)
	testl	$2, SHARED(SHARED_LAZY)
	jz	trap_17
	mov	%rdi, SHARED(SHARED_CR + 16)
	orl	$DEFERRED_CR3, SHARED(SHARED_DEFERRED)
	ret
write_msr:
	COUNT(1)
	cmp	$0xc0000100, %edi	/* FS_BASE */
	jne	trap_1
	testl	$2, SHARED(SHARED_LAZY)
	jz	trap_1
	mov	%rsi, SHARED(SHARED_FS)
	orl	$DEFERRED_FS, SHARED(SHARED_DEFERRED)
	ret
get_cr4:
	COUNT(22)
	mov	SHARED(SHARED_CR + 24), %rax
	ret

write_ldt:
	COUNT(12)
	mov	%rdx, (%rdi,%rsi,8)
	ret

write_gdt:
	COUNT(11)
	mov	%rdx, (%rdi,%rsi,8)
	cmp	$16, %r8d
	jne	1f
	mov	%rcx, 8(%rdi,%rsi,8)
1:	ret

/* The half with the present bit last, and not present meanwhile. */
write_gate:
	COUNT(13)
	shl	$4, %rsi
	add	%rsi, %rdi
	movb	$0, 5(%rdi)
	mov	%rcx, 8(%rdi)
	mov	%rdx, (%rdi)
	ret

kernel_stack:
	COUNT(14)
	mov	%rsi, 4(%rdi)
	ret

read_tsc:
	COUNT(27)
1:	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	ret

/* Real time is the TSC; no time is stolen. */
cycles:
	COUNT(67)
	cmp	$2, %edi
	jb	1b
	xor	%eax, %eax
	ret

/* --- page tables --- */

set_entry:
	COUNT(39)
	test	$0x20, %dl
	jz	1f
	testl	$1, SHARED(SHARED_LAZY)
	jz	1f
	mov	SHARED(SHARED_QUEUED), %eax
	cmp	$ROM_QUEUE_MAX, %eax
	jae	2f
	lea	1(%rax), %edx
	shl	$4, %eax
	lea	(rom_start + ROM_QUEUE)(%rip), %rcx
	mov	%rdi, (%rcx,%rax)
	mov	%rsi, 8(%rcx,%rax)
	mov	%edx, SHARED(SHARED_QUEUED)
	xor	%eax, %eax
	ret
1:	mov	$39, %eax
	vmmcall
	ret
2:	mov	$-16, %rax
	ret

lazy_mode:
	COUNT(73)
	mov	%edi, SHARED(SHARED_LAZY)
	xor	%eax, %eax
	xor	%edx, %edx
	test	$1, %edi
	jnz	1f
	cmpl	$0, SHARED(SHARED_QUEUED)
	jne	trap_73
1:	test	$2, %edi
	jnz	2f
	cmpl	$0, SHARED(SHARED_DEFERRED)
	jne	trap_73
2:	ret

	.balign	4
pci:
	.ascii	"PCIR"
	.word	VENDOR, DEVICE, 0, 24
	.byte	0, 0, 0, 5
	.word	ROM_SHARED / 512
	.byte	0, 1, 0, 0x80
	.word	0
pnp:
	.ascii	"$PnP"
	.byte	1, 2
	.word	0, 0
	.long	0
	.word	maker - rom_start, product - rom_start
license:
	.asciz	"Dual MIT/GPL"
maker:
	.asciz	"pvops"
product:
	.asciz	"vmi-monitor"
rom_checksum:
	.byte	0			/* the monitor fills it in */
	.org	rom_start + ROM_SHARED	/* an error if there is more */
rom_end:

/* struct rom in rom.h */
	.section .rodata
	.balign	8
	.globl	ROM
ROM:
	.quad	rom_start, rom_end, rom_checksum
	.long	MEMORY
	.long	rom_iret_begin - rom_start, rom_iret_out - rom_start
	.long	rom_iret_end - rom_start
	.long	rom_syscall - rom_start, rom_syscall_end - rom_start

	.section .note.GNU-stack, "", @progbits
