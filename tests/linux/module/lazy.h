/* SPDX-License-Identifier: GPL-2.0-only */
#ifdef CONFIG_PVOPS
int test_lazy_sleep(void);
int test_kernel_table(void);
#else
static inline int test_lazy_sleep(void)
{
	return 0;
}

static inline int test_kernel_table(void)
{
	return 0;
}
#endif
