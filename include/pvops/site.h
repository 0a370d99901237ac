/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Sites
 *
 * A site is one use of an op in kernel text, with an 8-byte record in section
 * .pv_sites.  As compiled, every site works: it goes through the pointer
 * table pv_slots[].  pv_patch() rewrites it into the best code for the chosen
 * backend, and can do so again for another.
 *
 *	kind	as compiled		   may become
 *	CALL	call *slot(%rip), NOPs	   inline code, call, NOPs
 *	JUMP	jmp *slot(%rip), NOPs	   inline code, jmp
 *	BRANCH	jmp rel32; 2-byte NOP	   7-byte NOP that keeps the rel32
 *
 * A kernel with PV_PORT_RETPOLINE (port.h) must not execute bare indirect branches.
 * Then CALL and JUMP are compiled as a direct call or jump, with a CS prefix, to the
 * op's retpoline, which jumps to the slot's target.
 *
 * The NOP of a branch site is 0f 1f 80 disp32 (SDM vol. 2B, NOP r/m, mod 10).
 * It keeps the displacement of the jump that it replaces, so patching needs no
 * memory of its own and unpatching restores the text to the byte.
 *
 * A patched call ends where the indirect call ended (6 bytes in), so a return
 * address on a stack stays valid.  It does not if an inline form replaces the call.
 * Patch again only while no context is suspended inside an op.
 *
 * The kernel's linker script must KEEP .pv_sites in read-only data, 4-byte aligned,
 * between __pv_sites_start and __pv_sites_end.  Each module has its own section.
 */
#ifndef PVOPS_SITE_H
#define PVOPS_SITE_H

#include "types.h"

/*
 * Kinds: the record's last byte without PV_SITE_OUTLINE.  The core refuses a record with
 * any other kind: it names the site and leaves it alone.  So records of a newer layer do
 * no harm in an older one.
 */
#define PV_SITE_CALL		0
#define PV_SITE_JUMP		1
#define PV_SITE_BRANCH		2
/*
 * The site is the far side of a BRANCH site of the same op.  It is not reached while
 * that branch is a NOP.
 */
#define PV_SITE_OUTLINE		0x10

/** PV_SITE_MIN, PV_SITE_MAX - bounds of a site's length in bytes */
#define PV_SITE_MIN	6
#define PV_SITE_MAX	15
/** PV_BRANCH_LEN - length of every BRANCH site */
#define PV_BRANCH_LEN	7
/** PV_RETPOLINE_BYTES - distance from one op's retpoline to the next */
#define PV_RETPOLINE_BYTES	32

#ifdef __ASSEMBLY__

/*
 * Op ids as assembler symbols PV_OP_<name>, in catalogue order.
 */
.set PV_OP_COUNT, 0
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	.set PV_OP_##name, PV_OP_COUNT; .set PV_OP_COUNT, PV_OP_COUNT + 1;
#include "catalogue.h"

/* A site as compiled, six bytes. */
.macro PV_THROUGH_SLOT insn, op
#ifdef PV_PORT_RETPOLINE
	.byte	0x2e
	\insn	pv_retpolines + PV_RETPOLINE_BYTES * PV_OP_\op
#else
	\insn	*pv_slots + 8 * PV_OP_\op(%rip)
#endif
.endm

/**
 * PV_CALL_OP - asm site that calls an op
 * @op: name as in the catalogue
 *
 * For ASM6 ops; other ops can be called by the ABI of their convention.  Until it is
 * patched, the site needs 8 bytes of stack, or 24 with a retpoline.
 */
.macro PV_CALL_OP op
771:	PV_THROUGH_SLOT call, \op
	.pushsection .pv_sites, "a"
	.balign	4
	.long	771b - .
	.word	PV_OP_\op
	.byte	6, PV_SITE_CALL
	.popsection
.endm

/**
 * PV_JUMP_OP - asm site that jumps to an op, for JUMP6 ops
 * @op: name as in the catalogue
 */
.macro PV_JUMP_OP op
771:	PV_THROUGH_SLOT jmp, \op
	.pushsection .pv_sites, "a"
	.balign	4
	.long	771b - .
	.word	PV_OP_\op
	.byte	6, PV_SITE_JUMP
	.popsection
.endm

#else /* !__ASSEMBLY__ */

/**
 * struct pv_site - record of one site, 8 bytes, position-relative
 * @rel: address of the site minus address of this field
 * @op: id, enum pv_op
 * @len: bytes that belong to the site
 * @kind: PV_SITE_CALL, _JUMP or _BRANCH, and flags
 */
struct pv_site {
	s32 rel;
	u16 op;
	u8 len;
	u8 kind;
};

/**
 * enum pv_op - ids, generated from the catalogue
 */
enum pv_op {
#define PV_OP(table, name, site, conv, ret, n, args, test) PV_OP_##name,
#include "catalogue.h"
	PV_OP_COUNT
};

/** pv_site_addr() - address of the text that a record describes */
static __always_inline unsigned long pv_site_addr(const struct pv_site *site)
{
	return (unsigned long)&site->rel + (unsigned long)(long)site->rel;
}

/*
 * Argument lists of the catalogue, by arity: as a prototype, and as bare names for
 * a call.
 */
#define PV_PROTO0()					(void)
#define PV_PROTO1(t1, a1)				(t1 a1)
#define PV_PROTO2(t1, a1, t2, a2)			(t1 a1, t2 a2)
#define PV_PROTO3(t1, a1, t2, a2, t3, a3)		(t1 a1, t2 a2, t3 a3)
#define PV_PROTO4(t1, a1, t2, a2, t3, a3, t4, a4)	(t1 a1, t2 a2, t3 a3, t4 a4)
#define PV_NAMES0()					()
#define PV_NAMES1(t1, a1)				(a1)
#define PV_NAMES2(t1, a1, t2, a2)			(a1, a2)
#define PV_NAMES3(t1, a1, t2, a2, t3, a3)		(a1, a2, a3)
#define PV_NAMES4(t1, a1, t2, a2, t3, a3, t4, a4)	(a1, a2, a3, a4)

/**
 * struct pv_slots - the pointers that sites call through until they are patched
 *
 * One typed pointer per op in catalogue order, so an op's slot is at offset 8 * id.
 * The table is empty until pv_init() fills in the choice; no op may be used before.
 * Only the core writes to it.
 */
struct pv_slots {
#define PV_OP(table, name, site, conv, ret, n, args, test) ret (*name) PV_PROTO##n args;
#include "catalogue.h"
};

extern struct pv_slots pv_slots;

#ifdef PV_PORT_RETPOLINE
/* One retpoline for each op, in catalogue order; they change no register. */
extern const u8 pv_retpolines[PV_OP_COUNT][PV_RETPOLINE_BYTES];
#endif

/*
 * PV_RECORD - the record for the site at label 771, in an asm statement with
 * an operand [op] that is the op's id.  @len and @kind are literals, because
 * they become assembler text.  The forms with _OF take the operand's name, for
 * statements with sites of several ops.
 */
#define PV_RECORD(len, kind)	PV_RECORD_OF(op, len, kind)
#define PV_RECORD_OF(op, len, kind)					\
	".pushsection .pv_sites, \"a\"\n\t"				\
	".balign 4\n\t"							\
	".long 771b - .\n\t"						\
	".word %c[" #op "]\n\t"						\
	".byte " #len ", " #kind "\n\t"					\
	".popsection\n"

#ifdef PV_PORT_RETPOLINE
#define PV_THROUGH_SLOT(insn, op)					\
	"771: .byte 0x2e\n\t" insn " pv_retpolines + 32 * %c[" #op "]\n\t"
_Static_assert(PV_RETPOLINE_BYTES == 32, "PV_THROUGH_SLOT");
#else
#define PV_THROUGH_SLOT(insn, op) \
	"771: " insn " *pv_slots + 8 * %c[" #op "](%%rip)\n\t"
#endif

/*
 * PV_TEXT_CALL6, PV_TEXT_CALL9, PV_TEXT_JUMP6 - a call or jump through the table,
 * with its record.  The nine bytes are the call and a three-byte NOP.
 */
#define PV_TEXT_CALL6(kind)	PV_THROUGH_SLOT("call", op) PV_RECORD(6, kind)
#define PV_TEXT_CALL9(kind)	PV_TEXT_CALL9_OF(op, kind)
#define PV_TEXT_CALL9_OF(op, kind)					\
	PV_THROUGH_SLOT("call", op) ".byte 0x0f, 0x1f, 0x00\n\t" PV_RECORD_OF(op, 9, kind)
#define PV_TEXT_JUMP6		PV_THROUGH_SLOT("jmp", op) PV_RECORD(6, 1)

/* Site text for each site class of the catalogue (0x10: PV_SITE_OUTLINE). */
#define PV_TEXT_OF_CALL6	PV_TEXT_CALL6(0)
#define PV_TEXT_OF_CALL9	PV_TEXT_CALL9(0)
#define PV_TEXT_OF_BRANCH	PV_TEXT_CALL6(0x10)

/**
 * PV_BRANCH_TEXT - a branch site, for the asm goto of a wrapper
 *
 * Falls through if native is chosen, else jumps to %l[outline].
 */
#define PV_BRANCH_TEXT							\
	"771: .byte 0xe9\n\t.long %l[outline] - . - 4\n\t"		\
	".byte 0x66, 0x90\n\t" PV_RECORD(7, 2)

#endif /* __ASSEMBLY__ */
#endif
