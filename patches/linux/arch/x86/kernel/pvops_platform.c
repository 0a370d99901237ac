// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux's own code for KVM, Hyper-V, VMware and Xen HVM/PVH as backends of the
 * layer.  A backend here has no tables: the platform code sets its ops with
 * paravirt_set(), which is pv_provide(), and asks pvops_uses() before it does
 * what goes with an op but is none (a clock source, memory that the hypervisor
 * writes).  So pvops= decides what of that code is used.
 *
 * Some of this code runs at the Xen PV entry, where every backend is asked.
 */
#define pr_fmt(fmt) fmt

#include <linux/dmi.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/cmdline.h>
#include <asm/mshyperv.h>
#include <asm/hypervisor.h>
#include <asm/mc146818rtc.h>
#include <asm/paravirt.h>
#include <asm/processor.h>
#include <asm/setup.h>
#include <asm/timer.h>
#include <asm/x86_init.h>
#ifdef CONFIG_PARAVIRT_SPINLOCKS
#include <asm/qspinlock.h>
#endif

#include <xen/xen.h>

#include <pvops/pvops.h>

/* What the command line says besides pvops=, and what only Linux sees. */
static bool told_nopv __ro_after_init;
static bool is_vmware_by_dmi __ro_after_init;
static bool is_too_late __ro_after_init;

/* Reasons that hold for each of these backends. */
static const char *why_not(const struct pv_platform *platform)
{
	const char *why = NULL;

	if (platform->cpl)
		why = "the kernel is not in ring 0";
	else if (is_too_late)
		why = "its code starts before the option ROM is refused: leave out pvops=vmi";
	else if (told_nopv && !platform->no_native)
		why = "the command line says nopv";
	return why;
}

/* The locks of a guest: all of them, or none. */
static bool serves_locks(enum pv_op op)
{
	switch (op) {
	case PV_OP_lock_wait:
	case PV_OP_lock_kick:
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	case PV_OP_lock_slowpath:
	case PV_OP_lock_release:
#endif
		return true;
	default:
		return false;
	}
}

/*
 * Options of Linux that leave out a part, and what they are in pvops=.  They
 * keep working: the platform code reads them.
 */
static const struct {
	const char *word;
	const char *note;
} old_options[] = {
	{ "nopv", "nopv: ignored, native cannot run here" },
	{ "no-kvmclock", "no-kvmclock: as pvops=-clock_read,-wall_clock" },
	{ "no-kvmclock-vsyscall", "no-kvmclock-vsyscall: part of pvops=-clock_read" },
	{ "no-steal-acc", "no-steal-acc: part of pvops=-stolen_time" },
	{ "no-kvmapf", "no-kvmapf: part of pvops=-mmu" },
	{ "no-vmw-sched-clock", "no-vmw-sched-clock: part of pvops=-clock_read" },
	{ "nopvspin", "nopvspin: as pvops=-lock" },
	{ "hv_nopvspin", "hv_nopvspin: as pvops=-lock" },
	{ "xen_nopvspin", "xen_nopvspin: as pvops=-lock" },
};

static const char *notes[ARRAY_SIZE(old_options) + 1] __ro_after_init;
static u32 note_count __ro_after_init;
/* The note of the hooks that Linux has besides sites. */
static char hooks[128] __ro_after_init;

const char *pvops_platform_note(u32 nr)
{
	return nr < note_count ? notes[nr] : NULL;
}

#ifdef CONFIG_KVM_GUEST
/*
 * Ranks are those of the layer's own backends, whose comments explain them:
 * first KVM, which imitates others, then Xen, VMware and Hyper-V.
 */
static int kvm_detect(const struct pv_platform *platform, const char **why)
{
	*why = why_not(platform);
	if (*why)
		return PV_SCORE_NONE;
	*why = "no KVM signature in CPUID";
	return pv_cpuid_find(platform, "KVMKVMKVM") ? PV_SCORE_GUEST : PV_SCORE_NONE;
}

static const struct pv_backend kvm_backend = {
	.name = "kvm",
	.title = "KVM, by Linux's own code",
	.detect = kvm_detect,
	.note = pvops_platform_note,
	.serves = serves_locks,
};

PV_BACKEND(kvm_backend);
#endif

static int hyperv_detect(const struct pv_platform *platform, const char **why)
{
	const struct pv_cpuid_range *range = &platform->range[0];
	const u32 least = HV_MSR_HYPERCALL_AVAILABLE | HV_MSR_VP_INDEX_AVAILABLE;

	*why = why_not(platform);
	if (*why)
		return PV_SCORE_NONE;
	*why = "no Hyper-V interface";
	if (!platform->ranges ||
	    range->base != HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS ||
	    !pv_cpuid_same(range->name, "Microsoft Hv"))
		return PV_SCORE_NONE;
	*why = "its CPUID leaves end before the recommendations";
	if (range->last < HYPERV_CPUID_MIN)
		return PV_SCORE_NONE;
	*why = "no privilege for hypercalls, or none for the index of a processor";
	if ((range->leaf[HYPERV_CPUID_FEATURES - range->base - 1].eax & least) != least)
		return PV_SCORE_NONE;
	return platform->ranges > 1 ? PV_SCORE_IMITATED : PV_SCORE_GUEST - 3;
}

static const struct pv_backend hyperv_backend = {
	.name = "hyperv",
	.title = "Hyper-V, by Linux's own code",
	.detect = hyperv_detect,
	.note = pvops_platform_note,
	.serves = serves_locks,
};

PV_BACKEND(hyperv_backend);

static int vmware_detect(const struct pv_platform *platform, const char **why)
{
	*why = why_not(platform);
	if (*why)
		return PV_SCORE_NONE;
	*why = "no VMware by CPUID";
	if (!pv_cpuid_find(platform, "VMwareVMware") && !is_vmware_by_dmi)
		return PV_SCORE_NONE;
	return PV_SCORE_GUEST - 2;
}

static const struct pv_backend vmware_backend = {
	.name = "vmware",
	.title = "VMware, by Linux's own code",
	.detect = vmware_detect,
	.note = pvops_platform_note,
};

PV_BACKEND(vmware_backend);

#ifdef CONFIG_XEN_PVHVM
static int xen_detect(const struct pv_platform *platform, const char **why, bool pvh)
{
	const struct pv_cpuid_range *range = pv_cpuid_find(platform, "XenVMMXenVMM");

	*why = why_not(platform);
	if (*why)
		return PV_SCORE_NONE;
	*why = "no CPUID leaves of Xen";
	/* As xen_cpuid_base(). */
	if (!range || range->last < range->base + 2)
		return PV_SCORE_NONE;
	*why = "entered as a PVH guest";
	if (pvh)
		*why = "not entered as a PVH guest";
	return xen_pvh_domain() == pvh ? PV_SCORE_GUEST - 1 : PV_SCORE_NONE;
}

static int xenhvm_detect(const struct pv_platform *platform, const char **why)
{
	return xen_detect(platform, why, false);
}

static const char *xenhvm_needs(enum pv_op op)
{
	const char *why = NULL;

	if (op == PV_OP_upcall)
		why = "interrupts of Xen's devices are event channels";
	return why;
}

static const struct pv_backend xenhvm_backend = {
	.name = "xenhvm",
	.title = "Xen HVM, by Linux's own code",
	.detect = xenhvm_detect,
	.note = pvops_platform_note,
	.needs = xenhvm_needs,
	.serves = serves_locks,
};

PV_BACKEND(xenhvm_backend);

#ifdef CONFIG_XEN_PVH
static int xenpvh_detect(const struct pv_platform *platform, const char **why)
{
	return xen_detect(platform, why, true);
}

/* Its machine has local APICs, and neither PIT nor PIC nor firmware. */
static const char *xenpvh_needs(enum pv_op op)
{
	const char *why = NULL;

	if (!strcmp(pv_op_info[op].table, "time"))
		why = "a PVH guest has no clock but Xen's, and timers are event channels";
	else
		why = xenhvm_needs(op);
	return why;
}

static const struct pv_backend xenpvh_backend = {
	.name = "xenpvh",
	.title = "Xen PVH, by Linux's own code",
	.detect = xenpvh_detect,
	.note = pvops_platform_note,
	.needs = xenpvh_needs,
	.serves = serves_locks,
};

PV_BACKEND(xenpvh_backend);
#endif
#endif

/* The backends of this file, and whose code they are. */
static const struct {
	const struct pv_backend *backend;
	enum x86_hypervisor_type type;
} platforms[] = {
#ifdef CONFIG_KVM_GUEST
	{ &kvm_backend, X86_HYPER_KVM },
#endif
	{ &hyperv_backend, X86_HYPER_MS_HYPERV },
	{ &vmware_backend, X86_HYPER_VMWARE },
#ifdef CONFIG_XEN_PVHVM
	{ &xenhvm_backend, X86_HYPER_XEN_HVM },
#endif
#ifdef CONFIG_XEN_PVH
	{ &xenpvh_backend, X86_HYPER_XEN_HVM },
#endif
};

/* X86_HYPER_NATIVE: none of them is chosen. */
static enum x86_hypervisor_type chosen_type(void)
{
	u32 nr;

	for (nr = 0; nr < ARRAY_SIZE(platforms); nr++)
		if (platforms[nr].backend == pv_backend())
			return platforms[nr].type;
	return X86_HYPER_NATIVE;
}

/* Linux asks no hypervisor that has a backend here and is not chosen. */
bool __init pvops_uses_platform(const struct hypervisor_x86 *platform)
{
	u32 nr;

	if (platform->type == chosen_type())
		return true;
	for (nr = 0; nr < ARRAY_SIZE(platforms); nr++)
		if (platforms[nr].type == platform->type)
			return false;
	return true;
}

bool pvops_platform_is_chosen(void)
{
	return chosen_type() != X86_HYPER_NATIVE;
}

/*
 * Ops of Linux's own table that are part of another op of the catalogue: they
 * are left to native together.
 */
static const u16 parts[][2] = {
	{ PV_OP_flush_tlb_info, PV_OP_flush_tlb_multi },
	{ PV_OP_remove_table, PV_OP_flush_tlb_multi },
	{ PV_OP_exit_mmap, PV_OP_pgd_free },
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	{ PV_OP_lock_slowpath, PV_OP_lock_wait },
	{ PV_OP_lock_release, PV_OP_lock_wait },
	{ PV_OP_lock_wait, PV_OP_lock_slowpath },
	{ PV_OP_lock_kick, PV_OP_lock_slowpath },
#endif
};

bool pvops_uses_op(unsigned int op)
{
	u32 nr;

	if (pv_backend() == pv_native() || pv_op_is_left(op))
		return false;
	for (nr = 0; nr < ARRAY_SIZE(parts); nr++)
		if (parts[nr][0] == op && pv_op_is_left(parts[nr][1]))
			return false;
	return true;
}

bool pvops_uses_table_named(const char *table)
{
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++)
		if (!strcmp(pv_op_info[op].table, table) && pvops_uses_op(op))
			return true;
	return false;
}

/* paravirt_set() */
void pvops_set(unsigned int op, void (*fn)(void))
{
	if (pvops_uses_op(op))
		pv_provide(op, fn);
}

/* Before the choice.  Some of it cannot be read at the Xen PV entry. */
void __init pvops_platform_prepare(void)
{
	told_nopv = nopv;
	is_vmware_by_dmi = !boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
			   dmi_available && dmi_name_in_serial("VMware");
}

/* A later choice cannot start the platform's code any more. */
void __init pvops_platform_too_late(void)
{
	is_too_late = true;
}

/* Returns the reason why native code cannot run here, or NULL. */
const char * __init pvops_no_native(void)
{
	const u32 special = HV_ISOLATION | HV_CPU_MANAGEMENT;
	const char *why = NULL;
	u32 last, name[3];

	if (xen_pvh_domain())
		why = "a Xen PVH guest has no timer and no console but Xen's";
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return why;
	cpuid(HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS, &last, &name[0], &name[1],
	      &name[2]);
	if (!memcmp(name, "Microsoft Hv", sizeof(name)) &&
	    cpuid_ebx(HYPERV_CPUID_FEATURES) & special)
		why = "an isolated guest of Hyper-V, or its root, cannot do without it";
	return why;
}

static bool __init any_platform(const struct pv_platform *platform)
{
	const char *why;
	u32 nr;

	for (nr = 0; nr < ARRAY_SIZE(platforms); nr++)
		if (platforms[nr].backend->detect(platform, &why) > PV_SCORE_NONE)
			return true;
	return false;
}

/* Behind the choice: the rest of Linux learns it by its own options. */
void __init pvops_platform_chosen(const struct pv_platform *platform)
{
	u32 nr;

	/* KVM's and Xen's code runs initcalls, whatever x86_hyper_type is. */
	if (!pvops_platform_is_chosen() && any_platform(platform))
		nopv = true;
#ifdef CONFIG_PARAVIRT_SPINLOCKS
	if (!pvops_uses(lock_wait))
		nopvspin = true;
#endif
	for (nr = 0; nr < ARRAY_SIZE(old_options); nr++)
		if (cmdline_find_option_bool(boot_command_line, old_options[nr].word))
			notes[note_count++] = old_options[nr].note;
}

/* The APIC's functions before platform code replaces them. */
static void (*native_send_ipi)(int cpu, int vector) __ro_after_init;
static void (*native_send_ipi_mask)(const struct cpumask *mask, int vector) __ro_after_init;
static void (*platform_apic_init)(void) __initdata;

static void __init note_apic(void)
{
	native_send_ipi = apic->send_IPI;
	native_send_ipi_mask = apic->send_IPI_mask;
	if (platform_apic_init)
		platform_apic_init();
}

/* The platform's code has set its hooks. */
void __init pvops_platform_ready(void)
{
	if (!pvops_platform_is_chosen())
		return;
	platform_apic_init = x86_platform.apic_post_init;
	x86_platform.apic_post_init = note_apic;
	if (pvops_uses(wall_clock))
		return;
	x86_platform.get_wallclock = mach_get_cmos_time;
	x86_platform.set_wallclock = mach_set_cmos_time;
}

static void *send_ipi_fn(void)
{
	if (native_send_ipi && apic->send_IPI != native_send_ipi)
		return apic->send_IPI;
#ifdef CONFIG_SMP
	if (smp_ops.smp_send_reschedule != native_smp_send_reschedule)
		return smp_ops.smp_send_reschedule;
#endif
	return NULL;
}

static void *send_ipi_mask_fn(void)
{
	if (native_send_ipi_mask && apic->send_IPI_mask != native_send_ipi_mask)
		return apic->send_IPI_mask;
#ifdef CONFIG_SMP
	if (smp_ops.send_call_func_ipi != native_send_call_func_ipi)
		return smp_ops.send_call_func_ipi;
#endif
	return NULL;
}

/*
 * The platform's function that does the work of an op for which Linux has no
 * site but a hook of its own; NULL if that hook is native.
 */
void *pvops_platform_fn(unsigned int op)
{
	void *fn = NULL, *native = NULL;

	switch (op) {
	case PV_OP_clock_read:
		fn = pvops_sched_clock;
		break;
	case PV_OP_stolen_time:
		fn = pvops_steal_clock;
		break;
	case PV_OP_wall_clock:
		fn = x86_platform.get_wallclock;
		native = mach_get_cmos_time;
		break;
	case PV_OP_set_timer:
		fn = x86_cpuinit.setup_percpu_clockev;
		native = setup_secondary_APIC_clock;
		break;
	case PV_OP_upcall:
		if (!apic->pvops_apic_native_eoi)
			break;
		fn = apic->pvops_apic_eoi;
		native = apic->pvops_apic_native_eoi;
		break;
	case PV_OP_send_ipi:
		fn = send_ipi_fn();
		break;
	case PV_OP_send_ipi_mask:
		fn = send_ipi_mask_fn();
		break;
	default:
		break;
	}
	return fn == native ? NULL : fn;
}

/* Behind the platform's last hook. */
void __init pvops_platform_count(void)
{
	u32 op, at;

	at = scnprintf(hooks, sizeof(hooks), "hooks of Linux's own:");
	for (op = 0; op < PV_OP_COUNT; op++)
		if (pvops_platform_fn(op))
			at += scnprintf(hooks + at, sizeof(hooks) - at, " %s",
					pv_op_info[op].name);
	if (pvops_platform_is_chosen())
		notes[note_count++] = hooks;
}
