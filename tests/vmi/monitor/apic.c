// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The local APIC of each virtual CPU (APM vol. 2 chapter 16, xAPIC mode): IRR and
 * ISR, priorities, ICR, one timer.  The timer of the machine's CPU serves the
 * earliest alarm of its virtual CPU.
 */
#include "monitor.h"
#include "rom.h"

#define REG_ID		0x020
#define REG_VERSION	0x030
#define REG_TPR		0x080
#define REG_PPR		0x0a0
#define REG_EOI		0x0b0
#define REG_LDR		0x0d0
#define REG_DFR		0x0e0
#define REG_SPURIOUS	0x0f0
#define REG_ISR		0x100
#define REG_TMR		0x180
#define REG_IRR		0x200
#define REG_ESR		0x280
#define REG_ICR_LOW	0x300
#define REG_ICR_HIGH	0x310
#define REG_LVT_TIMER	0x320
#define REG_LVT_FIRST	0x330
#define REG_LVT_LAST	0x370
#define REG_INITIAL	0x380
#define REG_CURRENT	0x390
#define REG_DIVIDE	0x3e0

#define LVT_MASKED	0x10000
#define LVT_PERIODIC	0x20000
#define ENABLED		0x100

void apic_reset(struct vcpu *v)
{
	struct apic *a = &v->apic;
	u32 id = v->id, i;

	memset(a, 0, sizeof(*a));
	a->id = id;
	a->dfr = ~0U;
	a->spurious = 0xff;
	a->lvt_timer = LVT_MASKED;
	for (i = 0; i < ARRAY_SIZE(a->lvt_other); i++)
		a->lvt_other[i] = LVT_MASKED;
	for (i = 0; i < ALARMS; i++)
		v->alarms[i].deadline = ~0ULL;
	v->vmcb->int_ctl &= ~V_IRQ;
}

static u32 highest(const u64 *bits)
{
	u32 i;

	for (i = 4; i-- > 0;) {
		u64 word = __atomic_load_n(&bits[i], __ATOMIC_RELAXED);

		if (word)
			return i * 64 + 63 - (u32)__builtin_clzll(word);
	}
	return 0;
}

u32 apic_next(struct vcpu *v)
{
	struct apic *a = &v->apic;
	const volatile u64 *irr = a->irr;
	u32 vector, busy;

	if (!(irr[0] | irr[1] | irr[2] | irr[3]))
		return 0;
	vector = highest(a->irr);
	busy = highest(a->isr);
	if (vector >> 4 <= busy >> 4 || vector >> 4 <= a->tpr >> 4)
		return 0;
	return vector;
}

void apic_take(struct vcpu *v, u32 vector)
{
	__atomic_and_fetch(&v->apic.irr[vector / 64], ~(1ULL << vector % 64), __ATOMIC_SEQ_CST);
	v->apic.isr[vector / 64] |= 1ULL << vector % 64;
}

void apic_raise(struct vcpu *v, u32 vector)
{
	__atomic_or_fetch(&v->apic.irr[vector / 64], 1ULL << vector % 64, __ATOMIC_SEQ_CST);
}

/*
 * Offers the next interrupt by V_IRQ: the CPU takes it as soon as the guest's IF
 * allows, without another exit.  If V_IRQ is still set at the next exit, the
 * interrupt was not taken, and the choice is made again from IRR.
 */
void apic_before_entry(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	u32 vector = apic_next(v);

	v->apic.offered = vector;
	if (!vector)
		return;
	c->int_ctl |= V_IRQ;
	c->int_vector = vector;
}

void apic_after_exit(struct vcpu *v)
{
	if (!v->apic.offered)
		return;
	if (!(v->vmcb->int_ctl & V_IRQ))
		apic_take(v, v->apic.offered);
	v->vmcb->int_ctl &= ~V_IRQ;
	v->apic.offered = 0;
}

/* --- alarms --- */

static void timer_arm(struct vcpu *v)
{
	u64 first = ~0ULL, now, ticks;
	u32 i;

	for (i = 0; i < ALARMS; i++)
		if (v->alarms[i].deadline < first)
			first = v->alarms[i].deadline;
	v->armed = first;
	if (first == ~0ULL) {
		host_apic_write(REG_INITIAL, 0);
		return;
	}
	now = rdtsc();
	/* Rounded up, so that the timer is not early. */
	ticks = first <= now ? 1 :
		(u64)((unsigned __int128)(first - now) * apic_per_tsc >> 32) + 1;
	host_apic_write(REG_INITIAL, ticks > ~0U ? ~0U : (u32)ticks);
}

void alarm_set(struct vcpu *v, u32 nr, u64 deadline, u64 period)
{
	v->alarms[nr].deadline = deadline;
	v->alarms[nr].period = period;
	timer_arm(v);
}

void alarms_check(struct vcpu *v)
{
	u64 now = rdtsc();
	u32 i;

	if (v->armed == ~0ULL)
		return;
	for (i = 0; i < ALARMS; i++) {
		struct alarm *a = &v->alarms[i];

		if (now < a->deadline)
			continue;
		if (!(v->apic.lvt_timer & LVT_MASKED) && (v->apic.lvt_timer & 0xff) >= 16)
			apic_raise(v, v->apic.lvt_timer & 0xff);
		if (a->period)
			a->deadline += (now - a->deadline) / a->period * a->period + a->period;
		else
			a->deadline = ~0ULL;
	}
	/* Also if none was due: a deadline beyond the timer's range takes several steps. */
	timer_arm(v);
}

/* Divide configuration: 2 to the power of this (figure 16-12). */
static u32 divide_shift(const struct apic *a)
{
	return (((a->divide & 3) | (a->divide >> 1 & 4)) + 1) & 7;
}

static u64 ticks_to_tsc(const struct apic *a, u32 ticks)
{
	return (u64)((unsigned __int128)((u64)ticks << divide_shift(a)) * tsc_per_apic >> 32);
}

static void timer_start(struct vcpu *v, u32 initial)
{
	struct apic *a = &v->apic;
	u64 ticks = ticks_to_tsc(a, initial);

	a->initial = initial;
	alarm_set(v, ALARM_APIC, initial ? rdtsc() + ticks + 1 : ~0ULL,
		  a->lvt_timer & LVT_PERIODIC ? ticks : 0);
}

static u32 timer_current(struct vcpu *v)
{
	u64 now = rdtsc(), deadline = v->alarms[ALARM_APIC].deadline;
	u64 left;

	if (deadline == ~0ULL || deadline <= now)
		return 0;
	left = (u64)((unsigned __int128)(deadline - now) * apic_per_tsc >> 32) >>
	       divide_shift(&v->apic);
	return left > v->apic.initial ? v->apic.initial : (u32)left;
}

/* --- interrupts between CPUs --- */

static void send_to(struct vcpu *target, u32 command)
{
	switch (command >> 8 & 7) {
	case 0: case 1:
		if ((command & 0xff) >= 16)
			apic_raise(target, command & 0xff);
		break;
	case 4:
		target->nmi = true;
		break;
	case 5:
		/* INIT; its de-assertion is ignored. */
		if (command & 0x4000)
			__atomic_store_n(&target->wish, 1, __ATOMIC_SEQ_CST);
		break;
	case 6:
		target->start_page = command & 0xff;
		__atomic_or_fetch(&target->wish, 2, __ATOMIC_SEQ_CST);
		break;
	}
	vcpu_kick(target);
}

void apic_deliver(u32 command, u32 destination, bool logical)
{
	u32 i;

	for (i = 0; i < cpu_count; i++) {
		struct vcpu *target = &vcpus[i];

		if (destination == 0xff || (logical ? destination & target->apic.ldr >> 24 :
					    destination == target->apic.id))
			send_to(target, command);
	}
}

static void send(struct vcpu *v, u32 command)
{
	u32 shorthand = command >> 18 & 3, i;

	if (!shorthand) {
		apic_deliver(command, v->apic.icr_high >> 24, command & 0x800);
		return;
	}
	for (i = 0; i < cpu_count; i++) {
		struct vcpu *target = &vcpus[i];

		if (shorthand == 2 || (shorthand == 1) == (target == v))
			send_to(target, command);
	}
}

/* --- registers --- */

u32 apic_read(struct vcpu *v, u32 reg)
{
	struct apic *a = &v->apic;

	if (reg >= REG_ISR && reg < REG_ISR + 0x80)
		return (u32)(a->isr[(reg - REG_ISR) / 32] >> (reg & 0x10) * 2);
	if (reg >= REG_IRR && reg < REG_IRR + 0x80)
		return (u32)(a->irr[(reg - REG_IRR) / 32] >> (reg & 0x10) * 2);
	if (reg >= REG_LVT_FIRST && reg <= REG_LVT_LAST)
		return a->lvt_other[(reg - REG_LVT_FIRST) / 16];
	switch (reg) {
	case REG_ID:
		return a->id << 24;
	case REG_VERSION:
		return 0x50014;
	case REG_TPR:
		return a->tpr;
	case REG_PPR:
		return highest(a->isr) >> 4 > a->tpr >> 4 ? highest(a->isr) & 0xf0 : a->tpr;
	case REG_LDR:
		return a->ldr;
	case REG_DFR:
		return a->dfr;
	case REG_SPURIOUS:
		return a->spurious;
	case REG_ICR_LOW:
		return a->icr_low;
	case REG_ICR_HIGH:
		return a->icr_high;
	case REG_LVT_TIMER:
		return a->lvt_timer;
	case REG_INITIAL:
		return a->initial;
	case REG_CURRENT:
		return timer_current(v);
	case REG_DIVIDE:
		return a->divide;
	}
	return 0;
}

void apic_write(struct vcpu *v, u32 reg, u32 val)
{
	struct apic *a = &v->apic;
	u32 vector;

	if (reg >= REG_LVT_FIRST && reg <= REG_LVT_LAST) {
		a->lvt_other[(reg - REG_LVT_FIRST) / 16] = val;
		return;
	}
	switch (reg) {
	case REG_TPR:
		a->tpr = val & 0xff;
		break;
	case REG_EOI:
		vector = highest(a->isr);
		a->isr[vector / 64] &= ~(1ULL << vector % 64);
		break;
	case REG_LDR:
		a->ldr = val;
		break;
	case REG_DFR:
		a->dfr = val;
		break;
	case REG_SPURIOUS:
		a->spurious = val;
		break;
	case REG_ICR_LOW:
		/* Delivery is immediate, so it is never pending. */
		a->icr_low = val & ~0x1000U;
		send(v, val);
		break;
	case REG_ICR_HIGH:
		a->icr_high = val;
		break;
	case REG_LVT_TIMER:
		a->lvt_timer = val;
		break;
	case REG_INITIAL:
		timer_start(v, val);
		break;
	case REG_DIVIDE:
		a->divide = val;
		break;
	}
}
