// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: other tests. */
static int __init debug_vm_other(void)
{
	pr_info("Validating architecture page table helpers\n");
	return 0;
}
