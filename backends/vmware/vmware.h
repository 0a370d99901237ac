/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the VMware backend share. */
#ifndef VMWARE_H
#define VMWARE_H

#include <pvops/backend.h>

/* detect.c: pure. */
int vmware_detect(const struct pv_platform *platform, const char **why);
/* How the hypervisor wants to be called: one of these, or 0, the port. */
#define VMWARE_VMMCALL	(1U << 0)
#define VMWARE_VMCALL	(1U << 1)
u32 vmware_way(const struct pv_platform *platform);

#endif
