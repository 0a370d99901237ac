// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "audit.h"

static const char usage_text[] =
	"usage: audit [OPTION]... IMAGE\n"
	"\n"
	"Lists the sensitive instructions of an x86-64 ELF kernel that no call site, no\n"
	"branch site and no line of an allow-list covers.\n"
	"\n"
	"  --allow FILE    an allow-list: lines of INSTRUCTION FUNCTION REASON.  The first two\n"
	"                  may be patterns.  May be given more than once.  An unused line is a\n"
	"                  finding\n"
	"  --layer FILE    an allow-list for functions of the layer.  Not every kernel links all\n"
	"                  of it, so an unused line is no finding\n"
	"  --symbols FILE  functions, as in System.map, for an image without symbols\n"
	"  --time          RDTSC, RDTSCP and RDPMC are sensitive, too\n"
	"  --unused-ok     an unused line is no finding\n"
	"  --json          all instructions, as one object\n"
	"  --summary       only numbers\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 nothing is left; 1 something is left; 2 wrong arguments; 3 the image or\n"
	"a list cannot be read.\n";

void die(int status, const char *fmt, ...)
{
	va_list args;

	fputs("audit: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static void read_arguments(struct audit *a, int argc, char **argv)
{
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "--help")) {
			fputs(usage_text, stdout);
			exit(EXIT_CLEAN);
		} else if (!strcmp(argv[arg], "--time")) {
			a->want_time = true;
		} else if (!strcmp(argv[arg], "--json")) {
			a->want_json = true;
		} else if (!strcmp(argv[arg], "--unused-ok")) {
			a->unused_ok = true;
		} else if (!strcmp(argv[arg], "--summary")) {
			a->want_summary = true;
		} else if (!strcmp(argv[arg], "--allow") && arg + 1 < argc) {
			read_allow(a, argv[++arg], false);
		} else if (!strcmp(argv[arg], "--layer") && arg + 1 < argc) {
			read_allow(a, argv[++arg], true);
		} else if (!strcmp(argv[arg], "--symbols") && arg + 1 < argc) {
			a->map = argv[++arg];
		} else if (argv[arg][0] == '-' || a->image) {
			die(EXIT_USAGE, "%s: no such option, or a second image (--help tells more)",
			    argv[arg]);
		} else {
			a->image = argv[arg];
		}
	}
	if (!a->image)
		die(EXIT_USAGE, "no image (--help tells more)");
}

int main(int argc, char **argv)
{
	static struct audit a;
	int file, status;

	read_arguments(&a, argc, argv);
	file = open(a.image, O_RDONLY);
	if (file < 0)
		die(EXIT_INPUT, "%s: %s", a.image, strerror(errno));
	elf_version(EV_CURRENT);
	a.elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
	status = audit(&a);
	audit_free(&a);
	return status;
}
