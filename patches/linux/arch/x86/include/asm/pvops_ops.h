/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux's own ops: table "kernel" of the catalogue (pvops/catalogue.h describes
 * these lines; no include guard, also included from assembly).
 *
 * pvops_native.c has their native functions.  An op that does nothing natively is
 * a NOP at its sites.
 */

/**
 * attach_table - a page-table page of the kernel will be linked into its tables
 * Native: nothing (NOP).  Xen PV: make it read-only, and pin it if level 1.
 * Context: as pmd_populate_kernel(); @level 1 for a page of PTEs.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU.
 * Default: native.
 */
PV_OP(kernel, attach_table, CALL6, C, void, 2, (u64, pfn, u32, level), boot)

/**
 * alloc_ldt - memory will become an LDT
 * Native: nothing (NOP).  Xen PV: make it read-only in all mappings.
 * Context: process.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, alloc_ldt, CALL6, C, void, 2, (struct desc_struct *, ldt, u32, entries), ldt_gdt)

/**
 * free_ldt - memory is no longer an LDT
 * Native: nothing (NOP).
 * Context: process.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, free_ldt, CALL6, C, void, 2, (struct desc_struct *, ldt, u32, entries), ldt_gdt)

/**
 * flush_tlb_info - as flush_tlb_multi, with Linux's description of the flush
 * Native: native_flush_tlb_multi(), compiled in line.
 * Context: as flush_tlb_multi.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first.
 * Default: native.
 */
PV_OP(kernel, flush_tlb_info, CALL6, C, void, 2,
	(const struct cpumask *, mask, const struct flush_tlb_info *, info), stress)

/**
 * remove_table - free a page-table page when no CPU walks it any more
 * Native: tlb_remove_page(), compiled in line.
 * Context: as tlb_remove_table().
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, remove_table, CALL6, C, void, 2, (struct mmu_gather *, tlb, void *, table), stress)

/**
 * exit_mmap - an address space will be torn down
 * Native: nothing (NOP).
 * Context: as exit_mmap().
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, exit_mmap, CALL6, C, void, 1, (struct mm_struct *, mm), stress)

/**
 * enc_status_changed - pages became encrypted or decrypted
 * Native: nothing (NOP).
 * Context: as set_memory_encrypted().
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, enc_status_changed, CALL6, C, void, 3,
	(unsigned long, pfn, int, npages, bool, enc), boot)

/**
 * map_fixmap - map a fixed address to a guest-physical or machine address
 * Native: native_set_fixmap(), compiled in line.
 * Context: as __set_fixmap().
 * Clobbers: C.
 * Batch: never deferred.
 * Default: native.
 */
PV_OP(kernel, map_fixmap, CALL6, C, void, 3, (u32, index, u64, phys, u64, flags), boot)

#ifdef CONFIG_X86_IOPL_IOPERM
/**
 * invalidate_io_bitmap - allow the user no port
 * Native: tss_invalidate_io_bitmap(), compiled in line.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, invalidate_io_bitmap, CALL6, C, void, 0, (), ioperm)

/**
 * update_io_bitmap - allow the user the ports of the current task
 * Native: native_tss_update_io_bitmap(), compiled in line.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, update_io_bitmap, CALL6, C, void, 0, (), ioperm)
PV_TOGETHER(update_io_bitmap, invalidate_io_bitmap)
#endif

#ifdef CONFIG_PARAVIRT_SPINLOCKS
/**
 * lock_slowpath - take a contended queued spinlock
 * Native: native_queued_spin_lock_slowpath().
 * Context: as a spinlock.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, lock_slowpath, CALL6, C, void, 2, (struct qspinlock *, lock, u32, val), stress)

/**
 * lock_release - release a queued spinlock
 * Native: one byte store, which fits into the site.
 * Context: as a spinlock.
 * Clobbers: ASM, as the hand-written __pv_queued_spin_unlock() of Linux.
 * Batch: no.
 * Default: native.
 */
PV_OP(kernel, lock_release, CALL6, ASM, void, 1, (struct qspinlock *, lock), stress)
PV_TOGETHER(lock_release, lock_slowpath)
#endif

/**
 * detach_table - a page-table page of the kernel is unlinked and will be freed
 * Native: nothing (NOP).  Xen PV: unpin it if level 1, and make it writable.
 * Context: as attach_table, for a page of an earlier attach_table.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU.
 * Default: native.
 */
PV_OP(kernel, detach_table, CALL6, C, void, 2, (u64, pfn, u32, level), module)
PV_TOGETHER(detach_table, attach_table)
