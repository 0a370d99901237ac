/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The account of refusals: each that the hypervisor gave must be told of, once, with
 * its number, and nothing else may be.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "machine.h"

/* One line of pv_batch_refused(). */
struct account_line {
	char op[32];
	u64 entry, val;
	int error;
	/* Of the second try; tried: there was one. */
	int again;
	bool tried;
};

void account_reset(void);
/* The hypervisor has returned this; only a negative result is a refusal. */
void account_refused(s64 result);
/* The same, but the layer need not report this one. */
void account_maybe(s64 result);
/* A line of the log: is it a report?  Takes what it tells of off the account. */
bool account_report(const char *line, struct account_line *out);
/* Refusals that are not reported yet. */
u32 account_open(void);

#endif
