// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The Hyper-V interface: start, stop, the descriptor.
 *
 * The usable features are known only after CPUID was read.  So init() fills the tables,
 * before the core reads them.
 */
#include <pvops/pvops.h>
#include "internal.h"

/* Uses that need hypercalls. */
#define CALLS	(1U << HV_USE_FLUSH | 1U << HV_USE_IPI | 1U << HV_USE_EX)

struct pvhyperv_features pvhyperv;
/* The partition's part is in use; if not, @used has the uses to resume. */
static bool started;
static bool clock_on;
static u32 used;

static struct pv_irq_impls irq_impls PV_RO_AFTER_INIT;
static struct pv_mmu_impls mmu_impls PV_RO_AFTER_INIT;
static struct pv_time_impls time_impls PV_RO_AFTER_INIT;
static struct pv_smp_impls smp_impls PV_RO_AFTER_INIT;

#define USE(table, op, function, wanted)	((table).op.fn = (wanted) ? (function) : NULL)

static void fill_tables(void)
{
	USE(irq_impls, upcall, pvhyperv_upcall, pvhyperv_uses(HV_USE_EOI));
	USE(mmu_impls, flush_tlb_multi, pvhyperv_flush_tlb_multi, pvhyperv_uses(HV_USE_FLUSH));
	USE(time_impls, clock_read, pvhyperv_clock_read, pvhyperv_uses(HV_USE_CLOCK));
	USE(time_impls, set_timer, pvhyperv_set_timer, pvhyperv_uses(HV_USE_TIMER));
	USE(smp_impls, send_ipi, pvhyperv_send_ipi, pvhyperv_uses(HV_USE_IPI));
	USE(smp_impls, send_ipi_mask, pvhyperv_send_ipi_mask, pvhyperv_uses(HV_USE_IPI));
	USE(smp_impls, stop_cpu, pvhyperv_stop_cpu, true);
	USE(smp_impls, shutdown, pvhyperv_shutdown, true);
}

/* Starts the parts of the partition, not of a CPU: identity and hypercall page. */
static void start(void)
{
	if (!pvhyperv_hypercalls_start())
		pvhyperv.use &= ~CALLS;
	started = true;
}

static void start_clock(void)
{
	if (clock_on || !pvhyperv_uses(HV_USE_CLOCK))
		return;
	pvhyperv_time_start();
	clock_on = true;
}

#define LEFT(uses, ...)						\
	do {							\
		if (!(__VA_ARGS__))				\
			pvhyperv.left |= pvhyperv.use & (uses);		\
	} while (0)

/* Drops the uses whose ops the user left to native. */
static void leave_out(void)
{
	LEFT(1U << HV_USE_EOI, pv_impl_is_own(PV_OP_upcall));
	LEFT(1U << HV_USE_FLUSH, pv_impl_is_own(PV_OP_flush_tlb_multi));
	LEFT(1U << HV_USE_IPI, pv_impl_is_own(PV_OP_send_ipi) ||
	     pv_impl_is_own(PV_OP_send_ipi_mask));
	LEFT(1U << HV_USE_TIMER, pv_impl_is_own(PV_OP_set_timer));
	/* The timer counts in the clock's time. */
	LEFT(1U << HV_USE_CLOCK, pv_impl_is_own(PV_OP_clock_read) ||
	     pv_impl_is_own(PV_OP_set_timer));
	pvhyperv.use &= ~pvhyperv.left;
}

/* Other CPUs that still call ops meanwhile use the native forms. */
static void stop(void)
{
	used = pvhyperv.use;
	pvhyperv.use &= ~CALLS;
	started = false;
	if (clock_on)
		pvhyperv_time_stop();
	clock_on = false;
	pvhyperv_hypercalls_stop();
}

static int init(const struct pv_platform *platform)
{
	u32 cpu;

	pvhyperv_features_read(platform, &pvhyperv);
	for (cpu = 0; cpu < PV_MAX_CPUS; cpu++)
		pvhyperv_vp_index[cpu] = HV_VP_UNKNOWN;
	if (!pvhyperv_hypercalls_prepare())
		pvhyperv.use &= ~CALLS;
	start();
	fill_tables();
	return 0;
}

static void cpu_init(u32 cpu)
{
	if (cpu >= PV_MAX_CPUS)
		pv_port_panic("pvops: hyperv: CPU number beyond PV_MAX_CPUS");
	/* After pvhyperv_cpu_exit(): start again. */
	if (!started) {
		pvhyperv.use = used;
		start();
	}
	leave_out();
	start_clock();
	if (pvhyperv_uses(HV_USE_FLUSH) || pvhyperv_uses(HV_USE_IPI))
		pvhyperv_vp_start(cpu);
	if (pvhyperv_uses(HV_USE_EOI))
		pvhyperv_eoi_cpu_start();
	if (pvhyperv_uses(HV_USE_TIMER))
		pvhyperv_timer_cpu_start();
}

/* The boot CPU is the last to exit. */
void pvhyperv_cpu_exit(void)
{
	if (pvhyperv_uses(HV_USE_EOI))
		pvhyperv_eoi_cpu_stop();
	if (pvhyperv_uses(HV_USE_TIMER))
		pvhyperv_timer_cpu_stop();
	if (!pv_port_this_cpu() && started)
		stop();
}

static u64 hypercalls(u32 nr)
{
	const struct pvhyperv_counts *counts = PV_PERCPU_PTR(pvhyperv_count);

	if (nr == ~0U)
		return counts->total;
	return nr <= HVCALL_SEND_IPI_EX ? counts->nr[nr] : 0;
}

/* Call code 0 is reserved: the hypervisor only returns a status that says so. */
static void null_hypercall(void)
{
	if (pvhyperv_calls)
		pvhyperv_call_fast(0, 0, 0);
}

static const char *note(u32 nr)
{
	static char line[256];

	if (nr > 1)
		return NULL;
	pvhyperv_features_text(&pvhyperv, nr, line, sizeof(line));
	return line;
}

static const struct pv_backend backend = {
	.name = "hyperv",
	.title = "Hyper-V interface",
	.detect = pvhyperv_detect,
	.init = init,
	.cpu_init = cpu_init,
	.cpu_exit = pvhyperv_cpu_exit,
	.late_init = pvhyperv_time_late_init,
	.hypercalls = hypercalls,
	.null_hypercall = null_hypercall,
	.tsc_khz = pvhyperv_tsc_khz,
	.note = note,
	.irq = &irq_impls,
	.mmu = &mmu_impls,
	.time = &time_impls,
	.smp = &smp_impls,
};

PV_BACKEND(backend);
