/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Call-site wrappers
 *
 * This header generates pv_<op>() for every op of the catalogue that C may use.  Kernel
 * code includes it to do privileged work.  The contract of each op is in ops/<table>.h.
 *
 * A wrapper is one asm statement (CALL6, CALL9) or the native code behind a branch site
 * (BRANCH).  It declares exactly the clobbers of the op's convention.  Every wrapper is
 * a compiler barrier, except the pure conversions (pte_val and the like) on native,
 * which cost nothing.
 *
 * Example:
 *
 *	pv_flags_t flags = pv_save_fl();
 *
 *	pv_irq_disable();
 *	pv_set_pte(ptep, pv_make_pte(pv_pte_val(*ptep) & ~PV_PTE_RW));
 *	pv_flush_tlb_one(va);
 *	pv_restore_fl(flags);
 *
 * Natively and after patching, this is pushf, pop, cli, mov, and, mov, invlpg,
 * push, popf, and a NOP at each of the seven sites that has bytes to spare.
 *
 * Context: that of the op's contract.  No wrapper may be used before pv_init().
 * Wrappers are functions, which evaluate their arguments first, so they may be used in
 * each other's arguments.
 */
#ifndef PVOPS_CALL_H
#define PVOPS_CALL_H

#include "native.h"
#include "site.h"

/*
 * The two conventions of the catalogue, as asm operands.
 *
 * C: the call may change all that a C function may, so an implementation can be a C
 * function.  rdi, rsi, rdx and rcx carry the arguments and may change.  They are in-out
 * operands (arguments) or outputs (unused), because an asm statement cannot name an
 * operand's register among its clobbers.  The other caller-saved registers and all
 * memory are clobbers.
 *
 * ASM: arguments are inputs and survive; an implementation may change no register but
 * rax, which holds the result.  So a hot op in the middle of a function costs its
 * caller no spills.
 *
 * Each PV_<what>_<convention><nargs> takes the catalogue's argument list
 * (type, name, type, name, ...).
 */
#define PV_CLOBBER_C	"r8", "r9", "r10", "r11", "memory", "cc"
#define PV_CLOBBER_ASM	"memory", "cc"

/* Locals for the registers. */
#define PV_REGS_C	unsigned long rax_, rdi_, rsi_, rdx_, rcx_
#define PV_OUT_C0	"=a" (rax_), "=D" (rdi_), "=S" (rsi_), "=d" (rdx_), "=c" (rcx_)
#define PV_OUT_C1	"=a" (rax_), "+D" (rdi_), "=S" (rsi_), "=d" (rdx_), "=c" (rcx_)
#define PV_OUT_C2	"=a" (rax_), "+D" (rdi_), "+S" (rsi_), "=d" (rdx_), "=c" (rcx_)
#define PV_OUT_C3	"=a" (rax_), "+D" (rdi_), "+S" (rsi_), "+d" (rdx_), "=c" (rcx_)
#define PV_OUT_C4	"=a" (rax_), "+D" (rdi_), "+S" (rsi_), "+d" (rdx_), "+c" (rcx_)
/* Loads the arguments into the locals; the casts accept pointers and bitwise types. */
#define PV_LOAD_C0()
#define PV_LOAD_C1(t1, a1)				\
	rdi_ = (__force unsigned long)(a1)
#define PV_LOAD_C2(t1, a1, t2, a2)			\
	PV_LOAD_C1(t1, a1); rsi_ = (__force unsigned long)(a2)
#define PV_LOAD_C3(t1, a1, t2, a2, t3, a3)		\
	PV_LOAD_C2(t1, a1, t2, a2); rdx_ = (__force unsigned long)(a3)
#define PV_LOAD_C4(t1, a1, t2, a2, t3, a3, t4, a4)	\
	PV_LOAD_C3(t1, a1, t2, a2, t3, a3); rcx_ = (__force unsigned long)(a4)
/* The C convention has no pure inputs. */
#define PV_IN_C0()
#define PV_IN_C1(...)
#define PV_IN_C2(...)
#define PV_IN_C3(...)
#define PV_IN_C4(...)

/* In the ASM convention, arguments are pure inputs. */
#define PV_REGS_ASM	unsigned long rax_
#define PV_OUT_ASM0	"=a" (rax_)
#define PV_OUT_ASM1	"=a" (rax_)
#define PV_LOAD_ASM0()
#define PV_LOAD_ASM1(t1, a1)
#define PV_IN_ASM0()
#define PV_IN_ASM1(t1, a1)	, "D" ((__force unsigned long)(a1))

/*
 * PV_DEFINE_CALL - define a function that is one asm statement
 * @fname: its name
 * @opname: the op, for the site's record
 * @text: site text of site.h; "" makes an empty function with the same operands,
 *	whose cost a benchmark subtracts
 * @conv, @ret, @n, @args: from the catalogue line
 *
 * The result is the low part of rax, as wide as @ret.  An op that answers yes or no has
 * type u8, because a C function defines only al for it.
 *
 * "__inline" keeps the compiler from estimating the size by the lines of text.
 */
#define PV_DEFINE_CALL(fname, opname, text, conv, ret, n, args)		\
static __always_inline ret fname PV_PROTO##n args			\
{									\
	PV_REGS_##conv;							\
									\
	PV_LOAD_##conv##n args;						\
	asm __inline volatile(text				\
		     : PV_OUT_##conv##n, "+r" (PV_STACK_POINTER)		\
		     : [op] "i" (PV_OP_##opname) PV_IN_##conv##n args	\
		     : PV_CLOBBER_##conv);				\
	return (__force ret)rax_;					\
}

/*
 * PV_WRAP_<site> - the wrapper for each site class of the catalogue.
 *
 * Every op has a guard of two functions: pv_replaced_<op>(), a branch site that
 * returns false if native is chosen, and pv_outline_<op>(), the call on its far
 * side.  pv_<op>() of a BRANCH op consists of them.  A kernel uses them for two purposes.
 * It guards larger expressions: one site around a whole computation costs one NOP on
 * native, one site per op costs one NOP per op.  And it guards native code of its own,
 * which does more than the bare instruction.
 */
#define PV_WRAP_CALL6(name, conv, ret, n, args)				\
PV_DEFINE_CALL(pv_##name, name, PV_TEXT_OF_CALL6, conv, ret, n, args)	\
PV_DEFINE_GUARD(name, conv, ret, n, args)
#define PV_WRAP_CALL9(name, conv, ret, n, args)				\
PV_DEFINE_CALL(pv_##name, name, PV_TEXT_OF_CALL9, conv, ret, n, args)	\
PV_DEFINE_GUARD(name, conv, ret, n, args)
#define PV_DEFINE_GUARD(name, conv, ret, n, args)			\
PV_DEFINE_CALL(pv_outline_##name, name, PV_TEXT_OF_BRANCH, conv, ret, n, args) \
static __always_inline bool pv_replaced_##name(void)			\
{									\
	asm __inline goto(PV_BRANCH_TEXT				\
		 : : [op] "i" (PV_OP_##name) : : outline);		\
	return false;							\
outline:								\
	return true;							\
}
#define PV_WRAP_BRANCH(name, conv, ret, n, args)			\
PV_DEFINE_GUARD(name, conv, ret, n, args)				\
static __always_inline ret pv_##name PV_PROTO##n args			\
{									\
	if (__builtin_expect(pv_replaced_##name(), 0))			\
		return pv_outline_##name PV_NAMES##n args;		\
	return pv_native_##name PV_NAMES##n args;				\
}
/* Assembly uses PV_CALL_OP and PV_JUMP_OP of site.h; C has no wrapper. */
#define PV_WRAP_ASM6(name, conv, ret, n, args)
#define PV_WRAP_JUMP6(name, conv, ret, n, args)

/* Wrappers of ops without a result return an expression of type void, which ISO C forbids. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#define PV_OP(table, name, site, conv, ret, n, args, test)		\
	PV_WRAP_##site(name, conv, ret, n, args)
#include "catalogue.h"
#pragma GCC diagnostic pop

#endif
