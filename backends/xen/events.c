// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Event channels (2-level ABI): upcall, IPIs, lock kicks.  PV and hardware-virtualized
 * guests share this file; each has its own way to enter the upcall.
 *
 * Every channel of this backend stays bound to one vCPU.  Pending bits of all vCPUs share
 * words, so each CPU reads only the bits of its own ports.
 */
#include "internal.h"

#define PORTS		4096
#define PORT_WORDS	64

struct xen_ports {
	u64 word[PORT_WORDS];
};

/* Ports whose events this CPU handles. */
static PV_PERCPU_DEFINE(struct xen_ports, xen_ports);

/* The kernel's vector of each port. */
static u8 vector_of[PORTS];

static u32 ipi_port[PV_MAX_CPUS][PV_IPI_COUNT];
static u32 kick_port[PV_MAX_CPUS];
static bool bound[PV_MAX_CPUS];

_Static_assert(PV_VECTOR_IPI + PV_IPI_COUNT <= 256, "vectors are bytes");

static void atomic_or(u64 *word, u64 bits)
{
	__atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static void atomic_clear(u64 *word, u64 bits)
{
	__atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
}

static u64 *pending_word(u32 port)
{
	return (u64 *)&pvxen_shared->evtchn_pending[port / 64];
}

static u64 *mask_word(u32 port)
{
	return (u64 *)&pvxen_shared->evtchn_mask[port / 64];
}

static void own(u32 port, u32 vector)
{
	vector_of[port] = (u8)vector;
	PV_PERCPU_PTR(xen_ports)->word[port / 64] |= 1UL << port % 64;
	atomic_clear(mask_word(port), 1UL << port % 64);
}

/* 0 is never a valid port. */
static u32 bind_ipi(u32 cpu)
{
	struct evtchn_bind_ipi bind = { .vcpu = cpu };
	long error = pvxen_check(pvxen_evtchn_op(EVTCHNOP_bind_ipi, &bind), PV_BATCH_CPU_INIT,
				 XEN_CALLER(), cpu, 0);

	if (error || bind.port >= PORTS) {
		pv_port_log("pvops: xen: CPU %u: no event channel for IPIs, error %ld", cpu, error);
		return 0;
	}
	return bind.port;
}

static void bind_timer(u32 cpu)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_TIMER, .vcpu = cpu };
	long error = pvxen_check(pvxen_evtchn_op(EVTCHNOP_bind_virq, &bind), PV_BATCH_CPU_INIT,
				 XEN_CALLER(), cpu, VIRQ_TIMER);

	if (error || bind.port >= PORTS)
		pv_port_log("pvops: xen: CPU %u: no event channel for the timer, error %ld",
			    cpu, error);
	else
		own(bind.port, PV_VECTOR_TIMER);
}

void pvxen_events_init(u32 cpu)
{
	u32 i;

	if (bound[cpu])
		return;
	bound[cpu] = true;

	bind_timer(cpu);
	for (i = 0; i < PV_IPI_COUNT; i++) {
		u32 port = bind_ipi(cpu);

		if (port)
			own(port, PV_VECTOR_IPI + i);
		ipi_port[cpu][i] = port;
	}
	/* Masked, so that a kick ends a poll but makes no upcall. */
	i = bind_ipi(cpu);
	if (i)
		atomic_or(mask_word(i), 1UL << i % 64);
	kick_port[cpu] = i;
}

/*
 * evtchn_upcall_pending is cleared before the words are read: a later event sets it
 * again (xen.h).
 */
void pvxen_upcall(u32 vector)
{
	struct vcpu_info *info = PV_PERCPU_PTR(pvxen_vcpu_info);
	const u64 *mine = PV_PERCPU_PTR(xen_ports)->word;

	(void)vector;
	do {
		u64 words;

		*(volatile u8 *)&info->evtchn_upcall_pending = 0;
		words = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		while (words) {
			u32 nr = (u32)__builtin_ctzll(words);
			u64 *pending = pending_word(nr * 64);
			u64 bits;

			words &= words - 1;
			bits = __atomic_load_n(pending, __ATOMIC_RELAXED) & mine[nr] &
			       ~__atomic_load_n(mask_word(nr * 64), __ATOMIC_RELAXED);
			while (bits) {
				u32 bit = (u32)__builtin_ctzll(bits);

				bits &= bits - 1;
				atomic_clear(pending, 1UL << bit);
				pv_port_interrupt(vector_of[nr * 64 + bit]);
			}
		}
	} while (*(volatile u8 *)&info->evtchn_upcall_pending);
}

/* IPIs. */
static u32 port_for(u32 cpu, u32 vector)
{
	if (cpu >= PV_MAX_CPUS || vector - PV_VECTOR_IPI >= PV_IPI_COUNT)
		return 0;
	return ipi_port[cpu][vector - PV_VECTOR_IPI];
}

void pvxen_send_ipi(u32 cpu, u32 vector)
{
	struct evtchn_send send = { .port = port_for(cpu, vector) };

	pv_batch_drain();
	pvxen_check(pvxen_evtchn_op(EVTCHNOP_send, &send), PV_OP_send_ipi, XEN_CALLER(), cpu, vector);
}

/* Most sends in one multicall: the stack frame has room for as many (port.h, PV_STACK_FRAME). */
#define SENDS	6

void pvxen_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	struct multicall_entry entry[SENDS];
	struct evtchn_send send[SENDS];
	u32 count = 0;
	u32 cpu;

	pv_batch_drain();
	pv_for_each_cpu(cpu, mask) {
		if (count == SENDS) {
			pvxen_multicall(PV_OP_send_ipi_mask, XEN_CALLER(), entry, count);
			count = 0;
		}
		send[count].port = port_for(cpu, vector);
		pvxen_mc_entry(&entry[count], __HYPERVISOR_event_channel_op, EVTCHNOP_send,
			     (unsigned long)&send[count], 0, 0);
		count++;
	}
	if (count == 1)
		pvxen_check(pvxen_evtchn_op(EVTCHNOP_send, send), PV_OP_send_ipi_mask,
			  XEN_CALLER(), mask->word[0], vector);
	else if (count)
		pvxen_multicall(PV_OP_send_ipi_mask, XEN_CALLER(), entry, count);
}

/*
 * Locks.  The pending bit keeps a kick that comes before the poll, which then returns
 * at once.  The bit is cleared after the poll.  A kick that is lost by this comes after a
 * change of the word, which the caller reads next.
 */
void pvxen_kick_wait(enum pv_op op, unsigned long caller)
{
	u32 port = kick_port[pv_port_this_cpu()];
	struct sched_poll poll = { .nr_ports = 1 };

	if (!port) {
		asm volatile("pause" : : : "memory");
		return;
	}
	set_xen_guest_handle(poll.ports, &port);
	pvxen_check(pvxen_sched_op(SCHEDOP_poll, &poll), op, caller, port, 0);
	atomic_clear(pending_word(port), 1UL << port % 64);
}

static void pvxen_lock_wait(const u8 *word, u8 val)
{
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == val)
		pvxen_kick_wait(PV_OP_lock_wait, XEN_CALLER());
}

void pvxen_lock_kick(u32 cpu)
{
	struct evtchn_send send = { .port = cpu < PV_MAX_CPUS ? kick_port[cpu] : 0 };

	if (send.port)
		pvxen_check(pvxen_evtchn_op(EVTCHNOP_send, &send), PV_OP_lock_kick, XEN_CALLER(),
			  cpu, send.port);
}

static u8 pvxen_vcpu_is_preempted(u32 cpu)
{
	if (cpu >= PV_MAX_CPUS || !bound[cpu])
		return 0;
	return *(volatile int *)&PV_PERCPU_PTR_OF(pvxen_runstate, cpu)->info.state == RUNSTATE_runnable;
}

/* No op is required: a waiter can spin instead. */
const struct pv_lock_impls pvxen_lock_impls = {
	.lock_wait = PV_FN(pvxen_lock_wait, 0),
	.lock_kick = PV_FN(pvxen_lock_kick, 0),
	.vcpu_is_preempted = PV_FN(pvxen_vcpu_is_preempted, 0),
};
