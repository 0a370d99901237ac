// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Interrupt masking, halting, other CPUs, power.  The patched site calls the ROM's own
 * code for the mask ops, and jumps to it for IRET.
 */
#include "internal.h"

static void pvvmi_halt(void)
{
	pvvmi_call1(VMI_HALT, 1);
}

static void pvvmi_safe_halt(void)
{
	pvvmi_call1(VMI_HALT, 0);
}

static void pvvmi_upcall(u32 vector)
{
	if (!pv_vector_is_own(vector)) {
		pv_port_interrupt(vector);
		pvvmi_apic_write(VMI_APIC_EOI, 0);
		return;
	}
	pvvmi_apic_write(VMI_APIC_EOI, 0);
	if (vector != PV_VECTOR_TIMER || !pvnative_timer_early())
		pv_port_interrupt(vector);
}

/*
 * The token of save_fl has IF in bit 9 like RFLAGS, so irqs_disabled_flags
 * stays in line.
 */
void pvvmi_fill_irq(u32 rom_flags)
{
	unsigned long must = rom_flags & VMI_FLAG_NATIVE_IF ? 0 : PV_IMPL_REQUIRED;

	/* pvvmi_answers_check() ensures that the ROM has all of these or none. */
	if (pvvmi_has(VMI_IRET)) {
		VMI_DIRECT(pvvmi_irq_impls, save_fl, VMI_GET_INTERRUPT_MASK, must);
		VMI_DIRECT(pvvmi_irq_impls, restore_fl, VMI_SET_INTERRUPT_MASK, must);
		VMI_DIRECT(pvvmi_irq_impls, irq_disable, VMI_DISABLE_INTERRUPTS, must);
		VMI_DIRECT(pvvmi_irq_impls, irq_enable, VMI_ENABLE_INTERRUPTS, must);
		VMI_USE(pvvmi_irq_impls, halt, pvvmi_halt, must);
		VMI_USE(pvvmi_irq_impls, safe_halt, pvvmi_safe_halt, must);
		VMI_DIRECT(pvvmi_cpu_impls, iret, VMI_IRET, must);
	}
	if (pvvmi_has(VMI_APIC_WRITE))
		VMI_USE(pvvmi_irq_impls, upcall, pvvmi_upcall, 0);
}

/* Section 8. */
struct ap_state {
	u64 cr0, cr2, cr3, cr4, cr8, efer, rip, rflags;
	u64 rax, rbx, rcx, rdx, rsp, rbp, rsi, rdi;
	u64 r8_to_r15[8];
	u64 fs_base, gs_base, kernel_gs_base, gdtr_base, idtr_base;
	u16 gdtr_limit, idtr_limit;
	u16 cs, ss, ds, es, fs, gs, ldtr, tr;
	u32 pad;
};

_Static_assert(sizeof(struct ap_state) == 256, "AP state");
_Static_assert(offsetof(struct ap_state, fs_base) == 192, "AP state");
_Static_assert(offsetof(struct ap_state, gdtr_limit) == 232, "AP state");

#define ICR_PENDING	0x1000
#define ICR_FIXED	0x4000
#define ICR_INIT	0x4500
#define ICR_STARTUP	0x4600
/* ABI.md: xAPIC mode; ids have 8 bits, and the last one means all CPUs. */
#define APIC_ALL	0xff

#define START_TIMEOUT_NS	200000000ULL
#define RFLAGS_FIXED		0x2

/* The new CPU reports that it runs, then jumps to its entry point in RAX. */
extern void pvvmi_cpu_entry(void);
extern volatile u32 pvvmi_cpu_arrived;
volatile u32 pvvmi_cpu_arrived;
asm(".pushsection .text\n"
	".globl pvvmi_cpu_entry\n"
	".type pvvmi_cpu_entry, @function\n"
	"pvvmi_cpu_entry:\n\t" PV_ASM_ENDBR
	"movl $1, pvvmi_cpu_arrived(%rip)\n\t"
	PV_ASM_JMP("rax") "\n"
	".size pvvmi_cpu_entry, . - pvvmi_cpu_entry\n"
	".popsection\n");

static void send(u32 apic_id, u32 command)
{
	while (pvvmi_apic_read(VMI_APIC_ICR_LOW) & ICR_PENDING)
		asm volatile("pause");
	pvvmi_apic_write(VMI_APIC_ICR_HIGH, apic_id << 24);
	pvvmi_apic_write(VMI_APIC_ICR_LOW, command);
}

static void pvvmi_send_ipi(u32 cpu, u32 vector)
{
	u32 apic_id = pv_port_apic_id(cpu);
	pv_flags_t flags;

	pv_batch_drain();
	/* An APIC id that no CPU can have may mean all CPUs. */
	if (apic_id >= APIC_ALL) {
		pv_port_log("pvops: send_ipi %u: not sent: APIC id 0x%x names no CPU",
			    cpu, apic_id);
		return;
	}
	flags = pv_save_fl();
	/* ICR is two registers: no interrupt may send between the two writes. */
	pv_irq_disable();
	send(apic_id, ICR_FIXED | vector);
	pv_restore_fl(flags);
}

static void pvvmi_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	u32 cpu;

	pv_for_each_cpu(cpu, mask)
		pvvmi_send_ipi(cpu, vector);
}

static int refuse(u32 cpu, int error, const char *why)
{
	pv_port_log("pvops: start_cpu %u: %s", cpu, why);
	return error;
}

static void wait_ns(u64 ns)
{
	u64 end = pv_clock_read() + ns;

	while (pv_clock_read() < end)
		asm volatile("pause");
}

static int pvvmi_start_cpu(u32 cpu, const struct pv_cpu_state *state)
{
	u32 apic_id = cpu < PV_MAX_CPUS ? pv_port_apic_id(cpu) : ~0U;
	static const char bad_state[] = "state is not 64-bit paged kernel mode";
	pv_pfn_t low = pv_port_low_page();
	struct ap_state ap = { 0 };
	u32 i, vector;
	u64 end, page;
	s64 result;

	pv_batch_drain();
	if (apic_id == ~0U)
		return refuse(cpu, -VMI_ENOENT, "no such CPU");
	if (apic_id >= APIC_ALL)
		return refuse(cpu, -VMI_EINVAL, "its APIC id has more than 8 bits");
	/* Checked before INIT, which stops a CPU that runs. */
	if ((state->cr0 & 0x80010001) != 0x80010001 || !(state->cr4 & 0x20) ||
	    !(state->efer & 0x100) || !state->rip || !state->rsp)
		return refuse(cpu, -VMI_EINVAL, bad_state);
	ap.cr0 = state->cr0;
	ap.cr3 = state->cr3;
	ap.cr4 = state->cr4;
	/* LMA: the CPU starts in long mode. */
	ap.efer = state->efer | 0x400;
	ap.rip = (unsigned long)pvvmi_cpu_entry;
	ap.rax = state->rip;
	ap.rflags = RFLAGS_FIXED;
	ap.rsp = state->rsp;
	ap.rdi = state->rdi;
	ap.gs_base = state->gs_base;
	ap.gdtr_base = state->gdt.base;
	ap.gdtr_limit = state->gdt.limit;
	ap.idtr_base = state->idt.base;
	ap.idtr_limit = state->idt.limit;
	ap.cs = PV_KERNEL_CS;
	ap.ss = PV_KERNEL_DS;
	ap.ds = PV_KERNEL_DS;
	ap.es = PV_KERNEL_DS;

	/* INIT comes first.  After it, a start-up IPI does nothing until the state is set. */
	send(apic_id, ICR_INIT);
	wait_ns(10000000);
	page = low == PV_PFN_NONE ? 0 : pv_pfn_nr(low) << PV_PAGE_SHIFT;
	result = pvvmi_check(VMI_SET_INITIAL_AP_STATE,
			     pvvmi_call3(VMI_SET_INITIAL_AP_STATE, (unsigned long)&ap, apic_id,
					 page),
			     PV_OP_start_cpu, VMI_CALLER(), cpu, state->rip);
	if (result < 0)
		return refuse(cpu, pv_batch_errno(result), result == -VMI_EINVAL ? bad_state :
			      "refused by the ROM");
	vector = result && result < 256 ? (u32)result : 1;
	pvvmi_cpu_arrived = 0;
	for (i = 0; i < 2 && !pvvmi_cpu_arrived; i++) {
		send(apic_id, ICR_STARTUP | vector);
		wait_ns(200000);
	}
	for (end = pv_clock_read() + START_TIMEOUT_NS; !pvvmi_cpu_arrived;)
		if (pv_clock_read() > end)
			return refuse(cpu, -VMI_ETIMEDOUT, "the CPU did not start in time");
	return 0;
}

static void __attribute__((noreturn)) stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static void pvvmi_stop_cpu(void)
{
	pv_batch_drain();
	if (pvvmi_has(VMI_SHUTDOWN))
		pvvmi_call1(VMI_SHUTDOWN, 2);
	stop();
}

static void pvvmi_shutdown(enum pv_shutdown_reason reason)
{
	if (reason == PV_SHUTDOWN_REBOOT)
		pvvmi_call1(VMI_REBOOT, 1);
	else
		pvvmi_call1(VMI_SHUTDOWN, reason == PV_SHUTDOWN_CRASH);
	stop();
}

void pvvmi_fill_smp(u32 rom_flags)
{
	unsigned long must = pvvmi_has(VMI_IRET) && !(rom_flags & VMI_FLAG_NATIVE_IF) ?
			     PV_IMPL_REQUIRED : 0;

	if (pvvmi_has(VMI_SET_INITIAL_AP_STATE))
		VMI_USE(pvvmi_smp_impls, start_cpu, pvvmi_start_cpu, 0);
	if (pvvmi_has(VMI_APIC_WRITE) || pvvmi_has(VMI_SET_PXE_LONG)) {
		VMI_USE(pvvmi_smp_impls, send_ipi, pvvmi_send_ipi, 0);
		VMI_USE(pvvmi_smp_impls, send_ipi_mask, pvvmi_send_ipi_mask, 0);
	}
	if (pvvmi_has(VMI_SHUTDOWN) || pvvmi_has(VMI_SET_PXE_LONG))
		VMI_USE(pvvmi_smp_impls, stop_cpu, pvvmi_stop_cpu, must);
	if (pvvmi_has(VMI_SHUTDOWN) && pvvmi_has(VMI_REBOOT))
		VMI_USE(pvvmi_smp_impls, shutdown, pvvmi_shutdown, 0);
}
