// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of text: sites of modules, patching again, and the functions of the
 * port (pvops/port.h) that both need.
 */
#define pr_fmt(fmt) fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/sync_core.h>
#include <linux/vmalloc.h>

#include <asm/insn.h>
#include <asm/nmi.h>
#include <asm/paravirt.h>
#include <asm/sections.h>

#include <pvops/port.h>
#include <pvops/pvops.h>

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
	const typeof(*pvops_module_text(mod)) *core = pvops_module_text(mod);
	const typeof(*core) *init = pvops_module_init_text(mod);
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

/* Ops that may not be stepped: a kprobe's step has interrupts masked. */
static const enum pv_op mask_ops[] = {
	PV_OP_save_fl, PV_OP_restore_fl, PV_OP_irq_disable, PV_OP_irq_enable,
};

/**
 * pvops_probe_far_side - find what a kprobe calls in the place of an instruction
 * @insn: the instruction, decoded
 *
 * Context: any.  Returns the function of the op whose in-line code @insn is; 0
 * if @insn can be stepped.
 */
unsigned long pvops_probe_far_side(const struct insn *insn)
{
	unsigned int nr;

	for (nr = 0; nr < ARRAY_SIZE(mask_ops); nr++) {
		const struct pv_impl *impl = pv_impl_of(mask_ops[nr]);

		if (impl->code && impl->code_end - impl->code == insn->length &&
		    !memcmp(impl->code, insn->kaddr, insn->length))
			return (unsigned long)impl->fn;
	}
	return 0;
}

#ifdef CONFIG_KPROBES
/* The functions themselves have such instructions. */
static int __init no_probes_in_mask_ops(void)
{
	unsigned int nr;

	for (nr = 0; nr < ARRAY_SIZE(mask_ops); nr++) {
		unsigned long fn = (unsigned long)pv_impl_of(mask_ops[nr])->fn;

		if (kprobe_add_ksym_blacklist(fn) < 0)
			pr_err("pvops: kprobes in the function of %s are not refused\n",
			       pv_op_info[mask_ops[nr]].name);
	}
	return 0;
}
core_initcall(no_probes_in_mask_ops);
#endif

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
				  (unsigned long)pvops_module_text(m->mod)->base, impl);
	return good;
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

/* A kprobe's breakpoint, or its jump, is in the way of a site's text. */
#define KPROBE_JUMP_SIZE	5

static void find_kprobe(const struct pv_site_report *site, void *arg)
{
	struct round_trip *trip = arg;
	unsigned long addr = site->addr - KPROBE_JUMP_SIZE + 1;

	for (; addr < site->addr + PV_SITE_MAX; addr++)
		if (get_kprobe((void *)addr))
			trip->why = "a kprobe is at a site";
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
		    pvops_module_init_text(m->mod)->base) {
			trip->why = "a module is being loaded or unloaded";
			return -EAGAIN;
		}
		m->set.gone_start = m->init_start;
		m->set.gone_end = m->init_end;
		trip->modules++;
	}
	kernel->gone_start = (unsigned long)__init_begin;
	kernel->gone_end = (unsigned long)__init_end;
	each_site(kernel, kernel->gone_start, kernel->gone_end, find_kprobe, trip);
	list_for_each_entry(m, &patched_modules, list)
		each_site(&m->set, m->init_start, m->init_end, find_kprobe, trip);
	if (trip->why)
		return -EBUSY;

	memcpy(trip->before, _text, text_size());
	patching_again = true;
	good = patch_all(trip, NULL);
	for (nr = 0; nr < text_size(); nr++)
		trip->changed += _text[nr] != ((char *)trip->before)[nr];
	good &= patch_all(trip, chosen);
	patching_again = false;
	text_alias = 0;

	if (!good)
		trip->why = "some sites failed";
	else if (memcmp(_text, trip->before, text_size()))
		trip->why = "text differs from before";
	return trip->why ? -EIO : 0;
}

/*
 * Changes all sites to their compiled text and back while all CPUs are held: a
 * task can be suspended behind the HLT of an idle site, or preempted inside of
 * any site.
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
		unsigned long base = (unsigned long)pvops_module_text(m->mod)->base;

		m->alias = map_text(base, base + pvops_module_text_size(m->mod));
		if (!m->alias)
			goto out;
	}
	error = pv_port_hold_cpus(round_trip, &trip);
	if (error)
		pr_err("pvops: patching again failed: %s\n", trip.why);
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
