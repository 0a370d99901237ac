// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The port for a user process.  Kernel text is the program's own, writable
 * between pv_port_text_begin() and _end() by mprotect(), or a mapping of which
 * the test holds a writable alias.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pvops/pvops.h>

#include "host_port.h"

#define LOG_SIZE	65536

/* A test that executes nothing of what is patched need not serialise: in a VM it takes long. */
#ifndef HOST_SERIALISE
#define HOST_SERIALISE()	asm volatile("cpuid" : : "a" (0), "c" (0) : "ebx", "edx", "memory")
#endif

u32 host_cpu;
bool host_in_interrupt;
struct host_port host_port;

static char log_text[LOG_SIZE];
static size_t log_used;

void host_log_clear(void)
{
	log_used = 0;
	log_text[0] = '\0';
}

const char *host_log(void)
{
	return log_text;
}

u32 host_log_lines(void)
{
	const char *c;
	u32 lines = 0;

	for (c = log_text; *c; c++)
		lines += *c == '\n';
	return lines;
}

const char *host_log_find(const char *text)
{
	static char line[512];
	const char *at = strstr(log_text, text);
	const char *end;

	if (!at)
		return NULL;
	while (at > log_text && at[-1] != '\n')
		at--;
	end = strchr(at, '\n');
	snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
	return line;
}

void host_port_reset(void)
{
	long alias = host_port.alias;

	memset(&host_port, 0, sizeof(host_port));
	host_port.alias = alias;
	host_cpu = 0;
	host_in_interrupt = false;
	host_log_clear();
}

void host_cpuid(struct pv_cpuid *regs)
{
	*regs = (struct pv_cpuid){ 0 };
}

/* Lines are kept while there is room, the first ones first. */
void pv_port_log(const char *fmt, ...)
{
	void (*const *slot)(void) = (void (*const *)(void))&pv_slots;
	char line[512];
	va_list args;
	u32 op;
	int len;

	/* A kernel's console is an op. */
	for (op = 0; pv_backend() && op < PV_OP_COUNT; op++)
		host_port.log_without_ops |= !slot[op];
	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (log_used + (size_t)len + 2 > LOG_SIZE)
		return;
	memcpy(log_text + log_used, line, (size_t)len);
	log_used += (size_t)len;
	log_text[log_used++] = '\n';
	log_text[log_used] = '\0';
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(out, size, fmt, args);
	va_end(args);
	return len;
}

void pv_port_panic(const char *why)
{
	host_port.panic_why = why;
	if (host_port.panic_expected)
		longjmp(host_port.panic_to, 1);
	fprintf(stderr, "panic: %s\n", why);
	abort();
}

static void protect(unsigned long start, unsigned long end, int prot)
{
	start &= ~(PV_PAGE_SIZE - 1);
	if (mprotect((void *)start, end - start, prot)) {
		perror("mprotect");
		abort();
	}
}

long pv_port_text_begin(unsigned long start, unsigned long end)
{
	if (host_port.text_open) {
		fprintf(stderr, "text window opened twice\n");
		abort();
	}
	host_port.text_begins++;
	if (host_port.refuse_text) {
		pv_port_log("port: text is not for writing today");
		return PV_TEXT_REFUSED;
	}
	host_port.text_start = start;
	host_port.text_end = end;
	host_port.text_open = true;
	if (!host_port.alias)
		protect(start, end, PROT_READ | PROT_WRITE | PROT_EXEC);
	return host_port.alias;
}

void pv_port_text_end(unsigned long start, unsigned long end)
{
	if (!host_port.text_open || start != host_port.text_start || end != host_port.text_end) {
		fprintf(stderr, "text window closed that is not open\n");
		abort();
	}
	host_port.text_ends++;
	host_port.text_open = false;
	if (!host_port.alias)
		protect(start, end, PROT_READ | PROT_EXEC);
	HOST_SERIALISE();
}
