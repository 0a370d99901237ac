/* SPDX-License-Identifier: GPL-2.0-only */
/* Interface of Linux's platform code for Xen PV to the pvops Xen backend. */
#ifndef _XEN_PVOPS_H
#define _XEN_PVOPS_H

struct start_info;

#ifdef CONFIG_PVOPS
#include <linux/pgtable.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

/* Choose the backend.  Then all ops work that need no frame numbers. */
void xen_pvops_init(struct start_info *si);

/*
 * The backend's per-CPU part.  Called first on each CPU; on the boot CPU as
 * soon as the frame list exists.
 */
void xen_pvops_cpu_init(void);

/*
 * What Linux's platform code sends to Xen itself is never deferred: lazy mode
 * defers only what goes through the layer's batches, which nobody else flushes.
 */
#define is_lazy_mmu_mode_active()	false

/* Override ops with Linux's platform code: enlighten_pv.c and mmu_pv.c. */
void xen_pvops_override_cpu(void);
void xen_pvops_override_mmu(void);
#else
static inline void xen_pvops_init(struct start_info *si) { }
static inline void xen_pvops_cpu_init(void) { }
#endif

#endif /* _XEN_PVOPS_H */
