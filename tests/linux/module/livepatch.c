// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live patch of a function with sites by one with sites, which counts its calls:
 * /sys/module/pvops_livepatch/parameters/calls.
 */
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>

static unsigned int calls;
module_param(calls, uint, 0444);

static int count_access_flags(struct vm_area_struct *vma, unsigned long address, pte_t *ptep,
			      pte_t entry, int dirty)
{
	int changed = !pte_same(*ptep, entry);

	if (changed && dirty)
		set_pte(ptep, entry);
	calls++;
	return changed;
}

static struct klp_func funcs[] = {
	{ .old_name = "ptep_set_access_flags", .new_func = count_access_flags },
	{ }
};

static struct klp_object objects[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init patch_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit patch_exit(void)
{
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_LICENSE("GPL v2");
MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("Test of a live patch of a function with sites");
