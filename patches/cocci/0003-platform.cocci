// SPDX-License-Identifier: GPL-2.0-only
//
// Subject: x86/pvops: Use what platform code is chosen
//
// Linux's own code for KVM, Hyper-V, VMware and Xen HVM/PVH is a backend of
// the pvops layer, which the user chooses with pvops=. So choose before
// Linux looks for a hypervisor, and ask no other one. Let the platform code
// ask which parts of it are left to native: clock and clock source, steal
// time, IPIs and the end of interrupt, remote TLB flushes and asynchronous
// page faults, spinlocks.
//
// paravirt_set() and paravirt_set_sched_clock() ask by themselves. Without
// CONFIG_PVOPS the answer is always yes, at compile time.
//
// Files: arch/x86/hyperv/hv_apic.c arch/x86/hyperv/hv_init.c arch/x86/hyperv/hv_spinlock.c
// Files: arch/x86/hyperv/mmu.c arch/x86/kernel/cpu/hypervisor.c
// Files: arch/x86/kernel/cpu/mshyperv.c arch/x86/kernel/cpu/vmware.c
// Files: arch/x86/kernel/kvm.c arch/x86/kernel/kvmclock.c arch/x86/kernel/tsc.c
// Files: arch/x86/xen/enlighten_hvm.c arch/x86/xen/smp_hvm.c arch/x86/xen/time.c

@@
symbol nopv, p;
@@
 detect_hypervisor_vendor(void)
 {
 <...
 if (
-unlikely(nopv) && !(*p)->ignore_nopv
+!pvops_uses_platform(*p) || (unlikely(nopv) && !(*p)->ignore_nopv)
 )
	continue;
 ...>
 }

@@
symbol h, x86_init;
@@
 init_hypervisor_platform(void)
 {
 const struct hypervisor_x86 *h;
+
+pvops_choose_platform();
 h = detect_hypervisor_vendor();
 ...
 x86_init.hyper.init_platform();
+pvops_platform_ready();
 }

@@
symbol pv_steal_clock;
expression func;
@@
-static_call_update(pv_steal_clock, func)
+paravirt_set_steal_clock(func)

// Earlier releases have this in paravirt.c, which the layer replaces.
// Releases: 7.2
@@
symbol pv_sched_clock;
expression func;
@@
-static_call_update(pv_sched_clock, func);
+if (pvops_takes_sched_clock(func))
+	static_call_update(pv_sched_clock, func);

@@
symbol kvmclock;
@@
 kvmclock_init(void)
 {
 ...
 if (
-!kvm_para_available() || !kvmclock
+!kvm_para_available() || !kvmclock || !pvops_uses(clock_read)
 )
	return;
 ...
 }

@@
symbol hv_stimer_setup_percpu_clockev;
@@
 hyperv_init(void)
 {
 <...
-x86_init.timers.setup_percpu_clockev = hv_stimer_setup_percpu_clockev;
+if (pvops_uses(set_timer))
+	x86_init.timers.setup_percpu_clockev = hv_stimer_setup_percpu_clockev;
 ...>
 }

@@ @@
 ms_hyperv_init_platform(void)
 {
 <...
+if (pvops_uses(clock_read)) {
 hv_init_clocksource();
 x86_setup_ops_for_tsc_pg_clock();
+}
 ...>
 }

@@ @@
 vmware_paravirt_ops_setup(void)
 {
 <...
 if (
-vmware_is_stealclock_available()
+pvops_uses(stolen_time) && vmware_is_stealclock_available()
 ) { ... }
 ...>
 }

@@
expression hz;
@@
 vmware_platform_setup(void)
 {
 <...
+if (!pvops_uses(clock_read)) {
+	pr_info("TSC freq not asked for\n");
+} else
 if (hz != UINT_MAX) { ... } else { ... }
 ...>
 }

@@ @@
 init_hvm_pv_info(void)
 {
 ...
 xen_setup_features();
+if (!pvops_uses(clock_read) || !pvops_uses(set_timer))
+	xen_features[XENFEAT_hvm_safe_pvclock] = 0;
 ...
 }

@@
symbol ms_hyperv;
@@
 hv_apic_init(void)
 {
 <...
(
 if (
-ms_hyperv.hints & HV_X64_CLUSTER_IPI_RECOMMENDED
+pvops_uses_ipis() && ms_hyperv.hints & HV_X64_CLUSTER_IPI_RECOMMENDED
 ) { ... }
|
 if (
-ms_hyperv.hints & HV_X64_APIC_ACCESS_RECOMMENDED
+pvops_uses(upcall) && ms_hyperv.hints & HV_X64_APIC_ACCESS_RECOMMENDED
 ) { ... }
)
 ...>
 }

@@
identifier f =~ "^kvm_guest_(cpu_)?init$";
@@
 f(void)
 {
 <...
 if (
-kvm_para_has_feature(KVM_FEATURE_PV_EOI)
+pvops_uses(upcall) && kvm_para_has_feature(KVM_FEATURE_PV_EOI)
 ) { ... }
 ...>
 }

@@
statement S;
@@
 kvm_guest_init(void)
 {
 <...
 if (
-kvm_para_has_feature(KVM_FEATURE_PV_EOI)
+pvops_uses(upcall) && kvm_para_has_feature(KVM_FEATURE_PV_EOI)
 ) S
 ...>
 }

@@
identifier f =~ "^pv_(ipi|sched_yield)_supported$";
expression E;
@@
 f(void)
 {
+if (!pvops_uses(send_ipi_mask))
+	return false;
 return E;
 }

@@
symbol xen_have_vector_callback;
@@
 xen_hvm_smp_init(void)
 {
 ...
 if (!xen_have_vector_callback) {
 ...
	return;
 }
+if (!pvops_uses_ipis())
+	return;
 ...
 }

@@
expression E;
@@
 pv_tlb_flush_supported(void)
 {
+if (!pvops_uses(flush_tlb_multi))
+	return false;
 return E;
 }

@@
expression hints;
@@
 hyperv_setup_mmu_ops(void)
 {
+if (!pvops_uses(flush_tlb_multi))
+	return;
 if (!(hints & HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED))
	return;
 ...
 }

@@
symbol hv_pvspin;
@@
 hv_init_spinlocks(void)
 {
 <...
-!hv_pvspin
+!hv_pvspin || !pvops_uses(lock_wait)
 ...>
 }

@@
symbol kvmapf;
@@
 kvm_guest_init(void)
 {
 ...
+if (!pvops_uses_table(mmu))
+	kvmapf = 0;
 if (kvm_para_has_feature(KVM_FEATURE_ASYNC_PF_INT) && kvmapf) { ... }
 ...
 }
