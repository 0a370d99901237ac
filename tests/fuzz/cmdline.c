// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-cmdline: selection from any command line on any machine.
 *
 * First bytes: what the three fake backends answer; then CPUID names; the rest
 * is the command line.  A second, plainer reading of the same words decides
 * what must be chosen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../pvops/internal.h"
#include "check.h"
#include "fake_backend.h"
#include "host_port.h"

#define HEAD	32

static const struct pv_backend *const all[FAKE_COUNT] = {
	[FAKE_NATIVE] = &native_backend,
	[FAKE_FAKE] = &fake_backend_desc,
	[FAKE_OTHER] = &other_backend,
};

static const u8 *leaves;

static void replay(struct pv_cpuid *regs)
{
	u32 leaf = regs->eax;

	memset(regs, 0, sizeof(*regs));
	if (leaf == 1)
		regs->ecx = (u32)leaves[0] << 31;
	else if (leaves[1] & 1)
		memcpy(regs, leaves + 2, sizeof(*regs));
	/* All leaves answer: rarely, it takes long. */
	if (leaf != 1 && leaves[1] >> 1 == 0x55)
		regs->eax = leaf + leaves[2];
}

/* Cuts the next word out of @line, as Linux does (lib/cmdline.c); NULL at the end. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t\n\v\f\r"), *end;
	bool inside = false;

	if (!*word)
		return NULL;
	for (end = word; *end && (inside || !strchr(" \t\n\v\f\r", *end)); end++)
		inside ^= *end == '"';
	*line = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static char *without_quotes(char *text)
{
	size_t len;

	if (*text != '"')
		return text;
	text++;
	len = strlen(text);
	if (len && text[len - 1] == '"')
		text[len - 1] = '\0';
	return text;
}

/* The last backend named that can run, or -1. */
static int named(const char *line)
{
	char *copy = strdup(line), *rest = copy, *word;
	int found = -1;

	while ((word = next_word(&rest))) {
		char *part, *end;
		int i;

		word = without_quotes(word);
		if (!strcmp(word, "--"))
			break;
		if (strncmp(word, "pvops=", 6))
			continue;
		for (part = without_quotes(word + 6); part; part = end) {
			end = strchr(part, ',');
			if (end)
				*end++ = '\0';
			if (!strcmp(part, "auto"))
				found = -1;
			for (i = 0; i < FAKE_COUNT; i++)
				if (!strcmp(part, all[i]->name) && fake_backend[i].score > 0)
					found = i;
		}
	}
	free(copy);
	return found;
}

static void check_lines(const char *(*line)(u32 nr))
{
	u32 nr;
	const char *c;

	for (nr = 0; line(nr); nr++)
		for (c = line(nr); *c; c++)
			CHECK(*c >= 0x20 && *c <= 0x7e);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const int scores[] = { 0, 1, 100, 1000, -1, 100, 1, 0 };
	struct pv_platform platform = { .cpuid = replay };
	const struct pv_backend *chosen;
	u32 op;
	char *line;
	int want, i;

	if (size < HEAD)
		return -1;
	host_port_reset();
	fake_reset();
	for (i = 0; i < FAKE_COUNT; i++) {
		fake_backend[i].score = scores[data[i] & 7];
		fake_backend[i].init_error = data[i] & 0xc0 ? 0 : -(int)data[i];
	}
	fake_backend[FAKE_OTHER].init_error = 0;
	leaves = data + 8;

	/* Exactly as long as it is: one byte further is found out. */
	line = malloc(size - HEAD + 1);
	memcpy(line, data + HEAD, size - HEAD);
	line[size - HEAD] = '\0';

	host_port.panic_expected = true;
	if (setjmp(host_port.panic_to)) {
		for (i = 0; i < FAKE_COUNT; i++)
			CHECK(fake_backend[i].score <= 0 || fake_backend[i].init_error);
		free(line);
		return 0;
	}
	pv_init(&platform, line);

	chosen = pv_backend();
	CHECK(chosen);
	for (i = 0; all[i] != chosen; i++)
		CHECK(i < FAKE_COUNT);
	CHECK(fake_backend[i].score > 0 && !fake_backend[i].init_error);
	want = named(line);
	if (want >= 0 && !fake_backend[want].init_error) {
		CHECK(i == want);
	} else {
		int other;

		for (other = 0; other < FAKE_COUNT; other++)
			CHECK(fake_backend[other].init_error ||
			      fake_backend[other].score <= fake_backend[i].score);
	}
	for (op = 0; op < PV_OP_COUNT; op++) {
		const struct pv_impl *impl = pv_impl_of(op);

		CHECK(impl && impl->fn);
		CHECK(((void (**)(void))&pv_slots)[op] == impl->fn);
		if (i == FAKE_FAKE && (fake_impls[FAKE_FAKE][op]->flags & PV_IMPL_REQUIRED))
			CHECK(impl == fake_impls[FAKE_FAKE][op]);
	}
	/* Nobody is left with half of what works together. */
	for (op = 0; op < pv_pair_count; op++)
		CHECK(i != FAKE_FAKE || pv_impl_is_native(pv_pairs[op].op) ==
					pv_impl_is_native(pv_pairs[op].other));
	check_lines(pv_detected);
	check_lines(pv_refused);
	pv_print();
	free(line);
	return 0;
}
