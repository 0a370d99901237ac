// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* VMI calls that trap (ABI.md, section 5): one function each, and a table by number. */
#include "vmi.h"

#define SHUTDOWN_OFF	0
#define SHUTDOWN_CPU	2
#define LAZY_MMU	1

/* --- wall clock: CMOS at the first call, then the TSC --- */

static u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

static u32 cmos_number(u8 index)
{
	u32 val = cmos(index);

	return cmos(0x0b) & 4 ? val : (val >> 4) * 10 + (val & 0xf);
}

static u64 seconds_since_1970(void)
{
	static const u16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	u32 sec, min, hour, day, month, year, days;

	do {
		while (cmos(0x0a) & 0x80)
			asm volatile("pause");
		sec = cmos_number(0);
		min = cmos_number(2);
		hour = cmos_number(4);
		day = cmos_number(7);
		month = cmos_number(8);
		year = 2000 + cmos_number(9);
	} while (sec != cmos_number(0));
	/* 2000 is a leap year, and 2100 is far. */
	days = (year - 1970) * 365 + (year - 1969) / 4 + before[(month - 1) % 12] + day - 1;
	if (month > 2 && year % 4 == 0)
		days++;
	return ((days * 24ULL + hour) * 60 + min) * 60 + sec;
}

static u64 wallclock(void)
{
	static volatile u8 lock;
	static u64 base, base_tsc;
	u64 since;

	lock_take(&lock);
	if (!base) {
		base = seconds_since_1970() * 1000000000ULL;
		base_tsc = rdtsc();
	}
	since = rdtsc() - base_tsc;
	lock_release(&lock);
	return base + (u64)((unsigned __int128)since * ((1000000000ULL << 32) / tsc_hz) >> 32);
}

/* --- alarms --- */

#define COUNTER		0xff
#define PERIODIC	0x100
#define BY_LVT		0x10000

static u64 set_alarm(struct vcpu *v, u64 flags, u64 expiry, u64 period)
{
	u32 counter = flags & COUNTER;

	if (counter > 1 || !(flags & BY_LVT))
		return VMI_BAD;
	alarm_set(v, ALARM_VMI + counter, expiry, flags & PERIODIC ? period : 0);
	alarms_check(v);
	return 0;
}

static u64 cancel_alarm(struct vcpu *v, u64 flags)
{
	u32 counter = flags & COUNTER;
	bool was;

	if (counter > 1)
		return 0;
	was = v->alarms[ALARM_VMI + counter].deadline != ~0ULL;
	alarm_set(v, ALARM_VMI + counter, ~0ULL, 0);
	return was;
}

/* --- the calls of paravirtual mode --- */

static void fault(struct vcpu *v)
{
	v->vmcb->rip -= VMMCALL_BYTES;
	inject(v, VECTOR_GP, true, 0);
}

static void call_cpuid(struct vcpu *v)
{
	do_cpuid(v, (u32)v->regs[R8]);
}

static void call_wrmsr(struct vcpu *v)
{
	if (!write_msr(v, (u32)v->regs[RDI], v->regs[RSI]))
		fault(v);
}

static void call_rdmsr(struct vcpu *v)
{
	u64 val;

	if (read_msr(v, (u32)v->regs[RDI], &val))
		v->vmcb->rax = val;
	else
		fault(v);
}

static void call_set_gdt(struct vcpu *v)
{
	if (!load_table(v, v->regs[RDI], &v->vmcb->gdtr, 10))
		fault(v);
}

static void call_set_ldt(struct vcpu *v)
{
	if (!load_ldt(v, v->regs[RDI] & 0xffff))
		fault(v);
}

static void call_set_idt(struct vcpu *v)
{
	if (!load_table(v, v->regs[RDI], &v->vmcb->idtr, 10))
		fault(v);
}

static void call_set_tr(struct vcpu *v)
{
	if (!load_tr(v, v->regs[RDI] & 0xffff))
		fault(v);
}

static void call_get_gdt(struct vcpu *v)
{
	if (!store_table(v, v->regs[RDI], &v->vmcb->gdtr, 10))
		fault(v);
}

static void call_get_ldt(struct vcpu *v)
{
	vmsave(v->vmcb);
	v->vmcb->rax = v->vmcb->ldtr.selector;
}

static void call_get_idt(struct vcpu *v)
{
	if (!store_table(v, v->regs[RDI], &v->vmcb->idtr, 10))
		fault(v);
}

static void call_get_tr(struct vcpu *v)
{
	vmsave(v->vmcb);
	v->vmcb->rax = v->vmcb->tr.selector;
}

static void call_set_cr0(struct vcpu *v)
{
	write_cr(v, 0, v->regs[RDI] | CR0_ALWAYS);
}

static void call_set_cr3(struct vcpu *v)
{
	vmi_apply_queue(v);
	write_cr(v, 3, v->regs[RDI]);
}

static void call_set_cr4(struct vcpu *v)
{
	write_cr(v, 4, v->regs[RDI] | CR4_PAE);
}

static void call_wbinvd(struct vcpu *v)
{
	(void)v;
	asm volatile("wbinvd" : : : "memory");
}

static void call_set_dr(struct vcpu *v)
{
	write_dr(v, v->regs[RDI] & 7, v->regs[RSI]);
}

static void call_get_dr(struct vcpu *v)
{
	v->vmcb->rax = read_dr(v, v->regs[RDI] & 7);
}

static void call_rdpmc(struct vcpu *v)
{
	v->vmcb->rax = 0;
}

static void call_clts(struct vcpu *v)
{
	write_cr(v, 0, v->vmcb->cr0 & ~CR0_TS);
}

static void call_halt(struct vcpu *v)
{
	bool masked = (u32)v->regs[RDI];

	if (!masked)
		v->shared->interrupts = FLAG_IF;
	halt(v, masked);
}

static void call_reboot(struct vcpu *v)
{
	shut_down(v, "reboot", false);
}

static void call_shutdown(struct vcpu *v)
{
	switch ((u32)v->regs[RDI]) {
	case SHUTDOWN_OFF:
		shut_down(v, "power off", true);
	case SHUTDOWN_CPU:
		v->state = VCPU_INIT;
		break;
	default:
		shut_down(v, "guest crashed", false);
	}
}

static void call_set_entry(struct vcpu *v)
{
	v->vmcb->rax = vmi_set_entry(v, v->regs[RDI], v->regs[RSI]);
}

static void call_allocate_page(struct vcpu *v)
{
	v->vmcb->rax = vmi_allocate_page(v->regs[RDI], v->regs[RSI]);
}

static void call_release_page(struct vcpu *v)
{
	v->vmcb->rax = vmi_release_page(v->regs[RDI]);
}

static void call_inval_page(struct vcpu *v)
{
	vmi_apply_queue(v);
	flush_page(v, v->regs[RDI]);
}

static void call_flush_tlb(struct vcpu *v)
{
	vmi_apply_queue(v);
	flush_tlb(v);
}

static void call_set_linear_mapping(struct vcpu *v)
{
	v->vmcb->rax = vmi_set_linear_mapping((u32)v->regs[RDI], v->regs[RSI], v->regs[RDX],
					      v->regs[RCX]);
}

static void call_set_start_state(struct vcpu *v)
{
	v->vmcb->rax = vmi_set_start_state(v, v->regs[RDI], (u32)v->regs[RSI]);
}

static void call_apic_write(struct vcpu *v)
{
	apic_write(v, v->regs[RDI] & 0xff0, (u32)v->regs[RSI]);
}

static void call_apic_read(struct vcpu *v)
{
	v->vmcb->rax = apic_read(v, v->regs[RDI] & 0xff0);
}

static void call_cycle_frequency(struct vcpu *v)
{
	v->vmcb->rax = tsc_hz;
}

static void call_set_alarm(struct vcpu *v)
{
	v->vmcb->rax = set_alarm(v, v->regs[RDI], v->regs[RSI], v->regs[RDX]);
}

static void call_cancel_alarm(struct vcpu *v)
{
	v->vmcb->rax = cancel_alarm(v, v->regs[RDI]);
}

static void call_wallclock(struct vcpu *v)
{
	v->vmcb->rax = wallclock();
}

static void call_wallclock_updated(struct vcpu *v)
{
	/* The wall clock never jumps. */
	v->vmcb->rax = 0;
}

static void call_set_lazy_mode(struct vcpu *v)
{
	v->vmcb->rax = v->regs[RDX] = 0;
	if (!(v->shared->lazy & LAZY_MMU))
		v->vmcb->rax = vmi_apply_queue(v);
}

static void (*const calls[])(struct vcpu *v) = {
	[0] = call_cpuid,
	[1] = call_wrmsr,
	[2] = call_rdmsr,
	[3] = call_set_gdt,
	[4] = call_set_ldt,
	[5] = call_set_idt,
	[6] = call_set_tr,
	[7] = call_get_gdt,
	[8] = call_get_ldt,
	[9] = call_get_idt,
	[10] = call_get_tr,
	[15] = call_set_cr0,
	[17] = call_set_cr3,
	[18] = call_set_cr4,
	[23] = call_wbinvd,
	[24] = call_set_dr,
	[25] = call_get_dr,
	[26] = call_rdpmc,
	[28] = call_clts,
	[35] = call_halt,
	[36] = call_reboot,
	[37] = call_shutdown,
	[39] = call_set_entry,
	[44] = call_allocate_page,
	[45] = call_release_page,
	[46] = call_inval_page,
	[47] = call_flush_tlb,
	[48] = call_set_linear_mapping,
	[62] = call_set_start_state,
	[63] = call_apic_write,
	[64] = call_apic_read,
	[66] = call_cycle_frequency,
	[68] = call_set_alarm,
	[69] = call_cancel_alarm,
	[70] = call_wallclock,
	[71] = call_wallclock_updated,
	[73] = call_set_lazy_mode,
};

/* --- dispatch --- */

static void undefined(struct vcpu *v)
{
	inject(v, VECTOR_UD, false, 0);
}

/* Calls that also work before VMI_Init; false: it is none of them. */
static bool private_call(struct vcpu *v, u32 nr)
{
	u32 asked = (u32)v->regs[RDI];

	switch (nr) {
	case CALL_NULL:
	case CALL_PENDING:
		return true;
	case CALL_TRAPS:
		v->vmcb->rax = traps(v);
		return true;
	case CALL_COUNT:
		v->vmcb->rax = asked < ARRAY_SIZE(v->calls) ? v->calls[asked] : 0;
		return true;
	case CALL_INIT:
		v->vmcb->rax = vmi_init(v, v->regs[RDI], v->regs[RSI], v->regs[RDX],
					(u32)v->regs[RCX]);
		return true;
	}
	return false;
}

void vmi_call(struct vcpu *v)
{
	u32 nr = vmi_waits_for_interrupt(v) ? CALL_PENDING : (u32)v->vmcb->rax;

	if (v->vmcb->cpl) {
		v->vmcb->rip -= VMMCALL_BYTES;
		undefined(v);
		return;
	}
	if (nr < ARRAY_SIZE(v->calls))
		v->calls[nr]++;
	else if (nr - CALL_INIT < ARRAY_SIZE(v->private_calls))
		v->private_calls[nr - CALL_INIT]++;

	if (private_call(v, nr))
		return;
	if (!paravirtual) {
		v->vmcb->rax = VMI_NOT_PERMITTED;
		return;
	}
	if (v->shared->deferred)
		vmi_apply_deferred(v);
	if (nr < ARRAY_SIZE(calls) && calls[nr])
		calls[nr](v);
	else
		undefined(v);
}
