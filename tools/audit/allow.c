// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Allow-lists. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "audit.h"

void read_allow(struct audit *a, const char *name, bool may_be_unused)
{
	FILE *file = fopen(name, "r");
	unsigned int line = 0;
	char text[512];

	if (!file)
		die(EXIT_INPUT, "%s: %s", name, strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		char insn[64], function[128];
		int rest = 0;

		line++;
		text[strcspn(text, "\n")] = '\0';
		if (!text[strspn(text, " \t")] || text[0] == '#')
			continue;
		if (sscanf(text, "%63s %127s %n", insn, function, &rest) != 2 || !rest ||
		    !text[rest])
			die(EXIT_INPUT, "%s:%u: expected INSTRUCTION FUNCTION REASON: %s", name, line,
			    text);
		*PUSH(a->allows) = (struct allow){
			.file = name, .line = line, .insn = strdup(insn),
			.function = strdup(function), .reason = strdup(text + rest),
			.may_be_unused = may_be_unused,
		};
	}
	fclose(file);
}

const struct allow *find_allow(struct audit *a, const char *insn, const char *function)
{
	size_t nr;

	for (nr = 0; nr < a->allows.count; nr++) {
		struct allow *allow = &a->allows.at[nr];

		if (!fnmatch(allow->insn, insn, 0) && !fnmatch(allow->function, function, 0)) {
			allow->used++;
			return allow;
		}
	}
	return NULL;
}

bool is_unused(const struct allow *allow)
{
	return !allow->used && !allow->may_be_unused;
}
