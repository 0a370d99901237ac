// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Every way from user space into the parts of mm/ where updates of page-table entries
 * may wait.  The program checks the memory after each.  The kernel checks what it rereads
 * itself (PAGE_TABLE_CHECK, the check of uffd-wp markers, DEBUG_VM); tests/linux/init
 * reads its log.
 *
 *	reread ROUNDS		alone, then with a thread that uses the memory meanwhile
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif

#define PAGE		4096UL
#define PAGES		64
#define BYTES		(PAGES * PAGE)

static volatile bool stop, with_thread;
/* Memory that the other thread must read all the time, and the one that it reads now. */
static volatile char *volatile looked_at, *volatile seen;

static void must(bool good, const char *what)
{
	if (good)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(int fd, int flags)
{
	char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	must(at != MAP_FAILED, "mmap");
	return at;
}

static void fill(char *at, char with)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		at[i * PAGE] = (char)(with + i);
}

/* Checks that each byte is as written; with @may_be_gone, 0 is correct, too. */
static void check(const char *at, char with, bool may_be_gone, const char *what)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		if (at[i * PAGE] != (char)(with + i) && !(may_be_gone && !at[i * PAGE])) {
			printf("%s: page %lu has 0x%02x\n", what, i, at[i * PAGE] & 0xff);
			exit(1);
		}
}

static void *look(void *arg)
{
	unsigned long i;

	(void)arg;
	while (!stop) {
		volatile char *at = looked_at;

		seen = at;
		for (i = 0; at && i < PAGES; i++)
			(void)at[i * PAGE];
	}
	return NULL;
}

/* Returns when the thread reads no other memory any more. */
static void look_at(char *at)
{
	looked_at = at;
	while (with_thread && seen != at)
		sched_yield();
}

static void advise(char *at, int advice, const char *what)
{
	must(!madvise(at, BYTES, advice) || errno == EINVAL, what);
}

static void anonymous(char with)
{
	char *at = map(-1, MAP_PRIVATE | MAP_ANONYMOUS), *to;
	int status;
	pid_t pid;

	look_at(at);
	fill(at, with);
	advise(at, MADV_COLD, "MADV_COLD");
	check(at, with, false, "after MADV_COLD");
	advise(at, MADV_PAGEOUT, "MADV_PAGEOUT");
	check(at, with, false, "after MADV_PAGEOUT");
	must(!mprotect(at, BYTES, PROT_READ), "mprotect");
	check(at, with, false, "after mprotect");
	must(!mprotect(at, BYTES, PROT_READ | PROT_WRITE), "mprotect");
	pid = fork();
	if (!pid) {
		check(at, with, false, "in the child");
		fill(at, (char)(with + 1));
		_exit(0);
	}
	fill(at, with);
	must(pid > 0 && waitpid(pid, &status, 0) == pid && !status, "fork");
	check(at, with, false, "after fork");
	advise(at, MADV_FREE, "MADV_FREE");
	check(at, with, true, "after MADV_FREE");
	advise(at, MADV_FREE, "MADV_FREE");
	fill(at, with);
	check(at, with, false, "written after MADV_FREE");
	look_at(NULL);
	to = map(-1, MAP_PRIVATE | MAP_ANONYMOUS);
	/* The addresses have another alignment, so entries move, not tables. */
	to = mremap(at, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	must(to != MAP_FAILED, "mremap");
	look_at(to);
	check(to, with, false, "after mremap");
	must(!madvise(to, BYTES, MADV_DONTNEED), "MADV_DONTNEED");
	must(!to[0] && !to[BYTES - PAGE], "bytes are left after MADV_DONTNEED");
	fill(to, with);
	look_at(NULL);
	must(!munmap(to, BYTES), "munmap");
}

static void file(char with)
{
	int fd = memfd_create("reread", 0);
	char *at;

	must(fd >= 0 && !ftruncate(fd, BYTES), "memfd");
	at = map(fd, MAP_SHARED);
	look_at(at);
	fill(at, with);
	must(!madvise(at, BYTES, MADV_DONTNEED), "MADV_DONTNEED");
	check(at, with, false, "of a file, after MADV_DONTNEED");
	advise(at, MADV_COLD, "MADV_COLD");
	check(at, with, false, "of a file, after MADV_COLD");
	look_at(NULL);
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES), "fallocate");
	must(!at[0], "a byte is left in the hole");
	must(!munmap(at, BYTES), "munmap");
	close(fd);
}

static volatile bool written;

static void *write_first(void *at)
{
	++*(volatile char *)at;
	written = true;
	return NULL;
}

/* A page that is watched for writes stays so when its entry is removed and made again. */
static void marker(char with)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), fd;
	struct uffd_msg msg;
	char *at;

	if (uffd < 0)
		return;
	fd = memfd_create("marker", 0);
	must(fd >= 0 && !ftruncate(fd, BYTES), "memfd");
	at = map(fd, MAP_SHARED);
	fill(at, with);
	reg.range.start = wp.range.start = (unsigned long)at;
	reg.range.len = wp.range.len = BYTES;
	must(!ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
	/* Fails for shared memory if the configuration has no markers. */
	if (!ioctl(uffd, UFFDIO_REGISTER, &reg)) {
		pthread_t writer;

		must(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT");
		must(!madvise(at, BYTES, MADV_DONTNEED), "MADV_DONTNEED");
		check(at, with, false, "watched, after MADV_DONTNEED");
		written = false;
		must(!pthread_create(&writer, NULL, write_first, at), "pthread_create");
		while (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			must(errno == EAGAIN && !written, "a write after MADV_DONTNEED gives no event");
		must(msg.event == UFFD_EVENT_PAGEFAULT, "another event than the write");
		wp.mode = 0;
		must(!ioctl(uffd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT");
		pthread_join(writer, NULL);
	}
	close(uffd);
	must(!munmap(at, BYTES), "munmap");
	close(fd);
}

int main(int argc, char **argv)
{
	int round, rounds = argc > 1 ? atoi(argv[1]) : 10, turn;
	pthread_t thread;

	for (turn = 0; turn < 2; turn++) {
		if (turn) {
			must(!pthread_create(&thread, NULL, look, NULL), "pthread_create");
			with_thread = true;
		}
		for (round = 0; round < rounds; round++) {
			anonymous((char)(round + 1));
			file((char)(round + 3));
			marker((char)(round + 5));
		}
	}
	stop = true;
	pthread_join(thread, NULL);
	printf("%d rounds alone and %d with a thread\n", rounds, rounds);
	return 0;
}
