/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations that the files of the native backend share. */
#ifndef NATIVE_INTERNAL_H
#define NATIVE_INTERNAL_H

#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

void pvnative_apic_setup(void);
/* Is pvnative_apic_setup() done? */
bool pvnative_apic_ready(void);
void pvnative_apic_cpu_setup(void);
void pvnative_apic_eoi(void);
bool pvnative_apic_can_name(u32 apic_id);
void pvnative_apic_send(u32 apic_id, u32 command);
void pvnative_timer_setup(void);
void pvnative_timer_cpu_setup(void);
void pvnative_time_setup(void);
u32 pvnative_calibrate_tsc(void);
/* Returns a source's frequency after one log line, or 0 if it is not plausible. */
u32 pvnative_tsc_asked(u64 khz, const char *source);
bool pvnative_cmos_second(u32 *second);
void pvnative_delay_us(u32 us);

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
extern volatile u32 *pvnative_apic;
#define APIC_MSR_OF(reg)	(0x800 + (reg) / 16)

static inline u32 pvnative_apic_read(u32 reg)
{
	volatile u32 *apic = pvnative_apic;

	return apic ? apic[reg / 4] : (u32)pv_native_read_msr(APIC_MSR_OF(reg));
}

static inline void pvnative_apic_write(u32 reg, u32 val)
{
	volatile u32 *apic = pvnative_apic;

	if (apic)
		apic[reg / 4] = val;
	else
		pv_native_write_msr(APIC_MSR_OF(reg), val);
}

#endif
