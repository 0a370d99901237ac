// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The audit of an image.  Text is decoded from symbol to symbol: data in the text, or code
 * that no compiler makes, costs the rest of one function and not of the section.
 */
#include <string.h>
#include "audit.h"

static int by_address(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void sort_by_address(void *at, size_t count, size_t bytes)
{
	if (count)
		qsort(at, count, bytes, by_address);
}

size_t count_below(const void *at, size_t count, size_t bytes, uint64_t addr)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const uint64_t *element = (const void *)((const char *)at + middle * bytes);

		if (*element <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void found(struct audit *a, uint64_t addr, const char *insn)
{
	const struct replacement *r = replacement_at(a, addr);
	struct finding *f = PUSH(a->findings);
	const struct symbol *function;

	*f = (struct finding){ .addr = addr, .at = r ? r->of : addr, .insn = insn };
	function = function_of(a, f->at);
	f->function = function ? function->name : "?";
	f->offset = function ? f->at - function->addr : f->at;
	if (is_covered(a, f->at) || is_in_line(a, f->at)) {
		f->cover = BY_SITE;
		return;
	}
	f->allow = find_allow(a, insn, f->function);
	f->cover = f->allow ? BY_LIST : LEFT;
}

static void sweep(struct audit *a, const uint8_t *text, uint64_t addr, uint64_t end)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;
	ZydisDecoderContext context;
	const char *name;

	while (addr < end) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&a->decoder, &context, text,
								end - addr, &insn))) {
			unsigned int bytes = 1;

			name = unknown_name(text, end - addr, &bytes);
			if (name)
				found(a, addr, name);
			else
				a->bytes_skipped++;
			text += bytes;
			addr += bytes;
			continue;
		}
		a->insns_decoded++;
		switch (insn.mnemonic) {
		case ZYDIS_MNEMONIC_MOV:
			/* Most are without CR, DR or segment register: save the time. */
			if (insn.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn.opcode != 0x8c &&
			    insn.opcode != 0x8e)
				break;
			/* fallthrough */
		default:
			if (!ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&a->decoder, &context, &insn,
								     operands,
								     insn.operand_count_visible)))
				break;
			/* Some it takes for others. */
			name = unknown_name(text, insn.length, NULL);
			if (!name)
				name = sensitive_name(&insn, operands, a->want_time);
			if (name)
				found(a, addr, name);
		}
		text += insn.length;
		addr += insn.length;
	}
}

static void sweep_section(struct audit *a, const struct section *s)
{
	uint64_t at = s->addr, end = s->addr + s->bytes;
	size_t nr = COUNT_BELOW(a->symbols, at);

	while (at < end) {
		uint64_t stop = end;

		while (nr < a->symbols.count && a->symbols.at[nr].addr <= at)
			nr++;
		if (nr < a->symbols.count && a->symbols.at[nr].addr < end)
			stop = a->symbols.at[nr].addr;
		sweep(a, s->data + (at - s->addr), at, stop);
		at = stop;
	}
}

static void sweep_replacements(struct audit *a, const struct section *s)
{
	size_t nr;

	for (nr = 0; nr < a->replacements.count; nr++) {
		const struct replacement *r = &a->replacements.at[nr];

		if (nr && r->start == a->replacements.at[nr - 1].start)
			continue;
		if (r->start < s->addr || r->end > s->addr + s->bytes)
			die(EXIT_INPUT, "%s: alternative for %#llx outside of .altinstr_replacement",
			    a->image, (unsigned long long)r->of);
		sweep(a, s->data + (r->start - s->addr), r->start, r->end);
	}
}

static int report(const struct audit *a)
{
	size_t left = 0, unused = 0, nr;

	for (nr = 0; nr < a->findings.count; nr++)
		left += a->findings.at[nr].cover == LEFT;
	for (nr = 0; nr < a->allows.count; nr++)
		unused += !a->unused_ok && is_unused(&a->allows.at[nr]);
	if (a->want_json)
		print_json(a, left, unused);
	else
		print_text(a, left, unused);
	return left || unused ? EXIT_FINDINGS : EXIT_CLEAN;
}

int audit(struct audit *a)
{
	const struct section *alternatives;
	size_t i;

	ZydisDecoderInit(&a->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	read_image(a);
	read_sites(a);
	if (a->branch_sites.count)
		find_reached(a);
	alternatives = section_named(a, ".altinstr_replacement");
	for (i = 0; i < a->sections.count; i++)
		if (a->sections.at[i].reached && &a->sections.at[i] != alternatives)
			sweep_section(a, &a->sections.at[i]);
	if (alternatives)
		sweep_replacements(a, alternatives);
	if (!a->insns_decoded)
		die(EXIT_INPUT, "%s: no text in it", a->image);
	return report(a);
}

void audit_free(struct audit *a)
{
	size_t i;

	for (i = 0; i < a->sections.count; i++)
		free(a->sections.at[i].reached);
	for (i = 0; i < a->map_names.count; i++)
		free(a->map_names.at[i]);
	FREE(a->sections);
	FREE(a->symbols);
	FREE(a->map_names);
	FREE(a->covered);
	FREE(a->branch_sites);
	FREE(a->replacements);
	FREE(a->todo);
	FREE(a->findings);
	elf_end(a->elf);
	a->elf = NULL;
	a->insns_decoded = a->bytes_skipped = a->sites_seen = 0;
}
