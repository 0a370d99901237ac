/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Twins, for measurements
 *
 * The twin of an op, twin_NAME(), has the operands and clobbers of pv_NAME() around nothing.
 * The difference of the two is the cost of the op.  The benchmarks of the mini guest and of
 * Linux include this; ops whose sites are assembly have no twin.
 */
#ifndef PVOPS_TWIN_H
#define PVOPS_TWIN_H

#include "call.h"

/* Operands of a branch-site op are computed, nothing is called. */
#define PV_TWIN_USE0()
#define PV_TWIN_USE1(t1, a1)			"r" (a1)
#define PV_TWIN_USE2(t1, a1, t2, a2)		"r" (a1), "r" (a2)
#define PV_TWIN_USE3(t1, a1, t2, a2, t3, a3)	"r" (a1), "r" (a2), "r" (a3)
#define PV_TWIN_USE4(t1, a1, t2, a2, t3, a3, t4, a4) \
	"r" (a1), "r" (a2), "r" (a3), "r" (a4)

#define PV_TWIN_CALL6(name, conv, ret, n, args)	\
	PV_DEFINE_CALL(twin_##name, name, "", conv, ret, n, args)
#define PV_TWIN_CALL9	PV_TWIN_CALL6
#define PV_TWIN_BRANCH(name, conv, ret, n, args)			\
static __always_inline void twin_##name PV_PROTO##n args		\
{									\
	asm volatile("" : : PV_TWIN_USE##n args : "memory");		\
}
#define PV_TWIN_ASM6(name, conv, ret, n, args)
#define PV_TWIN_JUMP6(name, conv, ret, n, args)
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	PV_TWIN_##site(name, conv, ret, n, args)
#include "catalogue.h"

#endif
