// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: the same in other functions, and reports of other CPUs. */
void startup_64_load_idt(void)
{
	cr4_init_shadow();
	clear_bss();
}

static void cpu_bringup(void)
{
	rcutree_report_cpu_starting(one());
}

static void notrace start_secondary(void *unused)
{
	rcutree_report_cpu_dead();
}
