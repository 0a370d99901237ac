// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What control flow can reach.  A branch site is compiled as a jump to its far side, so no
 * path leads to the native code in line behind it.  A jump with an unknown target counts as
 * a jump to every place of its function.
 */
#include <string.h>
#include "audit.h"

#define JUMP_TABLE_MAX	1024

static void reach(struct audit *a, uint64_t addr)
{
	struct section *s = text_at(a, addr);

	if (s && !s->reached[addr - s->addr])
		*PUSH(a->todo) = addr;
}

/* The part of a section from one function to the next. */
static struct range function_around(const struct audit *a, uint64_t addr,
				    const struct section *section)
{
	struct range range = { section->addr, section->addr + section->bytes };
	const struct symbol *symbols = a->symbols.at;
	size_t below = COUNT_BELOW(a->symbols, addr), nr;

	for (nr = below; nr < a->symbols.count && !symbols[nr].function; nr++)
		;
	if (nr < a->symbols.count && symbols[nr].addr < range.end)
		range.end = symbols[nr].addr;
	for (nr = below; nr && !symbols[nr - 1].function; nr--)
		;
	if (nr && symbols[nr - 1].addr > range.start)
		range.start = symbols[nr - 1].addr;
	return range;
}

/*
 * Reach the targets of a jump table that lie in its function.  A jump through one pointer
 * in memory calls another function as the last act of this one.  False: the targets are
 * unknown.
 */
static bool reach_jump_table(struct audit *a, const ZydisDecodedOperand *operand,
			     struct range function)
{
	uint64_t table = (uint64_t)operand->mem.disp.value, nr;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return false;
	if (operand->mem.index == ZYDIS_REGISTER_NONE)
		return true;
	if (operand->mem.base != ZYDIS_REGISTER_NONE || operand->mem.scale != 8)
		return false;
	for (nr = 0; nr < JUMP_TABLE_MAX; nr++) {
		const uint8_t *entry = at_address(a, table + 8 * nr, 8);
		uint64_t to;

		if (!entry)
			break;
		memcpy(&to, entry, 8);
		if (to < function.start || to >= function.end)
			break;
		reach(a, to);
	}
	return nr;
}

/* Reach the targets of a branch that ends at an address; false: nothing follows it. */
static bool follow_branch(struct audit *a, struct section *s, uint64_t next,
			  const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
	bool jump = insn->mnemonic == ZYDIS_MNEMONIC_JMP;

	if (insn->operand_count_visible && operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    operands[0].imm.is_relative) {
		reach(a, next + (uint64_t)operands[0].imm.value.s);
	} else if (jump) {
		struct range function = function_around(a, next - 1, s);

		if (!reach_jump_table(a, &operands[0], function))
			memset(s->reached + (function.start - s->addr), 1,
			       function.end - function.start);
	}
	return !jump;
}

static void follow(struct audit *a, uint64_t addr)
{
	struct section *s = text_at(a, addr);
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisDecoderContext context;
	uint64_t at = addr - s->addr;

	while (at < s->bytes && !s->reached[at]) {
		s->reached[at] = 1;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&a->decoder, &context, s->data + at,
								s->bytes - at, &insn)))
			return;
		at += insn.length;
		if (insn.meta.category == ZYDIS_CATEGORY_RET || insn.mnemonic == ZYDIS_MNEMONIC_UD2)
			return;
		if (insn.meta.branch_type == ZYDIS_BRANCH_TYPE_NONE)
			continue;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&a->decoder, &context, &insn, operands,
							     insn.operand_count_visible)))
			return;
		if (!follow_branch(a, s, s->addr + at, &insn, operands))
			return;
	}
}

/* An entry of two positions: a fault or a static key at the first leads to the second. */
static void reach_entry(struct audit *a, uint64_t addr, const uint8_t *entry)
{
	const struct section *s;
	int32_t distance[2];
	uint64_t from;

	memcpy(distance, entry, sizeof(distance));
	from = addr + (uint64_t)(int64_t)distance[0];
	s = text_at(a, from);
	if (s && s->reached[from - s->addr])
		reach(a, addr + 4 + (uint64_t)(int64_t)distance[1]);
}

static void reach_table(struct audit *a, const char *name, uint32_t entry)
{
	const struct section *s = section_named(a, name);
	uint64_t at;

	for (at = 0; s && s->data && at + entry <= s->bytes; at += entry)
		reach_entry(a, s->addr + at, s->data + at);
}

/* The mini guest's exception table. */
static void reach_guest_table(struct audit *a)
{
	uint64_t at = address_of(a, "extable_start"), end = address_of(a, "extable_end");

	for (; at && at + 8 <= end; at += 8) {
		const uint8_t *entry = at_address(a, at, 8);

		if (!entry)
			break;
		reach_entry(a, at, entry);
	}
}

void find_reached(struct audit *a)
{
	size_t nr;

	for (nr = 0; nr < a->symbols.count; nr++)
		reach(a, a->symbols.at[nr].addr);
	while (a->todo.count) {
		while (a->todo.count)
			follow(a, a->todo.at[--a->todo.count]);
		/* Linux: struct exception_table_entry, struct jump_entry. */
		reach_table(a, "__ex_table", 12);
		reach_table(a, "__jump_table", 16);
		reach_guest_table(a);
	}
}

bool is_in_line(const struct audit *a, uint64_t addr)
{
	const struct section *s = text_at(a, addr);
	size_t nr = COUNT_BELOW(a->branch_sites, addr);

	if (!s || s->reached[addr - s->addr] || !nr)
		return false;
	return a->branch_sites.at[nr - 1] >= function_around(a, addr, s).start;
}
