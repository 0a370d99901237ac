// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The kernel's stack, context switches, and the table of CPU ops.  registers.c and
 * descriptors.c have most of these ops.
 *
 * A required op keeps a copy that other ops read, or has no native form at CPL 3.  The
 * other ops may be left to native: Xen emulates the instructions.
 */
#include "internal.h"

void pvxen_load_sp0(struct pv_tss *tss, u64 sp0)
{
	tss->sp0 = sp0;
	pvxen_mc_add(PV_OP_load_sp0, XEN_CALLER(), __HYPERVISOR_stack_switch, FLAT_KERNEL_SS, sp0, 0);
}

/* Level 0 becomes 1, so that the kernel keeps its own port accesses. */
void pvxen_set_iopl(u32 level)
{
	struct physdev_set_iopl iopl = { .iopl = level ? level : 1 };

	pvxen_check(pvxen_call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&iopl),
		  PV_OP_set_iopl, XEN_CALLER(), level, 0);
}

void pvxen_start_context_switch(void)
{
	pv_batch_drain();
	pv_batch_begin(PV_BATCH_CPU);
}

void pvxen_end_context_switch(void)
{
	/* No batch is open if start_context_switch was left to native. */
	if (pv_batch_open(PV_BATCH_CPU))
		pv_batch_end(PV_BATCH_CPU);
	pvxen_mc_flush();
}

PV_CODE(code_read_cr2, "mov " XEN_VCPU_INFO " + 16, %rax");
PV_CODE(code_store_tr, "xor %eax, %eax");

const struct pv_cpu_impls pvxen_cpu_impls = {
	.read_cr0 = PV_FN(pvxen_read_cr0, 0),
	.write_cr0 = PV_FN(pvxen_write_cr0, PV_IMPL_REQUIRED),
	.read_cr2 = PV_INLINE(pvxen_read_cr2, code_read_cr2, PV_IMPL_REQUIRED),
	.write_cr2 = PV_FN(pvxen_write_cr2, PV_IMPL_REQUIRED),
	.read_cr4 = PV_FN(pvxen_read_cr4, 0),
	.write_cr4 = PV_FN(pvxen_write_cr4, PV_IMPL_REQUIRED),
	.clts = PV_FN(pvxen_clts, PV_IMPL_REQUIRED),
	.wbinvd = PV_FN(pvxen_wbinvd, 0),
	.cpuid = PV_FN(pvxen_cpuid, 0),
	.read_msr = PV_FN(pvxen_read_msr, PV_IMPL_REQUIRED),
	.write_msr = PV_FN(pvxen_write_msr, PV_IMPL_REQUIRED),
	.read_msr_safe = PV_FN(pvxen_read_msr_safe, PV_IMPL_REQUIRED),
	.write_msr_safe = PV_FN(pvxen_write_msr_safe, PV_IMPL_REQUIRED),
	/* read_pmc, rdtsc: native.  RDTSC works at CPL 3; RDPMC works if Xen allows it. */
	.get_debugreg = PV_FN(pvxen_get_debugreg, 0),
	.set_debugreg = PV_FN(pvxen_set_debugreg, 0),
	.load_gdt = PV_FN(pvxen_load_gdt, PV_IMPL_REQUIRED),
	.load_idt = PV_FN(pvxen_load_idt, PV_IMPL_REQUIRED),
	.load_tr = PV_EMPTY(pvxen_load_tr, PV_IMPL_REQUIRED),
	.store_tr = PV_INLINE(pvxen_store_tr, code_store_tr, 0),
	.set_ldt = PV_FN(pvxen_set_ldt, PV_IMPL_REQUIRED),
	.load_tls = PV_FN(pvxen_load_tls, PV_IMPL_REQUIRED),
	.load_gs_index = PV_FN(pvxen_load_gs_index, PV_IMPL_REQUIRED),
	.write_gdt_entry = PV_FN(pvxen_write_gdt_entry, PV_IMPL_REQUIRED),
	.write_ldt_entry = PV_FN(pvxen_write_ldt_entry, PV_IMPL_REQUIRED),
	.write_idt_entry = PV_FN(pvxen_write_idt_entry, PV_IMPL_REQUIRED),
	.load_sp0 = PV_FN(pvxen_load_sp0, PV_IMPL_REQUIRED),
	.set_iopl = PV_FN(pvxen_set_iopl, PV_IMPL_REQUIRED),
	.io_delay = PV_EMPTY(pvxen_nothing, 0),
	.swapgs = PV_EMPTY(pvxen_nothing, PV_IMPL_REQUIRED),
	.iret = PV_FN(pvxen_iret, PV_IMPL_REQUIRED),
	.start_context_switch = PV_FN(pvxen_start_context_switch, 0),
	.end_context_switch = PV_FN(pvxen_end_context_switch, PV_IMPL_REQUIRED),
};
