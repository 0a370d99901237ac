// SPDX-License-Identifier: GPL-2.0-only OR MIT
int early_return(int a)
{
	pv_batch_enter(PV_BATCH_MMU);	/* found */
	if (a)
		return 1;
	pv_batch_leave(PV_BATCH_MMU);
	return 0;
}

void one_side(int a)
{
	pv_batch_begin(PV_BATCH_CPU);	/* found */
	if (a)
		pv_batch_end(PV_BATCH_CPU);
}

void another_kind(void)
{
	pv_batch_enter(PV_BATCH_MMU);	/* found */
	pv_batch_leave(PV_BATCH_CPU);
}
