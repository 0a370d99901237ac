// SPDX-License-Identifier: GPL-2.0-only OR MIT
noinstr void entry(u64 val)
{
	pv_irq_disable();
	pv_write_cr4(val);	/* found */
}

static noinstr u64 *
root(void)
{
	return map(pv_read_cr3());	/* found */
}

void exc_nmi(struct frame *frame)
{
	if (frame)
		pv_set_pte(frame->ptep, frame->pte);	/* found */
	pv_outline_send_ipi(0, 0xf0);	/* found */
}

int everywhere(const struct pv_cpumask *mask, u32 cpu)
{
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	if (cpu)
		pv_flush_tlb_multi(mask, 0, 0);	/* found */
	pv_restore_fl(flags);
	pv_irq_disable();
	return pv_start_cpu(cpu, entry, NULL);	/* found */
}
