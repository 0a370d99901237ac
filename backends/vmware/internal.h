/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the VMware backend share. */
#ifndef VMWARE_INTERNAL_H
#define VMWARE_INTERNAL_H

#include <pvops/backend.h>
#include "interface.h"

/* detect.c: pure. */
int pvvmware_detect(const struct pv_platform *platform, const char **why);
/* How the hypervisor wants to be called: VMWARE_VMMCALL, _VMCALL, or 0, the port. */
u32 pvvmware_way(const struct pv_platform *platform);

#endif
