/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Fault injection
 *
 * For test kernels only: one whose <pvops_port.h> defines PV_PORT_INJECT.  In any
 * other, nothing of this is compiled and no hypercall is longer for it.
 *
 * Once armed, every Nth hypercall of a CPU fails as the hypervisor could have let
 * it fail: with each of the errors that this call can return, in turn; a list of
 * requests somewhere in the middle, with what comes before really done.  Which
 * errors, and which calls are left alone and why: inject.c of the backend.
 *
 * The layer reports every refusal (batch.h).  A report takes its fault off the
 * CPU's list again: when nothing runs, counted faults and reported ones are equal.
 * What the hypervisor itself has refused is counted apart: because of a fault, or not,
 * which the log says then.
 */
#ifndef PVOPS_INJECT_H
#define PVOPS_INJECT_H

#include "site.h"

#ifdef PV_PORT_INJECT

/**
 * struct pv_inject_counts - since boot, all CPUs
 * @calls: hypercalls that could have been made to fail, while armed
 * @injected: faults
 * @reported: of these, what the layer has reported
 * @followed: refusals reported that were the hypervisor's own, of what came with a fault
 *	and before its second try
 * @other: all others
 * @dropped: updates lost on purpose (PV_INJECT_DROP)
 */
struct pv_inject_counts {
	u64 calls;
	u64 injected;
	u64 reported;
	u64 followed;
	u64 other;
	u64 dropped;
};

/**
 * pv_inject_arm - from now on hypercalls fail
 * @text: "N[,SEED[,HOW]]", ending at a blank or 0.  Every Nth hypercall of a CPU fails,
 *	0: none any more; SEED (default 0) says where in a list of requests; HOW is
 *	"once" (default), "twice": the next one fails as well, which is the second
 *	try; or "drop": one single update of a page table, on or after the Nth hypercall,
 *	is answered with success and not done, for a test of who looks for that
 *
 * Context: process context, one at a time; other CPUs may be in hypercalls.  Returns
 * false, with one log line, if that is not what @text says.
 */
bool pv_inject_arm(const char *text);

/** pv_inject_read - the counters; @counts is filled */
void pv_inject_read(struct pv_inject_counts *counts);

/*
 * For backends.
 */

/**
 * pv_inject_due - shall this hypercall fail?  Counts it
 *
 * Context: where a hypercall is made that can be made to fail.
 */
bool pv_inject_due(void);

/** pv_inject_drops - is the fault that is due a lost update? */
bool pv_inject_drops(void);

/**
 * pv_inject_shows - would this update of an entry be missed?
 * @old: what is there
 * @val: what is to be there
 *
 * One that makes an entry, or takes the right to write away.  A right that is not
 * given is asked for again by the next fault, and heals.
 */
static __always_inline bool pv_inject_shows(u64 old, u64 val)
{
	return val & PV_PTE_PRESENT && (!(old & PV_PTE_PRESENT) ||
					(old & PV_PTE_RW && !(val & PV_PTE_RW)));
}

/** pv_inject_dropped - it was: the only one */
void pv_inject_dropped(void);

/** pv_inject_pick - a number below @count, another one each time */
u32 pv_inject_pick(u32 count);

/**
 * pv_inject_error - a fault happens here and now
 * @errors: positive errnos below PV_INJECT_ERRNOS, what the call can return; ends with 0
 * @turn: which one is next; the caller keeps it
 *
 * Counts the fault.  Returns the negative errno; it must come to pv_batch_refused().
 */
s32 pv_inject_error(const u8 *errors, u32 *turn);

/**
 * pv_inject_follows - the hypervisor refused what was made after a fault, before that
 * was tried again
 * @error: with this negative errno, which will come to pv_batch_refused()
 *
 * A list whose middle fails can have an end that needs it.
 */
void pv_inject_follows(s32 error);

/** PV_INJECT_ERRNOS - errnos are below */
#define PV_INJECT_ERRNOS	256

/*
 * For the core.
 */

/** pv_inject_reported - a refusal with this error was reported on this CPU, for this caller */
void pv_inject_reported(unsigned long caller, s32 error);

#else

static __always_inline void pv_inject_reported(unsigned long caller, s32 error)
{
	(void)caller;
	(void)error;
}

#endif
#endif
