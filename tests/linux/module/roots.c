// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel half of page tables gets a P4D entry while processes come and go, as by
 * memory hotplug.  Each load checks the entries of earlier loads in the root of every
 * process, and makes the next one, in a hole of the address space.  The entries stay.
 * Meanwhile each new root is delayed between the backend and the list of roots.
 */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#define HOLE		0xfffffc0000000000UL	/* Documentation/x86/x86_64/mm.rst, "unused hole" */
#define SLOTS		4
#define WAIT_MS		30

static int (*alloc_pud)(struct mm_struct *mm, p4d_t *p4d, unsigned long addr);
static void (*sync_roots)(unsigned long start, unsigned long end);
static struct mm_struct *kernel_mm;

/* Finds functions that are not exported to modules, by means of a kprobe. */
static bool find_all(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long (*find)(const char *name);

	if (register_kprobe(&probe))
		return false;
	find = (void *)probe.addr;
	unregister_kprobe(&probe);
	alloc_pud = (void *)find("__pud_alloc");
	sync_roots = (void *)find("arch_sync_kernel_mappings");
	kernel_mm = (void *)find("init_mm");
	return alloc_pud && sync_roots && kernel_mm;
}

static unsigned long p4d_at(struct mm_struct *mm, unsigned int slot)
{
	unsigned long addr = HOLE + slot * P4D_SIZE;

	return p4d_val(*p4d_offset(pgd_offset(mm, addr), addr)) & PTE_PFN_MASK;
}

/* Returns the number of roots, or -EIO if one lacks any of the first @slots entries. */
static int look(unsigned int slots)
{
	struct task_struct *task;
	unsigned int slot;
	int roots = 0, missing = 0;

	rcu_read_lock();
	for_each_process(task) {
		struct mm_struct *mm;

		/* Not get_task_mm(), whose mmput() sleeps. */
		task_lock(task);
		mm = task->mm;
		if (mm) {
			roots++;
			for (slot = 0; slot < slots; slot++)
				missing += p4d_at(mm, slot) != p4d_at(kernel_mm, slot);
		}
		task_unlock(task);
	}
	rcu_read_unlock();
	if (missing)
		pr_err("pvops_roots: %d of %u entries are missing in %d roots\n",
		       missing, roots * slots, roots);
	return missing ? -EIO : roots;
}

static int wait_with_root(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	mdelay(WAIT_MS);
	return 0;
}

static struct kretprobe waits = {
	.kp.symbol_name = "pvops_pgd_alloc",
	.handler = wait_with_root,
	.maxactive = 16,
};

/*
 * A kprobe on the call site of that function, which on Xen PV is a call with a prefix.
 * Natively nobody calls the function.
 */
static atomic_t calls = ATOMIC_INIT(0);

static int count_call(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_inc(&calls);
	return 0;
}

static struct kprobe on_site = { .pre_handler = count_call };

static bool find_site(const u8 *function)
{
	unsigned int at;

	for (at = 0; at < 32; at++) {
		if (function[at] == 0x2e && function[at + 1] == 0xe8) {
			on_site.addr = (kprobe_opcode_t *)function + at;
			return true;
		}
	}
	return false;
}

static void __exit roots_exit(void)
{
}

static int __init roots_init(void)
{
	unsigned int slots = 0;
	unsigned long addr;
	int roots, error;
	bool waiting, counting;

	if (!find_all())
		return -ENOENT;
	while (slots < SLOTS && p4d_at(kernel_mm, slots))
		slots++;
	roots = look(slots);
	if (roots < 0)
		return roots;
	pr_info("pvops_roots: %u entries in %d roots\n", slots, roots);
	if (slots == SLOTS)
		return 0;
	/* A kernel without the layer lacks this function: no root comes from a backend. */
	error = register_kretprobe(&waits);
	waiting = !error;
	if (error && IS_ENABLED(CONFIG_PVOPS))
		return error;
	counting = waiting && find_site((u8 *)waits.kp.addr) && !register_kprobe(&on_site);
	msleep(5 * WAIT_MS);
	addr = HOLE + slots * P4D_SIZE;
	error = alloc_pud(kernel_mm, p4d_offset(pgd_offset(kernel_mm, addr), addr), addr);
	if (!error)
		sync_roots(addr, addr);
	msleep(5 * WAIT_MS);
	if (waiting)
		unregister_kretprobe(&waits);
	if (counting) {
		unregister_kprobe(&on_site);
		pr_info("pvops_roots: %d calls under a kprobe\n", atomic_read(&calls));
	}
	if (error)
		return error;
	if (waiting && boot_cpu_has(X86_FEATURE_XENPV) && !atomic_read(&calls))
		return -ENODATA;
	return look(slots + 1) < 0 ? -EIO : 0;
}

module_init(roots_init);
module_exit(roots_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Test of roots outside of pgd_list while the kernel half grows");
