// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Which instructions are sensitive, and their names in lists and reports. */
#include <stdio.h>
#include <string.h>
#include "audit.h"

#define NAME(mnemonic, name)	[ZYDIS_MNEMONIC_##mnemonic] = name
static const char *const sensitive[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
	/* Privileged: these fault in a deprivileged kernel. */
	NAME(CLI, "cli"), NAME(STI, "sti"), NAME(HLT, "hlt"), NAME(CLTS, "clts"),
	NAME(LMSW, "lmsw"), NAME(LGDT, "lgdt"), NAME(LIDT, "lidt"), NAME(LLDT, "lldt"), NAME(LTR, "ltr"),
	NAME(INVD, "invd"), NAME(WBINVD, "wbinvd"), NAME(INVLPG, "invlpg"),
	NAME(INVPCID, "invpcid"), NAME(INVLPGA, "invlpga"), NAME(RDMSR, "rdmsr"), NAME(WRMSR, "wrmsr"),
	NAME(XSETBV, "xsetbv"), NAME(SWAPGS, "swapgs"), NAME(SYSRET, "sysret"), NAME(SYSEXIT, "sysexit"),
	NAME(MONITOR, "monitor"), NAME(MWAIT, "mwait"), NAME(STAC, "stac"), NAME(CLAC, "clac"),
	NAME(VMRUN, "vmrun"), NAME(VMLOAD, "vmload"), NAME(VMSAVE, "vmsave"), NAME(STGI, "stgi"),
	NAME(CLGI, "clgi"), NAME(SKINIT, "skinit"), NAME(VMXON, "vmxon"), NAME(VMXOFF, "vmxoff"),
	NAME(VMLAUNCH, "vmlaunch"), NAME(VMRESUME, "vmresume"), NAME(VMREAD, "vmread"),
	NAME(VMWRITE, "vmwrite"), NAME(VMPTRLD, "vmptrld"), NAME(VMPTRST, "vmptrst"),
	NAME(VMCLEAR, "vmclear"), NAME(INVEPT, "invept"), NAME(INVVPID, "invvpid"),
	NAME(INVLPGB, "invlpgb"), NAME(TLBSYNC, "tlbsync"), NAME(PVALIDATE, "pvalidate"),
	NAME(RMPADJUST, "rmpadjust"), NAME(RMPUPDATE, "rmpupdate"), NAME(PSMASH, "psmash"),
	NAME(TDCALL, "tdcall"), NAME(SEAMCALL, "seamcall"), NAME(PCONFIG, "pconfig"),
	NAME(HRESET, "hreset"), NAME(LOADIWKEY, "loadiwkey"),
	NAME(XSAVES, "xsaves"), NAME(XRSTORS, "xrstors"), NAME(XSAVES64, "xsaves"),
	NAME(XRSTORS64, "xrstors"),
	NAME(IN, "in"), NAME(INSB, "in"), NAME(INSW, "in"), NAME(INSD, "in"),
	NAME(OUT, "out"), NAME(OUTSB, "out"), NAME(OUTSW, "out"), NAME(OUTSD, "out"),
	/* Not privileged: in a deprivileged kernel their result is wrong. */
	NAME(PUSHF, "pushf"), NAME(PUSHFD, "pushf"), NAME(PUSHFQ, "pushf"),
	NAME(POPF, "popf"), NAME(POPFD, "popf"), NAME(POPFQ, "popf"),
	NAME(SGDT, "sgdt"), NAME(SIDT, "sidt"), NAME(SLDT, "sldt"), NAME(STR, "str"),
	NAME(SMSW, "smsw"),
	NAME(LAR, "lar"), NAME(LSL, "lsl"), NAME(VERR, "verr"), NAME(VERW, "verw"),
	NAME(CPUID, "cpuid"), NAME(IRET, "iret"), NAME(IRETD, "iret"), NAME(IRETQ, "iret"),
	NAME(LSS, "lss"), NAME(LFS, "lfs"), NAME(LGS, "lgs"),
	NAME(RDFSBASE, "rdfsbase"), NAME(WRFSBASE, "wrfsbase"),
	NAME(RDGSBASE, "rdgsbase"), NAME(WRGSBASE, "wrgsbase"),
};

/*
 * Instructions that the disassembler does not know: Intel's manual of FRED, LKGS and WRMSRNS,
 * and of PBNDKB.
 * Two bytes behind the prefix; of LKGS the second has the operand, whose bits 3 to 5 are 6.
 */
static const struct {
	const char *name;
	uint8_t prefix, second, third, mask;
} unknown[] = {
	{ "lkgs", 0xf2, 0x00, 0x30, 0x38 },
	{ "wrmsrns", 0, 0x01, 0xc6, 0xff },
	{ "rdmsrlist", 0xf2, 0x01, 0xc6, 0xff },
	{ "wrmsrlist", 0xf3, 0x01, 0xc6, 0xff },
	{ "pbndkb", 0, 0x01, 0xc7, 0xff },
	{ "erets", 0xf2, 0x01, 0xca, 0xff },
	{ "eretu", 0xf3, 0x01, 0xca, 0xff },
};

const char *unknown_name(const uint8_t *text, uint64_t bytes, unsigned int *length)
{
	const uint8_t *begin = text;
	uint8_t prefix = 0;
	unsigned int i;

	if (bytes && (text[0] == 0xf2 || text[0] == 0xf3)) {
		prefix = text[0];
		text++;
		bytes--;
	}
	if (bytes && text[0] >= 0x40 && text[0] <= 0x4f) {
		text++;
		bytes--;
	}
	if (bytes < 3 || text[0] != 0x0f)
		return NULL;
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (prefix == unknown[i].prefix && text[1] == unknown[i].second &&
		    (text[2] & unknown[i].mask) == unknown[i].third) {
			if (length)
				*length = (unsigned int)(text - begin) + 3;
			return unknown[i].name;
		}
	return NULL;
}

/* The name of a MOV, PUSH or POP with a special register; NULL: none. */
static const char *by_register(const ZydisDecodedInstruction *insn,
			       const ZydisDecodedOperand *operands)
{
	static const char *const segment[] = { "es", "cs", "ss", "ds", "fs", "gs" };
	static char names[64][16];
	static unsigned int count;
	bool to = false;
	unsigned int i, nr;
	char name[16];

	for (i = 0; i < insn->operand_count_visible && i < 2; i++) {
		ZydisRegister reg = operands[i].reg.value;

		if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		to = insn->mnemonic == ZYDIS_MNEMONIC_MOV ? i == 0 :
							    insn->mnemonic == ZYDIS_MNEMONIC_POP;
		if (reg >= ZYDIS_REGISTER_CR0 && reg <= ZYDIS_REGISTER_CR15)
			snprintf(name, sizeof(name), "mov_%s_cr%d", to ? "to" : "from",
				 (int)(reg - ZYDIS_REGISTER_CR0));
		else if (reg >= ZYDIS_REGISTER_DR0 && reg <= ZYDIS_REGISTER_DR15)
			snprintf(name, sizeof(name), "mov_%s_dr", to ? "to" : "from");
		else if (reg >= ZYDIS_REGISTER_ES && reg <= ZYDIS_REGISTER_GS)
			snprintf(name, sizeof(name), "mov_%s_%s", to ? "to" : "from",
				 segment[reg - ZYDIS_REGISTER_ES]);
		else
			continue;
		for (nr = 0; nr < count; nr++)
			if (!strcmp(names[nr], name))
				return names[nr];
		if (count == 64)
			return "mov";
		strcpy(names[count], name);
		return names[count++];
	}
	return NULL;
}

const char *sensitive_name(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
			   bool want_time)
{
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_PUSH:
	case ZYDIS_MNEMONIC_POP:
		return by_register(insn, operands);
	case ZYDIS_MNEMONIC_CALL:
		return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? "call_far" : NULL;
	case ZYDIS_MNEMONIC_JMP:
		return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? "jmp_far" : NULL;
	case ZYDIS_MNEMONIC_RET:
		return insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? "ret_far" : NULL;
	case ZYDIS_MNEMONIC_RDTSC:
		return want_time ? "rdtsc" : NULL;
	case ZYDIS_MNEMONIC_RDTSCP:
		return want_time ? "rdtscp" : NULL;
	case ZYDIS_MNEMONIC_RDPMC:
		return want_time ? "rdpmc" : NULL;
	default:
		return sensitive[insn->mnemonic];
	}
}
