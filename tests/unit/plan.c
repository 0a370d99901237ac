// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-plan: the planner, byte by byte.
 *
 * Sites here are numbers; nothing is executed or written to.  Expected bytes
 * are written out from the SDM's instruction formats, not computed by the code
 * under test.
 */
#include "unit.h"

#define ADDR	0x400000UL
#define SLOT	0x401000UL

/* Recommended multi-byte NOPs, SDM vol. 2B table 4-12, and with prefixes. */
static const u8 nop_bytes[][16] = {
	[0] = { 0 },
	[1] = { 0x90 },
	[2] = { 0x66, 0x90 },
	[3] = { 0x0f, 0x1f, 0x00 },
	[4] = { 0x0f, 0x1f, 0x40, 0x00 },
	[5] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	[6] = { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	[7] = { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	[8] = { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
	[9] = { 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static struct pv_plan plan;

static enum pv_site_error do_plan(u8 kind, u8 len, const u8 *in_place, const struct pv_impl *impl)
{
	const struct pv_site site = { .op = PV_OP_read_cr0, .len = len, .kind = kind };
	enum pv_site_error error;

	memset(&plan, 0xa5, sizeof(plan));
	error = pv_plan_make(&plan, &site, ADDR, SLOT, in_place, impl);
	assert_int_equal(plan.error, error);
	return error;
}

static void expect_bytes(u8 form, const u8 *bytes, u8 len)
{
	assert_int_equal(plan.error, PV_SITE_OK);
	assert_int_equal(plan.len, len);
	assert_int_equal(plan.form, form);
	assert_memory_equal(plan.text, bytes, len);
}

#define EXPECT(form, ...)						\
	do {								\
		static const u8 bytes_[] = { __VA_ARGS__ };		\
		expect_bytes(form, bytes_, sizeof(bytes_));		\
	} while (0)

static void (*fn_at(unsigned long addr))(void)
{
	return (void (*)(void))addr;
}

/* An implementation with inline code; room to read 16 bytes behind it. */
static struct pv_impl inline_impl(const u8 *code, size_t len)
{
	static u8 room[48];

	memset(room, 0xcc, sizeof(room));
	memcpy(room, code, len);
	return (struct pv_impl) {
		.fn = fn_at(ADDR + 0x106), .code = room, .code_end = room + len,
	};
}

static void indirect_call_is_the_compiled_call(void **state)
{
	(void)state;
	assert_int_equal(do_plan(PV_SITE_CALL, 6, NULL, NULL), PV_SITE_OK);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x15, 0xfa, 0x0f, 0x00, 0x00);
	do_plan(PV_SITE_CALL | PV_SITE_OUTLINE, 6, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x15, 0xfa, 0x0f, 0x00, 0x00);
	do_plan(PV_SITE_CALL, 9, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x15, 0xfa, 0x0f, 0x00, 0x00, 0x0f, 0x1f, 0x00);
	do_plan(PV_SITE_CALL, 7, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x15, 0xfa, 0x0f, 0x00, 0x00, 0x90);
	do_plan(PV_SITE_CALL, 15, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x15, 0xfa, 0x0f, 0x00, 0x00,
	       0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00);
}

static void indirect_jump_is_the_assembled_jump(void **state)
{
	(void)state;
	do_plan(PV_SITE_JUMP, 6, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x25, 0xfa, 0x0f, 0x00, 0x00);
	do_plan(PV_SITE_JUMP, 8, NULL, NULL);
	EXPECT(PV_FORM_INDIRECT, 0xff, 0x25, 0xfa, 0x0f, 0x00, 0x00, 0x66, 0x90);
}

static void direct_call_ends_where_the_indirect_one_ends(void **state)
{
	const struct pv_impl impl = { .fn = fn_at(ADDR + 0x106) };
	const struct pv_impl back = { .fn = fn_at(ADDR - 0x100) };

	(void)state;
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0x00, 0x01, 0x00, 0x00);
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0x00, 0x01, 0x00, 0x00, 0x0f, 0x1f, 0x00);
	do_plan(PV_SITE_CALL | PV_SITE_OUTLINE, 6, NULL, &back);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0xfa, 0xfe, 0xff, 0xff);
	do_plan(PV_SITE_JUMP, 6, NULL, &impl);
	EXPECT(PV_FORM_JUMP, 0x2e, 0xe9, 0x00, 0x01, 0x00, 0x00);
}

static void in_line_flag_means_nothing_to_a_call_site(void **state)
{
	const struct pv_impl impl = { .fn = fn_at(ADDR + 0x106), .flags = PV_IMPL_BEHIND_BRANCH };

	(void)state;
	do_plan(PV_SITE_CALL | PV_SITE_OUTLINE, 6, NULL, &impl);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0x00, 0x01, 0x00, 0x00);
}

static void empty_op_is_one_nop_up_to_eleven_bytes(void **state)
{
	const struct pv_impl impl = { .fn = fn_at(ADDR), .flags = PV_IMPL_NOP | PV_IMPL_REQUIRED };
	u8 len;

	(void)state;
	for (len = PV_SITE_MIN; len <= 9; len++) {
		assert_int_equal(do_plan(PV_SITE_CALL, len, NULL, &impl), PV_SITE_OK);
		expect_bytes(PV_FORM_NOP, nop_bytes[len], len);
	}
	do_plan(PV_SITE_CALL, 10, NULL, &impl);
	EXPECT(PV_FORM_NOP, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00);
	do_plan(PV_SITE_CALL, 11, NULL, &impl);
	EXPECT(PV_FORM_NOP, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00);
	/* Longer: an 11-byte one and a second, never more than three prefixes. */
	for (len = 12; len <= PV_SITE_MAX; len++) {
		do_plan(PV_SITE_CALL, len, NULL, &impl);
		assert_int_equal(plan.form, PV_FORM_NOP);
		assert_int_equal(plan.text[0], 0x66);
		assert_memory_equal(plan.text + 11, nop_bytes[len - 11], len - 11);
	}
}

static void empty_op_at_a_jump_site_still_jumps(void **state)
{
	const struct pv_impl impl = { .fn = fn_at(ADDR + 0x106), .flags = PV_IMPL_NOP };

	(void)state;
	do_plan(PV_SITE_JUMP, 6, NULL, &impl);
	EXPECT(PV_FORM_JUMP, 0x2e, 0xe9, 0x00, 0x01, 0x00, 0x00);
}

static void inline_that_fits_exactly_is_copied(void **state)
{
	static const u8 code[] = { 0x48, 0x8b, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0xf8 };
	struct pv_impl impl = inline_impl(code, sizeof(code));

	(void)state;
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	expect_bytes(PV_FORM_INLINE, code, sizeof(code));
}

static void one_to_three_spare_bytes_become_prefixes(void **state)
{
	static const u8 mov_cr[] = { 0x0f, 0x20, 0xc0 };
	static const u8 movb[] = { 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01 };
	struct pv_impl impl = inline_impl(mov_cr, sizeof(mov_cr));

	(void)state;
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0x2e, 0x0f, 0x20, 0xc0);

	impl = inline_impl(movb, sizeof(movb));
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01);
	do_plan(PV_SITE_CALL, 10, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01);
	do_plan(PV_SITE_CALL, 11, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0x2e, 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01);
}

static void four_and_more_spare_bytes_become_one_nop(void **state)
{
	static const u8 cli[] = { 0xfa };
	static const u8 pushf_pop[] = { 0x9c, 0x58 };
	struct pv_impl impl = inline_impl(cli, sizeof(cli));

	(void)state;
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0xfa, 0x0f, 0x1f, 0x44, 0x00, 0x00);
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0xfa, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00);
	impl = inline_impl(pushf_pop, sizeof(pushf_pop));
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x9c, 0x58, 0x0f, 0x1f, 0x40, 0x00);
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x9c, 0x58, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00);
}

/*
 * Padding goes behind as a NOP where a prefix would change the meaning:
 * another legacy prefix first, branches (a hint), opcode ff (indirect branch).
 */
static void no_prefix_changes_the_meaning(void **state)
{
	static const u8 first[][4] = {
		{ 0x26, 0x8b, 0x04, 0x07 }, { 0x2e, 0x8b, 0x04, 0x07 },
		{ 0x36, 0x8b, 0x04, 0x07 }, { 0x3e, 0x8b, 0x04, 0x07 },
		{ 0x64, 0x8b, 0x04, 0x07 }, { 0x65, 0x8b, 0x04, 0x07 },
		{ 0x66, 0x8b, 0x04, 0x07 }, { 0x67, 0x8b, 0x04, 0x07 },
		{ 0xf0, 0x83, 0x07, 0x01 }, { 0xf2, 0x0f, 0x10, 0xc1 },
		{ 0xf3, 0x90, 0x90, 0x90 },
		{ 0x70, 0x00, 0x90, 0x90 }, { 0x74, 0x02, 0x31, 0xc0 }, { 0x7f, 0x00, 0x90, 0x90 },
		{ 0xe0, 0x00, 0x90, 0x90 }, { 0xe3, 0x00, 0x90, 0x90 }, { 0xeb, 0x00, 0x90, 0x90 },
		{ 0xff, 0xc0, 0x90, 0x90 },
	};
	static const u8 jz_near[] = { 0x0f, 0x84, 0x00, 0x00, 0x00, 0x00 };
	static const u8 jg_near[] = { 0x0f, 0x8f, 0x00, 0x00, 0x00, 0x00 };
	struct pv_impl impl;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(first); i++) {
		u8 want[6];

		memcpy(want, first[i], 4);
		memcpy(want + 4, nop_bytes[2], 2);
		impl = inline_impl(first[i], 4);
		do_plan(PV_SITE_CALL, 6, NULL, &impl);
		expect_bytes(PV_FORM_INLINE, want, 6);
	}
	impl = inline_impl(jz_near, 6);
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x0f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x1f, 0x00);
	impl = inline_impl(jg_near, 6);
	do_plan(PV_SITE_CALL, 7, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x0f, 0x8f, 0x00, 0x00, 0x00, 0x00, 0x90);
}

static void prefix_goes_in_front_of_rex_and_two_byte_opcodes(void **state)
{
	static const u8 rex[] = { 0x48, 0x89, 0xf8, 0x90 };
	static const u8 setcc[] = { 0x0f, 0x90, 0xc0, 0x90 };
	static const u8 clts[] = { 0x0f, 0x7f, 0xc0, 0x90 };
	struct pv_impl impl = inline_impl(rex, 4);

	(void)state;
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0x48, 0x89, 0xf8, 0x90);
	impl = inline_impl(setcc, 4);
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0x0f, 0x90, 0xc0, 0x90);
	impl = inline_impl(clts, 4);
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x2e, 0x2e, 0x0f, 0x7f, 0xc0, 0x90);
}

static void code_longer_than_the_site_becomes_a_call(void **state)
{
	static const u8 code[] = { 0x48, 0x89, 0x3c, 0x25, 0x00, 0x10, 0x40 };
	struct pv_impl impl = inline_impl(code, sizeof(code));

	(void)state;
	do_plan(PV_SITE_CALL, 6, NULL, &impl);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0x00, 0x01, 0x00, 0x00);
	do_plan(PV_SITE_CALL, 7, NULL, &impl);
	assert_int_equal(plan.form, PV_FORM_INLINE);
}

static void jump_site_takes_inline_code(void **state)
{
	static const u8 iretq[] = { 0x48, 0xcf };
	struct pv_impl impl = inline_impl(iretq, sizeof(iretq));

	(void)state;
	do_plan(PV_SITE_JUMP, 6, NULL, &impl);
	EXPECT(PV_FORM_INLINE, 0x48, 0xcf, 0x0f, 0x1f, 0x40, 0x00);
}

static void branch_keeps_its_displacement_both_ways(void **state)
{
	static const s32 distances[] = { 0, 1, -1, 0x12345678, -0x12345678, 0x7fffffff, -0x7fffffff - 1 };
	const struct pv_impl in_line = { .fn = fn_at(ADDR), .flags = PV_IMPL_BEHIND_BRANCH };
	const struct pv_impl replaced = { .fn = fn_at(ADDR) };
	u8 jump[PV_BRANCH_LEN], nop[PV_BRANCH_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(distances); i++) {
		jump[0] = 0xe9;
		memcpy(jump + 1, &distances[i], 4);
		jump[5] = 0x66;
		jump[6] = 0x90;
		nop[0] = 0x0f;
		nop[1] = 0x1f;
		nop[2] = 0x80;
		memcpy(nop + 3, &distances[i], 4);

		do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, jump, &in_line);
		expect_bytes(PV_FORM_NOP, nop, PV_BRANCH_LEN);
		do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, nop, &in_line);
		expect_bytes(PV_FORM_NOP, nop, PV_BRANCH_LEN);
		do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, nop, &replaced);
		expect_bytes(PV_FORM_JUMP, jump, PV_BRANCH_LEN);
		do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, jump, &replaced);
		expect_bytes(PV_FORM_JUMP, jump, PV_BRANCH_LEN);
		do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, nop, NULL);
		expect_bytes(PV_FORM_JUMP, jump, PV_BRANCH_LEN);
	}
}

static void branch_on_foreign_text_is_refused(void **state)
{
	static const u8 text[][PV_BRANCH_LEN] = {
		{ 0xe8, 0, 0, 0, 0, 0x66, 0x90 },
		{ 0xe9, 0, 0, 0, 0, 0x90, 0x90 },
		{ 0xe9, 0, 0, 0, 0, 0x66, 0x91 },
		{ 0x0f, 0x1f, 0x84, 0, 0, 0, 0 },
		{ 0x0f, 0x1e, 0x80, 0, 0, 0, 0 },
		{ 0xcc, 0x1f, 0x80, 0, 0, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(text); i++)
		assert_int_equal(do_plan(PV_SITE_BRANCH, PV_BRANCH_LEN, text[i], NULL),
				 PV_SITE_TEXT);
}

static void op_outside_the_catalogue_is_refused(void **state)
{
	struct pv_site site = { .op = PV_OP_COUNT, .len = 6, .kind = PV_SITE_CALL };

	(void)state;
	assert_int_equal(pv_plan_make(&plan, &site, ADDR, SLOT, NULL, NULL), PV_SITE_BAD_OP);
	site.op = 0xffff;
	assert_int_equal(pv_plan_make(&plan, &site, ADDR, SLOT, NULL, NULL), PV_SITE_BAD_OP);
	site.op = PV_OP_COUNT - 1;
	assert_int_equal(pv_plan_make(&plan, &site, ADDR, SLOT, NULL, NULL), PV_SITE_OK);
}

static void every_unknown_kind_is_refused(void **state)
{
	static const u8 jump[] = { 0xe9, 0, 0, 0, 0, 0x66, 0x90 };
	u32 kind;

	(void)state;
	for (kind = 0; kind < 256; kind++) {
		bool known = kind == PV_SITE_CALL || kind == PV_SITE_JUMP ||
			     kind == PV_SITE_BRANCH || kind == (PV_SITE_CALL | PV_SITE_OUTLINE);

		assert_int_equal(do_plan((u8)kind, 7, jump, NULL),
				 known ? PV_SITE_OK : PV_SITE_BAD_KIND);
	}
}

static void impossible_lengths_are_refused(void **state)
{
	static const u8 jump[] = { 0xe9, 0, 0, 0, 0, 0x66, 0x90 };
	u32 len;

	(void)state;
	for (len = 0; len < 256; len++) {
		bool fits = len >= PV_SITE_MIN && len <= PV_SITE_MAX;

		assert_int_equal(do_plan(PV_SITE_CALL, (u8)len, NULL, NULL),
				 fits ? PV_SITE_OK : PV_SITE_SHORT);
		assert_int_equal(do_plan(PV_SITE_JUMP, (u8)len, NULL, NULL),
				 fits ? PV_SITE_OK : PV_SITE_SHORT);
		assert_int_equal(do_plan(PV_SITE_BRANCH, (u8)len, jump, NULL),
				 len == PV_BRANCH_LEN ? PV_SITE_OK : PV_SITE_SHORT);
	}
}

/* rel32 counts from the end of the branch, 6 bytes in. */
static void reach_is_exactly_two_gib(void **state)
{
	const unsigned long addr = 0x200000000UL;
	const struct pv_site site = { .op = 0, .len = 6, .kind = PV_SITE_CALL };
	static const struct {
		unsigned long target;
		enum pv_site_error error;
	} edge[] = {
		{ 0x200000006UL + 0x7fffffff, PV_SITE_OK },
		{ 0x200000006UL + 0x80000000, PV_SITE_REACH },
		{ 0x200000006UL - 0x80000000, PV_SITE_OK },
		{ 0x200000006UL - 0x80000001, PV_SITE_REACH },
		{ 0xffffffff81000000UL, PV_SITE_REACH },
		{ 0, PV_SITE_REACH },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(edge); i++) {
		const struct pv_impl impl = { .fn = fn_at(edge[i].target) };
		s32 rel;

		assert_int_equal(pv_plan_make(&plan, &site, addr, addr, NULL, &impl),
				 edge[i].error);
		if (!edge[i].error) {
			memcpy(&rel, plan.text + 2, 4);
			assert_int_equal(addr + 6 + (unsigned long)(long)rel, edge[i].target);
		}
		assert_int_equal(pv_plan_make(&plan, &site, addr, edge[i].target, NULL, NULL),
				 edge[i].error);
	}
}

/* The top of the address space, where a kernel is. */
static void reach_works_in_kernel_addresses(void **state)
{
	const struct pv_site site = { .op = 0, .len = 6, .kind = PV_SITE_CALL };
	const struct pv_impl impl = { .fn = fn_at(0xffffffffffffff00UL) };

	(void)state;
	assert_int_equal(pv_plan_make(&plan, &site, 0xffffffff80000000UL, 0xffffffff80001000UL,
				      NULL, &impl), PV_SITE_OK);
	EXPECT(PV_FORM_CALL, 0x2e, 0xe8, 0xfa, 0xfe, 0xff, 0x7f);
}

static void planning_twice_gives_the_same(void **state)
{
	const struct pv_impl impl = { .fn = fn_at(ADDR + 0x106) };
	struct pv_plan first;

	(void)state;
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	first = plan;
	do_plan(PV_SITE_CALL, 9, NULL, &impl);
	assert_memory_equal(&first, &plan, sizeof(plan));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(indirect_call_is_the_compiled_call),
		TEST(indirect_jump_is_the_assembled_jump),
		TEST(direct_call_ends_where_the_indirect_one_ends),
		TEST(in_line_flag_means_nothing_to_a_call_site),
		TEST(empty_op_is_one_nop_up_to_eleven_bytes),
		TEST(empty_op_at_a_jump_site_still_jumps),
		TEST(inline_that_fits_exactly_is_copied),
		TEST(one_to_three_spare_bytes_become_prefixes),
		TEST(four_and_more_spare_bytes_become_one_nop),
		TEST(no_prefix_changes_the_meaning),
		TEST(prefix_goes_in_front_of_rex_and_two_byte_opcodes),
		TEST(code_longer_than_the_site_becomes_a_call),
		TEST(jump_site_takes_inline_code),
		TEST(branch_keeps_its_displacement_both_ways),
		TEST(branch_on_foreign_text_is_refused),
		TEST(op_outside_the_catalogue_is_refused),
		TEST(every_unknown_kind_is_refused),
		TEST(impossible_lengths_are_refused),
		TEST(reach_is_exactly_two_gib),
		TEST(reach_works_in_kernel_addresses),
		TEST(planning_twice_gives_the_same),
	};

	return RUN(tests);
}
