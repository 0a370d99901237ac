/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Batches
 *
 * Each CPU has one queue of page-table entry updates.  Kernel code opens and
 * closes batches with the ops batch_enter and batch_leave; this header is
 * for backends, which queue into it, and for a kernel's interrupt entry,
 * which pauses it.
 *
 * Rules, each with a test:
 *
 * 1. Batches nest.  Only the outermost end flushes.  An end without a begin
 *    is reported and ignored.
 * 2. The queue is bounded (PV_BATCH_MAX).  A full queue flushes itself and
 *    goes on; nothing is lost and nobody waits.
 * 3. Outside a batch, and while paused, an update is submitted at once.
 * 4. Interrupts and exceptions that hit kernel mode: the entry code calls
 *    pv_batch_pause() before the handler and pv_batch_resume() after it, and
 *    does not switch contexts in between.  (In user mode nothing is open.)  Everything that the
 *    interrupted code had queued completely is submitted by the pause, so
 *    the handler sees it in the page tables; what the handler updates is
 *    real at once.  An update whose queueing was itself interrupted is not
 *    yet seen, and stays queued.  An NMI handler may update entries outside of
 *    a batch, as an interrupt's; it may come between any two instructions.
 *    A kernel without such entry code answers pv_port_in_interrupt(): then
 *    handlers do not queue either; an update or a flush of theirs submits
 *    first what waits, and they do not open batches of their own.
 * 5. Flush and end submit in order.  Write CR3, TLB flushes, table release,
 *    IPIs, context switch and CPU stop flush first.
 * 6. Each entry keeps the op and the caller that queued it.  An entry the
 *    hypervisor refuses is tried once more, alone and in its place: a refusal
 *    that passes loses no update.  It is reported with op, caller, error and
 *    what the second try gave, always, counted, and kept in a log of the last
 *    PV_BATCH_ERRORS.  Refused twice it is skipped, and counted as lost; the
 *    entries behind it are applied.  The same holds for every call that a
 *    backend makes outside of the queue and that can be made again.
 */
#ifndef PVOPS_BATCH_H
#define PVOPS_BATCH_H

#include "site.h"

/** PV_BATCH_MAX - entries in the queue of one CPU: one page of 16-byte requests */
#define PV_BATCH_MAX	256
/** PV_BATCH_ERRORS - refused entries remembered, machine-wide */
#define PV_BATCH_ERRORS	16

/**
 * struct pv_batch_req - one update, in the shape a hypervisor takes
 * @ptr: machine address of the entry, command in the low bits.  The layout is
 *	Xen's struct mmu_update (xen/include/public/xen.h), which needs no
 *	translation there; other backends define their own meaning
 * @val: new contents
 */
struct pv_batch_req {
	u64 ptr;
	u64 val;
};

/**
 * struct pv_batch_note - who queued a request
 * @caller: address of the code that used the op
 * @op: enum pv_op
 */
struct pv_batch_note {
	unsigned long caller;
	u32 op;
};

/**
 * PV_BATCH_CPU_INIT - in the place of an op: a backend sets a CPU up, which no op asks for
 */
#define PV_BATCH_CPU_INIT	((enum pv_op)PV_OP_COUNT)

/**
 * PV_BATCH_NOT_TRIED - result of the second try where there was none
 *
 * Where one would be wrong: what was asked for is no hypervisor's to refuse, or is
 * done by other means.
 */
#define PV_BATCH_NOT_TRIED	1

/** PV_BATCH_ERRNO_MAX - the highest errno there is; what a hypervisor says beyond is this */
#define PV_BATCH_ERRNO_MAX	4095

/**
 * pv_batch_errno - a hypercall's 64-bit result as an errno
 * @result: negative, it was refused; else it was not, whatever the number
 *
 * Returns 0 or a negative errno.  An int made of all of @result would lose the
 * refusals whose lower half is not negative.
 */
static __always_inline int pv_batch_errno(s64 result)
{
	if (__builtin_expect(result >= 0, 1))
		return 0;
	return result < -PV_BATCH_ERRNO_MAX ? -PV_BATCH_ERRNO_MAX : (int)result;
}

/**
 * struct pv_batch_error - one refused entry
 * @req: what was asked
 * @note: by whom
 * @error: negative errno as the hypervisor gave it
 * @again: of the second try: 0, a negative errno, or PV_BATCH_NOT_TRIED
 */
struct pv_batch_error {
	struct pv_batch_req req;
	struct pv_batch_note note;
	s32 error;
	s32 again;
};

/**
 * typedef pv_batch_submit_t - a backend's way to apply requests
 * @req: first request
 * @count: how many, 1..PV_BATCH_MAX
 * @done: set to the number applied, on success and on failure
 *
 * Called with interrupts masked.  Returns 0 if all were applied, whatever
 * *@done says, or a negative errno of request *@done; the core submits that
 * one once more, alone, reports it, and submits the rest again.
 */
typedef int (*pv_batch_submit_t)(const struct pv_batch_req *req, u32 count, u32 *done);

/**
 * struct pv_batch - the queue of one CPU
 * @req: requests; entries [@flushed, @used) are waiting
 * @note: who queued them
 * @used: end of the queue; only code at process level moves it
 * @flushed: start of what waits; an interrupt's pause moves it up to @used
 * @depth: open batches, per enum pv_batch_kind
 * @paused: pauses without their resume; nothing queues meanwhile
 * @flushes: submissions so far
 * @updates: requests submitted so far
 */
struct pv_batch {
	struct pv_batch_req req[PV_BATCH_MAX] __attribute__((aligned(4096)));
	struct pv_batch_note note[PV_BATCH_MAX];
	u32 used;
	u32 flushed;
	u32 depth[2];
	u32 paused;
	u64 flushes;
	u64 updates;
};

/** pv_batch_this_cpu - each CPU's queue; access with the port's per-CPU macros */
PV_PERCPU_DECLARE(struct pv_batch, pv_batch_this_cpu);

/**
 * pv_batch_submit - the backend's, of all CPUs; NULL while it has no batches
 *
 * Every submission goes through it: it is read-only once the kernel has started.
 */
extern pv_batch_submit_t pv_batch_submit;

/**
 * pv_batch_setup - give a CPU's queue its backend
 * @submit: see pv_batch_submit_t; the same on every CPU
 *
 * Context: the CPU itself, interrupts masked, from cpu_init().
 */
void pv_batch_setup(pv_batch_submit_t submit);

/**
 * pv_batch_begin, pv_batch_end - what batch_enter and batch_leave do in a
 * backend that queues
 * @kind: which updates may wait
 *
 * Context: preemption off.  Ending a PV_BATCH_CPU does not submit what a
 * backend keeps outside of this queue; the backend does that itself.
 */
void pv_batch_begin(enum pv_batch_kind kind);
void pv_batch_end(enum pv_batch_kind kind);

/** pv_batch_open - is a batch of this kind open, and not paused? */
bool pv_batch_open(enum pv_batch_kind kind);

/**
 * pv_batch_update - queue an update, or submit it if no batch is open
 * @op: the op, for the report
 * @caller: its caller, for the report
 * @ptr: request
 * @val: request
 *
 * Context: as set_pte.  Returns 0, or the error of an update submitted at
 * once and lost (already reported).
 */
int pv_batch_update(enum pv_op op, unsigned long caller, u64 ptr, u64 val);

/**
 * pv_batch_put - the next entry of a queue, which has room
 * @batch: this CPU's
 * @used: what @batch->used is
 * @op: the op
 * @caller: its caller
 * @ptr: request
 * @val: request
 */
static __always_inline void pv_batch_put(struct pv_batch *batch, u32 used, enum pv_op op,
					 unsigned long caller, u64 ptr, u64 val)
{
	batch->req[used].ptr = ptr;
	batch->req[used].val = val;
	batch->note[used].caller = caller;
	batch->note[used].op = op;
	/* Only now does the entry exist for an interrupt's pause. */
	asm volatile("" : : : "memory");
	batch->used = used + 1;
}

/**
 * pv_batch_append - pv_batch_update() with the common case in line
 * @op: the op
 * @caller: its caller
 * @ptr: request
 * @val: request
 *
 * The common case is an open batch with room.  Context: as set_pte.
 */
static __always_inline void pv_batch_append(enum pv_op op, unsigned long caller,
					    u64 ptr, u64 val)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	u32 used = batch->used;

	if (!batch->depth[PV_BATCH_MMU] || batch->paused || used == PV_BATCH_MAX ||
	    pv_port_in_interrupt())
		pv_batch_update(op, caller, ptr, val);
	else
		pv_batch_put(batch, used, op, caller, ptr, val);
}

/**
 * pv_batch_drain - submit everything that waits
 *
 * Context: any; the batch stays open.
 */
void pv_batch_drain(void);

/**
 * pv_batch_pause - interrupt or exception entry
 *
 * Context: interrupts masked, first thing before the handler.  Submits what
 * waits and closes all batches of this CPU for the handler.  Returns the
 * token for pv_batch_resume(); pairs may nest.
 */
u32 pv_batch_pause(void);

/**
 * pv_batch_resume - interrupt or exception exit
 * @token: from pv_batch_pause()
 *
 * Context: interrupts masked, last thing after the handler.  A batch that
 * the handler left open is reported and closed; what it updated is real.
 */
void pv_batch_resume(u32 token);

/**
 * pv_batch_refused - note and report an update that was refused
 * @req: what
 * @note: who
 * @error: negative errno
 * @again: of the second try: 0, a negative errno, or PV_BATCH_NOT_TRIED
 *
 * For backends whose updates do not go through the queue (multicalls).
 */
void pv_batch_refused(const struct pv_batch_req *req, const struct pv_batch_note *note,
		      s32 error, s32 again);

/**
 * pv_batch_error_count - refused updates since boot, all CPUs; each once
 */
u32 pv_batch_error_count(void);

/**
 * pv_batch_lost_count - of these, those that were refused twice
 */
u32 pv_batch_lost_count(void);

/**
 * pv_batch_error - look at one of the last PV_BATCH_ERRORS refused updates
 * @nr: 0 is the newest
 *
 * Returns NULL beyond what is remembered.
 */
const struct pv_batch_error *pv_batch_error(u32 nr);

#endif
