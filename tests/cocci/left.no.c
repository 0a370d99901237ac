// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Line 7, 9, 15 and 18 are not converted. */
#ifndef CONFIG_PVOPS
static const typeof(pv_ops) xen_irq_ops = { 0 };
#endif

static const typeof(pv_ops) xen_mmu_ops = { 0 };
#ifdef CONFIG_PVOPS
#define SETUP() (pv_ops.mmu.exit_mmap = flush)
#endif

void setup(void)
{
#ifdef CONFIG_XEN
	pv_ops.irq = xen_irq_ops.irq;
#endif
#ifdef CONFIG_PVOPS
	pv_ops_lock.wait = flush;
#endif
}
