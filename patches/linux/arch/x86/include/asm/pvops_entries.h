/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cheaper forms of functions in <asm/pgtable.h>: every site that is reached is
 * an instruction, even as a NOP.
 *
 * The flags of an entry are the same for every backend, and so is an entry that
 * is not present (pvops/ops/mmu.h, pte_val).  A function that reads only these
 * needs no site.  A function that converts in both directions needs one site.
 */
#ifndef _ASM_X86_PVOPS_ENTRIES_H
#define _ASM_X86_PVOPS_ENTRIES_H

pte_t pvops_pte_modify(pte_t pte, pgprot_t newprot);
pte_t pvops_pte_advance_pfn(pte_t pte, unsigned long nr);
pmd_t pvops_pmd_modify(pmd_t pmd, pgprot_t newprot);

/* An entry that is dirty and not writable is one of a shadow stack. */
static __always_inline pteval_t pvops_wrprotect(pteval_t val)
{
	val &= ~_PAGE_RW;
#ifdef _PAGE_SAVED_DIRTY
	val = mksaveddirty_shift(val);
#endif
	return val;
}

/* One guard is enough: pte_val and make_pte go together, at each level. */
static __always_inline pteval_t
pvops_change_flags(pteval_t old, pgprot_t newprot, pteval_t keep, pteval_t frame)
{
	pteval_t val = (old & keep) | (check_pgprot(newprot) & ~keep);

	val = flip_protnone_guard(old, val, frame);
#ifdef _PAGE_SAVED_DIRTY
	val = old & _PAGE_RW ? mksaveddirty_shift(val) : clear_saveddirty_shift(val);
#endif
	return val;
}

static inline pte_t pte_modify_guarded(pte_t pte, pgprot_t newprot)
{
	if (unlikely(pv_replaced_make_pte()))
		return pvops_pte_modify(pte, newprot);
	return native_make_pte(pvops_change_flags(native_pte_val(pte), newprot,
						  _PAGE_CHG_MASK,
						  PTE_PFN_MASK));
}

static inline pmd_t pmd_modify_guarded(pmd_t pmd, pgprot_t newprot)
{
	if (unlikely(pv_replaced_make_pmd()))
		return pvops_pmd_modify(pmd, newprot);
	return native_make_pmd(pvops_change_flags(native_pmd_val(pmd), newprot,
						  _HPAGE_CHG_MASK,
						  PHYSICAL_PMD_PAGE_MASK));
}

#define pte_modify(pte, newprot)	pte_modify_guarded(pte, newprot)
#define pmd_modify(pmd, newprot)	pmd_modify_guarded(pmd, newprot)

#if CONFIG_PGTABLE_LEVELS > 4
/* Only native code has a fifth level, whose entries need no conversion. */
static inline p4d_t *p4d_offset_native(pgd_t *pgd, unsigned long address)
{
	if (!pgtable_l5_enabled())
		return (p4d_t *)pgd;
	return (p4d_t *)__va(native_pgd_val(*pgd) & PTE_PFN_MASK) +
	       p4d_index(address);
}

#define p4d_offset(pgd, address)	p4d_offset_native(pgd, address)
#endif

/* Used only if the first entry is present. */
#define pte_same_frame(a, b) \
	(!((native_pte_val(a) ^ native_pte_val(b)) & PTE_PFN_MASK))
#define pmd_same_frame(a, b) \
	(!((native_pmd_val(a) ^ native_pmd_val(b)) & PHYSICAL_PMD_PAGE_MASK))

/* Equal entries have equal values, whatever the backend. */
#define __HAVE_ARCH_PMD_SAME
#define pmd_same(a, b)		(native_pmd_val(a) == native_pmd_val(b))
#define pud_same(a, b)		(native_pud_val(a) == native_pud_val(b))

/* Since 6.8: the entry of a page further on, often of the same page. */
static __always_inline pte_t pte_advance_pfn_guarded(pte_t pte, unsigned long nr)
{
	pteval_t val = native_pte_val(pte), step = nr << PAGE_SHIFT;

	if (__builtin_constant_p(nr) && !nr)
		return pte;
	if (unlikely(pv_replaced_make_pte()))
		return pvops_pte_advance_pfn(pte, nr);
	return native_make_pte(__pte_needs_invert(val) ? val - step : val + step);
}

#undef pte_advance_pfn
#define pte_advance_pfn(pte, nr)	pte_advance_pfn_guarded(pte, nr)

/*
 * Since 6.17: entries of one folio, nearly always one entry.  Linux's own
 * function converts two entries more than it writes.
 */
#define modify_prot_commit_ptes(vma, addr, ptep, old_pte, pte, nr)	\
do {									\
	unsigned long _at = (addr);					\
	unsigned int _left = (nr);					\
	pte_t *_ptep = (ptep);						\
	pte_t _old = (old_pte);						\
	pte_t _pte = (pte);						\
									\
	for (;;) {							\
		ptep_modify_prot_commit(vma, _at, _ptep, _old, _pte);	\
		if (!--_left)						\
			break;						\
		_at += PAGE_SIZE;					\
		_ptep++;						\
		_old = pte_next_pfn(_old);				\
		_pte = pte_next_pfn(_pte);				\
	}								\
} while (0)

#define PVOPS_HAS(val, which, what)	(((val) & (which)) == (what))

#ifndef _PAGE_DEVMAP
#define _PAGE_DEVMAP	0
#endif

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define pmd_trans_huge(pmd) \
	PVOPS_HAS(native_pmd_val(pmd), _PAGE_PSE | _PAGE_DEVMAP, _PAGE_PSE)
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
#define pud_trans_huge(pud) \
	PVOPS_HAS(native_pud_val(pud), _PAGE_PSE | _PAGE_DEVMAP, _PAGE_PSE)
#endif
#ifdef CONFIG_ARCH_HAS_PTE_DEVMAP
#define pmd_devmap(pmd)		(!!(native_pmd_val(pmd) & _PAGE_DEVMAP))
#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
#define pud_devmap(pud)		(!!(native_pud_val(pud) & _PAGE_DEVMAP))
#endif
#endif
#endif

#ifdef pud_leaf
#undef pud_leaf
#define pud_leaf(pud)		(!!(native_pud_val(pud) & _PAGE_PSE))
#else
#define pud_large(pud)							\
	PVOPS_HAS(native_pud_val(pud), _PAGE_PSE | _PAGE_PRESENT,	\
		  _PAGE_PSE | _PAGE_PRESENT)
#endif

#undef pte_access_permitted
#undef pmd_access_permitted
#undef pud_access_permitted
#define pte_access_permitted(pte, write) \
	__pte_access_permitted(native_pte_val(pte), write)
#define pmd_access_permitted(pmd, write) \
	__pte_access_permitted(native_pmd_val(pmd), write)
#define pud_access_permitted(pud, write) \
	__pte_access_permitted(native_pud_val(pud), write)

/* Swap entries are not present. */
#undef __pte_to_swp_entry
#undef __pmd_to_swp_entry
#undef __swp_entry_to_pte
#undef __swp_entry_to_pmd
#define __pte_to_swp_entry(pte)	((swp_entry_t) { native_pte_val(pte) })
#define __pmd_to_swp_entry(pmd)	((swp_entry_t) { native_pmd_val(pmd) })
#define __swp_entry_to_pte(x)	native_make_pte((x).val)
#define __swp_entry_to_pmd(x)	native_make_pmd((x).val)

/* Since 7.1: an entry of the kernel is set by an instruction that compares it. */
#ifdef ptep_try_set
static inline bool ptep_try_set_guarded(pte_t *ptep, pte_t pte)
{
	if (unlikely(pv_replaced_set_pte()))
		return pvops_ptep_try_set(ptep, pte);
	return ptep_try_set(ptep, pte);
}

#undef ptep_try_set
#define ptep_try_set(ptep, pte)	ptep_try_set_guarded(ptep, pte)
#endif

#endif /* _ASM_X86_PVOPS_ENTRIES_H */
