// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Data generated from the catalogue: names, groups, the pointer table. */
#include "internal.h"

struct pv_slots pv_slots PV_RO_AFTER_INIT;

#ifdef PV_PORT_RETPOLINE
/*
 * Jumps to the slots' targets, for sites as compiled.  Speculation stays in the loop.
 * No register holds the target, because some ops preserve all registers.
 */
#define RETPOLINE(op)						\
	".balign 32\n"						\
	"pv_retpoline_" #op ":\n\t"				\
	PV_ASM_NOENDBR						\
	"call 2f\n"						\
	"1:\tpause\n\t"						\
	"lfence\n\t"						\
	"jmp 1b\n"						\
	"2:\tpushq pv_slots + 8 * pv_retpoline_nr(%rip)\n\t"	\
	"popq (%rsp)\n\t"					\
	PV_ASM_RET						\
	"int3\n"						\
	".set pv_retpoline_nr, pv_retpoline_nr + 1\n"

/* The planner needs an array of bytes; tools that check code need a function. */
void pv_retpolines_code(void);
PV_ASM_ODD(pv_retpolines_code);

asm(".pushsection .text\n"
	".set pv_retpoline_nr, 0\n"
	".balign 32\n"
	".globl pv_retpolines\n"
	".type pv_retpolines_code, @function\n"
	"pv_retpolines:\n"
	"pv_retpolines_code:\n"
#define PV_OP(table, name, site, conv, ret, n, args, test) RETPOLINE(name)
#include <pvops/catalogue.h>
	".balign 32\n"
	".size pv_retpolines_code, . - pv_retpolines\n"
	".popsection\n");

_Static_assert(PV_RETPOLINE_BYTES == 32, "RETPOLINE()");
#endif

const struct pv_op_info pv_op_info[PV_OP_COUNT] = {
#define PV_OP(table, name, site, conv, ret, n, args, test) { #name, #table, #site, #test },
#include <pvops/catalogue.h>
};

/* Every table's entries have the layout of struct pv_impl. */
#define PV_OP(table, name, site, conv, ret, n, args, test)			\
	_Static_assert(sizeof(((struct pv_##table##_impls *)0)->name) ==	\
		       sizeof(struct pv_impl), #name);
#include <pvops/catalogue.h>

_Static_assert(sizeof(struct pv_site) == 8, "records are 8 bytes");
_Static_assert(sizeof(struct pv_slots) == 8 * PV_OP_COUNT, "one pointer per op");

/* Tables in the order of catalogue.h; the asserts below check the order. */
#ifdef PV_CATALOGUE_EXTENSION
#define TABLES(x) x(irq) x(cpu) x(mmu) x(time) x(smp) x(lock) x(kernel)
#else
#define TABLES(x) x(irq) x(cpu) x(mmu) x(time) x(smp) x(lock)
#endif

#define COUNT(table)	(sizeof(struct pv_##table##_impls) / sizeof(struct pv_impl))
#define BOUNDS(table)	FIRST_##table, LAST_##table = FIRST_##table + COUNT(table) - 1,

enum {
	TABLES(BOUNDS)
	BOUNDS_END
};

/* An op's id is the first id of its table plus its place in that table. */
#define PV_OP(table, name, site, conv, ret, n, args, test)			\
	_Static_assert(PV_OP_##name == FIRST_##table +				\
		       __builtin_offsetof(struct pv_##table##_impls, name) / sizeof(struct pv_impl), \
		       #name ": tables are not in the order of catalogue.h");
#include <pvops/catalogue.h>

_Static_assert((u32)BOUNDS_END == PV_OP_COUNT, "an op is in no table");

#define RANGE(table)	{ #table, FIRST_##table, COUNT(table) },

const struct pv_table_range pv_tables[] = {
	TABLES(RANGE)
};

const u32 pv_table_count = sizeof(pv_tables) / sizeof(pv_tables[0]);

const struct pv_op_pair pv_pairs[] = {
#define PV_OP(table, name, site, conv, ret, n, args, test)
#define PV_TOGETHER(name, other) { PV_OP_##name, PV_OP_##other },
#include <pvops/catalogue.h>
};

const u32 pv_pair_count = sizeof(pv_pairs) / sizeof(pv_pairs[0]);

const struct pv_impl *pv_backend_table(const struct pv_backend *backend, u32 nr)
{
#define OF_BACKEND(table)	backend->table,
	const void *const tables[] = { TABLES(OF_BACKEND) };

	return tables[nr];
}
