/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The clock that Xen and KVM share with a guest
 *
 * The hypervisor writes one structure per virtual CPU into the guest's memory.  It
 * holds the system time at a TSC value, and the factors that convert later TSC values.
 * Xen: struct vcpu_time_info of its public header xen.h.  KVM: struct
 * pvclock_vcpu_time_info, Linux's Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW.  Both have the same layout; a backend that registers the
 * memory asserts this.
 *
 * This header is for backends.  A kernel reads the clock by pv_clock_read().
 */
#ifndef PVOPS_PVCLOCK_H
#define PVOPS_PVCLOCK_H

#include "native.h"

/**
 * struct pv_pvclock - one virtual CPU's clock
 * @version: odd while the hypervisor changes the rest
 * @tsc_timestamp: TSC at the last change
 * @system_time: nanoseconds at the last change
 * @tsc_to_system_mul: nanoseconds per 2^32 shifted TSC ticks
 * @tsc_shift: left shift of the ticks before the multiplication; right shift if negative
 * @flags: hypervisor's flags; not used
 */
struct pv_pvclock {
	u32 version;
	u32 pad0;
	u64 tsc_timestamp;
	u64 system_time;
	u32 tsc_to_system_mul;
	signed char tsc_shift;
	u8 flags;
	u8 pad[2];
};

/**
 * pv_pvclock_try - read a clock once
 * @clock: the clock of the CPU that the caller runs on.  The task keeps this CPU during the
 *	call: one CPU's parameters need not fit another one's TSC
 * @ns: receives the hypervisor's system time
 *
 * Returns false if the hypervisor changed it meanwhile.  Then the caller reads again:
 *
 *	pv_port_preempt_disable();
 *	while (!pv_pvclock_try(PV_PERCPU_PTR(my_clock), &ns))
 *		;
 *	pv_port_preempt_enable();
 *
 * A version that stays odd stops the reader for ever.  The reader has no other source,
 * and this gives the hypervisor no new power: it can also stop running the CPU.
 *
 * Only the CPU's own copy may be read: the hypervisor writes it while that CPU
 * does not run.  LFENCE keeps RDTSC from executing before the read of the version
 * (SDM vol. 2B, RDTSC).  Context: any, incl. NMI.
 */
static __always_inline bool pv_pvclock_try(const struct pv_pvclock *clock, u64 *ns)
{
	u32 version = __atomic_load_n(&clock->version, __ATOMIC_ACQUIRE);
	u64 delta;

	asm volatile("lfence" : : : "memory");
	delta = pv_native_rdtsc() - clock->tsc_timestamp;
	/* Masked as the instructions do it: a shift beyond 63 gives a wrong time, nothing worse. */
	if (clock->tsc_shift >= 0)
		delta <<= clock->tsc_shift & 63;
	else
		delta >>= -clock->tsc_shift & 63;
	*ns = clock->system_time +
	      (u64)__extension__(((unsigned __int128)delta * clock->tsc_to_system_mul) >> 32);
	asm volatile("" : : : "memory");
	return !(version & 1) && __atomic_load_n(&clock->version, __ATOMIC_RELAXED) == version;
}

/**
 * pv_pvclock_tsc_khz - the TSC's frequency in kHz, by a clock's factors
 * @clock: as for pv_pvclock_try(); the caller stays on its CPU
 *
 * Returns 0 if the hypervisor has not written the clock yet.  Context: any.
 */
static inline u32 pv_pvclock_tsc_khz(const struct pv_pvclock *clock)
{
	signed char shift;
	u32 version, mul;
	u64 khz;

	do {
		version = __atomic_load_n(&clock->version, __ATOMIC_ACQUIRE);
		mul = *(const volatile u32 *)&clock->tsc_to_system_mul;
		shift = *(const volatile signed char *)&clock->tsc_shift;
		asm volatile("" : : : "memory");
	} while (version & 1 ||
		 version != __atomic_load_n(&clock->version, __ATOMIC_RELAXED));
	if (!mul)
		return 0;
	/* A tick is mul * 2^shift / 2^32 ns; factors out of range give 0. */
	khz = (1000000ULL << 32) / mul;
	if (shift < -31 || shift > 31)
		return 0;
	khz = shift < 0 ? khz << -shift : khz >> shift;
	return khz >> 32 ? 0 : (u32)khz;
}

/**
 * struct pv_pvclock_wall - wall clock time at system time 0
 * @version: odd while the hypervisor changes the rest
 * @sec: seconds since 1970, bits 31..0
 * @nsec: nanoseconds within the second
 */
struct pv_pvclock_wall {
	u32 version;
	u32 sec;
	u32 nsec;
};

/**
 * pv_pvclock_wall_try - read the wall clock once
 * @wall: the structure
 * @sec_high: bits 63..32 of the seconds, or NULL where the hypervisor has none
 * @ns: receives nanoseconds since 1970 at system time 0
 *
 * Returns false if the caller must read again.  Context: any.
 */
static __always_inline bool pv_pvclock_wall_try(const struct pv_pvclock_wall *wall,
						const u32 *sec_high, u64 *ns)
{
	u32 version = __atomic_load_n(&wall->version, __ATOMIC_ACQUIRE);
	u64 sec = *(const volatile u32 *)&wall->sec;

	if (sec_high)
		sec |= (u64)*(const volatile u32 *)sec_high << 32;
	*ns = sec * 1000000000ULL + *(const volatile u32 *)&wall->nsec;
	asm volatile("" : : : "memory");
	return !(version & 1) && __atomic_load_n(&wall->version, __ATOMIC_RELAXED) == version;
}

#endif
