/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks and functions that the files of module pvops_sites share. */
#include <linux/version.h>

#define SHOULD(what)							\
do {									\
	if (!(what)) {							\
		pr_err("pvops_sites: %s: line %d: does not hold: %s\n",	\
		       KBUILD_BASENAME, __LINE__, #what);		\
		return -EIO;						\
	}								\
} while (0)

/* MSRs of 64 bits have other names since 6.16. */
#ifdef rdmsrl
#define read_msr64(msr, val)		rdmsrl(msr, val)
#define write_msr64(msr, val)		wrmsrl(msr, val)
#define read_msr64_safe(msr, val)	rdmsrl_safe(msr, val)
#else
#define read_msr64(msr, val)		rdmsrq(msr, val)
#define write_msr64(msr, val)		wrmsrq(msr, val)
#define read_msr64_safe(msr, val)	rdmsrq_safe(msr, val)
#endif

/* Lazy mode belongs to the task since 7.0, and nests. */
#ifdef CONFIG_ARCH_HAS_LAZY_MMU_MODE
#define enter_lazy_mode()		lazy_mmu_mode_enable()
#define leave_lazy_mode()		lazy_mmu_mode_disable()
#else
#define enter_lazy_mode()		arch_enter_lazy_mmu_mode()
#define leave_lazy_mode()		arch_leave_lazy_mmu_mode()
#endif

/* Modules can no longer drop global entries since 7.0. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define FLUSHABLE			PAGE_KERNEL
#define flush_this_cpu()		__flush_tlb_all()
#else
#define FLUSHABLE			__pgprot(pgprot_val(PAGE_KERNEL) & ~_PAGE_GLOBAL)
#define flush_this_cpu()		write_cr3(__read_cr3())
#endif

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
