// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Generated from the catalogue: one function per op, one wrapper in each. */
#include <pvops/call.h>

#include "users.h"

#define ARGS0()
#define ARGS1(t1, a1)			(t1)arg[0]
#define ARGS2(t1, a1, t2, a2)		(t1)arg[0], (t2)arg[1]
#define ARGS3(t1, a1, t2, a2, t3, a3)	(t1)arg[0], (t2)arg[1], (t3)arg[2]
#define ARGS4(t1, a1, t2, a2, t3, a3, t4, a4) \
	(t1)arg[0], (t2)arg[1], (t3)arg[2], (t4)arg[3]

#define MASK(type)			(sizeof(type) == 8 ? ~0ULL : (1ULL << 8 * (sizeof(type) & 7)) - 1)
#define MASKS0()			0
#define MASKS1(t1, a1)			MASK(t1)
#define MASKS2(t1, a1, t2, a2)		MASK(t1), MASK(t2)
#define MASKS3(t1, a1, t2, a2, t3, a3)	MASK(t1), MASK(t2), MASK(t3)
#define MASKS4(t1, a1, t2, a2, t3, a3, t4, a4) MASK(t1), MASK(t2), MASK(t3), MASK(t4)

#define RESULT(ret, call)		RESULT_##ret(call)
#define RESULT_void(call)		({ call; 0; })
#define RESULT_int(call)		((u64)(u32)(call))
#define RESULT_u8(call)			((u64)(call))
#define RESULT_u16(call)		((u64)(call))
#define RESULT_u32(call)		((u64)(call))
#define RESULT_u64(call)		(call)
#define RESULT_pv_flags_t(call)		((__force u64)(call))
#define RESULT_pv_pfn_t(call)		((__force u64)(call))
#define RESULT_pv_pte_t(call)		((__force u64)(call))
#define RESULT_pv_pmd_t(call)		((__force u64)(call))
#define RESULT_pv_pud_t(call)		((__force u64)(call))
#define RESULT_pv_p4d_t(call)		((__force u64)(call))

#define IS_VOID(ret)			__builtin_types_compatible_p(ret, void)
/* sizeof(void) is 1: one macro for all. */
#define USE(name, ret, n, args)						\
static __attribute__((noinline)) u64 use_##name(const u64 *arg)		\
{									\
	(void)arg;							\
	return RESULT(ret, pv_##name(ARGS##n args));			\
}

#define USE_CALL6(name, ret, n, args)	USE(name, ret, n, args)
#define USE_CALL9(name, ret, n, args)	USE(name, ret, n, args)
#define USE_BRANCH(name, ret, n, args)	USE(name, ret, n, args)
#define USE_ASM6(name, ret, n, args)
#define USE_JUMP6(name, ret, n, args)

#define PV_OP(table, name, site, conv, ret, n, args, test) USE_##site(name, ret, n, args)
#include <pvops/catalogue.h>

#define IS_ASM_ASM	true
#define IS_ASM_C	false

#define ROW(name_, conv, ret, n, args, branch_)				\
	{								\
		.name = #name_,						\
		.op = PV_OP_##name_,					\
		.nargs = n,						\
		.has_result = !IS_VOID(ret),				\
		.result_mask = MASK(ret),				\
		.arg_mask = { MASKS##n args },				\
		.branch = branch_,					\
		.asm_convention = IS_ASM_##conv,			\
		.use = use_##name_,					\
	},
#define ROW_CALL6(name, conv, ret, n, args)	ROW(name, conv, ret, n, args, false)
#define ROW_CALL9(name, conv, ret, n, args)	ROW(name, conv, ret, n, args, false)
#define ROW_BRANCH(name, conv, ret, n, args)	ROW(name, conv, ret, n, args, true)
#define ROW_ASM6(name, conv, ret, n, args)
#define ROW_JUMP6(name, conv, ret, n, args)

const struct user users[] = {
#define PV_OP(table, name, site, conv, ret, n, args, test) ROW_##site(name, conv, ret, n, args)
#include <pvops/catalogue.h>
};

const u32 user_count = sizeof(users) / sizeof(users[0]);
