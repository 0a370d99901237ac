// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kprobe on each of the given sites ("function+0x12,..."), for as long as the module is
 * loaded.  Linux refuses some; the others must not change what the site does.  At the end:
 * how many were set, and how many were reached.
 */
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

static int __init probes_init(void)
{
	unsigned int nr, set = 0;

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
