// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* "pvops=<backend>,-<table>" and "-<op>": what is left to native, and what cannot be. */
#include "internal.h"

/* "-x": all ops of [first, first + count) become native, or none. */
struct exception {
	struct pv_token token;
	u32 first;
	u32 count;
};

/* One for each op and each table, and some more. */
#define MAX_EXCEPTIONS	(PV_OP_COUNT + 8)

static struct exception exceptions[MAX_EXCEPTIONS];
static u32 exception_count;

static bool covers(const struct exception *exception, u32 op)
{
	return op - exception->first < exception->count;
}

bool pv_op_is_left(enum pv_op op)
{
	u32 i;

	for (i = 0; i < exception_count; i++)
		if (covers(&exceptions[i], op))
			return true;
	return false;
}

static bool find_part(const struct pv_token *token, struct exception *part)
{
	u32 i;

	part->token = *token;
	for (i = 0; i < pv_table_count; i++)
		if (pv_token_is(token, pv_tables[i].name)) {
			part->first = pv_tables[i].first;
			part->count = pv_tables[i].count;
			return true;
		}
	for (i = 0; i < PV_OP_COUNT; i++)
		if (pv_token_is(token, pv_op_info[i].name)) {
			part->first = i;
			part->count = 1;
			return true;
		}
	return false;
}

/* Checks one exception by itself; refuse_one() checks them together. */
static void add_exception(const struct pv_token *token)
{
	const struct pv_backend *backend = pv_backend();
	struct exception part;
	const char *why;
	u32 op;

	if (!find_part(token, &part)) {
		pv_add_line(refused, "-%s: no such table or op", pv_token_show(token).text);
		return;
	}
	for (op = part.first; op < part.first + part.count; op++) {
		if (pv_is_overridden(op)) {
			pv_add_line(refused, "-%s: the kernel has a %s of its own",
				    pv_token_show(token).text, pv_op_info[op].name);
			return;
		}
		if (pv_chosen[op]->flags & PV_IMPL_REQUIRED) {
			pv_add_line(refused, "-%s: %s cannot run with native %s", pv_token_show(token).text,
				    backend->name, pv_op_info[op].name);
			return;
		}
		why = backend->needs ? backend->needs(op) : NULL;
		if (why) {
			pv_add_line(refused, "-%s: %s", pv_token_show(token).text, why);
			return;
		}
	}
	if (exception_count == MAX_EXCEPTIONS)
		pv_add_line(refused, "-%s: too many exceptions", pv_token_show(token).text);
	else
		exceptions[exception_count++] = part;
}

static bool may_be_own(u32 op)
{
	return pv_impl_is_own(op) || (pv_backend()->serves && pv_backend()->serves(op));
}

/* Returns a pair of which only one op becomes native, by @part; NULL if there is none. */
static const struct pv_op_pair *parted_by(const struct exception *part)
{
	u32 i;

	for (i = 0; i < pv_pair_count; i++) {
		const struct pv_op_pair *pair = &pv_pairs[i];

		if (may_be_own(pair->op) && may_be_own(pair->other) &&
		    pv_op_is_left(pair->op) != pv_op_is_left(pair->other) &&
		    (covers(part, pair->op) || covers(part, pair->other)))
			return pair;
	}
	return NULL;
}

/* Drops the first exception that separates a pair.  That may separate another pair. */
static bool refuse_one(void)
{
	u32 i;

	for (i = 0; i < exception_count; i++) {
		const struct exception *part = &exceptions[i];
		const struct pv_op_pair *pair = parted_by(part);
		bool first;

		if (!pair)
			continue;
		first = covers(part, pair->op);
		pv_add_line(refused, "-%s: %s%sgoes with %s", pv_token_show(&part->token).text,
			    part->count > 1 ? pv_op_info[first ? pair->op : pair->other].name : "",
			    part->count > 1 ? " " : "",
			    pv_op_info[first ? pair->other : pair->op].name);
		for (exception_count--; i < exception_count; i++)
			exceptions[i] = exceptions[i + 1];
		return true;
	}
	return false;
}

void pv_exceptions_apply(const char *cmdline)
{
	struct pv_option option = { .next = cmdline };
	struct pv_token token;
	u32 op;

	exception_count = 0;
	while (pv_option_next(&option, &token)) {
		if (!token.len || token.start[0] != '-')
			continue;
		token.start++;
		token.len--;
		add_exception(&token);
	}
	/* All ops are native, so no pair is separated. */
	if (pv_backend() == pv_native())
		return;
	while (refuse_one())
		;
	for (op = 0; op < PV_OP_COUNT; op++)
		if (pv_op_is_left(op))
			pv_chosen[op] = pv_impl_in(pv_native(), op);
}
