// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
void flush(void);
void release(void);

void setup(int yes)
{
	pv_ops.mmu.flush_tlb_multi = flush;
	pv_ops.mmu.exit_mmap = &flush;
	pv_ops.lock.queued_spin_unlock =
		PV_CALLEE_SAVE(release);
	pv_ops_lock.wait = flush;
	pv_ops_lock.queued_spin_unlock = PV_CALLEE_SAVE(release);
	if (yes)
		pv_ops.cpu.io_delay = paravirt_nop;
}
