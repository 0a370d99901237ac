// SPDX-License-Identifier: GPL-2.0-only OR MIT
noinstr void entry(void)
{
	pv_irq_disable();
	pv_irq_enable();
}

void exc_nmi(u64 *cr2)
{
	*cr2 = pv_read_cr2();
	pv_write_cr2(*cr2);
}

void send_nmi_soon(u32 cpu)
{
	pv_send_ipi(cpu, 2);
}

void everywhere(const struct pv_cpumask *mask)
{
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	pv_flush_tlb_user();
	pv_restore_fl(flags);
	pv_flush_tlb_multi(mask, 0, 0);
	pv_irq_disable();
	pv_irq_enable();
	pv_flush_tlb_multi(mask, 0, 0);
	pv_flush_something(mask);
}
