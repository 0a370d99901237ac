// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * EOI: TLFS, Virtual Interrupt Controller, EOI assist.
 *
 * The hypervisor sets a bit in the VP assist page when it delivers an interrupt and no
 * other waits for its EOI; clearing the bit is then the EOI.  The hypervisor writes the
 * bit only while this CPU does not run, so one instruction without LOCK is enough.
 */
#include "internal.h"

static PV_PERCPU_DEFINE(u32, pvhyperv_assist_page[PV_PAGE_SIZE / 4]) __attribute__((aligned(4096)));

static __always_inline bool no_eoi_required(void)
{
	u32 *assist = *PV_PERCPU_PTR(pvhyperv_assist_page);
	bool set;

	asm volatile("btrl $0, %1" : "=@ccc" (set), "+m" (*assist) : : "memory");
	return set;
}

static __always_inline void eoi(void)
{
	if (!no_eoi_required())
		pv_native_write_msr(HV_MSR_EOI, 0);
}

void pvhyperv_upcall(u32 vector)
{
	if (!pv_vector_is_own(vector)) {
		pv_port_interrupt(vector);
		eoi();
		return;
	}
	eoi();
	/* The timer may be the local APIC's, which can be early. */
	if (vector != PV_VECTOR_TIMER || !pvnative_timer_early())
		pv_port_interrupt(vector);
}

/* Bits 11..1 of the register keep their values. */
static void set_page(u64 page)
{
	u64 found = pv_native_read_msr(HV_MSR_VP_ASSIST);

	pv_native_write_msr(HV_MSR_VP_ASSIST,
			    (found & (PV_PAGE_SIZE - 1) & ~HV_VP_ASSIST_ENABLE) | page);
}

void pvhyperv_eoi_cpu_start(void)
{
	/* A CPU that was stopped in a device's interrupt never sent its EOI. */
	**PV_PERCPU_PTR(pvhyperv_assist_page) = 0;
	set_page(pvhyperv_phys(PV_PERCPU_PTR(pvhyperv_assist_page)) | HV_VP_ASSIST_ENABLE);
}

void pvhyperv_eoi_cpu_stop(void)
{
	set_page(0);
}
