// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux's side of the pvops contract (pvops/port.h), and what the rest of
 * Linux expects of arch/x86/kernel/paravirt.c, which is not built.
 *
 * Linux brings up CPUs, programs timers, sends IPIs, writes to consoles and
 * allocates page tables by its own means: it uses the ops of the catalogue's
 * tables irq, cpu and mmu, and calls neither pv_cpu_init() nor pv_late_init().
 */
#define pr_fmt(fmt) fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/apic.h>
#include <asm/pgalloc.h>
#include <asm/desc.h>
#include <asm/io.h>
#include <asm/paravirt.h>
#include <asm/qspinlock.h>
#include <asm/sections.h>
#include <asm/segment.h>
#include <asm/setup.h>
#include <asm/tlb.h>
#include <asm/sync_core.h>
#include <asm/timer.h>
#include <asm/tsc.h>

#include <xen/interface/xen.h>

#include <pvops/batch.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

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

/* Module sites call through it until they are patched. */
EXPORT_SYMBOL(pv_slots);

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

/* Linux's own ops, natively (pvops_ops.h) */

static void pvops_nothing(void)
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

#define NOTHING(name) \
	.name = PV_EMPTY((typeof(pv_slots.name))pvops_nothing, PV_IMPL_IN_LINE)
#define NATIVE(name)	.name = PV_FN(native_##name, PV_IMPL_IN_LINE)

const struct pv_kernel_impls pv_native_kernel_impls = {
	NOTHING(attach_table),
	NOTHING(alloc_ldt),
	NOTHING(free_ldt),
	NATIVE(flush_tlb_info),
	NATIVE(remove_table),
	NOTHING(exit_mmap),
	NOTHING(enc_status_changed),
	NATIVE(map_fixmap),
#ifdef CONFIG_X86_IOPL_IOPERM
	.invalidate_io_bitmap = PV_FN(native_tss_invalidate_io_bitmap,
				      PV_IMPL_IN_LINE),
	.update_io_bitmap = PV_FN(native_tss_update_io_bitmap, PV_IMPL_IN_LINE),
#endif
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	.lock_slowpath = PV_FN(native_queued_spin_lock_slowpath, PV_IMPL_IN_LINE),
	.lock_release = PV_FN(native_lock_release, PV_IMPL_IN_LINE),
#endif
};

/*
 * A task may be preempted while it updates page tables lazily: its batch ends
 * with its turn, and is opened again with the next.
 */
void pvops_start_context_switch(struct task_struct *prev)
{
	if (pv_batch_open(PV_BATCH_MMU)) {
		pv_batch_leave(PV_BATCH_MMU);
		set_ti_thread_flag(task_thread_info(prev),
				   TIF_LAZY_MMU_UPDATES);
	}
	pv_outline_start_context_switch();
}

void pvops_end_context_switch(struct task_struct *next)
{
	pv_outline_end_context_switch();
	if (test_and_clear_ti_thread_flag(task_thread_info(next),
					  TIF_LAZY_MMU_UPDATES))
		pv_batch_enter(PV_BATCH_MMU);
}

/* Start-up */

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
 * First thing in C, with .bss clear: every op works from here.  The command
 * line cannot be read yet.
 */
void __init pvops_early_init(void)
{
	choose("");
}

/*
 * The same for the Xen PV entry, whose command line is there.
 */
void __init pvops_early_init_xen(const struct start_info *start_info)
{
	platform.xen_start_info = start_info;
	choose(start_info->cmd_line);
}

/*
 * In the place of apply_paravirt(): one CPU, NMIs stopped.  A choice on the
 * command line is taken into account here, before the first site is patched.
 */
void __init pvops_patch_kernel(void)
{
	if (!platform.xen_start_info && strstr(boot_command_line, "pvops="))
		choose(boot_command_line);
	pv_patch();
	pv_info.name = pv_backend() == pv_native() ? "bare hardware" :
						     pv_backend()->name;
	pv_print();
}

/* Read above; here only known, so that it is not handed to user space. */
static int __init pvops_option(char *unused)
{
	return 1;
}
__setup("pvops=", pvops_option);

/* One word for scripts: /sys/kernel/pvops. */
static ssize_t pvops_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", pv_backend()->name);
}

static struct kobj_attribute pvops_attr = __ATTR_RO(pvops);

static int __init pvops_sysfs_init(void)
{
	if (!IS_ENABLED(CONFIG_SYSFS))
		return 0;
	return sysfs_create_file(kernel_kobj, &pvops_attr.attr);
}
late_initcall(pvops_sysfs_init);

/* pvops_bench.ko counts its hypercalls. */
EXPORT_SYMBOL_GPL(pv_backend);

/* Modules with sites, and who patches. */
static LIST_HEAD(patched_modules);
static DEFINE_MUTEX(patch_lock);

struct patched_module {
	struct list_head list;
	struct module *mod;
	struct pv_site_set set;
	unsigned long init_start;
	unsigned long init_end;
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

	/* One range for both parts: all of it is in the module area. */
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

/* Text of start-up code is gone, its records are not. */
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
		if (pv_site_report(set, nr, &site))
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

void pv_port_log(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	pr_info("%pV\n", &vaf);
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

static unsigned long text_flags;

/*
 * Kernel text is writable until mark_rodata_ro(), a module's until it is made
 * read-only after module_finalize(); neither runs on another CPU then.
 */
long pv_port_text_begin(unsigned long start, unsigned long end)
{
	if (system_state >= SYSTEM_FREEING_INITMEM && core_kernel_text(start)) {
		pr_err("pvops: kernel text is read-only\n");
		return PV_TEXT_REFUSED;
	}
	local_irq_save(text_flags);
	return 0;
}

void pv_port_text_end(unsigned long start, unsigned long end)
{
	sync_core();
	local_irq_restore(text_flags);
}

int pv_port_hold_cpus(int (*fn)(void *arg), void *arg)
{
	return stop_machine(fn, arg, NULL);
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
	return per_cpu_offset(cpu);
}

u64 pvops_virt_to_pfn(const void *va)
{
	return __pa(va) >> PAGE_SHIFT;
}

void *pvops_pfn_to_virt(u64 pfn)
{
	return __va(pfn << PAGE_SHIFT);
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

/* Behind ops that Linux does not use. */

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
