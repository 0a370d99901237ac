// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The image: its sections and its symbols. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "audit.h"

/* --- sections --- */

static void check_header(const struct audit *a)
{
	const Elf64_Ehdr *header;

	if (!a->elf)
		die(EXIT_INPUT, "%s: %s", a->image, elf_errmsg(-1));
	if (elf_kind(a->elf) != ELF_K_ELF)
		die(EXIT_INPUT, "%s: not an ELF file; tools/audit/unpack.py unpacks a bzImage",
		    a->image);
	header = elf64_getehdr(a->elf);
	if (!header || header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64)
		die(EXIT_INPUT, "%s: not for x86-64", a->image);
}

static bool is_text(const Elf64_Shdr *header)
{
	const uint64_t code = SHF_ALLOC | SHF_EXECINSTR;

	return header->sh_type == SHT_PROGBITS && (header->sh_flags & code) == code;
}

static void add_section(struct audit *a, Elf_Scn *from, size_t names)
{
	/* A copy: in the file it may have any alignment. */
	GElf_Shdr copy, *header = gelf_getshdr(from, &copy);
	Elf_Data *data = header ? elf_rawdata(from, NULL) : NULL;
	struct section *s;

	if (!data)
		die(EXIT_INPUT, "%s: section %zu: %s", a->image, elf_ndxscn(from), elf_errmsg(-1));
	s = PUSH(a->sections);
	*s = (struct section){
		.name = elf_strptr(a->elf, names, header->sh_name), .addr = header->sh_addr,
		.bytes = header->sh_size, .flags = header->sh_flags, .type = header->sh_type,
		.data = header->sh_type == SHT_NOBITS ? NULL : data->d_buf,
	};
	if (!s->name)
		die(EXIT_INPUT, "%s: section %zu: its name: %s", a->image, elf_ndxscn(from),
		    elf_errmsg(-1));
	if (is_text(header)) {
		s->reached = calloc(1, s->bytes + 1);
		if (!s->reached)
			die(EXIT_INPUT, "out of memory");
	}
}

const struct section *section_named(const struct audit *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->sections.count; i++)
		if (!strcmp(a->sections.at[i].name, name))
			return &a->sections.at[i];
	return NULL;
}

const uint8_t *at_address(const struct audit *a, uint64_t addr, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < a->sections.count; i++) {
		const struct section *s = &a->sections.at[i];
		uint64_t offset = addr - s->addr;

		if ((s->flags & SHF_ALLOC) && s->data && offset < s->bytes &&
		    bytes <= s->bytes - offset)
			return s->data + offset;
	}
	return NULL;
}

struct section *text_at(const struct audit *a, uint64_t addr)
{
	size_t i;

	for (i = 0; i < a->sections.count; i++) {
		struct section *s = &a->sections.at[i];

		if (s->reached && addr - s->addr < s->bytes)
			return s;
	}
	return NULL;
}

/* --- symbols --- */

static void add_symbol(struct audit *a, uint64_t addr, const char *name, bool function)
{
	*PUSH(a->symbols) = (struct symbol){ addr, name, function };
}

static void read_symtab(struct audit *a, Elf_Scn *from)
{
	GElf_Shdr copy, *header = gelf_getshdr(from, &copy);
	Elf_Data *data = elf_getdata(from, NULL);
	size_t nr;

	if (!data || !header || header->sh_entsize != sizeof(Elf64_Sym))
		die(EXIT_INPUT, "%s: symbol table cannot be used", a->image);
	for (nr = 0; nr < data->d_size / sizeof(Elf64_Sym); nr++) {
		const Elf64_Sym *symbol = (const Elf64_Sym *)data->d_buf + nr;
		uint32_t type = ELF64_ST_TYPE(symbol->st_info);
		const char *name;

		if (symbol->st_shndx == SHN_UNDEF || type == STT_SECTION || type == STT_FILE)
			continue;
		name = elf_strptr(a->elf, header->sh_link, symbol->st_name);
		if (!name)
			die(EXIT_INPUT, "%s: symbol %zu: its name: %s", a->image, nr,
			    elf_errmsg(-1));
		if (name[0])
			add_symbol(a, symbol->st_value, name, type == STT_FUNC);
	}
}

static void read_map(struct audit *a)
{
	FILE *file = fopen(a->map, "r");
	unsigned int line = 0;
	char text[1024];

	if (!file)
		die(EXIT_INPUT, "%s: %s", a->map, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		unsigned long long addr;
		char kind, symbol[512];

		line++;
		if (sscanf(text, "%llx %c %511s", &addr, &kind, symbol) != 3)
			die(EXIT_INPUT, "%s:%u: expected ADDRESS KIND NAME", a->map, line);
		*PUSH(a->map_names) = strdup(symbol);
		add_symbol(a, addr, a->map_names.at[a->map_names.count - 1], strchr("tTwW", kind));
	}
	fclose(file);
}

/* Of the names of one address the function's comes last, and function_of() takes it. */
static int by_address_and_kind(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->function != y->function)
		return x->function ? 1 : -1;
	return strcmp(y->name, x->name);
}

const struct symbol *function_of(const struct audit *a, uint64_t addr)
{
	const struct symbol *symbols = a->symbols.at;
	size_t nr = COUNT_BELOW(a->symbols, addr);

	while (nr && !symbols[nr - 1].function && symbols[nr - 1].name[0] == '.')
		nr--;
	return nr ? &symbols[nr - 1] : NULL;
}

uint64_t address_of(const struct audit *a, const char *name)
{
	size_t nr;

	for (nr = 0; nr < a->symbols.count; nr++)
		if (!strcmp(a->symbols.at[nr].name, name))
			return a->symbols.at[nr].addr;
	return 0;
}

void read_image(struct audit *a)
{
	Elf_Scn *section = NULL;
	size_t names;

	check_header(a);
	if (elf_getshdrstrndx(a->elf, &names) || !elf_nextscn(a->elf, NULL))
		die(EXIT_INPUT, "%s: no section headers that can be used", a->image);
	while ((section = elf_nextscn(a->elf, section))) {
		add_section(a, section, names);
		if (a->sections.at[a->sections.count - 1].type == SHT_SYMTAB)
			read_symtab(a, section);
	}
	if (a->map)
		read_map(a);
	if (a->symbols.count)
		qsort(a->symbols.at, a->symbols.count, sizeof(*a->symbols.at), by_address_and_kind);
}
