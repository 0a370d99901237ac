// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hypercalls: TLFS, Hypercall Interface.
 *
 * The interface does not define the instruction: the hypervisor writes it into a page of
 * the guest.  That page is part of the kernel image, so a direct call reaches it.
 * Registers: control in rcx; parameters in rdx and r8, or the input's physical address in
 * rdx; result in rax; r9 to r11 may change.
 */
#include <pvops/batch.h>
#include "internal.h"

/* Written by the hypervisor; the assembly below uses its name. */
extern u8 pvhyperv_hypercall_page[];
u8 pvhyperv_hypercall_page[PV_PAGE_SIZE] __attribute__((aligned(4096)));

PV_PERCPU_DEFINE(struct pvhyperv_counts, pvhyperv_count);
/* Input must not cross a page: TLFS, memory-based parameters. */
static PV_PERCPU_DEFINE(u64, pvhyperv_input_page[PV_PAGE_SIZE / 8]) __attribute__((aligned(4096)));

bool pvhyperv_calls;
static bool prepared;

static u64 call(u64 control, u64 arg1, u64 arg2)
{
	struct pvhyperv_counts *counts = PV_PERCPU_PTR(pvhyperv_count);
	register u64 r8_ asm("r8") = arg2;
	u32 nr = (u32)control & 0xffff;
	u64 result;

	counts->total++;
	if (nr <= HVCALL_SEND_IPI_EX)
		counts->nr[nr]++;
	asm volatile("call pvhyperv_hypercall_page"
		     : "=a" (result), "+c" (control), "+d" (arg1), "+r" (r8_),
		       "+r" (PV_STACK_POINTER)
		     : : "r9", "r10", "r11", "memory", "cc");
	return result;
}

u64 pvhyperv_call_fast(u64 control, u64 arg1, u64 arg2)
{
	return call(control | HV_CALL_FAST, arg1, arg2);
}

u64 *pvhyperv_input(void)
{
	return *PV_PERCPU_PTR(pvhyperv_input_page);
}

u64 pvhyperv_call_input(u64 control)
{
	return call(control, pvhyperv_phys(pvhyperv_input()), 0);
}

/* Counts a refusal, after which the caller goes the native way.  The next call asks again. */
static void refused(u32 nr, u32 status, enum pvhyperv_use use)
{
	struct pvhyperv_counts *counts = PV_PERCPU_PTR(pvhyperv_count);
	u32 bit = 1U << use;

	if (counts->nr[nr] != counts->last[nr] + 1)
		counts->in_a_row[nr] = 0;
	counts->last[nr] = counts->nr[nr];
	if (++counts->in_a_row[nr] < HV_REFUSALS)
		return;
	/* The hypervisor always refuses it: stop, instead of a log line each time. */
	if (__atomic_fetch_and(&pvhyperv.use, ~bit, __ATOMIC_RELAXED) & bit)
		pv_port_log("pvops: hyperv: call 0x%x refused %u times in a row, last status %u; native code replaces it",
			    nr, HV_REFUSALS, status);
}

bool pvhyperv_accepted(u64 result, enum pv_op op, unsigned long caller, u64 control,
		       enum pvhyperv_use use)
{
	u32 status = HV_STATUS(result), reps = (u32)(control >> HV_CALL_REPS);
	const struct pv_batch_req req = { control, result };
	const struct pv_batch_note note = { caller, op };

	if (!status && HV_REPS_DONE(result) == reps)
		return true;
	pv_batch_refused(&req, &note, -(s32)status, PV_BATCH_NOT_TRIED);
	refused((u32)control & 0xffff, status, use);
	return false;
}

bool pvhyperv_hypercalls_prepare(void)
{
	prepared = pv_port_code_area(pvhyperv_hypercall_page, sizeof(pvhyperv_hypercall_page));
	return prepared;
}

/*
 * TLFS, Establishing the Hypercall Interface: identity first, then the page.  The bits
 * between address and enable keep their values.  An earlier kernel may have locked the
 * register; then the page cannot be moved here.
 */
bool pvhyperv_hypercalls_start(void)
{
	u64 found, want;

	pv_native_write_msr(HV_MSR_GUEST_OS_ID, HV_GUEST_ID);
	if (!prepared)
		return false;
	found = pv_native_read_msr(HV_MSR_HYPERCALL);
	want = pvhyperv_phys(pvhyperv_hypercall_page) | (found & HV_HYPERCALL_KEEP) |
	       HV_HYPERCALL_ENABLE;
	pv_native_write_msr(HV_MSR_HYPERCALL, want);
	found = pv_native_read_msr(HV_MSR_HYPERCALL);
	pvhyperv_calls = found == want;
	if (!pvhyperv_calls)
		pv_port_log("pvops: hyperv: no hypercalls: the page's register should be 0x%llx, but reads 0x%llx",
			    (unsigned long long)want, (unsigned long long)found);
	return pvhyperv_calls;
}

void pvhyperv_hypercalls_stop(void)
{
	pvhyperv_calls = false;
	pv_native_write_msr(HV_MSR_HYPERCALL,
			    pv_native_read_msr(HV_MSR_HYPERCALL) & HV_HYPERCALL_KEEP);
	pv_native_write_msr(HV_MSR_GUEST_OS_ID, 0);
}
