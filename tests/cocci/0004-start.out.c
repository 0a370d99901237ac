// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
void x86_64_start_kernel(char *real_mode_data)
{
	BUILD_BUG_ON(one);

#ifdef CONFIG_PVOPS
	/* The layer's state is in .bss, and the next line already uses it. */
	clear_bss();
	pvops_early_init();
#endif

	cr4_init_shadow();

	/* Two */
	two();

	if (!IS_ENABLED(CONFIG_PVOPS))
		clear_bss();

	/* Three */
	three();
}

static void notrace start_secondary(void *unused)
{
	cpu_init();
#ifdef CONFIG_PVOPS
	pvops_cpu_init();
#endif
	rcu_cpu_starting(one());
	two();
}
