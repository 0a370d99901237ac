// SPDX-License-Identifier: GPL-2.0-only
/* A module with a bare site of the layer, which a build with retpolines must warn of. */
#include <linux/module.h>
#include <asm/paravirt.h>

static int __init site_init(void)
{
	asm volatile("771: call *pv_slots + 8 * %c[op](%%rip)\n\t"
		     PV_RECORD(6, 0)
		     : : [op] "i" (PV_OP_irq_enable) : "memory", "cc");
	return 0;
}

module_init(site_init);
MODULE_LICENSE("GPL v2");
