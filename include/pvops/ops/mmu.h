/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "mmu": address spaces, page tables, TLB, batches. */

/**
 * read_cr3 - root table of the current address space
 * Native: MOV %cr3,%rax.
 * Context: any.  Guest-physical address: PFN << 12, low bits as written.
 * Clobbers: rax, flags.
 * Batch: sees a queued write_cr3().
 * Default: native.
 */
PV_OP(mmu, read_cr3, CALL9, ASM, u64, 0, (), read_cr3)
PV_TOGETHER(read_cr3, pte_val)

/**
 * write_cr3 - switch address space on this CPU
 * Native: MOV %rdi,%cr3; flushes non-global TLB entries.
 * Context: preemption off; the root must have been through pgd_activate().
 *	Guest-physical address.  The kernel half is the same before and after.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU; may itself be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(mmu, write_cr3, CALL6, C, void, 1, (u64, paddr), write_cr3)
PV_TOGETHER(write_cr3, read_cr3)

/**
 * flush_tlb_user - drop this CPU's non-global TLB entries
 * Native: reload CR3, compiled in line.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first; may be the last entry of that flush.
 * Default: native.
 */
PV_OP(mmu, flush_tlb_user, BRANCH, C, void, 0, (), flush_tlb_user)

/**
 * flush_tlb_kernel - drop all of this CPU's TLB entries, global ones too
 * Native: toggle CR4.PGE, or reload CR3 where PGE is off; compiled in line.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: as flush_tlb_user.
 * Default: native.
 */
PV_OP(mmu, flush_tlb_kernel, BRANCH, C, void, 0, (), flush_tlb_kernel)

/**
 * flush_tlb_one - drop this CPU's TLB entry for one page
 * Native: INVLPG, compiled in line.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first.
 * Default: native.
 */
PV_OP(mmu, flush_tlb_one, BRANCH, C, void, 1, (u64, va), flush_tlb_one)

/**
 * flush_tlb_multi - drop user TLB entries on several CPUs
 * Native: an IPI to each other CPU through pv_port_call_cpus(), and locally.
 * Context: process context, interrupts on, preemption off.  Pages
 *	[@start, @end); @end - @start above 32 pages or @end 0 means all of the
 *	user's.  When it returns no CPU of @mask uses a stale entry.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first.
 * Default: native.
 */
PV_OP(mmu, flush_tlb_multi, CALL6, C, void, 3,
	(const struct pv_cpumask *, mask, u64, start, u64, end), flush_tlb_multi)

/**
 * set_pte - write a level-1 entry
 * Native: one 8-byte store, compiled in line.
 * Context: nobody else changes the entry (the table's lock held); any that may
 *	use a batch; not NMI.
 *	@ptep is the entry's address in the kernel's linear map.
 * Clobbers: C.
 * Batch: yes, PV_BATCH_MMU.  Visible to hardware, and to a plain read of
 *	*@ptep, when the batch is flushed; at once outside a batch.  The same
 *	holds for an exchange that a kernel builds from a read and set_pte.  If its
 *	callers read the entry again, the exchange ends with batch_flush (Linux:
 *	ptep_get_and_clear() does; ptep_get_and_clear_full() is for callers that do
 *	not read it again).  No TLB
 *	flush is implied.  An entry that the hypervisor refuses is reported by
 *	op, caller and error; the others are applied.
 * Default: native.
 */
PV_OP(mmu, set_pte, BRANCH, C, void, 2, (pv_pte_t *, ptep, pv_pte_t, pte), set_pte)

/**
 * set_pmd - write a level-2 entry
 * Native: one 8-byte store, compiled in line.
 * Context: as set_pte.  A table it points at came from alloc_pte().
 * Clobbers: C.
 * Batch: as set_pte.
 * Default: native.
 */
PV_OP(mmu, set_pmd, BRANCH, C, void, 2, (pv_pmd_t *, pmdp, pv_pmd_t, pmd), set_pmd)

/**
 * set_pud - write a level-3 entry
 * Native: one 8-byte store, compiled in line.
 * Context: as set_pte.  A table it points at came from alloc_pmd().
 * Clobbers: C.
 * Batch: as set_pte.
 * Default: native.
 */
PV_OP(mmu, set_pud, BRANCH, C, void, 2, (pv_pud_t *, pudp, pv_pud_t, pud), set_pud)

/**
 * set_p4d - write a level-4 entry
 * Native: one 8-byte store, compiled in line.
 * Context: as set_pte.  A table it points at came from alloc_pud(); @p4dp
 *	lies in a root from pgd_alloc(), index below 256.  An entry of the kernel
 *	half (index 256 up) is the kernel's to write in each root it has, the
 *	one of pv_port_kernel_root() first; roots handed out later have it.
 *	A fifth level above (CR4.LA57) is the kernel's own, by bare stores, and
 *	so are all tables of level 4 then.  A backend that replaces ops on
 *	entries or tables works with four levels, and detect() refuses five
 *	(struct pv_platform, five_levels).
 * Clobbers: C.
 * Batch: as set_pte.  Xen PV writes the kernel's and the user's root.
 * Default: native.
 */
PV_OP(mmu, set_p4d, BRANCH, C, void, 2, (pv_p4d_t *, p4dp, pv_p4d_t, p4d), set_p4d)

/**
 * pte_val - the value of a level-1 entry, frame bits as PFN
 * Native: identity, compiled in line.
 * Context: any.  Not present: returned as it is.  A present entry whose
 *	frame is not the guest's reads as not present, other bits kept.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.  Must be replaced where PFN and MFN differ.
 */
PV_OP(mmu, pte_val, BRANCH, ASM, u64, 1, (pv_pte_t, pte), pte_val)

/**
 * make_pte - a level-1 entry from a value with a PFN
 * Native: identity, compiled in line.
 * Context: any.  Present with a PFN the guest does not own: becomes a
 *	not-present entry (0), never somebody else's page.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, make_pte, BRANCH, ASM, pv_pte_t, 1, (u64, val), make_pte)
PV_TOGETHER(make_pte, pte_val)

/**
 * pmd_val - as pte_val, level 2
 * Native: identity, compiled in line.
 * Context: as pte_val.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, pmd_val, BRANCH, ASM, u64, 1, (pv_pmd_t, pmd), pmd_val)
PV_TOGETHER(pmd_val, pte_val)

/**
 * make_pmd - as make_pte, level 2
 * Native: identity, compiled in line.
 * Context: as make_pte.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, make_pmd, BRANCH, ASM, pv_pmd_t, 1, (u64, val), make_pmd)
PV_TOGETHER(make_pmd, pte_val)

/**
 * pud_val - as pte_val, level 3
 * Native: identity, compiled in line.
 * Context: as pte_val.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, pud_val, BRANCH, ASM, u64, 1, (pv_pud_t, pud), pud_val)
PV_TOGETHER(pud_val, pte_val)

/**
 * make_pud - as make_pte, level 3
 * Native: identity, compiled in line.
 * Context: as make_pte.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, make_pud, BRANCH, ASM, pv_pud_t, 1, (u64, val), make_pud)
PV_TOGETHER(make_pud, pte_val)

/**
 * p4d_val - as pte_val, level 4
 * Native: identity, compiled in line.
 * Context: as pte_val.  An entry of a fifth level needs no conversion: see set_p4d.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, p4d_val, BRANCH, ASM, u64, 1, (pv_p4d_t, p4d), p4d_val)
PV_TOGETHER(p4d_val, pte_val)

/**
 * make_p4d - as make_pte, level 4
 * Native: identity, compiled in line.
 * Context: as make_pte.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(mmu, make_p4d, BRANCH, ASM, pv_p4d_t, 1, (u64, val), make_p4d)
PV_TOGETHER(make_p4d, pte_val)

/**
 * ptep_modify_prot_start - begin a change of a live level-1 entry
 * Native: exchange the entry with 0, so that hardware cannot set A or D
 *	behind the caller's back; compiled in line.
 * Context: the table's lock held.  Returns the entry; the caller changes
 *	flags only and must call ptep_modify_prot_commit() on the same entry.
 * Clobbers: C.
 * Batch: may be inside PV_BATCH_MMU; reads what was flushed last.
 * Default: native.
 */
PV_OP(mmu, ptep_modify_prot_start, BRANCH, C, pv_pte_t, 1, (pv_pte_t *, ptep), modify_prot)

/**
 * ptep_modify_prot_commit - finish a change of a live level-1 entry
 * Native: one 8-byte store, compiled in line.
 * Context: as ptep_modify_prot_start.  A and D bits that hardware set since
 *	the start are kept (Xen PV: MMU_PT_UPDATE_PRESERVE_AD).
 * Clobbers: C.
 * Batch: as set_pte.
 * Default: native.
 */
PV_OP(mmu, ptep_modify_prot_commit, BRANCH, C, void, 2,
	(pv_pte_t *, ptep, pv_pte_t, pte), modify_prot)
PV_TOGETHER(ptep_modify_prot_commit, ptep_modify_prot_start)
PV_TOGETHER(ptep_modify_prot_commit, set_pte)

/**
 * alloc_pte - a zeroed page for use as level-1 table
 * Native: the kernel's own, pv_port_alloc_page().
 * Context: process context, may not sleep.  The backend may supply the page
 *	(Xen PV: from its cache of pinned tables).  PV_PFN_NONE when memory is
 *	out.  Until release_pte() only the mmu ops may write to the page.
 * Clobbers: C.
 * Batch: may be inside one; the page is usable in set_pmd() at once.
 * Default: native.
 */
PV_OP(mmu, alloc_pte, CALL6, C, pv_pfn_t, 0, (), alloc_release_pte)

/**
 * release_pte - take back a level-1 table
 * Native: pv_port_free_page().
 * Context: as alloc_pte.  No entry points at the table any more (a queued
 *	unhook counts) and no CPU has it in its TLB.  Entries still present in
 *	it are dead; the backend removes what would keep their frames mapped.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU before the page can be anybody else's.
 * Default: native.
 */
PV_OP(mmu, release_pte, CALL6, C, void, 1, (pv_pfn_t, pfn), alloc_release_pte)
PV_TOGETHER(release_pte, alloc_pte)

/**
 * alloc_pmd - a zeroed page for use as level-2 table
 * Native: as alloc_pte.
 * Context: as alloc_pte, for set_pud().
 * Clobbers: C.
 * Batch: as alloc_pte.
 * Default: native.
 */
PV_OP(mmu, alloc_pmd, CALL6, C, pv_pfn_t, 0, (), alloc_release_pmd)

/**
 * release_pmd - take back a level-2 table
 * Native: as release_pte.
 * Context: as release_pte.
 * Clobbers: C.
 * Batch: as release_pte.
 * Default: native.
 */
PV_OP(mmu, release_pmd, CALL6, C, void, 1, (pv_pfn_t, pfn), alloc_release_pmd)
PV_TOGETHER(release_pmd, alloc_pmd)

/**
 * alloc_pud - a zeroed page for use as level-3 table
 * Native: as alloc_pte.
 * Context: as alloc_pte, for set_p4d().
 * Clobbers: C.
 * Batch: as alloc_pte.
 * Default: native.
 */
PV_OP(mmu, alloc_pud, CALL6, C, pv_pfn_t, 0, (), alloc_release_pud)

/**
 * release_pud - take back a level-3 table
 * Native: as release_pte.
 * Context: as release_pte.
 * Clobbers: C.
 * Batch: as release_pte.
 * Default: native.
 */
PV_OP(mmu, release_pud, CALL6, C, void, 1, (pv_pfn_t, pfn), alloc_release_pud)
PV_TOGETHER(release_pud, alloc_pud)

/**
 * alloc_unpinned - a zeroed page that becomes a level-1 table when it is filled
 * Native: none, returns PV_PFN_NONE.
 * Context: as alloc_pte, which the kernel calls if the result is PV_PFN_NONE.
 *	No entry points at the page until pin_table().  Until then the kernel may
 *	write its entries by plain stores; the ops work, too.  release_pte()
 *	takes it back, pinned or not.
 *	For a table that gets so many entries at once that updates of a table
 *	in use cost more.
 * Clobbers: C.
 * Batch: as alloc_pte.
 * Default: native.
 */
PV_OP(mmu, alloc_unpinned, CALL6, C, pv_pfn_t, 0, (), pin_table)

/**
 * pin_table - a page of alloc_unpinned() becomes a level-1 table
 * Native: nothing; returns 0.
 * Context: as set_pte.  From then on only the mmu ops may write to the page,
 *	and set_pmd() may point at it.  An entry that the hypervisor refuses is
 *	reported as by set_pte; the others are applied.  Returns 1, or 0 if the
 *	page cannot become a table, after one log line: it stays unpinned.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first.
 * Default: native.
 */
PV_OP(mmu, pin_table, CALL6, C, u32, 1, (pv_pfn_t, pfn), pin_table)
PV_TOGETHER(pin_table, alloc_unpinned)

/**
 * unpin_table - a table of an address space that ends becomes plain memory
 * Native: nothing; returns 0.
 * Context: process context.  No CPU runs on the table's root, and none will.
 *	@level 1 to 4.  The tables above are unpinned already, the root first; the
 *	entries that point at the table stay.  Nobody uses the table meanwhile (its
 *	lock held).  Returns 1: from then on this CPU may write the
 *	entries by plain stores, another CPU once it has dropped its TLB entry
 *	for the page; the ops work as before; the table is released as
 *	before.  Returns 0: nothing has changed.  pv_port_page_word() of an
 *	unpinned table of level 1 to 3 is not 0.
 *	For tables with so many entries that their removal by updates
 *	costs more.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU first.
 * Default: native.
 */
PV_OP(mmu, unpin_table, CALL6, C, u32, 2, (pv_pfn_t, pfn, u32, level), unpin_table)

/**
 * pgd_alloc - a root table with an empty user half
 * Native: a page whose entries 256..511 are those of pv_port_kernel_root().
 * Context: as alloc_pte.  The backend may supply a cached one.
 * Clobbers: C.
 * Batch: as alloc_pte.
 * Default: native.
 */
PV_OP(mmu, pgd_alloc, CALL6, C, pv_pfn_t, 0, (), pgd)

/**
 * pgd_free - take back a root table
 * Native: pv_port_free_page().
 * Context: as release_pte; no CPU runs on it; the kernel has unhooked what
 *	the user half pointed at, or drops the whole tree and releases each
 *	table itself afterwards (top down).
 * Clobbers: C.
 * Batch: as release_pte.
 * Default: native.
 */
PV_OP(mmu, pgd_free, CALL6, C, void, 1, (pv_pfn_t, pfn), pgd)
PV_TOGETHER(pgd_free, pgd_alloc)

/**
 * pgd_activate - a root table is about to be loaded for the first time
 * Native: nothing (NOP).  Xen PV: validated and pinned now, if the backend's
 *	cache has not already.
 * Context: before the first write_cr3() of it; process context.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU.
 * Default: native.
 */
PV_OP(mmu, pgd_activate, CALL6, C, void, 1, (pv_pfn_t, pfn), pgd)
PV_TOGETHER(pgd_activate, pgd_alloc)

/**
 * table_cache - bound the backend's cache of table pages
 * Native: keeps none, returns 0.
 * Context: process context.  Keeps at most @bound pages per level and CPU
 *	(roots count as one) and gives the rest back through
 *	pv_port_free_page(), of all CPUs, also of those that are off; 0 switches
 *	the cache off.  This is also the shrink op for when memory is
 *	short.  Returns the number of pages given back.
 * Clobbers: C.
 * Batch: flushes PV_BATCH_MMU.
 * Default: native.
 */
PV_OP(mmu, table_cache, CALL6, C, u32, 1, (u32, bound), table_cache)
PV_TOGETHER(table_cache, alloc_pte)

/**
 * set_fixmap - map a machine page at a fixed kernel address
 * Native: writes the entry pv_port_fixmap_pte(@index) and INVLPG.
 * Context: any but NMI.  @prot 0 unmaps.  The mapping is usable on return.
 * Clobbers: C.
 * Batch: never deferred.
 * Default: native.
 */
PV_OP(mmu, set_fixmap, CALL6, C, void, 3, (u32, index, pv_maddr_t, maddr, u64, prot), set_fixmap)

/**
 * batch_enter - the mmu updates that follow may be deferred
 * Native: nothing (NOP).  Others: see batch.h, which defines nesting,
 *	bound, interrupts and error reports.
 * Context: task context; may nest.  The batch belongs to the task: batch.h, rule 5, says
 *	how a kernel switches tasks in it.  PV_BATCH_CPU: preemption off until
 *	batch_leave.
 * Clobbers: C.
 * Batch: opens one.
 * Default: native.
 */
PV_OP(mmu, batch_enter, CALL6, C, void, 1, (enum pv_batch_kind, kind), batch)

/**
 * batch_leave - end of the innermost batch
 * Native: nothing (NOP).
 * Context: as batch_enter.
 * Clobbers: C.
 * Batch: the outermost leave flushes.
 * Default: native.
 */
PV_OP(mmu, batch_leave, CALL6, C, void, 1, (enum pv_batch_kind, kind), batch)
PV_TOGETHER(batch_leave, batch_enter)

/**
 * batch_flush - submit everything deferred so far
 * Native: nothing (NOP).
 * Context: as set_pte; the batch stays open.
 * Clobbers: C.
 * Batch: flushes.
 * Default: native.
 */
PV_OP(mmu, batch_flush, CALL6, C, void, 0, (), batch)
PV_TOGETHER(batch_flush, batch_enter)
