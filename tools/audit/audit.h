/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * audit: find every sensitive instruction of a kernel image, and what covers it.
 *
 * Sensitive are privileged instructions, and those that a deprivileged kernel may execute
 * with a wrong result (POPF, SGDT, LAR, ...).  An instruction is covered if it is part of a
 * call site, if it stands in line behind a branch site (include/pvops/site.h), or if Linux
 * puts it in the place of one of its own pv_ops sites.  All others must be on an allow-list,
 * each line with a reason.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <Zydis/Zydis.h>

enum { EXIT_CLEAN, EXIT_FINDINGS, EXIT_USAGE, EXIT_INPUT };

/* One line on standard error; does not return. */
void die(int status, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Growing arrays: PUSH() returns the address of a new element. */
#define ARRAY(type)		struct { type *at; size_t count, room; }
#define PUSH(array)								\
	(((array).count < (array).room ? 0 :					\
	  ((array).room = (array).room ? 2 * (array).room : 256,		\
	   (array).at = realloc((array).at, (array).room * sizeof(*(array).at)), \
	   (array).at ? 0 : (die(EXIT_INPUT, "out of memory"), 0))),		\
	 &(array).at[(array).count++])
#define FREE(array)							\
	(free((array).at), (array).at = NULL, (array).count = (array).room = 0)

/*
 * For arrays whose elements begin with a 64-bit address: sort by it, and the number of
 * elements at or below an address.
 */
#define SORT(array)		sort_by_address((array).at, (array).count, sizeof(*(array).at))
#define COUNT_BELOW(array, addr) count_below((array).at, (array).count, sizeof(*(array).at), addr)

struct section {
	const char *name;
	uint64_t addr, bytes, flags;
	uint32_t type;
	const uint8_t *data;	/* NULL: not in the file */
	uint8_t *reached;	/* of each byte of text; NULL: no text */
};

struct symbol {
	uint64_t addr;
	const char *name;
	bool function;
};

struct range {
	uint64_t start, end;
};

/* Text that Linux may put in the place of other text. */
struct replacement {
	uint64_t start, end, of;
};

struct allow {
	const char *file;
	unsigned int line;
	char *insn, *function, *reason;
	bool may_be_unused;
	unsigned long used;
};

enum cover { LEFT, BY_SITE, BY_LIST };

struct finding {
	uint64_t addr, at;	/* at: what it replaces, or addr */
	const char *function, *insn;
	uint64_t offset;
	enum cover cover;
	const struct allow *allow;
};

struct audit {
	const char *image, *map;	/* map: functions, as in System.map; or NULL */
	bool want_time, want_json, want_summary, unused_ok;
	ARRAY(struct allow) allows;

	Elf *elf;
	ARRAY(struct section) sections;
	ARRAY(struct symbol) symbols;
	ARRAY(char *) map_names;
	ARRAY(struct range) covered;
	ARRAY(uint64_t) branch_sites;
	ARRAY(struct replacement) replacements;
	ARRAY(uint64_t) todo;
	ARRAY(struct finding) findings;
	uint64_t insns_decoded, bytes_skipped, sites_seen;
	ZydisDecoder decoder;
};

/* audit.c */
/* The whole audit of a->elf, report included; returns the exit status. */
int audit(struct audit *a);
/* Frees all but the allow-lists; a->elf too. */
void audit_free(struct audit *a);
void sort_by_address(void *at, size_t count, size_t bytes);
size_t count_below(const void *at, size_t count, size_t bytes, uint64_t addr);

/* image.c */
void read_image(struct audit *a);
const struct section *section_named(const struct audit *a, const char *name);
/* What is at an address of the loaded image; NULL: not in the file. */
const uint8_t *at_address(const struct audit *a, uint64_t addr, uint64_t bytes);
/* The section of text at an address, or NULL. */
struct section *text_at(const struct audit *a, uint64_t addr);
const struct symbol *function_of(const struct audit *a, uint64_t addr);
uint64_t address_of(const struct audit *a, const char *name);

/* sites.c */
void read_sites(struct audit *a);
bool is_covered(const struct audit *a, uint64_t addr);
const struct replacement *replacement_at(const struct audit *a, uint64_t addr);

/* reach.c */
void find_reached(struct audit *a);
/* Is it native code in line behind a branch site? */
bool is_in_line(const struct audit *a, uint64_t addr);

/* sensitive.c */
/* NULL: not sensitive. */
/*
 * The name of an instruction at @text that the disassembler does not know; NULL: not one of
 * them.  Its bytes, without those of an operand in memory, go to @length, which may be NULL.
 */
const char *unknown_name(const uint8_t *text, uint64_t bytes, unsigned int *length);
const char *sensitive_name(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
			   bool want_time);

/* allow.c */
void read_allow(struct audit *a, const char *name, bool may_be_unused);
const struct allow *find_allow(struct audit *a, const char *insn, const char *function);
bool is_unused(const struct allow *allow);

/* report.c */
void print_json(const struct audit *a, size_t left, size_t unused);
void print_text(const struct audit *a, size_t left, size_t unused);

#endif
