// SPDX-License-Identifier: GPL-2.0-only OR MIT
static const struct pv_irq_impls deprivileged_irq = {	/* found */
	.save_fl = PV_FN(save_fl, PV_IMPL_REQUIRED),
	.irq_disable = PV_FN(irq_disable, PV_IMPL_REQUIRED),
	.irq_enable = PV_FN(irq_enable, PV_IMPL_REQUIRED),
};

static const struct pv_cpu_impls deprivileged_cpu = {
	.read_cr2 = PV_INLINE(read_cr2, code_read_cr2, PV_IMPL_REQUIRED),
	.write_cr2 = PV_FN(write_cr2, PV_IMPL_REQUIRED),
	.iret = PV_FN(iret, PV_IMPL_REQUIRED),
};

static int detect(const struct pv_platform *platform, const char **why)
{
	return platform->cpl ? one(why) : PV_SCORE_NONE;
}

static int detect_deprivileged(const struct pv_platform *platform, const char **why)
{
	if (!platform->cpl)
		return PV_SCORE_NONE;
	return PV_SCORE_DEPRIVILEGED;
}

static const struct pv_backend deprivileged = {	/* found */
	.name = "deprivileged",
	.detect = detect_deprivileged,
	.irq = &deprivileged_irq,
	.cpu = &deprivileged_cpu,
};

/* Waiters would not be woken. */
static const struct pv_lock_impls half_a_lock = {	/* found */
	.lock_wait = PV_FN(lock_wait, 0),
};

struct pv_mmu_impls frames = {	/* found */
	.pte_val = { .fn = pte_val },
	.make_pte = PV_FN(make_pte, 0),
	.read_cr3 = PV_FN(read_cr3, 0),
	.write_cr3 = PV_FN(write_cr3, 0),
	.pmd_val = PV_FN(pmd_val, 0),
	.make_pmd = PV_FN(make_pmd, 0),
	.pud_val = PV_FN(pud_val, 0),
	.p4d_val = PV_FN(p4d_val, 0),
	.make_p4d = PV_FN(make_p4d, 0),
};
