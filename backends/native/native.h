/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the native backend share. */
#ifndef BACKEND_NATIVE_H
#define BACKEND_NATIVE_H

#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

void apic_setup(void);
void apic_cpu_setup(void);
void apic_eoi(void);
void apic_send(u32 apic_id, u32 command);
void time_setup(void);
void delay_us(u32 us);

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

#endif
