// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static void kprobe_emulate_call(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long func = regs->ip - INT3_INSN_SIZE + p->ainsn.size;

	func += p->ainsn.rel32;
	int3_emulate_call(regs, func);
}

static int prepare_emulation(struct kprobe *p, struct insn *insn)
{
	switch (one(insn)) {
	case 1:
		return -EOPNOTSUPP;
	default:
		break;
	}
	p->ainsn.size = insn->length;

	return 0;
}
