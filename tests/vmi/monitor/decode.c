// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Access to guest memory by the guest's own tables, and decoding of instructions: length
 * and operands of those that can be intercepted (APM vol. 3 appendix A).  QEMU's SVM
 * saves no next RIP and no instruction bytes.
 */
#include "monitor.h"

#define PTE_PRESENT	1
#define PTE_LARGE	0x80
#define FRAME		0xffffffffff000ULL

u64 virt_to_phys(struct vcpu *v, u64 va)
{
	u64 at = v->vmcb->cr3 & FRAME, entry, size;
	const u64 *p;
	u32 shift;

	if (!(v->vmcb->cr0 & CR0_PG))
		return va & 0xffffffff;
	if (!(v->vmcb->efer & EFER_LMA))
		return ~0ULL;
	for (shift = 39; ; shift -= 9) {
		p = guest_phys(v, at + (va >> shift & 511) * 8, 8);
		if (!p)
			return ~0ULL;
		entry = *p;
		if (!(entry & PTE_PRESENT))
			return ~0ULL;
		size = 1ULL << shift;
		if (shift == 12 || (shift < 39 && (entry & PTE_LARGE)))
			return (entry & FRAME & ~(size - 1)) | (va & (size - 1));
		at = entry & FRAME;
	}
}

static bool copy_virt(struct vcpu *v, u64 va, void *buffer, size_t bytes, bool write)
{
	u8 *at = buffer;

	while (bytes) {
		size_t part = PAGE - (va & (PAGE - 1));
		u64 gpa = virt_to_phys(v, va);
		void *host;

		if (part > bytes)
			part = bytes;
		host = gpa == ~0ULL ? NULL : guest_phys(v, gpa, part);
		if (!host)
			return false;
		memcpy(write ? host : at, write ? at : host, part);
		at += part;
		va += part;
		bytes -= part;
	}
	return true;
}

bool read_virt(struct vcpu *v, u64 va, void *to, size_t bytes)
{
	return copy_virt(v, va, to, bytes, false);
}

bool write_virt(struct vcpu *v, u64 va, const void *from, size_t bytes)
{
	return copy_virt(v, va, (void *)(u64)from, bytes, true);
}

struct text {
	u8 bytes[15];
	u32 at;
};

static u64 take(struct text *text, u32 bytes, bool is_signed)
{
	u64 val = 0;
	u32 i;

	for (i = 0; i < bytes && text->at < sizeof(text->bytes); i++)
		val |= (u64)text->bytes[text->at++] << i * 8;
	if (is_signed && bytes && bytes < 8 && (val >> (bytes * 8 - 1) & 1))
		val |= ~0ULL << bytes * 8;
	return val;
}

/* Effective address of 16-bit ModRM (APM vol. 3 table A-33). */
static u64 address16(struct vcpu *v, struct text *text, u32 mod, u32 rm, bool *stack)
{
	static const u8 base[] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const u8 index[] = { RSI, RDI, RSI, RDI };
	u64 ea;

	if (mod == 0 && rm == 6)
		return take(text, 2, false);
	*stack = base[rm] == RBP;
	ea = get_reg(v, base[rm]);
	if (rm < 4)
		ea += get_reg(v, index[rm]);
	if (mod)
		ea += take(text, mod, true);
	return ea & 0xffff;
}

static bool has_modrm(u32 opcode)
{
	switch (opcode) {
	case 0x100: case 0x101:
	case 0x120: case 0x121: case 0x122: case 0x123:
	case 0x88: case 0x89: case 0x8a: case 0x8b: case 0xc6: case 0xc7:
	case 0x81: case 0x83: case 0x31: case 0x33: case 0x09: case 0x0b: case 0x21: case 0x23:
		return true;
	}
	return false;
}

bool decode(struct vcpu *v, struct insn *insn)
{
	const struct vmcb *c = v->vmcb;
	bool mode64 = (c->efer & EFER_LMA) && (c->cs.attrib & SEG_LONG);
	bool mode16 = !mode64 && !(c->cs.attrib & SEG_DEFAULT32);
	bool size16 = mode16, address_is_16 = mode16, address_is_32 = !mode16, stack = false;
	const struct segment *segment = NULL;
	struct text text = { .at = 0 };
	u64 pc = (mode64 ? 0 : c->cs.base) + c->rip, ea = 0;
	u32 rex = 0, modrm, mod, n;
	bool relative = false;

	/* First up to the end of the page: the next page may be missing. */
	n = PAGE - (pc & (PAGE - 1)) < 15 ? (u32)(PAGE - (pc & (PAGE - 1))) : 15;
	if (!read_virt(v, pc, text.bytes, n))
		return false;
	if (n < 15)
		read_virt(v, pc + n, text.bytes + n, 15 - n);

	*insn = (struct insn){ .size = 4 };
	if (mode64)
		address_is_32 = false;
	for (;; text.at++) {
		u8 byte;

		if (text.at >= sizeof(text.bytes))
			return false;
		byte = text.bytes[text.at];
		if (byte == 0x66)
			size16 = !mode16;
		else if (byte == 0x67) {
			address_is_16 = !mode64 && !mode16;
			address_is_32 = mode64 || mode16;
		} else if (byte == 0x2e)
			segment = &c->cs;
		else if (byte == 0x36)
			segment = &c->ss;
		else if (byte == 0x3e)
			segment = &c->ds;
		else if (byte == 0x26)
			segment = &c->es;
		else if (byte == 0x64)
			segment = &c->fs;
		else if (byte == 0x65)
			segment = &c->gs;
		else if (byte != 0xf0 && byte != 0xf2 && byte != 0xf3)
			break;
	}
	if (mode64 && (text.bytes[text.at] & 0xf0) == 0x40)
		rex = text.bytes[text.at++];
	insn->opcode = (u32)take(&text, 1, false);
	if (insn->opcode == 0x0f)
		insn->opcode = 0x100 | (u32)take(&text, 1, false);
	if (size16)
		insn->size = 2;
	if (rex & 8)
		insn->size = 8;

	if (has_modrm(insn->opcode)) {
		modrm = (u32)take(&text, 1, false);
		mod = modrm >> 6;
		insn->reg = (modrm >> 3 & 7) | (rex & 4) << 1;
		insn->rm = modrm & 7;
		/* MOV to and from CR and DR uses registers for any mod. */
		insn->memory = mod != 3 && (insn->opcode & ~3U) != 0x120;
		if (!insn->memory) {
			insn->rm |= (rex & 1) << 3;
		} else if (address_is_16) {
			ea = address16(v, &text, mod, insn->rm, &stack);
		} else {
			u32 base = insn->rm, disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;

			if (base == 4) {
				u32 sib = (u32)take(&text, 1, false);
				u32 index = (sib >> 3 & 7) | (rex & 2) << 2;

				base = sib & 7;
				if (index != 4)
					ea = get_reg(v, index) << (sib >> 6);
				if (base == 5 && !mod)
					disp = 4;
				else
					ea += get_reg(v, base | (rex & 1) << 3);
			} else if (base == 5 && !mod) {
				disp = 4;
				relative = mode64;
			} else {
				ea += get_reg(v, base | (rex & 1) << 3);
			}
			stack = (base == 4 || base == 5) && !(rex & 1) && !(base == 5 && !mod);
			ea += take(&text, disp, true);
			if (address_is_32)
				ea = (u32)ea;
		}
	}
	switch (insn->opcode) {
	case 0x88: case 0x8a:
		insn->size = 1;
		break;
	case 0xc6:
		insn->size = 1;
		insn->immediate = take(&text, 1, true);
		break;
	case 0x83:
		insn->immediate = take(&text, 1, true);
		break;
	case 0xc7: case 0x81:
		insn->immediate = take(&text, insn->size == 8 ? 4 : insn->size, true);
		break;
	case 0xcd:
		insn->immediate = take(&text, 1, false);
		break;
	}
	insn->length = text.at;
	if (!insn->memory)
		return true;
	if (relative)
		ea += c->rip + insn->length;
	if (!segment)
		segment = stack ? &c->ss : &c->ds;
	if (segment == &c->fs && mode64)
		ea += rdmsr(MSR_FS_BASE);
	else if (segment == &c->gs && mode64)
		ea += rdmsr(MSR_GS_BASE);
	else if (!mode64)
		ea = (u32)(ea + segment->base);
	insn->linear = ea;
	return true;
}

void skip(struct vcpu *v, u32 length)
{
	v->vmcb->rip += length;
	/* The shadow of an STI or MOV SS ends here. */
	v->vmcb->int_shadow = 0;
}
