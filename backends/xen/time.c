// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time: Xen's per-vCPU clock parameters, the single-shot timer, run states.
 */
#include <pvops/pvclock.h>
#include "internal.h"

/* Xen's system time when this backend's clock was 0. */
static u64 epoch;

/* Time that is not stolen: before a CPU starts, and while it has stopped itself. */
static u64 not_stolen[PV_MAX_CPUS];
static u64 offline_at_stop[PV_MAX_CPUS];

#define barrier()	asm volatile("" : : : "memory")

_Static_assert(sizeof(struct pv_pvclock) == sizeof(struct vcpu_time_info) &&
	       offsetof(struct pv_pvclock, system_time) ==
	       offsetof(struct vcpu_time_info, system_time) &&
	       offsetof(struct pv_pvclock, tsc_shift) == offsetof(struct vcpu_time_info, tsc_shift),
	       "pvclock.h is not what Xen writes");
_Static_assert(offsetof(struct shared_info, wc_sec) == offsetof(struct shared_info, wc_version) + 4 &&
	       offsetof(struct shared_info, wc_nsec) == offsetof(struct shared_info, wc_version) + 8,
	       "pvclock.h is not what Xen writes");

static u64 system_time(void)
{
	u64 ns;

	/* One CPU's parameters do not fit another one's TSC. */
	pv_port_preempt_disable();
	while (!pv_pvclock_try((const struct pv_pvclock *)&PV_PERCPU_PTR(pvxen_vcpu_info)->time,
			       &ns))
		;
	pv_port_preempt_enable();
	return ns;
}

static u64 pvxen_clock_read(void)
{
	return system_time() - epoch;
}

static u64 pvxen_wall_clock(void)
{
	const struct shared_info *shared = pvxen_shared;
	u64 ns;

	while (!pv_pvclock_wall_try((const struct pv_pvclock_wall *)&shared->wc_version,
				    &shared->wc_sec_hi, &ns))
		;
	return ns + system_time();
}

/* Xen's time is signed: a negative deadline is in the past and fires at once. */
#define LATEST	(~0ULL >> 1)

static void pvxen_set_timer(u64 deadline)
{
	struct vcpu_set_singleshot_timer timer = {
		.timeout_abs_ns = deadline < LATEST - epoch ? deadline + epoch : LATEST,
	};
	u32 cmd = deadline == ~0UL ? VCPUOP_stop_singleshot_timer : VCPUOP_set_singleshot_timer;
	u32 cpu = pv_port_this_cpu();

	pvxen_check(pvxen_vcpu_op(cmd, cpu, &timer), PV_OP_set_timer, XEN_CALLER(), cpu, deadline);
}

/*
 * Time in which the vCPU was runnable or offline.  Xen sets XEN_RUNSTATE_UPDATE in the
 * entry time while it changes the record (VMASST_TYPE_runstate_update_flag).
 */
static u64 pvxen_stolen_time(u32 cpu)
{
	const volatile struct vcpu_runstate_info *state;
	u64 entry, stolen;

	if (cpu >= PV_MAX_CPUS)
		return 0;
	state = &PV_PERCPU_PTR_OF(pvxen_runstate, cpu)->info;
	do {
		entry = state->state_entry_time;
		barrier();
		stolen = state->time[RUNSTATE_runnable] + state->time[RUNSTATE_offline];
		barrier();
	} while (entry & XEN_RUNSTATE_UPDATE || entry != state->state_entry_time);
	return stolen - not_stolen[cpu];
}

void pvxen_time_stop(u32 cpu)
{
	offline_at_stop[cpu] = PV_PERCPU_PTR(pvxen_runstate)->info.time[RUNSTATE_offline];
}

void pvxen_time_init(u32 cpu)
{
	const volatile u64 *time = PV_PERCPU_PTR(pvxen_runstate)->info.time;
	long error;

	if (offline_at_stop[cpu])
		not_stolen[cpu] += time[RUNSTATE_offline] - offline_at_stop[cpu];
	else
		not_stolen[cpu] = time[RUNSTATE_runnable] + time[RUNSTATE_offline];

	if (!cpu && !epoch) {
		epoch = system_time();
		/* Older versions of Xen do not know the flag, and do not need it. */
		pvxen_call2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
			  VMASST_TYPE_runstate_update_flag);
	}
	error = pvxen_check(pvxen_vcpu_op(VCPUOP_stop_periodic_timer, cpu, NULL),
			    PV_BATCH_CPU_INIT, XEN_CALLER(), cpu, 0);
	if (error)
		pv_port_log("pvops: xen: CPU %u: periodic timer stays on, error %ld", cpu, error);
}

const struct pv_time_impls pvxen_time_impls = {
	.clock_read = PV_FN(pvxen_clock_read, PV_IMPL_REQUIRED),
	.wall_clock = PV_FN(pvxen_wall_clock, PV_IMPL_REQUIRED),
	.set_timer = PV_FN(pvxen_set_timer, PV_IMPL_REQUIRED),
	.stolen_time = PV_FN(pvxen_stolen_time, 0),
};
