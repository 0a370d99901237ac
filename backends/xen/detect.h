/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The types of Xen guests, and their detection. */
#ifndef XEN_DETECT_H
#define XEN_DETECT_H

#include <pvops/backend.h>
#include "interface.h"

enum pvxen_guest {
	PVXEN_NONE,		/* no Xen, or none that a guest can use */
	PVXEN_BAD_START,	/* entered as PV, but without Xen 3's start_info page */
	PVXEN_PV,
	PVXEN_PVH,
	PVXEN_HVM,
};

/* *leaves: Xen's CPUID leaves for PVH and HVM, else NULL */
enum pvxen_guest pvxen_guest_type(const struct pv_platform *platform,
				  const struct pv_cpuid_range **leaves);
/* detect() of the hardware-virtualized guest's descriptor */
int pvxen_hvm_detect(const struct pv_platform *platform, const char **why);

#endif
