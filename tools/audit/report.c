// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The report, as text and as JSON. */
#include <stdio.h>
#include <string.h>
#include "audit.h"

/* Each source line costs a run of addr2line. */
#define SOURCE_LINES	200

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

void print_json(const struct audit *a, size_t left, size_t unused)
{
	static const char *const how[] = {
		[LEFT] = "left", [BY_SITE] = "site", [BY_LIST] = "list"
	};
	bool first = true;
	size_t nr;

	printf("{\"image\": ");
	put_text(a->image);
	printf(", \"instructions\": %llu, \"bytes_not_decoded\": %llu, \"sites\": %llu, \"left\": %zu,\n \"found\": [",
	       (unsigned long long)a->insns_decoded, (unsigned long long)a->bytes_skipped,
	       (unsigned long long)a->sites_seen, left);
	for (nr = 0; nr < a->findings.count; nr++) {
		const struct finding *f = &a->findings.at[nr];

		printf("%s\n  {\"address\": %llu, \"instruction\": \"%s\", \"function\": ",
		       nr ? "," : "", (unsigned long long)f->addr, f->insn);
		put_text(f->function);
		printf(", \"offset\": %llu, \"covered\": \"%s\", \"alternative\": %s",
		       (unsigned long long)f->offset, how[f->cover],
		       f->at != f->addr ? "true" : "false");
		if (f->allow) {
			printf(", \"reason\": ");
			put_text(f->allow->reason);
		}
		putchar('}');
	}
	printf("],\n \"unused\": [");
	for (nr = 0; nr < a->allows.count && unused; nr++) {
		if (!is_unused(&a->allows.at[nr]))
			continue;
		printf("%s\n  ", first ? "" : ",");
		first = false;
		put_text(a->allows.at[nr].function);
	}
	printf("]}\n");
}

/* The source line of an address, by addr2line, if the image has source lines. */
static void put_source(const struct audit *a, uint64_t addr)
{
	char command[1200], line[512];
	FILE *pipe;

	if (!section_named(a, ".debug_line") || strpbrk(a->image, "'\\"))
		return;
	snprintf(command, sizeof(command), "addr2line -e '%s' %#llx", a->image,
		 (unsigned long long)addr);
	pipe = popen(command, "r");
	if (!pipe)
		return;
	if (fgets(line, sizeof(line), pipe) && line[0] != '?')
		printf(" %.*s", (int)strcspn(line, "\n"), line);
	pclose(pipe);
}

void print_text(const struct audit *a, size_t left, size_t unused)
{
	size_t nr, by_site = 0, by_list = 0, in_alternatives = 0, with_source = 0;

	for (nr = 0; nr < a->findings.count; nr++) {
		const struct finding *f = &a->findings.at[nr];

		by_site += f->cover == BY_SITE;
		by_list += f->cover == BY_LIST;
		in_alternatives += f->at != f->addr;
		if (f->cover != LEFT || a->want_summary)
			continue;
		printf("%#llx %s+%#llx: %s%s", (unsigned long long)f->addr, f->function,
		       (unsigned long long)f->offset, f->insn,
		       f->at != f->addr ? " (alternative)" : "");
		if (with_source++ < SOURCE_LINES)
			put_source(a, f->at);
		putchar('\n');
	}
	for (nr = 0; nr < a->allows.count; nr++) {
		const struct allow *allow = &a->allows.at[nr];

		if (unused && is_unused(allow) && !a->want_summary)
			printf("%s:%u: unused line: %s %s\n", allow->file, allow->line,
			       allow->insn, allow->function);
	}
	printf("%s: %zu sensitive of %llu instructions, %zu of them alternatives: %zu by %llu sites, %zu allowed, %zu left; %zu lines of lists unused; %llu bytes not decoded\n",
	       a->image, a->findings.count, (unsigned long long)a->insns_decoded, in_alternatives,
	       by_site, (unsigned long long)a->sites_seen, by_list, left, unused,
	       (unsigned long long)a->bytes_skipped);
}
