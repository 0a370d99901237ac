// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rules convert. */
static int
copy_pte_range(struct vm_area_struct *dst_vma, struct vm_area_struct *src_vma,
	       pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
	       unsigned long end)
{
	pte_t *orig_dst_pte, *src_pte, *dst_pte;
	spinlock_t *src_ptl, *dst_ptl;

again:
	dst_pte = pte_alloc_map_lock(dst_mm, dst_pmd, addr, &dst_ptl);
	if (!dst_pte)
		return -ENOMEM;
	src_pte = pte_offset_map_nolock(src_mm, src_pmd, addr, &src_ptl);
	if (!src_pte) {
		pte_unmap_unlock(dst_pte, dst_ptl);
		return 0;
	}
	orig_dst_pte = dst_pte;
	arch_enter_lazy_mmu_mode();
	one(dst_pte);
	arch_leave_lazy_mmu_mode();
	spin_unlock(src_ptl);
	pte_unmap_unlock(orig_dst_pte, dst_ptl);
	if (addr != end)
		goto again;
	return 0;
}
