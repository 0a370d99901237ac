// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The virtual CPU's loop: NMIs, INIT and start-up, waiting, and the call of each exit's handler. */
#include "monitor.h"

/* Handles the causes of the machine's interrupts. */
static void interrupts_check(struct vcpu *v)
{
	alarms_check(v);
	if (v == &vcpus[0])
		lines_check();
}

void take_interrupts(struct vcpu *v)
{
	asm volatile("stgi; nop; clgi" : : : "memory");
	interrupts_check(v);
}

void halt(struct vcpu *v, bool masked)
{
	v->halted = true;
	v->masked_halt = masked;
}

void guest_dies(struct vcpu *v, const char *why)
{
	const struct vmcb *c = v->vmcb;

	print("\nvmi-monitor: guest died: %s\n", why);
	print("vmi-monitor: cpu %u exit 0x%lx info 0x%lx 0x%lx event 0x%lx\n", v->id,
	      c->exit_code, c->exit_info1, c->exit_info2, c->exit_int_info);
	print("vmi-monitor: rip %02x:%016lx rsp %016lx rflags %08lx efer %lx\n", c->cs.selector,
	      c->rip, c->rsp, c->rflags, c->efer);
	print("vmi-monitor: cr0 %lx cr2 %lx cr3 %lx cr4 %lx\n", c->cr0, c->cr2, c->cr3, c->cr4);
	print("vmi-monitor: rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", c->rax,
	      v->regs[RBX], v->regs[RCX], v->regs[RDX]);
	print("vmi-monitor: rsi %016lx rdi %016lx rbp %016lx\n", v->regs[RSI], v->regs[RDI],
	      v->regs[RBP]);
	shut_down(v, why, false);
}

void vcpu_kick(struct vcpu *v)
{
	if (host_apic_read(0x20) >> 24 == v->host_apic_id)
		return;
	host_apic_write(0x310, v->host_apic_id << 24);
	host_apic_write(0x300, 0x4000 | HOST_KICK);
}

static bool may_run(struct vcpu *v)
{
	if (v->wish)
		return true;
	if (v->state != VCPU_RUNS)
		return false;
	if (v->nmi && v->nmi_mask == NMI_OPEN)
		return true;
	return !v->halted || (!v->masked_halt && apic_next(v));
}

static void wait(struct vcpu *v)
{
	/* IF is clear, so no interrupt comes between the check and the HLT. */
	asm volatile("cli; stgi" : : : "memory");
	if (!may_run(v))
		asm volatile("sti; hlt" : : : "memory");
	asm volatile("sti; nop; clgi" : : : "memory");
	interrupts_check(v);
}

/* Handles INIT and start-up IPIs from other CPUs (APM vol. 2 section 16.5). */
static void take_wish(struct vcpu *v)
{
	u32 wish = __atomic_exchange_n(&v->wish, 0, __ATOMIC_SEQ_CST);

	if (wish & 1) {
		v->state = VCPU_INIT;
		apic_reset(v);
	}
	if ((wish & 2) && v->state == VCPU_INIT)
		vcpu_reset(v);
}

/* Delivers an NMI at any instruction, even if the guest masks interrupts (APM vol. 2 8.2.3). */
static void take_nmi(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;

	if (v->nmi_mask == NMI_IRET && c->rip != v->nmi_iret)
		v->nmi_mask = NMI_OPEN;
	if (!v->nmi || v->nmi_mask != NMI_OPEN || (c->event_inj & EVENT_VALID))
		return;
	c->intercept |= ICPT_IRET;
	if (paravirtual && !vmi_nmi(v))
		return;
	v->nmi = false;
	v->nmi_mask = NMI_MASKED;
	c->event_inj = VECTOR_NMI | EVENT_NMI | EVENT_VALID;
}

void vcpu_run(struct vcpu *v)
{
	for (;;) {
		if (v->wish)
			take_wish(v);
		if (!may_run(v)) {
			wait(v);
			continue;
		}
		v->halted = false;
		if (v->nmi || v->nmi_mask != NMI_OPEN)
			take_nmi(v);
		if (paravirtual)
			vmi_before_entry(v);
		else
			apic_before_entry(v);
		vcpu_enter(v, (u64)v->vmcb);
		v->vmcb->tlb_control = 0;
		if (!paravirtual)
			apic_after_exit(v);
		handle_exit(v);
	}
}
