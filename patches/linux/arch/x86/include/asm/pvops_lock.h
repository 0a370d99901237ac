/* SPDX-License-Identifier: GPL-2.0-only */
/* The ops of paravirtualized spinlocks, for the rest of Linux. */
#ifndef _ASM_X86_PVOPS_LOCK_H
#define _ASM_X86_PVOPS_LOCK_H

#include <asm/paravirt.h>

#ifdef CONFIG_PARAVIRT_SPINLOCKS
void __native_queued_spin_unlock(struct qspinlock *lock);
void __raw_callee_save___native_queued_spin_unlock(struct qspinlock *lock);
bool __native_vcpu_is_preempted(long cpu);
bool pv_is_native_spin_unlock(void);
bool pv_is_native_vcpu_is_preempted(void);
void paravirt_set_cap(void);

static __always_inline void pv_queued_spin_lock_slowpath(struct qspinlock *lock,
							 u32 val)
{
	pv_lock_slowpath(lock, val);
}

static __always_inline void pv_queued_spin_unlock(struct qspinlock *lock)
{
	pv_lock_release(lock);
}

static __always_inline void pv_wait(u8 *ptr, u8 val)
{
	pv_lock_wait(ptr, val);
}

static __always_inline void pv_kick(int cpu)
{
	pv_lock_kick(cpu);
}
#endif

#endif /* _ASM_X86_PVOPS_LOCK_H */
