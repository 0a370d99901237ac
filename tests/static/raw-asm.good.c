// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* No asm("cli") in here. */
void wait(const char *text)
{
	/* asm volatile("hlt"); */
	asm volatile("pause" : : : "memory");
	asm volatile("movq %%fs:0, %0; int3" : "=r" (text));
	log("asm hlt");
	asm volatile("incl %0" : "+m" (in) : "r" (out) : "cc");
	asm volatile("lock; stosb\n\tinsertion: nop");
}
