// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone. */
int other(struct ops *ops)
{
	return ops->lock.queued_spin_unlock.func == native_unlock ||
	       ops->pv_ops_lock.wait.func == native_unlock ||
	       pv_ops.lock.queued_spin_unlock.func || pv_ops_lock.wait;
}
