// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: the same in other functions. */
static int detect_other(void)
{
	for (p = hypervisors; p < end; p++)
		if (unlikely(nopv) && !(*p)->ignore_nopv)
			continue;
	return static_call(pv_sched_clock)();
}

void other_apic_init(void)
{
	if (ms_hyperv.hints & HV_X64_CLUSTER_IPI_RECOMMENDED)
		one();
	x86_init.timers.setup_percpu_clockev = hv_stimer_setup_percpu_clockev;
	static_call_update(other_clock, one);
}

static bool pv_other_supported(void)
{
	return one() && two();
}
