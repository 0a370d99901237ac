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
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/sync_core.h>

#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/paravirt.h>
#include <asm/qspinlock.h>
#include <asm/sections.h>
#include <asm/segment.h>
#include <asm/setup.h>
#include <asm/tlb.h>
#include <asm/timer.h>
#include <asm/tsc.h>

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

#define NOTHING(name) \
	.name = PV_EMPTY((typeof(pv_slots.name))paravirt_nop, PV_IMPL_IN_LINE)
#define NATIVE(name)	.name = PV_FN(native_##name, PV_IMPL_IN_LINE)

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
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	.lock_slowpath = PV_FN(native_queued_spin_lock_slowpath, PV_IMPL_IN_LINE),
	.lock_release = PV_INLINE(__raw_callee_save___native_queued_spin_unlock,
				  code_lock_release, PV_IMPL_IN_LINE),
#endif
};

/* Start-up */

static void __init read_cpuid(struct pv_cpuid *regs)
{
	native_cpuid(&regs->eax, &regs->ebx, &regs->ecx, &regs->edx);
}

static void __init choose(const char *cmdline)
{
	struct pv_platform platform = {
		.cpuid = read_cpuid,
	};
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

#ifdef CONFIG_PVH
/*
 * The PVH entry runs C before that, and already asks CPUID.  What is chosen
 * here is forgotten when .bss is cleared.
 */
void __init pvops_prepare_pvh(void)
{
	pvops_early_init();
	xen_prepare_pvh();
}
#endif

/*
 * In the place of apply_paravirt(): one CPU, NMIs stopped.  A choice on the
 * command line is taken into account here, before the first site is patched.
 */
void __init pvops_patch_kernel(void)
{
	if (strstr(boot_command_line, "pvops="))
		choose(boot_command_line);
	pv_patch();
	/* A hypervisor's platform code may have said more than "native". */
	if (pv_backend() != pv_native())
		pv_info.name = pv_backend()->name;
	pv_print();
}

/* Read above; here only known, so that it is not handed to user space. */
static int __init pvops_option(char *unused)
{
	return 1;
}
__setup("pvops=", pvops_option);

#ifdef CONFIG_MODULES
void pvops_patch_module(struct module *mod, void *sites, unsigned long size)
{
	const struct module_layout *core = &mod->core_layout;
	const struct module_layout *init = &mod->init_layout;
	struct pv_site_set set = {
		.name = mod->name,
		.start = sites,
		.end = sites + size,
		.text_start = (unsigned long)core->base,
		.text_end = (unsigned long)core->base + core->size,
	};

	/* One range for both parts: all of it is in the module area. */
	if (init->size) {
		unsigned long base = (unsigned long)init->base;

		set.text_start = min(set.text_start, base);
		set.text_end = max(set.text_end, base + init->size);
	}
	pv_module_patch(&set);
}
#endif

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
	unsigned long page = get_zeroed_page(GFP_ATOMIC);

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

/* Only a backend with frame numbers of its own asks. */
u64 __weak pv_port_foreign_pfn(u64 mfn)
{
	return ~0ULL;
}

u64 __weak pv_port_foreign_mfn(u64 pfn)
{
	return ~0ULL;
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
