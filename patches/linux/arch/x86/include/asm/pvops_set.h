/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paravirt_set(group, member, function) replaces platform code's assignment to
 * pv_ops.<group>.<member>.  The function is the chosen backend's op then, unless
 * the user leaves that op to native; the assignment must come before sites are
 * patched (alternative_instructions()).
 */
#ifndef _ASM_X86_PVOPS_SET_H
#define _ASM_X86_PVOPS_SET_H

#include <asm/pvops_platform.h>

#include <pvops/pvops.h>

/*
 * One line per member: its op, and the type of its functions if that is not the
 * op's type.  Both types are called in the same way.
 */
#define PVOPS_OF_cpu_io_delay			PVOPS_SAME(io_delay)
#define PVOPS_OF_irq_safe_halt			PVOPS_SAME(safe_halt)
#define PVOPS_OF_irq_halt			PVOPS_SAME(halt)
#define PVOPS_OF_mmu_exit_mmap			PVOPS_SAME(exit_mmap)
#define PVOPS_OF_mmu_flush_tlb_multi		PVOPS_SAME(flush_tlb_info)
#define PVOPS_OF_mmu_notify_page_enc_status_changed \
						PVOPS_SAME(enc_status_changed)
#define PVOPS_OF_mmu_tlb_remove_table		PVOPS_SAME(remove_table)
#define PVOPS_OF_lock_queued_spin_lock_slowpath	PVOPS_SAME(lock_slowpath)
#define PVOPS_OF_lock_queued_spin_unlock	PVOPS_SAME(lock_release)
#define PVOPS_OF_lock_wait			lock_wait, void (*)(u8 *, u8)
#define PVOPS_OF_lock_kick			lock_kick, void (*)(int)
/* Linux's functions take int or long here; Linux does not check the type. */
#define PVOPS_OF_lock_vcpu_is_preempted		vcpu_is_preempted, void *

#define PVOPS_SAME(op)		op, typeof(pv_slots.op)

#define paravirt_set(group, member, f)					\
	PVOPS_SET(PVOPS_OF_##group##_##member, f)
#define PVOPS_SET(of, f)	PVOPS_SET_AS(of, f)
#define PVOPS_SET_AS(op, type, f)					\
({									\
	typeof(type) _f = (f);						\
									\
	pvops_set(PV_OP_##op, (void (*)(void))_f);			\
})

/* @native is ignored: it is Linux's native function, not the layer's. */
#define paravirt_is_native(group, member, native)			\
	PVOPS_IS_NATIVE(PVOPS_OF_##group##_##member)
#define PVOPS_IS_NATIVE(of)	PVOPS_IS_NATIVE_AS(of)
#define PVOPS_IS_NATIVE_AS(op, type)	pv_impl_is_native(PV_OP_##op)

#endif /* _ASM_X86_PVOPS_SET_H */
