// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Fault injection: when a hypercall fails, and the counters.  See inject.h. */
#include <pvops/inject.h>
#include "internal.h"

#ifdef PV_PORT_INJECT

enum how { ONCE, TWICE, DROP };

/*
 * State of one CPU.  An interrupt between two statements may shift a fault by a
 * hypercall, which is harmless.  The lists of faults must be exact, so one instruction
 * changes each.
 */
struct inject {
	u32 since;
	u32 random;
	/* "twice": the next hypercall, a retry, fails as well. */
	bool next;
	/* The due fault is that of a retry. */
	bool second;
};

#ifdef PV_PORT_PREEMPTION
/* For all CPUs: a preempted task may make its retry on another one. */
static struct inject pv_inject_all;
#define this_inject()	(&pv_inject_all)
#else
static PV_PERCPU_DEFINE(struct inject, pv_inject_this_cpu);
#define this_inject()	PV_PERCPU_PTR(pv_inject_this_cpu)
#endif

/*
 * Not yet reported, by errno: injected faults; refusals that these have caused.  For all
 * CPUs, because a preempted task may report on another one.
 */
static u32 waiting[PV_INJECT_ERRNOS];
static u32 following[PV_INJECT_ERRNOS];

static u32 every;
static u32 seed;
static enum how how;
static struct pv_inject_counts counted;

#define count(what)	__atomic_fetch_add(&counted.what, 1, __ATOMIC_RELAXED)

static void add(u32 *number)
{
	__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

static bool take(u32 *number)
{
	u32 old = __atomic_load_n(number, __ATOMIC_RELAXED);

	while (old)
		if (__atomic_compare_exchange_n(number, &old, old - 1, true, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

static bool number(const char **text, u32 *val)
{
	const char *at = *text;
	u64 sum = 0;

	while (*at >= '0' && *at <= '9' && sum < 1U << 31)
		sum = sum * 10 + (u64)(*at++ - '0');
	if (at == *text || sum >= 1U << 31)
		return false;
	*text = at;
	*val = (u32)sum;
	return true;
}

static bool ends(const char *text)
{
	return !*text || *text == ' ' || *text == '\n';
}

static bool word(const char *text, enum how *val)
{
	static const char *const names[] = { "once", "twice", "drop" };
	u32 i, n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (n = 0; names[i][n] && names[i][n] == text[n]; n++)
			;
		if (!names[i][n] && ends(text + n)) {
			*val = (enum how)i;
			return true;
		}
	}
	return false;
}

bool pv_inject_arm(const char *text)
{
	const char *at = text;
	u32 new_every, new_seed = 0;
	enum how new_how = ONCE;
	bool good = number(&at, &new_every);

	if (good && *at == ',') {
		at++;
		good = number(&at, &new_seed);
		if (good && *at == ',') {
			at++;
			good = word(at, &new_how);
			at = "";
		}
	}
	if (!good || !ends(at)) {
		pv_port_log("pvops: fault=%s: expected N[,SEED[,once|twice|drop]]", text);
		return false;
	}
	__atomic_store_n(&every, 0, __ATOMIC_SEQ_CST);
	seed = new_seed;
	how = new_how;
	__atomic_store_n(&every, new_every, __ATOMIC_SEQ_CST);
	return true;
}

void pv_inject_read(struct pv_inject_counts *counts)
{
#define READ(what)	.what = __atomic_load_n(&counted.what, __ATOMIC_RELAXED)
	*counts = (struct pv_inject_counts){
		READ(calls), READ(injected), READ(reported), READ(followed), READ(other),
		READ(dropped),
	};
}

bool pv_inject_due(void)
{
	u32 n = __atomic_load_n(&every, __ATOMIC_ACQUIRE);
	struct inject *inject;

	if (!n)
		return false;
	inject = this_inject();
	count(calls);
	inject->second = inject->next;
	inject->next = false;
	if (inject->second)
		return true;
	/* 0 directly after a fault: the next hypercall is the retry. */
	if (++inject->since < n)
		return false;
	inject->since = 0;
	return true;
}

bool pv_inject_drops(void)
{
	return how == DROP;
}

void pv_inject_dropped(void)
{
	__atomic_store_n(&every, 0, __ATOMIC_SEQ_CST);
	count(dropped);
}

u32 pv_inject_pick(u32 below)
{
	struct inject *inject = this_inject();

	/* The generator of Numerical Recipes; its high bits are the more random ones. */
	inject->random = inject->random * 1664525 + 1013904223 + seed;
	return (u32)((u64)inject->random * below >> 32);
}

s32 pv_inject_error(const u8 *errors, u32 *turn)
{
	struct inject *inject = this_inject();
	u32 nr = __atomic_fetch_add(turn, 1, __ATOMIC_RELAXED), end;

	for (end = 0; errors[end]; end++)
		;
	nr = errors[nr % end];
	count(injected);
	add(&waiting[nr]);
	inject->next = how == TWICE && !inject->second;
	return -(s32)nr;
}

void pv_inject_follows(s32 error)
{
	if (error < 0 && error > -PV_INJECT_ERRNOS)
		add(&following[-error]);
}

void pv_inject_reported(unsigned long caller, s32 error)
{
	u32 nr = (u32)-error;

	if (nr < PV_INJECT_ERRNOS && take(&waiting[nr])) {
		count(reported);
	} else if (nr < PV_INJECT_ERRNOS && take(&following[nr])) {
		count(followed);
	} else {
		count(other);
		pv_port_log("pvops: error %d for caller 0x%lx was not injected, nor caused by an injected fault",
			    error, caller);
	}
}

#endif
