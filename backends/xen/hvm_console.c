// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A PVH guest's console: the ring of the toolstack (io/console.h).  Xen's debug port is
 * used before the ring is mapped, and by callers that must not wait.
 */
#include <pvops/call.h>
#include "internal.h"

/* Most yields to Xen before the writer gives up waiting for the reader. */
#define PATIENCE	100000

static struct xencons_interface *ring;
static u32 port;
static bool abandoned;

/* CPU number + 1 of the writer; 0: none. */
static u32 writer;

static void debug_port(const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		asm volatile("outb %0, %1"
			     : : "a" (text[i]), "Nd" ((u16)XEN_HVM_DEBUGCONS_IOPORT));
}

static u32 waiting(void)
{
	return ring->out_prod - __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
}

static void notify(void)
{
	struct evtchn_send send = { .port = port };

	/* Not reported, nor made to fail by injection: the report would come this way. */
	pvxen_raw4(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send, 0, 0);
}

/* Waits until at most @most bytes are unread, but not for ever: the reader may be gone. */
static bool wait_for_reader(u32 most)
{
	u32 tries;

	for (tries = 0; waiting() > most && !abandoned; tries++) {
		if (tries == PATIENCE)
			abandoned = true;
		pvxen_sched_op(SCHEDOP_yield, NULL);
	}
	return !abandoned;
}

static void ring_write(const char *text, size_t bytes)
{
	while (bytes) {
		u32 prod = ring->out_prod;

		if (waiting() >= sizeof(ring->out)) {
			notify();
			if (!wait_for_reader(sizeof(ring->out) / 2))
				break;
		}
		while (bytes && waiting() + (prod - ring->out_prod) < sizeof(ring->out)) {
			ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = *text++;
			bytes--;
		}
		__atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
	}
	notify();
}

void pvxen_ring_write(const char *text, size_t bytes)
{
	u32 self = pv_port_this_cpu() + 1, nobody;
	pv_flags_t flags;

	/* The last case: an NMI or a machine check interrupts the writer. */
	if (!ring || abandoned || __atomic_load_n(&writer, __ATOMIC_RELAXED) == self) {
		debug_port(text, bytes);
		return;
	}
	flags = pv_save_fl();
	pv_irq_disable();
	do {
		nobody = 0;
	} while (!__atomic_compare_exchange_n(&writer, &nobody, self, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	ring_write(text, bytes);
	__atomic_store_n(&writer, 0, __ATOMIC_RELEASE);
	pv_restore_fl(flags);
}

void pvxen_ring_drain(void)
{
	if (ring)
		wait_for_reader(0);
}

void pvxen_ring_init(void)
{
	u64 pfn, channel;

	if (!pvxen_hvm_param(HVM_PARAM_CONSOLE_PFN, &pfn) ||
	    !pvxen_hvm_param(HVM_PARAM_CONSOLE_EVTCHN, &channel))
		return;
	if (!pfn || !channel) {
		pv_port_log("pvops: xenhvm: the domain has no console; output goes to Xen's debug port");
		return;
	}
	port = (u32)channel;
	ring = pv_port_map_phys((__force pv_maddr_t)(pfn << PV_PAGE_SHIFT), PV_PAGE_SIZE,
				PV_PTE_RW | PV_PTE_NX);
}
