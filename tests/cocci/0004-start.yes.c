// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
void x86_64_start_kernel(char *real_mode_data)
{
	BUILD_BUG_ON(one);

	cr4_init_shadow();

	/* Two */
	two();

	clear_bss();

	/* Three */
	three();
}

static void notrace start_secondary(void *unused)
{
	cpu_init();
	rcu_cpu_starting(one());
	two();
}
