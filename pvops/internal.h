/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the core's files share. */
#ifndef PVOPS_INTERNAL_H
#define PVOPS_INTERNAL_H

#include <pvops/port.h>
#include <pvops/pvops.h>

/* Reads CPUID into @platform. */
void pv_cpuid_scan(struct pv_platform *platform);

/* One part of a word.  It points into the user's text and has no terminator. */
struct pv_token {
	const char *start;
	u32 len;
};

/* Position in a command line.  A reader starts with .next at the line's start. */
struct pv_option {
	const char *next;
	const char *part;
	const char *end;
};

/* Gets the next comma-separated part of any pvops= word; returns false at the end. */
bool pv_option_next(struct pv_option *option, struct pv_token *token);
bool pv_token_is(const struct pv_token *token, const char *name);

/* Most characters of a token in a log line. */
#define PV_TOKEN_SHOWN	32

struct pv_shown {
	char text[PV_TOKEN_SHOWN + 4];
};

struct pv_shown pv_token_show(const struct pv_token *token);

static inline char pv_printable(char c)
{
	return c < 0x20 || c > 0x7e ? '?' : c;
}

/* The op ids of one table, which are consecutive. */
struct pv_table_range {
	const char *name;
	u16 first;
	u16 count;
};

extern const struct pv_table_range pv_tables[];
extern const u32 pv_table_count;

/* Ops that go together (PV_TOGETHER): neither becomes native without the other. */
struct pv_op_pair {
	u16 op;
	u16 other;
};

extern const struct pv_op_pair pv_pairs[];
extern const u32 pv_pair_count;

/* Returns a backend's entries for table @nr, or NULL if it has none. */
const struct pv_impl *pv_backend_table(const struct pv_backend *backend, u32 nr);

/* Returns the address that a site as compiled refers to: the op's slot or its retpoline. */
static inline unsigned long pv_slot(u32 op)
{
#ifdef PV_PORT_RETPOLINE
	return (unsigned long)pv_retpolines[op];
#else
	return (unsigned long)&pv_slots + sizeof(void *) * op;
#endif
}

/* The chosen implementation of each op. */
extern const struct pv_impl *pv_chosen[PV_OP_COUNT];

/*
 * The form of an op at sites of one kind and length, independent of their address:
 * the text, and the target of a rel32 if there is one.  All calls and jumps of the
 * layer are two bytes and the rel32, so they end six bytes in.
 */
struct pv_recipe {
	u8 text[32];
	unsigned long target;
	u8 len;
	u8 kind;
	u8 form;
	bool relative;
};

/* Not for BRANCH sites, whose text depends on the bytes in place. */
enum pv_site_error pv_recipe_make(struct pv_recipe *recipe, u32 kind, u32 len,
				  unsigned long slot, const struct pv_impl *impl);

/* Computes the recipe's rel32 for a site; returns false if the target is out of reach. */
static inline bool pv_recipe_rel(const struct pv_recipe *recipe, unsigned long addr, u32 *rel)
{
	long distance = (long)(recipe->target - addr - 6);

	*rel = (u32)distance;
	return distance == (s32)distance;
}

#endif
