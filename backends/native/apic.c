// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Local APIC (SDM vol. 3A chapter 11): registers, timer, IPIs.
 *
 * xAPIC mode has its registers in memory and names CPUs by 8 bits; x2APIC mode has
 * them in MSRs and names CPUs by 32 bits.  Native keeps the boot CPU's mode, but uses
 * x2APIC mode if an APIC id does not fit into 8 bits.
 */
#include "internal.h"

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_X2APIC	(1U << 10)
#define APIC_BASE_ENABLE	(1U << 11)
/* CPUID.1:ECX */
#define CPUID_X2APIC		(1U << 21)

#define APIC_TPR		0x080
#define APIC_EOI		0x0b0
#define APIC_SPURIOUS		0x0f0
#define APIC_ICR_LOW		0x300
#define APIC_ICR_HIGH		0x310

#define ICR_PENDING		0x1000
#define ICR_FIXED		0x4000
#define SPURIOUS_VECTOR		0xff
/* Destinations that mean all CPUs. */
#define XAPIC_ALL		0xff
#define X2APIC_ALL		~0U

volatile u32 *pvnative_apic;
static bool x2apic;

bool pvnative_apic_ready(void)
{
	return pvnative_apic || x2apic;
}

bool pvnative_apic_can_name(u32 apic_id)
{
	return x2apic ? apic_id != X2APIC_ALL : apic_id < XAPIC_ALL;
}

void pvnative_apic_eoi(void)
{
	pvnative_apic_write(APIC_EOI, 0);
}

void pvnative_apic_cpu_setup(void)
{
	u64 base = pv_native_read_msr(MSR_APIC_BASE);

	if (!x2apic && base & APIC_BASE_X2APIC)
		pv_port_panic("pvops: native: this CPU's APIC is in x2APIC mode, the boot CPU's is not");
	if (x2apic && !(base & APIC_BASE_X2APIC))
		pv_native_write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	pvnative_apic_write(APIC_TPR, 0);
	pvnative_apic_write(APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
	pvnative_timer_cpu_setup();
}

static bool wants_x2apic(void)
{
	struct pv_cpuid regs = { .eax = 1 };
	u32 cpu, id;

	for (cpu = 0; cpu < PV_MAX_CPUS; cpu++) {
		id = pv_port_apic_id(cpu);
		if (id != ~0U && id >= XAPIC_ALL)
			break;
	}
	if (cpu == PV_MAX_CPUS)
		return false;
	pv_cpuid(&regs);
	return regs.ecx & CPUID_X2APIC;
}

void pvnative_apic_setup(void)
{
	u64 base = pv_native_read_msr(MSR_APIC_BASE);

	/* The layer uses no line of the legacy controllers, so they stay masked. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);

	x2apic = base & APIC_BASE_X2APIC || wants_x2apic();
	if (x2apic) {
		pv_port_log("pvops: native: local APIC: x2APIC mode");
	} else {
		pvnative_apic = pv_port_map_phys((__force pv_maddr_t)(base & PV_FRAME_MASK),
						 PV_PAGE_SIZE,
						 PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
		if (!pvnative_apic)
			pv_port_panic("pvops: native: local APIC cannot be mapped");
	}
	pvnative_apic_cpu_setup();
	pvnative_timer_setup();
}

void pvnative_apic_send(u32 apic_id, u32 command)
{
	volatile u32 *apic = pvnative_apic;

	if (!apic) {
		/* WRMSR to x2APIC registers orders nothing (SDM vol. 3A section 11.12.3). */
		asm volatile("mfence; lfence" : : : "memory");
		pv_native_write_msr(APIC_MSR_OF(APIC_ICR_LOW), (u64)apic_id << 32 | command);
		return;
	}
	while (apic[APIC_ICR_LOW / 4] & ICR_PENDING)
		asm volatile("pause");
	apic[APIC_ICR_HIGH / 4] = apic_id << 24;
	apic[APIC_ICR_LOW / 4] = command;
}

/* Refuses an APIC id that no CPU can have: the APIC may take it for a broadcast. */
static __attribute__((__noinline__, __cold__)) void refuse_ipi(u32 cpu, u32 apic_id)
{
	pv_port_log("pvops: send_ipi %u: not sent: APIC id 0x%x names no CPU", cpu,
		    apic_id);
}

void pvnative_fn_send_ipi(u32 cpu, u32 vector)
{
	u32 apic_id = pv_port_apic_id(cpu);
	pv_flags_t flags;

	if (!pvnative_apic_can_name(apic_id)) {
		refuse_ipi(cpu, apic_id);
		return;
	}
	flags = pv_save_fl();
	/* ICR is two registers: no interrupt may send between the two writes. */
	pv_irq_disable();
	pvnative_apic_send(apic_id, ICR_FIXED | vector);
	pv_restore_fl(flags);
}

void pvnative_fn_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	u32 cpu;

	pv_for_each_cpu(cpu, mask)
		pvnative_fn_send_ipi(cpu, vector);
}

void pvnative_fn_stop_cpu(void)
{
	for (;;)
		asm volatile("cli; hlt");
}
