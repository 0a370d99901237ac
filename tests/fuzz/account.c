// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The account of refusals.  account.h. */
#include "account.h"

static u32 waiting[PV_BATCH_ERRNO_MAX + 1], waiting_all;
static u32 maybe[PV_BATCH_ERRNO_MAX + 1], maybe_all;

static u32 errno_of(s64 error)
{
	return error < -PV_BATCH_ERRNO_MAX ? PV_BATCH_ERRNO_MAX : (u32)-error;
}

void account_reset(void)
{
	if (waiting_all)
		memset(waiting, 0, sizeof(waiting));
	if (maybe_all)
		memset(maybe, 0, sizeof(maybe));
	waiting_all = maybe_all = 0;
}

void account_refused(s64 result)
{
	if (result >= 0)
		return;
	waiting[errno_of(result)]++;
	waiting_all++;
}

void account_maybe(s64 result)
{
	if (result >= 0)
		return;
	maybe[errno_of(result)]++;
	maybe_all++;
}

static void told(s64 error)
{
	u32 nr = errno_of(error);

	CHECK(error < 0 && (waiting[nr] || maybe[nr]));
	if (waiting[nr]) {
		waiting[nr]--;
		waiting_all--;
	} else {
		maybe[nr]--;
	}
}

bool account_report(const char *line, struct account_line *out)
{
	const char *outcome = strstr(line, "second try: ");
	unsigned long long entry, val;

	if (!outcome || sscanf(line, "pvops: %31s refused: error %d, entry 0x%llx, value 0x%llx",
			       out->op, &out->error, &entry, &val) != 4)
		return false;
	out->entry = entry;
	out->val = val;
	out->again = 0;
	outcome += strlen("second try: ");
	out->tried = strcmp(outcome, "none");
	if (!out->tried)
		return true;
	told(out->error);
	if (sscanf(outcome, "error %d, lost", &out->again) == 1)
		told(out->again);
	else
		CHECK(!strcmp(outcome, "good"));
	return true;
}

u32 account_open(void)
{
	return waiting_all;
}
