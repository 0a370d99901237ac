// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What Linux executes for a few things that programs do, counted from inside.
 *
 * The only program of an initrd.  Under QEMU's -icount shift=0 the TSC advances
 * by one per instruction, kernel and hypervisor together, so a difference of
 * two readings is a path length.  Two boots agree to the instruction only with
 * norandmaps, and because all mappings have places of their own, 1 GiB apart:
 * the number of page tables must not vary.
 *
 * mark() is watched from outside (tools/linux_bench.py), which counts traps
 * between two calls of it.
 */
#include <errno.h>
#include <fcntl.h>
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
#define WARM_UP		16
#define ROUNDS_MAX	1024
#define LINE_MAX_	512
#define DEBUGFS		"/debug"

enum { FAULT_PLACE, MAP_PLACE, PROTECT_PLACE };
enum phase { BEGIN, END };

struct workload {
	const char *name;
	void (*op)(void);
	unsigned int rounds;
	unsigned int per;	/* operations that one call of op() is */
	void (*start)(void);
	void (*stop)(void);
};

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

static void switch_start(void)
{
	if (pipe(to_child) || pipe(to_parent))
		die("pipe");
	partner = fork();
	if (partner < 0)
		die("fork");
	if (!partner) {
		close(to_child[1]);
		for (;;)
			pass_on(to_child[0], to_parent[1]);
	}
}

/* There and back: two switches. */
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

/* Each is reported under its function's name; the first two have known answers. */
static const struct workload workloads[] = {
	{ "idle", idle, 256, 1, NULL, NULL },
	{ "nop_sled_100", nop_sled_100, 256, 1, NULL, NULL },
	{ "getppid", op_getppid, 1024, 1, NULL, NULL },
	{ "signal", op_signal, 512, 1, signal_start, NULL },
	{ "page_fault", op_page_fault, 1024, 1, fault_start, fault_stop },
	{ "mmap_munmap_64", op_mmap_64, 128, 1, NULL, NULL },
	{ "mprotect_256", op_mprotect_256, 128, 2, protect_start, protect_stop },
	{ "context_switch", op_context_switch, 512, 2, switch_start, switch_stop },
	{ "fork_exit", op_fork_exit, 128, 1, NULL, NULL },
	{ "fork_exec", op_fork_exec, 64, 1, NULL, NULL },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

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
static int64_t sample(void (*op)(void), unsigned long nr)
{
	uint64_t before, after;

	mark(nr, BEGIN);
	before = rdtsc();
	op();
	after = rdtsc();
	mark(nr, END);
	return (int64_t)(after - before);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorted samples, without what measuring itself takes. */
static void measure(const struct workload *w, unsigned long nr, unsigned int rounds)
{
	int64_t control = INT64_MAX;
	unsigned int i;

	for (i = 0; i < WARM_UP; i++) {
		int64_t ticks = sample(idle, COUNT(workloads));

		if (ticks < control)
			control = ticks;
	}
	if (w->start)
		w->start();
	for (i = 0; i < WARM_UP; i++)
		sample(w->op, COUNT(workloads));
	for (i = 0; i < rounds; i++)
		samples[i] = sample(w->op, nr) - control;
	if (w->stop)
		w->stop();
	qsort(samples, rounds, sizeof(samples[0]), compare);
}

static void report(const struct workload *w, unsigned int rounds)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < rounds; i++)
		sum += (double)samples[i];
	printf("@pvops bench.%s {\"insns\":%.10g,\"mean\":%.2f,\"min\":%.10g,\"max\":%.10g,\"rounds\":%u,\"per_round\":%u}\n",
	       w->name, (double)samples[rounds / 2] / w->per, sum / rounds / w->per,
	       (double)samples[0] / w->per, (double)samples[rounds - 1] / w->per, rounds,
	       w->per);
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

/* A path that does less than it must would be the shortest. */
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

/* The layer's own report, if the kernel has the layer. */

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
		/* Nothing in these lines needs an escape in JSON. */
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

static int run(unsigned int limit)
{
	unsigned long nr;

	printf("KTAP version 1\n");
	for (nr = 0; nr < COUNT(workloads); nr++) {
		const struct workload *w = &workloads[nr];
		unsigned int rounds = w->rounds < limit ? w->rounds : limit;

		measure(w, nr, rounds);
		report(w, rounds);
		if (nr == 0)
			test("idle-is-0", samples[0] == 0 && samples[rounds / 2] == 0);
		if (nr == 1)
			test("nop-sled-is-100", samples[rounds / 2] == 100);
	}
	test_effects();
	report_layer();
	printf("1..%u\n", passed + failed);
	printf("pvops-guest: end: pass %u fail %u skip 0 error 0\n", passed, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	const char *rounds = getenv("rounds");
	unsigned int limit = rounds ? (unsigned int)atoi(rounds) : ROUNDS_MAX;
	pid_t child;

	if (argc > 1 && !strcmp(argv[1], "exit"))
		_exit(0);
	/* It ends with a reboot: refuse to run on a user's machine. */
	if (getpid() != 1) {
		fprintf(stderr, "workloads: is an init, to be run as process 1 only\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Process 1 is special when it faults. */
	child = fork();
	if (!child) {
		errno = EINVAL;
		if (!limit)
			die("rounds=%s", rounds);
		return run(limit);
	}
	waitpid(child, NULL, 0);
	reboot(RB_AUTOBOOT);
	return 1;
}
