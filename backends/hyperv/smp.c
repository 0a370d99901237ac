// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * IPIs (TLFS, Virtual Interrupt Controller: HvCallSendSyntheticClusterIpi), and
 * the stop of a CPU and of the machine.
 */
#include <pvops/call.h>
#include "internal.h"

u32 pvhyperv_vp_index[PV_MAX_CPUS];
bool pvhyperv_wide;

void pvhyperv_vp_start(u32 cpu)
{
	u32 vp = (u32)pv_native_read_msr(HV_MSR_VP_INDEX);

	pvhyperv_vp_index[cpu] = vp;
	if (vp < HV_SET_BANK)
		return;
	pvhyperv_wide = true;
	if (pvhyperv_uses(HV_USE_EX) && vp < HV_SET_BANK * HV_SET_BANKS)
		return;
	pv_port_log("pvops: hyperv: CPU %u is VP %u, too high for hypercalls; native code flushes TLBs and sends IPIs",
		    cpu, vp);
	__atomic_fetch_and(&pvhyperv.use, ~(1U << HV_USE_FLUSH | 1U << HV_USE_IPI),
			   __ATOMIC_RELAXED);
}

static bool ipi_ex(const struct pv_cpumask *mask, u32 vector, enum pv_op op,
		   unsigned long caller)
{
	pv_flags_t flags = pv_save_fl();
	u64 control, *input;
	bool done;

	pv_irq_disable();
	input = pvhyperv_input();
	input[0] = vector;
	control = HVCALL_SEND_IPI_EX |
		  (u64)pvhyperv_vp_set(mask, pvhyperv_vp_index, input + 1) << HV_CALL_VARHEAD;
	done = pvhyperv_accepted(pvhyperv_call_input(control), op, caller, control, HV_USE_IPI);
	pv_restore_fl(flags);
	return done;
}

/* The plain form has its parameters, vector and mask, in registers. */
bool pvhyperv_ipi(const struct pv_cpumask *mask, u32 vector, bool ex, enum pv_op op,
		  unsigned long caller)
{
	u64 vps;

	if (ex)
		return pvhyperv_nobody(mask, pvhyperv_vp_index) || ipi_ex(mask, vector, op, caller);
	vps = pvhyperv_vp_mask(mask, pvhyperv_vp_index);
	return !vps || pvhyperv_accepted(pvhyperv_call_fast(HVCALL_SEND_IPI, vector, vps), op,
					 caller, HVCALL_SEND_IPI, HV_USE_IPI);
}

void pvhyperv_send_ipi(u32 cpu, u32 vector)
{
	struct pv_cpumask mask = { { 0 } };

	if (cpu < PV_MAX_CPUS && pvhyperv_uses(HV_USE_IPI)) {
		mask.word[cpu / 64] = 1ULL << cpu % 64;
		if (pvhyperv_ipi(&mask, vector, pvhyperv_wide, PV_OP_send_ipi, HV_CALLER()))
			return;
	}
	pvnative_fn_send_ipi(cpu, vector);
}

void pvhyperv_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	if (!pvhyperv_uses(HV_USE_IPI) ||
	    !pvhyperv_ipi(mask, vector, pvhyperv_wide, PV_OP_send_ipi_mask, HV_CALLER()))
		pvnative_fn_send_ipi_mask(mask, vector);
}

/* The hypervisor must not write to the memory of the next kernel. */
void pvhyperv_stop_cpu(void)
{
	pvhyperv_cpu_exit();
	pvnative_fn_stop_cpu();
}

static void report_crash(void)
{
	/* TLFS, crash enlightenment: the guest defines P0..P4; here a name and the caller. */
	pv_native_write_msr(HV_MSR_CRASH_P0, 0x73706f7670);	/* "pvops" */
	pv_native_write_msr(HV_MSR_CRASH_P0 + 1, HV_CALLER());
	pv_native_write_msr(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY);
}

void pvhyperv_shutdown(enum pv_shutdown_reason reason)
{
	pv_irq_disable();
	if (reason == PV_SHUTDOWN_CRASH && pvhyperv_uses(HV_USE_CRASH))
		report_crash();
	pvhyperv_cpu_exit();
	if (reason == PV_SHUTDOWN_REBOOT && pvhyperv_uses(HV_USE_RESET))
		pv_native_write_msr(HV_MSR_RESET, 1);
	pvnative_fn_shutdown(reason);
}
