// SPDX-License-Identifier: GPL-2.0-only OR MIT
long pin(const struct mmuext_op *op)
{
	long error = pvxen_mmuext(op, 1);

	if (pvxen_call2(1, 2, 3))
		return -1;
	pvxen_check(pvxen_vcpu_op(1, 2, 0), OP, 0, 0, 0);
	while (pvxen_sched_op(1, 0))
		again();
	return error ? error : pvhyperv_call_fast(1, 2, 3);
}
