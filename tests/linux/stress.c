// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces under load.  The program checks that pages keep their contents
 * over fork and copy-on-write, that permissions have effect, and that a thread on
 * another CPU sees each change.
 *
 *	stress SECONDS		all parts, one line each; exit 1 on a mismatch
 *	stress work CPU		some work on one CPU, contents checked
 *	stress tables all	page tables of mappings and processes come back
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define PAGES 256UL
#define BIG_PAGES 1280UL

static int online = 1;
static double deadline;
static _Atomic int failed;
static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t expecting;
static _Thread_local void *volatile fault_at;

static void mismatch(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	failed = 1;
	printf("stress: MISMATCH: ");
	vprintf(fmt, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
}

static void die(const char *what)
{
	printf("stress: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* May fail: a CPU can be taken away at any time. */
static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
	if (!expecting) {
		static const char text[] = "stress: MISMATCH: unexpected fault\n";

		if (write(1, text, sizeof(text) - 1) < 0)
			_exit(4);
		_exit(3);
	}
	fault_at = info->si_addr;
	siglongjmp(back, sig);
}

/* Returns 1 if this access faults; checks the address of the fault. */
static int faults(volatile uint64_t *at, int writing)
{
	volatile int hit = 0;

	fault_at = NULL;
	expecting = 1;
	if (sigsetjmp(back, 1)) {
		hit = 1;
	} else if (writing) {
		*at = *at;
	} else {
		(void)*at;
	}
	expecting = 0;
	if (hit && fault_at != (void *)at)
		mismatch("fault at %p instead of %p", fault_at, (void *)at);
	return hit;
}

static uint64_t pattern(uint64_t seed, uint64_t page)
{
	return (seed + page) * 0x9e3779b97f4a7c15ULL;
}

/* of the mappings that map() makes, and that fill() and check() know */
static uint64_t pages = PAGES;

static uint64_t *map(void)
{
	uint64_t *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static volatile uint64_t *word(uint64_t *mem, uint64_t page)
{
	return mem + page * PAGE / 8 + page % 512;
}

static void fill(uint64_t *mem, uint64_t seed)
{
	for (uint64_t page = 0; page < pages; page++)
		*word(mem, page) = pattern(seed, page);
}

static int check(uint64_t *mem, uint64_t seed, const char *who)
{
	for (uint64_t page = 0; page < pages; page++) {
		uint64_t is = *word(mem, page), want = pattern(seed, page);

		if (is != want) {
			mismatch("%s: page %lu is %lx, not %lx", who, page, is, want);
			return 1;
		}
	}
	return 0;
}

static void reap(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		mismatch("%s: child ended with status 0x%x", what, status);
}

static void *reader(void *mem)
{
	pin((sched_getcpu() + 1) % online);
	for (volatile uint64_t sum = 0;; )
		for (uint64_t page = 0; page < pages; page++)
			sum += *word(mem, page);
	return NULL;
}

/* The process ends while a thread of it runs on another CPU. */
static void end_with_thread(uint64_t *mem)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, reader, mem))
		die("pthread_create");
	sched_yield();
}

/* Parent and child write the same pages at the same time; each sees its own writes. */
static void cow(uint64_t round)
{
	uint64_t *mem = map();
	pid_t pid;

	fill(mem, round);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		check(mem, round, "child before writing");
		fill(mem, ~round);
		check(mem, ~round, "child after writing");
		if (pages > PAGES)
			end_with_thread(mem);
		_exit(failed);
	}
	if (round & 1) {
		fill(mem, round + 7);
		check(mem, round + 7, "parent while the child writes");
		reap(pid, "cow");
		check(mem, round + 7, "parent after the child");
	} else {
		reap(pid, "cow");
		check(mem, round, "parent after the child");
	}
	munmap(mem, pages * PAGE);
}

/* The same with whole tables, which are filled before they become tables, and emptied after. */
static void big(uint64_t round)
{
	pages = BIG_PAGES;
	cow(round);
	pages = PAGES;
}

static void exec(uint64_t round)
{
	pid_t pid = fork();
	char seed[32];

	if (pid < 0)
		die("fork");
	if (!pid) {
		snprintf(seed, sizeof(seed), "%lu", round);
		execl("/proc/self/exe", "stress", "echo", seed, (char *)NULL);
		_exit(127);
	}
	reap(pid, "exec");
}

/* Checks the permissions of single pages and ranges by accesses. */
static void protect(uint64_t round)
{
	uint64_t *mem = map();
	uint64_t page = round * 37 % PAGES;
	char *at = (char *)mem + page * PAGE;

	fill(mem, round);
	if (mprotect(mem, PAGES * PAGE, PROT_READ))
		die("mprotect");
	check(mem, round, "read-only");
	if (!faults(word(mem, page), 1))
		mismatch("a read-only page can be written");
	if (mprotect(at, PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
	if (faults(word(mem, page), 1))
		mismatch("a writable page cannot be written");
	if (!faults(word(mem, (page + 1) % PAGES), 1))
		mismatch("the page behind a writable one can be written");
	if (mprotect(mem, PAGES * PAGE, PROT_NONE))
		die("mprotect");
	if (!faults(word(mem, page), 0))
		mismatch("a page without permissions can be read");
	if (mprotect(mem, PAGES * PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
	check(mem, round, "after all changes");
	if (munmap(at, PAGE))
		die("munmap");
	if (!faults(word(mem, page), 0))
		mismatch("an unmapped page can be read");
	munmap(mem, PAGES * PAGE);
}

static void move(uint64_t round)
{
	uint64_t *mem = map(), *moved = map();

	fill(mem, round);
	fill(moved, ~round);
	moved = mremap(mem, PAGES * PAGE, PAGES * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, moved);
	if (moved == MAP_FAILED)
		die("mremap");
	check(moved, round, "after mremap");
	if (!faults(word(mem, round % PAGES), 0))
		mismatch("pages are still where they were moved from");
	if (madvise(moved, PAGES * PAGE, MADV_DONTNEED))
		die("madvise");
	for (uint64_t page = 0; page < PAGES; page++)
		if (*word(moved, page)) {
			mismatch("page %lu was dropped and is not zero", page);
			break;
		}
	munmap(moved, PAGES * PAGE);
}

static volatile sig_atomic_t signals;

static void on_usr1(int sig)
{
	(void)sig;
	signals++;
}

static void signal_self(uint64_t round)
{
	int before = signals;

	for (uint64_t nr = 0; nr <= round % 16; nr++)
		raise(SIGUSR1);
	if (signals != before + (int)(round % 16) + 1)
		mismatch("%d signals instead of %d", signals - before,
			 (int)(round % 16) + 1);
}

/*
 * One thread takes a page away and gives it back; the others write to it.  If the
 * page was taken before a write began, and still is after it, the write must fault.
 * This finds a stale TLB entry on another CPU.
 */
#define THREADS 3
static struct {
	volatile uint64_t *at;
	/* Odd while the page is taken. */
	_Atomic uint64_t turn;
	_Atomic int stop;
	_Atomic uint64_t writes, refused;
} shared;

static void *writer(void *arg)
{
	pin((intptr_t)arg % online);
	while (!shared.stop) {
		uint64_t before = shared.turn;
		int refused = faults(shared.at, 1);
		uint64_t after = shared.turn;

		if (refused)
			shared.refused++;
		else
			shared.writes++;
		if (before != after)
			continue;
		if ((before & 1) && !refused)
			mismatch("a thread wrote to a page that another had taken");
		/* No check for "even": turn changes only after the page is taken. */
	}
	return NULL;
}

static void threads(void)
{
	uint64_t *mem = map(), round = 0;
	pthread_t id[THREADS];
	uint64_t *private;

	shared.at = mem;
	for (intptr_t nr = 0; nr < THREADS; nr++)
		if (pthread_create(id + nr, NULL, writer, (void *)(nr + 1)))
			die("pthread_create");
	/* This may take long in an emulator on a busy machine. */
	while (!failed && (now() < deadline || round < 4 || !shared.writes ||
			   !shared.refused)) {
		int none = round++ & 1;

		if (none ? mprotect(mem, PAGE, PROT_READ) : munmap(mem, PAGE))
			die("taking the page");
		shared.turn++;
		/* The others must run while the page is taken, on one CPU, too. */
		if (round % 8 == 0)
			usleep(1000);
		private = map();
		fill(private, round);
		check(private, round, "beside threads");
		munmap(private, PAGES * PAGE);
		shared.turn++;
		if (none ? mprotect(mem, PAGE, PROT_READ | PROT_WRITE) :
			   mmap(mem, PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != mem)
			die("giving the page back");
		if (round % 8 == 1)
			usleep(1000);
	}
	shared.stop = 1;
	for (int nr = 0; nr < THREADS; nr++)
		pthread_join(id[nr], NULL);
	munmap(mem, PAGES * PAGE);
	printf("stress: threads: page taken %lu times, %lu writes, %lu refused\n",
	       round, shared.writes, shared.refused);
}

static void work(int cpu)
{
	uint64_t *mem;

	if (pin(cpu))
		die("sched_setaffinity");
	for (uint64_t round = 0; round < 8; round++) {
		mem = map();
		fill(mem, round);
		check(mem, round, "pinned");
		munmap(mem, PAGES * PAGE);
		cow(round);
	}
	if (sched_getcpu() != cpu)
		mismatch("pinned to CPU %d, runs on CPU %d", cpu, sched_getcpu());
}

static unsigned long free_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	if (!kib)
		die("/proc/meminfo");
	return kib;
}

/* A page far from all others: its mapping needs a new table of each level, and frees it. */
static void far_page(void)
{
	void *far = (void *)(64UL << 39);
	char *mem = mmap(far, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (mem != far)
		die("mmap");
	*mem = 1;
	munmap(mem, PAGE);
}

static void child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		_exit(0);
	reap(pid, "child");
}

enum { MAPPINGS = 4000, PROCESSES = 2000, KEPT_KIB = 6000, ROUNDS = 4 };

/* Returns the KiB that mappings and processes have not given back. */
static long lost_in_round(void)
{
	long before = free_kib(), after;

	for (int nr = 0; nr < MAPPINGS; nr++)
		far_page();
	for (int nr = 0; nr < PROCESSES; nr++)
		child();
	/* RCU frees the last tables later. */
	for (int tries = 0; tries < 20; tries++) {
		after = free_kib();
		if (after + KEPT_KIB >= before)
			break;
		sleep(1);
	}
	printf("stress: tables: %ld KiB free before, %ld after\n", before, after);
	return before - after;
}

/*
 * If a table of one level is lost each time, that is 4 KiB for each mapping or process, and
 * together more than the kernel may keep, in every round.  What the kernel keeps for good, as
 * KASAN's quarantine, fills up in some rounds.
 */
static void tables(void)
{
	long lost = 0;

	for (int nr = 0; nr < 200; nr++) {
		far_page();
		child();
	}
	sleep(1);
	for (int round = 0; round < ROUNDS; round++) {
		lost = lost_in_round();
		if (lost <= KEPT_KIB)
			return;
	}
	mismatch("%ld KiB lost in %d mappings and %d processes, in the last of %d rounds", lost,
		 MAPPINGS, PROCESSES, ROUNDS);
}

/* Runs in a process of its own, one per CPU. */
static void processes(int cpu)
{
	static void (*const parts[])(uint64_t) = {
		cow, exec, protect, move, signal_self, big,
	};
	uint64_t round = 0;

	pin(cpu);
	do {
		for (unsigned int nr = 0; nr < sizeof(parts) / sizeof(*parts); nr++)
			parts[nr](round++);
	} while (now() < deadline && !failed);
	printf("stress: CPU %d: %lu rounds\n", cpu, round);
	fflush(stdout);
	_exit(failed);
}

int main(int argc, char **argv)
{
	struct sigaction segv = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };
	double seconds = argc == 2 ? atof(argv[1]) : 0;
	pid_t pid[64];

	online = sysconf(_SC_NPROCESSORS_ONLN);
	if (argc == 3 && !strcmp(argv[1], "echo"))
		return strtoull(argv[2], NULL, 10) == ~0ULL;
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &segv, NULL);
	signal(SIGUSR1, on_usr1);
	if (argc == 3 && !strcmp(argv[1], "work")) {
		work(atoi(argv[2]));
		return failed;
	}
	if (argc == 3 && !strcmp(argv[1], "tables")) {
		tables();
		return failed;
	}
	if (seconds <= 0 || online > 64) {
		fprintf(stderr, "usage: stress SECONDS | stress work CPU | stress tables all\n");
		return 2;
	}
	setbuf(stdout, NULL);
	deadline = now() + seconds / 2;
	for (int cpu = 0; cpu < online; cpu++) {
		pid[cpu] = fork();
		if (pid[cpu] < 0)
			die("fork");
		if (!pid[cpu])
			processes(cpu);
	}
	for (int cpu = 0; cpu < online; cpu++)
		reap(pid[cpu], "processes");
	deadline = now() + seconds / 2;
	threads();
	return failed;
}
