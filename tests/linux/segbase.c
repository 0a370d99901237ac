// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Does this CPU add a segment's base in 64-bit code if a prefix names the segment?  By the
 * manuals, prefixes of CS, DS, ES and SS are ignored there.
 *
 *	segbase		"ignored" or "added"; exit 2 without output if it cannot be tried
 *
 * The segment is SS: no interrupt comes between its load and the next instruction, and the
 * kernel has its own SS.
 */
#include <asm/ldt.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LDT_ENTRY_0_USER	7
#define BASE			64

int main(void)
{
	static const uint32_t words[BASE / 4 + 1] = { [0] = 1, [BASE / 4] = 2 };
	struct user_desc desc = {
		.base_addr = BASE, .limit = 0xfffff, .limit_in_pages = 1, .seg_32bit = 1,
	};
	uint32_t old, word;

	/* A page fault must not come with that SS, either. */
	word = *(const volatile uint32_t *)words;
	if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)))
		return 2;
	asm volatile ("mov %%ss, %0" : "=r" (old));
	asm volatile ("mov %2, %%ss\n\t"
		      ".byte 0x36\n\t"
		      "mov (%1), %0\n\t"
		      "mov %3, %%ss"
		      : "=&r" (word) : "r" (words), "r" (LDT_ENTRY_0_USER), "r" (old) : "memory");
	puts(word == words[0] ? "ignored" : "added");
	return 0;
}
