/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "lock": waiting for locks. */

/**
 * lock_wait - let others run until somebody kicks
 * Native: PAUSE.
 * Context: preemption off, @word differs only by a releaser that calls
 *	lock_kick() afterwards.  Returns at once if *@word != @val, else after
 *	a kick, an interrupt, or for no reason: the caller checks again.
 * Clobbers: C.
 * Batch: must be empty.
 * Default: native.
 */
PV_OP(lock, lock_wait, CALL6, C, void, 2, (const u8 *, word, u8, val), lock_wait_kick)

/**
 * lock_kick - wake the CPU that waits in lock_wait
 * Native: nothing (the waiter spins).
 * Context: any but NMI; a kick before the wait is not lost.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(lock, lock_kick, CALL6, C, void, 1, (u32, cpu), lock_wait_kick)
PV_TOGETHER(lock_kick, lock_wait)

/**
 * vcpu_is_preempted - true if spinning on a lock that @cpu holds is pointless
 * Native: false, compiled in line.
 * Context: any; a hint, stale the moment it is read.  0 or 1.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(lock, vcpu_is_preempted, BRANCH, C, u8, 1, (u32, cpu), vcpu_is_preempted)
