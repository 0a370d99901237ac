// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * How many levels of page tables does the kernel use?  With five, a process that asks for
 * an address above 47 bits gets it.  Such addresses are used then: by pages that are
 * written, shared by fork, moved, protected and given back, by code that makes system
 * calls, and as the stack of a signal handler.  With four, none is to be had.
 *
 *	levels		prints "levels 4" or "levels 5", or a mismatch; exit status 1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define FOUR_END	(1UL << 47)
#define FIVE_END	((1UL << 56) - PAGE)
#define AREA		(4UL << 20)
#define MOVED		(3UL << 53)
#define ROUNDS		50

/* In entries of the fifth level of their own, and at both ends; each is of several tables. */
static const uintptr_t places[] = {
	FOUR_END, 1UL << 48, (1UL << 50) - AREA / 2, 5UL << 52, FIVE_END - AREA,
};

#define PLACES	(sizeof(places) / sizeof(places[0]))

static sigjmp_buf back;

static void mismatch(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("levels: MISMATCH: ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
	_exit(1);
}

static void *map(uintptr_t at, size_t bytes, int prot)
{
	/* A hint, not MAP_FIXED: where there are four levels, it has no effect. */
	return mmap((void *)at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void map_at(uintptr_t at, size_t bytes, int prot)
{
	void *got = map(at, bytes, prot);

	if (got != (void *)at)
		mismatch("0x%lx cannot be mapped: %p, %s", at, got, strerror(errno));
}

static void unmap(uintptr_t at, size_t bytes)
{
	if (munmap((void *)at, bytes))
		mismatch("0x%lx cannot be unmapped: %s", at, strerror(errno));
}

static void fill(uintptr_t at, uint64_t seed)
{
	size_t offs;

	for (offs = 0; offs < AREA; offs += 64 * PAGE)
		*(volatile uint64_t *)(at + offs) = seed + offs;
}

static void check(uintptr_t at, uint64_t seed, const char *when)
{
	size_t offs;

	for (offs = 0; offs < AREA; offs += 64 * PAGE)
		if (*(volatile uint64_t *)(at + offs) != seed + offs)
			mismatch("%s: 0x%lx has 0x%lx", when, at + offs,
				 *(volatile uint64_t *)(at + offs));
}

static void wait_for(pid_t child, const char *what)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		mismatch("%s: %s", what, strerror(errno));
	if (status)
		mismatch("%s: status 0x%x", what, status);
}

static void leave(int signal)
{
	siglongjmp(back, signal);
}

static bool readable(uintptr_t at)
{
	if (sigsetjmp(back, 1))
		return false;
	*(volatile uint64_t *)at;
	return true;
}

static void contents(void)
{
	pid_t child;
	size_t i;

	for (i = 0; i < PLACES; i++) {
		map_at(places[i], AREA, PROT_READ | PROT_WRITE);
		fill(places[i], i);
	}
	child = fork();
	if (!child) {
		for (i = 0; i < PLACES; i++) {
			check(places[i], i, "after fork");
			fill(places[i], ~i);
			check(places[i], ~i, "written by the child");
		}
		_exit(0);
	}
	wait_for(child, "a child that writes");
	for (i = 0; i < PLACES; i++) {
		uintptr_t at = places[i];

		check(at, i, "the child has written");
		if (mprotect((void *)at, AREA, PROT_NONE) || readable(at + AREA / 2))
			mismatch("0x%lx is not protected", at);
		if (mprotect((void *)at, AREA, PROT_READ) || !readable(at + AREA / 2))
			mismatch("0x%lx is not readable again", at);
		if (mremap((void *)at, AREA, AREA, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)MOVED) != (void *)MOVED)
			mismatch("0x%lx cannot be moved: %s", at, strerror(errno));
		check(MOVED, i, "moved");
		if (readable(at))
			mismatch("0x%lx was moved, and is still there", at);
		unmap(MOVED, AREA);
		if (readable(MOVED))
			mismatch("0x%lx was unmapped, and is still there", MOVED);
	}
}

/* Tables of the fifth level come and go with processes. */
static void processes(void)
{
	size_t i;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		pid_t child = fork();

		if (!child) {
			for (i = 0; i < PLACES; i++) {
				map_at(places[i], PAGE, PROT_READ | PROT_WRITE);
				*(volatile uint64_t *)places[i] = round;
			}
			_exit(0);
		}
		wait_for(child, "a child that ends");
	}
}

/* A system call returns to an address above 47 bits, by SYSRET and by IRET. */
static void code(void)
{
	/* mov %edi, %eax; syscall; ret; and the same with int $0x80 */
	static const uint8_t by_syscall[] = { 0x89, 0xf8, 0x0f, 0x05, 0xc3 };
	static const uint8_t by_int[] = { 0x89, 0xf8, 0xcd, 0x80, 0xc3 };
	const uintptr_t at = 7UL << 49;
	long (*call)(int nr) = (long (*)(int nr))at;

	map_at(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy((void *)at, by_syscall, sizeof(by_syscall));
	if (call(39) != getpid())
		mismatch("a system call at 0x%lx fails", at);
	memcpy((void *)at, by_int, sizeof(by_int));
	if (call(20) != getpid())
		mismatch("int 0x80 at 0x%lx fails", at);
	unmap(at, PAGE);
}

static volatile uintptr_t handler_stack;

static void handler(int signal)
{
	handler_stack = (uintptr_t)__builtin_frame_address(0);
}

static void signals(void)
{
	const uintptr_t at = 9UL << 51;
	const stack_t high = { .ss_sp = (void *)at, .ss_size = 64 * PAGE };
	const stack_t none = { .ss_flags = SS_DISABLE };
	const struct sigaction on_stack = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	map_at(at, 64 * PAGE, PROT_READ | PROT_WRITE);
	if (sigaltstack(&high, NULL) || sigaction(SIGUSR1, &on_stack, NULL) || raise(SIGUSR1))
		mismatch("no signal stack at 0x%lx: %s", at, strerror(errno));
	if (handler_stack - at >= 64 * PAGE)
		mismatch("the handler's stack is 0x%lx, not 0x%lx", handler_stack, at);
	sigaltstack(&none, NULL);
	unmap(at, 64 * PAGE);
}

static bool cpu_has_la57(void)
{
	static char line[8192];
	FILE *file = fopen("/proc/cpuinfo", "r");
	bool has = false;

	while (file && fgets(line, sizeof(line), file))
		has |= !strncmp(line, "flags", 5) && strstr(line, " la57");
	if (file)
		fclose(file);
	return has;
}

int main(void)
{
	const struct sigaction faults = { .sa_handler = leave };
	const uintptr_t above = 1UL << 50;
	uintptr_t got = (uintptr_t)map(above, PAGE, PROT_READ | PROT_WRITE);
	bool five = got == above;
	void *anywhere;

	sigaction(SIGSEGV, &faults, NULL);
	sigaction(SIGBUS, &faults, NULL);
	if (!five && got >= FOUR_END)
		mismatch("asked for 0x%lx, got 0x%lx", above, got);
	unmap(got, PAGE);
	if (five != cpu_has_la57())
		mismatch("%s levels, and the flag la57 is%s set", five ? "five" : "four",
			 five ? " not" : "");
	anywhere = map(0, AREA, PROT_READ);
	if ((uintptr_t)anywhere >= FOUR_END)
		mismatch("nobody has asked for %p", anywhere);
	if (five) {
		contents();
		processes();
		code();
		signals();
	} else if (mmap((void *)above, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			-1, 0) != MAP_FAILED || readable(above)) {
		mismatch("four levels, and 0x%lx can be mapped", above);
	}
	printf("levels %d\n", five ? 5 : 4);
	return 0;
}
