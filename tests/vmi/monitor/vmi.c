// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The hypervisor behind the ROM: VMI_Init, and interrupts and exceptions while the virtual
 * IF is in memory (ABI.md, sections 4, 6 and 9).
 */
#include "vmi.h"

bool paravirtual;
u64 rom_shared_phys;

static const struct rom *rom;

/* Linear address of the guest's copy of the ROM. */
static u64 copy;

void rom_install(bool counting)
{
	size_t bytes, i;
	u8 sum = 0;

	rom = counting ? &rom_counting : &rom_plain;
	bytes = (size_t)(rom->end - rom->start);
	for (i = 0; i < bytes; i++)
		sum = (u8)(sum + rom->start[i]);
	*rom->checksum = (u8)-sum;
	memcpy((void *)(GUEST_BASE + ROM_BASE), rom->start, bytes);
	vmi_tables_setup();
}

/* --- interrupts and exceptions --- */

/* Is RIP between the change of IF in memory and the instruction that completes it? */
static bool in_critical_range(const struct vcpu *v)
{
	u64 offset = v->vmcb->rip - copy;

	return (offset >= rom->iret_begin && offset < rom->iret_end) ||
	       (offset >= rom->syscall && offset < rom->syscall_end);
}

/* Puts the virtual IF into RFLAGS, so that the next pushed frame shows it. */
static void show_virtual_if(struct vcpu *v)
{
	v->vmcb->rflags = (v->vmcb->rflags & ~FLAG_IF) | v->shared->interrupts;
}

/* Makes the guest exit as soon as the CPU's own IF is 1 (V_IRQ itself is not delivered). */
static void wait_for_if(struct vcpu *v)
{
	v->vmcb->int_ctl |= V_IRQ;
	v->vmcb->intercept |= ICPT_VINTR;
}

void vmi_before_entry(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	u32 vector = apic_next(v);

	c->int_ctl &= ~V_IRQ;
	c->intercept &= ~ICPT_VINTR;
	v->shared->pending = vector != 0;
	if (!vector || !v->shared->interrupts)
		return;
	if (in_critical_range(v)) {
		/* Only the IRETQ, no earlier instruction, may set the real IF. */
		c->rflags &= ~FLAG_IF;
		wait_for_if(v);
		return;
	}
	if (c->event_inj & EVENT_VALID) {
		wait_for_if(v);
		return;
	}
	apic_take(v, vector);
	show_virtual_if(v);
	v->shared->interrupts = 0;
	c->event_inj = vector | EVENT_VALID;
	v->shared->pending = apic_next(v) != 0;
}

void vmi_exception(struct vcpu *v, u32 vector, bool has_error, u32 error)
{
	struct vmcb *c = v->vmcb;
	u8 type = 0xe;

	if (c->event_inj & EVENT_VALID)
		guest_dies(v, "two events at once");
	/* Interrupt gates mask interrupts; trap gates do not. */
	read_virt(v, c->idtr.base + vector * 16 + 5, &type, 1);
	show_virtual_if(v);
	if ((type & 0xf) == 0xe)
		v->shared->interrupts = 0;
	c->event_inj = vector | EVENT_EXCEPTION | EVENT_VALID | (has_error ? EVENT_ERROR : 0) |
		       (u64)error << 32;
}

/*
 * An NMI handler has a stack of its own and expects any GS, so an NMI can come in the
 * critical range, too.  It cannot come while IRET waits with a frame that it has read:
 * the frame may be on the handler's own stack, where another NMI would change it.
 */
bool vmi_nmi(struct vcpu *v)
{
	u64 offset = v->vmcb->rip - copy;

	if (offset >= rom->iret_begin && offset < rom->iret_out)
		return false;
	show_virtual_if(v);
	v->shared->interrupts = 0;
	return true;
}

u64 vmi_syscall_entry(struct vcpu *v, u64 lstar)
{
	v->shared->lstar = lstar;
	return copy + rom->syscall;
}

bool vmi_waits_for_interrupt(const struct vcpu *v)
{
	return paravirtual && v->vmcb->rip == copy + rom->iret_out;
}

/* --- VMI_Init, and CPUs after INIT --- */

u64 vmi_init(struct vcpu *v, u64 va, u64 gpa, u64 bytes, u32 version)
{
	u8 *original;
	u32 i;

	if (paravirtual || bytes != rom->memory || (va | gpa) & (PAGE - 1) || version >> 8 != 64)
		return VMI_BAD;
	original = guest_phys(v, gpa, rom->memory);
	if (!original || virt_to_phys(v, va) != gpa)
		return VMI_BAD;
	copy = va;
	rom_shared_phys = gpa + ROM_SHARED;
	for (i = 0; i < cpu_count; i++) {
		u32 page;

		memcpy(vcpus[i].shared, original + ROM_SHARED, sizeof(struct rom_shared));
		for (page = 0; page < ROM_SHARED_PAGES; page++)
			npt_replace(&vcpus[i], rom_shared_phys + page * PAGE,
				    (u8 *)vcpus[i].shared + page * PAGE);
		vcpus[i].vmcb->exceptions = ~(1U << 2);
		vcpus[i].vmcb->intercept |= ICPT_SWINT;
	}
	v->shared->cr0 = v->vmcb->cr0;
	v->shared->cr2 = v->vmcb->cr2;
	v->shared->cr3 = v->vmcb->cr3;
	v->shared->cr4 = v->vmcb->cr4;
	v->shared->lstar = rdmsr(MSR_STAR + 1);
	wrmsr(MSR_STAR + 1, vmi_syscall_entry(v, v->shared->lstar));
	vmi_register_tables(v, v->vmcb->cr3 / PAGE, 4);
	v->apic.offered = 0;
	v->vmcb->int_ctl &= ~V_IRQ;
	paravirtual = true;
	return 0;
}

/* Resets after INIT; the CPU then begins at a given state or in real mode. */
void vmi_reset(struct vcpu *v)
{
	v->vmcb->lstar = copy + rom->syscall;
	v->shared->interrupts = 0;
	v->shared->lazy = 0;
	v->shared->queued = 0;
	v->shared->deferred = 0;
	v->shared->lstar = 0;
}
