// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fault injection (pvops/inject.h): the calls that can be made to fail, and their errors.
 *
 * ABI.md section 5 has the status results, and the calls that return one.  These calls
 * never fail by injection:
 *
 *	all calls without a status: their result cannot show a refusal
 *	39 with DEFER	its -16 (full) is an answer: it asks for a flush.  Refusals come
 *			with the flush; submit() injects them
 *	73 by itself	sets classes, or ends class CPU, whose calls have no status
 *	37		does not return
 *	calls before the injector is armed
 */
#include <pvops/inject.h>
#include "internal.h"

#ifdef PV_PORT_INJECT

struct fault {
	u8 nr;
	/* Terminated by 0. */
	u8 errors[4 + 1];
};

/* Section 5; 6.2 has the ones of call 39. */
#define STATUS	{ VMI_EPERM, VMI_ENOENT, VMI_EBUSY, VMI_EINVAL }

static const struct fault faults[] = {
	{ VMI_SET_PXE_LONG, { VMI_EPERM, VMI_EINVAL } },
	{ VMI_ALLOCATE_PAGE, STATUS },
	{ VMI_RELEASE_PAGE, STATUS },
	{ VMI_SET_LINEAR_MAPPING, STATUS },
	{ VMI_SET_INITIAL_AP_STATE, STATUS },
	{ VMI_SET_ALARM, STATUS },
};

#define COUNT(array)	((u32)(sizeof(array) / sizeof((array)[0])))

static u32 turn[COUNT(faults)];

static s32 error_of(u32 nr)
{
	u32 i;

	for (i = 0; i < COUNT(faults) - 1 && faults[i].nr != nr; i++)
		;
	return pv_inject_error(faults[i].errors, &turn[i]);
}

bool pvvmi_inject(u32 nr, s64 *status)
{
	if (!pv_inject_due() || pv_inject_drops())
		return false;
	*status = error_of(nr);
	return true;
}

/* Returns success for all requests, but omits one. */
static bool drop(pv_batch_submit_t apply, const struct pv_batch_req *req, u32 count, u32 *done,
		 int *result)
{
	u32 at = pv_inject_pick(count);

	for (; at < count && !pv_inject_shows(*(const volatile u64 *)(req[at].ptr & ~7UL),
					      req[at].val); at++)
		;
	if (at == count)
		return false;
	pv_inject_dropped();
	*result = at ? apply(req, at, done) : 0;
	if (!*result && at + 1 < count)
		*result = apply(&req[at + 1], count - at - 1, done);
	return true;
}

bool pvvmi_inject_list(pv_batch_submit_t apply, const struct pv_batch_req *req, u32 count,
		       u32 *done, int *result)
{
	u32 at;

	if (!pv_inject_due())
		return false;
	if (pv_inject_drops())
		return drop(apply, req, count, done, result);
	at = pv_inject_pick(count);
	*done = 0;
	*result = at ? apply(req, at, done) : 0;
	/* Only if the hypervisor itself has not refused an earlier request. */
	if (!*result) {
		*done = at;
		*result = error_of(VMI_SET_PXE_LONG);
	}
	return true;
}

#endif
