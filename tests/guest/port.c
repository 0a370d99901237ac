// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The rest of include/pvops/port.h: text, bare-machine console and power. */
#include "guest.h"

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static inline void outw(u16 port, u16 val)
{
	asm volatile("outw %0, %1" : : "a" (val), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

#define COM1		0x3f8
#define COM1_STATUS	(COM1 + 5)
#define STATUS_EMPTY	0x20

void pv_port_native_console(const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		if (text[i] == '\n') {
			while (!(inb(COM1_STATUS) & STATUS_EMPTY))
				;
			outb(COM1, '\r');
		}
		while (!(inb(COM1_STATUS) & STATUS_EMPTY))
			;
		outb(COM1, (u8)text[i]);
	}
}

void pv_port_native_shutdown(enum pv_shutdown_reason reason)
{
	/* ACPI S5 of QEMU's pc machine (PIIX4 PM1a control, SLP_TYP 0, SLP_EN). */
	if (reason == PV_SHUTDOWN_POWEROFF)
		outw(0x604, 0x2000);
	/* Keyboard controller reset. */
	outb(0x64, 0xfe);
	for (;;)
		asm volatile("cli; hlt");
}

u32 pv_port_tsc_khz(void)
{
	return 0;
}

static pv_flags_t text_flags;

long pv_port_text_begin(unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	text_flags = pv_save_fl();
	pv_irq_disable();
	if (vm_text_protected)
		vm_text_writable(true);
	return 0;
}

u32 text_serialisations;

void pv_port_text_end(unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	asm volatile("cpuid" : : "a" (0) : "rbx", "rcx", "rdx", "memory");
	text_serialisations++;
	if (vm_text_protected)
		vm_text_writable(false);
	pv_restore_fl(text_flags);
}
