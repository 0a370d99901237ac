// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
int one(void)
{
	return pv_ops.lock.queued_spin_unlock.func ==
		native_unlock;
}

int other(void)
{
	if (pv_ops.lock.vcpu_is_preempted.func == native_vcpu_is_preempted)
		return 1;
	if (pv_ops_lock.queued_spin_unlock.func == native_unlock)
		return 2;
	return 0;
}
