// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the rule converts. */
static int detect_hypervisor_vendor(void)
{
	for (p = hypervisors; p < end; p++) {
		if (!pvops_uses_platform(*p) || (unlikely(nopv) && !(*p)->ignore_nopv))
			continue;
		found(p);
	}
	return 0;
}

void init_hypervisor_platform(void)
{
	const struct hypervisor_x86 *h;

	pvops_choose_platform();

	h = detect_hypervisor_vendor();
	copy(h);
	x86_init.hyper.init_platform();
	pvops_platform_ready();
}

void set_clocks(void)
{
	paravirt_set_steal_clock(one);
	if (pvops_takes_sched_clock(two))
		static_call_update(pv_sched_clock, two);
}

void hv_apic_init(void)
{
	if (pvops_uses_ipis() && ms_hyperv.hints & HV_X64_CLUSTER_IPI_RECOMMENDED) {
		one();
	}
	if (pvops_uses(upcall) && ms_hyperv.hints & HV_X64_APIC_ACCESS_RECOMMENDED) {
		two();
	}
}

void hyperv_init(void)
{
	one();
	if (pvops_uses(set_timer))
		x86_init.timers.setup_percpu_clockev = hv_stimer_setup_percpu_clockev;
	two();
}

void hv_init_spinlocks(void)
{
	if (!hv_pvspin || !pvops_uses(lock_wait) || !apic ||
	    !(ms_hyperv.hints & HV_X64_CLUSTER_IPI_RECOMMENDED)) {
		one();
		return;
	}
	two();
}

static void ms_hyperv_init_platform(void)
{
	one();
	if (pvops_uses(clock_read)) {
		hv_init_clocksource();
		x86_setup_ops_for_tsc_pg_clock();
	}
}

static void vmware_platform_setup(void)
{
	if (!pvops_uses(clock_read)) {
		pr_info("TSC freq not asked for\n");
	} else if (ebx != UINT_MAX) {
		one();
	} else {
		two();
	}
}

static bool pv_ipi_supported(void)
{
	if (!pvops_uses(send_ipi_mask))
		return false;
	return one() && two();
}

static void kvm_guest_init(void)
{
	if (pvops_uses(upcall) && kvm_para_has_feature(KVM_FEATURE_PV_EOI))
		one();
	if (!pvops_uses_table(mmu))
		kvmapf = 0;
	if (kvm_para_has_feature(KVM_FEATURE_ASYNC_PF_INT) && kvmapf) {
		two();
	}
}

void xen_hvm_smp_init(void)
{
	if (!xen_have_vector_callback) {
		one();
		return;
	}
	if (!pvops_uses_ipis())
		return;
	two();
}

void kvmclock_init(void)
{
	one();
	if (!kvm_para_available() || !kvmclock || !pvops_uses(clock_read))
		return;
	two();
}

static void vmware_paravirt_ops_setup(void)
{
	one();
	if (pvops_uses(stolen_time) && vmware_is_stealclock_available()) {
		two();
	}
}

static void init_hvm_pv_info(void)
{
	one();
	xen_setup_features();
	if (!pvops_uses(clock_read) || !pvops_uses(set_timer))
		xen_features[XENFEAT_hvm_safe_pvclock] = 0;
	two();
}

static bool pv_tlb_flush_supported(void)
{
	if (!pvops_uses(flush_tlb_multi))
		return false;
	return one() && two();
}

void hyperv_setup_mmu_ops(void)
{
	if (!pvops_uses(flush_tlb_multi))
		return;
	if (!(ms_hyperv.hints & HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED))
		return;
	one();
}
