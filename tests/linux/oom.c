// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Out of memory, by page tables and by processes (tests/linux/init, part oom).
 *
 *	oom touch	reads one byte in every 2 MiB: each needs a table, but no other memory
 *	oom bomb	forks until it fails, and goes on with that for a while
 *
 * With "CGROUP MAX" behind it, the load runs in a new group of that name with a limit of
 * MAX bytes, and the limit must stop it.  Exit status 0: the load was killed, the process
 * beside it survived, and the machine works afterwards.  With BESIDE=told in the
 * environment, the fate of the process beside it is only reported.  Each error is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TABLE_SPAN	(2UL << 20)
/* More tables than any row has memory for: memory runs out before. */
#define MAX_TABLES	(1UL << 20)
/* Free memory that the load can use up: the same in every row. */
#define LEFT_KIB	(32L << 10)
/* How long processes multiply, and the time limit for all else. */
#define BOMB_SECONDS	15
#define END_SECONDS	300
/* Memory of each process of the bomb. */
#define BOMB_BYTES	(256UL << 10)
/* Memory of each process beside the load. */
#define WORK_BYTES	(1UL << 20)

static const char *group;
static unsigned long *touched;

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Returns the number behind a word in a file, or -1. */
static long number_in(const char *path, const char *word)
{
	char line[256];
	FILE *file = fopen(path, "re");
	long n = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, strlen(word)) && strchr(" :", line[strlen(word)]))
			n = atol(line + strlen(word) + 1);
	if (file)
		fclose(file);
	return n;
}

static long group_number(const char *file, const char *word)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return number_in(path, word);
}

static void group_write(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	if (!write_file(path, text))
		fail("%s: cannot write %s: %s", path, text, strerror(errno));
}

/* Locks memory, so that the load cannot have it. */
static void *hold(size_t *bytes)
{
	long free = number_in("/proc/meminfo", "MemFree");
	/* Without the kernel's reserve, which may be larger than LEFT_KIB. */
	long available = number_in("/proc/meminfo", "MemAvailable");
	void *held;

	if (available < free)
		free = available;
	*bytes = free > LEFT_KIB ? (size_t)(free - LEFT_KIB) << 10 : 0;
	if (!*bytes)
		return NULL;
	held = mmap(NULL, *bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (held == MAP_FAILED)
		fail("no %zu bytes to hold: %s", *bytes, strerror(errno));
	/* Not copied to the processes that will be killed. */
	madvise(held, *bytes, MADV_DONTFORK);
	return held;
}

static void touch(void)
{
	char *at = mmap(NULL, MAX_TABLES * TABLE_SPAN, PROT_READ,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	/* A huge page needs no table. */
	madvise(at, MAX_TABLES * TABLE_SPAN, MADV_NOHUGEPAGE);
	for (*touched = 0; *touched < MAX_TABLES; ++*touched)
		*(volatile char *)(at + *touched * TABLE_SPAN);
}

static void bomb(void)
{
	double end = now() + BOMB_SECONDS;
	char *own;

	for (;;) {
		if (fork() < 0)
			pause_ms(10);
		own = mmap(NULL, BOMB_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		__atomic_add_fetch(touched, 1, __ATOMIC_RELAXED);
		if (own == MAP_FAILED || now() > end)
			pause();
	}
}

/* Runs a process with some memory of its own; returns false if it does not get it. */
static bool work(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		void *own = mmap(NULL, WORK_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		_exit(own == MAP_FAILED);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* Starts a process beside the load, with the default score. */
static pid_t start_others(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	write_file("/proc/self/oom_score_adj", "0");
	for (;;) {
		work();
		pause_ms(200);
	}
}

static pid_t start(void (*load)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	setpgid(0, 0);
	/* The OOM killer must choose it, not its parent. */
	write_file("/proc/self/oom_score_adj", "1000");
	if (group)
		group_write("cgroup.procs", "0");
	load();
	_exit(0);
}

/* Waits until the kernel kills the load. */
static void wait_killed(pid_t pid)
{
	double end = now() + END_SECONDS;
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now() > end)
			fail("not killed in %d s, %lu tables touched", END_SECONDS, *touched);
		pause_ms(200);
	}
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail("not killed: status 0x%x, %lu tables touched", status, *touched);
}

/* Kills all processes of the bomb, which multiply meanwhile. */
static void end_bomb(pid_t leader)
{
	double end;

	pause_ms((BOMB_SECONDS + 5) * 1000L);
	for (end = now() + END_SECONDS; !kill(-leader, SIGKILL); pause_ms(50)) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (now() > end)
			fail("processes of the bomb are left after %d s", END_SECONDS);
	}
}

/* Checks that memory is free again, and that new processes get it. */
static void machine_serves(long before)
{
	double end = now() + END_SECONDS;
	long after;
	int i;

	while ((after = number_in("/proc/meminfo", "MemFree")) < before - before / 10) {
		if (now() > end)
			fail("%ld KiB were free, %ld are %d s after", before, after, END_SECONDS);
		pause_ms(100);
	}
	for (i = 0; i < 50; i++)
		if (!work())
			fail("process %d afterwards gets no memory", i);
	printf("%ld KiB free before, %ld after\n", before, after);
}

int main(int argc, char **argv)
{
	bool beside_lives, is_bomb = argc > 1 && !strcmp(argv[1], "bomb");
	const char *beside;
	size_t bytes;
	void *held;
	pid_t pid, others;
	long before;

	if ((argc != 2 && argc != 4) || (!is_bomb && strcmp(argv[1], "touch"))) {
		fprintf(stderr, "usage: oom touch|bomb [CGROUP MAX]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The OOM killer must not choose this process instead of the load. */
	write_file("/proc/self/oom_score_adj", "-1000");
	touched = mmap(NULL, sizeof(*touched), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc == 4) {
		group = argv[2];
		if (mkdir(group, 0755) && errno != EEXIST)
			fail("%s: %s", group, strerror(errno));
		group_write("memory.max", argv[3]);
	}
	write_file("/proc/sys/vm/drop_caches", "3");
	before = number_in("/proc/meminfo", "MemFree");
	held = hold(&bytes);
	others = start_others();
	pid = start(is_bomb ? bomb : touch);
	if (is_bomb)
		end_bomb(pid);
	else
		wait_killed(pid);
	printf("%lu %s\n", *touched, is_bomb ? "processes" : "tables");
	if (group) {
		if (group_number("memory.events", "oom_kill") < 1)
			fail("%s: the limit did not stop the load: memory.events has no oom_kill", group);
		/* Each table is a page. */
		if (!is_bomb && *touched * 4096 > (unsigned long)atol(argv[3]))
			fail("%s: %lu tables in %s bytes", group, *touched, argv[3]);
	}
	/* The toucher has enough memory to give, so no other process must be killed. */
	beside_lives = !waitpid(others, NULL, WNOHANG);
	printf("the process beside the load %s\n", beside_lives ? "lives" : "was killed, too");
	beside = getenv("BESIDE");
	if (!is_bomb && !beside_lives && (!beside || strcmp(beside, "told")))
		fail("the toucher's tables came back too late");
	kill(others, SIGKILL);
	waitpid(others, NULL, 0);
	if (held)
		munmap(held, bytes);
	machine_serves(before);
	return 0;
}
