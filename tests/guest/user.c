// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * User mode: everything the user processes execute.  Compiled position
 * independent into one section that is copied to USER_TEXT; touches nothing
 * outside of it (no jump tables, no constants in memory).
 */
#include "guest.h"

#define USER	__attribute__((section(".user")))

void user_main(u64 which, u64 arg);

asm(".pushsection .user.start, \"ax\"\n"
	"	and	$-16, %rsp\n"
	"	call	user_main\n"
	"	ud2\n"
	".popsection\n");

static __always_inline s64 sys(u64 number, u64 a, u64 b, u64 c)
{
	s64 result;

	asm volatile("syscall"
		     : "=a" (result), "+D" (a), "+S" (b), "+d" (c)
		     : "0" (number)
		     : "rcx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static __always_inline void leave(s64 code)
{
	sys(SYS_EXIT, (u64)code, 0, 0);
	for (;;)
		;
}

/* Exit code: 0, or the line of the first check that failed. */
#define CHECK(cond) do { if (!(cond)) leave(__LINE__); } while (0)

static USER void memory(void)
{
	volatile u64 *heap = (volatile u64 *)USER_HEAP;
	u64 i;

	CHECK(sys(SYS_MAP, USER_HEAP, 8, 0) == 0);
	for (i = 0; i < 8; i++) {
		CHECK(heap[i * 512] == 0);
		heap[i * 512] = i + 1;
	}
	CHECK(sys(SYS_PROTECT, USER_HEAP, 4, 0) == 0);
	for (i = 0; i < 8; i++)
		CHECK(heap[i * 512] == i + 1);
	heap[4 * 512] = 99;
	CHECK(sys(SYS_PROTECT, USER_HEAP, 4, 1) == 0);
	heap[0] = 98;
	CHECK(heap[0] == 98 && heap[4 * 512] == 99);
	CHECK(sys(SYS_UNMAP, USER_HEAP, 8, 0) == 0);
	CHECK(sys(SYS_MAP, USER_HEAP, 1, 0) == 0);
	CHECK(heap[0] == 0);
	leave(0);
}

static USER void fork_once(void)
{
	volatile u64 *heap = (volatile u64 *)USER_HEAP;
	u64 i;

	CHECK(sys(SYS_MAP, USER_HEAP, 4, 0) == 0);
	for (i = 0; i < 4; i++)
		heap[i * 512] = 100 + i;
	if (sys(SYS_FORK, 0, 0, 0) == 0) {
		for (i = 0; i < 4; i++)
			CHECK(heap[i * 512] == 100 + i);
		heap[0] = 7;
		heap[512] = 8;
		CHECK(heap[0] == 7 && heap[512] == 8);
		leave(42);
	}
	heap[2 * 512] = 9;
	CHECK(sys(SYS_WAIT, 0, 0, 0) == 42);
	CHECK(heap[0] == 100 && heap[512] == 101 && heap[2 * 512] == 9 && heap[3 * 512] == 103);
	CHECK(sys(SYS_WAIT, 0, 0, 0) == -1);
	leave(0);
}

static USER void tls(u64 arg)
{
	/* A data segment at 0x1000 * arg with limit, accessed, DPL 3. */
	u64 base = USER_HEAP + arg * PAGE;
	u64 desc = 0x00cff3000000ffffULL | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	volatile u64 *own = (volatile u64 *)base;
	u64 i, val;

	CHECK(sys(SYS_MAP, USER_HEAP, 8, 0) == 0);
	*own = 1000 + arg;
	CHECK(sys(SYS_SET_FS, base, 0, 0) == 0);
	CHECK(sys(SYS_SET_TLS, desc, 0, 0) == 0);
	for (i = 0; i < 20; i++) {
		u32 limit = 0;

		asm volatile("mov %%fs:0, %0" : "=r" (val));
		CHECK(val == 1000 + arg);
		/* The selector is usable: its limit can be read. */
		asm volatile("lsl %1, %0" : "+r" (limit) : "r" (PV_GDT_TLS * 8 + 3) : "cc");
		CHECK(limit == 0xffffffff);
		sys(SYS_YIELD, 0, 0, 0);
	}
	leave(0);
}

static USER void spin(u64 milliseconds)
{
	u64 end = (u64)sys(SYS_CLOCK, 0, 0, 0) + milliseconds * 1000000;
	volatile u64 turns = 0;

	/* Long stretches without a system call: only the timer takes us off. */
	do {
		u64 i;

		for (i = 0; i < 2000; i++)
			turns++;
	} while ((u64)sys(SYS_CLOCK, 0, 0, 0) < end);
	leave(0);
}

static USER void touch(u64 pages)
{
	volatile u64 *heap = (volatile u64 *)USER_HEAP;
	u64 i;

	CHECK(sys(SYS_MAP, USER_HEAP, pages, 0) == 0);
	for (i = 0; i < pages; i++)
		heap[i * 512] = i;
	leave(0);
}

static USER void fork_many(u64 times)
{
	while (times--) {
		if (sys(SYS_FORK, 0, 0, 0) == 0)
			leave(1);
		CHECK(sys(SYS_WAIT, 0, 0, 0) == 1);
	}
	leave(0);
}

static USER void break_cow(u64 pages)
{
	volatile u64 *heap = (volatile u64 *)USER_HEAP;
	u64 i;

	CHECK(sys(SYS_MAP, USER_HEAP, 64, 0) == 0);
	if (sys(SYS_FORK, 0, 0, 0) == 0) {
		for (i = 0; i < pages; i++)
			heap[i * 512] = i;
		leave(0);
	}
	CHECK(sys(SYS_WAIT, 0, 0, 0) == 0);
	leave(0);
}

USER void user_main(u64 which, u64 arg)
{
	u64 val;

	if (which == USER_EXIT_CODE)
		leave((s64)arg);
	if (which == USER_SYSCALLS) {
		while (arg--)
			CHECK(sys(SYS_NULL, 0, 0, 0) == 0);
		CHECK(sys(12345, 0, 0, 0) == -ENOSYS);
		CHECK(sys(SYS_GETPID, 0, 0, 0) > 0);
		leave(0);
	}
	if (which == USER_MEMORY)
		memory();
	if (which == USER_FORK)
		fork_once();
	if (which == USER_SPIN)
		spin(arg);
	if (which == USER_FAULT) {
		*(volatile u64 *)arg = 1;
		leave(0);
	}
	if (which == USER_PRIVILEGED) {
		asm volatile("hlt");
		leave(0);
	}
	if (which == USER_PORT) {
		if (arg)
			sys(SYS_IOPL, 3, 0, 0);
		asm volatile("outb %%al, $0x80" : : "a" (0));
		if (arg)
			sys(SYS_IOPL, 0, 0, 0);
		leave(0);
	}
	if (which == USER_TLS)
		tls(arg);
	if (which == USER_FLAGS) {
		asm volatile("pushfq; pop %0" : "=r" (val));
		leave(val & 0x200 ? 0 : 1);
	}
	if (which == USER_YIELD) {
		while (arg--)
			sys(SYS_YIELD, 0, 0, 0);
		leave(0);
	}
	if (which == USER_TOUCH)
		touch(arg);
	if (which == USER_FORK_MANY)
		fork_many(arg);
	if (which == USER_COW)
		break_cow(arg);
	if (which == USER_LDT) {
		u32 limit = 0;

		asm volatile("lsl %1, %0" : "+r" (limit) : "r" ((u32)arg) : "cc");
		leave(limit);
	}
	leave(-1000);
}
