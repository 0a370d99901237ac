/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What kind of guest of Xen's is this? */
#ifndef XEN_DETECT_H
#define XEN_DETECT_H

#include <pvops/backend.h>
#include "interface.h"

enum pvxen_guest {
	PVXEN_NONE,		/* Xen is not here, or not so that a guest can use it */
	PVXEN_BAD_START,	/* entered as PV, but with another page than Xen 3's */
	PVXEN_PV,
	PVXEN_PVH,
	PVXEN_HVM,
};

/* *leaves: Xen's in CPUID, for PVH and HVM; else NULL */
enum pvxen_guest pvxen_guest_type(const struct pv_platform *platform,
				  const struct pv_cpuid_range **leaves);
/* detect() of the hardware-virtualized guest's descriptor */
int pvxen_hvm_detect(const struct pv_platform *platform, const char **why);

#endif
