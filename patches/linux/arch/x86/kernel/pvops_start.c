// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start-up: the choice of a backend, first natively or under Xen PV, then for
 * good; and what the rest of Linux expects of arch/x86/kernel/paravirt.c, which
 * is not built.
 *
 * Linux brings up CPUs, programs timers, sends IPIs, writes to consoles and
 * allocates page tables by its own means: it uses the ops of the catalogue's
 * tables irq, cpu and mmu, and calls neither pv_cpu_init() nor pv_late_init().
 */
#define pr_fmt(fmt) fmt

#include <linux/cc_platform.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/security.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/paravirt.h>
#include <asm/segment.h>
#include <asm/setup.h>
#include <asm/tlb.h>
#include <asm/timer.h>
#ifdef CONFIG_PARAVIRT_SPINLOCKS
#include <asm/qspinlock.h>
#endif

#include <xen/interface/xen.h>

#include <pvops/pvops.h>
#include <pvops/version.h>

/* Module sites call through it until they are patched. */
EXPORT_SYMBOL(pv_slots);
#ifdef PV_PORT_RETPOLINE
EXPORT_SYMBOL(pv_retpolines);
#endif

struct pv_info pv_info = {
	.name = "bare hardware",
	.extra_user_64bit_cs = __USER_CS,
};
EXPORT_SYMBOL_GPL(pv_info);

void __init default_banner(void)
{
	pr_info("Booting paravirtualized kernel on %s\n", pv_info.name);
}

DEFINE_STATIC_KEY_TRUE(virt_spin_lock_key);

void __init native_pv_lock_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		static_branch_disable(&virt_spin_lock_key);
}

struct static_key paravirt_steal_enabled;
struct static_key paravirt_steal_rq_enabled;

static u64 native_steal_clock(int cpu)
{
	return 0;
}

DEFINE_STATIC_CALL(pv_steal_clock, native_steal_clock);
DEFINE_STATIC_CALL(pv_sched_clock, native_sched_clock);

void paravirt_set_sched_clock(u64 (*func)(void))
{
	static_call_update(pv_sched_clock, func);
}

/* Where firmware puts option ROMs: 0xc0000 and 128 KiB. */
#define ISA_OPTION_ROMS		0xc0000

static void __init read_cpuid(struct pv_cpuid *regs)
{
	native_cpuid(&regs->eax, &regs->ebx, &regs->ecx, &regs->edx);
}

static struct pv_platform platform __initdata = {
	.cpuid = read_cpuid,
};

static void __init choose(const char *cmdline)
{
	u16 cs;

	asm("mov %%cs, %0" : "=r" (cs));
	platform.cpl = cs & SEGMENT_RPL_MASK;
	pv_init(&platform, cmdline);
}

/*
 * First thing in C, with .bss clear: every op works from here, natively.  No
 * more than that: exceptions and instrumented code (printk and its formats)
 * must wait, and in a confidential guest CPUID is an exception.
 */
void __init pvops_early_init(void)
{
	pv_init_native();
}

#ifdef CONFIG_PVH
/*
 * The PVH entry runs C before that.  What is chosen here is forgotten when
 * .bss is cleared.
 */
void __init pvops_prepare_pvh(void)
{
	pv_init_native();
	xen_prepare_pvh();
}
#endif

/*
 * The Xen PV entry, where nothing native works.  The command line is there, and
 * guests of this kind are never encrypted.
 */
void __init pvops_early_init_xen(const struct start_info *start_info)
{
	platform.xen_start_info = start_info;
	choose(start_info->cmd_line);
}

/* Known to Linux, so that it is not handed to user space; read by pv_init(). */
static bool vmi_is_named __initdata;

static int __init pvops_option(char *words)
{
	if (words && parse_option_str(words, "vmi"))
		vmi_is_named = true;
	return 0;
}
early_param("pvops", pvops_option);

/*
 * A hypervisor's code runs in ring 0, and nobody has signed it: only where the
 * user names it, and where a module without a signature could be loaded, too.
 */
static const char * __init no_option_roms(void)
{
	if (!vmi_is_named)
		return "not asked for: pvops=vmi";
	/* Pages that firmware has not accepted must not be touched. */
	if (platform.memory_encrypted)
		return "the option ROM area must not be read in an encrypted guest";
	/* A root is one page to it, and two with isolation. */
	if (boot_cpu_has(X86_FEATURE_PTI))
		return "page table isolation is on";
	if (security_locked_down(LOCKDOWN_MODULE_SIGNATURE))
		return "the kernel is locked down";
	return NULL;
}

/* The chosen backend's part of this CPU; natively that is Linux's own. */
void pvops_cpu_init(void)
{
	if (pv_backend() != pv_native())
		pv_cpu_init(raw_smp_processor_id());
}

/*
 * The choice that holds: here memory can be mapped, and the command line is
 * there.  Masked by the means of the one, enabled by those of the other.
 */
static void __init choose_finally(void)
{
	platform.memory_encrypted = cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	platform.no_option_roms = no_option_roms();
	if (!platform.no_option_roms)
		platform.option_roms = __va(ISA_OPTION_ROMS);
	raw_local_irq_disable();
	choose(boot_command_line);
	pvops_cpu_init();
	raw_local_irq_enable();
	/* Who hands out table pages gets them back, behind their last walker. */
	if (!pv_impl_is_native(PV_OP_release_pte) &&
	    pv_impl_is_native(PV_OP_remove_table))
		PV_OVERRIDE(remove_table, tlb_remove_table);
	/* Before alternatives: IRETQ may fault in the hypervisor's code. */
	if (!pv_impl_is_native(PV_OP_iret))
		setup_force_cpu_cap(X86_FEATURE_PVOPS_CODE);
	/* System calls return as everything else does. */
	if (pv_impl_of(PV_OP_iret)->flags & PV_IMPL_REQUIRED)
		setup_force_cpu_cap(X86_FEATURE_PVOPS_IRET);
}

/*
 * In the place of apply_paravirt(): one CPU, NMIs stopped, no site patched.
 */
void __init pvops_patch_kernel(void)
{
	/* Xen's command line was there from the start. */
	if (!platform.xen_start_info)
		choose_finally();
	pv_patch();
	/* A hypervisor's platform code may have said more than "native". */
	if (pv_backend() != pv_native())
		pv_info.name = pv_backend()->name;
	pv_print();
}

/* One line for scripts, backend and version: /sys/kernel/pvops. */
static ssize_t pvops_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s %s\n", pv_backend()->name, PV_VERSION);
}

static struct kobj_attribute pvops_attr = __ATTR_RO(pvops);

static int __init pvops_sysfs_init(void)
{
	if (!IS_ENABLED(CONFIG_SYSFS))
		return 0;
	return sysfs_create_file(kernel_kobj, &pvops_attr.attr);
}
late_initcall(pvops_sysfs_init);

/* pvops_bench.ko counts its hypercalls. */
EXPORT_SYMBOL_GPL(pv_backend);
