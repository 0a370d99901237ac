// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Control and debug registers, CPUID, MSRs. */
#include <pvops/native.h>
#include "internal.h"

#define CR0_PE		(1UL << 0)
#define CR0_TS		(1UL << 3)
#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)

/* CR4 bits that Xen lets a guest kernel change: TSD, DE, FSGSBASE, OSXSAVE. */
#define CR4_GUEST	(1UL << 2 | 1UL << 3 | 1UL << 16 | 1UL << 18)

#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

/* System call MSRs, kept only for reads: Xen does not use them to enter the kernel. */
struct xen_entry_msrs {
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 sysenter[3];
};

PV_PERCPU_DEFINE(u64, pvxen_cr0);
PV_PERCPU_DEFINE(u64, pvxen_cr3);
PV_PERCPU_DEFINE(u64, pvxen_cr4);
static PV_PERCPU_DEFINE(struct xen_entry_msrs, xen_entry_msrs);

/* Reads the control registers; Xen emulates the reads. */
void pvxen_cpu_registers_init(void)
{
	u64 cr0, cr3, cr4;

	asm volatile("mov %%cr0, %0" : "=r" (cr0));
	asm volatile("mov %%cr3, %0" : "=r" (cr3));
	asm volatile("mov %%cr4, %0" : "=r" (cr4));
	*PV_PERCPU_PTR(pvxen_cr0) = cr0;
	/* The root is this guest's frame, so it translates like a present entry. */
	*PV_PERCPU_PTR(pvxen_cr3) =
		pvxen_p4d_val((__force pv_p4d_t)((cr3 & PV_FRAME_MASK) | PV_PTE_PRESENT)) &
		PV_FRAME_MASK;
	*PV_PERCPU_PTR(pvxen_cr4) = cr4;
}

static void set_ts(enum pv_op op, unsigned long caller, bool on)
{
	u64 *cr0 = PV_PERCPU_PTR(pvxen_cr0);

	*cr0 = on ? *cr0 | CR0_TS : *cr0 & ~CR0_TS;
	pvxen_mc_add(op, caller, __HYPERVISOR_fpu_taskswitch, on, 0, 0);
}

void pvxen_write_cr0(u64 val)
{
	u64 must = CR0_PE | CR0_PG | CR0_WP;
	u64 old = *PV_PERCPU_PTR(pvxen_cr0);

	if (~val & must)
		pv_port_log("pvops: xen: write_cr0 of 0x%llx from 0x%lx: PE, WP and PG stay set",
			    (unsigned long long)val, XEN_CALLER());
	/* Xen clears TS when it delivers #NM, so TS is set again even if the copy has it. */
	if (val & CR0_TS || old & CR0_TS)
		set_ts(PV_OP_write_cr0, XEN_CALLER(), val & CR0_TS);
}

void pvxen_clts(void)
{
	if (*PV_PERCPU_PTR(pvxen_cr0) & CR0_TS)
		set_ts(PV_OP_clts, XEN_CALLER(), false);
}

void pvxen_write_cr2(u64 val)
{
	*(volatile unsigned long *)&PV_PERCPU_PTR(pvxen_vcpu_info)->arch.cr2 = val;
}

void pvxen_write_cr4(u64 val)
{
	u64 *copy = PV_PERCPU_PTR(pvxen_cr4);
	u64 cr4 = (*copy & ~CR4_GUEST) | (val & CR4_GUEST);

	if (cr4 == *copy)
		return;
	/* Xen emulates this, and drops bits that this CPU does not have. */
	asm volatile("mov %1, %%cr4\n\tmov %%cr4, %0" : "=r" (cr4) : "r" (cr4) : "memory");
	*copy = cr4;
}

/*
 * CPUID with the forced emulation prefix: an invalid opcode and "xen" make Xen execute
 * the instruction with the guest's policy.
 */
void pvxen_cpuid(struct pv_cpuid *regs)
{
	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid"
		     : "+a" (regs->eax), "=b" (regs->ebx),
		       "+c" (regs->ecx), "=d" (regs->edx)
		     : : "memory");
}

/*
 * Xen refuses the flush to a guest without devices, which does not need it: Xen keeps
 * memory coherent.
 */
static long flush_cache(void)
{
	struct mmuext_op op = { .cmd = MMUEXT_FLUSH_CACHE };
	long error = pvxen_mmuext(&op, 1);

	return error == -XEN_EACCES || error == -XEN_EPERM ? 0 : error;
}

void pvxen_wbinvd(void)
{
	pvxen_check(flush_cache(), PV_OP_wbinvd, XEN_CALLER(), 0, 0);
}

/* MSRs. */
static u64 *kept_msr(u32 msr)
{
	struct xen_entry_msrs *msrs = PV_PERCPU_PTR(xen_entry_msrs);

	switch (msr) {
	case MSR_STAR:
		return &msrs->star;
	case MSR_LSTAR:
		return &msrs->lstar;
	case MSR_CSTAR:
		return &msrs->cstar;
	case MSR_SFMASK:
		return &msrs->sfmask;
	case MSR_SYSENTER_CS:
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		return &msrs->sysenter[msr - MSR_SYSENTER_CS];
	}
	return NULL;
}

static void enter_by_syscall(unsigned long caller)
{
	struct callback_register callback = {
		.type = CALLBACKTYPE_syscall,
		.flags = CALLBACKF_mask_events,
		.address = (unsigned long)pvxen_syscall_entry,
	};

	pvxen_check(pvxen_call2(__HYPERVISOR_callback_op, CALLBACKOP_register,
			    (unsigned long)&callback),
		  PV_OP_write_msr, caller, MSR_LSTAR, callback.address);
}

/*
 * In kernel mode, GS base is the kernel's and KERNEL_GS_BASE the user's, as after SWAPGS
 * on hardware.
 */
static bool write_known_msr(u32 msr, u64 val, unsigned long caller)
{
	u64 *kept;

	switch (msr) {
	case MSR_FS_BASE:
		pvxen_mc_add(PV_OP_write_msr, caller, __HYPERVISOR_set_segment_base,
			   SEGBASE_FS, val, 0);
		return true;
	case MSR_KERNEL_GS_BASE:
		pvxen_mc_add(PV_OP_write_msr, caller, __HYPERVISOR_set_segment_base,
			   SEGBASE_GS_USER, val, 0);
		return true;
	case MSR_GS_BASE:
		/* Never deferred, because per-CPU variables move with it. */
		pvxen_mc_flush();
		pvxen_check(pvxen_call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, val),
			  PV_OP_write_msr, caller, msr, val);
		return true;
	case MSR_EFER:
		/* Xen controls SCE, LME and NXE, which are set. */
		return true;
	}
	kept = kept_msr(msr);
	if (!kept)
		return false;
	*kept = val;
	if (msr == MSR_LSTAR)
		enter_by_syscall(caller);
	return true;
}

static bool read_known_msr(u32 msr, u64 *val)
{
	const u64 *kept = kept_msr(msr);

	if (kept) {
		*val = *kept;
		return true;
	}
	/*
	 * Segment bases are read from the machine (Xen emulates it), not from a copy:
	 * user mode changes them when it loads selectors.
	 */
	if (msr == MSR_FS_BASE || msr == MSR_KERNEL_GS_BASE)
		pvxen_mc_flush();
	return false;
}

u64 pvxen_read_msr(u32 msr)
{
	u64 val;

	return read_known_msr(msr, &val) ? val : pv_native_read_msr(msr);
}

void pvxen_write_msr(u32 msr, u64 val)
{
	if (!write_known_msr(msr, val, XEN_CALLER()))
		pv_native_write_msr(msr, val);
}

int pvxen_read_msr_safe(u32 msr, u64 *val)
{
	u32 low, high;
	int error;

	if (read_known_msr(msr, val))
		return 0;
	asm volatile("mov %[eio], %[error]\n"
		     "1: rdmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : "=a" (low), "=d" (high), [error] "=&r" (error)
		     : "c" (msr), [eio] "i" (-PV_EIO) : "memory");
	*val = error ? 0 : low | (u64)high << 32;
	return error;
}

int pvxen_write_msr_safe(u32 msr, u64 val)
{
	int error;

	if (write_known_msr(msr, val, XEN_CALLER()))
		return 0;
	asm volatile("mov %[eio], %[error]\n"
		     "1: wrmsr\n\t"
		     "xor %[error], %[error]\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : [error] "=&r" (error)
		     : "c" (msr), "a" ((u32)val), "d" ((u32)(val >> 32)), [eio] "i" (-PV_EIO)
		     : "memory");
	return error;
}

u64 pvxen_get_debugreg(u32 nr)
{
	if (nr > 7 || nr == 4 || nr == 5)
		return 0;
	return (u64)pvxen_call1(__HYPERVISOR_get_debugreg, nr);
}

/* Ignores values that Xen lets no guest have. */
static long load_debugreg(u32 nr, u64 val)
{
	long error = pvxen_call2(__HYPERVISOR_set_debugreg, nr, val);

	return error == -XEN_EPERM || error == -XEN_EINVAL ? 0 : error;
}

void pvxen_set_debugreg(u32 nr, u64 val)
{
	if (nr > 7 || nr == 4 || nr == 5)
		return;
	pvxen_check(load_debugreg(nr, val), PV_OP_set_debugreg, XEN_CALLER(), nr, val);
}
