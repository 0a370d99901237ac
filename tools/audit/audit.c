// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * audit: every sensitive instruction of a kernel image, and what covers it.
 *
 * Sensitive: privileged instructions, and those that a deprivileged kernel may
 * execute and that then lie (POPF, SGDT, LAR, ...).  Covered: part of a call site,
 * or in line behind a branch site (include/pvops/site.h), or what Linux puts in the
 * place of one of its own pv_ops sites.  What is left must be on an allow-list,
 * line by line with a reason.
 *
 * Text is decoded from symbol to symbol: data in the text, or what no compiler
 * makes, costs the rest of one function and not of the section.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <Zydis/Zydis.h>

enum { EXIT_CLEAN, EXIT_FINDINGS, EXIT_USAGE, EXIT_INPUT };

static const char usage_text[] =
	"usage: audit [OPTION]... IMAGE\n"
	"\n"
	"Lists the sensitive instructions of an x86-64 ELF kernel that no call site, no\n"
	"branch site and no line of an allow-list covers.\n"
	"\n"
	"  --allow FILE    lines of INSTRUCTION FUNCTION REASON; both may be patterns.  May\n"
	"                  be given more than once.  A line that nothing needs is a finding\n"
	"  --layer FILE    the same, for functions of the layer: not every kernel links all of\n"
	"                  it, and a line that nothing needs is none\n"
	"  --symbols FILE  functions, as in System.map, for an image without symbols\n"
	"  --time          RDTSC, RDTSCP and RDPMC are sensitive, too\n"
	"  --unused-ok     a line that nothing needs is none\n"
	"  --json          all instructions, as one object\n"
	"  --summary       only numbers\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 nothing left; 1 something is; 2 wrong arguments; 3 the image or a\n"
	"list cannot be read.\n";

static void __attribute__((noreturn, format(printf, 2, 3)))
die(int status, const char *fmt, ...)
{
	va_list args;

	fputs("audit: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* Growing arrays. */
#define PUSH(array, count, room)						\
	(((count) < (room) ? 0 : ((room) = (room) ? 2 * (room) : 256,		\
	 (array) = realloc(array, (room) * sizeof(*(array))),			\
	 (array) ? 0 : (die(EXIT_INPUT, "out of memory"), 0))), &(array)[(count)++])

struct symbol {
	uint64_t addr;
	const char *name;
	bool function;
};

struct range {
	uint64_t start, end;
};

struct allow {
	const char *file;
	unsigned int line;
	char *insn, *function, *reason;
	bool may_rest;
	unsigned long used;
};

struct replacement {
	uint64_t start, end, of;
};

enum cover { LEFT, BY_SITE, BY_LIST };

struct finding {
	uint64_t addr, at;	/* at: what it replaces, or addr */
	const char *function, *insn;
	uint64_t offset;
	enum cover cover;
	const struct allow *allow;
};

static const char *image_name;
static const uint8_t *image;
static uint64_t image_bytes;
static const Elf64_Shdr *sections;
static unsigned int section_count;
static const char *section_names;
static uint64_t section_names_bytes;

static struct symbol *symbols;
static size_t symbol_count, symbol_room;
static struct range *covered;
static size_t covered_count, covered_room;
static struct allow *allows;
static size_t allow_count, allow_room;
static struct replacement *replacements;
static size_t replacement_count, replacement_room;
static struct finding *findings;
static size_t finding_count, finding_room;

static uint64_t *branch_sites;
static size_t branch_site_count, branch_site_room;

static bool want_time, want_json, want_summary, unused_ok;
static uint64_t insns_decoded, bytes_skipped, sites_seen;
static ZydisDecoder decoder;

/* The image */

static const void *part(uint64_t offset, uint64_t bytes, const char *what)
{
	if (offset > image_bytes || bytes > image_bytes - offset)
		die(EXIT_INPUT, "%s: %s: %llu bytes at %#llx are beyond the end of the file", image_name, what,
		    (unsigned long long)bytes, (unsigned long long)offset);
	return image + offset;
}

static const char *section_name(const Elf64_Shdr *section)
{
	if (section->sh_name >= section_names_bytes ||
	    !memchr(section_names + section->sh_name, 0, section_names_bytes - section->sh_name))
		die(EXIT_INPUT, "%s: section %td: its name is beyond the names", image_name, section - sections);
	return section_names + section->sh_name;
}

static const Elf64_Shdr *section_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < section_count; i++)
		if (!strcmp(section_name(&sections[i]), name))
			return &sections[i];
	return NULL;
}

static const uint8_t *contents(const Elf64_Shdr *section)
{
	return part(section->sh_offset, section->sh_size, section_name(section));
}

/* What is at an address of the loaded image; NULL if it is not in the file. */
static const uint8_t *at_address(uint64_t addr, uint64_t bytes)
{
	unsigned int i;

	for (i = 0; i < section_count; i++) {
		const Elf64_Shdr *s = &sections[i];

		if ((s->sh_flags & SHF_ALLOC) && s->sh_type != SHT_NOBITS && addr >= s->sh_addr &&
		    addr - s->sh_addr < s->sh_size && bytes <= s->sh_size - (addr - s->sh_addr))
			return contents(s) + (addr - s->sh_addr);
	}
	return NULL;
}

static void open_image(const char *name)
{
	struct stat status;
	int file = open(name, O_RDONLY);

	image_name = name;
	if (file < 0 || fstat(file, &status))
		die(EXIT_INPUT, "%s: %s", name, strerror(errno));
	image_bytes = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
	if (image_bytes)
		image = mmap(NULL, image_bytes, PROT_READ, MAP_PRIVATE, file, 0);
	if (image == MAP_FAILED)
		die(EXIT_INPUT, "%s: %s", name, strerror(errno));
	close(file);
}

static void read_header(void)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	const char *name = image_name;

	if (image_bytes < sizeof(*header))
		die(EXIT_INPUT, "%s: too short for an ELF file", name);
	if (memcmp(header->e_ident, ELFMAG, SELFMAG))
		die(EXIT_INPUT, "%s: not an ELF file; a bzImage is unpacked by tools/audit/unpack.py", name);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64)
		die(EXIT_INPUT, "%s: not for x86-64", name);
	if (!header->e_shnum || header->e_shentsize != sizeof(Elf64_Shdr) ||
	    header->e_shstrndx >= header->e_shnum || header->e_shoff % 8)
		die(EXIT_INPUT, "%s: no section headers that can be used", name);
	section_count = header->e_shnum;
	sections = part(header->e_shoff, (uint64_t)section_count * sizeof(Elf64_Shdr), "section headers");
	section_names_bytes = sections[header->e_shstrndx].sh_size;
	section_names = part(sections[header->e_shstrndx].sh_offset, section_names_bytes, "section names");
}

/* Symbols */

static void add_symbol(uint64_t addr, const char *name, bool function)
{
	*PUSH(symbols, symbol_count, symbol_room) = (struct symbol){ addr, name, function };
}

static void read_symtab(void)
{
	unsigned int i;
	uint64_t nr;

	for (i = 0; i < section_count; i++) {
		const Elf64_Shdr *s = &sections[i];
		const Elf64_Sym *sym;
		const char *names;
		uint64_t names_bytes;

		if (s->sh_type != SHT_SYMTAB)
			continue;
		if (s->sh_link >= section_count || s->sh_entsize != sizeof(*sym) || s->sh_offset % 8)
			die(EXIT_INPUT, "%s: symbol table cannot be used", image_name);
		sym = (const Elf64_Sym *)contents(s);
		names_bytes = sections[s->sh_link].sh_size;
		names = (const char *)contents(&sections[s->sh_link]);
		for (nr = 0; nr < s->sh_size / sizeof(*sym); nr++) {
			uint32_t type = ELF64_ST_TYPE(sym[nr].st_info);

			if (sym[nr].st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE)
				continue;
			if (sym[nr].st_name >= names_bytes ||
			    !memchr(names + sym[nr].st_name, 0, names_bytes - sym[nr].st_name))
				die(EXIT_INPUT, "%s: symbol %llu: its name is beyond the names", image_name,
				    (unsigned long long)nr);
			if (names[sym[nr].st_name])
				add_symbol(sym[nr].st_value, names + sym[nr].st_name, type == STT_FUNC);
		}
	}
}

static void read_map(const char *name)
{
	FILE *file = fopen(name, "r");
	unsigned int line = 0;
	char text[1024];

	if (!file)
		die(EXIT_INPUT, "%s: %s", name, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		unsigned long long addr;
		char kind, symbol[512];

		line++;
		if (sscanf(text, "%llx %c %511s", &addr, &kind, symbol) != 3)
			die(EXIT_INPUT, "%s:%u: not ADDRESS KIND NAME", name, line);
		add_symbol(addr, strdup(symbol), strchr("tTwW", kind));
	}
	fclose(file);
}

/* Of one place the function's name comes last, and is taken. */
static int by_addr(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->function != y->function)
		return x->function ? 1 : -1;
	return strcmp(y->name, x->name);
}

/* The number of symbols at or below an address. */
static size_t symbols_below(uint64_t addr)
{
	size_t low = 0, high = symbol_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct symbol *function_of(uint64_t addr)
{
	size_t nr = symbols_below(addr);

	while (nr && !symbols[nr - 1].function && symbols[nr - 1].name[0] == '.')
		nr--;
	return nr ? &symbols[nr - 1] : NULL;
}

static uint64_t address_of(const char *name)
{
	size_t nr;

	for (nr = 0; nr < symbol_count; nr++)
		if (!strcmp(symbols[nr].name, name))
			return symbols[nr].addr;
	return 0;
}

/* What sites cover */

static void cover(uint64_t start, uint64_t end)
{
	*PUSH(covered, covered_count, covered_room) = (struct range){ start, end };
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static bool is_covered(uint64_t addr)
{
	size_t low = 0, high = covered_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (covered[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < covered[low - 1].end;
}

/* struct pv_site: s32 position-relative address, u16 op, u8 length, u8 kind. */
static void read_sites(void)
{
	uint64_t record, end;

	record = address_of("__pv_sites_start");
	end = address_of("__pv_sites_end");
	for (; record && record + 8 <= end; record += 8) {
		const uint8_t *raw = at_address(record, 8);
		uint64_t site;
		int32_t rel;

		if (!raw)
			die(EXIT_INPUT, "%s: site record %#llx is not in the file", image_name,
			    (unsigned long long)record);
		memcpy(&rel, raw, 4);
		site = record + (uint64_t)(int64_t)rel;
		if (!at_address(site, raw[6]))
			die(EXIT_INPUT, "%s: site record %#llx: no text at %#llx", image_name,
			    (unsigned long long)record, (unsigned long long)site);
		sites_seen++;
		cover(site, site + raw[6]);
		if ((raw[7] & 0xf) == 2)
			*PUSH(branch_sites, branch_site_count, branch_site_room) = site;
	}
}

/* Linux before 6.8: { u64 address, u8 type, u8 length }, 16 bytes each. */
static void read_parainstructions(void)
{
	const Elf64_Shdr *s = section_of(".parainstructions");
	const uint8_t *raw = s ? contents(s) : NULL;
	uint64_t nr;

	for (nr = 0; s && nr < s->sh_size / 16; nr++) {
		uint64_t site;

		memcpy(&site, raw + 16 * nr, 8);
		sites_seen++;
		cover(site, site + raw[16 * nr + 9]);
	}
}

/* Linux 6.1: { s32 place, s32 replacement, u16 feature, u8 length, u8 length }. */
static void read_alternatives(void)
{
	const Elf64_Shdr *s = section_of(".altinstructions");
	const uint8_t *raw = s ? contents(s) : NULL;
	uint64_t nr;

	for (nr = 0; s && nr < s->sh_size / 12; nr++) {
		const uint8_t *entry = raw + 12 * nr;
		uint64_t addr = s->sh_addr + 12 * nr;
		struct replacement *r;
		int32_t place, with;

		memcpy(&place, entry, 4);
		memcpy(&with, entry + 4, 4);
		if (!entry[11])
			continue;
		r = PUSH(replacements, replacement_count, replacement_room);
		r->of = addr + (uint64_t)(int64_t)place;
		r->start = addr + 4 + (uint64_t)(int64_t)with;
		r->end = r->start + entry[11];
	}
}

static int by_replacement(const void *a, const void *b)
{
	const struct replacement *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static const struct replacement *replacement_at(uint64_t addr)
{
	size_t low = 0, high = replacement_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (replacements[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < replacements[low - 1].end ? &replacements[low - 1] : NULL;
}

/*
 * What can be reached.  A branch site is compiled as a jump to its far side, so the
 * native code in line behind it is what nothing leads to.  Jumps that lead who knows
 * where count as leading everywhere in their function.
 */

struct text {
	const Elf64_Shdr *section;
	uint8_t *reached;
};

static struct text *texts;
static size_t text_count, text_room;
static uint64_t *todo;
static size_t todo_count, todo_room;

static struct text *text_at(uint64_t addr)
{
	size_t nr;

	for (nr = 0; nr < text_count; nr++)
		if (addr >= texts[nr].section->sh_addr &&
		    addr - texts[nr].section->sh_addr < texts[nr].section->sh_size)
			return &texts[nr];
	return NULL;
}

static void reach(uint64_t addr)
{
	struct text *t = text_at(addr);

	if (t && !t->reached[addr - t->section->sh_addr])
		*PUSH(todo, todo_count, todo_room) = addr;
}

/* The part from one function to the next. */
static void bounds_of(uint64_t addr, const Elf64_Shdr *section, uint64_t *start, uint64_t *end)
{
	size_t nr = symbols_below(addr);

	*start = section->sh_addr;
	*end = section->sh_addr + section->sh_size;
	while (nr < symbol_count && !symbols[nr].function)
		nr++;
	if (nr < symbol_count && symbols[nr].addr < *end)
		*end = symbols[nr].addr;
	for (nr = symbols_below(addr); nr; nr--)
		if (symbols[nr - 1].function) {
			if (symbols[nr - 1].addr > *start)
				*start = symbols[nr - 1].addr;
			return;
		}
}

/*
 * A jump table: its addresses, as far as they are in the function.  A jump through
 * one pointer in memory is a call of another function, the last of this one.
 */
static bool reach_jump_table(const ZydisDecodedOperand *operand, uint64_t start, uint64_t end)
{
	uint64_t table = (uint64_t)operand->mem.disp.value, nr;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY)
		return false;
	if (operand->mem.index == ZYDIS_REGISTER_NONE)
		return true;
	if (operand->mem.base != ZYDIS_REGISTER_NONE || operand->mem.scale != 8)
		return false;
	for (nr = 0; nr < 1024; nr++) {
		const uint8_t *entry = at_address(table + 8 * nr, 8);
		uint64_t to;

		if (!entry)
			break;
		memcpy(&to, entry, 8);
		if (to < start || to >= end)
			break;
		reach(to);
	}
	return nr;
}

static void follow(uint64_t addr)
{
	struct text *t = text_at(addr);
	const uint8_t *text = contents(t->section);
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecoderContext context;
	uint64_t at = addr - t->section->sh_addr;

	while (at < t->section->sh_size && !t->reached[at]) {
		t->reached[at] = 1;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, &context, text + at,
								t->section->sh_size - at, &insn)))
			return;
		at += insn.length;
		if (insn.meta.category == ZYDIS_CATEGORY_RET || insn.mnemonic == ZYDIS_MNEMONIC_UD2)
			return;
		if (insn.meta.branch_type == ZYDIS_BRANCH_TYPE_NONE)
			continue;
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder, &context, &insn, operands,
							     insn.operand_count_visible)))
			return;
		if (insn.operand_count_visible && operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    operands[0].imm.is_relative) {
			reach(t->section->sh_addr + at + (uint64_t)operands[0].imm.value.s);
		} else if (insn.mnemonic == ZYDIS_MNEMONIC_JMP) {
			uint64_t start, end;

			bounds_of(t->section->sh_addr + at - 1, t->section, &start, &end);
			if (reach_jump_table(&operands[0], start, end))
				return;
			memset(t->reached + (start - t->section->sh_addr), 1, end - start);
		}
		if (insn.mnemonic == ZYDIS_MNEMONIC_JMP)
			return;
	}
}

/* Where a fault or a static key leads from one place, once that place is reached. */
static bool is_reached(uint64_t addr)
{
	struct text *t = text_at(addr);

	return t && t->reached[addr - t->section->sh_addr];
}

static void reach_entry(uint64_t addr, const uint8_t *entry)
{
	int32_t from, to;

	memcpy(&from, entry, 4);
	memcpy(&to, entry + 4, 4);
	if (is_reached(addr + (uint64_t)(int64_t)from))
		reach(addr + 4 + (uint64_t)(int64_t)to);
}

static void reach_table(const char *name, uint32_t entry)
{
	const Elf64_Shdr *s = section_of(name);
	uint64_t at;

	for (at = 0; s && at + entry <= s->sh_size; at += entry)
		reach_entry(s->sh_addr + at, contents(s) + at);
}

static void find_reached(void)
{
	size_t nr;

	for (nr = 0; nr < symbol_count; nr++)
		reach(symbols[nr].addr);
	while (todo_count) {
		uint64_t at, end = address_of("extable_end");

		while (todo_count)
			follow(todo[--todo_count]);
		/* Linux: struct exception_table_entry, struct jump_entry; the mini guest's pairs. */
		reach_table("__ex_table", 12);
		reach_table("__jump_table", 16);
		for (at = address_of("extable_start"); at && at + 8 <= end; at += 8) {
			const uint8_t *entry = at_address(at, 8);

			if (!entry)
				break;
			reach_entry(at, entry);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Behind a branch site of its function, and nothing leads there. */
static bool is_in_line(uint64_t addr)
{
	struct text *t = text_at(addr);
	uint64_t start, end;
	size_t low = 0, high = branch_site_count;

	if (!t || t->reached[addr - t->section->sh_addr])
		return false;
	bounds_of(addr, t->section, &start, &end);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (branch_sites[middle] < addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && branch_sites[low - 1] >= start;
}

/* What is sensitive */

#define NAME(mnemonic, name)	[ZYDIS_MNEMONIC_##mnemonic] = name
static const char *const sensitive[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
	/* Privileged: they fault where the kernel is deprivileged. */
	NAME(CLI, "cli"), NAME(STI, "sti"), NAME(HLT, "hlt"), NAME(CLTS, "clts"), NAME(LMSW, "lmsw"),
	NAME(LGDT, "lgdt"), NAME(LIDT, "lidt"), NAME(LLDT, "lldt"), NAME(LTR, "ltr"),
	NAME(INVD, "invd"), NAME(WBINVD, "wbinvd"), NAME(INVLPG, "invlpg"), NAME(INVPCID, "invpcid"),
	NAME(INVLPGA, "invlpga"), NAME(RDMSR, "rdmsr"), NAME(WRMSR, "wrmsr"), NAME(XSETBV, "xsetbv"),
	NAME(SWAPGS, "swapgs"), NAME(SYSRET, "sysret"), NAME(SYSEXIT, "sysexit"),
	NAME(MONITOR, "monitor"), NAME(MWAIT, "mwait"), NAME(STAC, "stac"), NAME(CLAC, "clac"),
	NAME(VMRUN, "vmrun"), NAME(VMLOAD, "vmload"), NAME(VMSAVE, "vmsave"), NAME(STGI, "stgi"),
	NAME(CLGI, "clgi"), NAME(SKINIT, "skinit"), NAME(VMXON, "vmxon"), NAME(VMXOFF, "vmxoff"),
	NAME(VMLAUNCH, "vmlaunch"), NAME(VMRESUME, "vmresume"), NAME(VMREAD, "vmread"),
	NAME(VMWRITE, "vmwrite"), NAME(VMPTRLD, "vmptrld"), NAME(VMPTRST, "vmptrst"),
	NAME(VMCLEAR, "vmclear"), NAME(INVEPT, "invept"), NAME(INVVPID, "invvpid"),
	NAME(XSAVES, "xsaves"), NAME(XRSTORS, "xrstors"), NAME(XSAVES64, "xsaves"), NAME(XRSTORS64, "xrstors"),
	NAME(IN, "in"), NAME(INSB, "in"), NAME(INSW, "in"), NAME(INSD, "in"),
	NAME(OUT, "out"), NAME(OUTSB, "out"), NAME(OUTSW, "out"), NAME(OUTSD, "out"),
	/* Not privileged, and then wrong. */
	NAME(PUSHF, "pushf"), NAME(PUSHFD, "pushf"), NAME(PUSHFQ, "pushf"),
	NAME(POPF, "popf"), NAME(POPFD, "popf"), NAME(POPFQ, "popf"),
	NAME(SGDT, "sgdt"), NAME(SIDT, "sidt"), NAME(SLDT, "sldt"), NAME(STR, "str"), NAME(SMSW, "smsw"),
	NAME(LAR, "lar"), NAME(LSL, "lsl"), NAME(VERR, "verr"), NAME(VERW, "verw"),
	NAME(CPUID, "cpuid"), NAME(IRET, "iret"), NAME(IRETD, "iret"), NAME(IRETQ, "iret"),
	NAME(LSS, "lss"), NAME(LFS, "lfs"), NAME(LGS, "lgs"),
	NAME(RDFSBASE, "rdfsbase"), NAME(WRFSBASE, "wrfsbase"),
	NAME(RDGSBASE, "rdgsbase"), NAME(WRGSBASE, "wrgsbase"),
};

/* MOV and PUSH/POP by their register; NULL for ordinary ones. */
static const char *by_register(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
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
		to = insn->mnemonic == ZYDIS_MNEMONIC_MOV ? i == 0 : insn->mnemonic == ZYDIS_MNEMONIC_POP;
		if (reg >= ZYDIS_REGISTER_CR0 && reg <= ZYDIS_REGISTER_CR15)
			snprintf(name, sizeof(name), "mov_%s_cr%d", to ? "to" : "from", (int)(reg - ZYDIS_REGISTER_CR0));
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

static const char *sensitive_name(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
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

/* The sweep */

static void found(uint64_t addr, const char *insn)
{
	const struct replacement *r = replacement_at(addr);
	const struct symbol *function;
	struct finding *f = PUSH(findings, finding_count, finding_room);
	size_t nr;

	f->addr = addr;
	f->at = r ? r->of : addr;
	f->insn = insn;
	function = function_of(f->at);
	f->function = function ? function->name : "?";
	f->offset = function ? f->at - function->addr : f->at;
	f->cover = is_covered(f->at) || is_in_line(f->at) ? BY_SITE : LEFT;
	f->allow = NULL;
	if (f->cover == BY_SITE)
		return;
	for (nr = 0; nr < allow_count; nr++)
		if (!fnmatch(allows[nr].insn, insn, 0) && !fnmatch(allows[nr].function, f->function, 0)) {
			allows[nr].used++;
			f->cover = BY_LIST;
			f->allow = &allows[nr];
			return;
		}
}

static void sweep(const uint8_t *text, uint64_t addr, uint64_t end)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecoderContext context;
	const char *name;

	while (addr < end) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, &context, text, end - addr, &insn))) {
			bytes_skipped++;
			text++;
			addr++;
			continue;
		}
		insns_decoded++;
		switch (insn.mnemonic) {
		case ZYDIS_MNEMONIC_MOV:
			/* Others than those of CRs, DRs and segments are most of the text. */
			if (insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn.opcode != 0x8c && insn.opcode != 0x8e)
				break;
			/* fallthrough */
		default:
			if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder, &context, &insn, operands,
								     insn.operand_count_visible)))
				break;
			name = sensitive_name(&insn, operands);
			if (name)
				found(addr, name);
		}
		text += insn.length;
		addr += insn.length;
	}
}

static bool is_text(const Elf64_Shdr *s)
{
	return s->sh_type == SHT_PROGBITS &&
	       (s->sh_flags & (SHF_ALLOC | SHF_EXECINSTR)) == (SHF_ALLOC | SHF_EXECINSTR);
}

static void sweep_section(const Elf64_Shdr *s)
{
	const uint8_t *text = contents(s);
	uint64_t at = s->sh_addr, end = s->sh_addr + s->sh_size;
	size_t nr = symbols_below(at);

	while (at < end) {
		uint64_t stop = end;

		while (nr < symbol_count && symbols[nr].addr <= at)
			nr++;
		if (nr < symbol_count && symbols[nr].addr < end)
			stop = symbols[nr].addr;
		sweep(text + (at - s->sh_addr), at, stop);
		at = stop;
	}
}

static void sweep_replacements(const Elf64_Shdr *s)
{
	size_t nr;

	for (nr = 0; nr < replacement_count; nr++) {
		const struct replacement *r = &replacements[nr];

		if (nr && r->start == replacements[nr - 1].start)
			continue;
		if (r->start < s->sh_addr || r->end > s->sh_addr + s->sh_size)
			die(EXIT_INPUT, "%s: the alternative for %#llx is outside of .altinstr_replacement", image_name,
			    (unsigned long long)r->of);
		sweep(contents(s) + (r->start - s->sh_addr), r->start, r->end);
	}
}

/* Allow-lists */

/* @may_rest: a line that nothing needs is no finding. */
static void read_allow(const char *name, bool may_rest)
{
	FILE *file = fopen(name, "r");
	unsigned int line = 0;
	char text[512];

	if (!file)
		die(EXIT_INPUT, "%s: %s", name, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		struct allow *allow;
		char insn[64], function[128];
		int rest = 0;

		line++;
		text[strcspn(text, "\n")] = '\0';
		if (!text[strspn(text, " \t")] || text[0] == '#')
			continue;
		if (sscanf(text, "%63s %127s %n", insn, function, &rest) != 2 || !rest || !text[rest])
			die(EXIT_INPUT, "%s:%u: not INSTRUCTION FUNCTION REASON: %s", name, line, text);
		allow = PUSH(allows, allow_count, allow_room);
		*allow = (struct allow){ name, line, strdup(insn), strdup(function), strdup(text + rest),
					 may_rest, 0 };
	}
	fclose(file);
}

/* What is said */

static void put_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static bool is_unused(const struct allow *allow)
{
	return !allow->used && !allow->may_rest;
}

static void print_json(size_t left, size_t unused)
{
	static const char *const how[] = { "left", "site", "list" };
	size_t nr;
	bool first = true;

	printf("{\"image\": ");
	put_text(image_name);
	printf(", \"instructions\": %llu, \"bytes_not_decoded\": %llu, \"sites\": %llu, \"left\": %zu,\n \"found\": [",
	       (unsigned long long)insns_decoded, (unsigned long long)bytes_skipped,
	       (unsigned long long)sites_seen, left);
	for (nr = 0; nr < finding_count; nr++) {
		const struct finding *f = &findings[nr];

		printf("%s\n  {\"address\": %llu, \"instruction\": \"%s\", \"function\": ", nr ? "," : "",
		       (unsigned long long)f->addr, f->insn);
		put_text(f->function);
		printf(", \"offset\": %llu, \"covered\": \"%s\", \"alternative\": %s", (unsigned long long)f->offset,
		       how[f->cover], f->at != f->addr ? "true" : "false");
		if (f->allow) {
			printf(", \"reason\": ");
			put_text(f->allow->reason);
		}
		putchar('}');
	}
	printf("],\n \"unused\": [");
	for (nr = 0; nr < allow_count && unused; nr++) {
		if (!is_unused(&allows[nr]))
			continue;
		printf("%s\n  ", first ? "" : ",");
		first = false;
		put_text(allows[nr].function);
	}
	printf("]}\n");
}

/* The source line of an address, by addr2line; nothing where the image has none. */
static void put_source(uint64_t addr)
{
	char command[1200], line[512];
	FILE *pipe;

	if (!section_of(".debug_line") || strpbrk(image_name, "'\\"))
		return;
	snprintf(command, sizeof(command), "addr2line -e '%s' %#llx", image_name, (unsigned long long)addr);
	pipe = popen(command, "r");
	if (!pipe)
		return;
	if (fgets(line, sizeof(line), pipe) && line[0] != '?')
		printf(" %.*s", (int)strcspn(line, "\n"), line);
	pclose(pipe);
}

#define SOURCE_LINES	200

static void print_text(size_t left, size_t unused)
{
	size_t nr, by_site = 0, by_list = 0, in_alternatives = 0, told = 0;

	for (nr = 0; nr < finding_count; nr++) {
		const struct finding *f = &findings[nr];

		by_site += f->cover == BY_SITE;
		by_list += f->cover == BY_LIST;
		in_alternatives += f->at != f->addr;
		if (f->cover != LEFT || want_summary)
			continue;
		printf("%#llx %s+%#llx: %s%s", (unsigned long long)f->addr, f->function,
		       (unsigned long long)f->offset, f->insn, f->at != f->addr ? " (alternative)" : "");
		if (told++ < SOURCE_LINES)
			put_source(f->at);
		putchar('\n');
	}
	for (nr = 0; nr < allow_count; nr++)
		if (unused && is_unused(&allows[nr]) && !want_summary)
			printf("%s:%u: nothing needs it: %s %s\n", allows[nr].file, allows[nr].line, allows[nr].insn,
			       allows[nr].function);
	printf("%s: %zu sensitive of %llu instructions, %zu of them alternatives: %zu by %llu sites, %zu allowed, %zu left; %zu lines of lists unused; %llu bytes not decoded\n",
	       image_name, finding_count, (unsigned long long)insns_decoded, in_alternatives, by_site,
	       (unsigned long long)sites_seen, by_list, left, unused, (unsigned long long)bytes_skipped);
}

/* The open image; functions from a map, or NULL. */
static int audit(const char *map)
{
	const Elf64_Shdr *alternatives;
	size_t left = 0, unused = 0, nr;
	unsigned int i;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	read_header();
	read_symtab();
	if (map)
		read_map(map);
	if (symbol_count)
		qsort(symbols, symbol_count, sizeof(*symbols), by_addr);
	read_sites();
	read_parainstructions();
	if (covered_count)
		qsort(covered, covered_count, sizeof(*covered), by_start);
	read_alternatives();
	if (replacement_count)
		qsort(replacements, replacement_count, sizeof(*replacements), by_replacement);

	alternatives = section_of(".altinstr_replacement");
	for (i = 0; i < section_count; i++)
		if (is_text(&sections[i])) {
			uint8_t *reached;

			contents(&sections[i]);
			reached = calloc(1, sections[i].sh_size + 1);
			if (!reached)
				die(EXIT_INPUT, "out of memory");
			*PUSH(texts, text_count, text_room) = (struct text){ &sections[i], reached };
		}
	if (branch_site_count) {
		qsort(branch_sites, branch_site_count, sizeof(*branch_sites), by_value);
		find_reached();
	}
	for (i = 0; i < section_count; i++)
		if (is_text(&sections[i]) && &sections[i] != alternatives)
			sweep_section(&sections[i]);
	if (alternatives)
		sweep_replacements(alternatives);
	if (!insns_decoded)
		die(EXIT_INPUT, "%s: no text in it", image_name);

	for (nr = 0; nr < finding_count; nr++)
		left += findings[nr].cover == LEFT;
	for (nr = 0; nr < allow_count; nr++)
		unused += !unused_ok && is_unused(&allows[nr]);
	if (want_json)
		print_json(left, unused);
	else
		print_text(left, unused);
	return left || unused ? EXIT_FINDINGS : EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	const char *name = NULL, *map = NULL;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "--help")) {
			fputs(usage_text, stdout);
			return EXIT_CLEAN;
		} else if (!strcmp(argv[arg], "--time")) {
			want_time = true;
		} else if (!strcmp(argv[arg], "--json")) {
			want_json = true;
		} else if (!strcmp(argv[arg], "--unused-ok")) {
			unused_ok = true;
		} else if (!strcmp(argv[arg], "--summary")) {
			want_summary = true;
		} else if (!strcmp(argv[arg], "--allow") && arg + 1 < argc) {
			read_allow(argv[++arg], false);
		} else if (!strcmp(argv[arg], "--layer") && arg + 1 < argc) {
			read_allow(argv[++arg], true);
		} else if (!strcmp(argv[arg], "--symbols") && arg + 1 < argc) {
			map = argv[++arg];
		} else if (argv[arg][0] == '-' || name) {
			die(EXIT_USAGE, "%s: no such option, or one image too many (--help tells more)", argv[arg]);
		} else {
			name = argv[arg];
		}
	}
	if (!name)
		die(EXIT_USAGE, "no image (--help tells more)");
	open_image(name);
	return audit(map);
}
