/* SPDX-License-Identifier: GPL-2.0-only */
/* TLB, page tables and their entries, lazy updates.  Part of <asm/pvops.h>. */
#ifndef _ASM_X86_PVOPS_MMU_H
#define _ASM_X86_PVOPS_MMU_H

/* TLB: in line is Linux's own code, which handles ASIDs. */
void native_flush_tlb_local(void);
void native_flush_tlb_global(void);
void native_flush_tlb_one_user(unsigned long addr);
void native_flush_tlb_multi(const struct cpumask *cpumask,
			    const struct flush_tlb_info *info);

static __always_inline void __flush_tlb_local(void)
{
	if (unlikely(pv_replaced_flush_tlb_user()))
		pv_outline_flush_tlb_user();
	else
		native_flush_tlb_local();
}

static __always_inline void __flush_tlb_global(void)
{
	if (unlikely(pv_replaced_flush_tlb_kernel()))
		pv_outline_flush_tlb_kernel();
	else
		native_flush_tlb_global();
}

static __always_inline void __flush_tlb_one_user(unsigned long addr)
{
	if (unlikely(pv_replaced_flush_tlb_one()))
		pv_outline_flush_tlb_one(addr);
	else
		native_flush_tlb_one_user(addr);
}

static __always_inline void
__flush_tlb_multi(const struct cpumask *cpumask,
		  const struct flush_tlb_info *info)
{
	if (unlikely(pv_replaced_flush_tlb_info()))
		pv_outline_flush_tlb_info(cpumask, info);
	else
		native_flush_tlb_multi(cpumask, info);
}

#ifndef PVOPS_SPLIT_HEADERS
#define paravirt_tlb_remove_table(tlb, table)				\
do {									\
	if (unlikely(pv_replaced_remove_table()))			\
		pv_outline_remove_table(tlb, table);			\
	else								\
		tlb_remove_page(tlb, (struct page *)(table));		\
} while (0)
#endif

/* Life of address spaces */
static inline void paravirt_arch_exit_mmap(struct mm_struct *mm)
{
	PVOPS_UNLESS_NATIVE(exit_mmap, mm);
}

static inline void paravirt_arch_dup_mmap(struct mm_struct *oldmm,
					  struct mm_struct *mm) { }
static inline void paravirt_activate_mm(struct mm_struct *prev,
					struct mm_struct *next) { }
static inline void paravirt_enter_mmap(struct mm_struct *mm) { }

static inline void notify_page_enc_status_changed(unsigned long pfn,
						  int npages, bool enc)
{
	PVOPS_UNLESS_NATIVE(enc_status_changed, pfn, npages, enc);
}

/*
 * The kernel's own tables are attached.  Tables of processes come from the
 * backend (pvops_pgtable.c).
 */
extern struct mm_struct init_mm;

static inline int paravirt_pgd_alloc(struct mm_struct *mm)
{
	return 0;
}

static inline void paravirt_pgd_free(struct mm_struct *mm, pgd_t *pgd) { }

/* pvops_pgtable.c */
void pvops_table_unhooked(unsigned long pfn, unsigned int level);

/* Released where tables of processes are the backend's: alloc_pte stands for all. */
#define PVOPS_KERNEL_TABLE(name, level)					\
static __always_inline void						\
paravirt_alloc_##name(struct mm_struct *mm, unsigned long pfn)		\
{									\
	if (unlikely(pv_replaced_attach_table()) && mm == &init_mm)	\
		pv_outline_attach_table(pfn, level);			\
}									\
static __always_inline void paravirt_release_##name(unsigned long pfn)	\
{									\
	if (unlikely(pv_replaced_alloc_pte()))				\
		pvops_table_unhooked(pfn, level);			\
}

PVOPS_KERNEL_TABLE(pte, 1)
PVOPS_KERNEL_TABLE(pmd, 2)
PVOPS_KERNEL_TABLE(pud, 3)
#undef PVOPS_KERNEL_TABLE

static inline void paravirt_alloc_p4d(struct mm_struct *mm,
				      unsigned long pfn) { }
static inline void paravirt_release_p4d(unsigned long pfn) { }

/*
 * Page-table entries.  The ops of level 4 are Linux's p4d and, because whoever
 * replaces them runs four levels, its pgd.  A fifth level is native.
 */

/* These are the same for every backend: a constant one needs no site. */
#define PVOPS_NOT_PRESENT(val) \
	(__builtin_constant_p(val) && !((val) & _PAGE_PRESENT))

/*
 * Not volatile: the compiler may merge equal conversions, and leave out unused
 * ones.
 */
#define PVOPS_CONVERT(opname, val)					\
({									\
	u64 _val = (val);						\
									\
	asm_inline(PVOPS_BRANCH						\
		   PVOPS_FAR						\
		   "push %%rdi\n\t"					\
		   "mov %%rax, %%rdi\n"					\
		   PV_TEXT_OF_BRANCH					\
		   "pop %%rdi\n\t"					\
		   PVOPS_FAR_END					\
		   : "+a" (_val) : [op] "i" (PV_OP_##opname) : "cc");	\
	_val;								\
})

#define PVOPS_LEVEL(type, op)						\
static __always_inline type##_t __##type(type##val_t val)		\
{									\
	if (PVOPS_NOT_PRESENT(val))					\
		return native_make_##type(val);				\
	return native_make_##type(PVOPS_CONVERT(make_##op, val));	\
}									\
									\
static __always_inline type##val_t type##_val(type##_t entry)		\
{									\
	return PVOPS_CONVERT(op##_val, native_##type##_val(entry));	\
}

PVOPS_LEVEL(pte, pte)
PVOPS_LEVEL(pmd, pmd)
PVOPS_LEVEL(pud, pud)
PVOPS_LEVEL(pgd, p4d)
#if CONFIG_PGTABLE_LEVELS > 4
PVOPS_LEVEL(p4d, p4d)
#endif
#undef PVOPS_LEVEL

static __always_inline void set_pte(pte_t *ptep, pte_t pte)
{
	pv_set_pte((pv_pte_t *)ptep, (__force pv_pte_t)pte.pte);
}

static __always_inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	pv_set_pmd((pv_pmd_t *)pmdp, (__force pv_pmd_t)pmd.pmd);
}

static __always_inline void set_pud(pud_t *pudp, pud_t pud)
{
	pv_set_pud((pv_pud_t *)pudp, (__force pv_pud_t)pud.pud);
}

/* In line is Linux's own code, which keeps PTI's user half up to date. */
#define set_p4d(p4dp, p4d)						\
do {									\
	p4d_t *_p4dp = (p4dp);						\
	p4d_t _p4d = (p4d);						\
									\
	if (unlikely(pv_replaced_set_p4d()))				\
		pvops_set_p4d(_p4dp, _p4d);				\
	else								\
		native_set_p4d(_p4dp, _p4d);				\
} while (0)

#if CONFIG_PGTABLE_LEVELS > 4
/* The native code needs no test for five levels, the other side has four. */
#define set_pgd(pgdp, entry)						\
do {									\
	pgd_t *_pgdp = (pgdp);						\
	pgd_t _pgd = (entry);						\
									\
	if (unlikely(pv_replaced_set_p4d()))				\
		pvops_set_p4d((p4d_t *)_pgdp, (p4d_t) { _pgd.pgd });	\
	else								\
		native_set_pgd(_pgdp, _pgd);				\
} while (0)

#define pgd_clear(pgdp)							\
do {									\
	if (pgtable_l5_enabled())					\
		native_pgd_clear(pgdp);					\
} while (0)
#endif

static __always_inline void set_pte_atomic(pte_t *ptep, pte_t pte)
{
	set_pte(ptep, pte);
}

static __always_inline void pte_clear(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	set_pte(ptep, (pte_t) { 0 });
}

static __always_inline void pmd_clear(pmd_t *pmdp)
{
	set_pmd(pmdp, (pmd_t) { 0 });
}

static __always_inline void pud_clear(pud_t *pudp)
{
	set_pud(pudp, (pud_t) { 0 });
}

#define p4d_clear(p4dp)		set_p4d(p4dp, native_make_p4d(0))

#define  __HAVE_ARCH_PTEP_MODIFY_PROT_TRANSACTION
static __always_inline pte_t
ptep_modify_prot_start(struct vm_area_struct *vma, unsigned long addr,
		       pte_t *ptep)
{
	pv_pte_t old = pv_ptep_modify_prot_start((pv_pte_t *)ptep);

	return (pte_t) { (__force pteval_t)old };
}

static __always_inline void
ptep_modify_prot_commit(struct vm_area_struct *vma, unsigned long addr,
			pte_t *ptep, pte_t old_pte, pte_t pte)
{
	pv_ptep_modify_prot_commit((pv_pte_t *)ptep,
				   (__force pv_pte_t)pte.pte);
}

#define __set_fixmap(idx, phys, flags)					\
do {									\
	unsigned int _idx = (idx);					\
	phys_addr_t _phys = (phys);					\
	pgprot_t _flags = (flags);					\
									\
	if (unlikely(pv_replaced_map_fixmap()))				\
		pv_outline_map_fixmap(_idx, _phys, pgprot_val(_flags));	\
	else								\
		native_set_fixmap(_idx, _phys, _flags);			\
} while (0)

/* Batches */
#define  __HAVE_ARCH_ENTER_LAZY_MMU_MODE
static __always_inline void arch_enter_lazy_mmu_mode(void)
{
	PVOPS_UNLESS_NATIVE(batch_enter, PV_BATCH_MMU);
}

static __always_inline void arch_leave_lazy_mmu_mode(void)
{
	PVOPS_UNLESS_NATIVE(batch_leave, PV_BATCH_MMU);
}

static __always_inline void arch_flush_lazy_mmu_mode(void)
{
	PVOPS_UNLESS_NATIVE(batch_flush);
}

#endif /* _ASM_X86_PVOPS_MMU_H */
