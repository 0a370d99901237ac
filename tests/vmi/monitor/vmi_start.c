// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Where other CPUs start: VMI's state for them (ABI.md, sections 6.5 and 8). */
#include "vmi.h"

struct start_state {
	u64 cr0, cr2, cr3, cr4, cr8, efer, rip, rflags;
	u64 rax, rbx, rcx, rdx, rsp, rbp, rsi, rdi, r8_15[8];
	u64 fs_base, gs_base, kernel_gs_base, gdtr_base, idtr_base;
	u16 gdtr_limit, idtr_limit, cs, ss, ds, es, fs, gs, ldtr, tr;
	u32 zero;
};

_Static_assert(sizeof(struct start_state) == 256, "ABI.md section 8");

static struct start_state states[CPUS_MAX];

u64 vmi_set_start_state(struct vcpu *v, u64 va, u32 apic_id)
{
	struct start_state state;

	if (apic_id >= cpu_count)
		return VMI_NO_SUCH;
	if (!read_virt(v, va, &state, sizeof(state)))
		return VMI_BAD;
	if ((state.cr0 & CR0_ALWAYS) != CR0_ALWAYS || !(state.cr4 & CR4_PAE) ||
	    (state.efer & (EFER_LME | EFER_LMA)) != (EFER_LME | EFER_LMA) ||
	    !state.rip || !state.rsp || (state.cr3 & PTE_FRAME) >= guest_bytes)
		return VMI_BAD;
	states[apic_id] = state;
	vcpus[apic_id].has_start_state = true;
	return 0;
}

/* Loads the hidden part of a segment from the GDT of the state. */
static void load_segment(struct vcpu *v, struct segment *s, u16 selector, u64 base)
{
	u64 desc = 0;

	*s = (struct segment){ .selector = selector, .base = base };
	if (!(selector & ~3))
		return;
	read_virt(v, v->vmcb->gdtr.base + (selector & ~7), &desc, 8);
	s->attrib = (u16)((desc >> 40 & 0xff) | (desc >> 44 & 0xf00));
	s->limit = (u32)((desc & 0xffff) | (desc >> 32 & 0xf0000));
	if (desc >> 55 & 1)
		s->limit = s->limit << 12 | 0xfff;
}

void vmi_take_start_state(struct vcpu *v)
{
	const struct start_state *s = &states[v->id];
	struct vmcb *c = v->vmcb;
	const u64 regs[] = { s->rax, s->rcx, s->rdx, s->rbx, s->rsp, s->rbp, s->rsi, s->rdi };
	u32 i;

	v->has_start_state = false;
	for (i = 0; i < 8; i++) {
		set_reg(v, i, regs[i]);
		set_reg(v, R8 + i, s->r8_15[i]);
	}
	c->cr0 = s->cr0 | CR0_ET;
	c->cr2 = s->cr2;
	c->cr3 = s->cr3;
	c->cr4 = s->cr4;
	c->efer = s->efer | EFER_SVME;
	c->rip = s->rip;
	c->rflags = (s->rflags & ~FLAG_IF) | 2;
	c->gdtr.base = s->gdtr_base;
	c->gdtr.limit = s->gdtr_limit;
	c->idtr.base = s->idtr_base;
	c->idtr.limit = s->idtr_limit;
	load_segment(v, &c->cs, s->cs, 0);
	load_segment(v, &c->ss, s->ss, 0);
	load_segment(v, &c->ds, s->ds, 0);
	load_segment(v, &c->es, s->es, 0);
	load_segment(v, &c->fs, s->fs, s->fs_base);
	load_segment(v, &c->gs, s->gs, s->gs_base);
	c->kernel_gs_base = s->kernel_gs_base;
	c->tr = (struct segment){ .attrib = SEG_TSS_BUSY, .limit = 0xffff };
	c->ldtr = (struct segment){ .attrib = SEG_LDT & ~SEG_PRESENT };
	c->cpl = 0;
	v->shared->cr0 = c->cr0;
	v->shared->cr2 = c->cr2;
	v->shared->cr3 = c->cr3;
	v->shared->cr4 = c->cr4;
}
