/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the KVM backend share.  README.md describes the ABI. */
#ifndef KVM_INTERNAL_H
#define KVM_INTERNAL_H

#include <pvops/backend.h>
#include <pvops/native.h>
#include <pvops/port.h>
#include <pvops/pvclock.h>
#include <pvops/pvops.h>
#include "interface.h"

/* Results of CPUID (detect.c). */
struct pvkvm_offer {
	u32 base;	/* first of KVM's leaves; 0: no KVM */
	u32 features;	/* 1 << KVM_FEATURE_* */
	u32 hints;	/* 1 << KVM_HINTS_* */
	bool vmmcall;	/* hypercalls by AMD's instruction */
};

struct pvkvm_offer pvkvm_find(const struct pv_platform *platform);
int pvkvm_detect(const struct pv_platform *platform, const char **why);

/* The offer of this machine, from init() on. */
extern struct pvkvm_offer pvkvm_offer;

static __always_inline bool pvkvm_has(u32 feature)
{
	return pvkvm_offer.features & 1U << feature;
}

/* Each vCPU has a CPU of its own, so features for waiting vCPUs do not help. */
static __always_inline bool pvkvm_dedicated(void)
{
	return pvkvm_offer.hints & 1U << KVM_HINTS_REALTIME;
}

/*
 * Memory that a vCPU shares with the host.  It is aligned to its size, so that it
 * crosses no page boundary.
 */
struct pvkvm_shared {
	struct kvm_steal_time steal;
	struct pv_pvclock clock;
	u32 eoi;
	u32 pad[7];
};

typedef struct pvkvm_shared pvkvm_shared_area __attribute__((aligned(128)));
PV_PERCPU_DECLARE(pvkvm_shared_area, pvkvm_shared);

/* Counts of this CPU's hypercalls, by number; the backend makes none with a higher number. */
#define PVKVM_HYPERCALLS	16

struct pvkvm_counts {
	u64 nr[PVKVM_HYPERCALLS];
};

PV_PERCPU_DECLARE(struct pvkvm_counts, pvkvm_count);

/* host_written.c: memory that the host writes. */
void pvkvm_share(u32 cpu);
void pvkvm_unshare(void);
u32 pvkvm_tsc_khz(void);
u8 *pvkvm_preempted(u32 cpu);
/* The sender of an IPI yields its time to a target that does not run (smp.c). */
extern bool pvkvm_yields;

extern struct pv_irq_impls pvkvm_irq_impls;
extern struct pv_time_impls pvkvm_time_impls;
extern struct pv_mmu_impls pvkvm_mmu_impls;
extern struct pv_smp_impls pvkvm_smp_impls;
extern struct pv_lock_impls pvkvm_lock_impls;
void pvkvm_fill_time(void);
void pvkvm_fill_irq(void);
void pvkvm_fill_mmu(void);
void pvkvm_fill_smp(void);
void pvkvm_fill_lock(void);
void (*pvkvm_null_hypercall(void))(void);

#define PVKVM_USE(table, op, function)	((table).op.fn = (function))

#endif
