// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
void mark_rodata_ro(void)
{
	one();

	/* Two */
	all_end = roundup((unsigned long)_brk_end, PMD_SIZE);
	set_memory_nx(text_end, (all_end - text_end) >> PAGE_SHIFT);

	three();
}
