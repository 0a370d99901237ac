// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Batches; the rules are in batch.h.
 *
 * Process level and interrupt handlers share the queue, and appending does not mask
 * interrupts.  Only process level appends at used and moves it.  An interrupt's pause
 * only moves flushed up.  While paused, nothing queues.  A flush at process level sets
 * both positions to 0, with interrupts masked.
 */
#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/inject.h>
#include "internal.h"

#define DEPTH_BITS	8
#define DEPTH_MAX	((1U << DEPTH_BITS) - 1)

PV_PERCPU_DEFINE(struct pv_batch, pv_batch_this_cpu);

/* One for all CPUs, so that it can be read-only: every batch calls through it. */
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
	/* Not again: it is read-only when other CPUs start. */
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

/* The low bits of an entry's address hold the backend's level or kind of update. */
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
		/* A wrong count of a backend must not cause a loop or an overrun. */
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
 * May interrupt code that is about to move used, so it changes only flushed.
 * Interrupts masked.  An NMI may come between any two instructions and call this, too, so
 * one instruction takes all waiting entries.
 */
static void submit_waiting(struct pv_batch *batch)
{
	u32 used = batch->used;
	u32 from;

	/* Less: this interrupts a drain that has reset used but not yet flushed. */
	if (used <= batch->flushed)
		return;
	from = __atomic_exchange_n(&batch->flushed, used, __ATOMIC_RELAXED);
	if (used > from)
		submit(batch, &batch->req[from], &batch->note[from], used - from);
}

/* Preemption off. */
static void drain(struct pv_batch *batch)
{
	pv_flags_t flags;

	/* Paused: the pause has submitted everything, and the positions must stay. */
	if (!batch->used || batch->paused)
		return;
	flags = pv_save_fl();
	pv_irq_disable();
	submit_waiting(batch);
	if (!pv_port_in_interrupt()) {
		/* In this order: an NMI in between must find nothing that waits. */
		batch->used = 0;
		order();
		batch->flushed = 0;
	}
	pv_restore_fl(flags);
}

void pv_batch_drain(void)
{
	pv_port_preempt_disable();
	drain(PV_PERCPU_PTR(pv_batch_this_cpu));
	pv_port_preempt_enable();
}

/* Not in line: it would cost the update that is submitted at once. */
static __attribute__((__noinline__)) void put_behind_drain(enum pv_op op, unsigned long caller,
							   u64 ptr, u64 val)
{
	pv_batch_drain();
	pv_batch_put(PV_PERCPU_PTR(pv_batch_this_cpu), 0, op, caller, ptr, val);
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
		/* The interrupted code's updates are older. */
		submit_waiting(batch);
		error = submit(batch, &req, &note, 1);
		pv_restore_fl(flags);
		return error;
	}
	if (used == PV_BATCH_MAX)
		put_behind_drain(op, caller, ptr, val);
	else
		pv_batch_put(batch, used, op, caller, ptr, val);
	return 0;
}

static void begin(struct pv_batch *batch, enum pv_batch_kind kind, const void *caller)
{
	if (batch->depth[kind] == DEPTH_MAX) {
		pv_port_log("pvops: batch nested deeper than %u, begun at 0x%lx", DEPTH_MAX,
			    (unsigned long)caller);
		return;
	}
	batch->depth[kind]++;
	order();
}

void pv_batch_begin(enum pv_batch_kind kind)
{
	pv_port_preempt_disable();
	begin(PV_PERCPU_PTR(pv_batch_this_cpu), kind, PV_CALLER());
	pv_port_preempt_enable();
}

static void end(struct pv_batch *batch, enum pv_batch_kind kind, const void *caller)
{
	order();
	if (!batch->depth[kind]) {
		pv_port_log("pvops: batch end without a begin, at 0x%lx", (unsigned long)caller);
		return;
	}
	if (batch->depth[kind] == 1 && kind == PV_BATCH_MMU)
		drain(batch);
	batch->depth[kind]--;
}

void pv_batch_end(enum pv_batch_kind kind)
{
	pv_port_preempt_disable();
	end(PV_PERCPU_PTR(pv_batch_this_cpu), kind, PV_CALLER());
	pv_port_preempt_enable();
}

bool pv_batch_open(enum pv_batch_kind kind)
{
	const struct pv_batch *batch;
	bool open;

	pv_port_preempt_disable();
	batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	open = batch->depth[kind] && !batch->paused && !pv_port_in_interrupt();
	pv_port_preempt_enable();
	return open;
}

u32 pv_batch_switch_out(void)
{
	struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);
	u32 depth = batch->depth[PV_BATCH_MMU];

	drain(batch);
	batch->depth[PV_BATCH_MMU] = 0;
	return depth;
}

void pv_batch_switch_in(u32 depth)
{
	PV_PERCPU_PTR(pv_batch_this_cpu)->depth[PV_BATCH_MMU] = depth;
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
