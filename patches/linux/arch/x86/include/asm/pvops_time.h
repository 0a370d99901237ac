/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler's clock and stolen time, which are Linux's own hooks.  Part of
 * <asm/pvops.h>.
 */
#ifndef _ASM_X86_PVOPS_TIME_H
#define _ASM_X86_PVOPS_TIME_H

#ifdef PVOPS_SPLIT_HEADERS

/* Linux has them outside of its paravirt files. */
#define PVOPS_TIME_HOOKS

#else /* !PVOPS_SPLIT_HEADERS */

u64 dummy_steal_clock(int cpu);
u64 dummy_sched_clock(void);

DECLARE_STATIC_CALL(pv_steal_clock, dummy_steal_clock);
DECLARE_STATIC_CALL(pv_sched_clock, dummy_sched_clock);

void paravirt_set_sched_clock(u64 (*func)(void));

static __always_inline u64 paravirt_sched_clock(void)
{
	return static_call(pv_sched_clock)();
}

struct static_key;
extern struct static_key paravirt_steal_enabled;
extern struct static_key paravirt_steal_rq_enabled;

static inline u64 paravirt_steal_clock(int cpu)
{
	return static_call(pv_steal_clock)(cpu);
}

/* What pvops_start.c defines. */
#define PVOPS_TIME_HOOKS						\
struct static_key paravirt_steal_enabled;				\
struct static_key paravirt_steal_rq_enabled;				\
									\
static u64 native_steal_clock(int cpu)					\
{									\
	return 0;							\
}									\
									\
DEFINE_STATIC_CALL(pv_steal_clock, native_steal_clock);			\
DEFINE_STATIC_CALL(pv_sched_clock, native_sched_clock);			\
									\
void paravirt_set_sched_clock(u64 (*func)(void))			\
{									\
	if (pvops_takes_sched_clock(func))				\
		static_call_update(pv_sched_clock, func);		\
}

#endif /* !PVOPS_SPLIT_HEADERS */
#endif /* _ASM_X86_PVOPS_TIME_H */
