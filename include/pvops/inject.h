/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Fault injection
 *
 * For test kernels only, whose <pvops_port.h> defines PV_PORT_INJECT.  In any other
 * kernel none of this is compiled, and hypercalls have no extra instruction.
 *
 * Once armed, every Nth hypercall of a CPU fails in a way that the real hypervisor has:
 * with each error that this call can return, in turn.  A list of requests fails
 * somewhere in the middle, and the requests before that point are really done.  The
 * backend's inject.c lists the errors, and the calls that never fail with the reason.
 * A kernel with preemption counts the hypercalls of all CPUs together, because a retry
 * may come from another CPU than the failed call.
 *
 * The layer reports every refusal (batch.h).  A report removes its fault from a list;
 * so, when no hypercall is in progress, the number of injected faults equals
 * the number of reported ones.  Refusals by the hypervisor itself are counted apart: those
 * that follow from a fault, and all others, which the log names.
 */
#ifndef PVOPS_INJECT_H
#define PVOPS_INJECT_H

#include "site.h"

#ifdef PV_PORT_INJECT

/**
 * struct pv_inject_counts - since boot, all CPUs
 * @calls: hypercalls that could fail by injection, while armed
 * @injected: injected faults
 * @reported: injected faults that the layer has reported
 * @followed: reported refusals by the hypervisor itself, of requests that were submitted
 *	together with a fault and before its retry
 * @other: all other reported refusals
 * @dropped: updates that were lost on purpose ("drop" of pv_inject_arm())
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
 * pv_inject_arm - start or stop the injection
 * @text: "N[,SEED[,HOW]]", ending at a blank or 0.  Every Nth hypercall of a CPU fails; 0
 *	stops the injection.  SEED (default 0) decides where a list of requests fails.
 *	HOW is "once" (default), "twice" (the next hypercall, which is the retry, fails
 *	as well) or "drop" (one single update of a page table, in or after the Nth
 *	hypercall, reports success and is not done, to test the code that looks for lost
 *	updates)
 *
 * Context: process context, one caller at a time; other CPUs may be in hypercalls.
 * Returns false after one log line if @text has another form.
 */
bool pv_inject_arm(const char *text);

/** pv_inject_read - read the counters into @counts */
void pv_inject_read(struct pv_inject_counts *counts);

/*
 * For backends.
 */

/**
 * pv_inject_due - count this hypercall; returns true if it shall fail
 *
 * Context: at each hypercall that can fail by injection.
 */
bool pv_inject_due(void);

/** pv_inject_drops - true if the due fault is a lost update */
bool pv_inject_drops(void);

/**
 * pv_inject_shows - true if the loss of this update can be noticed
 * @old: the present entry
 * @val: the new entry
 *
 * It can if the update makes an entry present or removes write permission.  A missing
 * grant of permission cannot: the next page fault repairs it.
 */
static __always_inline bool pv_inject_shows(u64 old, u64 val)
{
	return val & PV_PTE_PRESENT && (!(old & PV_PTE_PRESENT) ||
					(old & PV_PTE_RW && !(val & PV_PTE_RW)));
}

/** pv_inject_dropped - the update was lost; no further one will be */
void pv_inject_dropped(void);

/** pv_inject_pick - return a number below @count, a different one each time */
u32 pv_inject_pick(u32 count);

/**
 * pv_inject_error - count a fault and choose its error
 * @errors: positive errnos below PV_INJECT_ERRNOS that the call can return; ends with 0
 * @turn: index of the next one; the caller keeps it
 *
 * Returns the negative errno, which the caller passes to pv_batch_refused().
 */
s32 pv_inject_error(const u8 *errors, u32 *turn);

/**
 * pv_inject_follows - count a refusal by the hypervisor itself that a fault has caused
 * @error: its negative errno, which the caller passes to pv_batch_refused()
 *
 * Where the middle of a list fails, later requests may depend on it; the hypervisor
 * refuses them before the middle is retried.
 */
void pv_inject_follows(s32 error);

/** PV_INJECT_ERRNOS - upper limit (exclusive) of errnos in these lists */
#define PV_INJECT_ERRNOS	256

/*
 * For the core.
 */

/** pv_inject_reported - match a reported refusal, by caller and error, with injected faults */
void pv_inject_reported(unsigned long caller, s32 error);

#else

static __always_inline void pv_inject_reported(unsigned long caller, s32 error)
{
	(void)caller;
	(void)error;
}

#endif
#endif
