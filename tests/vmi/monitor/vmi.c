// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The hypervisor behind the ROM: VMI calls that trap, and interrupts and
 * exceptions while the virtual IF is in memory (ABI.md, sections 5, 6 and 9).
 */
#include "monitor.h"
#include "rom.h"

#define NOT_PERMITTED	((u64)-1)
#define NO_SUCH		((u64)-2)
#define BAD		((u64)-22)

#define PTE_PRESENT	1ULL
#define PTE_RW		2ULL
#define PTE_USER	4ULL
#define PTE_LARGE	0x80ULL
#define FRAME		0xffffffffff000ULL

bool paravirtual;
u64 rom_shared_phys;

static const struct rom *rom;

/* Linear address of the guest's copy. */
static u64 copy;

/* The level of each frame as a page table; 0: no table. */
static u8 *levels;

static struct mapping {
	u64 va, pages, pfn;
} mappings[4];

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
	levels = page_alloc((u32)((guest_bytes / PAGE + PAGE - 1) / PAGE));
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

/* --- page tables --- */

/* Is it memory, or one of the two pages of registers (page_exit())? */
static bool is_guest_frame(u64 pfn)
{
	return pfn < guest_bytes / PAGE || pfn == APIC_BASE / PAGE || pfn == IOAPIC_BASE / PAGE;
}

static void register_tables(struct vcpu *v, u64 pfn, u32 level)
{
	const u64 *entry;
	u32 i;

	if (pfn >= guest_bytes / PAGE || levels[pfn])
		return;
	levels[pfn] = (u8)level;
	entry = guest_phys(v, pfn * PAGE, PAGE);
	for (i = 0; level > 1 && i < 512; i++)
		if ((entry[i] & PTE_PRESENT) && !(level < 4 && (entry[i] & PTE_LARGE)))
			register_tables(v, (entry[i] & FRAME) / PAGE, level - 1);
}

static u64 linear_to_phys(u32 slot, u64 va)
{
	const struct mapping *m = &mappings[slot];

	return (va - m->va) / PAGE < m->pages ? m->pfn * PAGE + (va - m->va) : ~0ULL;
}

/* Sets one entry; returns 0 or the status of a refusal. */
static u64 set_entry(struct vcpu *v, u64 val, u64 va)
{
	u64 at = linear_to_phys(0, va), pfn = (val & FRAME) / PAGE;
	u64 *entry = (va & 7) || at == ~0ULL ? NULL : guest_phys(v, at, 8);

	if (!entry)
		return BAD;
	if (val & PTE_PRESENT) {
		if (!is_guest_frame(pfn))
			return NOT_PERMITTED;
		if (levels[at / PAGE] <= 1 && (val & PTE_RW) && (val & PTE_USER) &&
		    pfn < guest_bytes / PAGE && levels[pfn])
			return NOT_PERMITTED;
	}
	__atomic_store_n(entry, val, __ATOMIC_RELEASE);
	return 0;
}

static u64 apply_queue(struct vcpu *v)
{
	struct rom_shared *s = v->shared;
	u32 count = s->queued, i;
	u64 error = 0;

	s->queued = 0;
	if (count > ROM_QUEUE_MAX)
		count = ROM_QUEUE_MAX;
	for (i = 0; i < count && !error; i++)
		error = set_entry(v, s->queue[i].val, s->queue[i].entry);
	v->regs[RDX] = error ? i - 1 : i;
	return error;
}

/* Applies the calls that lazy CPU mode has deferred.  A bad FS base is lost: the ABI allows it. */
static void apply_deferred(struct vcpu *v)
{
	u32 deferred = v->shared->deferred;

	v->shared->deferred = 0;
	if (deferred & DEFERRED_CR3) {
		apply_queue(v);
		write_cr(v, 3, v->shared->cr3);
	}
	if (deferred & DEFERRED_FS)
		write_msr(v, MSR_FS_BASE, v->shared->fs_base);
}

static u64 allocate_page(u64 pfn, u64 flags)
{
	u32 level = flags & 8 ? 4 : flags & 4 ? 3 : flags & 2 ? 2 : flags & 1;

	if (pfn >= guest_bytes / PAGE || !level)
		return BAD;
	levels[pfn] = (u8)level;
	return 0;
}

static u64 release_page(u64 pfn)
{
	if (pfn >= guest_bytes / PAGE || !levels[pfn])
		return BAD;
	levels[pfn] = 0;
	return 0;
}

/* --- start --- */

static u64 init(struct vcpu *v, u64 va, u64 gpa, u64 bytes, u32 version)
{
	u8 *original;
	u32 i;

	if (paravirtual || bytes != rom->memory || (va | gpa) & (PAGE - 1) || version >> 8 != 64)
		return BAD;
	original = guest_phys(v, gpa, rom->memory);
	if (!original || virt_to_phys(v, va) != gpa)
		return BAD;
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
	register_tables(v, v->vmcb->cr3 / PAGE, 4);
	v->apic.offered = 0;
	v->vmcb->int_ctl &= ~V_IRQ;
	paravirtual = true;
	return 0;
}

/* ABI.md section 8. */
struct start_state {
	u64 cr0, cr2, cr3, cr4, cr8, efer, rip, rflags;
	u64 rax, rbx, rcx, rdx, rsp, rbp, rsi, rdi, r8_15[8];
	u64 fs_base, gs_base, kernel_gs_base, gdtr_base, idtr_base;
	u16 gdtr_limit, idtr_limit, cs, ss, ds, es, fs, gs, ldtr, tr;
	u32 zero;
};

_Static_assert(sizeof(struct start_state) == 256, "ABI.md section 8");

static struct start_state states[CPUS_MAX];

static u64 set_start_state(struct vcpu *v, u64 va, u32 apic_id)
{
	struct start_state state;

	if (apic_id >= cpu_count)
		return NO_SUCH;
	if (!read_virt(v, va, &state, sizeof(state)))
		return BAD;
	if ((state.cr0 & 0x80010001) != 0x80010001 || !(state.cr4 & CR4_PAE) ||
	    (state.efer & (EFER_LME | EFER_LMA)) != (EFER_LME | EFER_LMA) ||
	    !state.rip || !state.rsp || (state.cr3 & FRAME) >= guest_bytes)
		return BAD;
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

/* --- time --- */

#define COUNTER		0xff
#define PERIODIC	0x100
#define BY_LVT		0x10000

static u64 set_alarm(struct vcpu *v, u64 flags, u64 expiry, u64 period)
{
	u32 counter = flags & COUNTER;

	if (counter > 1 || !(flags & BY_LVT))
		return BAD;
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

/* --- calls --- */

static void fault(struct vcpu *v)
{
	v->vmcb->rip -= 3;
	inject(v, 13, true, 0);
}

void vmi_call(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	u32 nr = paravirtual && c->rip == copy + rom->iret_out ? CALL_PENDING : (u32)c->rax;
	u64 a = v->regs[RDI], b = v->regs[RSI], val;

	if (c->cpl) {
		c->rip -= 3;
		inject(v, 6, false, 0);
		return;
	}
	if (nr < ARRAY_SIZE(v->calls))
		v->calls[nr]++;
	else if (nr - CALL_INIT < ARRAY_SIZE(v->private_calls))
		v->private_calls[nr - CALL_INIT]++;

	switch (nr) {
	case CALL_NULL:
	case CALL_PENDING:
		return;
	case CALL_TRAPS:
		c->rax = traps(v);
		return;
	case CALL_COUNT:
		c->rax = (u32)a < ARRAY_SIZE(v->calls) ? v->calls[(u32)a] : 0;
		return;
	case CALL_INIT:
		c->rax = init(v, a, b, v->regs[RDX], (u32)v->regs[RCX]);
		return;
	}
	if (!paravirtual) {
		c->rax = NOT_PERMITTED;
		return;
	}
	if (v->shared->deferred)
		apply_deferred(v);
	switch (nr) {
	case 0:
		do_cpuid(v, (u32)v->regs[R8]);
		break;
	case 1:
		if (!write_msr(v, (u32)a, b))
			fault(v);
		break;
	case 2:
		if (read_msr(v, (u32)a, &val))
			c->rax = val;
		else
			fault(v);
		break;
	case 3:
		if (!load_table(v, a, &c->gdtr, 10))
			fault(v);
		break;
	case 4:
		if (!load_ldt(v, a & 0xffff))
			fault(v);
		break;
	case 5:
		if (!load_table(v, a, &c->idtr, 10))
			fault(v);
		break;
	case 6:
		if (!load_tr(v, a & 0xffff))
			fault(v);
		break;
	case 7:
		if (!store_table(v, a, &c->gdtr, 10))
			fault(v);
		break;
	case 8:
		vmsave(c);
		c->rax = c->ldtr.selector;
		break;
	case 9:
		if (!store_table(v, a, &c->idtr, 10))
			fault(v);
		break;
	case 10:
		vmsave(c);
		c->rax = c->tr.selector;
		break;
	case 15:
		/* Paging, write protection and protected mode stay on. */
		write_cr(v, 0, a | 0x80010001);
		break;
	case 17:
		apply_queue(v);
		write_cr(v, 3, a);
		break;
	case 18:
		write_cr(v, 4, a | CR4_PAE);
		break;
	case 23:
		asm volatile("wbinvd" : : : "memory");
		break;
	case 24:
		write_dr(v, a & 7, b);
		break;
	case 25:
		c->rax = read_dr(v, a & 7);
		break;
	case 26:
		c->rax = 0;
		break;
	case 28:
		write_cr(v, 0, c->cr0 & ~CR0_TS);
		break;
	case 35:
		if (!(u32)a)
			v->shared->interrupts = FLAG_IF;
		halt(v, (u32)a);
		break;
	case 36:
		shut_down(v, "reboot", false);
	case 37:
		if ((u32)a != 2)
			shut_down(v, (u32)a ? "guest crashed" : "power off", !(u32)a);
		v->state = VCPU_INIT;
		break;
	case 39:
		c->rax = set_entry(v, a, b);
		break;
	case 44:
		c->rax = allocate_page(a, b);
		break;
	case 45:
		c->rax = release_page(a);
		break;
	case 46:
		apply_queue(v);
		flush_page(v, a);
		break;
	case 47:
		apply_queue(v);
		flush_tlb(v);
		break;
	case 48:
		c->rax = BAD;
		if ((u32)a < ARRAY_SIZE(mappings)) {
			mappings[(u32)a] = (struct mapping){ b, v->regs[RDX], v->regs[RCX] };
			c->rax = 0;
		}
		break;
	case 62:
		c->rax = set_start_state(v, a, (u32)b);
		break;
	case 63:
		apic_write(v, a & 0xff0, (u32)b);
		break;
	case 64:
		c->rax = apic_read(v, a & 0xff0);
		break;
	case 66:
		c->rax = tsc_hz;
		break;
	case 68:
		c->rax = set_alarm(v, a, b, v->regs[RDX]);
		break;
	case 69:
		c->rax = cancel_alarm(v, a);
		break;
	case 70:
		c->rax = wallclock();
		break;
	case 71:
		/* The wall clock never jumps. */
		c->rax = 0;
		break;
	case 73:
		c->rax = v->regs[RDX] = 0;
		if (!(v->shared->lazy & 1))
			c->rax = apply_queue(v);
		break;
	default:
		inject(v, 6, false, 0);
	}
}
