// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: mm: Let fork fill a table before it becomes one
//
// Where a hypervisor validates page tables, an update of a table in use costs
// much more than a plain store. A table that fork fills is linked at the end
// of the copy, before the lock of the source is released: who looks for the
// mappings of a page visits the parent first, and finds the entries of the
// child afterwards.
//
// Files: mm/memory.c

@@
symbol src_pmd, end;
expression mm, pmd, addr, lock;
@@
 copy_pte_range(...)
 {
 <...
-pte_alloc_map_lock(mm, pmd, addr, lock)
+arch_begin_copied_table(mm, pmd, src_pmd, addr, end, lock)
 ...>
 }

@@
symbol dst_mm, dst_pmd, orig_dst_pte;
identifier leave = { arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable };
@@
 copy_pte_range(...)
 {
 <...
 leave();
+arch_end_copied_table(dst_mm, dst_pmd, orig_dst_pte);
 ...>
 }

// Releases: 6.12 7.2
@@
symbol dst_mm, dst_pmd, dst_pte, dst_ptl;
@@
 copy_pte_range(...)
 {
 <...
+arch_end_copied_table(dst_mm, dst_pmd, dst_pte);
 pte_unmap_unlock(dst_pte, dst_ptl);
 ...>
 }
