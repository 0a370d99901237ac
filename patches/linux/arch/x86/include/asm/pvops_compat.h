/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the releases of Linux that the pvops layer is carried to.
 * Macros only, because the layer's own files include this header, too.  Time has
 * two variants in a header of its own.
 */
#ifndef _ASM_X86_PVOPS_COMPAT_H
#define _ASM_X86_PVOPS_COMPAT_H

#include <linux/version.h>

/*
 * Since 7.0 Linux has what does not concern its table in headers of its own:
 * pv_info, the delay of I/O, time, locks, the cache.  Its functions for MSRs take
 * values of 64 bits, which are two arguments before.
 */
#ifdef CONFIG_HAVE_PV_STEAL_CLOCK_GEN
#define PVOPS_SPLIT_HEADERS
#define PVOPS_CPUID_HEADER	<asm/cpuid/api.h>
#define PVOPS_PV_INFO		.io_delay = true,
#define pvops_leave_out_io_delay()	((void)(pv_info.io_delay = false))
#define PVOPS_MSR_VALUE(val)		(val)
#define pvops_read_msr_safe(read, msr, p)	read(msr, p)
#else
#define PVOPS_CPUID_HEADER	<asm/processor.h>
#define PVOPS_PV_INFO
#define pvops_leave_out_io_delay()	((void)0)
#define PVOPS_MSR_VALUE(val)	(u32)((val) & 0xffffffff), (u32)((val) >> 32)
#define pvops_read_msr_safe(read, msr, p)				\
({									\
	int _err = 0;							\
									\
	*(p) = read(msr, &_err);					\
	_err;								\
})
#endif

/* 6.9 renamed the options of mitigations. */
#if defined(CONFIG_RETPOLINE) || defined(CONFIG_MITIGATION_RETPOLINE)
#define PVOPS_RETPOLINE
#endif

/* The per-CPU count of preempt_disable(), for assembly. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define PVOPS_PREEMPT_COUNT_SYMBOL	"pcpu_hot+8"
#define PVOPS_PREEMPT_COUNT_OFFSET	offsetof(struct pcpu_hot, preempt_count)
#else
#define PVOPS_PREEMPT_COUNT_SYMBOL	"__preempt_count"
#define PVOPS_PREEMPT_COUNT_OFFSET	8
#endif

/* The text of a module, and of its start-up code. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define pvops_module_text(mod)		(&(mod)->core_layout)
#define pvops_module_text_size(mod)	((mod)->core_layout.text_size)
#define pvops_module_init_text(mod)	(&(mod)->init_layout)
#else
#define pvops_module_text(mod)		(&(mod)->mem[MOD_TEXT])
#define pvops_module_text_size(mod)	((mod)->mem[MOD_TEXT].size)
#define pvops_module_init_text(mod)	(&(mod)->mem[MOD_INIT_TEXT])
#endif

/* The hook of the local APIC for the end of an interrupt */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define pvops_apic_eoi			eoi_write
#define pvops_apic_native_eoi		native_eoi_write
#else
#define pvops_apic_eoi			eoi
#define pvops_apic_native_eoi		native_eoi
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define pvops_switch_gdt(cpu)		switch_to_new_gdt(cpu)
#else
#define pvops_switch_gdt(cpu)		switch_gdt_and_percpu_base(cpu)
#endif

/*
 * Whether spinlocks are plain ones in a guest without PV locks; its type is that
 * of <asm/qspinlock.h>.  Later releases have it in a file that is not the layer's.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define PVOPS_DEFINE_VIRT_SPIN_LOCK_KEY	DEFINE_STATIC_KEY_TRUE
#else
#define PVOPS_DEFINE_VIRT_SPIN_LOCK_KEY	DEFINE_STATIC_KEY_FALSE
#endif

/*
 * Constructors and destructors of table pages, by level.  Until 6.15 the
 * mmu_gather calls the destructor before it frees a table, later it does not;
 * then it frees a table that is not the backend's as follows.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define pvops_table_ctor(mm, page, level)				\
	((level) == 1 ? pgtable_pte_page_ctor(page) :			\
	 (level) == 2 ? pgtable_pmd_page_ctor(page) : true)
#define pvops_table_dtor(page, level)					\
do {									\
	if ((level) == 1)						\
		pgtable_pte_page_dtor(page);				\
	else if ((level) == 2)						\
		pgtable_pmd_page_dtor(page);				\
} while (0)
#define pvops_table_index(page)		((page)->index)
#define pvops_free_kernels_table(page)	free_page_and_swap_cache(page)
#define PVOPS_DTOR_IS_LAST		false
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define pvops_table_ctor(mm, page, level)				\
	((level) == 1 ? pagetable_pte_ctor(page_ptdesc(page)) :		\
	 (level) == 2 ? pagetable_pmd_ctor(page_ptdesc(page)) :		\
	 (level) == 3 ? (pagetable_pud_ctor(page_ptdesc(page)), true) : true)
#define pvops_table_dtor(page, level)					\
do {									\
	if ((level) == 1)						\
		pagetable_pte_dtor(page_ptdesc(page));			\
	else if ((level) == 2)						\
		pagetable_pmd_dtor(page_ptdesc(page));			\
	else if ((level) == 3)						\
		pagetable_pud_dtor(page_ptdesc(page));			\
} while (0)
#define pvops_table_index(page)		(page_ptdesc(page)->pt_index)
#define pvops_free_kernels_table(page)	free_page_and_swap_cache(page)
#define PVOPS_DTOR_IS_LAST		false
#else
#define pvops_table_ctor(mm, page, level)				\
	((level) == 1 ? pagetable_pte_ctor(mm, page_ptdesc(page)) :	\
	 (level) == 2 ? pagetable_pmd_ctor(mm, page_ptdesc(page)) :	\
	 (level) == 3 ? (pagetable_pud_ctor(page_ptdesc(page)), true) :	\
			(pagetable_pgd_ctor(page_ptdesc(page)), true))
#define pvops_table_dtor(page, level)	pagetable_dtor(page_ptdesc(page))
#define pvops_table_index(page)		(page_ptdesc(page)->pt_index)
#define pvops_free_kernels_table(page)	pagetable_free(page_ptdesc(page))
#define PVOPS_DTOR_IS_LAST		true
#endif

/* Since 6.7 shrinkers are allocated. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define pvops_add_shrinker(name, count, scan)				\
({									\
	static struct shrinker _shrinker = {				\
		.count_objects = count, .scan_objects = scan,		\
		.seeks = DEFAULT_SEEKS,					\
	};								\
									\
	register_shrinker(&_shrinker, name);				\
})
#else
#define pvops_add_shrinker(name, count, scan)				\
({									\
	struct shrinker *_shrinker = shrinker_alloc(0, name);		\
									\
	if (_shrinker) {						\
		_shrinker->count_objects = count;			\
		_shrinker->scan_objects = scan;				\
		shrinker_register(_shrinker);				\
	}								\
	_shrinker ? 0 : -ENOMEM;					\
})
#endif

#endif /* _ASM_X86_PVOPS_COMPAT_H */
