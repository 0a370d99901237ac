// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Batches; the rules are in batch.h.
 *
 * The queue is shared with interrupt handlers without masking on the way in:
 * process level appends at used and is the only one to move it, an
 * interrupt's pause only moves flushed up, and while paused nothing queues.
 * Positions go back to 0 in a flush at process level, with interrupts masked.
 */
#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/inject.h>
#include "internal.h"

#define DEPTH_BITS	8
#define DEPTH_MAX	((1U << DEPTH_BITS) - 1)

PV_PERCPU_DEFINE(struct pv_batch, pv_batch_this_cpu);

/* One for all CPUs: a pointer that every batch goes through must not stay writable. */
pv_batch_submit_t pv_batch_submit PV_RO_AFTER_INIT;

static struct pv_batch_error errors[PV_BATCH_ERRORS];
static u32 error_count, lost_count;

#define order()	asm volatile("" : : : "memory")

void pv_batch_setup(pv_batch_submit_t submit)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	batch->used = 0;
	batch->flushed = 0;
	batch->depth[PV_BATCH_MMU] = 0;
	batch->depth[PV_BATCH_CPU] = 0;
	batch->paused = 0;
	/* Read-only by the time other CPUs come. */
	if (pv_batch_submit != submit)
		pv_batch_submit = submit;
}

u32 pv_batch_error_count(void)
{
	return __atomic_load_n(&error_count, __ATOMIC_RELAXED);
}

u32 pv_batch_lost_count(void)
{
	return __atomic_load_n(&lost_count, __ATOMIC_RELAXED);
}

const struct pv_batch_error *pv_batch_error(u32 nr)
{
	u32 count = pv_batch_error_count();

	if (nr >= count || nr >= PV_BATCH_ERRORS)
		return NULL;
	return &errors[(count - 1 - nr) % PV_BATCH_ERRORS];
}

static const char *name_of(u32 op)
{
	if (op == PV_BATCH_CPU_INIT)
		return "cpu_init";
	return op < PV_OP_COUNT ? pv_op_info[op].name : "?";
}

/* Of an entry's address the low bits are the backend's: its level, or a kind of update. */
static u64 shown_ptr(const struct pv_batch_req *req, u32 op)
{
	bool entry = (op >= PV_OP_set_pte && op <= PV_OP_set_p4d) ||
		     op == PV_OP_ptep_modify_prot_commit;

	return entry ? req->ptr & ~7ULL : req->ptr;
}

void pv_batch_refused(const struct pv_batch_req *req, const struct pv_batch_note *note,
		      s32 error, s32 again)
{
	char outcome[32] = "good";
	u32 nr = __atomic_fetch_add(&error_count, 1, __ATOMIC_RELAXED);
	struct pv_batch_error *kept = &errors[nr % PV_BATCH_ERRORS];

	kept->req = *req;
	kept->note = *note;
	kept->error = error;
	kept->again = again;
	if (again < 0) {
		__atomic_fetch_add(&lost_count, 1, __ATOMIC_RELAXED);
		pv_port_format(outcome, sizeof(outcome), "error %d, lost", again);
	}
	pv_port_log("pvops: %s refused: error %d, entry 0x%llx, value 0x%llx, caller 0x%lx; second try: %s",
		    name_of(note->op), error, (unsigned long long)shown_ptr(req, note->op),
		    (unsigned long long)req->val, note->caller,
		    again == PV_BATCH_NOT_TRIED ? "none" : outcome);
	pv_inject_reported(note->caller, error);
	if (again < 0)
		pv_inject_reported(note->caller, again);
}

/* Interrupts masked. */
static int submit(struct pv_batch *batch, const struct pv_batch_req *req,
		  const struct pv_batch_note *note, u32 count)
{
	int first_error = 0;

	batch->updates += count;
	while (count) {
		u32 done = 0, one;
		int error = pv_batch_submit(req, count, &done), again;

		batch->flushes++;
		if (!error)
			break;
		/* A backend that counts wrong must not make us loop or overrun. */
		if (done >= count)
			done = count - 1;
		again = pv_batch_submit(&req[done], 1, &one);
		batch->flushes++;
		pv_batch_refused(&req[done], &note[done], error, again);
		if (!first_error)
			first_error = again;
		req += done + 1;
		note += done + 1;
		count -= done + 1;
	}
	return first_error;
}

/*
 * On top of code that may be about to move used: all that may change is how
 * much of the queue is done.  Interrupts masked; an NMI may come between any
 * two instructions and do the same, so what waits is taken in one.
 */
static void submit_waiting(struct pv_batch *batch)
{
	u32 used = batch->used;
	u32 from;

	/* Less: on top of a drain that has emptied the queue, and not yet said so. */
	if (used <= batch->flushed)
		return;
	from = __atomic_exchange_n(&batch->flushed, used, __ATOMIC_RELAXED);
	if (used > from)
		submit(batch, &batch->req[from], &batch->note[from], used - from);
}

void pv_batch_drain(void)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	pv_flags_t flags;

	/* Paused: the pause has submitted everything, and positions must stay. */
	if (!batch->used || batch->paused)
		return;
	flags = pv_save_fl();
	pv_irq_disable();
	submit_waiting(batch);
	if (!pv_port_in_interrupt()) {
		/* In this order: in between nothing may seem to wait. */
		batch->used = 0;
		order();
		batch->flushed = 0;
	}
	pv_restore_fl(flags);
}

int pv_batch_update(enum pv_op op, unsigned long caller, u64 ptr, u64 val)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	u32 used = batch->used;

	if (!batch->depth[PV_BATCH_MMU] || batch->paused || pv_port_in_interrupt()) {
		const struct pv_batch_req req = { ptr, val };
		const struct pv_batch_note note = { caller, op };
		pv_flags_t flags = pv_save_fl();
		int error;

		pv_irq_disable();
		/* What the interrupted code has queued came first. */
		submit_waiting(batch);
		error = submit(batch, &req, &note, 1);
		pv_restore_fl(flags);
		return error;
	}
	if (used == PV_BATCH_MAX) {
		pv_batch_drain();
		used = 0;
	}
	pv_batch_put(batch, used, op, caller, ptr, val);
	return 0;
}

void pv_batch_begin(enum pv_batch_kind kind)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	if (batch->depth[kind] == DEPTH_MAX) {
		pv_port_log("pvops: batch nested deeper than %u, begun at 0x%lx", DEPTH_MAX,
			    (unsigned long)PV_CALLER());
		return;
	}
	batch->depth[kind]++;
	order();
}

void pv_batch_end(enum pv_batch_kind kind)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	order();
	if (!batch->depth[kind]) {
		pv_port_log("pvops: batch ended that was not begun, at 0x%lx",
			    (unsigned long)PV_CALLER());
		return;
	}
	if (batch->depth[kind] == 1 && kind == PV_BATCH_MMU)
		pv_batch_drain();
	batch->depth[kind]--;
}

bool pv_batch_open(enum pv_batch_kind kind)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	return batch->depth[kind] && !batch->paused && !pv_port_in_interrupt();
}

u32 pv_batch_pause(void)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	u32 token = batch->depth[PV_BATCH_MMU] | batch->depth[PV_BATCH_CPU] << DEPTH_BITS;

	batch->depth[PV_BATCH_MMU] = 0;
	batch->depth[PV_BATCH_CPU] = 0;
	batch->paused++;
	submit_waiting(batch);
	return token;
}

void pv_batch_resume(u32 token)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	if (batch->depth[PV_BATCH_MMU] | batch->depth[PV_BATCH_CPU])
		pv_port_log("pvops: interrupt handler left a batch open; closed at 0x%lx",
			    (unsigned long)PV_CALLER());
	batch->paused--;
	batch->depth[PV_BATCH_MMU] = token & DEPTH_MAX;
	batch->depth[PV_BATCH_CPU] = token >> DEPTH_BITS;
}
