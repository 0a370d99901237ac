// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Interrupt state: the event mask.  Most of it is in assembly.c. */
#include "internal.h"

/* Xen unmasks events, checks for pending ones and blocks, atomically. */
static void pvxen_safe_halt(void)
{
	pvxen_check(pvxen_sched_op(SCHEDOP_block, NULL), PV_OP_safe_halt, XEN_CALLER(), 0, 0);
}

PV_CODE(code_save_fl, "movzbl " XEN_VCPU_INFO " + 1, %eax");
PV_CODE(code_irq_disable, "movb $1, " XEN_VCPU_INFO " + 1");
PV_CODE(code_adjust_frame, "pop %rcx\n\tpop %r11");

const struct pv_irq_impls pvxen_irq_impls = {
	.save_fl = PV_INLINE(pvxen_save_fl, code_save_fl, PV_IMPL_REQUIRED),
	.restore_fl = PV_FN(pvxen_restore_fl, PV_IMPL_REQUIRED),
	.irqs_disabled_flags = PV_FN(pvxen_irqs_disabled_flags, PV_IMPL_REQUIRED),
	.irq_disable = PV_INLINE(pvxen_irq_disable, code_irq_disable, PV_IMPL_REQUIRED),
	.irq_enable = PV_FN(pvxen_irq_enable, PV_IMPL_REQUIRED),
	.halt = PV_FN(pvxen_halt, PV_IMPL_REQUIRED),
	.safe_halt = PV_FN(pvxen_safe_halt, PV_IMPL_REQUIRED),
	.upcall = PV_FN(pvxen_upcall, PV_IMPL_REQUIRED),
	.adjust_exception_frame = PV_INLINE(pvxen_adjust_exception_frame, code_adjust_frame,
					    PV_IMPL_REQUIRED),
};
