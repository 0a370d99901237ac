// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux's side of the pvops contract (pvops/port.h), and the functions that the
 * rest of Linux needs from arch/x86/kernel/paravirt.c, which is not built.
 *
 * Linux itself brings up CPUs, programs timers, sends IPIs, writes to consoles
 * and allocates page tables.  It uses the ops of the catalogue's tables irq,
 * cpu and mmu, and does not call pv_late_init(); natively it does not call
 * pv_cpu_init() either.
 */
#define pr_fmt(fmt) fmt

#include <linux/cc_platform.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/sync_core.h>
#include <linux/vmalloc.h>
#include <linux/sysfs.h>

#include <asm/apic.h>
#include <asm/pgalloc.h>
#include <asm/desc.h>
#include <asm/io_bitmap.h>
#include <asm/nmi.h>
#include <asm/paravirt.h>
#include <asm/sections.h>
#include <asm/segment.h>
#include <asm/set_memory.h>
#include <asm/setup.h>
#include <asm/tlb.h>
#include <asm/timer.h>
#include <asm/tsc.h>
#ifdef CONFIG_PARAVIRT_SPINLOCKS
#include <asm/qspinlock.h>
#endif

#include <xen/interface/xen.h>

#include <pvops/batch.h>
#include <pvops/port.h>
#include <pvops/pvops.h>
#include <pvops/version.h>

static_assert(PV_KERNEL_CS == __KERNEL_CS);
static_assert(PV_KERNEL_DS == __KERNEL_DS);
static_assert(PV_USER_CS == __USER_CS);
static_assert(PV_USER_DS == __USER_DS);
static_assert(PV_GDT_LDT == GDT_ENTRY_LDT);
static_assert(PV_GDT_TLS == GDT_ENTRY_TLS_MIN);
static_assert(sizeof(struct pv_dtr) == sizeof(struct desc_ptr));
static_assert(sizeof(struct pv_gate) == sizeof(gate_desc));
static_assert(offsetof(struct pv_tss, sp0) ==
	      offsetof(struct x86_hw_tss, sp0));

/* Sites of modules call through it until they are patched. */
EXPORT_SYMBOL(pv_slots);
#ifdef PV_PORT_RETPOLINE
EXPORT_SYMBOL(pv_retpolines);
#endif

struct pv_info pv_info = {
	.name = "bare hardware",
	.extra_user_64bit_cs = __USER_CS,
};
EXPORT_SYMBOL_GPL(pv_info);

void __init default_banner(void)
{
	pr_info("Booting paravirtualized kernel on %s\n", pv_info.name);
}

DEFINE_STATIC_KEY_TRUE(virt_spin_lock_key);

void __init native_pv_lock_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		static_branch_disable(&virt_spin_lock_key);
}

struct static_key paravirt_steal_enabled;
struct static_key paravirt_steal_rq_enabled;

static u64 native_steal_clock(int cpu)
{
	return 0;
}

DEFINE_STATIC_CALL(pv_steal_clock, native_steal_clock);
DEFINE_STATIC_CALL(pv_sched_clock, native_sched_clock);

void paravirt_set_sched_clock(u64 (*func)(void))
{
	static_call_update(pv_sched_clock, func);
}

/*
 * The far sides of <asm/pvops_entries.h>.  An entry that stays present, or
 * stays absent, keeps its frame number, which needs no conversion.
 */

pte_t pvops_pte_modify(pte_t pte, pgprot_t newprot)
{
	pteval_t val = native_pte_val(pte);
	pteval_t new = pvops_change_flags(val, newprot, _PAGE_CHG_MASK,
					  PTE_PFN_MASK);

	if (!((val ^ new) & _PAGE_PRESENT))
		return native_make_pte(new);
	return __pte(pvops_change_flags(pte_val(pte), newprot, _PAGE_CHG_MASK,
					PTE_PFN_MASK));
}
EXPORT_SYMBOL_GPL(pvops_pte_modify);

pmd_t pvops_pmd_modify(pmd_t pmd, pgprot_t newprot)
{
	pmdval_t val = native_pmd_val(pmd);
	pmdval_t new = pvops_change_flags(val, newprot, _HPAGE_CHG_MASK,
					  PHYSICAL_PMD_PAGE_MASK);

	if (!((val ^ new) & _PAGE_PRESENT))
		return native_make_pmd(new);
	return __pmd(pvops_change_flags(pmd_val(pmd), newprot, _HPAGE_CHG_MASK,
					PHYSICAL_PMD_PAGE_MASK));
}
EXPORT_SYMBOL_GPL(pvops_pmd_modify);

/* Linux's own ops, natively (pvops_ops.h) */

void paravirt_nop(void)
{
}

static void native_flush_tlb_info(const struct cpumask *mask,
				  const struct flush_tlb_info *info)
{
	native_flush_tlb_multi(mask, info);
}

static void native_remove_table(struct mmu_gather *tlb, void *table)
{
	tlb_remove_page(tlb, table);
}

static void native_map_fixmap(u32 index, u64 phys, u64 flags)
{
	native_set_fixmap(index, phys, __pgprot(flags));
}

#ifdef CONFIG_PARAVIRT_SPINLOCKS
PV_CODE(code_lock_release, "movb $0, (%rdi)");
#endif

#define NOTHING(name)						\
	.name = PV_EMPTY((typeof(pv_slots.name))paravirt_nop,	\
			 PV_IMPL_BEHIND_BRANCH)
#define NATIVE(name)	.name = PV_FN(native_##name, PV_IMPL_BEHIND_BRANCH)

const struct pv_kernel_impls pv_native_kernel_impls = {
	NOTHING(attach_table),
	NOTHING(detach_table),
	NOTHING(alloc_ldt),
	NOTHING(free_ldt),
	NATIVE(flush_tlb_info),
	NATIVE(remove_table),
	NOTHING(exit_mmap),
	NOTHING(enc_status_changed),
	NATIVE(map_fixmap),
#ifdef CONFIG_X86_IOPL_IOPERM
	.invalidate_io_bitmap = PV_FN(native_tss_invalidate_io_bitmap,
				      PV_IMPL_BEHIND_BRANCH),
	.update_io_bitmap = PV_FN(native_tss_update_io_bitmap,
				  PV_IMPL_BEHIND_BRANCH),
#endif
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	.lock_slowpath = PV_FN(native_queued_spin_lock_slowpath,
			       PV_IMPL_BEHIND_BRANCH),
	.lock_release = PV_INLINE(__raw_callee_save___native_queued_spin_unlock,
				  code_lock_release, PV_IMPL_BEHIND_BRANCH),
#endif
};

/*
 * A task may sleep while it updates page tables lazily.  Its nested batches end
 * when it is switched out, and are opened again when it runs next.
 */
void pvops_start_context_switch(struct task_struct *prev)
{
	while (pv_batch_open(PV_BATCH_MMU)) {
		pv_batch_leave(PV_BATCH_MMU);
		prev->thread.lazy_mmu_depth++;
	}
	pv_outline_start_context_switch();
}

void pvops_end_context_switch(struct task_struct *next)
{
	pv_outline_end_context_switch();
	for (; next->thread.lazy_mmu_depth; next->thread.lazy_mmu_depth--)
		pv_batch_enter(PV_BATCH_MMU);
}

/* Start-up */

/* Firmware puts option ROMs into the 128 KiB from here on. */
#define ISA_OPTION_ROMS		0xc0000

static void __init read_cpuid(struct pv_cpuid *regs)
{
	native_cpuid(&regs->eax, &regs->ebx, &regs->ecx, &regs->edx);
}

static struct pv_platform platform __initdata = {
	.cpuid = read_cpuid,
};

static void __init choose(const char *cmdline)
{
	u16 cs;

	asm("mov %%cs, %0" : "=r" (cs));
	platform.cpl = cs & SEGMENT_RPL_MASK;
	pv_init(&platform, cmdline);
}

/*
 * Called first in C, with .bss clear.  From here on every op works, natively.
 * Nothing else may happen here: exceptions and instrumented code (printk and
 * its formats) do not work yet, and in a confidential guest CPUID is an
 * exception.
 */
void __init pvops_early_init(void)
{
	pv_init_native();
}

#ifdef CONFIG_PVH
/*
 * The PVH entry runs C code before pvops_early_init().  The choice made here is
 * lost when .bss is cleared.
 */
void __init pvops_prepare_pvh(void)
{
	pv_init_native();
	xen_prepare_pvh();
}
#endif

/*
 * Called at the Xen PV entry, where no native op works.  So the final choice is
 * made here: the command line exists, and PV guests are never encrypted.
 */
void __init pvops_early_init_xen(const struct start_info *start_info)
{
	platform.xen_start_info = start_info;
	choose(start_info->cmd_line);
}

/* Registered to keep it from user space; pv_init() reads it, too. */
static bool vmi_is_named __initdata;

static int __init pvops_option(char *words)
{
	if (words && parse_option_str(words, "vmi"))
		vmi_is_named = true;
	return 0;
}
early_param("pvops", pvops_option);

/*
 * Returns the reason why no ROM may be used, or NULL.  A ROM's code runs in
 * ring 0 and has no signature.  So it is used only if the user names it, and if
 * an unsigned module could be loaded, too.
 */
static const char * __init no_option_roms(void)
{
	if (!vmi_is_named)
		return "not asked for: pvops=vmi";
	/* Pages that firmware has not accepted must not be touched. */
	if (platform.memory_encrypted)
		return "the option ROM area must not be read in an encrypted guest";
	/* A ROM takes a root for one page; with isolation it has two. */
	if (boot_cpu_has(X86_FEATURE_PTI))
		return "page table isolation is on";
	if (security_locked_down(LOCKDOWN_MODULE_SIGNATURE))
		return "the kernel is locked down";
	return NULL;
}

/* The chosen backend's per-CPU part; natively Linux has its own. */
void pvops_cpu_init(void)
{
	if (pv_backend() != pv_native())
		pv_cpu_init(raw_smp_processor_id());
}

/*
 * Makes the final choice: here memory can be mapped, and the command line
 * exists.  The native op disables interrupts, and the chosen backend's op
 * enables them.
 */
static void __init choose_finally(void)
{
	platform.memory_encrypted = cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	platform.no_option_roms = no_option_roms();
	if (!platform.no_option_roms)
		platform.option_roms = __va(ISA_OPTION_ROMS);
	raw_local_irq_disable();
	choose(boot_command_line);
	pvops_cpu_init();
	raw_local_irq_enable();
	/* Tables of a backend go back to it after their last walker. */
	if (!pv_impl_is_native(PV_OP_release_pte) &&
	    pv_impl_is_native(PV_OP_remove_table))
		PV_OVERRIDE(remove_table, tlb_remove_table);
	/* Before alternatives: IRETQ may fault in the hypervisor's code. */
	if (!pv_impl_is_native(PV_OP_iret))
		setup_force_cpu_cap(X86_FEATURE_PVOPS_CODE);
	/* A required iret op: system calls must return by it, too. */
	if (pv_impl_of(PV_OP_iret)->flags & PV_IMPL_REQUIRED)
		setup_force_cpu_cap(X86_FEATURE_PVOPS_IRET);
}

/*
 * Called instead of apply_paravirt(): one CPU, NMIs stopped, no site patched.
 */
void __init pvops_patch_kernel(void)
{
	/* Under Xen PV, the choice was made at the entry. */
	if (!platform.xen_start_info)
		choose_finally();
	pv_patch();
	/* Natively, keep the name that a hypervisor's platform code has set. */
	if (pv_backend() != pv_native())
		pv_info.name = pv_backend()->name;
	pv_print();
}

/* One line for scripts, backend and version: /sys/kernel/pvops. */
static ssize_t pvops_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s %s\n", pv_backend()->name, PV_VERSION);
}

static struct kobj_attribute pvops_attr = __ATTR_RO(pvops);

static int __init pvops_sysfs_init(void)
{
	if (!IS_ENABLED(CONFIG_SYSFS))
		return 0;
	return sysfs_create_file(kernel_kobj, &pvops_attr.attr);
}
late_initcall(pvops_sysfs_init);

/* pvops_bench.ko reads its count of hypercalls. */
EXPORT_SYMBOL_GPL(pv_backend);

/* Modules with sites, and the lock of the list and of patching. */
static LIST_HEAD(patched_modules);
static DEFINE_MUTEX(patch_lock);

struct patched_module {
	struct list_head list;
	struct module *mod;
	struct pv_site_set set;
	unsigned long init_start;
	unsigned long init_end;
	void *alias;
};

#ifdef CONFIG_MODULES
int pvops_patch_module(struct module *mod, void *sites, unsigned long size)
{
	const struct module_layout *core = &mod->core_layout;
	const struct module_layout *init = &mod->init_layout;
	struct patched_module *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	m->mod = mod;
	m->set.name = mod->name;
	m->set.start = sites;
	m->set.end = sites + size;
	m->set.text_start = (unsigned long)core->base;
	m->set.text_end = (unsigned long)core->base + core->size;

	/* One range for both parts, which are both in the module area. */
	if (init->size) {
		m->init_start = (unsigned long)init->base;
		m->init_end = m->init_start + init->size;
		m->set.text_start = min(m->set.text_start, m->init_start);
		m->set.text_end = max(m->set.text_end, m->init_end);
	}
	mutex_lock(&patch_lock);
	pv_module_patch(&m->set);
	list_add(&m->list, &patched_modules);
	mutex_unlock(&patch_lock);
	return 0;
}

void pvops_forget_module(struct module *mod)
{
	struct patched_module *m, *next;

	mutex_lock(&patch_lock);
	list_for_each_entry_safe(m, next, &patched_modules, list)
		if (m->mod == mod) {
			list_del(&m->list);
			kfree(m);
		}
	mutex_unlock(&patch_lock);
}
#endif

/*
 * When text is read-only, it is patched again through a second mapping.  At
 * that time the records of start-up code still exist, but its text is freed.
 */
static bool patching_again;
static long text_alias;

static void *map_text(unsigned long start, unsigned long end)
{
	unsigned int nr, count = (PAGE_ALIGN(end) - start) >> PAGE_SHIFT;
	struct page **pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);
	void *alias;

	if (!pages)
		return NULL;
	for (nr = 0; nr < count; nr++) {
		unsigned long addr = start + nr * PAGE_SIZE;

		pages[nr] = core_kernel_text(start) ?
			    pfn_to_page(__pa_symbol(addr) >> PAGE_SHIFT) :
			    vmalloc_to_page((void *)addr);
	}
	alias = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return alias;
}

struct round_trip {
	void *alias;		/* of kernel text */
	void *before;		/* a copy of it */
	unsigned long changed;	/* bytes that differ as compiled */
	unsigned int modules;
	const char *why;
};

static unsigned long text_size(void)
{
	return _etext - _text;
}

static bool patch_set(struct pv_site_set *set, void *alias, unsigned long start,
		      const struct pv_impl *const *impl)
{
	text_alias = (unsigned long)alias - start;
	return !pv_apply(set, impl);
}

static bool patch_all(struct round_trip *trip, const struct pv_impl *const *impl)
{
	bool good = patch_set(pv_kernel_sites(), trip->alias,
			      (unsigned long)_text, impl);
	struct patched_module *m;

	list_for_each_entry(m, &patched_modules, list)
		good &= patch_set(&m->set, m->alias,
				  (unsigned long)m->mod->core_layout.base, impl);
	return good;
}

static int round_trip(void *arg)
{
	struct pv_site_set *kernel = pv_kernel_sites();
	const struct pv_impl *const *chosen = kernel->impl;
	struct round_trip *trip = arg;
	struct patched_module *m;
	unsigned long nr;
	bool good;

	list_for_each_entry(m, &patched_modules, list) {
		if (m->mod->state != MODULE_STATE_LIVE ||
		    m->mod->init_layout.base) {
			trip->why = "a module is on its way in or out";
			return -EAGAIN;
		}
		m->set.gone_start = m->init_start;
		m->set.gone_end = m->init_end;
		trip->modules++;
	}
	kernel->gone_start = (unsigned long)__init_begin;
	kernel->gone_end = (unsigned long)__init_end;

	memcpy(trip->before, _text, text_size());
	patching_again = true;
	good = patch_all(trip, NULL);
	for (nr = 0; nr < text_size(); nr++)
		trip->changed += _text[nr] != ((char *)trip->before)[nr];
	good &= patch_all(trip, chosen);
	patching_again = false;
	text_alias = 0;

	if (!good)
		trip->why = "sites failed";
	else if (memcmp(_text, trip->before, text_size()))
		trip->why = "text is not what it was";
	return trip->why ? -EIO : 0;
}

/*
 * Changes all sites to their compiled text and back while all CPUs are held: a
 * task can be suspended behind the HLT of an idle site.
 */
int pvops_patch_again(void)
{
	struct round_trip trip = { .why = NULL };
	struct patched_module *m;
	int error = -ENOMEM;

	mutex_lock(&patch_lock);
	trip.alias = map_text((unsigned long)_text, (unsigned long)_etext);
	trip.before = vmalloc(text_size());
	if (!trip.alias || !trip.before)
		goto out;
	list_for_each_entry(m, &patched_modules, list) {
		unsigned long base = (unsigned long)m->mod->core_layout.base;

		m->alias = map_text(base, base + m->mod->core_layout.text_size);
		if (!m->alias)
			goto out;
	}
	error = pv_port_hold_cpus(round_trip, &trip);
	if (error)
		pr_err("pvops: patching again: %s\n", trip.why);
	else
		pr_info("pvops: patched again: %u sites, %lu bytes of kernel text changed and changed back, %u modules\n",
			pv_kernel_sites()->stats.total, trip.changed,
			trip.modules);
out:
	list_for_each_entry(m, &patched_modules, list) {
		vunmap(m->alias);
		m->alias = NULL;
	}
	vfree(trip.before);
	vunmap(trip.alias);
	mutex_unlock(&patch_lock);
	return error;
}

/* Skips records of start-up code, whose text is freed. */
static void each_site(const struct pv_site_set *set, unsigned long gone_start,
		      unsigned long gone_end,
		      void (*fn)(const struct pv_site_report *site, void *arg),
		      void *arg)
{
	u32 nr, count = set->end - set->start;
	struct pv_site_report site;

	for (nr = 0; nr < count; nr++) {
		unsigned long addr = pv_site_addr(set->start + nr);

		if (addr >= gone_start && addr < gone_end)
			continue;
		if (pv_site_inspect(set, nr, &site))
			fn(&site, arg);
	}
}

/* The kernel's sites and those of modules. */
void pvops_each_site(void (*fn)(const struct pv_site_report *site, void *arg),
		     void *arg)
{
	struct patched_module *m;

	mutex_lock(&patch_lock);
	each_site(pv_kernel_sites(), (unsigned long)__init_begin,
		  (unsigned long)__init_end, fn, arg);
	list_for_each_entry(m, &patched_modules, list)
		each_site(&m->set, m->init_start, m->init_end, fn, arg);
	mutex_unlock(&patch_lock);
}

/* The contract: pvops/port.h */

/*
 * Refusals can be logged anywhere, even under the scheduler's locks, so the
 * console is written later.  Early in boot it is written at once, because
 * nobody would do it later.
 */
void pv_port_log(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	if (system_state < SYSTEM_SCHEDULING)
		pr_info("%pV\n", &vaf);
	else
		printk_deferred(KERN_INFO "%pV\n", &vaf);
	va_end(args);
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(out, size, fmt, args);
	va_end(args);
	return length;
}

void pv_port_panic(const char *why)
{
	panic("%s", why);
}

/* Executable code in the kernel's data (pv_port_code_area()). */
unsigned long pvops_code_start __ro_after_init, pvops_code_bytes __ro_after_init;

/*
 * The kernel's data is executable until mark_rodata_ro().  A change of page
 * tables needs interrupts enabled; the ops are still native here.
 */
bool pv_port_code_area(const void *start, size_t bytes)
{
	unsigned long at = (unsigned long)start;
	int error;

	raw_local_irq_enable();
	if (bytes)
		error = set_memory_ro(at, bytes >> PAGE_SHIFT);
	else
		error = set_memory_rw(at, pvops_code_bytes >> PAGE_SHIFT);
	raw_local_irq_disable();
	if (error) {
		pr_err("pvops: cannot change the protection of %ps: error %d\n",
		       start, error);
		return false;
	}
	pvops_code_start = at;
	pvops_code_bytes = bytes;
	return true;
}

/*
 * Makes data not executable, except the code area.  The area must be executable
 * all the time, because these calls use it.
 */
void pvops_protect_data(unsigned long start, unsigned long end)
{
	unsigned long code = pvops_code_start, bytes = pvops_code_bytes;

	if (!bytes) {
		set_memory_nx(start, (end - start) >> PAGE_SHIFT);
		return;
	}
	set_memory_nx(start, (code - start) >> PAGE_SHIFT);
	set_memory_nx(code + bytes, (end - code - bytes) >> PAGE_SHIFT);
}

/* Is this address the IRETQ of the iret op, in the hypervisor's code? */
noinstr bool pvops_is_iret(unsigned long ip)
{
	return ip - pvops_code_start < pvops_code_bytes &&
	       *(const u16 *)ip == 0xcf48;
}

static unsigned long text_flags;

/*
 * Kernel text is writable until mark_rodata_ro(), a module's text until it is
 * made read-only after module_finalize().  No other CPU runs either text then.
 *
 * When sites are patched again, an NMI may still arrive.  Its handlers are
 * stopped, but its entry and a machine check have sites of their own.  This
 * risk is accepted, as for other changes of text in stop_machine().
 */
long pv_port_text_begin(unsigned long start, unsigned long end)
{
	if (!patching_again && system_state >= SYSTEM_FREEING_INITMEM &&
	    core_kernel_text(start)) {
		pr_err("pvops: kernel text is read-only\n");
		return PV_TEXT_REFUSED;
	}
	local_irq_save(text_flags);
	if (patching_again)
		stop_nmi();
	return text_alias;
}

void pv_port_text_end(unsigned long start, unsigned long end)
{
	sync_core();
	if (patching_again)
		restart_nmi();
	local_irq_restore(text_flags);
}

struct held {
	int (*fn)(void *arg);
	void *arg;
	atomic_t arrived;
	int result;
	bool done;
};

static int run_or_wait(void *arg)
{
	struct held *held = arg;

	if (atomic_inc_return(&held->arrived) == 1) {
		while (atomic_read(&held->arrived) < num_online_cpus())
			cpu_relax();
		held->result = held->fn(held->arg);
		/* Other CPUs see the new text before they see @done. */
		smp_store_release(&held->done, true);
	} else {
		/* Pairs with the release above. */
		while (!smp_load_acquire(&held->done))
			cpu_relax();
		sync_core();
	}
	return 0;
}

/*
 * Every CPU takes part, so none is still in stop_machine()'s own loop, which
 * may have sites.  Each serialises before it continues.
 */
int pv_port_hold_cpus(int (*fn)(void *arg), void *arg)
{
	struct held held = { .fn = fn, .arg = arg };
	int error = stop_machine(run_or_wait, &held, cpu_online_mask);

	return error ? error : held.result;
}

void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg),
		       void *arg)
{
	u32 cpu;

	for_each_online_cpu(cpu)
		if (cpu < PV_MAX_CPUS && cpu != smp_processor_id() &&
		    mask->word[cpu / 64] & 1ULL << cpu % 64)
			smp_call_function_single(cpu, fn, arg, 1);
}

unsigned long pvops_percpu_offset(u32 cpu)
{
#ifdef CONFIG_SMP
	return per_cpu_offset(cpu);
#else
	return 0;
#endif
}

u64 *pvops_gdt_rw(const u64 *gdt)
{
	return (u64 *)get_cpu_gdt_rw(raw_smp_processor_id());
}

u32 pv_port_this_cpu(void)
{
	return raw_smp_processor_id();
}

pv_pfn_t pv_port_alloc_page(void)
{
	unsigned long page = get_zeroed_page(GFP_PGTABLE_KERNEL);

	return page ? pv_pfn(__pa(page) >> PAGE_SHIFT) : PV_PFN_NONE;
}

void pv_port_free_page(pv_pfn_t pfn)
{
	free_page((unsigned long)__va(pv_pfn_nr(pfn) << PAGE_SHIFT));
}

pv_pfn_t pv_port_kernel_root(void)
{
	return pv_pfn(__pa(swapper_pg_dir) >> PAGE_SHIFT);
}

pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn)
{
	unsigned int level;
	pte_t *ptep;

	ptep = lookup_address((unsigned long)__va(pv_pfn_nr(pfn) << PAGE_SHIFT),
			      &level);
	return level == PG_LEVEL_4K ? (pv_pte_t *)ptep : NULL;
}

pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va)
{
	unsigned int level;

	if (index >= __end_of_fixed_addresses)
		return NULL;
	*va = __fix_to_virt(index);
	return (pv_pte_t *)lookup_address(*va, &level);
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	void __iomem *mapping;

	mapping = flags & PV_MAP_UNCACHED ?
		  ioremap(pv_maddr_nr(maddr), bytes) :
		  ioremap_cache(pv_maddr_nr(maddr), bytes);
	if (!mapping)
		pr_err("pvops: cannot map %zu bytes\n", bytes);
	return (__force void *)mapping;
}

u32 pv_port_tsc_khz(void)
{
	return tsc_khz;
}

u32 pv_port_apic_id(u32 cpu)
{
	return cpu < nr_cpu_ids ? per_cpu(x86_cpu_to_apicid, cpu) : ~0U;
}

/* Only for ops that Linux does not use. */

void pv_port_interrupt(u32 vector)
{
	WARN_ONCE(1, "pvops: upcall, vector 0x%x\n", vector);
}

pv_pfn_t pv_port_low_page(void)
{
	return PV_PFN_NONE;
}

void pv_port_native_console(const char *text, size_t bytes)
{
	pr_info("%.*s", (int)bytes, text);
}

void pv_port_native_shutdown(enum pv_shutdown_reason reason)
{
	if (reason == PV_SHUTDOWN_POWEROFF)
		machine_power_off();
	emergency_restart();
	unreachable();
}
