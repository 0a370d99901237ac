/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the native backend share. */
#ifndef BACKEND_NATIVE_H
#define BACKEND_NATIVE_H

#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

void apic_setup(void);
/* Is apic_setup() done? */
bool apic_ready(void);
void apic_cpu_setup(void);
void apic_eoi(void);
bool apic_can_name(u32 apic_id);
void apic_send(u32 apic_id, u32 command);
void native_timer_setup(void);
void native_timer_cpu_setup(void);
void time_setup(void);
u32 calibrate_tsc(void);
/* Returns a source's frequency after one log line, or 0 if it is not plausible. */
u32 tsc_asked(u64 khz, const char *source);
bool cmos_second(u32 *second);
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

/* Registers in xAPIC mode; NULL in x2APIC mode, which has MSRs (SDM vol. 3A table 11-6). */
extern volatile u32 *native_apic;
#define APIC_MSR_OF(reg)	(0x800 + (reg) / 16)

static inline u32 apic_read(u32 reg)
{
	volatile u32 *apic = native_apic;

	return apic ? apic[reg / 4] : (u32)pv_native_read_msr(APIC_MSR_OF(reg));
}

static inline void apic_write(u32 reg, u32 val)
{
	volatile u32 *apic = native_apic;

	if (apic)
		apic[reg / 4] = val;
	else
		pv_native_write_msr(APIC_MSR_OF(reg), val);
}

#endif
