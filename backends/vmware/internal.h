/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the VMware backend share. */
#ifndef VMWARE_INTERNAL_H
#define VMWARE_INTERNAL_H

#include <pvops/backend.h>
#include "interface.h"

/* detect.c; pure functions. */
int pvvmware_detect(const struct pv_platform *platform, const char **why);
/* The instruction that calls the hypervisor: VMWARE_VMMCALL, VMWARE_VMCALL; 0: the I/O port. */
u32 pvvmware_way(const struct pv_platform *platform);

#endif
