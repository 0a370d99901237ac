// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule leaves alone: other ranges, and other functions. */
void mark_rodata_ro(void)
{
	set_memory_nx(start, (end - start) >> PAGE_SHIFT);
}

void other(void)
{
	set_memory_nx(text_end, (all_end - text_end) >> PAGE_SHIFT);
}
