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
/* A port where nothing is reads as all ones; bit 7 and bit 1 of a UART's never both. */
#define NO_DEVICE	0xff
/* Bochs's, QEMU's and Xen's: each byte goes to the hypervisor's log. */
#define DEBUG_PORT	0xe9

void pv_port_native_console(const char *text, size_t bytes)
{
	bool serial = inb(COM1_STATUS) != NO_DEVICE;
	size_t i;

	for (i = 0; i < bytes; i++) {
		if (!serial) {
			outb(DEBUG_PORT, (u8)text[i]);
			continue;
		}
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
	static const struct pv_dtr no_idt;
	u32 i;

	/* ACPI S5 of QEMU's pc machine (PIIX4 PM1a control, SLP_TYP 0, SLP_EN). */
	if (reason == PV_SHUTDOWN_POWEROFF)
		outw(0x604, 0x2000);
	/* Keyboard controller reset. */
	outb(0x64, 0xfe);
	for (i = 0; i < 100000; i++)
		asm volatile("pause");
	/* The machine has neither; a triple fault ends every machine. */
	asm volatile("lidt %0; int3" : : "m" (no_idt));
	__builtin_unreachable();
}

/* tsc_khz=N: what this kernel believes, for tests of what a wrong belief does. */
static u32 given_khz(void)
{
	size_t len;
	const char *text = cmdline_value("tsc_khz=", &len);
	u32 khz = 0;

	while (text && len--)
		khz = khz * 10 + (u32)(*text++ - '0');
	return khz;
}

/* Xen's time leaf, base + 3 (arch-x86/cpuid.h): for guests that have no PIT. */
u32 pv_port_tsc_khz(void)
{
	const struct pv_cpuid_range *xen = pv_cpuid_find(&boot_info.platform, "XenVMMXenVMM");
	u32 given = given_khz();

	if (given)
		return given;
	return xen ? xen->leaf[2].ecx : 0;
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
