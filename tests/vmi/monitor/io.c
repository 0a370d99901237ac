// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Ports: some of the machine's own, emulated registers of the PICs and of ACPI, and no
 * others.
 */
#include "monitor.h"

/* PM1a control of QEMU's pc machine. */
#define POWER_OFF	0x2000
#define POWER_SCI	0x1		/* ACPI controls power management */

/*
 * PIT and ACPI's timer need no exit: kernels measure other clocks by them, and trust them
 * only if they can be read fast.
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
 * Both PICs (Intel 8259A), only so far that a kernel finds them and can mask them.  They
 * never raise an interrupt.
 */
static struct {
	u8 mask;
	u8 words;		/* number of initialisation words still expected */
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

/* PM1a: the events that may interrupt; no event ever occurs. */
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
