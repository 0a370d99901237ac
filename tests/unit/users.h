/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Every op of the catalogue used once from C, by its wrapper. */
#ifndef USERS_H
#define USERS_H

#include <pvops/site.h>

/**
 * struct user - a function that uses one op
 * @name: the op's
 * @op: its id
 * @nargs: how many arguments it takes
 * @has_result: it returns something, see @result_mask
 * @result_mask: bits that the result's type has
 * @arg_mask: likewise, each argument
 * @branch: it is a BRANCH site, with native code in line
 * @asm_convention: it keeps all registers but rax
 * @use: calls it with @arg and returns the result, or 0
 */
struct user {
	const char *name;
	enum pv_op op;
	u32 nargs;
	bool has_result;
	u64 result_mask;
	u64 arg_mask[4];
	bool branch;
	bool asm_convention;
	u64 (*use)(const u64 *arg);
};

extern const struct user users[];
extern const u32 user_count;

/* fake_ops.S */
u64 use_asm_swapgs(u64 keep);
void use_asm_adjust(void);
void use_asm_iret(void);
u64 use_asm_read_cr0(void);

#endif
