// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Text, memory and locks for a kernel without a C library. */
#include "guest.h"

struct output {
	char *at;
	char *end;
	int total;
};

static void put(struct output *out, char c)
{
	if (out->at < out->end)
		*out->at++ = c;
	out->total++;
}

static void put_number(struct output *out, u64 val, u32 base, u32 width, bool zero, bool negative)
{
	char digits[24];
	u32 n = 0;

	do {
		digits[n++] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	if (negative && zero)
		put(out, '-');
	for (; width > n + negative; width--)
		put(out, zero ? '0' : ' ');
	if (negative && !zero)
		put(out, '-');
	while (n)
		put(out, digits[--n]);
}

int format_args(char *buffer, size_t size, const char *fmt, va_list args)
{
	struct output out = { buffer, size ? buffer + size - 1 : buffer, 0 };

	for (; *fmt; fmt++) {
		u32 width = 0, longs = 0;
		const char *text;
		bool zero = false;
		s64 number;

		if (*fmt != '%') {
			put(&out, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '0')
			zero = true;
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + (u32)(*fmt++ - '0');
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			longs++;
		switch (*fmt) {
		case 'd':
		case 'i':
			number = longs ? va_arg(args, s64) : va_arg(args, s32);
			put_number(&out, number < 0 ? 0 - (u64)number : (u64)number, 10,
				   width, zero, number < 0);
			break;
		case 'u':
			put_number(&out, longs ? va_arg(args, u64) : va_arg(args, u32), 10,
				   width, zero, false);
			break;
		case 'x':
			put_number(&out, longs ? va_arg(args, u64) : va_arg(args, u32), 16,
				   width, zero, false);
			break;
		case 'p':
			put(&out, '0');
			put(&out, 'x');
			put_number(&out, va_arg(args, u64), 16, width, zero, false);
			break;
		case 'c':
			put(&out, (char)va_arg(args, int));
			break;
		case 's':
			for (text = va_arg(args, const char *); *text; text++)
				put(&out, *text);
			break;
		case '%':
			put(&out, '%');
			break;
		default:
			put(&out, '%');
			put(&out, *fmt);
			break;
		}
	}
	if (size)
		*out.at = '\0';
	return out.total;
}

/* Lines from before a backend is chosen wait here. */
static char early[2048];
static size_t early_used;

static u8 writing;

static void write_out(const char *text, size_t bytes)
{
	u32 waited = 0;
	size_t i;

	if (pv_backend()) {
		pv_flags_t flags = pv_save_fl();

		pv_irq_disable();
		if (early_used) {
			size_t waiting = early_used;

			early_used = 0;
			pv_console_write(early, waiting);
		}
		/* Keeps lines of two CPUs apart; a CPU that holds it for long has died. */
		while (__atomic_exchange_n(&writing, 1, __ATOMIC_ACQUIRE) && ++waited < 100000000)
			asm volatile("pause");
		pv_console_write(text, bytes);
		__atomic_store_n(&writing, 0, __ATOMIC_RELEASE);
		pv_restore_fl(flags);
		return;
	}
	for (i = 0; i < bytes && early_used < sizeof(early); i++)
		early[early_used++] = text[i];
}

static void print_args(const char *prefix, const char *fmt, va_list args, const char *suffix)
{
	char buffer[640];
	size_t used = text_length(prefix), length;

	memcpy(buffer, prefix, used);
	format_args(buffer + used, sizeof(buffer) - used - 2, fmt, args);
	length = text_length(buffer);
	memcpy(buffer + length, suffix, text_length(suffix));
	write_out(buffer, length + text_length(suffix));
}

void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_args("", fmt, args, "");
	va_end(args);
}

void pv_port_log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_args("# ", fmt, args, "\n");
	va_end(args);
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int total;

	va_start(args, fmt);
	total = format_args(out, size, fmt, args);
	va_end(args);
	return total;
}

size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Eight bytes at a time where the size allows: pages are most of it. */
void *memcpy(void *to, const void *from, size_t bytes)
{
	void *result = to;
	size_t words = bytes / 8;

	bytes %= 8;
	asm volatile("rep movsq" : "+D" (to), "+S" (from), "+c" (words) : : "memory");
	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (bytes) : : "memory");
	return result;
}

void *memset(void *to, int c, size_t bytes)
{
	void *result = to;
	size_t words = bytes / 8;

	bytes %= 8;
	asm volatile("rep stosq" : "+D" (to), "+c" (words)
		     : "a" (0x0101010101010101ULL * (u8)c) : "memory");
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

pv_flags_t spin_lock(struct spinlock *lock)
{
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			asm volatile("pause");
	return flags;
}

void spin_unlock(struct spinlock *lock, pv_flags_t flags)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
	pv_restore_fl(flags);
}
