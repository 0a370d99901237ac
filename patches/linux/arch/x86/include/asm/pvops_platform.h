/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux's own code for a hypervisor (KVM, Hyper-V, VMware, Xen) is a backend of
 * the pvops layer: this code asks here what the user has chosen.
 */
#ifndef _ASM_X86_PVOPS_PLATFORM_H
#define _ASM_X86_PVOPS_PLATFORM_H

#include <linux/types.h>

struct hypervisor_x86;
struct pv_platform;

#ifdef CONFIG_PVOPS

void pvops_choose_platform(void);
bool pvops_uses_platform(const struct hypervisor_x86 *platform);
void pvops_platform_ready(void);

bool pvops_uses_op(unsigned int op);
bool pvops_uses_table_named(const char *table);

/* pvops_uses(op): may platform code serve this op of the catalogue? */
#define pvops_uses(op)		pvops_uses_op(PV_OP_##op)
#define pvops_uses_ipis()	(pvops_uses(send_ipi) && pvops_uses(send_ipi_mask))
/* May it serve any op of this table? */
#define pvops_uses_table(table)	pvops_uses_table_named(#table)

void pvops_set(unsigned int op, void (*fn)(void));
void paravirt_set_steal_clock(u64 (*func)(int cpu));
void *pvops_platform_fn(unsigned int op);
extern u64 (*pvops_steal_clock)(int cpu);
extern u64 (*pvops_sched_clock)(void);
bool pvops_takes_sched_clock(u64 (*func)(void));
bool pvops_platform_is_chosen(void);
const char *pvops_platform_note(u32 nr);

/* For pvops_start.c */
const char *pvops_no_native(void);
void pvops_platform_prepare(void);
void pvops_platform_chosen(const struct pv_platform *platform);
void pvops_platform_too_late(void);
void pvops_platform_count(void);

#else /* !CONFIG_PVOPS */

static inline void pvops_choose_platform(void) { }
static inline void pvops_platform_ready(void) { }

#define pvops_uses_platform(platform)	true
#define pvops_uses(op)			true
#define pvops_uses_ipis()		true
#define pvops_uses_table(table)		true
#define pvops_takes_sched_clock(func)	true
#define paravirt_set_steal_clock(func)	static_call_update(pv_steal_clock, func)

#endif /* !CONFIG_PVOPS */
#endif /* _ASM_X86_PVOPS_PLATFORM_H */
