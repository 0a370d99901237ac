// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: other calls, and 7.2's. */
static void kprobe_emulate_call(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long ip = regs->ip - INT3_INSN_SIZE + p->ainsn.size;

	int3_emulate_call(regs, ip, ip + p->ainsn.rel32);
}

static void kprobe_emulate_call_indirect(struct kprobe *p, struct pt_regs *regs)
{
	int3_emulate_call(regs, one(regs));
	p->ainsn.size = 1;
}
