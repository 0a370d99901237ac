// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-plan: the planner against a disassembler.
 *
 * The input says which site, which implementation and what stood there before.
 * Zydis decodes what was planned, and this file says, without looking at the
 * planner, whether that is what was asked for.  It also says which error is
 * the right one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include <pvops/pvops.h>

#include "check.h"

#define ROOM	48

/* Valid instruction sequences: what a backend could put at a site. */
static const struct {
	u8 len;
	u8 bytes[20];
} codes[] = {
	{ 0, { 0 } },
	{ 1, { 0xfa } },					/* cli */
	{ 1, { 0xfb } },					/* sti */
	{ 1, { 0x90 } },					/* nop */
	{ 1, { 0xc3 } },					/* ret */
	{ 2, { 0x9c, 0x58 } },					/* pushf; pop */
	{ 2, { 0x57, 0x9d } },					/* push; popf */
	{ 2, { 0xfb, 0xf4 } },					/* sti; hlt */
	{ 2, { 0xf3, 0x90 } },					/* pause */
	{ 2, { 0x48, 0xcf } },					/* iretq */
	{ 2, { 0x0f, 0x06 } },					/* clts */
	{ 2, { 0x0f, 0x09 } },					/* wbinvd */
	{ 2, { 0xe6, 0x80 } },					/* out */
	{ 2, { 0x31, 0xc0 } },					/* xor */
	{ 2, { 0x66, 0x90 } },					/* 16-bit nop */
	{ 3, { 0x0f, 0x20, 0xc0 } },				/* mov cr0 */
	{ 3, { 0x0f, 0x22, 0xdf } },				/* mov cr3 */
	{ 3, { 0x0f, 0x01, 0xf8 } },				/* swapgs */
	{ 3, { 0x0f, 0x01, 0x17 } },				/* lgdt */
	{ 3, { 0x0f, 0x00, 0xdf } },				/* ltr */
	{ 3, { 0x48, 0x89, 0xf8 } },				/* mov, REX */
	{ 3, { 0x59, 0x41, 0x5b } },				/* pop rcx; pop r11 */
	{ 3, { 0x0f, 0x90, 0xc0 } },				/* seto */
	{ 4, { 0x44, 0x0f, 0x22, 0xc7 } },			/* mov cr8 */
	{ 4, { 0x48, 0x89, 0x77, 0x04 } },			/* mov 4(rdi) */
	{ 4, { 0x48, 0x8d, 0x47, 0x01 } },			/* lea */
	{ 4, { 0xf0, 0x48, 0xff, 0x07 } },			/* lock inc */
	{ 4, { 0x65, 0x48, 0x8b, 0x07 } },			/* mov gs:(rdi) */
	{ 4, { 0x74, 0x02, 0x31, 0xc0 } },			/* jz over xor */
	{ 4, { 0xeb, 0x02, 0x31, 0xc0 } },			/* jmp over xor */
	{ 4, { 0xe3, 0x02, 0x31, 0xc0 } },			/* jrcxz */
	{ 4, { 0xe2, 0xfe, 0x90, 0x90 } },			/* loop */
	{ 5, { 0xc4, 0xe2, 0x78, 0xf2, 0xc7 } },		/* andn, VEX */
	{ 3, { 0xc5, 0xf8, 0x77 } },				/* vzeroupper */
	{ 5, { 0xb8, 0x44, 0x33, 0x22, 0x11 } },		/* mov imm32 */
	{ 6, { 0x0f, 0x84, 0x00, 0x00, 0x00, 0x00 } },		/* jz near */
	{ 6, { 0x0f, 0x8f, 0x00, 0x00, 0x00, 0x00 } },		/* jg near */
	{ 5, { 0xe9, 0x00, 0x00, 0x00, 0x00 } },		/* jmp near */
	{ 3, { 0x0f, 0x7f, 0xc0 } },				/* movq mmx: 0f 7f */
	{ 4, { 0x0f, 0xc8, 0x0f, 0xc9 } },			/* bswap */
	{ 2, { 0xff, 0xc0 } },					/* inc */
	{ 3, { 0xff, 0x77, 0x08 } },				/* push 8(rdi) */
	{ 4, { 0xf2, 0x0f, 0x10, 0xc1 } },			/* movsd */
	{ 4, { 0x66, 0x0f, 0x6f, 0xc1 } },			/* movdqa */
	{ 3, { 0x67, 0x8b, 0x07 } },				/* 32-bit address */
	{ 3, { 0x2e, 0x8b, 0x07 } },				/* cs: */
	{ 3, { 0x3e, 0x8b, 0x07 } },				/* ds: */
	{ 7, { 0x48, 0xc7, 0xc0, 0x33, 0x00, 0x00, 0x00 } },	/* mov imm, REX */
	{ 8, { 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01 } },	/* movb abs */
	{ 8, { 0x80, 0x24, 0x25, 0x10, 0x20, 0x30, 0x00, 0xfd } },	/* andb abs */
	{ 9, { 0x65, 0xc6, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00, 0x01 } },	/* movb gs:abs */
	{ 9, { 0x65, 0x48, 0x8b, 0x04, 0x25, 0x10, 0x20, 0x30, 0x00 } },	/* movq gs:abs */
	{ 10, { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },		/* movabs */
	{ 15, { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 } },
	{ 16, { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 } },
};

#define CODES	(sizeof(codes) / sizeof(codes[0]))

/* The input, byte for byte. */
struct input {
	u8 kind;
	u8 len;
	u16 op;
	u64 addr;
	s64 slot_distance;
	s64 fn_distance;
	u8 code;
	u8 flags;
	u8 no_impl;
	u8 wild;
	u8 before;
	s32 branch;
	u8 foreign[7];
} __attribute__((packed));

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	u32 at;
};

static ZydisDecoder decoder;

/* All of @bytes, or not at all. */
static u32 decode(const u8 *bytes, u32 len, struct decoded *out, u32 max)
{
	u32 at = 0, count = 0;

	while (at < len) {
		CHECK(count < max);
		out[count].at = at;
		CHECK(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes + at, len - at,
							  &out[count].insn,
							  out[count].operand)));
		at += out[count].insn.length;
		count++;
	}
	CHECK(at == len);
	return count;
}

static bool is_nop(const struct decoded *d)
{
	return d->insn.mnemonic == ZYDIS_MNEMONIC_NOP;
}

static void check_all_nops(const struct decoded *d, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		CHECK(is_nop(&d[i]));
}

/* Same meaning: all that a disassembler knows, but for a CS prefix. */
static void check_same(const struct decoded *a, const u8 *a_bytes, const struct decoded *b,
		       const u8 *b_bytes)
{
	const ZydisInstructionAttributes cs = ZYDIS_ATTRIB_HAS_SEGMENT_CS;
	u32 extra, i;

	CHECK(a->insn.mnemonic == b->insn.mnemonic);
	CHECK((a->insn.attributes & ~cs) == (b->insn.attributes & ~cs));
	CHECK(a->insn.operand_count == b->insn.operand_count);
	CHECK(a->insn.operand_width == b->insn.operand_width);
	CHECK(a->insn.address_width == b->insn.address_width);
	CHECK(a->insn.stack_width == b->insn.stack_width);
	for (i = 0; i < a->insn.operand_count; i++) {
		const ZydisDecodedOperand *x = &a->operand[i], *y = &b->operand[i];

		CHECK(x->type == y->type && x->size == y->size && x->actions == y->actions);
		switch (x->type) {
		case ZYDIS_OPERAND_TYPE_REGISTER:
			CHECK(x->reg.value == y->reg.value);
			break;
		case ZYDIS_OPERAND_TYPE_MEMORY:
			CHECK(x->mem.type == y->mem.type);
			CHECK(x->mem.segment == y->mem.segment);
			CHECK(x->mem.base == y->mem.base && x->mem.index == y->mem.index);
			CHECK(x->mem.scale == y->mem.scale);
			CHECK(x->mem.disp.value == y->mem.disp.value);
			CHECK(x->mem.base != ZYDIS_REGISTER_RIP);
			break;
		case ZYDIS_OPERAND_TYPE_IMMEDIATE:
			CHECK(x->imm.value.u == y->imm.value.u);
			break;
		default:
			break;
		}
	}
	/* And the bytes, behind at most three added prefixes. */
	CHECK(b->insn.length >= a->insn.length);
	extra = b->insn.length - a->insn.length;
	CHECK(extra <= 3);
	for (i = 0; i < extra; i++)
		CHECK(b_bytes[b->at + i] == 0x2e);
	/* Two segment prefixes on one instruction are nothing to rely on. */
	CHECK(!extra || !strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3",
				a_bytes[a->at]));
	CHECK(!memcmp(a_bytes + a->at, b_bytes + b->at + extra, a->insn.length));
}

static void check_inline(const struct pv_plan *plan, const u8 *code, u32 code_len)
{
	struct decoded want[ROOM], got[ROOM];
	u32 wanted = decode(code, code_len, want, ROOM);
	u32 found = decode(plan->text, plan->len, got, ROOM);
	u32 i;

	CHECK(found >= wanted);
	for (i = 0; i < wanted; i++) {
		check_same(&want[i], code, &got[i], plan->text);
		/* Only the first is ever lengthened. */
		CHECK(!i || got[i].insn.length == want[i].insn.length);
	}
	check_all_nops(got + wanted, found - wanted);
	/* One NOP is enough for all that a nine-byte site has to spare. */
	CHECK(found - wanted <= 1 + (plan->len - code_len > 11));
}

/* A branch, then padding; the padding of a call is never executed first. */
static void check_branch(const struct pv_plan *plan, unsigned long addr, bool call, bool indirect,
			 unsigned long target)
{
	struct decoded got[ROOM];
	u32 found = decode(plan->text, plan->len, got, ROOM);
	ZyanU64 reached;

	CHECK(got[0].insn.mnemonic == (call ? ZYDIS_MNEMONIC_CALL : ZYDIS_MNEMONIC_JMP));
	/* A return address is the same before and after: six bytes in. */
	CHECK(got[0].insn.length == 6);
	CHECK(got[0].operand[0].type == (indirect ? ZYDIS_OPERAND_TYPE_MEMORY :
					 ZYDIS_OPERAND_TYPE_IMMEDIATE));
	CHECK(!indirect || got[0].operand[0].mem.base == ZYDIS_REGISTER_RIP);
	CHECK(ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&got[0].insn, &got[0].operand[0], addr,
						    &reached)));
	CHECK(reached == target);
	check_all_nops(got + 1, found - 1);
	CHECK(found <= 2);
}

static s32 get32(const u8 *from)
{
	s32 value;

	memcpy(&value, from, 4);
	return value;
}

static void check_branch_site(const struct pv_plan *plan, unsigned long addr, bool in_line, s32 rel)
{
	struct decoded got[ROOM];
	u32 found = decode(plan->text, plan->len, got, ROOM);
	ZyanU64 reached;

	if (in_line) {
		CHECK(plan->form == PV_FORM_NOP);
		CHECK(found == 1 && is_nop(&got[0]));
		CHECK(get32(plan->text + 3) == rel);
		return;
	}
	CHECK(plan->form == PV_FORM_JUMP);
	CHECK(found == 2 && got[0].insn.mnemonic == ZYDIS_MNEMONIC_JMP && is_nop(&got[1]));
	CHECK(ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&got[0].insn, &got[0].operand[0], addr,
						    &reached)));
	CHECK(reached == addr + 5 + (unsigned long)(long)rel);
}

static bool in_reach(unsigned long from, unsigned long to)
{
	__int128 distance = (__int128)(long)(to - from);

	return distance >= -((__int128)1 << 31) && distance < (__int128)1 << 31;
}

/* Which error the contract asks for. */
static enum pv_site_error expected_error(const struct pv_site *site, unsigned long addr,
					 unsigned long slot, const u8 *in_place,
					 const struct pv_impl *impl)
{
	bool jump = site->kind == PV_SITE_JUMP;

	if (site->op >= PV_OP_COUNT)
		return PV_SITE_BAD_OP;
	if (site->kind == PV_SITE_BRANCH) {
		if (site->len != PV_BRANCH_LEN)
			return PV_SITE_SHORT;
		if ((in_place[0] == 0xe9 && in_place[5] == 0x66 && in_place[6] == 0x90) ||
		    (in_place[0] == 0x0f && in_place[1] == 0x1f && in_place[2] == 0x80))
			return PV_SITE_OK;
		return PV_SITE_TEXT;
	}
	if (!jump && site->kind != PV_SITE_CALL && site->kind != (PV_SITE_CALL | PV_SITE_OUTLINE))
		return PV_SITE_BAD_KIND;
	if (site->len < PV_SITE_MIN || site->len > PV_SITE_MAX)
		return PV_SITE_SHORT;
	if (!impl)
		return in_reach(addr + 6, slot) ? PV_SITE_OK : PV_SITE_REACH;
	if (!jump && (impl->flags & PV_IMPL_NOP))
		return PV_SITE_OK;
	if (impl->code && impl->code_end - impl->code <= site->len)
		return PV_SITE_OK;
	return in_reach(addr + 6, (unsigned long)impl->fn) ? PV_SITE_OK : PV_SITE_REACH;
}

static void check(const struct pv_site *site, unsigned long addr, unsigned long slot,
		  const u8 *in_place, const struct pv_impl *impl, struct pv_plan *plan)
{
	bool call = site->kind != PV_SITE_JUMP;
	enum pv_site_error want = expected_error(site, addr, slot, in_place, impl);
	struct decoded got[ROOM];
	u32 code_len;

	CHECK(pv_plan_make(plan, site, addr, slot, in_place, impl) == want);
	CHECK(plan->error == want);
	if (want)
		return;
	CHECK(plan->len == site->len);

	if (site->kind == PV_SITE_BRANCH) {
		s32 rel = get32(in_place + (in_place[0] == 0xe9 ? 1 : 3));

		check_branch_site(plan, addr, impl && (impl->flags & PV_IMPL_BEHIND_BRANCH), rel);
		return;
	}
	if (!impl) {
		CHECK(plan->form == PV_FORM_INDIRECT);
		check_branch(plan, addr, call, true, slot);
		return;
	}
	if (call && (impl->flags & PV_IMPL_NOP)) {
		u32 found = decode(plan->text, plan->len, got, ROOM);

		CHECK(plan->form == PV_FORM_NOP);
		check_all_nops(got, found);
		CHECK(found == 1 || (plan->len > 11 && found == 2));
		return;
	}
	code_len = (u32)(impl->code_end - impl->code);
	if (impl->code && code_len <= site->len) {
		CHECK(plan->form == PV_FORM_INLINE);
		check_inline(plan, impl->code, code_len);
		return;
	}
	CHECK(plan->form == (call ? PV_FORM_CALL : PV_FORM_JUMP));
	check_branch(plan, addr, call, false, (unsigned long)impl->fn);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					    ZYDIS_STACK_WIDTH_64)));
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 text[ROOM], restored[ROOM], code[ROOM];
	struct pv_plan compiled, plan, back;
	struct pv_impl impl = { 0 };
	struct pv_site site = { 0 };
	unsigned long slot;
	struct input in;
	bool branch;

	if (size < sizeof(in))
		return -1;
	memcpy(&in, data, sizeof(in));
	/* Mostly sites that are possible; now and then anything. */
	if (!(in.wild & 1)) {
		static const u8 kinds[] = {
			PV_SITE_CALL, PV_SITE_CALL | PV_SITE_OUTLINE, PV_SITE_JUMP, PV_SITE_BRANCH,
		};

		in.kind = kinds[in.kind % 4];
		in.len = in.kind == PV_SITE_BRANCH ? PV_BRANCH_LEN :
			 PV_SITE_MIN + in.len % (PV_SITE_MAX - PV_SITE_MIN + 1);
		in.op %= PV_OP_COUNT;
	}
	if (!(in.wild & 2))
		in.slot_distance = (s32)in.slot_distance / 2;
	if (!(in.wild & 4))
		in.fn_distance = (s32)in.fn_distance / 2;
	site.kind = in.kind;
	site.len = in.len;
	site.op = in.op;
	branch = site.kind == PV_SITE_BRANCH;
	slot = in.addr + (u64)in.slot_distance;
	impl.fn = (void (*)(void))(in.addr + (u64)in.fn_distance);
	impl.flags = in.flags & (PV_IMPL_NOP | PV_IMPL_REQUIRED | PV_IMPL_BEHIND_BRANCH);
	memset(code, 0xcc, sizeof(code));
	if (in.code % (CODES + 1) < CODES) {
		memcpy(code, codes[in.code % (CODES + 1)].bytes, codes[in.code % (CODES + 1)].len);
		impl.code = code;
		impl.code_end = code + codes[in.code % (CODES + 1)].len;
	}

	/* The text of the site: as compiled, or foreign bytes. */
	memset(text, 0xcc, sizeof(text));
	if (branch) {
		text[0] = 0xe9;
		memcpy(text + 1, &in.branch, 4);
		text[5] = 0x66;
		text[6] = 0x90;
	}
	if (in.wild & 8)
		memcpy(text, in.foreign, sizeof(in.foreign));
	check(&site, in.addr, slot, text, NULL, &compiled);
	if (compiled.error) {
		check(&site, in.addr, slot, text, &impl, &plan);
		return 0;
	}
	memcpy(text, compiled.text, compiled.len);

	/* One or two implementations later ... */
	check(&site, in.addr, slot, text, in.no_impl & 1 ? NULL : &impl, &plan);
	if (!plan.error)
		memcpy(text, plan.text, plan.len);
	if (in.before & 1) {
		impl.flags ^= PV_IMPL_BEHIND_BRANCH;
		impl.code = in.before & 2 ? NULL : impl.code;
		check(&site, in.addr, slot, text, &impl, &plan);
		if (!plan.error)
			memcpy(text, plan.text, plan.len);
	}
	/* ... it unpatches to the byte, and nothing behind it was planned. */
	check(&site, in.addr, slot, text, NULL, &back);
	CHECK(!back.error);
	memset(restored, 0xcc, sizeof(restored));
	memcpy(restored, back.text, back.len);
	CHECK(back.len == compiled.len);
	CHECK(!memcmp(restored, compiled.text, compiled.len));
	return 0;
}
