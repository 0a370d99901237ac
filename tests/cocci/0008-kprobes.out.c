// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static void kprobe_emulate_call(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long func = regs->ip - INT3_INSN_SIZE + p->ainsn.size;

	func += p->ainsn.rel32;
	if (IS_ENABLED(CONFIG_PVOPS)) {
		/* A call site of the pvops layer can have a prefix. */
		regs->ip += p->ainsn.size - CALL_INSN_SIZE;
	}
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
#ifdef CONFIG_PVOPS
	if (!p->ainsn.emulate_op && pvops_probe_far_side(insn)) {
		p->ainsn.emulate_op = kprobe_emulate_call;
		p->ainsn.rel32 = pvops_probe_far_side(insn);
		p->ainsn.rel32 -= (unsigned long)p->addr + insn->length;
	}
#endif

	return 0;
}
