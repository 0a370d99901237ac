/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the VMware backend share. */
#ifndef VMWARE_H
#define VMWARE_H

#include <pvops/backend.h>

/* detect.c; pure functions. */
int vmware_detect(const struct pv_platform *platform, const char **why);
/* The instructions that call the hypervisor; 0: the I/O port. */
#define VMWARE_VMMCALL	(1U << 0)
#define VMWARE_VMCALL	(1U << 1)
u32 vmware_way(const struct pv_platform *platform);

#endif
