// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Native ops of more than three instructions: MSRs that may fault, LDT, GS. */
#include "internal.h"

int pvnative_fn_read_msr_safe(u32 msr, u64 *val)
{
	u32 low, high;
	int error;

	asm volatile("1: rdmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n"
		     ".pushsection .text.fixup, \"ax\"\n"
		     "3: mov %[eio], %[error]\n\t"
		     "xor %%eax, %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "jmp 2b\n"
		     ".popsection\n"
		     PV_EXTABLE(1b, 3b)
		     : [error] "=r" (error), "=a" (low), "=d" (high)
		     : "c" (msr), [eio] "i" (-PV_EIO));
	*val = low | (u64)high << 32;
	return error;
}

int pvnative_fn_write_msr_safe(u32 msr, u64 val)
{
	int error;

	asm volatile("1: wrmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n"
		     ".pushsection .text.fixup, \"ax\"\n"
		     "3: mov %[eio], %[error]\n\t"
		     "jmp 2b\n"
		     ".popsection\n"
		     PV_EXTABLE(1b, 3b)
		     : [error] "=&r" (error)
		     : "c" (msr), "a" ((u32)val), "d" ((u32)(val >> 32)), [eio] "i" (-PV_EIO)
		     : "memory");
	return error;
}

void pvnative_fn_set_ldt(u64 *base, u32 entries)
{
	u16 selector = 0;

	if (entries) {
		u64 address = (unsigned long)base;
		u64 limit = entries * 8UL - 1;
		struct pv_dtr gdtr;
		u64 desc[2];

		/* System descriptor type 2, present (SDM vol. 3A figure 8-4). */
		desc[0] = (limit & 0xffff) | (address & 0xffffff) << 16 | 0x82ULL << 40 |
			  (limit >> 16 & 0xf) << 48 | (address >> 24 & 0xff) << 56;
		desc[1] = address >> 32;
		asm volatile("sgdt %0" : "=m" (gdtr));
		pv_native_write_gdt_entry((u64 *)gdtr.base, PV_GDT_LDT, desc, 2);
		selector = PV_GDT_LDT * 8;
	}
	asm volatile("lldt %0" : : "r" (selector) : "memory");
}

/*
 * Between the two SWAPGS the user's GS base is loaded, and a fault there would enter the
 * kernel with it.  So the selector is checked before; a fixup after the fault would be
 * too late.
 */
void pvnative_fn_load_gs_index(u32 selector)
{
	u32 rights = 0;
	bool loadable;

	asm volatile("lar %[selector], %[rights]\n\t"
		     "jnz 1f\n\t"
		     "verr %w[selector]\n"
		     "1:"
		     : "=@ccz" (loadable), [rights] "+r" (rights)
		     : [selector] "r" (selector));
	/* Bit 15: present. */
	if (!loadable || !(rights & 0x8000))
		selector = 0;
	asm volatile("swapgs\n\t"
		     "mov %0, %%gs\n\t"
		     "swapgs"
		     : : "r" (selector) : "memory");
}

void pvnative_fn_upcall(u32 vector)
{
	if (!pv_vector_is_own(vector)) {
		pv_port_interrupt(vector);
		pvnative_apic_eoi();
		return;
	}
	pvnative_apic_eoi();
	if (vector != PV_VECTOR_TIMER || !pvnative_timer_early())
		pv_port_interrupt(vector);
}

void pvnative_fn_console_write(const char *text, size_t bytes)
{
	pv_port_native_console(text, bytes);
}

void pvnative_fn_shutdown(enum pv_shutdown_reason reason)
{
	pv_port_native_shutdown(reason);
}
