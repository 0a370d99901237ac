// SPDX-License-Identifier: GPL-2.0-only OR MIT
void pin(const struct mmuext_op *op)
{
	pvxen_mmuext(op, 1);	/* found */
}

void loop(int n)
{
	while (n--)
		pvxen_call2(1, 2, 3);	/* found */
}

void flush(void)
{
	if (ready)
		pvhyperv_call_fast(1, 2, 3);	/* found */
}
