/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the Hyper-V backend share.  README.md describes the ABI. */
#ifndef HYPERV_INTERNAL_H
#define HYPERV_INTERNAL_H

#include <pvops/backend.h>
#include <pvops/native.h>
#include <pvops/port.h>
#include "interface.h"

/* Enlightenments.  detect.c has the requirements of each. */
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
 * struct pvhyperv_features - features in CPUID, and the usable ones
 * @privileges: leaf 0x40000003 EAX
 * @features: leaf 0x40000003 EDX
 * @hints: leaf 0x40000004 EAX
 * @use: uses in force, a bit per enum pvhyperv_use
 * @left: uses that were possible but left to native, a bit per enum pvhyperv_use
 * @imitated: another hypervisor imitates this interface
 */
struct pvhyperv_features {
	u32 privileges;
	u32 features;
	u32 hints;
	u32 use;
	u32 left;
	bool imitated;
};

/* detect.c; pure.  Returns NULL, or the reason why the interface cannot be used. */
const char *pvhyperv_features_read(const struct pv_platform *platform,
				   struct pvhyperv_features *out);
/* Makes text: line 0 lists the uses in force, line 1 the others and the reasons. */
void pvhyperv_features_text(const struct pvhyperv_features *features, u32 line, char *out,
			    size_t size);

/* The descriptor's detect(). */
int pvhyperv_detect(const struct pv_platform *platform, const char **why);

/* vpset.c; pure functions. */
#define HV_VP_UNKNOWN	~0U

/* Returns true if no CPU of the mask has ever run; then no hypercall is needed. */
bool pvhyperv_nobody(const struct pv_cpumask *cpus, const u32 *vp);
/* Converts CPUs to a mask of VP indices, all below 64, without CPUs that never ran. */
u64 pvhyperv_vp_mask(const struct pv_cpumask *cpus, const u32 *vp);

/**
 * pvhyperv_vp_set - convert CPUs to a sparse VP set
 * @cpus: the CPUs; those with an unknown VP have never run, and are left out
 * @vp: VP index of each CPU, all below HV_SET_BANK * HV_SET_BANKS
 * @out: receives the format, the valid mask, and the banks
 *
 * Returns the number of banks.
 */
u32 pvhyperv_vp_set(const struct pv_cpumask *cpus, const u32 *vp, u64 *out);

/* The features at pv_init(), and the uses that still work. */
extern struct pvhyperv_features pvhyperv;

static __always_inline bool pvhyperv_uses(enum pvhyperv_use use)
{
	return pvhyperv.use >> use & 1;
}

/* hypercall.c */
struct pvhyperv_counts {
	u32 total;
	u32 nr[HVCALL_SEND_IPI_EX + 1];
	/* Refusals without a success in between; @nr at the last of them. */
	u32 in_a_row[HVCALL_SEND_IPI_EX + 1];
	u32 last[HVCALL_SEND_IPI_EX + 1];
};

/* After this many refusals in a row on one CPU, a use ends. */
#define HV_REFUSALS	8

PV_PERCPU_DECLARE(struct pvhyperv_counts, pvhyperv_count);

/* Hypercalls are possible: the page is in force. */
extern bool pvhyperv_calls;
/* Called from init(); returns true if the page can hold code. */
bool pvhyperv_hypercalls_prepare(void);
bool pvhyperv_hypercalls_start(void);
void pvhyperv_hypercalls_stop(void);
/* Makes a hypercall with its parameters in two registers. */
u64 pvhyperv_call_fast(u64 control, u64 arg1, u64 arg2);
/*
 * Makes a hypercall with its parameters in this CPU's input page.  Interrupts must be
 * masked from the first write to the page until the call returns.
 */
u64 *pvhyperv_input(void);
u64 pvhyperv_call_input(u64 control);
/* Returns true for success.  Reports a refusal; after HV_REFUSALS in a row @use ends. */
bool pvhyperv_accepted(u64 result, enum pv_op op, unsigned long caller, u64 control,
		       enum pvhyperv_use use);

#define HV_CALLER()	((unsigned long)PV_CALLER())

/* smp.c, mmu.c */
extern u32 pvhyperv_vp_index[PV_MAX_CPUS];
/* A VP index is 64 or more: only sparse sets can name it. */
extern bool pvhyperv_wide;
/* Reads the VP index of this CPU; called from cpu_init(). */
void pvhyperv_vp_start(u32 cpu);

void pvhyperv_send_ipi(u32 cpu, u32 vector);
void pvhyperv_send_ipi_mask(const struct pv_cpumask *mask, u32 vector);
void pvhyperv_stop_cpu(void);
void pvhyperv_shutdown(enum pv_shutdown_reason reason);
/*
 * Send by the plain form, or with a sparse set if @ex.  Return false if the hypervisor
 * refuses; make no call if no CPU of the mask has ever run.
 */
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
