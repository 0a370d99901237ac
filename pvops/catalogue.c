// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What is generated from the catalogue: names, groups, the pointer table. */
#include "internal.h"

struct pv_slots pv_slots PV_RO_AFTER_INIT;

#ifdef PV_PORT_RETPOLINE
/*
 * Where slots point, for sites as compiled.  Speculation waits in the loop; the
 * return address is replaced without a register, as some ops keep all of them.
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

/* Bytes to the planner, a function to tools that check code. */
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

#define PV_TABLE(table, first_op) \
	{ #table, first_op, sizeof(struct pv_##table##_impls) / sizeof(struct pv_impl) }

const struct pv_table_range pv_tables[] = {
	PV_TABLE(irq, PV_OP_save_fl),
	PV_TABLE(cpu, PV_OP_read_cr0),
	PV_TABLE(mmu, PV_OP_read_cr3),
	PV_TABLE(time, PV_OP_clock_read),
	PV_TABLE(smp, PV_OP_start_cpu),
	PV_TABLE(lock, PV_OP_lock_wait),
#ifdef PV_CATALOGUE_EXTENSION
	PV_TABLE(kernel, PV_OP_vcpu_is_preempted + 1),
#endif
};

const u32 pv_table_count = sizeof(pv_tables) / sizeof(pv_tables[0]);

const struct pv_impl *pv_backend_table(const struct pv_backend *backend, u32 nr)
{
	const void *const table[] = {
		backend->irq, backend->cpu, backend->mmu,
		backend->time, backend->smp, backend->lock, backend->kernel,
	};

	return table[nr];
}
