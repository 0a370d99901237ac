// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Counts the instructions that Linux executes for some operations of programs.
 *
 * This is the only program of an initrd.  From the kernel's command line: rounds=NUMBER at
 * most of each workload; list=core leaves out the wide list.  Under QEMU's -icount shift=0 the TSC
 * advances by one per instruction of kernel or hypervisor, so the difference of two
 * readings is a path length.  Two boots agree to the instruction only with
 * norandmaps, and because all mappings have fixed places, 1 GiB apart: the number of
 * page tables must not vary.
 *
 * tools/linux_bench.py watches mark() from outside, and counts traps between two
 * calls of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define PLACE(n)	((char *)0x100000000000UL + ((unsigned long)(n) << 30))
#define MAP_PAGES	64
#define PROTECT_PAGES	256
#define MB		(1UL << 20)
#define PROCESSES	1000
#define RING		100
#define WARM_UP		16
#define ROUNDS_MAX	1024
#define LINE_MAX_	512
#define DEBUGFS		"/debug"

#define FILE_		"/file"

enum { FAULT_PLACE, MAP_PLACE, PROTECT_PLACE, RANGE_PLACE, OTHER_PLACE };
enum phase { BEGIN, END };

struct workload {
	const char *name;
	void (*op)(void);
	unsigned int rounds;
	unsigned int per;	/* operations in one call of op() */
	void (*start)(void);
	void (*stop)(void);
	unsigned long pages;	/* of the operations that have a size */
	bool threaded;		/* with a second thread, which sleeps */
	/* Before and after each call of op(), not measured. */
	void (*before)(void);
	void (*after)(void);
};

/* What is measured now. */
static const struct workload *measured;

/* A failure ends the run before its end marker. */
__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("workloads: ");
	vprintf(fmt, args);
	printf(": %s\n", strerror(errno));
	va_end(args);
	fflush(stdout);
	_exit(1);
}

/* Workloads */

static void idle(void)
{
}

static void nop_sled_100(void)
{
	asm volatile(".rept 100\n\tnop\n\t.endr");
}

static void op_getppid(void)
{
	syscall(SYS_getppid);
}

static volatile sig_atomic_t signals;

static void on_signal(int nr)
{
	(void)nr;
	signals++;
}

static void signal_start(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGUSR1, &action, NULL))
		die("sigaction");
}

static void op_signal(void)
{
	sig_atomic_t before = signals;

	if (raise(SIGUSR1) || signals != before + 1)
		die("raise: handler did not run");
}

static void map(int place, unsigned long pages, int flags)
{
	if (mmap(PLACE(place), pages * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != PLACE(place))
		die("mmap of %lu pages at %p", pages, PLACE(place));
}

static void unmap(int place, unsigned long pages)
{
	if (munmap(PLACE(place), pages * PAGE))
		die("munmap of %lu pages at %p", pages, PLACE(place));
}

static volatile char *fresh;

static void fault_start(void)
{
	map(FAULT_PLACE, WARM_UP + ROUNDS_MAX, 0);
	fresh = PLACE(FAULT_PLACE);
}

static void op_page_fault(void)
{
	*fresh = 1;
	fresh += PAGE;
}

static void fault_stop(void)
{
	unmap(FAULT_PLACE, WARM_UP + ROUNDS_MAX);
}

static void op_mmap_64(void)
{
	map(MAP_PLACE, MAP_PAGES, MAP_POPULATE);
	unmap(MAP_PLACE, MAP_PAGES);
}

static void protect_start(void)
{
	map(PROTECT_PLACE, PROTECT_PAGES, MAP_POPULATE);
	memset(PLACE(PROTECT_PLACE), 1, PROTECT_PAGES * PAGE);
}

static void protect(int prot)
{
	if (mprotect(PLACE(PROTECT_PLACE), PROTECT_PAGES * PAGE, prot))
		die("mprotect");
}

static void op_mprotect_256(void)
{
	protect(PROT_READ);
	protect(PROT_READ | PROT_WRITE);
}

static void protect_stop(void)
{
	unmap(PROTECT_PLACE, PROTECT_PAGES);
}

static void reap(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	if (status) {
		errno = 0;
		die("a child ended with status %#x", status);
	}
}

static int to_child[2], to_parent[2];
static pid_t partner;

static void pass_on(int from, int to)
{
	char c;

	if (read(from, &c, 1) != 1)
		_exit(0);
	if (write(to, &c, 1) != 1)
		_exit(1);
}

/* A process with a pipe to it, and one from it. */
static void fork_partner(void)
{
	if (pipe(to_child) || pipe(to_parent))
		die("pipe");
	partner = fork();
	if (partner < 0)
		die("fork");
	if (!partner)
		close(to_child[1]);
}

static void switch_start(void)
{
	fork_partner();
	if (!partner) {
		for (;;)
			pass_on(to_child[0], to_parent[1]);
	}
}

/* Two switches: there and back. */
static void op_context_switch(void)
{
	char c = 0;

	if (write(to_child[1], &c, 1) != 1 || read(to_parent[0], &c, 1) != 1)
		die("pipe to the other process");
}

static void switch_stop(void)
{
	close(to_child[0]);
	close(to_child[1]);
	reap(partner);
	close(to_parent[0]);
	close(to_parent[1]);
}

static void op_fork_exit(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child)
		_exit(0);
	reap(child);
}

static void op_fork_exec(void)
{
	static char *const argv[] = { "/init", "exit", NULL };
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		execve(argv[0], argv, argv + 2);
		_exit(1);
	}
	reap(child);
}

/*
 * The wide list: processes and ranges of other sizes, and what a second thread costs.  The
 * size is the workload's.
 */

static void range_start(void)
{
	map(RANGE_PLACE, measured->pages, MAP_POPULATE);
	memset(PLACE(RANGE_PLACE), 1, measured->pages * PAGE);
}

static void range_stop(void)
{
	unmap(RANGE_PLACE, measured->pages);
}

static void touch(int place, char with)
{
	unsigned long i;

	for (i = 0; i < measured->pages; i++)
		*(volatile char *)(PLACE(place) + i * PAGE) = with;
}

static void op_write_fork_exit(void)
{
	touch(RANGE_PLACE, 2);
	op_fork_exit();
}

/* A process that has its pages, and waits for its end. */
static void exit_before(void)
{
	char c;

	fork_partner();
	if (!partner) {
		range_start();
		if (write(to_parent[1], "r", 1) != 1)
			_exit(1);
		_exit(read(to_child[0], &c, 1) != 1);
	}
	if (read(to_parent[0], &c, 1) != 1)
		die("a process that should end");
}

static void op_exit(void)
{
	if (write(to_child[1], "e", 1) != 1)
		die("pipe to a process that should end");
	reap(partner);
}

static void close_pipes(void)
{
	close(to_child[0]);
	close(to_child[1]);
	close(to_parent[0]);
	close(to_parent[1]);
}

static void op_mmap_touch_munmap(void)
{
	map(RANGE_PLACE, measured->pages, 0);
	touch(RANGE_PLACE, 1);
	unmap(RANGE_PLACE, measured->pages);
}

static void op_mprotect(void)
{
	if (mprotect(PLACE(RANGE_PLACE), measured->pages * PAGE, PROT_READ) ||
	    mprotect(PLACE(RANGE_PLACE), measured->pages * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect of %lu pages", measured->pages);
}

static int file = -1;

static void file_start(void)
{
	static const char page[PAGE];
	unsigned long i;

	file = open(FILE_, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		die(FILE_);
	for (i = 0; i < measured->pages; i++)
		if (write(file, page, PAGE) != (ssize_t)PAGE)
			die(FILE_);
}

static void file_stop(void)
{
	close(file);
	unlink(FILE_);
}

static void map_file(int flags)
{
	if (mmap(PLACE(RANGE_PLACE), measured->pages * PAGE, PROT_READ,
		 MAP_PRIVATE | MAP_FIXED | flags, file, 0) != PLACE(RANGE_PLACE))
		die("mmap of " FILE_);
}

static void clean_before(void)
{
	map_file(MAP_POPULATE);
}

static void op_munmap(void)
{
	unmap(RANGE_PLACE, measured->pages);
}

static void op_file_read(void)
{
	unsigned long i;

	map_file(0);
	for (i = 0; i < measured->pages; i++)
		*(volatile char *)(PLACE(RANGE_PLACE) + i * PAGE);
	unmap(RANGE_PLACE, measured->pages);
}

/* A process with the same pages. */
static void share(void)
{
	partner = fork();
	if (partner < 0)
		die("fork");
	if (!partner)
		for (;;)
			pause();
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	if (waitpid(child, NULL, 0) != child)
		die("waitpid");
}

static void unshare_after(void)
{
	end(partner);
}

static void op_write(void)
{
	touch(RANGE_PLACE, 2);
}

/* There and back.  Between places that are aligned alike Linux moves whole tables. */
static void op_mremap(void)
{
	unsigned long bytes = measured->pages * PAGE;
	char *other = PLACE(OTHER_PLACE) + 16 * PAGE;

	if (mremap(PLACE(RANGE_PLACE), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   other) != other ||
	    mremap(other, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   PLACE(RANGE_PLACE)) != PLACE(RANGE_PLACE))
		die("mremap of %lu pages", measured->pages);
}

static pid_t alive[PROCESSES];

static void alive_start(void)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		share();
		alive[i] = partner;
	}
}

static void alive_stop(void)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++)
		end(alive[i]);
}

/* Each process reads from the one before it and writes to the one behind it. */
static void ring_start(void)
{
	int from, next[2];
	unsigned int i;

	if (pipe(to_child))
		die("pipe");
	from = to_child[0];
	for (i = 0; i < RING - 1; i++) {
		if (pipe(next))
			die("pipe");
		alive[i] = fork();
		if (alive[i] < 0)
			die("fork");
		if (!alive[i]) {
			close(to_child[1]);
			close(next[0]);
			for (;;)
				pass_on(from, next[1]);
		}
		close(from);
		close(next[1]);
		from = next[0];
	}
	to_parent[0] = from;
}

static void op_ring(void)
{
	char c = 0;

	if (write(to_child[1], &c, 1) != 1 || read(to_parent[0], &c, 1) != 1)
		die("a ring of processes");
}

static void ring_stop(void)
{
	unsigned int i;

	for (i = 0; i < RING - 1; i++)
		end(alive[i]);
	close(to_child[1]);
	close(to_parent[0]);
}

static pthread_t second;
static sem_t woken;

static void *sleeps(void *unused)
{
	(void)unused;
	sem_wait(&woken);
	return NULL;
}

static void thread_start(void)
{
	if (sem_init(&woken, 0, 0) || pthread_create(&second, NULL, sleeps, NULL))
		die("a second thread");
	/* It runs, and sleeps. */
	usleep(10000);
}

static void thread_stop(void)
{
	sem_post(&woken);
	if (pthread_join(second, NULL))
		die("the end of a second thread");
}

/* Each is reported under its name; the first two have known results. */
#define OP(name_, op_, rounds_, per_, ...) \
	{ .name = name_, .op = op_, .rounds = rounds_, .per = per_, __VA_ARGS__ }

/* Each is reported under its name; the first two have known results. */
static const struct workload core[] = {
	OP("idle", idle, 256, 1),
	OP("nop_sled_100", nop_sled_100, 256, 1),
	OP("getppid", op_getppid, 1024, 1),
	OP("signal", op_signal, 512, 1, .start = signal_start),
	OP("page_fault", op_page_fault, 1024, 1, .start = fault_start, .stop = fault_stop),
	OP("mmap_munmap_64", op_mmap_64, 128, 1),
	OP("mprotect_256", op_mprotect_256, 128, 2, .start = protect_start, .stop = protect_stop),
	OP("context_switch", op_context_switch, 512, 2, .start = switch_start,
	   .stop = switch_stop),
	OP("fork_exit", op_fork_exit, 128, 1),
	OP("fork_exec", op_fork_exec, 64, 1),
};

static const struct workload wide[] = {
	OP("page_fault_thread", op_page_fault, 512, 1, .start = fault_start, .stop = fault_stop,
	   .threaded = true),
	OP("mmap_munmap_64_thread", op_mmap_64, 64, 1, .threaded = true),
	OP("mprotect_256_thread", op_mprotect_256, 64, 2, .start = protect_start,
	   .stop = protect_stop, .threaded = true),
	OP("fork_exit_thread", op_fork_exit, 64, 1, .threaded = true),
	OP("fork_exit_1mb", op_fork_exit, 32, 1, .start = range_start, .stop = range_stop,
	   .pages = MB / PAGE),
	OP("fork_exit_16mb", op_fork_exit, 8, 1, .start = range_start, .stop = range_stop,
	   .pages = 16 * MB / PAGE),
	OP("fork_exit_64mb", op_fork_exit, 4, 1, .start = range_start, .stop = range_stop,
	   .pages = 64 * MB / PAGE),
	OP("fork_exit_1mb_written", op_write_fork_exit, 16, 1, .start = range_start,
	   .stop = range_stop, .pages = MB / PAGE),
	OP("fork_exit_64mb_written", op_write_fork_exit, 2, 1, .start = range_start,
	   .stop = range_stop, .pages = 64 * MB / PAGE),
	OP("fork_exec_16mb", op_fork_exec, 8, 1, .start = range_start, .stop = range_stop,
	   .pages = 16 * MB / PAGE),
	OP("exit_4mb", op_exit, 8, 1, .pages = 4 * MB / PAGE, .before = exit_before,
	   .after = close_pipes),
	OP("exit_64mb", op_exit, 4, 1, .pages = 64 * MB / PAGE, .before = exit_before,
	   .after = close_pipes),
	OP("exit_256mb", op_exit, 2, 1, .pages = 256 * MB / PAGE, .before = exit_before,
	   .after = close_pipes),
	OP("mmap_touch_munmap_1", op_mmap_touch_munmap, 256, 1, .pages = 1),
	OP("mmap_touch_munmap_16", op_mmap_touch_munmap, 64, 1, .pages = 16),
	OP("mmap_touch_munmap_512", op_mmap_touch_munmap, 16, 1, .pages = 512),
	OP("mmap_touch_munmap_4096", op_mmap_touch_munmap, 4, 1, .pages = 4096),
	OP("mprotect_1", op_mprotect, 128, 2, .start = range_start, .stop = range_stop,
	   .pages = 1),
	OP("mprotect_16", op_mprotect, 64, 2, .start = range_start, .stop = range_stop,
	   .pages = 16),
	OP("mprotect_512", op_mprotect, 16, 2, .start = range_start, .stop = range_stop,
	   .pages = 512),
	OP("mprotect_4096", op_mprotect, 8, 2, .start = range_start, .stop = range_stop,
	   .pages = 4096),
	OP("munmap_256", op_munmap, 32, 1, .pages = 256, .before = range_start),
	OP("munmap_256_thread", op_munmap, 32, 1, .pages = 256, .threaded = true,
	   .before = range_start),
	OP("munmap_256_clean", op_munmap, 32, 1, .start = file_start, .stop = file_stop,
	   .pages = 256, .before = clean_before),
	OP("munmap_256_clean_thread", op_munmap, 32, 1, .start = file_start, .stop = file_stop,
	   .pages = 256, .threaded = true, .before = clean_before),
	OP("copy_on_write_512", op_write, 8, 1, .start = range_start, .stop = range_stop,
	   .pages = 512, .before = share, .after = unshare_after),
	OP("copy_on_write_512_thread", op_write, 8, 1, .start = range_start, .stop = range_stop,
	   .pages = 512, .threaded = true, .before = share, .after = unshare_after),
	OP("mremap_512", op_mremap, 16, 2, .start = range_start, .stop = range_stop,
	   .pages = 512),
	OP("mremap_512_thread", op_mremap, 16, 2, .start = range_start, .stop = range_stop,
	   .pages = 512, .threaded = true),
	OP("file_read_512", op_file_read, 16, 1, .start = file_start, .stop = file_stop,
	   .pages = 512),
	OP("fork_exit_1000_alive", op_fork_exit, 32, 1, .start = alive_start, .stop = alive_stop),
	OP("context_switch_100", op_ring, 32, RING, .start = ring_start, .stop = ring_stop),
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define NOT_COUNTED	(COUNT(core) + COUNT(wide))

/* Measuring */

static int64_t samples[ROUNDS_MAX];

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi) : : "memory");
	return lo | (uint64_t)hi << 32;
}

__attribute__((noinline, used))
void mark(unsigned long nr, unsigned long phase)
{
	asm volatile("" : : "D" (nr), "S" (phase) : "memory");
}

__attribute__((noinline))
static int64_t time_of(void (*op)(void), unsigned long nr)
{
	uint64_t before, after;

	mark(nr, BEGIN);
	before = rdtsc();
	op();
	after = rdtsc();
	mark(nr, END);
	return (int64_t)(after - before);
}

static int64_t sample(const struct workload *w, unsigned long nr)
{
	int64_t ticks;

	if (w->before)
		w->before();
	ticks = time_of(w->op, nr);
	if (w->after)
		w->after();
	return ticks;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Makes sorted samples, without the cost of the measurement itself. */
static void measure(const struct workload *w, unsigned long nr, unsigned int rounds)
{
	unsigned int warm_up = rounds < WARM_UP ? rounds : WARM_UP, i;
	int64_t control = INT64_MAX;

	measured = w;
	for (i = 0; i < WARM_UP; i++) {
		int64_t ticks = time_of(idle, NOT_COUNTED);

		if (ticks < control)
			control = ticks;
	}
	if (w->threaded)
		thread_start();
	if (w->start)
		w->start();
	for (i = 0; i < warm_up; i++)
		sample(w, NOT_COUNTED);
	for (i = 0; i < rounds; i++)
		samples[i] = sample(w, nr) - control;
	if (w->stop)
		w->stop();
	if (w->threaded)
		thread_stop();
	qsort(samples, rounds, sizeof(samples[0]), compare);
}

static void report(const struct workload *w, const char *list, unsigned int rounds)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < rounds; i++)
		sum += (double)samples[i];
	printf("@pvops bench.%s {\"insns\":%.10g,\"mean\":%.2f,\"min\":%.10g,\"max\":%.10g,\"rounds\":%u,\"per_round\":%u,\"list\":\"%s\"}\n",
	       w->name, (double)samples[rounds / 2] / w->per, sum / rounds / w->per,
	       (double)samples[0] / w->per, (double)samples[rounds - 1] / w->per, rounds,
	       w->per, list);
}

/* Tests */

static unsigned int passed, failed;

static void test(const char *name, bool good)
{
	unsigned int nr = passed + failed + 1;

	printf("%s %u - test-linux-%s\n", good ? "ok" : "not ok", nr, name);
	if (good)
		passed++;
	else
		failed++;
}

static sigjmp_buf fault_return;

static void on_fault(int nr)
{
	(void)nr;
	siglongjmp(fault_return, 1);
}

static bool write_faults(volatile char *address)
{
	struct sigaction action = { .sa_handler = on_fault }, old;
	volatile bool faulted = true;

	if (sigaction(SIGSEGV, &action, &old))
		die("sigaction");
	if (!sigsetjmp(fault_return, 1)) {
		*address = 2;
		faulted = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	return faulted;
}

static unsigned int pages_that_fault(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < PROTECT_PAGES; i++)
		n += write_faults(PLACE(PROTECT_PLACE) + i * PAGE);
	return n;
}

/* Tests the effects of the operations: a path that does too little would be the shortest. */
static void test_effects(void)
{
	volatile char *shared = PLACE(PROTECT_PLACE);
	pid_t child;

	protect_start();
	protect(PROT_READ);
	test("read-only-pages-refuse-writes", pages_that_fault() == PROTECT_PAGES);
	protect(PROT_READ | PROT_WRITE);
	test("writable-pages-take-writes", pages_that_fault() == 0);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		*shared = 3;
		_exit(0);
	}
	reap(child);
	test("fork-copies-pages", *shared == 2);
	protect_stop();
	test("unmapped-pages-are-gone", pages_that_fault() == PROTECT_PAGES);
}

/* The layer's reports about itself, if the kernel has the layer. */

static void first_line(char *line, FILE *f)
{
	if (!fgets(line, LINE_MAX_, f))
		line[0] = 0;
	line[strcspn(line, "\n")] = 0;
}

static void report_texts(const char *file, const char *path, const char *prefix)
{
	char line[LINE_MAX_];
	FILE *f = fopen(file, "r");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		/* Only lines that need no escape in JSON. */
		if (!strncmp(line, prefix, strlen(prefix)) && !strpbrk(line, "\"\\"))
			printf("@pvops %s[] \"%s\"\n", path, line + strlen(prefix));
	}
	fclose(f);
}

#define OPS_MAX		256
#define WORD_MAX	48

static struct site_count {
	char op[WORD_MAX], form[WORD_MAX];
	unsigned int count;
} site_counts[OPS_MAX];

static void count_site(const char *op, const char *form)
{
	struct site_count *c;

	for (c = site_counts; c < site_counts + OPS_MAX; c++) {
		if (!c->count) {
			snprintf(c->op, WORD_MAX, "%s", op);
			snprintf(c->form, WORD_MAX, "%s", form);
		}
		if (!strcmp(c->op, op) && !strcmp(c->form, form)) {
			c->count++;
			return;
		}
	}
	errno = ENOSPC;
	die("counts of sites by op and form");
}

static void report_sites(const char *file)
{
	char line[LINE_MAX_], op[WORD_MAX], form[WORD_MAX], more[WORD_MAX];
	struct site_count *c;
	FILE *f = fopen(file, "r");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		more[0] = 0;
		if (sscanf(line, "%*s %47s %47s %47s", op, form, more) < 2)
			die("%s: unreadable line: %s", file, line);
		if (!strcmp(more, "failed"))
			snprintf(form, sizeof(form), "failed");
		else if (!strcmp(more, "outline"))
			snprintf(form, sizeof(form), "outline");
		count_site(op, form);
	}
	fclose(f);
	for (c = site_counts; c < site_counts + OPS_MAX && c->count; c++)
		printf("@pvops site_ops.%s.%s %u\n", c->op, c->form, c->count);
}

static void report_layer(void)
{
	char backend[LINE_MAX_];
	FILE *f;

	mkdir(DEBUGFS, 0700);
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL))
		die("mount of debugfs");
	f = fopen(DEBUGFS "/pvops/backend", "r");
	if (!f)
		return;
	first_line(backend, f);
	fclose(f);
	printf("@pvops backend \"%s\"\n", backend);
	report_texts(DEBUGFS "/pvops/backend", "detected", "detected: ");
	report_texts(DEBUGFS "/pvops/refused", "refused", "");
	report_sites(DEBUGFS "/pvops/sites");
}

/* Measure a list; the workloads' numbers for mark() begin with first. */
static void run_list(const struct workload *list, unsigned long count, unsigned long first,
		     const char *name, unsigned int limit)
{
	unsigned long nr;

	for (nr = 0; nr < count; nr++) {
		const struct workload *w = &list[nr];
		unsigned int rounds = w->rounds < limit ? w->rounds : limit;

		measure(w, first + nr, rounds);
		report(w, name, rounds);
		if (w->op == idle)
			test("idle-is-0", samples[0] == 0 && samples[rounds / 2] == 0);
		if (w->op == nop_sled_100)
			test("nop-sled-is-100", samples[rounds / 2] == 100);
	}
}

static int run(unsigned int limit, bool with_wide)
{
	printf("KTAP version 1\n");
	run_list(core, COUNT(core), 0, "core", limit);
	if (with_wide)
		run_list(wide, COUNT(wide), COUNT(core), "wide", limit);
	test_effects();
	report_layer();
	printf("1..%u\n", passed + failed);
	printf("pvops-guest: end: pass %u fail %u skip 0 error 0\n", passed, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	const char *rounds = getenv("rounds"), *list = getenv("list");
	unsigned int limit = rounds ? (unsigned int)atoi(rounds) : ROUNDS_MAX;
	pid_t child;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	/* The program ends with a reboot, so it must not run on a user's machine. */
	if (getpid() != 1) {
		fprintf(stderr, "workloads: is an init, to be run as process 1 only\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* A child does the work, because faults of process 1 are special. */
	child = fork();
	if (!child) {
		errno = EINVAL;
		if (!limit)
			die("rounds=%s", rounds);
		return run(limit, !list || strcmp(list, "core"));
	}
	waitpid(child, NULL, 0);
	reboot(RB_AUTOBOOT);
	return 1;
}
