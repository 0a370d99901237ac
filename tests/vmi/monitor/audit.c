// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Counts sensitive instructions that the guest executes itself instead of a VMI call,
 * by instruction, operand and address.  audit.py judges them.
 */
#include "monitor.h"

#define ROWS	2048

static struct row {
	const char *insn;
	u64 rip;
	s64 argument;		/* a register, a port or the like; -1: none */
	bool user;
	u64 count;
} rows[ROWS];

static volatile u8 lock;
static u64 lost;

void audit(struct vcpu *v, const char *insn, s64 argument)
{
	u64 rip = v->vmcb->rip + (v->vmcb->cr0 & CR0_PE ? 0 : v->vmcb->cs.base);
	u32 at = (u32)(rip * 0x9e3779b97f4a7c15ULL >> 53), i;

	lock_take(&lock);
	for (i = 0; i < ROWS; i++, at = (at + 1) % ROWS) {
		struct row *row = &rows[at];

		if (!row->count) {
			row->insn = insn;
			row->rip = rip;
			row->argument = argument;
			row->user = v->vmcb->cpl == 3;
		}
		if (row->rip == rip && row->argument == argument && row->insn == insn) {
			row->count++;
			break;
		}
	}
	if (i == ROWS)
		lost++;
	lock_release(&lock);
}

void audit_report(void)
{
	u32 i;

	print("vmi-monitor: audit begin\n");
	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		if (!row->count)
			continue;
		print("@audit %s%s", row->user ? "user." : "", row->insn);
		if (row->argument >= 0)
			print(":%lx", (u64)row->argument);
		print(" %lx %lu\n", row->rip, row->count);
	}
	if (lost)
		print("@audit lost 0 %lu\n", lost);
	print("vmi-monitor: audit end\n");
}
