// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
void flush(void);
void release(void);

void setup(int yes)
{
	paravirt_set(mmu, flush_tlb_multi, flush);
	paravirt_set(mmu, exit_mmap, &flush);
	paravirt_set(lock, queued_spin_unlock, PV_CALLEE_SAVE(release));
	paravirt_set(lock, wait, flush);
	paravirt_set(lock, queued_spin_unlock, PV_CALLEE_SAVE(release));
	if (yes)
		paravirt_set(cpu, io_delay, paravirt_nop);
}
