// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A converted file: pv_ops only in comments, strings and code for !CONFIG_PVOPS. */
void setup(void)
{
	paravirt_set(mmu, exit_mmap, flush);	/* was pv_ops.mmu.exit_mmap */
#ifndef CONFIG_PVOPS
	pv_ops.irq = xen_irq_ops.irq;
#endif
#ifdef CONFIG_PVOPS
	pv_init();
#else
	pv_ops.mmu = xen_mmu_ops.mmu;
#endif
#if defined(CONFIG_PVOPS) && defined(CONFIG_PARAVIRT_XXL)
	pr_info("pv_ops is not used\n");
#else
	pv_ops.cpu = xen_cpu_ops.cpu;
#endif
}
