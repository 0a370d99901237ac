// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Does the kernel count page tables as this release of Linux does?  NR_PAGETABLE changes in
 * the constructors and destructors of table pages, and which levels have one depends on the
 * release:
 *
 *	6.1	PTE and PMD
 *	6.6	PUD, too
 *	6.16	P4D and root, too
 *
 * A table of each lower level in many places, and the roots of many processes, are counted,
 * and not after their end.  From 6.14 on MADV_DONTNEED gives back tables of PTEs that are
 * empty then (PT_RECLAIM).
 *
 *	tables		prints what it counted, or a mismatch; exit status 1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096UL
#define PMD_SIZE	(1UL << 21)
#define P4D_SIZE	(1UL << 39)
#define PLACES		64
#define PROCESSES	64
#define RECLAIMED	32
/* Other processes of the machine may begin or end meanwhile. */
#define NOISE		16
#define PATIENCE	10
/* Tenths of a second without a change. */
#define STILL		5

static bool bad;

static void mismatch(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("tables: MISMATCH: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	bad = true;
}

static void fail(const char *what)
{
	printf("tables: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The number behind a name in a file. */
static long number(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	char line[256];
	size_t length = strlen(name);

	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length)) {
			fclose(file);
			return strtol(line + length, NULL, 10);
		}
	errno = ENOENT;
	fail(name);
	return 0;
}

/* Counts of single CPUs are added up first, else each may be off by 125. */
static long counted(void)
{
	FILE *file = fopen("/proc/sys/vm/stat_refresh", "w");

	if (!file || fputs("1", file) < 0 || fclose(file))
		fail("/proc/sys/vm/stat_refresh");
	return number("/proc/vmstat", "nr_page_table_pages ");
}

/* Tables of a process but its root, and a P4D table where there are five levels. */
static long tables_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return number(path, "VmPTE:") / (long)(PAGE / 1024);
}

static bool cpu_flag(const char *flag)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[4096], *word;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "flags", 5)) {
			for (word = strtok(line, " \t\n"); word; word = strtok(NULL, " \t\n"))
				if (!strcmp(word, flag))
					break;
			fclose(file);
			return word;
		}
	fail("/proc/cpuinfo");
	return false;
}

static void tick(void)
{
	const struct timespec length = { .tv_nsec = 100000000 };

	nanosleep(&length, NULL);
}

/* Those of processes that have ended come back behind RCU: wait until the count stands still. */
static long settled(void)
{
	time_t until = time(NULL) + PATIENCE;
	long before = counted(), now;
	int still = 0;

	while (still < STILL && time(NULL) <= until) {
		tick();
		now = counted();
		still = labs(now - before) <= 1 ? still + 1 : 0;
		before = now;
	}
	return before;
}

static void comes_back(long to, const char *what)
{
	time_t until = time(NULL) + PATIENCE;
	long now;

	do {
		now = counted();
		if (labs(now - to) <= NOISE)
			return;
		tick();
	} while (time(NULL) <= until);
	mismatch("%s: %ld tables are counted, %ld before", what, now, to);
}

static void places(bool puds)
{
	long before = settled(), own = tables_of(getpid()), nr = PLACES * (puds ? 3 : 2), now;
	unsigned char *at[PLACES];
	int i;

	for (i = 0; i < PLACES; i++) {
		at[i] = mmap((void *)(P4D_SIZE * (i + 16)), PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (at[i] == MAP_FAILED)
			fail("mmap");
		*at[i] = i;
	}
	own = tables_of(getpid()) - own;
	if (own != PLACES * 3)
		mismatch("a process has %ld tables more, not %d", own, PLACES * 3);
	now = counted();
	if (labs(now - before - nr) > NOISE)
		mismatch("%d pages in places of their own: %ld tables counted, not %ld", PLACES,
			 now - before, nr);
	printf("places %ld\n", now - before);
	for (i = 0; i < PLACES; i++)
		if (munmap(at[i], PAGE))
			fail("munmap");
	comes_back(before, "behind munmap");
}

/* roots: pages that are counted of a root, and of a P4D table. */
static void processes(int roots)
{
	long before = settled(), tables = 0, now, extra;
	pid_t child[PROCESSES];
	int i;

	for (i = 0; i < PROCESSES; i++) {
		child[i] = fork();
		if (child[i] < 0)
			fail("fork");
		if (!child[i])
			for (;;)
				pause();
	}
	now = counted();
	for (i = 0; i < PROCESSES; i++)
		tables += tables_of(child[i]);
	extra = now - before - tables;
	if (labs(extra - (long)PROCESSES * roots) > NOISE)
		mismatch("%d processes have %ld tables, and %ld roots are counted, not %d",
			 PROCESSES, tables, extra, PROCESSES * roots);
	printf("roots %ld\n", extra);
	for (i = 0; i < PROCESSES; i++)
		kill(child[i], SIGKILL);
	for (i = 0; i < PROCESSES; i++)
		waitpid(child[i], NULL, 0);
	comes_back(before, "behind the end of processes");
}

static void reclaim(bool reclaimed)
{
	size_t bytes = RECLAIMED * PMD_SIZE, i;
	unsigned char *area = mmap(NULL, bytes + PMD_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long with, without;

	if (area == MAP_FAILED)
		fail("mmap");
	area += -(size_t)area & (PMD_SIZE - 1);
	/* Fails in a kernel that has no huge pages. */
	madvise(area, bytes, MADV_NOHUGEPAGE);
	for (i = 0; i < bytes; i += PMD_SIZE)
		area[i] = 1;
	with = tables_of(getpid());
	if (madvise(area, bytes, MADV_DONTNEED))
		fail("madvise");
	without = tables_of(getpid());
	if (with - without != (reclaimed ? RECLAIMED : 0))
		mismatch("MADV_DONTNEED gave back %ld of %d tables", with - without, RECLAIMED);
	printf("reclaimed %ld\n", with - without);
	for (i = 0; i < bytes; i += PMD_SIZE)
		if (area[i])
			mismatch("%p has its old contents", area + i);
	munmap(area, bytes);
}

int main(void)
{
	struct utsname name;
	int major, minor, roots = 0;
	long release;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		fail("uname");
	release = major * 100 + minor;
	if (release >= 616)
		roots = (cpu_flag("pti") ? 2 : 1) + cpu_flag("la57");
	places(release >= 606);
	if (release >= 606)
		processes(roots);
	reclaim(release >= 614);
	return bad;
}
