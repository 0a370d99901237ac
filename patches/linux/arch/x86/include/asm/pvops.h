/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of <asm/paravirt.h> for the rest of Linux, made of the ops of
 * the pvops catalogue (pvops/catalogue.h).
 *
 * If Linux's own native code does more than the bare instruction (PTI's second
 * root table, exception tables of MSR access, mitigations), that code is in
 * line behind the op's branch site.
 *
 * Functions are macros if they need types that are not defined yet when this
 * file is first included.
 */
#ifndef _ASM_X86_PVOPS_H
#define _ASM_X86_PVOPS_H

#include <asm/pvops_types.h>

#ifdef __ASSEMBLY__

#ifdef CONFIG_DEBUG_ENTRY
#include <pvops/site.h>
/* Users test X86_EFLAGS_IF, which a token need not contain. */
#define SAVE_FLAGS							\
	PV_CALL_OP save_fl;						\
	pushq	%rdi;							\
	movq	%rax, %rdi;						\
	PV_CALL_OP irqs_disabled_flags;					\
	popq	%rdi;							\
	xorl	$1, %eax;						\
	shll	$X86_EFLAGS_IF_BIT, %eax
#endif

#else /* !__ASSEMBLY__ */

#include <linux/bug.h>
#include <linux/types.h>
#include <linux/cpumask.h>
#include <linux/linkage.h>
#include <linux/static_call_types.h>
#include <asm/asm.h>
#include <asm/desc_defs.h>
#include <asm/frame.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>

#include <pvops/call.h>

struct mm_struct;
struct mmu_gather;
struct task_struct;
struct vm_area_struct;
struct flush_tlb_info;
struct module;

/* Start-up and patching: pvops_port.c */
void pvops_early_init(void);
struct start_info;
void pvops_early_init_xen(const struct start_info *start_info);
void pvops_prepare_pvh(void);
void xen_prepare_pvh(void);
void pvops_patch_kernel(void);
void pvops_cpu_init(void);
void pvops_protect_data(unsigned long start, unsigned long end);
bool pvops_is_iret(unsigned long ip);
int pvops_patch_module(struct module *mod, void *sites, unsigned long size);
void pvops_forget_module(struct module *mod);
int pvops_patch_again(void);
struct pv_site_report;
void pvops_each_site(void (*fn)(const struct pv_site_report *site, void *arg),
		     void *arg);

void default_banner(void);

/* Time: Linux's own hooks. */
u64 dummy_steal_clock(int cpu);
u64 dummy_sched_clock(void);

DECLARE_STATIC_CALL(pv_steal_clock, dummy_steal_clock);
DECLARE_STATIC_CALL(pv_sched_clock, dummy_sched_clock);

void paravirt_set_sched_clock(u64 (*func)(void));

static inline u64 paravirt_sched_clock(void)
{
	return static_call(pv_sched_clock)();
}

struct static_key;
extern struct static_key paravirt_steal_enabled;
extern struct static_key paravirt_steal_rq_enabled;

/* The hypervisor's code; entry_64.S compares with it. */
extern unsigned long pvops_code_start, pvops_code_bytes;

static inline u64 paravirt_steal_clock(int cpu)
{
	return static_call(pv_steal_clock)(cpu);
}

/* Interrupts.  Saved flags are an opaque token of the backend. */
static __always_inline unsigned long arch_local_save_flags(void)
{
	return (__force unsigned long)pv_save_fl();
}

static __always_inline void arch_local_irq_disable(void)
{
	pv_irq_disable();
}

static __always_inline void arch_local_irq_enable(void)
{
	pv_irq_enable();
}

/* The real RFLAGS, under any backend. */
static __always_inline unsigned long pvops_rflags(void)
{
	unsigned long flags;

	asm volatile("pushf; pop %0" : "=rm" (flags) : : "memory");
	return flags;
}

/*
 * A branch site whose far side is in the same asm statement.  With asm goto,
 * the compiler may place the far side between the site and the native code
 * (with -Os it does), and then native code must jump.  The far side is in
 * .ref.text, because it jumps back to sites in .init.text, too.
 */
#define PVOPS_BRANCH							\
	"771: .byte 0xe9\n\t.long 772f - . - 4\n\t"			\
	".byte 0x66, 0x90\n\t" PV_RECORD(7, 2)
#define PVOPS_FAR	"773:\n.pushsection .ref.text, \"ax\"\n772:\n"
#define PVOPS_FAR_END	"jmp 773b\n.popsection\n"

/* Both ops in one guard save a NOP. */
static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags;

	asm_inline volatile(PVOPS_BRANCH
			    "pushf\n\t"
			    "pop %%rax\n\t"
			    "cli\n"
			    PVOPS_FAR
			    PV_TEXT_CALL9_OF(save, 0)
			    "push %%rax\n\t"
			    PV_TEXT_CALL9(0)
			    "pop %%rax\n\t"
			    PVOPS_FAR_END
			    : "=a" (flags)
			    : [op] "i" (PV_OP_irq_disable),
			      [save] "i" (PV_OP_save_fl)
			    : "memory", "cc");
	return flags;
}

#define __HAVE_ARCH_IRQ_FLAGS_TOKEN
static __always_inline int arch_irqs_disabled_flags(unsigned long flags)
{
	return pv_irqs_disabled_flags((__force pv_flags_t)flags);
}

static __always_inline int arch_irqs_disabled(void)
{
	if (unlikely(pv_replaced_irqs_disabled_flags()))
		return pv_outline_irqs_disabled_flags(pv_save_fl());
	return !(pvops_rflags() & X86_EFLAGS_IF);
}

/* In line is Linux's own code, which needs no POPF. */
static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	asm_inline volatile(PVOPS_BRANCH
			    "test %[mask], %k[flags]\n\t"
			    "jz 773f\n\t"
			    "sti\n"
			    PVOPS_FAR
			    "push %%rdi\n\t"
			    "mov %[flags], %%rdi\n"
			    PV_TEXT_OF_BRANCH
			    "pop %%rdi\n\t"
			    PVOPS_FAR_END
			    : : [flags] "r" (flags), [op] "i" (PV_OP_restore_fl),
			      [mask] "i" (X86_EFLAGS_IF)
			    : "rax", "memory", "cc");
}

static __always_inline void arch_safe_halt(void)
{
	x86_idle_clear_cpu_buffers();
	pv_safe_halt();
}

static __always_inline void halt(void)
{
	x86_idle_clear_cpu_buffers();
	pv_halt();
}

/*
 * An op that does nothing natively.  Unlike a call site, it clobbers no
 * registers on native.
 */
#define PVOPS_UNLESS_NATIVE(op, ...)					\
do {									\
	if (unlikely(pv_replaced_##op()))				\
		pv_outline_##op(__VA_ARGS__);				\
} while (0)

/* CPU */

/* In line is Linux's own code, whose way to wait is an option. */
void native_io_delay(void);

static inline void paravirt_io_delay(void)
{
	if (unlikely(pv_replaced_io_delay()))
		pv_outline_io_delay();
	else
		native_io_delay();
}

static inline void slow_down_io(void)
{
	paravirt_io_delay();
#ifdef REALLY_SLOW_IO
	paravirt_io_delay();
	paravirt_io_delay();
	paravirt_io_delay();
#endif
}

static __always_inline void pvops_outline_cpuid(unsigned int *eax,
						unsigned int *ebx,
						unsigned int *ecx,
						unsigned int *edx)
{
	struct pv_cpuid regs = { .eax = *eax, .ecx = *ecx };

	pv_outline_cpuid(&regs);
	*eax = regs.eax;
	*ebx = regs.ebx;
	*ecx = regs.ecx;
	*edx = regs.edx;
}

#define __cpuid(eax, ebx, ecx, edx)					\
do {									\
	if (unlikely(pv_replaced_cpuid()))				\
		pvops_outline_cpuid(eax, ebx, ecx, edx);		\
	else								\
		native_cpuid(eax, ebx, ecx, edx);			\
} while (0)

/* In line is Linux's own code, which orders accesses to DR7. */
#define get_debugreg(var, reg)						\
	((var) = unlikely(pv_replaced_get_debugreg()) ?			\
		 pv_outline_get_debugreg(reg) : native_get_debugreg(reg))

#define set_debugreg(val, reg)						\
do {									\
	unsigned long _dr = (val);					\
									\
	if (unlikely(pv_replaced_set_debugreg()))			\
		pv_outline_set_debugreg(reg, _dr);			\
	else								\
		native_set_debugreg(reg, _dr);				\
} while (0)

static __always_inline unsigned long read_cr0(void)
{
	return pv_read_cr0();
}

/* In line is Linux's own code, which pins bits. */
void native_write_cr0(unsigned long val);
void native_write_cr4(unsigned long val);

static __always_inline void write_cr0(unsigned long x)
{
	if (unlikely(pv_replaced_write_cr0()))
		pv_outline_write_cr0(x);
	else
		native_write_cr0(x);
}

static __always_inline unsigned long read_cr2(void)
{
	return pv_read_cr2();
}

static __always_inline void write_cr2(unsigned long x)
{
	pv_write_cr2(x);
}

static __always_inline unsigned long __read_cr3(void)
{
	return pv_read_cr3();
}

static __always_inline void write_cr3(unsigned long x)
{
	pv_write_cr3(x);
}

static __always_inline void __write_cr4(unsigned long x)
{
	if (unlikely(pv_replaced_write_cr4()))
		pv_outline_write_cr4(x);
	else
		native_write_cr4(x);
}

static __always_inline void wbinvd(void)
{
	pv_wbinvd();
}

/* MSRs: in line is Linux's own access, with its exception table entry. */
#define paravirt_read_msr(msr)						\
({									\
	u32 _msr = (msr);						\
									\
	unlikely(pv_replaced_read_msr()) ? pv_outline_read_msr(_msr)	\
					 : native_read_msr(_msr);	\
})

#define paravirt_write_msr(msr, low, high)				\
do {									\
	u32 _msr = (msr), _low = (low), _high = (high);			\
									\
	if (unlikely(pv_replaced_write_msr()))				\
		pv_outline_write_msr(_msr, _low | (u64)_high << 32);	\
	else								\
		native_write_msr(_msr, _low, _high);			\
} while (0)

#define rdmsr(msr, val1, val2)			\
do {						\
	u64 _l = paravirt_read_msr(msr);	\
						\
	val1 = (u32)_l;				\
	val2 = _l >> 32;			\
} while (0)

#define wrmsr(msr, val1, val2)	paravirt_write_msr(msr, val1, val2)

#define rdmsrl(msr, val)	((val) = paravirt_read_msr(msr))

#define wrmsrl(msr, val)						\
do {									\
	u64 _val = (val);						\
									\
	paravirt_write_msr(msr, (u32)(_val & 0xffffffffULL),		\
			   (u32)(_val >> 32));				\
} while (0)

#define wrmsr_safe(msr, low, high)					\
({									\
	u32 _msr = (msr), _low = (low), _high = (high);			\
									\
	unlikely(pv_replaced_write_msr_safe()) ?			\
		pv_outline_write_msr_safe(_msr, _low | (u64)_high << 32) : \
		native_write_msr_safe(_msr, _low, _high);		\
})

#define rdmsrl_safe(msr, p)						\
({									\
	u64 *_p = (p);							\
	u32 _msr = (msr);						\
	int _err;							\
									\
	if (unlikely(pv_replaced_read_msr_safe()))			\
		_err = pv_outline_read_msr_safe(_msr, _p);		\
	else								\
		*_p = native_read_msr_safe(_msr, &_err);		\
	_err;								\
})

#define rdmsr_safe(msr, a, b)				\
({							\
	u64 _val;					\
	int _error = rdmsrl_safe(msr, &_val);		\
							\
	(*a) = (u32)_val;				\
	(*b) = _val >> 32;				\
	_error;						\
})

#define rdpmc(counter, low, high)		\
do {						\
	u64 _l = pv_read_pmc(counter);		\
						\
	low = (u32)_l;				\
	high = _l >> 32;			\
} while (0)

#define rdpmcl(counter, val)	((val) = pv_read_pmc(counter))

/* Descriptors */
static __always_inline void load_gdt(const struct desc_ptr *dtr)
{
	pv_load_gdt((const struct pv_dtr *)dtr);
}

static __always_inline void load_idt(const struct desc_ptr *dtr)
{
	pv_load_idt((const struct pv_dtr *)dtr);
}

#define store_tr(tr)		((tr) = pv_store_tr())

#define load_TLS(t, cpu)						\
do {									\
	struct thread_struct *_t = (t);					\
	unsigned int _cpu = (cpu);					\
									\
	if (unlikely(pv_replaced_load_tls()))				\
		pv_outline_load_tls((u64 *)get_cpu_gdt_rw(_cpu),	\
				    (const u64 *)_t->tls_array);	\
	else								\
		native_load_tls(_t, _cpu);				\
} while (0)

#define load_sp0(sp0)							\
do {									\
	unsigned long _sp0 = (sp0);					\
									\
	if (unlikely(pv_replaced_load_sp0()))				\
		pv_outline_load_sp0((struct pv_tss *)			\
			this_cpu_ptr(&cpu_tss_rw.x86_tss), _sp0);	\
	else								\
		native_load_sp0(_sp0);					\
} while (0)

static __always_inline void write_ldt_entry(struct desc_struct *dt, int entry,
					    const void *desc)
{
	pv_write_ldt_entry((u64 *)dt, entry, *(const u64 *)desc);
}

static __always_inline void write_gdt_entry(struct desc_struct *dt, int entry,
					    void *desc, int type)
{
	pv_write_gdt_entry((u64 *)dt, entry, desc,
			   type == DESC_TSS || type == DESC_LDT ? 2 : 1);
}

static __always_inline void write_idt_entry(gate_desc *dt, int entry,
					    const gate_desc *g)
{
	pv_write_idt_entry((struct pv_gate *)dt, entry,
			   (const struct pv_gate *)g);
}

/*
 * In line is Linux's own code: the mapping of the GDT that the CPU uses is
 * read-only, and an interrupt may come between two SWAPGS.
 */
#define load_TR_desc()							\
do {									\
	if (unlikely(pv_replaced_load_tr()))				\
		pv_outline_load_tr(GDT_ENTRY_TSS * 8);			\
	else								\
		native_load_tr_desc();					\
} while (0)

#define set_ldt(addr, entries)						\
do {									\
	const void *_addr = (addr);					\
	unsigned int _entries = (entries);				\
									\
	if (unlikely(pv_replaced_set_ldt()))				\
		pv_outline_set_ldt((u64 *)_addr, _entries);		\
	else								\
		native_set_ldt(_addr, _entries);			\
} while (0)

#define load_gs_index(gs)						\
do {									\
	unsigned int _gs = (gs);					\
									\
	if (unlikely(pv_replaced_load_gs_index()))			\
		pv_outline_load_gs_index(_gs);				\
	else								\
		native_load_gs_index(_gs);				\
} while (0)

static inline void paravirt_alloc_ldt(struct desc_struct *ldt,
				      unsigned int entries)
{
	PVOPS_UNLESS_NATIVE(alloc_ldt, ldt, entries);
}

static inline void paravirt_free_ldt(struct desc_struct *ldt,
				     unsigned int entries)
{
	PVOPS_UNLESS_NATIVE(free_ldt, ldt, entries);
}

#ifdef CONFIG_X86_IOPL_IOPERM
#define tss_update_io_bitmap()						\
do {									\
	if (unlikely(pv_replaced_update_io_bitmap()))			\
		pv_outline_update_io_bitmap();				\
	else								\
		native_tss_update_io_bitmap();				\
} while (0)

#define tss_invalidate_io_bitmap()					\
do {									\
	if (unlikely(pv_replaced_invalidate_io_bitmap()))		\
		pv_outline_invalidate_io_bitmap();			\
	else								\
		native_tss_invalidate_io_bitmap();			\
} while (0)
#endif

void pvops_start_context_switch(struct task_struct *prev);
void pvops_end_context_switch(struct task_struct *next);

#define  __HAVE_ARCH_START_CONTEXT_SWITCH
static __always_inline void arch_start_context_switch(struct task_struct *prev)
{
	if (unlikely(pv_replaced_start_context_switch()))
		pvops_start_context_switch(prev);
}

static __always_inline void arch_end_context_switch(struct task_struct *next)
{
	if (unlikely(pv_replaced_end_context_switch()))
		pvops_end_context_switch(next);
}

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

#define paravirt_tlb_remove_table(tlb, table)				\
do {									\
	if (unlikely(pv_replaced_remove_table()))			\
		pv_outline_remove_table(tlb, table);			\
	else								\
		tlb_remove_page(tlb, (struct page *)(table));		\
} while (0)

/* Life of address spaces */
static inline void paravirt_arch_exit_mmap(struct mm_struct *mm)
{
	PVOPS_UNLESS_NATIVE(exit_mmap, mm);
}

static inline void paravirt_arch_dup_mmap(struct mm_struct *oldmm,
					  struct mm_struct *mm) { }
static inline void paravirt_activate_mm(struct mm_struct *prev,
					struct mm_struct *next) { }

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

#define PVOPS_KERNEL_TABLE(name, level)					\
static __always_inline void						\
paravirt_alloc_##name(struct mm_struct *mm, unsigned long pfn)		\
{									\
	if (unlikely(pv_replaced_attach_table()) && mm == &init_mm)	\
		pv_outline_attach_table(pfn, level);			\
}									\
static __always_inline void paravirt_release_##name(unsigned long pfn)	\
{									\
	if (unlikely(pv_replaced_detach_table()))			\
		pvops_table_unhooked(pfn, level);			\
}

PVOPS_KERNEL_TABLE(pte, 1)
PVOPS_KERNEL_TABLE(pmd, 2)
PVOPS_KERNEL_TABLE(pud, 3)
#undef PVOPS_KERNEL_TABLE

static inline void paravirt_alloc_p4d(struct mm_struct *mm,
				      unsigned long pfn) { }
static inline void paravirt_release_p4d(unsigned long pfn) { }

/* Page-table entries.  The catalogue's root ("p4d") is Linux's pgd. */

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

/*
 * Makes a function from a C function that preserves all registers but RAX, as
 * convention ASM requires.
 */
#define __PV_CALLEE_SAVE_REGS_THUNK(func, section)			\
	extern typeof(func) __raw_callee_save_##func;			\
									\
	asm(".pushsection " section ", \"ax\"\n"			\
	    ".globl __raw_callee_save_" #func "\n"			\
	    ".type __raw_callee_save_" #func ", @function\n"		\
	    "__raw_callee_save_" #func ":\n"				\
	    ASM_ENDBR FRAME_BEGIN					\
	    "push %rcx; push %rdx; push %rsi; push %rdi\n"		\
	    "push %r8; push %r9; push %r10; push %r11\n"		\
	    "call " #func "\n"						\
	    "pop %r11; pop %r10; pop %r9; pop %r8\n"			\
	    "pop %rdi; pop %rsi; pop %rdx; pop %rcx\n"			\
	    FRAME_END ASM_RET						\
	    ".size __raw_callee_save_" #func ", . - __raw_callee_save_" #func "\n" \
	    ".popsection")
#define PV_CALLEE_SAVE_REGS_THUNK(func)					\
	__PV_CALLEE_SAVE_REGS_THUNK(func, ".text")
#define PV_CALLEE_SAVE(func)		(__raw_callee_save_##func)
#define __PV_IS_CALLEE_SAVE(func)	(func)

#ifdef CONFIG_PARAVIRT_SPINLOCKS
void __native_queued_spin_unlock(struct qspinlock *lock);
void __raw_callee_save___native_queued_spin_unlock(struct qspinlock *lock);
bool __native_vcpu_is_preempted(long cpu);
bool pv_is_native_spin_unlock(void);
bool pv_is_native_vcpu_is_preempted(void);
void paravirt_set_cap(void);

static __always_inline void pv_queued_spin_lock_slowpath(struct qspinlock *lock,
							 u32 val)
{
	pv_lock_slowpath(lock, val);
}

static __always_inline void pv_queued_spin_unlock(struct qspinlock *lock)
{
	pv_lock_release(lock);
}

static __always_inline void pv_wait(u8 *ptr, u8 val)
{
	pv_lock_wait(ptr, val);
}

static __always_inline void pv_kick(int cpu)
{
	pv_lock_kick(cpu);
}
#else
static inline void paravirt_set_cap(void) { }
#endif

void paravirt_nop(void);

#include <asm/pvops_set.h>

#endif /* __ASSEMBLY__ */
#endif /* _ASM_X86_PVOPS_H */
