// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-elf: the audit (tools/audit) of any ELF file.
 *
 * First bytes: a small kernel image with text, symbols, site records, alternatives and
 * tables of places, which the input changes and cuts; or the input itself; and how
 * the findings are printed.  The file is as long as it is.
 *
 * Checked: nothing outside of the file is read; the audit comes to an end, with a result
 * or with a reason.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include "../../tools/audit/audit.h"
#include "check.h"

#define HEAD		6
#define FILE_BYTES	2048
#define TEXT		0xffffffff81000000UL
#define DATA		0xffffffff82000000UL
#define FUNCTION	ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)

static jmp_buf way_out;
static int way_status;

/* The program's die() prints a line, which nobody reads here, and exits. */
void die(int status, const char *fmt, ...)
{
	(void)fmt;
	way_status = status;
	longjmp(way_out, 1);
}

/* --- an image with everything that is read --- */

static uint8_t whole[FILE_BYTES];
static uint32_t used;

static uint32_t add(const void *from, uint32_t bytes)
{
	uint32_t at = (used + 7) & ~7U;

	memcpy(whole + at, from, bytes);
	used = at + bytes;
	return at;
}

static void make_image(void)
{
	static const char names[] = "\0.text\0.symtab\0.strtab\0.shstrtab\0.pv_sites\0.altinstructions\0"
		".altinstr_replacement\0.parainstructions\0__ex_table\0__jump_table";
	static const char symbols_text[] = "\0first\0second\0__pv_sites_start\0__pv_sites_end\0"
		"extable_start\0extable_end";
	/* cli; a jump; a site of 6 bytes; hlt; ret; a jump through a table */
	static const uint8_t text[] = {
		0xfa, 0xeb, 0x00, 0xff, 0x15, 0, 0, 0, 0, 0xf4, 0xc3, 0x90, 0x0f, 0x30,
		0xff, 0x24, 0xc5, 0x00, 0x00, 0x00, 0x82, 0xe9, 0xe6, 0xff, 0xff, 0xff, 0x0f, 0x0b, 0xc3,
	};
	static const uint8_t replacement[] = { 0x0f, 0x01, 0xcb, 0xc3 };
	static const int32_t alternative[] = {
		(int32_t)(TEXT - (DATA + 0x200)), (int32_t)(TEXT + 0x1000 - (DATA + 0x204)),
		0x04030000,
	};
	struct {
		int32_t rel;
		uint16_t op;
		uint8_t len, kind;
	} site[2] = {
		{ (int32_t)(TEXT + 3 - (DATA + 0x100)), 1, 6, 0 },
		{ (int32_t)(TEXT + 12 - (DATA + 0x108)), 1, 7, 2 },
	};
	uint64_t patch[2] = { TEXT + 9, 0x0102 };
	int32_t fault[4] = {
		(int32_t)(TEXT - (DATA + 0x400)), (int32_t)(TEXT + 9 - (DATA + 0x404)), 0, 0,
	};
	Elf64_Sym sym[7] = {
		{ 0 },
		{ .st_name = 1, .st_info = FUNCTION, .st_shndx = 1, .st_value = TEXT },
		{ .st_name = 7, .st_info = FUNCTION, .st_shndx = 1, .st_value = TEXT + 14 },
		{ .st_name = 14, .st_shndx = 5, .st_value = DATA + 0x100 },
		{ .st_name = 31, .st_shndx = 5, .st_value = DATA + 0x110 },
		{ .st_name = 46, .st_shndx = 9, .st_value = DATA + 0x400 },
		{ .st_name = 60, .st_shndx = 9, .st_value = DATA + 0x408 },
	};
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB }, .e_machine = EM_X86_64,
		.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 11, .e_shstrndx = 4,
	};
	const uint64_t alloc = SHF_ALLOC, code = SHF_ALLOC | SHF_EXECINSTR;
	Elf64_Shdr sh[11] = {
		{ 0 },
		{ 1, SHT_PROGBITS, code, TEXT, 0, sizeof(text), 0, 0, 16, 0 },
		{ 7, SHT_SYMTAB, 0, 0, 0, sizeof(sym), 3, 1, 8, sizeof(Elf64_Sym) },
		{ 15, SHT_STRTAB, 0, 0, 0, sizeof(symbols_text), 0, 0, 1, 0 },
		{ 23, SHT_STRTAB, 0, 0, 0, sizeof(names), 0, 0, 1, 0 },
		{ 33, SHT_PROGBITS, alloc, DATA + 0x100, 0, sizeof(site), 0, 0, 8, 0 },
		{ 43, SHT_PROGBITS, alloc, DATA + 0x200, 0, sizeof(alternative), 0, 0, 1, 0 },
		{ 60, SHT_PROGBITS, code, TEXT + 0x1000, 0, sizeof(replacement), 0, 0, 1, 0 },
		{ 82, SHT_PROGBITS, alloc, DATA + 0x300, 0, sizeof(patch), 0, 0, 8, 0 },
		{ 100, SHT_PROGBITS, alloc, DATA + 0x400, 0, sizeof(fault), 0, 0, 4, 0 },
		{ 111, SHT_PROGBITS, alloc, DATA, 0, sizeof(fault), 0, 0, 8, 0 },
	};

	used = sizeof(eh);
	sh[1].sh_offset = add(text, sizeof(text));
	sh[2].sh_offset = add(sym, sizeof(sym));
	sh[3].sh_offset = add(symbols_text, sizeof(symbols_text));
	sh[4].sh_offset = add(names, sizeof(names));
	sh[5].sh_offset = add(site, sizeof(site));
	sh[6].sh_offset = add(alternative, sizeof(alternative));
	sh[7].sh_offset = add(replacement, sizeof(replacement));
	sh[8].sh_offset = add(patch, sizeof(patch));
	sh[9].sh_offset = add(fault, sizeof(fault));
	sh[10].sh_offset = add(patch, sizeof(patch));
	eh.e_shoff = add(sh, sizeof(sh));
	memcpy(whole, &eh, sizeof(eh));
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!freopen("/dev/null", "w", stdout))
		abort();
	elf_version(EV_CURRENT);
	make_image();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Such a name is not passed to addr2line. */
	static struct audit a = { .image = "'" };
	size_t bytes, i;
	char *file;

	if (size < HEAD)
		return -1;
	bytes = size - HEAD;
	if (data[0] & 1) {
		bytes = used;
		if (data[0] & 2)
			bytes -= (data[1] | (size_t)data[2] << 8) % used;
	}
	file = malloc(bytes ? bytes : 1);
	if (data[0] & 1) {
		uint8_t *changed = malloc(used);

		memcpy(changed, whole, used);
		for (i = HEAD; i + 3 <= size; i += 3)
			changed[(data[i] | (size_t)data[i + 1] << 8) % used] = data[i + 2];
		memcpy(file, changed, bytes);
		free(changed);
	} else {
		memcpy(file, data + HEAD, bytes);
	}
	a.elf = elf_memory(file, bytes);
	a.want_json = data[3] & 1;
	a.want_time = data[3] & 2;
	a.want_summary = data[3] & 4;
	way_status = EXIT_CLEAN;
	if (!setjmp(way_out))
		way_status = audit(&a);
	CHECK(way_status == EXIT_CLEAN || way_status == EXIT_FINDINGS || way_status == EXIT_INPUT);
	audit_free(&a);
	free(file);
	return 0;
}
