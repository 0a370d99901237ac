// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The guest's I/O APIC (Intel 82093AA).  Two lines of the machine come in at it, the
 * PIT's channel 0 and COM1, both edge-triggered.  A line that the guest unmasks is
 * unmasked in the machine's I/O APIC; the CPU that runs virtual CPU 0 takes its
 * interrupt and passes it on.
 */
#include "monitor.h"

#define SELECT		0x00
#define WINDOW		0x10

#define REG_ID		0x00
#define REG_VERSION	0x01
#define REG_LINES	0x10

#define LINES		24
#define VERSION		((LINES - 1) << 16 | 0x11)

#define LINE_LOGICAL	0x800
#define LINE_MASKED	0x10000
#define LINE_WRITABLE	0x1afffU

static struct {
	u32 select, id;
	struct {
		u32 low, high;
	} line[LINES];
} ioapic;

static volatile u8 lock;

/* The machine's interrupts set a bit for their line. */
u64 lines_raised;

static void host_write(u32 reg, u32 val)
{
	volatile u32 *host = (volatile u32 *)IOAPIC_BASE;

	host[SELECT / 4] = reg;
	host[WINDOW / 4] = val;
}

static bool is_passed_on(u32 line)
{
	return line == LINE_PIT || line == LINE_COM1;
}

static void host_line(u32 line)
{
	host_write(REG_LINES + line * 2 + 1, vcpus[0].host_apic_id << 24);
	host_write(REG_LINES + line * 2, (HOST_LINES + line) |
		   (ioapic.line[line].low & LINE_MASKED));
}

void ioapic_setup(void)
{
	u32 i;

	for (i = 0; i < LINES; i++)
		ioapic.line[i].low = LINE_MASKED;
}

/* Delivers the lines that the machine's interrupts have noted; only for virtual CPU 0. */
void lines_check(void)
{
	u64 raised = __atomic_exchange_n(&lines_raised, 0, __ATOMIC_SEQ_CST);
	u32 i;

	for (i = 0; raised; i++, raised >>= 1) {
		u32 low = ioapic.line[i].low;

		if ((raised & 1) && !(low & LINE_MASKED))
			apic_deliver(low & 0x7ff, ioapic.line[i].high >> 24, low & LINE_LOGICAL);
	}
}

u32 ioapic_read(u32 offset)
{
	u32 reg = ioapic.select, line = (reg - REG_LINES) / 2;

	if (offset == SELECT)
		return reg;
	if (offset != WINDOW)
		return 0;
	if (reg == REG_ID)
		return ioapic.id;
	if (reg == REG_VERSION)
		return VERSION;
	if (reg < REG_LINES || line >= LINES)
		return 0;
	return reg & 1 ? ioapic.line[line].high : ioapic.line[line].low;
}

void ioapic_write(u32 offset, u32 val)
{
	u32 reg = ioapic.select, line = (reg - REG_LINES) / 2;

	if (offset == SELECT) {
		ioapic.select = val & 0xff;
		return;
	}
	if (offset != WINDOW)
		return;
	if (reg == REG_ID)
		ioapic.id = val & 0x0f000000;
	if (reg < REG_LINES || line >= LINES)
		return;
	if (reg & 1) {
		ioapic.line[line].high = val;
		return;
	}
	lock_take(&lock);
	ioapic.line[line].low = val & LINE_WRITABLE;
	if (is_passed_on(line))
		host_line(line);
	lock_release(&lock);
}
