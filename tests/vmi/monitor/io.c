// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Ports: the machine's own for what the guest may have, the PIC's and ACPI's
 * registers, nothing for the rest.
 */
#include "monitor.h"

/* PM1a control of QEMU's pc machine. */
#define POWER_OFF	0x2000
#define POWER_SCI	0x1		/* power management is ACPI's */

/*
 * Without an exit: PIT and ACPI's timer, which kernels measure other clocks
 * with, and believe only if it can be read fast.
 */
bool io_is_direct(u16 port)
{
	return (port >= 0x40 && port <= 0x43) || port == 0x61 ||
	       (port >= ACPI_TIMER && port < ACPI_TIMER + 4);
}

/* CMOS, delay, COM1. */
static bool passes(u16 port)
{
	switch (port) {
	case 0x70: case 0x71:
	case 0x80:
	case 0x3f8 ... 0x3ff:
		return true;
	}
	return false;
}

/*
 * Both PICs (Intel 8259A) as far as a kernel sees that they are there, and
 * masks them: nothing ever comes from them.
 */
static struct {
	u8 mask;
	u8 words;		/* initialisation words yet to come */
} pics[2];

static bool is_pic(u16 port)
{
	return (port & ~0x81) == 0x20;
}

static void pic_write(u16 port, u8 val)
{
	u32 nr = port >> 7;

	if (!(port & 1)) {
		if (val & 0x10)
			pics[nr].words = val & 1 ? 3 : 2;
	} else if (pics[nr].words) {
		pics[nr].words--;
	} else {
		pics[nr].mask = val;
	}
}

/* PM1a: which events may interrupt; there are none. */
static u16 events_enabled;

u32 io_in(u16 port, u32 size)
{
	if (port == ACPI_CONTROL)
		return POWER_SCI;
	if (port == ACPI_EVENTS)
		return 0;
	if (port == ACPI_EVENTS + 2)
		return events_enabled;
	if (is_pic(port))
		return port & 1 ? pics[port >> 7].mask : 0;
	if (!passes(port) || size != 1)
		return ~0U;
	return inb(port);
}

void io_out(struct vcpu *v, u16 port, u32 size, u32 val)
{
	if (port == ACPI_CONTROL && (val & POWER_OFF))
		shut_down(v, "power off", true);
	if (port == KEYBOARD && (u8)val == RESET)
		shut_down(v, "reset", false);
	if (port == ACPI_EVENTS + 2)
		events_enabled = (u16)val;
	else if (is_pic(port))
		pic_write(port, (u8)val);
	else if (passes(port) && size == 1)
		outb(port, (u8)val);
}
