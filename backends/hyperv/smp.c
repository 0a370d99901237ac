// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * IPIs (TLFS, Virtual Interrupt Controller: HvCallSendSyntheticClusterIpi), and
 * the stop of a CPU and of the machine.
 */
#include <pvops/call.h>
#include "hyperv.h"

u32 hv_vp_index[PV_MAX_CPUS];
bool hv_wide;

void hv_vp_start(u32 cpu)
{
	u32 vp = (u32)pv_native_read_msr(HV_MSR_VP_INDEX);

	hv_vp_index[cpu] = vp;
	if (vp < HV_SET_BANK)
		return;
	hv_wide = true;
	if (hv_uses(HV_USE_EX) && vp < HV_SET_BANK * HV_SET_BANKS)
		return;
	pv_port_log("pvops: hyperv: CPU %u is VP %u, which no call to be used can name: natively",
		    cpu, vp);
	__atomic_fetch_and(&hv.use, ~(1U << HV_USE_FLUSH | 1U << HV_USE_IPI), __ATOMIC_RELAXED);
}

static bool ipi_ex(const struct pv_cpumask *mask, u32 vector, enum pv_op op,
		   unsigned long caller)
{
	pv_flags_t flags = pv_save_fl();
	u64 control, *input;
	bool done;

	pv_irq_disable();
	input = hv_input();
	input[0] = vector;
	control = HVCALL_SEND_IPI_EX |
		  (u64)hv_vp_set(mask, hv_vp_index, input + 1) << HV_CALL_VARHEAD;
	done = hv_accepted(hv_call_input(control), op, caller, control, HV_USE_IPI);
	pv_restore_fl(flags);
	return done;
}

/* The plain form has its parameters, vector and mask, in registers. */
bool hv_ipi(const struct pv_cpumask *mask, u32 vector, bool ex, enum pv_op op,
	    unsigned long caller)
{
	u64 vps;

	if (ex)
		return hv_nobody(mask, hv_vp_index) || ipi_ex(mask, vector, op, caller);
	vps = hv_vp_mask(mask, hv_vp_index);
	return !vps || hv_accepted(hv_call_fast(HVCALL_SEND_IPI, vector, vps), op, caller,
				   HVCALL_SEND_IPI, HV_USE_IPI);
}

void hv_send_ipi(u32 cpu, u32 vector)
{
	struct pv_cpumask mask = { { 0 } };

	if (cpu < PV_MAX_CPUS && hv_uses(HV_USE_IPI)) {
		mask.word[cpu / 64] = 1ULL << cpu % 64;
		if (hv_ipi(&mask, vector, hv_wide, PV_OP_send_ipi, HV_CALLER()))
			return;
	}
	native_fn_send_ipi(cpu, vector);
}

void hv_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	if (!hv_uses(HV_USE_IPI) ||
	    !hv_ipi(mask, vector, hv_wide, PV_OP_send_ipi_mask, HV_CALLER()))
		native_fn_send_ipi_mask(mask, vector);
}

/* The hypervisor must not write to the memory of the next kernel. */
void hv_stop_cpu(void)
{
	hv_cpu_exit();
	native_fn_stop_cpu();
}

static void report_crash(void)
{
	/* TLFS, crash enlightenment: the guest defines P0..P4; here a name and the caller. */
	pv_native_write_msr(HV_MSR_CRASH_P0, 0x73706f7670);	/* "pvops" */
	pv_native_write_msr(HV_MSR_CRASH_P0 + 1, HV_CALLER());
	pv_native_write_msr(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY);
}

void hv_shutdown(enum pv_shutdown_reason reason)
{
	pv_irq_disable();
	if (reason == PV_SHUTDOWN_CRASH && hv_uses(HV_USE_CRASH))
		report_crash();
	hv_cpu_exit();
	if (reason == PV_SHUTDOWN_REBOOT && hv_uses(HV_USE_RESET))
		pv_native_write_msr(HV_MSR_RESET, 1);
	native_fn_shutdown(reason);
}
