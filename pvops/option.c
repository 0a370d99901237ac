// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The pvops= words of a kernel command line.  The grammar is that of Linux
 * (lib/cmdline.c, next_arg(); kernel/params.c): a word ends at white space outside of
 * double quotes; quotes around a word or its value are removed; words behind "--"
 * belong to the first process.
 */
#include "internal.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || !is_space(*p)); p++)
		quoted ^= *p == '"';
	return p;
}

static bool begins(const char *p, const char *end, const char *key)
{
	for (; *key && p < end && *p == *key; p++, key++)
		;
	return !*key;
}

/* Removes an opening quote, and then a closing quote if there is one at the end. */
static void unquote(const char **start, const char **end)
{
	if (*start == *end || **start != '"')
		return;
	++*start;
	if (*start < *end && (*end)[-1] == '"')
		--*end;
}

/* Advances to the value of the next pvops= word. */
static bool next_word(struct pv_option *option)
{
	static const char key[] = "pvops=";
	const char *start, *end;

	for (;;) {
		for (start = option->next; is_space(*start); start++)
			;
		if (!*start)
			return false;
		end = word_end(start);
		option->next = end;
		unquote(&start, &end);
		if (end - start == 2 && begins(start, end, "--")) {
			option->next = "";
			return false;
		}
		if (!begins(start, end, key))
			continue;
		start += sizeof(key) - 1;
		unquote(&start, &end);
		option->part = start;
		option->end = end;
		return true;
	}
}

bool pv_option_next(struct pv_option *option, struct pv_token *token)
{
	const char *p;

	if (!option->part && !next_word(option))
		return false;
	for (p = option->part; p < option->end && *p != ','; p++)
		;
	token->start = option->part;
	token->len = (u32)(p - option->part);
	option->part = p < option->end ? p + 1 : NULL;
	return true;
}

bool pv_token_is(const struct pv_token *token, const char *name)
{
	u32 i;

	for (i = 0; i < token->len; i++)
		if (!name[i] || name[i] != token->start[i])
			return false;
	return !name[i];
}

struct pv_shown pv_token_show(const struct pv_token *token)
{
	struct pv_shown out;
	u32 i;

	for (i = 0; i < token->len && i < PV_TOKEN_SHOWN; i++)
		out.text[i] = pv_printable(token->start[i]);
	if (token->len > PV_TOKEN_SHOWN) {
		out.text[i++] = '.';
		out.text[i++] = '.';
		out.text[i++] = '.';
	}
	out.text[i] = '\0';
	return out;
}
