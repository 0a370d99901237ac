// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Attacks of any user on the return to user mode: a signal handler, or a tracer,
 * leaves registers that IRET cannot load.  The fault comes in the kernel, with the
 * user's GS base and page tables, and its only effect must be a signal to the
 * process.  Valid selectors of an LDT and of the GDT must work.
 *
 *	user		prints one line per case: NAME PASS|FAIL|SKIP [WHY]; exit status 1
 *			if a case could not be tried
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define KEEP		~0ULL
#define USER_DATA	0x2b
#define NULL_RPL3	3
#define LDT(nr)		((nr) << 3 | 7)

/* Entries of the LDT; NO_ENTRY is beyond them. */
enum { CODE32, CODE32_ABSENT, DATA16, DATA32_ABSENT, ENTRIES, NO_ENTRY = 100 };

#define BIT(signal)	(1U << (signal))
#define NOT_HERE	(BIT(SIGSEGV) | BIT(SIGBUS))

/* Code below 4 GiB, for 32-bit mode: INT3, which shows that it was reached. */
static uint8_t *low_code;

static const struct {
	const char *name;
	uint64_t cs;
	uint64_t ss;
	uint64_t rip;		/* 1: the code below 4 GiB */
	uint32_t signals;	/* one of these must come */
} cases[] = {
	{ "cs_data", USER_DATA, KEEP, KEEP, BIT(SIGSEGV) },
	{ "cs_null", NULL_RPL3, KEEP, KEEP, BIT(SIGSEGV) },
	{ "ss_null", KEEP, NULL_RPL3, KEEP, BIT(SIGSEGV) },
	{ "rip_noncanonical", KEEP, KEEP, 1ULL << 63, BIT(SIGSEGV) },
	{ "rip_first_noncanonical", KEEP, KEEP, 1ULL << 47, BIT(SIGSEGV) },
	{ "cs_ldt_beyond", LDT(NO_ENTRY), KEEP, 1, BIT(SIGSEGV) },
	{ "cs_ldt_absent", LDT(CODE32_ABSENT), KEEP, 1, NOT_HERE },
	{ "ss_ldt_absent", KEEP, LDT(DATA32_ABSENT), KEEP, NOT_HERE },
	{ "ss_ldt_code", KEEP, LDT(CODE32), KEEP, NOT_HERE },
	{ "cs_ldt_32", LDT(CODE32), KEEP, 1, BIT(SIGTRAP) },
	/* A 16-bit stack segment: the return uses Linux's ESPFIX stack. */
	{ "ss_ldt_16", LDT(CODE32), LDT(DATA16), 1, BIT(SIGTRAP) },
	{ "cs_ldt_absent_ss_16", LDT(CODE32_ABSENT), LDT(DATA16), 1, NOT_HERE },
	{ "cs_data_ss_16", USER_DATA, LDT(DATA16), 1, NOT_HERE },
};

#define CASES	(sizeof(cases) / sizeof(cases[0]))

static size_t now;
static bool has_16bit;

static void fail(const char *what)
{
	fprintf(stderr, "user: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Returns an errno.  The system call's result is 32 bits wide, and no error to the C library. */
static int set_ldt(unsigned int nr, unsigned int contents, bool bits32, bool present)
{
	const struct user_desc desc = {
		.entry_number = nr,
		.limit = 0xfffff,
		.limit_in_pages = 1,
		.seg_32bit = bits32,
		.contents = contents,
		.seg_not_present = !present,
	};

	return -(int)syscall(SYS_modify_ldt, 1, &desc, sizeof(desc));
}

static void prepare(void)
{
	if (set_ldt(CODE32, MODIFY_LDT_CONTENTS_CODE, true, true) ||
	    set_ldt(CODE32_ABSENT, MODIFY_LDT_CONTENTS_CODE, true, false) ||
	    set_ldt(DATA32_ABSENT, MODIFY_LDT_CONTENTS_DATA, true, false))
		fail("modify_ldt");
	/* Linux refuses 16-bit segments on Xen PV, which has no ESPFIX stack. */
	has_16bit = set_ldt(DATA16, MODIFY_LDT_CONTENTS_DATA, false, true) != EINVAL;
	low_code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low_code == MAP_FAILED)
		fail("mmap");
	memset(low_code, 0xcc, 4096);
}

static uint64_t either(uint64_t want, uint64_t is)
{
	if (want == KEEP)
		return is;
	return want == 1 ? (uint64_t)low_code : want;
}

static void handler(int signal, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t segments = (uint64_t)regs[REG_CSGSFS];

	(void)signal;
	(void)info;
	regs[REG_RIP] = (greg_t)either(cases[now].rip, (uint64_t)regs[REG_RIP]);
	regs[REG_CSGSFS] = (greg_t)((segments & 0x0000ffffffff0000ULL) |
				    either(cases[now].cs, segments & 0xffff) |
				    either(cases[now].ss, segments >> 48) << 48);
}

/* Returns the signal that kills the child at its return, or 0. */
static int by_sigreturn(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	pid_t child = fork();
	int status;

	if (child < 0)
		fail("fork");
	if (!child) {
		sigaction(SIGUSR1, &action, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int by_ptrace(void)
{
	struct user_regs_struct regs;
	pid_t child = fork();
	int status, signal;

	if (child < 0)
		fail("fork");
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		fail("waitpid");
	if (ptrace(PTRACE_GETREGS, child, NULL, &regs))
		fail("PTRACE_GETREGS");
	regs.rip = either(cases[now].rip, regs.rip);
	regs.cs = either(cases[now].cs, regs.cs);
	regs.ss = either(cases[now].ss, regs.ss);
	if (ptrace(PTRACE_SETREGS, child, NULL, &regs))
		fail("PTRACE_SETREGS");
	if (ptrace(PTRACE_CONT, child, NULL, NULL) || waitpid(child, &status, 0) != child)
		fail("PTRACE_CONT");
	signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	if (WIFSTOPPED(status)) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
	}
	return signal;
}

/*
 * Each task's TLS descriptor is loaded into the GDT when it runs; LSL reads the current
 * one.  The 32-bit system call is used, because there is no 64-bit one.
 */
static void thread_area(void)
{
	struct user_desc *desc = (struct user_desc *)(low_code + 2048);
	uint32_t seen = 0;
	int result, round;
	bool good = true;

	*desc = (struct user_desc){ .entry_number = -1, .limit = 0x12345, .seg_32bit = 1, .useable = 1 };
	asm volatile("int $0x80" : "=a" (result) : "0" (243), "b" (desc)
		     : "memory", "r8", "r9", "r10", "r11");
	if (result) {
		printf("thread_area FAIL set_thread_area: %s\n", strerror(-result));
		return;
	}
	for (round = 0; round < 100 && good; round++) {
		if (!fork())
			_exit(0);
		wait(NULL);
		asm volatile("lsl %1, %0" : "+r" (seen)
			     : "r" (desc->entry_number << 3 | 3) : "cc");
		good = seen == desc->limit;
	}
	printf("thread_area %s limit 0x%x in round %d\n", good ? "PASS" : "FAIL", seen, round);
}

static void judge(const char *how, int signal)
{
	if (signal && cases[now].signals & BIT(signal))
		printf("%s_%s PASS\n", how, cases[now].name);
	else
		printf("%s_%s FAIL signal %d\n", how, cases[now].name, signal);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (setgid(1000) || setuid(1000))
		fail("setuid");
	prepare();
	for (now = 0; now < CASES; now++) {
		if (cases[now].ss == LDT(DATA16) && !has_16bit) {
			printf("%s SKIP no 16-bit segments here\n", cases[now].name);
			continue;
		}
		judge("sigreturn", by_sigreturn());
		judge("ptrace", by_ptrace());
	}
	thread_area();
	return 0;
}
