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
 * 2. The queue is bounded (PV_BATCH_MAX).  A full queue is flushed, and the next
 *    update is queued; nothing is lost.
 * 3. Outside a batch, and while paused, an update is submitted at once.
 * 4. Interrupts and exceptions in kernel mode: the entry code calls
 *    pv_batch_pause() before the handler and pv_batch_resume() after it, and
 *    does not switch contexts in between.  (In user mode no batch is open.)  The
 *    pause submits every update that the interrupted code has queued completely,
 *    so the handler sees it in the page tables.  An update whose queueing was
 *    interrupted stays queued, and is not yet visible.  The handler's own updates
 *    are submitted at once.  An NMI may come between any two instructions; its
 *    handler updates entries as an interrupt handler does, outside of a batch.
 *    A kernel without such entry code answers pv_port_in_interrupt().  Then, in
 *    an interrupt handler, an update or a flush first submits the queue and then
 *    takes effect at once; the handler opens no batch of its own.
 * 5. A batch belongs to the task that opened it.  The kernel may preempt the task, but not
 *    inside an op: there pv_port_preempt_disable() holds.  The code that switches
 *    tasks calls pv_batch_switch_out() for the old one and pv_batch_switch_in() for the
 *    new one.  A kernel that never switches tasks in a batch needs neither.
 * 6. Flush and end submit in order.  A write of CR3, a TLB flush, the release of
 *    a table, an IPI, a context switch and the stop of a CPU flush first.
 * 7. Each entry keeps the op and the caller that queued it.  An entry that the
 *    hypervisor refuses is retried once, alone and in its place, so a transient
 *    refusal loses nothing.  Each refusal is reported with op, caller, error and
 *    the result of the retry, is counted, and is kept in a log of the last
 *    PV_BATCH_ERRORS.  An entry that is refused twice is skipped and counted as
 *    lost; the entries behind it are applied.  The same holds for every repeatable
 *    hypercall that a backend makes outside of the queue.
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
 * @ptr: machine address of the entry, with a command in the low bits.  The layout is
 *	that of Xen's struct mmu_update (xen/include/public/xen.h), so that backend xen
 *	need not translate it; other backends define their own meaning
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
 * PV_BATCH_CPU_INIT - pseudo-op for errors during CPU bring-up, which is not an op
 */
#define PV_BATCH_CPU_INIT	((enum pv_op)PV_OP_COUNT)

/**
 * PV_BATCH_NOT_TRIED - result of the retry where there was none
 *
 * There is no retry where the backend itself refused the request, or where it does the
 * work by other means.
 */
#define PV_BATCH_NOT_TRIED	1

/** PV_BATCH_ERRNO_MAX - the highest errno; a hypervisor's result beyond it is clamped to it */
#define PV_BATCH_ERRNO_MAX	4095

/**
 * pv_batch_errno - convert a hypercall's 64-bit result to an errno
 * @result: negative if the call was refused; any other number is success
 *
 * Returns 0 or a negative errno.  A plain conversion to int would lose the
 * refusals whose lower 32 bits are not negative.
 */
static __always_inline int pv_batch_errno(s64 result)
{
	if (__builtin_expect(result >= 0, 1))
		return 0;
	return result < -PV_BATCH_ERRNO_MAX ? -PV_BATCH_ERRNO_MAX : (int)result;
}

/**
 * struct pv_batch_error - one refused entry
 * @req: the request
 * @note: its op and caller
 * @error: negative errno from the hypervisor
 * @again: result of the retry: 0, a negative errno, or PV_BATCH_NOT_TRIED
 */
struct pv_batch_error {
	struct pv_batch_req req;
	struct pv_batch_note note;
	s32 error;
	s32 again;
};

/**
 * typedef pv_batch_submit_t - a backend's function that applies requests
 * @req: first request
 * @count: number of requests, 1..PV_BATCH_MAX
 * @done: set to the number of applied requests, on success and on failure
 *
 * Called with interrupts masked.  Returns 0 if all requests were applied; the
 * core then ignores *@done.  Else returns the negative errno of request *@done.
 * The core retries that request alone, reports it, and submits the rest.
 */
typedef int (*pv_batch_submit_t)(const struct pv_batch_req *req, u32 count, u32 *done);

/**
 * struct pv_batch - the queue of one CPU
 * @req: requests; entries [@flushed, @used) are waiting
 * @note: who queued them
 * @used: end of the queue; only code at process level changes it
 * @flushed: first waiting entry; an interrupt's pause moves it up to @used
 * @depth: open batches, per enum pv_batch_kind
 * @paused: number of pauses without their resume; while it is not 0, nothing queues
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

/** pv_batch_this_cpu - the queue of each CPU; use the port's per-CPU macros */
PV_PERCPU_DECLARE(struct pv_batch, pv_batch_this_cpu);

/**
 * pv_batch_submit - the backend's submit function for all CPUs; NULL if it has none
 *
 * Every submission calls through it, so it is read-only once the kernel has started.
 */
extern pv_batch_submit_t pv_batch_submit;

/**
 * pv_batch_setup - initialize this CPU's queue for a backend
 * @submit: see pv_batch_submit_t; the same on every CPU
 *
 * Context: the CPU itself, interrupts masked, from cpu_init().
 */
void pv_batch_setup(pv_batch_submit_t submit);

/**
 * pv_batch_begin, pv_batch_end - batch_enter and batch_leave of a backend that queues
 * @kind: which updates may wait
 *
 * Context: as batch_enter.  A backend that keeps requests outside of this queue submits
 * them itself at the end of a PV_BATCH_CPU.
 */
void pv_batch_begin(enum pv_batch_kind kind);
void pv_batch_end(enum pv_batch_kind kind);

/**
 * pv_batch_open - is a batch of this kind open, and not paused?
 * @kind: the kind
 *
 * Context: any.  The answer is about the calling task.
 */
bool pv_batch_open(enum pv_batch_kind kind);

/**
 * pv_batch_update - queue an update, or submit it if no batch is open
 * @op: the op, for the report
 * @caller: its caller, for the report
 * @ptr: request
 * @val: request
 *
 * Context: as set_pte, and preemption off.  Returns 0, or the error of an update that
 * was submitted at once and lost; it has been reported.
 */
int pv_batch_update(enum pv_op op, unsigned long caller, u64 ptr, u64 val);

/**
 * pv_batch_put - add an entry to a queue that has room
 * @batch: the queue of this CPU
 * @used: the value of @batch->used
 * @op: the op, for the report
 * @caller: its caller, for the report
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
	/* From here on an interrupt's pause submits the entry. */
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
	struct pv_batch *batch;
	u32 used;

	pv_port_preempt_disable();
	batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	used = batch->used;
	if (!batch->depth[PV_BATCH_MMU] || batch->paused || used == PV_BATCH_MAX ||
	    pv_port_in_interrupt())
		pv_batch_update(op, caller, ptr, val);
	else
		pv_batch_put(batch, used, op, caller, ptr, val);
	pv_port_preempt_enable();
}

/**
 * pv_batch_drain - submit everything that waits
 *
 * Context: any; the batch stays open.
 */
void pv_batch_drain(void);

/**
 * pv_batch_switch_out - close the batches of a task that leaves its CPU
 *
 * Submits the queue.  Returns the number of open PV_BATCH_MMU, for
 * pv_batch_switch_in().  The next task begins without a batch.
 * Context: scheduler, interrupts masked, no PV_BATCH_CPU open, not between
 * pv_batch_pause() and pv_batch_resume().
 */
u32 pv_batch_switch_out(void);

/**
 * pv_batch_switch_in - open the batches of a task that has come to this CPU
 * @depth: what pv_batch_switch_out() returned for the task; 0 for a new one
 *
 * Context: as pv_batch_switch_out(), on any CPU.
 */
void pv_batch_switch_in(u32 depth);

/**
 * pv_batch_pause - suspend batches at the entry of an interrupt or exception
 *
 * Submits the queue, and closes all batches of this CPU for the handler.
 * Context: interrupts masked, before anything else of the handler.  Returns the
 * token for pv_batch_resume(); pairs may nest.
 */
u32 pv_batch_pause(void);

/**
 * pv_batch_resume - continue batches at the exit of an interrupt or exception
 * @token: from pv_batch_pause()
 *
 * A batch that the handler left open is reported and closed; its updates have
 * taken effect.  Context: interrupts masked, after everything else of the handler, on
 * the CPU of the pause.
 *
 * Behind the outermost pair the kernel may switch tasks at once, interrupts still masked,
 * if the interrupted code had interrupts and preemption on.  The task may continue on
 * another CPU.
 */
void pv_batch_resume(u32 token);

/**
 * pv_batch_refused - count and report a refused update
 * @req: the request
 * @note: its op and caller
 * @error: negative errno
 * @again: result of the retry: 0, a negative errno, or PV_BATCH_NOT_TRIED
 *
 * For hypercalls that a backend makes outside of the queue, such as multicalls.
 */
void pv_batch_refused(const struct pv_batch_req *req, const struct pv_batch_note *note,
		      s32 error, s32 again);

/**
 * pv_batch_error_count - number of refused updates since boot, all CPUs; a retry
 * does not count again
 */
u32 pv_batch_error_count(void);

/**
 * pv_batch_lost_count - number of updates that were refused twice
 */
u32 pv_batch_lost_count(void);

/**
 * pv_batch_error - read one of the last PV_BATCH_ERRORS refused updates
 * @nr: 0 is the newest
 *
 * Returns NULL if there is no such update.
 */
const struct pv_batch_error *pv_batch_error(u32 nr);

#endif
