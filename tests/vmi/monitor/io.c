// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Ports: the machine's own for what the guest may have, nothing for the rest. */
#include "monitor.h"

#define POWER		0x604		/* ACPI PM1a control of QEMU's pc machine */
#define POWER_OFF	0x2000
#define KEYBOARD	0x64
#define RESET		0xfe

/* PIT channel 2, CMOS, delay, COM1. */
static bool passes(u16 port)
{
	switch (port) {
	case 0x42: case 0x43: case 0x61:
	case 0x70: case 0x71:
	case 0x80:
	case 0x3f8 ... 0x3ff:
		return true;
	}
	return false;
}

u32 io_in(u16 port, u32 size)
{
	if (!passes(port) || size != 1)
		return ~0U;
	return inb(port);
}

void io_out(struct vcpu *v, u16 port, u32 size, u32 val)
{
	if (port == POWER && (val & POWER_OFF))
		shut_down(v, "power off");
	if (port == KEYBOARD && (u8)val == RESET)
		shut_down(v, "reset");
	/* Channels 0 and 1 of the PIT would interrupt: not the guest's. */
	if (port == 0x43 && (val & 0xc0) != 0x80)
		return;
	if (passes(port) && size == 1)
		outb(port, (u8)val);
}
