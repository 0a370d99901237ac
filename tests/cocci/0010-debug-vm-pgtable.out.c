// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static int __init debug_vm_pgtable(void)
{
	int idx, ret;

#ifdef arch_page_tables_writable
	/* The tests store into tables, some of them what is no entry. */
	if (!arch_page_tables_writable()) {
		pr_info("Not done: page tables are written by the hypervisor\n");
		return 0;
	}
#endif
	pr_info("Validating architecture page table helpers\n");
	ret = one();
	if (ret)
		return ret;
	return 0;
}
