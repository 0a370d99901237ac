// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What needs a system call that busybox does not make (tests/linux/init, part features).
 *
 *	features bpf			a filter of a socket, compiled by the kernel, drops
 *					what it should; exit status 4 if it cannot compile
 *	features kexec KERNEL INITRD CMDLINE
 *					run this kernel in the place of the running one
 *
 * An error is one line, exit status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void __attribute__((noreturn)) fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_file(const char *name, int flags)
{
	int fd = open(name, flags);

	if (fd < 0)
		fail(name);
	return fd;
}

/* Messages that begin with 'x' are dropped, by code that the kernel makes at run time. */
static int run_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'x', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	static const char *const switch_file = "/proc/sys/net/core/bpf_jit_enable";
	int ends[2], fd, nr;
	char byte;

	if (access(switch_file, F_OK)) {
		printf("no compiler of filters in this kernel\n");
		return 4;
	}
	fd = open_file(switch_file, O_RDWR);
	/* A kernel that always compiles refuses the write, and reads as 1. */
	if (write(fd, "1\n", 2) != 2 && errno != EINVAL && errno != EPERM)
		fail("bpf_jit_enable");
	if (pread(fd, &byte, 1, 0) != 1 || byte != '1') {
		printf("bpf_jit_enable is not 1\n");
		return 1;
	}
	for (nr = 0; nr < 1000; nr++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends))
			fail("socketpair");
		if (setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
			fail("SO_ATTACH_FILTER");
		/* Linux tells the sender of a stream's or datagram's message that it was dropped. */
		if (write(ends[0], "x1", 2) != 2 && errno != EPERM)
			fail("write");
		if (write(ends[0], "y2", 2) != 2)
			fail("write");
		if (read(ends[1], &byte, 1) != 1 || byte != 'y') {
			printf("message %d: the filter let '%c' in\n", nr, byte);
			return 1;
		}
		close(ends[0]);
		close(ends[1]);
	}
	printf("%d filters\n", nr);
	return 0;
}

static int start_kernel(const char *kernel, const char *initrd, const char *cmdline)
{
	if (syscall(SYS_kexec_file_load, open_file(kernel, O_RDONLY), open_file(initrd, O_RDONLY),
		    strlen(cmdline) + 1, cmdline, 0))
		fail("kexec_file_load");
	reboot(LINUX_REBOOT_CMD_KEXEC);
	fail("reboot");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "bpf"))
		return run_filter();
	if (argc == 5 && !strcmp(argv[1], "kexec"))
		return start_kernel(argv[2], argv[3], argv[4]);
	fprintf(stderr, "usage: features bpf | kexec KERNEL INITRD CMDLINE\n");
	return 2;
}
