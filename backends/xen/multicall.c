// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Multicalls: all changes of a context switch in one hypercall.
 *
 * Entries are added with events masked, so an interrupt's flush finds only complete
 * entries, and the queue stays that of this CPU.  An op that may not wait (no
 * PV_BATCH_CPU open, or paused by an interrupt) first flushes the waiting entries, to
 * keep the order.
 */
#include "internal.h"

#define ENTRIES	32
#define EXT_OPS	32

struct xen_queue {
	struct multicall_entry entry[ENTRIES];
	struct pv_batch_note note[ENTRIES];
	struct mmuext_op ext[EXT_OPS];
	u32 used;
	u32 ext_used;
};

static PV_PERCPU_DEFINE(struct xen_queue, xen_queue);

void pvxen_mc_init(void)
{
	struct xen_queue *queue = PV_PERCPU_PTR(xen_queue);

	queue->used = 0;
	queue->ext_used = 0;
}

/* Makes one entry's call by itself. */
static long make(const struct multicall_entry *entry)
{
	return pvxen_call4((u32)entry->op, entry->args[0], entry->args[1], entry->args[2],
			   entry->args[3]);
}

/* Retries a refused entry.  Returns false if Xen refuses the retry. */
static bool again(const struct pv_batch_note *note, struct multicall_entry *entry)
{
	const struct pv_batch_req req = { entry->args[0], entry->args[1] };
	const struct pv_batch_note named = { note->caller, note->op & ~XEN_QUIET_BIT };
	int error = pv_batch_errno((long)entry->result), second;

	/*
	 * A list whose call reports how much is done continues there.  The count begins
	 * at the list's start, which pin_entry() has copied: Xen changes the arguments of
	 * a call that it has interrupted.
	 */
	if (entry->op == __HYPERVISOR_mmuext_op && entry->args[2]) {
		u32 done = *(const u32 *)entry->args[2], count = (u32)entry->args[5];

		/* A wrong count must not lead beyond the list. */
		if (done >= count)
			done = count - 1;
		entry->args[0] = entry->args[4] + done * sizeof(struct mmuext_op);
		entry->args[1] = count - done;
	}
	second = pv_batch_errno(make(entry));
	entry->result = (unsigned long)(long)second;
	if (!second || !(note->op & XEN_QUIET_BIT))
		pv_batch_refused(&req, &named, error, second);
	return !second;
}

/* Events masked. */
static void flush(struct xen_queue *queue)
{
	u32 count = queue->used;
	u32 i;

	if (!count)
		return;
	queue->used = 0;
	queue->ext_used = 0;
	if (count == 1)
		queue->entry->result = (unsigned long)make(queue->entry);
	else
		/* Its own error is in the entries, too: those not made keep -EFAULT. */
		(void)pvxen_call2(__HYPERVISOR_multicall, (unsigned long)queue->entry, count);
	for (i = 0; i < count; i++) {
		if ((long)queue->entry[i].result >= 0 || again(&queue->note[i], &queue->entry[i]))
			continue;
		/* The copy of CR3 must not have a value that Xen refused. */
		if (queue->note[i].op == PV_OP_write_cr3)
			pvxen_cpu_registers_init();
	}
}

void pvxen_mc_flush(void)
{
	pv_flags_t flags;

	/* Of another CPU, if the task moves now; then nothing of the task is queued. */
	if (!PV_PERCPU_PTR(xen_queue)->used)
		return;
	flags = pvxen_save_fl();
	pvxen_irq_disable();
	flush(PV_PERCPU_PTR(xen_queue));
	pvxen_restore_fl(flags);
}

static void add(struct xen_queue *queue, enum pv_op op, unsigned long caller, u32 nr,
		unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4)
{
	u32 used = queue->used;

	pvxen_mc_entry(&queue->entry[used], nr, a1, a2, a3, a4);
	queue->note[used].caller = caller;
	queue->note[used].op = op;
	queue->used = used + 1;
}

void pvxen_mc_add(enum pv_op op, unsigned long caller, u32 nr, unsigned long a1,
		unsigned long a2, unsigned long a3)
{
	pv_flags_t flags = pvxen_save_fl();
	struct xen_queue *queue;

	pvxen_irq_disable();
	queue = PV_PERCPU_PTR(xen_queue);
	if (queue->used == ENTRIES)
		flush(queue);
	add(queue, op, caller, nr, a1, a2, a3, 0);
	if (!pv_batch_open(PV_BATCH_CPU))
		flush(queue);
	pvxen_restore_fl(flags);
}

void pvxen_mc_mmuext(enum pv_op op, unsigned long caller, const struct mmuext_op *ops, u32 count)
{
	pv_flags_t flags = pvxen_save_fl();
	struct xen_queue *queue;
	struct mmuext_op *to;
	u32 i;

	pvxen_irq_disable();
	queue = PV_PERCPU_PTR(xen_queue);
	if (queue->used == ENTRIES || queue->ext_used + count > EXT_OPS)
		flush(queue);
	to = &queue->ext[queue->ext_used];
	for (i = 0; i < count; i++)
		to[i] = ops[i];
	queue->ext_used += count;
	add(queue, op, caller, __HYPERVISOR_mmuext_op, (unsigned long)to, count, 0, DOMID_SELF);
	if (!pv_batch_open(PV_BATCH_CPU))
		flush(queue);
	pvxen_restore_fl(flags);
}

u32 pvxen_multicall(enum pv_op op, unsigned long caller, struct multicall_entry *entry, u32 count)
{
	const struct pv_batch_note note = { caller, op };
	u32 i, bad = 0;

	/* Its own error is in the entries, too: those not made keep -EFAULT. */
	(void)pvxen_call2(__HYPERVISOR_multicall, (unsigned long)entry, count);
	for (i = 0; i < count; i++)
		if ((long)entry[i].result < 0)
			bad += !again(&note, &entry[i]);
	return bad;
}
