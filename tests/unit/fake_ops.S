/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Functions of the fake backends and asm sites.
 *
 * ASM convention: counts and answers in rax, everything else survives.
 * C convention: calls the body in fake_backend.c, then poisons every register
 * that the convention gives away, so that a wrapper which forgets one fails.
 */
#include <pvops/site.h>

#define INDEX(backend, name)	8 * (PV_OP_COUNT * backend + PV_OP_##name)

#define ASM_ANSWER0(backend, name)					\
	movq	fake_result + INDEX(backend, name)(%rip), %rax;
#define ASM_ANSWER1(backend, name)					\
	movq	%rdi, %rax;						\
	xorq	fake_result + INDEX(backend, name)(%rip), %rax;

#define DEFINE_ASM(prefix, backend, name, n)				\
	.globl	prefix##name;						\
	.type	prefix##name, @function;				\
prefix##name:								\
	incq	fake_calls + INDEX(backend, name)(%rip);		\
	ASM_ANSWER##n(backend, name)					\
	ret;

#define DEFINE_C(prefix, backend, name, n)				\
	.globl	prefix##name;						\
	.type	prefix##name, @function;				\
prefix##name:								\
	pushq	%rbp;							\
	movq	%rsp, %rbp;						\
	andq	$-16, %rsp;						\
	call	prefix##body_##name;					\
	leave;								\
	jmp	poison;

	.text
poison:
	movabsq	$0xdeadbeefdeadbeef, %rcx
	movq	%rcx, %rdx
	movq	%rcx, %rsi
	movq	%rcx, %rdi
	movq	%rcx, %r8
	movq	%rcx, %r9
	movq	%rcx, %r10
	movq	%rcx, %r11
	addq	%r11, %rcx		/* flags too */
	ret

#define PV_OP(table, name, site, conv, ret, n, args, test)		\
	DEFINE_##conv(fake_native_, 0, name, n)
#include <pvops/catalogue.h>
#define PV_OP(table, name, site, conv, ret, n, args, test)		\
	DEFINE_##conv(fake_fake_, 1, name, n)
#include <pvops/catalogue.h>

/* The irq ops that batches need have a meaning: they move fake_flags. */
	.globl	host_save_fl, host_restore_fl, host_irq_disable, host_irq_enable
host_save_fl:
	movq	fake_flags, %rax
	ret
host_restore_fl:
	movq	%rdi, fake_flags
	ret
host_irq_disable:
	andb	$0xfd, fake_flags + 1
	ret
host_irq_enable:
	orb	$0x02, fake_flags + 1
	ret

/* Uses of the ops that only assembly has, and of one that C has too. */
	.globl	use_asm_swapgs, use_asm_adjust, use_asm_iret, use_asm_read_cr0
use_asm_swapgs:
	movq	%rdi, %rax
	PV_CALL_OP swapgs
	ret
use_asm_adjust:
	PV_CALL_OP adjust_exception_frame
	ret
use_asm_iret:
	PV_JUMP_OP iret
	ud2
use_asm_read_cr0:
	PV_CALL_OP read_cr0
	ret

	.section .note.GNU-stack, "", @progbits
