// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Ops between virtual CPUs: interrupts, TLB flushes, locks.  Source: Linux's
 * Documentation/virt/kvm/x86/hypercalls.rst.
 */
#include <pvops/call.h>
#include "internal.h"

struct pv_mmu_impls pvkvm_mmu_impls PV_RO_AFTER_INIT;
struct pv_smp_impls pvkvm_smp_impls PV_RO_AFTER_INIT;
struct pv_lock_impls pvkvm_lock_impls PV_RO_AFTER_INIT;

PV_PERCPU_DEFINE(struct pvkvm_counts, pvkvm_count);

/* The sender of an interrupt asks the host to run a target that does not run. */
bool pvkvm_yields PV_RO_AFTER_INIT;

/*
 * The number is in rax, arguments in rbx, rcx, rdx, rsi, the result in rax; no other
 * register changes.  The instruction is fixed at compile time: each function that makes
 * hypercalls exists twice, and init() chooses.
 */
static __always_inline long hypercall(bool vmmcall, u32 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	long result;

	PV_PERCPU_PTR(pvkvm_count)->nr[nr]++;
	if (vmmcall)
		asm volatile("vmmcall" : "=a" (result)
			     : "0" ((u64)nr), "b" (a0), "c" (a1), "d" (a2), "S" (a3) : "memory");
	else
		asm volatile("vmcall" : "=a" (result)
			     : "0" ((u64)nr), "b" (a0), "c" (a1), "d" (a2), "S" (a3) : "memory");
	return result;
}

static __always_inline bool is_preempted(u32 cpu)
{
	return __atomic_load_n(pvkvm_preempted(cpu), __ATOMIC_RELAXED) & KVM_VCPU_PREEMPTED;
}

/* Logs the first refusal.  The caller then sends by the local APIC: no interrupt is lost. */
static void refused(long error)
{
	static bool said;

	if (!said)
		pv_port_log("pvops: kvm: IPI hypercall refused, error %ld; the local APIC sends the IPI", error);
	said = true;
}

static __always_inline bool send(bool vmmcall, u64 low, u64 high, u32 lowest, u32 vector)
{
	long result = hypercall(vmmcall, KVM_HC_SEND_IPI, low, high, lowest,
				PVKVM_ICR_FIXED | vector);

	if (result >= 0)
		return true;
	refused(result);
	return false;
}

static __always_inline void send_ipi(bool vmmcall, u32 cpu, u32 vector)
{
	if (!send(vmmcall, 1, 0, pv_port_apic_id(cpu), vector))
		pvnative_fn_send_ipi(cpu, vector);
}

/* Makes one hypercall for all APIC ids within one span. */
static __always_inline bool send_all(bool vmmcall, const struct pv_cpumask *mask, u32 vector)
{
	u64 bits[PVKVM_IPI_SPAN / 64] = { 0 };
	u32 lowest = 0, cpu;

	pv_for_each_cpu(cpu, mask) {
		u32 id = pv_port_apic_id(cpu);

		if (!(bits[0] | bits[1])) {
			lowest = id;
		} else if (id - lowest >= PVKVM_IPI_SPAN) {
			if (!send(vmmcall, bits[0], bits[1], lowest, vector))
				return false;
			bits[0] = 0;
			bits[1] = 0;
			lowest = id;
		}
		bits[(id - lowest) / 64] |= 1ULL << (id - lowest) % 64;
	}
	return !(bits[0] | bits[1]) || send(vmmcall, bits[0], bits[1], lowest, vector);
}

static __always_inline void send_ipi_mask(bool vmmcall, const struct pv_cpumask *mask, u32 vector)
{
	u32 cpu;

	/* After a refusal some CPUs get the interrupt twice.  That is harmless: it means "look". */
	if (!send_all(vmmcall, mask, vector))
		pvnative_fn_send_ipi_mask(mask, vector);
	if (!pvkvm_yields)
		return;
	/* The sender will wait, so it yields its time to a target that does not run. */
	pv_for_each_cpu(cpu, mask)
		if (cpu != pv_port_this_cpu() && is_preempted(cpu)) {
			hypercall(vmmcall, KVM_HC_SCHED_YIELD, pv_port_apic_id(cpu), 0, 0, 0);
			return;
		}
}

static __always_inline void lock_kick(bool vmmcall, u32 cpu)
{
	hypercall(vmmcall, KVM_HC_KICK_CPU, 0, pv_port_apic_id(cpu), 0, 0);
}

/* hypercalls.rst: only an exit, so that the host checks for interrupts. */
static __always_inline void null_hypercall(bool vmmcall)
{
	hypercall(vmmcall, KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0);
}

#define BY(insn, vmmcall)							\
	static void pvkvm_send_ipi_##insn(u32 cpu, u32 vector)			\
	{									\
		send_ipi(vmmcall, cpu, vector);					\
	}									\
	static void pvkvm_send_ipi_mask_##insn(const struct pv_cpumask *mask, u32 vector) \
	{									\
		send_ipi_mask(vmmcall, mask, vector);				\
	}									\
	static void pvkvm_lock_kick_##insn(u32 cpu)				\
	{									\
		lock_kick(vmmcall, cpu);					\
	}									\
	static void null_hypercall_##insn(void)					\
	{									\
		null_hypercall(vmmcall);					\
	}

BY(vmcall, false)
BY(vmmcall, true)

#define CHOOSE(name)	(pvkvm_offer.vmmcall ? name##_vmmcall : name##_vmcall)

void (*pvkvm_null_hypercall(void))(void)
{
	return CHOOSE(null_hypercall);
}

/*
 * A flag asks a preempted vCPU to flush before it runs again.  The flag counts only
 * together with "preempted"; the host reads both at once.  LOCK CMPXCHG orders the
 * flag behind the page-table stores that it stands for.
 */
static void pvkvm_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end)
{
	struct pv_cpumask running = *mask;
	u32 cpu;

	pv_for_each_cpu(cpu, mask) {
		u8 *preempted = pvkvm_preempted(cpu);
		u8 state = KVM_VCPU_PREEMPTED;

		if (!is_preempted(cpu))
			continue;
		if (__atomic_compare_exchange_n(preempted, &state,
						KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
		    state == (KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB))
			running.word[cpu / 64] &= ~(1ULL << cpu % 64);
	}
	pvnative_fn_flush_tlb_multi(&running, start, end);
}

static u8 pvkvm_vcpu_is_preempted(u32 cpu)
{
	return cpu < PV_MAX_CPUS && is_preempted(cpu);
}

/*
 * The host remembers a kick that comes before the halt, and ends the halt at once.  With
 * interrupts masked, only a kick ends it.
 */
static void pvkvm_lock_wait(const u8 *word, u8 val)
{
	pv_flags_t flags = pv_save_fl();

	if (pv_irqs_disabled_flags(flags)) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == val)
			pv_halt();
		return;
	}
	pv_irq_disable();
	if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == val)
		pv_safe_halt();
	else
		pv_irq_enable();
}

static void pvkvm_stop_cpu(void)
{
	pvkvm_unshare();
	pvnative_fn_stop_cpu();
}

/* The host must not write to the memory of the next kernel. */
static void pvkvm_shutdown(enum pv_shutdown_reason reason)
{
	pvkvm_unshare();
	pvnative_fn_shutdown(reason);
}

void pvkvm_fill_mmu(void)
{
	if (pvkvm_has(KVM_FEATURE_PV_TLB_FLUSH) && pvkvm_has(KVM_FEATURE_STEAL_TIME) &&
	    !pvkvm_dedicated())
		PVKVM_USE(pvkvm_mmu_impls, flush_tlb_multi, pvkvm_flush_tlb_multi);
}

void pvkvm_fill_smp(void)
{
	if (pvkvm_has(KVM_FEATURE_PV_SEND_IPI)) {
		PVKVM_USE(pvkvm_smp_impls, send_ipi, CHOOSE(pvkvm_send_ipi));
		PVKVM_USE(pvkvm_smp_impls, send_ipi_mask, CHOOSE(pvkvm_send_ipi_mask));
		pvkvm_yields = pvkvm_has(KVM_FEATURE_PV_SCHED_YIELD) &&
			       pvkvm_has(KVM_FEATURE_STEAL_TIME) && !pvkvm_dedicated();
	}
	PVKVM_USE(pvkvm_smp_impls, stop_cpu, pvkvm_stop_cpu);
	PVKVM_USE(pvkvm_smp_impls, shutdown, pvkvm_shutdown);
}

void pvkvm_fill_lock(void)
{
	if (pvkvm_has(KVM_FEATURE_PV_UNHALT) && !pvkvm_dedicated()) {
		PVKVM_USE(pvkvm_lock_impls, lock_wait, pvkvm_lock_wait);
		PVKVM_USE(pvkvm_lock_impls, lock_kick, CHOOSE(pvkvm_lock_kick));
	}
	if (pvkvm_has(KVM_FEATURE_STEAL_TIME))
		PVKVM_USE(pvkvm_lock_impls, vcpu_is_preempted, pvkvm_vcpu_is_preempted);
}
