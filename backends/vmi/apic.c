// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The local APIC, by calls 63 and 64, or by its registers if their answer is NONE. */
#include "internal.h"

#define MSR_APIC_BASE	0x1b
#define SPURIOUS_VECTOR	0xff
#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static volatile u32 *apic;
static u64 apic_pfn;

u32 pvvmi_apic_read(u32 reg)
{
	if (pvvmi_has(VMI_APIC_READ))
		return (u32)pvvmi_call1(VMI_APIC_READ, (unsigned long)&apic[reg / 4]);
	return apic[reg / 4];
}

void pvvmi_apic_write(u32 reg, u32 val)
{
	if (pvvmi_has(VMI_APIC_WRITE))
		pvvmi_call2(VMI_APIC_WRITE, (unsigned long)&apic[reg / 4], val);
	else
		apic[reg / 4] = val;
}

void pvvmi_apic_cpu_init(void)
{
	/* Without pv_late_init() the kernel drives the local APIC itself. */
	if (!apic)
		return;
	pvvmi_map_slot(1, (unsigned long)apic, 1, apic_pfn);
	pvvmi_apic_write(VMI_APIC_TPR, 0);
	pvvmi_apic_write(VMI_APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
	pvvmi_apic_write(VMI_APIC_LVT_TIMER, PV_VECTOR_TIMER);
}

void pvvmi_apic_late_init(void)
{
	u64 base = pv_read_msr(MSR_APIC_BASE) & PV_FRAME_MASK;

	/*
	 * The layer uses no line of the legacy controllers, so they are masked.  There is
	 * no VMI call for this.  Masking LINT0 is not enough: QEMU 7.2 then delivers
	 * vector -1 for a line that was up already.
	 */
	outb(PIC1_MASK, 0xff);
	outb(PIC2_MASK, 0xff);
	apic_pfn = base >> PV_PAGE_SHIFT;
	apic = pv_port_map_phys((__force pv_maddr_t)base, PV_PAGE_SIZE,
				PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
	if (!apic)
		pv_port_panic("pvops: vmi: local APIC cannot be mapped");
	pvvmi_apic_cpu_init();
}
