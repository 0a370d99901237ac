// SPDX-License-Identifier: GPL-2.0-only OR MIT
int both_ways(int a)
{
	pv_batch_enter(PV_BATCH_MMU);
	if (a) {
		pv_batch_leave(PV_BATCH_MMU);
		return 1;
	}
	change();
	pv_batch_leave(PV_BATCH_MMU);
	return 0;
}

void given_up(int a)
{
	pv_batch_enter(PV_BATCH_MMU);
	if (a)
		pv_port_panic("no way out");
	pv_batch_leave(PV_BATCH_MMU);
}

void nested(void)
{
	pv_batch_enter(PV_BATCH_MMU);
	pv_batch_enter(PV_BATCH_CPU);
	pv_batch_leave(PV_BATCH_CPU);
	pv_batch_leave(PV_BATCH_MMU);
}
