// SPDX-License-Identifier: GPL-2.0-only OR MIT
#define stop()	asm volatile("hlt")	/* found */

static inline u64 flags(void)
{
	u64 val;

	asm volatile("pushfq\n\t"	/* found */
		     "pop %0" : "=r" (val));
	return val;
}

void root(u64 paddr)
{
	asm volatile("mov %0, %%cr3" : : "r" (paddr) : "memory");	/* found */
	asm goto("1: nop; cli"	/* found */
		 : : : : out);
out:
	__asm__ __volatile__ ("1:\tlock incl (%0)\n"
			      "2: rep outsb" : : "S" (0));	/* found */
}

u16 selector(void)
{
	u16 val;

	asm("movw %%fs, %0" : "=r" (val));	/* found */
	return val;
}
