// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static int __init debug_vm_pgtable(void)
{
	int idx, ret;

	pr_info("Validating architecture page table helpers\n");
	ret = one();
	if (ret)
		return ret;
	return 0;
}
