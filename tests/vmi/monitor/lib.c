// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Text to the serial port, memory, locks. */
#include "monitor.h"

#define COM1	0x3f8

extern u8 image_end[];

static void put(char c)
{
	while (!(inb(COM1 + 5) & 0x20))
		;
	outb(COM1, (u8)c);
}

static void put_number(u64 val, u32 base, u32 width, char pad)
{
	char digits[20];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	for (; width > n; width--)
		put(pad);
	while (n)
		put(digits[--n]);
}

/* Supports %s %c %u %x, with width, 0 and l. */
void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		char pad = ' ';
		u32 width = 0, longs = 0;
		const char *text;

		if (*fmt != '%') {
			if (*fmt == '\n')
				put('\r');
			put(*fmt);
			continue;
		}
		if (*++fmt == '0')
			pad = '0';
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (u32)(*fmt - '0');
		for (; *fmt == 'l'; fmt++)
			longs++;
		if (*fmt == 's') {
			for (text = va_arg(args, const char *); *text; text++, width -= !!width)
				put(*text);
			for (; width; width--)
				put(' ');
		} else if (*fmt == 'c') {
			put((char)va_arg(args, int));
		} else if (*fmt == 'u' || *fmt == 'x') {
			put_number(longs ? va_arg(args, u64) : va_arg(args, u32),
				   *fmt == 'u' ? 10 : 16, width, pad);
		}
	}
	va_end(args);
}

void panic(const char *why)
{
	print("vmi-monitor: panic: %s\n", why);
	for (;;) {
		outw(0x604, 0x2000);
		asm volatile("hlt");
	}
}

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *result = to;

	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (bytes) : : "memory");
	return result;
}

void *memset(void *to, int c, size_t bytes)
{
	void *result = to;

	asm volatile("rep stosb" : "+D" (to), "+c" (bytes) : "a" (c) : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *pa = a, *pb = b;

	for (; bytes; bytes--, pa++, pb++)
		if (*pa != *pb)
			return *pa < *pb ? -1 : 1;
	return 0;
}

size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* Pages are allocated downwards from the guest's memory; modules are far below. */
static u64 pages_next = GUEST_BASE;

void *page_alloc(u32 pages)
{
	pages_next -= pages * PAGE;
	if (pages_next < GUEST_BASE / 2)
		panic("out of memory");
	return memset((void *)pages_next, 0, pages * PAGE);
}

void lock_take(volatile u8 *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		asm volatile("pause");
}

void lock_release(volatile u8 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
