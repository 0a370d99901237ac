// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone. */
void flush(void);

void setup(struct ops *ops)
{
	ops->mmu.exit_mmap = flush;
	smp_ops.mmu.exit_mmap = flush;
	pv_ops.irq = xen_irq_ops.irq;
	ops->pv_ops_lock.wait = flush;
	pv_ops_lock = native_lock;
	ops->exit_mmap = pv_ops.mmu.exit_mmap;
	if (pv_ops.mmu.exit_mmap == flush)
		pv_ops.mmu.exit_mmap(0);
}
