/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks and functions that the files of module pvops_sites share. */
#define SHOULD(what)							\
do {									\
	if (!(what)) {							\
		pr_err("pvops_sites: %s: line %d: does not hold: %s\n",	\
		       KBUILD_BASENAME, __LINE__, #what);		\
		return -EIO;						\
	}								\
} while (0)

/* lazy.c */
#ifdef CONFIG_PVOPS
int test_lazy_sleep(void);
int test_lazy_moves(void);
int test_kernel_table(void);
#else
static inline int test_lazy_sleep(void)
{
	return 0;
}

static inline int test_lazy_moves(void)
{
	return 0;
}

static inline int test_kernel_table(void)
{
	return 0;
}
#endif
