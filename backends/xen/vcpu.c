// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Start and shutdown: the parts that all types of guests share. */
#include <pvops/pvops.h>
#include "internal.h"

struct shared_info *pvxen_shared;

PV_PERCPU_DEFINE(pvxen_vcpu_area, pvxen_vcpu_info);
PV_PERCPU_DEFINE(union pvxen_runstate, pvxen_runstate);

/* vcpu_info can be registered only once in a vCPU's life, but a CPU may start again. */
static bool registered[PV_MAX_CPUS];

/*
 * Without registration a vCPU has one of the 32 in shared_info, or none; without any, Xen
 * PV does not let it start.  So the CPU that starts another one registers it.
 */
long pvxen_register_info(u32 cpu, struct vcpu_info *info, pv_mfn_t frame, enum pv_op op)
{
	struct vcpu_register_vcpu_info where = {
		.mfn = pv_mfn_nr(frame),
		.offset = (unsigned long)info & (PV_PAGE_SIZE - 1),
	};
	long error;

	if (registered[cpu])
		return 0;
	/* Masked until Xen copies the state that it has kept so far. */
	info->evtchn_upcall_mask = 1;
	error = pvxen_check(pvxen_vcpu_op(VCPUOP_register_vcpu_info, cpu, &where), op,
			    XEN_CALLER(), cpu, where.mfn);
	if (error)
		pv_port_log("pvops: xen: CPU %u: vcpu_info refused, error %ld", cpu, error);
	else
		registered[cpu] = true;
	return error;
}

void pvxen_register_vcpu(u32 cpu, pv_mfn_t frame)
{
	struct vcpu_register_runstate_memory_area runstate;
	long error;

	if (pvxen_register_info(cpu, PV_PERCPU_PTR(pvxen_vcpu_info), frame, PV_BATCH_CPU_INIT))
		pv_port_panic("pvops: xen: this CPU cannot mask events: Xen refused vcpu_info");
	/* Only these ops read the runstate area. */
	if (!pv_impl_is_own(PV_OP_stolen_time) && !pv_impl_is_own(PV_OP_vcpu_is_preempted))
		return;
	/*
	 * Repeated when a CPU starts again: registration also updates the area, which Xen
	 * cannot do at this address while the CPU comes from real mode.
	 */
	runstate.addr.v = &PV_PERCPU_PTR(pvxen_runstate)->info;
	error = pvxen_check(pvxen_vcpu_op(VCPUOP_register_runstate_memory_area, cpu, &runstate),
			    PV_BATCH_CPU_INIT, XEN_CALLER(), cpu, (unsigned long)runstate.addr.v);
	if (error)
		pv_port_log("pvops: xen: CPU %u: no stolen time: runstate area refused, error %ld",
			    cpu, error);
}

void pvxen_ask_shutdown(enum pv_shutdown_reason reason)
{
	struct sched_shutdown shutdown = { .reason = SHUTDOWN_crash };

	if (reason == PV_SHUTDOWN_POWEROFF)
		shutdown.reason = SHUTDOWN_poweroff;
	else if (reason == PV_SHUTDOWN_REBOOT)
		shutdown.reason = SHUTDOWN_reboot;
	for (;;)
		pvxen_sched_op(SCHEDOP_shutdown, &shutdown);
}
