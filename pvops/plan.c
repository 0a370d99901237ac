// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The planner makes bytes from a site and an implementation.  It has no side effects;
 * the same code is fuzzed on the host against a disassembler.
 */
#include "internal.h"

#define OPCODE_CALL_REL32	0xe8
#define OPCODE_JMP_REL32	0xe9
#define PREFIX_CS		0x2e

/* A site as compiled (PV_THROUGH_SLOT in site.h). */
#ifdef PV_PORT_RETPOLINE
#define SLOT_FIRST		PREFIX_CS
#define SLOT_CALL		OPCODE_CALL_REL32
#define SLOT_JMP		OPCODE_JMP_REL32
#else
#define SLOT_FIRST		0xff
#define SLOT_CALL		0x15
#define SLOT_JMP		0x25
#endif

/* Padding that executes as one instruction (SDM vol. 2B, NOP; with prefixes up to 11 bytes). */
static const u8 nops[PV_SITE_MAX + 1][16] __attribute__((aligned(16))) = {
	[1] = { 0x90 },
	[2] = { 0x66, 0x90 },
	[3] = { 0x0f, 0x1f, 0x00 },
	[4] = { 0x0f, 0x1f, 0x40, 0x00 },
	[5] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	[6] = { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	[7] = { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	[8] = { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	[9] = { 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	[10] = { 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	[11] = { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	/* More than three prefixes slow decoders down, so from here two instructions. */
	[12] = { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x90 },
	[13] = { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x66, 0x90 },
	[14] = { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x0f, 0x1f, 0x00 },
	[15] = { 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
		 0x0f, 0x1f, 0x40, 0x00 },
};

/* Copies 16 bytes whatever the length: plans and code have room for that. */
static inline void copy16(u8 *to, const u8 *from)
{
	__builtin_memcpy(to, from, 8);
	__builtin_memcpy(to + 8, from + 8, 8);
}

static inline void put32(u8 *to, u32 val)
{
	__builtin_memcpy(to, &val, 4);
}

static inline u32 get32(const u8 *from)
{
	u32 val;

	__builtin_memcpy(&val, from, 4);
	return val;
}

/*
 * A redundant CS prefix makes an instruction longer and executes nothing.  It is not
 * used before another legacy prefix (order and count limits), nor before a conditional
 * branch, where it is a hint.
 */
static bool takes_prefix(const u8 *code)
{
	switch (code[0]) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
	case 0x64: case 0x65: case 0x66: case 0x67:
	case 0xf0: case 0xf2: case 0xf3:
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3: case 0xe8: case 0xe9: case 0xeb:
	case 0xff:
		return false;
	case 0x0f:
		return code[1] < 0x80 || code[1] > 0x8f;
	}
	return true;
}

static void recipe_nop(struct pv_recipe *recipe, u32 len)
{
	copy16(recipe->text, nops[len]);
	recipe->relative = false;
	recipe->form = PV_FORM_NOP;
}

static void recipe_inline(struct pv_recipe *recipe, u32 len, const struct pv_impl *impl)
{
	u32 code_len = (u32)(impl->code_end - impl->code);
	u32 spare = len - code_len;

	recipe->relative = false;
	recipe->form = PV_FORM_INLINE;
	if (spare - 1 < 3 && takes_prefix(impl->code)) {
		put32(recipe->text, 0x01010101u * PREFIX_CS);
		copy16(recipe->text + spare, impl->code);
		return;
	}
	copy16(recipe->text, impl->code);
	copy16(recipe->text + code_len, nops[spare]);
}

static void recipe_relative(struct pv_recipe *recipe, u32 len, u8 first, u8 second,
			    unsigned long target, enum pv_form form)
{
	recipe->text[0] = first;
	recipe->text[1] = second;
	put32(recipe->text + 2, 0);
	copy16(recipe->text + 6, nops[len - 6]);
	recipe->target = target;
	recipe->relative = true;
	recipe->form = form;
}

/*
 * Direct branches get a prefix, so that a call ends after six bytes like the indirect
 * call, and return addresses stay valid.
 */
enum pv_site_error pv_recipe_make(struct pv_recipe *recipe, u32 kind, u32 len,
				  unsigned long slot, const struct pv_impl *impl)
{
	bool jump = kind == PV_SITE_JUMP;

	if (kind != PV_SITE_CALL && kind != PV_SITE_JUMP &&
	    kind != (PV_SITE_CALL | PV_SITE_OUTLINE))
		return PV_SITE_BAD_KIND;
	if (len - PV_SITE_MIN > PV_SITE_MAX - PV_SITE_MIN)
		return PV_SITE_SHORT;
	recipe->kind = (u8)kind;
	recipe->len = (u8)len;
	if (!impl)
		recipe_relative(recipe, len, SLOT_FIRST, jump ? SLOT_JMP : SLOT_CALL, slot,
				PV_FORM_INDIRECT);
	else if (!jump && (impl->flags & PV_IMPL_NOP))
		recipe_nop(recipe, len);
	else if (impl->code && (unsigned long)(impl->code_end - impl->code) <= len)
		recipe_inline(recipe, len, impl);
	else
		recipe_relative(recipe, len, PREFIX_CS,
				jump ? OPCODE_JMP_REL32 : OPCODE_CALL_REL32,
				(unsigned long)impl->fn, jump ? PV_FORM_JUMP : PV_FORM_CALL);
	return PV_SITE_OK;
}

static enum pv_site_error plan_branch(struct pv_plan *plan, const u8 *in_place, bool in_line)
{
	u32 rel;

	if (in_place[0] == OPCODE_JMP_REL32 && in_place[5] == 0x66 && in_place[6] == 0x90)
		rel = get32(in_place + 1);
	else if (in_place[0] == 0x0f && in_place[1] == 0x1f && in_place[2] == 0x80)
		rel = get32(in_place + 3);
	else
		return PV_SITE_TEXT;

	if (in_line) {
		plan->text[0] = 0x0f;
		plan->text[1] = 0x1f;
		plan->text[2] = 0x80;
		put32(plan->text + 3, rel);
		plan->form = PV_FORM_NOP;
	} else {
		plan->text[0] = OPCODE_JMP_REL32;
		put32(plan->text + 1, rel);
		plan->text[5] = 0x66;
		plan->text[6] = 0x90;
		plan->form = PV_FORM_JUMP;
	}
	return PV_SITE_OK;
}

static enum pv_site_error plan_site(struct pv_plan *plan, const struct pv_site *site,
				    unsigned long addr, unsigned long slot,
				    const u8 *in_place, const struct pv_impl *impl)
{
	struct pv_recipe recipe;
	enum pv_site_error error;
	u32 rel;

	if (site->op >= PV_OP_COUNT)
		return PV_SITE_BAD_OP;
	if (site->kind == PV_SITE_BRANCH) {
		if (site->len != PV_BRANCH_LEN)
			return PV_SITE_SHORT;
		return plan_branch(plan, in_place, impl && (impl->flags & PV_IMPL_BEHIND_BRANCH));
	}
	error = pv_recipe_make(&recipe, site->kind, site->len, slot, impl);
	if (error)
		return error;
	copy16(plan->text, recipe.text);
	if (recipe.relative) {
		if (!pv_recipe_rel(&recipe, addr, &rel))
			return PV_SITE_REACH;
		put32(plan->text + 2, rel);
	}
	plan->form = recipe.form;
	return PV_SITE_OK;
}

enum pv_site_error pv_plan_make(struct pv_plan *plan, const struct pv_site *site,
				unsigned long addr, unsigned long slot,
				const u8 *in_place, const struct pv_impl *impl)
{
	enum pv_site_error error;

	plan->len = site->len;
	plan->form = PV_FORM_INDIRECT;
	error = plan_site(plan, site, addr, slot, in_place, impl);
	plan->error = (u8)error;
	return error;
}
