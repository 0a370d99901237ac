/* SPDX-License-Identifier: GPL-2.0-only */
/* Linux's platform code for Xen PV and the pvops Xen backend. */
#ifndef _XEN_PVOPS_H
#define _XEN_PVOPS_H

struct start_info;

#ifdef CONFIG_PVOPS
#include <pvops/port.h>
#include <pvops/pvops.h>

/* Choose the backend; ops that need no frame numbers work from here. */
void xen_pvops_init(struct start_info *si);

/*
 * First thing on each CPU, on the boot CPU once the frame list is there: the
 * backend's per-CPU part.
 */
void xen_pvops_cpu_init(void);

/* Platform code that stays: enlighten_pv.c and mmu_pv.c. */
void xen_pvops_override_cpu(void);
void xen_pvops_override_mmu(void);
#else
static inline void xen_pvops_init(struct start_info *si) { }
static inline void xen_pvops_cpu_init(void) { }
#endif

#endif /* _XEN_PVOPS_H */
