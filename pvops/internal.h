/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the core's files share. */
#ifndef PVOPS_INTERNAL_H
#define PVOPS_INTERNAL_H

#include <pvops/port.h>
#include <pvops/pvops.h>

extern const struct pv_backend *const __pv_backends_start[];
extern const struct pv_backend *const __pv_backends_end[];
extern const struct pv_site __pv_sites_start[];
extern const struct pv_site __pv_sites_end[];

static inline u32 pv_backend_count(void)
{
	return (u32)(__pv_backends_end - __pv_backends_start);
}

/* Lines for pv_detected() and pv_refused(): report.c. */
#define PV_LINES	16
#define PV_LINE_SIZE	160

struct pv_lines {
	const char *what;
	char text[PV_LINES][PV_LINE_SIZE];
	u32 count;
};

extern struct pv_lines pv_lines_detected, pv_lines_refused;

/* @to: detected or refused.  Keeps a line, or logs it at once if there is no room. */
#define pv_add_line(to, ...)						\
	do {								\
		struct pv_lines *l_ = &pv_lines_##to;			\
		char more_[PV_LINE_SIZE];				\
		bool keep_ = l_->count < PV_LINES;			\
									\
		pv_port_format(keep_ ? l_->text[l_->count++] : more_, PV_LINE_SIZE, __VA_ARGS__); \
		if (!keep_)						\
			pv_port_log("pvops: %s: %s", l_->what, more_);	\
	} while (0)

void pv_print_lines(const struct pv_lines *lines);

/* A backend's result of detect(): detect.c. */
#define PV_BACKENDS	16

struct pv_candidate {
	int score;
	const char *why;
	bool failed;
};

void pv_detect_all(const struct pv_platform *platform);
struct pv_candidate *pv_candidate_of(const struct pv_backend *backend);
const struct pv_backend *pv_detect_best(void);

/* exceptions.c: makes the ops native that pvops= takes from the chosen backend */
void pv_exceptions_apply(const char *cmdline);
/* select.c: the op's entry in a backend's table; NULL if that is left to native */
const struct pv_impl *pv_impl_in(const struct pv_backend *backend, u32 op);
bool pv_is_overridden(u32 op);

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
