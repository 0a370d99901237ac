// SPDX-License-Identifier: GPL-2.0-only
/*
 * Call sites of every kind in a module.  Each load uses them, checks their
 * effects, and fails on an error.
 *
 * The module uses only Linux's interface for modules, so it also tests a kernel
 * with Linux's own paravirt_ops.
 */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/pgtable.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "sites.h"

#ifdef CONFIG_PVOPS
asmlinkage void asm_swapgs_twice(void);
asmlinkage void asm_iret(void);

static int test_asm(void)
{
	unsigned long flags;
	int cpu = get_cpu();
	bool masked;

	local_irq_save(flags);
	asm_swapgs_twice();
	local_irq_restore(flags);
	SHOULD(smp_processor_id() == cpu);
	local_irq_save(flags);
	asm_iret();
	masked = irqs_disabled();
	local_irq_restore(flags);
	put_cpu();
	SHOULD(masked && !irqs_disabled());
	return 0;
}
#else
static int test_asm(void)
{
	return 0;
}
#endif

static int test_irq(void)
{
	unsigned long outer, inner;

	SHOULD(!irqs_disabled());
	local_irq_save(outer);
	SHOULD(irqs_disabled());
	local_irq_save(inner);
	SHOULD(irqs_disabled() && irqs_disabled_flags(inner));
	local_irq_restore(inner);
	SHOULD(irqs_disabled());
	local_irq_enable();
	SHOULD(!irqs_disabled());
	local_irq_disable();
	SHOULD(irqs_disabled());
	local_irq_restore(outer);
	SHOULD(!irqs_disabled());
	return 0;
}

static int test_cpu(void)
{
	unsigned int eax = 0, ebx, ecx = 0, edx;
	unsigned long long value, again;
	unsigned long dr;

	__cpuid(&eax, &ebx, &ecx, &edx);
	SHOULD(eax == boot_cpu_data.cpuid_level);
	SHOULD(ebx == *(u32 *)boot_cpu_data.x86_vendor_id);
	SHOULD(!read_msr64_safe(MSR_EFER, &value));
	SHOULD(value & EFER_LMA);
	read_msr64(MSR_EFER, again);
	SHOULD(value == again);
	/* The FS base of the task, written back unchanged. */
	preempt_disable();
	read_msr64(MSR_FS_BASE, value);
	write_msr64(MSR_FS_BASE, value);
	read_msr64(MSR_FS_BASE, again);
	preempt_enable();
	SHOULD(value == again);
#ifdef CONFIG_PVOPS
	/*
	 * A register that no CPU has, accessed as by sites that are not patched yet:
	 * #GP on KVM (QEMU's own CPU raises none).  Xen PV has Linux's functions.
	 */
	if (!boot_cpu_has(X86_FEATURE_XENPV)) {
		SHOULD(pv_slots.read_msr(0xc001ffff) == 0);
		pv_slots.write_msr(0xc001ffff, 0);
	}
#endif
	SHOULD(read_cr0() & X86_CR0_PG);
	SHOULD(__read_cr3() & PAGE_MASK);
	get_debugreg(dr, 7);
	SHOULD((dr & 0xff) == 0);
	return 0;
}

#ifdef _PAGE_SAVED_DIRTY
/*
 * An entry that is dirty and not writable is one of a shadow stack.  So an entry that
 * loses its write permission keeps elsewhere that it is dirty.
 */
static int test_saved_dirty(struct page *page)
{
	pte_t pte = mk_pte(page, __pgprot(pgprot_val(PAGE_SHARED) | _PAGE_DIRTY));
	pmd_t pmd = __pmd(pte_val(pte));

	pte = pte_modify(pte, PAGE_READONLY);
	SHOULD(!(pte_flags(pte) & (_PAGE_RW | _PAGE_DIRTY)) && pte_dirty(pte));
	pte = pte_modify(pte, PAGE_SHARED);
	SHOULD(pte_flags(pte) & _PAGE_RW && pte_flags(pte) & _PAGE_DIRTY);
	SHOULD(!(pte_flags(pte) & _PAGE_SAVED_DIRTY) && pte_pfn(pte) == page_to_pfn(page));
	pmd = pmd_modify(pmd, PAGE_READONLY);
	SHOULD(!(pmd_flags(pmd) & (_PAGE_RW | _PAGE_DIRTY)) && pmd_dirty(pmd));
	pmd = pmd_modify(pmd, PAGE_SHARED);
	SHOULD(pmd_flags(pmd) & _PAGE_RW && pmd_flags(pmd) & _PAGE_DIRTY);
	SHOULD(!(pmd_flags(pmd) & _PAGE_SAVED_DIRTY));
	return 0;
}
#else
static int test_saved_dirty(struct page *page)
{
	return 0;
}
#endif

/* An entry of a table that no CPU uses. */
static int test_table(struct page *page, pte_t *table)
{
	struct vm_area_struct vma = { .vm_mm = current->mm };
	pte_t pte = mk_pte(page, PAGE_KERNEL), old;
	pmd_t pmd;
	pud_t pud;
	int nr;

	SHOULD(pte_pfn(__pte(pte_val(pte))) == page_to_pfn(page));
	pmd = __pmd(pte_val(pte));
	SHOULD(pmd_val(pmd) == pte_val(pte));
	pud = __pud(pte_val(pte));
	SHOULD(pud_val(pud) == pte_val(pte));

	set_pte(table, pte);
	SHOULD(pte_val(READ_ONCE(table[0])) == pte_val(pte));
	old = ptep_modify_prot_start(&vma, 0, table);
	SHOULD(pte_pfn(old) == page_to_pfn(page) && pte_write(old));
	ptep_modify_prot_commit(&vma, 0, table, old, pte_wrprotect(old));
	SHOULD(pte_pfn(*table) == page_to_pfn(page) && !pte_write(*table));

	set_pte(table, mk_pte(page, __pgprot(pgprot_val(PAGE_KERNEL) | _PAGE_DIRTY)));
	ptep_set_wrprotect(current->mm, 0, table);
	SHOULD(!pte_write(*table) && pte_dirty(*table));
#ifdef _PAGE_SAVED_DIRTY
	SHOULD(!(pte_flags(*table) & _PAGE_DIRTY));
#endif
	old = ptep_get_and_clear(current->mm, 0, table);
	SHOULD(pte_pfn(old) == page_to_pfn(page) && pte_none(*table));
#ifdef ptep_try_set
	SHOULD(ptep_try_set(table, pte) && pte_val(*table) == pte_val(pte));
	SHOULD(!ptep_try_set(table, pte_wrprotect(pte)) && pte_write(*table));
#endif

	preempt_disable();
	enter_lazy_mode();
	for (nr = 0; nr < PTRS_PER_PTE; nr++)
		set_pte(table + nr, nr & 1 ? pte : pte_wrprotect(pte));
	leave_lazy_mode();
	preempt_enable();
	for (nr = 0; nr < PTRS_PER_PTE; nr++)
		SHOULD(pte_pfn(table[nr]) == page_to_pfn(page) &&
		       !pte_write(table[nr]) == !(nr & 1));
	return 0;
}

/* Changes the entry of a page while the page is in use. */
static int test_mapping(struct page **pages, u8 *first, u8 *second)
{
	unsigned int level;
	u8 *va = vmap(pages, 1, VM_MAP, FLUSHABLE);
	pte_t *ptep;
	u8 saw[3];

	SHOULD(va);
	*first = 1;
	*second = 2;
	ptep = lookup_address((unsigned long)va, &level);
	SHOULD(ptep && level == PG_LEVEL_4K);
	preempt_disable();
	saw[0] = READ_ONCE(*va);
	set_pte(ptep, mk_pte(pages[1], FLUSHABLE));
	flush_this_cpu();
	saw[1] = READ_ONCE(*va);
	set_pte(ptep, mk_pte(pages[0], FLUSHABLE));
	flush_this_cpu();
	saw[2] = READ_ONCE(*va);
	preempt_enable();
	vunmap(va);
	SHOULD(saw[0] == 1 && saw[1] == 2 && saw[2] == 1);
	return 0;
}

/*
 * Branch sites in every section that Linux puts functions in.  A far side that lies
 * there between two instructions of a function is an endless loop.
 */
#define DEFINE_TEST_SECTION(name, attributes)				\
static noinline attributes int test_##name##_section(pte_t pte)		\
{									\
	pteval_t val = pte_val(pte) ^ _PAGE_RW;				\
	unsigned long flags;						\
	bool masked;							\
									\
	raw_local_irq_save(flags);					\
	pte = __pte(val);						\
	masked = raw_irqs_disabled();					\
	raw_local_irq_restore(flags);					\
	SHOULD(masked && !raw_irqs_disabled());				\
	SHOULD(pte_val(pte) == val);					\
	return 0;							\
}
DEFINE_TEST_SECTION(init, __init)
DEFINE_TEST_SECTION(ref, __ref)
DEFINE_TEST_SECTION(cold, __cold)
DEFINE_TEST_SECTION(fixup, __section(".text.fixup"))
DEFINE_TEST_SECTION(noinstr, __section(".noinstr.text"))

static int __init test_sections(pte_t pte)
{
	return test_init_section(pte) ?: test_ref_section(pte) ?: test_cold_section(pte) ?:
		test_fixup_section(pte) ?: test_noinstr_section(pte);
}

static int __init sites_init(void)
{
	struct page *pages[3];
	int nr, error = -ENOMEM;

	for (nr = 0; nr < ARRAY_SIZE(pages); nr++) {
		pages[nr] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[nr])
			goto out;
	}
	error = test_irq() ?: test_cpu() ?: test_sections(mk_pte(pages[0], PAGE_KERNEL)) ?:
		test_saved_dirty(pages[0]) ?:
		test_table(pages[0], page_address(pages[2])) ?:
		test_mapping(pages, page_address(pages[0]),
			     page_address(pages[1])) ?:
		test_lazy_sleep() ?: test_lazy_moves() ?: test_kernel_table() ?:
		test_asm();
out:
	while (nr--)
		__free_page(pages[nr]);
	return error;
}

/* A site that still exists when the start-up code is freed. */
static void __exit sites_exit(void)
{
	if (test_irq())
		pr_err("pvops_sites: interrupts are wrong at exit\n");
}

module_init(sites_init);
module_exit(sites_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Test of paravirtualization sites in a module");
