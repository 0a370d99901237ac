// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Other CPUs, and the machine as a whole.
 *
 * A vCPU is described to Xen once.  A vCPU that stopped itself continues behind its
 * VCPUOP_down when it is brought up again; one that halts continues after a kick.  Both
 * then load the new state from restart[].
 */
#include <pvops/call.h>
#include "internal.h"

#define CR0_PE		(1UL << 0)
#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)
#define CR4_PAE		(1UL << 5)
#define EFER_LME	(1UL << 8)

static struct vcpu_guest_context context;
static struct pv_cpu_state restart[PV_MAX_CPUS];

enum { RUNS, HALTED, RESTARTS };
static u8 halted[PV_MAX_CPUS];

static const char *unusable(const struct pv_cpu_state *state)
{
	if (~state->cr0 & (CR0_PE | CR0_WP | CR0_PG))
		return "CR0 lacks PE, WP or PG";
	if (~state->cr4 & CR4_PAE)
		return "CR4 lacks PAE";
	if (~state->efer & EFER_LME)
		return "EFER lacks LME";
	if (!state->rip || !state->rsp)
		return "no entry point or no stack";
	if (state->cr3 >> PV_PAGE_SHIFT >= pvxen_p2m_size || state->cr3 & (PV_PAGE_SIZE - 1))
		return "CR3 is no root of this guest";
	return NULL;
}

static void describe(const struct pv_cpu_state *state, pv_mfn_t gdt)
{
	const struct pv_gate *idt = (const struct pv_gate *)state->idt.base;
	u32 gates = (state->idt.limit + 1U) / sizeof(*idt);
	pv_pfn_t root = pv_pfn(state->cr3 >> PV_PAGE_SHIFT);
	u32 vector, count = 0;

	context = (struct vcpu_guest_context){
		.flags = VGCF_IN_KERNEL | VGCF_failsafe_disables_events |
			 VGCF_syscall_disables_events,
	};
	context.user_regs.rip = state->rip;
	context.user_regs.rsp = state->rsp;
	context.user_regs.rdi = state->rdi;
	context.user_regs.cs = FLAT_KERNEL_CS;
	context.user_regs.ss = FLAT_KERNEL_SS;
	context.user_regs.rflags = 1 << 12;
	for (vector = 0; vector < gates && vector < 256; vector++)
		if (idt[vector].type_dpl_p & 0x80)
			pvxen_trap_entry(&context.trap_ctxt[count++], vector, &idt[vector]);
	context.gdt_frames[0] = pv_mfn_nr(gdt);
	context.gdt_ents = (state->gdt.limit + 1U) / 8;
	context.kernel_ss = FLAT_KERNEL_SS;
	context.kernel_sp = state->rsp;
	context.ctrlreg[0] = state->cr0;
	context.ctrlreg[3] = xen_pfn_to_cr3(pv_mfn_nr(pvxen_mfn(root)));
	context.ctrlreg[1] = xen_pfn_to_cr3(pv_mfn_nr(pvxen_user_root(root)));
	context.event_callback_eip = (unsigned long)pv_port_event_entry;
	context.failsafe_callback_eip = (unsigned long)pvxen_failsafe_entry;
	context.syscall_callback_eip = (unsigned long)pvxen_syscall_entry;
	context.gs_base_kernel = state->gs_base;
}

/* Restarts a CPU that halts; it loads its new state from restart[]. */
static bool wake_halted(u32 cpu)
{
	if (__atomic_load_n(&halted[cpu], __ATOMIC_ACQUIRE) != HALTED)
		return false;
	__atomic_store_n(&halted[cpu], RESTARTS, __ATOMIC_RELEASE);
	pvxen_lock_kick(cpu);
	return true;
}

static long up(u32 cpu)
{
	return pvxen_check(pvxen_vcpu_op(VCPUOP_up, cpu, NULL), PV_OP_start_cpu, XEN_CALLER(),
			   cpu, 0);
}

/* Waits for a CPU that is about to stop or halt; one that runs cannot be started. */
static long start_again(u32 cpu)
{
	u32 tries;

	for (tries = 0; tries < 10000; tries++) {
		if (wake_halted(cpu))
			return 0;
		if (!pvxen_vcpu_op(VCPUOP_is_up, cpu, NULL))
			return up(cpu);
		pvxen_check(pvxen_sched_op(SCHEDOP_yield, NULL), PV_OP_start_cpu, XEN_CALLER(),
			    cpu, 0);
	}
	return -XEN_EINVAL;
}

static int pvxen_start_cpu(u32 cpu, const struct pv_cpu_state *state)
{
	const char *why = unusable(state);
	struct vcpu_info *info;
	pv_mfn_t gdt;
	long error;

	pv_batch_drain();
	pvxen_mc_flush();
	if (why) {
		pv_port_log("pvops: xen: CPU %u: state unusable: %s", cpu, why);
		return -XEN_EINVAL;
	}
	if (cpu >= PV_MAX_CPUS || pvxen_vcpu_op(VCPUOP_is_up, cpu, NULL) < 0) {
		pv_port_log("pvops: xen: CPU %u: there is no such vCPU", cpu);
		return -XEN_ENOENT;
	}
	error = pvxen_prepare_gdt(PV_OP_start_cpu, XEN_CALLER(), &state->gdt, &gdt);
	if (error) {
		pv_port_log("pvops: xen: CPU %u: GDT unusable, error %ld", cpu, error);
		return -XEN_EINVAL;
	}

	info = PV_PERCPU_PTR_OF(pvxen_vcpu_info, cpu);
	error = pvxen_register_info(cpu, info, pvxen_virt_to_mfn(info), PV_OP_start_cpu);
	if (error)
		return (int)error;

	describe(state, gdt);
	restart[cpu] = *state;
	/* -EEXIST: the vCPU is described already.  The caller gets any other error. */
	error = pv_batch_errno(pvxen_vcpu_op(VCPUOP_initialise, cpu, &context));
	if (error == -XEN_EEXIST)
		error = start_again(cpu);
	else if (!error)
		error = up(cpu);
	if (error)
		pv_port_log("pvops: xen: CPU %u does not start, error %ld", cpu, error);
	return (int)error;
}

static void __attribute__((noreturn)) begin_again(u32 cpu)
{
	const struct pv_cpu_state *state = &restart[cpu];

	pvxen_irq_disable();
	pv_write_cr3(state->cr3);
	pvxen_check(pvxen_call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, state->gs_base),
		    PV_OP_start_cpu, XEN_CALLER(), SEGBASE_GS_KERNEL, state->gs_base);
	pv_load_gdt(&state->gdt);
	pv_load_idt(&state->idt);
	pvxen_enter(state->rip, state->rsp, state->rdi);
}

static void pvxen_stop_cpu(void)
{
	u32 cpu = pv_port_this_cpu();

	pv_batch_drain();
	pvxen_mc_flush();
	pvxen_irq_disable();
	pvxen_time_stop(cpu);
	pvxen_check(pvxen_vcpu_op(VCPUOP_down, cpu, NULL), PV_OP_stop_cpu, XEN_CALLER(), cpu, 0);
	begin_again(cpu);
}

/*
 * A poll, which waits with events masked: SCHEDOP_block would unmask them, and
 * VCPUOP_down of the last CPU would end the domain.
 */
void pvxen_halt(void)
{
	u32 cpu = pv_port_this_cpu();

	__atomic_store_n(&halted[cpu], HALTED, __ATOMIC_RELEASE);
	while (__atomic_load_n(&halted[cpu], __ATOMIC_ACQUIRE) != RESTARTS)
		pvxen_kick_wait(PV_OP_halt, XEN_CALLER());
	halted[cpu] = RUNS;
	begin_again(cpu);
}

static void pvxen_console_write(const char *text, size_t bytes)
{
	/* Not reported: the report would come this way. */
	pvxen_call3(__HYPERVISOR_console_io, CONSOLEIO_write, bytes, (unsigned long)text);
}

/*
 * A dom0 powers the machine off itself, as native does; Xen would only halt the CPUs.
 */
static void pvxen_shutdown(enum pv_shutdown_reason reason)
{
	if (reason == PV_SHUTDOWN_POWEROFF && pvxen_start->flags & SIF_INITDOMAIN)
		pv_port_native_shutdown(reason);
	pvxen_ask_shutdown(reason);
}

const struct pv_smp_impls pvxen_smp_impls = {
	.start_cpu = PV_FN(pvxen_start_cpu, PV_IMPL_REQUIRED),
	.send_ipi = PV_FN(pvxen_send_ipi, PV_IMPL_REQUIRED),
	.send_ipi_mask = PV_FN(pvxen_send_ipi_mask, PV_IMPL_REQUIRED),
	.stop_cpu = PV_FN(pvxen_stop_cpu, PV_IMPL_REQUIRED),
	.console_write = PV_FN(pvxen_console_write, PV_IMPL_REQUIRED),
	.shutdown = PV_FN(pvxen_shutdown, PV_IMPL_REQUIRED),
};
