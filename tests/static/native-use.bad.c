// SPDX-License-Identifier: GPL-2.0-only OR MIT
u64 read(void)
{
	pv_native_irq_disable();	/* found */
	return pv_native_read_cr3();	/* found */
}

void flush(u64 va)
{
	if (va)
		pvnative_fn_flush_tlb_one(va);	/* found */
}
