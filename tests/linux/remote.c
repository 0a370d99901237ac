// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Interrupts all other CPUs and flushes their TLBs, ROUNDS times each, so that a host can count the
 * exits: pvops_mark.ko begins a phase with its number, and phase 0 ends it.
 *
 *	remote		prints "phase NUMBER NAME" for each; exit status 1 after an error
 *
 * Each of them runs a thread of the process: nothing is left out because a CPU sleeps.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS		50
#define MARK		"/sys/module/pvops_mark/parameters/phase"
#define PAGE		4096
#define MOST_CPUS	64

static volatile bool ends;
static long cpus;
static volatile unsigned long turns[MOST_CPUS];
static volatile unsigned int *page;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

static void *other(void *cpu)
{
	pin((int)(long)cpu);
	while (!ends) {
		(void)*page;
		turns[(long)cpu]++;
	}
	return NULL;
}

/* Another task may run there at times. */
static void wait_for_others(void)
{
	unsigned long before;
	long cpu;

	for (cpu = 1; cpu < cpus; cpu++)
		for (before = turns[cpu]; turns[cpu] == before;)
			;
}

static void interrupt(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		die("membarrier");
}

/* Taking away the right to write flushes the TLB of each CPU that runs the process. */
static void flush(void)
{
	*page = 1;
	if (mprotect((void *)page, PAGE, PROT_READ) ||
	    mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE))
		die("mprotect");
}

static void mark(int nr)
{
	char text[8];
	int length = snprintf(text, sizeof(text), "%d", nr), fd = open(MARK, O_WRONLY);

	if (fd < 0 || write(fd, text, length) != length)
		die(MARK);
	close(fd);
}

static void phase(int nr, const char *name, void (*work)(void))
{
	int i;

	printf("phase %d %s\n", nr, name);
	fflush(stdout);
	mark(nr);
	for (i = 0; i < ROUNDS; i++) {
		wait_for_others();
		work();
	}
	mark(0);
}

int main(void)
{
	pthread_t thread;
	long cpu;

	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > MOST_CPUS)
		cpus = MOST_CPUS;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("mmap");
	*page = 0;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		die("membarrier");
	pin(0);
	for (cpu = 1; cpu < cpus; cpu++)
		if (pthread_create(&thread, NULL, other, (void *)cpu))
			die("pthread_create");
	phase(1, "ipi", interrupt);
	phase(2, "flush", flush);
	ends = true;
	return 0;
}
