/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For a kernel with its own Xen platform code.  Its own descriptor replaces backend.c, and
 * uses these parts of the backend.
 */
#ifndef XEN_KERNEL_H
#define XEN_KERNEL_H

#include <pvops/backend.h>
#include <pvops/batch.h>

extern const struct pv_irq_impls pvxen_irq_impls;
extern const struct pv_cpu_impls pvxen_cpu_impls;
extern const struct pv_mmu_impls pvxen_mmu_impls;

/* Parts of cpu_init(). */
int pvxen_submit(const struct pv_batch_req *req, u32 count, u32 *done);
void pvxen_mc_init(void);
void pvxen_cpu_registers_init(void);

u64 pvxen_hypercalls(u32 nr);
u32 pvxen_tables_kept(void);
u64 pvxen_lock_waits(void);
void pvxen_null_hypercall(void);

/* Such a kernel has its own version of these; here smp.c, events.c and backend.c have them. */
void pvxen_halt(void);
void pvxen_upcall(u32 vector);
/* pvxen_failsafe_entry calls it. */
void pvxen_failsafe(void);

#endif
