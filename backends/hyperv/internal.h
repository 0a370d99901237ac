/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the Hyper-V backend share.  README.md describes the ABI. */
#ifndef HYPERV_INTERNAL_H
#define HYPERV_INTERNAL_H

#include <pvops/backend.h>
#include <pvops/native.h>
#include <pvops/port.h>
#include "interface.h"

/* Enlightenments: what each needs stands in detect.c. */
enum pvhyperv_use {
	HV_USE_FLUSH,
	HV_USE_IPI,
	HV_USE_EX,
	HV_USE_EOI,
	HV_USE_CLOCK,
	HV_USE_TIMER,
	HV_USE_FREQUENCY,
	HV_USE_RESET,
	HV_USE_CRASH,
	HV_USE_COUNT
};

/**
 * struct pvhyperv_features - what CPUID offers, and what of it may be used
 * @privileges: leaf 0x40000003 EAX
 * @features: leaf 0x40000003 EDX
 * @hints: leaf 0x40000004 EAX
 * @use: bit per enum pvhyperv_use
 * @left: likewise: could be used, and was left to native
 * @imitated: another hypervisor shows this interface
 */
struct pvhyperv_features {
	u32 privileges;
	u32 features;
	u32 hints;
	u32 use;
	u32 left;
	bool imitated;
};

/* detect.c: pure.  NULL, or why the interface cannot be used here. */
const char *pvhyperv_features_read(const struct pv_platform *platform,
				   struct pvhyperv_features *out);
/* In words: line 0 what is used, line 1 what is not, and why. */
void pvhyperv_features_text(const struct pvhyperv_features *features, u32 line, char *out,
			    size_t size);

/* The descriptor's detect(). */
int pvhyperv_detect(const struct pv_platform *platform, const char **why);

/* vpset.c: pure. */
#define HV_VP_UNKNOWN	~0U

/* No CPU that has ever run: there is nothing to ask the hypervisor for. */
bool pvhyperv_nobody(const struct pv_cpumask *cpus, const u32 *vp);
/* CPUs as a mask of VP indices, all below 64; those that never ran left out. */
u64 pvhyperv_vp_mask(const struct pv_cpumask *cpus, const u32 *vp);

/**
 * pvhyperv_vp_set - CPUs as a sparse VP set
 * @cpus: which; those whose VP is unknown have never run, and are left out
 * @vp: VP index of each CPU, all below HV_SET_BANK * HV_SET_BANKS
 * @out: format, valid banks, then as many banks as the result says
 */
u32 pvhyperv_vp_set(const struct pv_cpumask *cpus, const u32 *vp, u64 *out);

/* What pv_init() found, and what of it still works. */
extern struct pvhyperv_features pvhyperv;

static __always_inline bool pvhyperv_uses(enum pvhyperv_use use)
{
	return pvhyperv.use >> use & 1;
}

/* hypercall.c */
struct pvhyperv_counts {
	u32 total;
	u32 nr[HVCALL_SEND_IPI_EX + 1];
	/* Refusals without a success between them, and which call was the last of them. */
	u32 in_a_row[HVCALL_SEND_IPI_EX + 1];
	u32 last[HVCALL_SEND_IPI_EX + 1];
};

/* So many in a row on one CPU, and the hypervisor does not do it. */
#define HV_REFUSALS	8

PV_PERCPU_DECLARE(struct pvhyperv_counts, pvhyperv_count);

/* The page is there. */
extern bool pvhyperv_calls;
/* From init(): the page can hold code. */
bool pvhyperv_hypercalls_prepare(void);
bool pvhyperv_hypercalls_start(void);
void pvhyperv_hypercalls_stop(void);
/* Parameters in two registers. */
u64 pvhyperv_call_fast(u64 control, u64 arg1, u64 arg2);
/* Parameters in this CPU's input page; interrupts masked from filling it on. */
u64 *pvhyperv_input(void);
u64 pvhyperv_call_input(u64 control);
/* Is the result good?  If not: reported; after HV_REFUSALS in a row @use is over. */
bool pvhyperv_accepted(u64 result, enum pv_op op, unsigned long caller, u64 control,
		       enum pvhyperv_use use);

#define HV_CALLER()	((unsigned long)PV_CALLER())

/* smp.c, mmu.c */
extern u32 pvhyperv_vp_index[PV_MAX_CPUS];
/* Some VP index is 64 or more: only sparse sets can name it. */
extern bool pvhyperv_wide;
/* Index of this CPU, from cpu_init(). */
void pvhyperv_vp_start(u32 cpu);

void pvhyperv_send_ipi(u32 cpu, u32 vector);
void pvhyperv_send_ipi_mask(const struct pv_cpumask *mask, u32 vector);
void pvhyperv_stop_cpu(void);
void pvhyperv_shutdown(enum pv_shutdown_reason reason);
/* In the plain form, or with a sparse set; false: refused.  Nobody there: no call. */
bool pvhyperv_ipi(const struct pv_cpumask *mask, u32 vector, bool ex, enum pv_op op,
		  unsigned long caller);
void pvhyperv_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end);
bool pvhyperv_flush(const struct pv_cpumask *mask, u64 start, u64 end, bool ex,
		    unsigned long caller);

/* irq.c */
void pvhyperv_upcall(u32 vector);
void pvhyperv_eoi_cpu_start(void);
void pvhyperv_eoi_cpu_stop(void);

/* time.c */
u64 pvhyperv_clock_read(void);
void pvhyperv_set_timer(u64 deadline);
u32 pvhyperv_tsc_khz(void);
void pvhyperv_time_start(void);
void pvhyperv_time_late_init(void);
void pvhyperv_time_stop(void);
void pvhyperv_timer_cpu_start(void);
void pvhyperv_timer_cpu_stop(void);

/* backend.c */
void pvhyperv_cpu_exit(void);

static __always_inline u64 pvhyperv_phys(const void *page)
{
	return pv_pfn_nr(pv_port_virt_to_pfn(page)) << PV_PAGE_SHIFT;
}

#endif
