// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
int one(void)
{
	return paravirt_is_native(lock, queued_spin_unlock, native_unlock);
}

int other(void)
{
	if (paravirt_is_native(lock, vcpu_is_preempted, native_vcpu_is_preempted))
		return 1;
	if (paravirt_is_native(lock, queued_spin_unlock, native_unlock))
		return 2;
	return 0;
}
