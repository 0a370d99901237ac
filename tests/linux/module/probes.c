// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kprobe on each of the given sites ("function+0x12,..."), for as long as the module is
 * loaded.  Linux refuses some; the others must not change what the site does.  At the end:
 * how many were set, and how many were reached.  First, a kprobe on each instruction of a
 * function that masks interrupts: they must be masked and not masked as without it.
 */
#include <linux/irqflags.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>

#define SITES	400

static char *at[SITES];
static unsigned int sites;
module_param_array(at, charp, &sites, 0);

static struct site {
	struct kprobe probe;
	bool set;
	bool reached;
} *of;

static int reach(struct kprobe *probe, struct pt_regs *regs)
{
	container_of(probe, struct site, probe)->reached = true;
	return 0;
}

static noinline int masks(void)
{
	unsigned long flags;
	int wrong = irqs_disabled();

	local_irq_save(flags);
	wrong |= !irqs_disabled() << 1;
	local_irq_restore(flags);
	wrong |= irqs_disabled() << 2;
	local_irq_disable();
	wrong |= !irqs_disabled() << 3;
	local_irq_save(flags);
	local_irq_restore(flags);
	wrong |= !irqs_disabled() << 4;
	local_irq_enable();
	wrong |= irqs_disabled() << 5;
	return wrong;
}

static int check_masks(void)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned int nr, size, set = 0, reached = 0;
	struct site *at;
	int wrong;

	/* As in "masks+0x0/0x9d [pvops_probes]". */
	sprint_symbol(text, (unsigned long)masks);
	if (sscanf(text, "masks+0x0/%x", &size) != 1)
		return -EINVAL;
	/* With lockdep the function has some kilobytes. */
	at = kvcalloc(size, sizeof(*at), GFP_KERNEL);
	if (!at)
		return -ENOMEM;
	for (nr = 0; nr < size; nr++) {
		at[nr].probe.addr = (void *)masks + nr;
		at[nr].probe.pre_handler = reach;
		at[nr].set = !register_kprobe(&at[nr].probe);
		set += at[nr].set;
	}
	wrong = masks();
	for (nr = 0; nr < size; nr++) {
		if (at[nr].set)
			unregister_kprobe(&at[nr].probe);
		reached += at[nr].reached;
	}
	kvfree(at);
	local_irq_enable();
	pr_info("pvops_probes: masks: set %u reached %u wrong %#x\n", set, reached, wrong);
	return !wrong && reached > 10 ? 0 : -EIO;
}

static int __init probes_init(void)
{
	unsigned int nr, set = 0;
	int error = check_masks();

	if (error)
		return error;
	of = kcalloc(sites, sizeof(*of), GFP_KERNEL);
	if (!of)
		return -ENOMEM;
	for (nr = 0; nr < sites; nr++) {
		char *offset = strchr(at[nr], '+');

		if (!offset || kstrtouint(offset + 1, 0, &of[nr].probe.offset)) {
			pr_err("pvops_probes: %s: expected function+offset\n", at[nr]);
			continue;
		}
		*offset = 0;
		of[nr].probe.symbol_name = at[nr];
		of[nr].probe.pre_handler = reach;
		of[nr].set = !register_kprobe(&of[nr].probe);
		set += of[nr].set;
	}
	if (set)
		return 0;
	kfree(of);
	return -ENOENT;
}

static void __exit probes_exit(void)
{
	unsigned int nr, set = 0, reached = 0;

	for (nr = 0; nr < sites; nr++) {
		if (of[nr].set)
			unregister_kprobe(&of[nr].probe);
		set += of[nr].set;
		reached += of[nr].reached;
	}
	kfree(of);
	pr_info("pvops_probes: set %u reached %u of %u\n", set, reached, sites);
}

module_init(probes_init);
module_exit(probes_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Test of kprobes on sites");
