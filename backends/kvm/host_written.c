// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory that the host writes: clock, stolen time, EOI.  Source: Linux's
 * Documentation/virt/kvm/x86/msr.rst.
 */
#include <pvops/call.h>
#include "internal.h"

PV_PERCPU_DEFINE(pvkvm_shared_area, pvkvm_shared);

struct pv_time_impls pvkvm_time_impls PV_RO_AFTER_INIT;
struct pv_irq_impls pvkvm_irq_impls PV_RO_AFTER_INIT;

_Static_assert(sizeof(struct kvm_steal_time) == 64, "msr.rst, MSR_KVM_STEAL_TIME");
_Static_assert(sizeof(struct pv_pvclock) == 32, "msr.rst, MSR_KVM_SYSTEM_TIME_NEW");
_Static_assert(sizeof(struct pvkvm_shared) == 128, "its alignment");

/* KVM's system time when this backend's clock was 0. */
static u64 epoch;

/* The host's stolen time at a CPU's first start; whether it has been read. */
static u64 not_stolen[PV_MAX_CPUS];
static bool counted[PV_MAX_CPUS];

static u64 phys(const void *va)
{
	return pv_pfn_nr(pv_port_virt_to_pfn(va)) << PV_PAGE_SHIFT |
	       ((unsigned long)va & (PV_PAGE_SIZE - 1));
}

static u32 clock_msr(void)
{
	return pvkvm_has(KVM_FEATURE_CLOCKSOURCE2) ? MSR_KVM_SYSTEM_TIME_NEW : MSR_KVM_SYSTEM_TIME;
}

static bool has_clock(void)
{
	return pvkvm_has(KVM_FEATURE_CLOCKSOURCE2) || pvkvm_has(KVM_FEATURE_CLOCKSOURCE);
}

static u64 system_time(void)
{
	u64 ns;

	/* One CPU's parameters do not fit another one's TSC. */
	pv_port_preempt_disable();
	while (!pv_pvclock_try(&PV_PERCPU_PTR(pvkvm_shared)->clock, &ns))
		;
	pv_port_preempt_enable();
	return ns;
}

static void clock_on(void)
{
	pv_native_write_msr(clock_msr(), phys(&PV_PERCPU_PTR(pvkvm_shared)->clock) |
					 KVM_CLOCK_ENABLED);
}

static void clock_off(void)
{
	pv_native_write_msr(clock_msr(), 0);
}

static u64 pvkvm_clock_read(void)
{
	return system_time() - epoch;
}

/*
 * The host writes the wall clock only when the guest writes the MSR.  It is the time of
 * day at system time 0, so the system time must be added.  If the clock is left to
 * native, the clock MSR is enabled for one reading.
 */
static u64 pvkvm_wall_clock(void)
{
	static struct pv_pvclock_wall wall __attribute__((aligned(16)));
	bool lent = !pv_impl_is_own(PV_OP_clock_read);
	pv_flags_t flags;
	u64 ns, now;

	pv_native_write_msr(pvkvm_has(KVM_FEATURE_CLOCKSOURCE2) ? MSR_KVM_WALL_CLOCK_NEW :
			    MSR_KVM_WALL_CLOCK, phys(&wall));
	while (!pv_pvclock_wall_try(&wall, NULL, &ns))
		;
	if (!lent)
		return ns + system_time();
	flags = pv_save_fl();
	pv_irq_disable();
	clock_on();
	now = system_time();
	clock_off();
	pv_restore_fl(flags);
	return ns + now;
}

static u64 stolen(const struct kvm_steal_time *steal)
{
	u32 version;
	u64 ns;

	do {
		version = __atomic_load_n(&steal->version, __ATOMIC_ACQUIRE);
		ns = __atomic_load_n(&steal->steal, __ATOMIC_ACQUIRE);
	} while (version & 1 || version != __atomic_load_n(&steal->version, __ATOMIC_RELAXED));
	return ns;
}

static u64 pvkvm_stolen_time(u32 cpu)
{
	if (cpu >= PV_MAX_CPUS || !counted[cpu])
		return 0;
	return stolen(&PV_PERCPU_PTR_OF(pvkvm_shared, cpu)->steal) - not_stolen[cpu];
}

u8 *pvkvm_preempted(u32 cpu)
{
	return &PV_PERCPU_PTR_OF(pvkvm_shared, cpu)->steal.preempted;
}

/*
 * The host sets the bit if no other interrupt waits for this EOI; clearing the bit is then
 * the EOI.  The host sets and clears it only while this vCPU does not run, so one
 * instruction can test and clear it, without a LOCK prefix.  A device's interrupt does
 * not use the bit: it may be level-triggered, and its EOI comes after its handler.
 */
static void pvkvm_upcall(u32 vector)
{
	bool done = false;

	if (pv_vector_is_own(vector))
		asm volatile("btrl %2, %1"
			     : "=@ccc" (done), "+m" (PV_PERCPU_PTR(pvkvm_shared)->eoi)
			     : "i" (KVM_PV_EOI_BIT) : "memory");
	if (!done)
		pvnative_fn_upcall(vector);
	else if (vector != PV_VECTOR_TIMER || !pvnative_timer_early())
		pv_port_interrupt(vector);
}

/* Does an op in use read "steal", or "preempted" beside it? */
static bool uses_steal(void)
{
	return pv_impl_is_own(PV_OP_stolen_time) || pv_impl_is_own(PV_OP_vcpu_is_preempted) ||
	       pv_impl_is_own(PV_OP_flush_tlb_multi) ||
	       (pvkvm_yields && pv_impl_is_own(PV_OP_send_ipi_mask));
}

/* Enables only the areas of ops in use, so the host writes to no other. */
void pvkvm_share(u32 cpu)
{
	struct pvkvm_shared *shared = PV_PERCPU_PTR(pvkvm_shared);

	if (pv_impl_is_own(PV_OP_clock_read)) {
		clock_on();
		if (!epoch)
			epoch = system_time();
	}
	if (uses_steal()) {
		pv_native_write_msr(MSR_KVM_STEAL_TIME, phys(&shared->steal) | KVM_MSR_ENABLED);
		if (!counted[cpu])
			not_stolen[cpu] = stolen(&shared->steal);
		counted[cpu] = true;
	}
	/* Only with this backend's upcall: no other clears the bit. */
	if (pv_impl_is_own(PV_OP_upcall)) {
		shared->eoi = 0;
		pv_native_write_msr(MSR_KVM_PV_EOI_EN, phys(&shared->eoi) | KVM_PV_EOI_ENABLED);
	}
}

/*
 * The clock continues from its last values.  "preempted" becomes 0, so that no other CPU
 * leaves this CPU's TLB flush to the host.
 */
void pvkvm_unshare(void)
{
	if (pv_impl_is_own(PV_OP_upcall))
		pv_native_write_msr(MSR_KVM_PV_EOI_EN, 0);
	if (uses_steal()) {
		pv_native_write_msr(MSR_KVM_STEAL_TIME, 0);
		__atomic_store_n(&PV_PERCPU_PTR(pvkvm_shared)->steal.preempted, 0, __ATOMIC_RELEASE);
	}
	if (pv_impl_is_own(PV_OP_clock_read))
		clock_off();
}

/*
 * Called when the clock is left to native.  Unless the host writes the clock anyway, the
 * MSR is enabled for one reading.
 */
u32 pvkvm_tsc_khz(void)
{
	struct pv_pvclock *clock = &PV_PERCPU_PTR(pvkvm_shared)->clock;
	bool lent = !clock->version;
	u32 khz;

	if (!has_clock())
		return 0;
	if (lent)
		pv_native_write_msr(clock_msr(), phys(clock) | KVM_CLOCK_ENABLED);
	khz = pv_pvclock_tsc_khz(clock);
	if (lent)
		pv_native_write_msr(clock_msr(), 0);
	return khz;
}

void pvkvm_fill_time(void)
{
	if (has_clock()) {
		PVKVM_USE(pvkvm_time_impls, clock_read, pvkvm_clock_read);
		PVKVM_USE(pvkvm_time_impls, wall_clock, pvkvm_wall_clock);
	}
	if (pvkvm_has(KVM_FEATURE_STEAL_TIME))
		PVKVM_USE(pvkvm_time_impls, stolen_time, pvkvm_stolen_time);
}

void pvkvm_fill_irq(void)
{
	if (pvkvm_has(KVM_FEATURE_PV_EOI))
		PVKVM_USE(pvkvm_irq_impls, upcall, pvkvm_upcall);
}
