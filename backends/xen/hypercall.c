// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Hypercall counts and refusals. */
#include "internal.h"

PV_PERCPU_DEFINE(struct pvxen_hypercall_counts, pvxen_hypercall_count);

u64 pvxen_hypercalls(u32 nr)
{
	const struct pvxen_hypercall_counts *counts = PV_PERCPU_PTR(pvxen_hypercall_count);
	u64 sum = 0;
	u32 i;

	if (nr < XEN_HYPERCALLS)
		return counts->nr[nr];
	if (nr != ~0U)
		return 0;
	for (i = 0; i < XEN_HYPERCALLS; i++)
		sum += counts->nr[i];
	return sum;
}

/* xen_version(XENVER_version) reads no argument and changes nothing. */
void pvxen_null_hypercall(void)
{
	pvxen_call2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

void pvxen_refused(enum pv_op op, unsigned long caller, u64 arg1, u64 arg2, long error,
		   long again)
{
	const struct pv_batch_req req = { arg1, arg2 };
	const struct pv_batch_note note = { caller, op };

	pv_batch_refused(&req, &note, pv_batch_errno(error), (s32)again);
}
