// SPDX-License-Identifier: GPL-2.0-only
/* A module with a bare indirect branch, which a build with retpolines must warn of. */
#include <linux/module.h>

static void target(void)
{
}

static int __init branch_init(void)
{
	asm volatile("call *%0" : : "r" (target) : "memory");
	return 0;
}

module_init(branch_init);
MODULE_LICENSE("GPL v2");
