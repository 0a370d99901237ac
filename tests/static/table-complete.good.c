// SPDX-License-Identifier: GPL-2.0-only OR MIT
static const struct pv_irq_impls guest_irq = {
	.halt = PV_FN(halt, 0),
};

static const struct pv_irq_impls deprivileged_irq = {
	.irq_disable = PV_FN(irq_disable, PV_IMPL_REQUIRED),
	.irq_enable = PV_FN(irq_enable, PV_IMPL_REQUIRED),
	.save_fl = PV_INLINE(save_fl, code_save_fl, PV_IMPL_REQUIRED),
	.restore_fl = PV_FN(restore_fl, PV_IMPL_REQUIRED),
	.irqs_disabled_flags = PV_FN(irqs_disabled_flags, PV_IMPL_REQUIRED),
	.safe_halt = PV_FN(safe_halt, PV_IMPL_REQUIRED),
};

static const struct pv_cpu_impls deprivileged_cpu = {
	.read_cr2 = PV_INLINE(read_cr2, code_read_cr2, PV_IMPL_REQUIRED),
	.write_cr2 = PV_FN(write_cr2, PV_IMPL_REQUIRED),
	.iret = PV_FN(iret, PV_IMPL_REQUIRED),
};

/* Filled at start. */
static struct pv_mmu_impls guest_mmu PV_RO_AFTER_INIT;

static int detect_guest(const struct pv_platform *platform, const char **why)
{
	return PV_SCORE_GUEST;
}

static int detect_deprivileged(const struct pv_platform *platform, const char **why)
{
	if (!platform->cpl)
		return PV_SCORE_NONE;
	return PV_SCORE_DEPRIVILEGED;
}

static const struct pv_backend guest = {
	.detect = detect_guest,
	.irq = &guest_irq,
	.mmu = &guest_mmu,
};

static const struct pv_backend deprivileged = {
	.detect = detect_deprivileged,
	.irq = &deprivileged_irq,
	.cpu = &deprivileged_cpu,
};
