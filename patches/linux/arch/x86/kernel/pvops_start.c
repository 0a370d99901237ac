// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start-up: the choice of a backend, first native or Xen PV, then the final one;
 * and the functions that the rest of Linux needs from
 * arch/x86/kernel/paravirt.c, which is not built.
 *
 * Linux itself brings up CPUs, programs timers, sends IPIs, writes to consoles
 * and allocates page tables.  It uses the ops of the catalogue's tables irq,
 * cpu and mmu, and does not call pv_late_init(); natively it does not call
 * pv_cpu_init() either.
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
#include <linux/sched/cputime.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/pvops_compat.h>
#include PVOPS_CPUID_HEADER
#include <asm/early_ioremap.h>
#include <asm/paravirt.h>
#include <asm/pvops_platform.h>
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

/* Sites of modules call through it until they are patched. */
EXPORT_SYMBOL(pv_slots);
#ifdef PV_PORT_RETPOLINE
EXPORT_SYMBOL(pv_retpolines);
#endif

struct pv_info pv_info = {
	.name = "bare hardware",
	PVOPS_PV_INFO
	.extra_user_64bit_cs = __USER_CS,
};
EXPORT_SYMBOL_GPL(pv_info);

void __init default_banner(void)
{
	pr_info("Booting paravirtualized kernel on %s\n", pv_info.name);
}

#ifndef PVOPS_SPLIT_HEADERS
/* Releases differ in what the key is before this. */
PVOPS_DEFINE_VIRT_SPIN_LOCK_KEY(virt_spin_lock_key);

void __init native_pv_lock_init(void)
{
	if (boot_cpu_has(X86_FEATURE_HYPERVISOR))
		static_branch_enable(&virt_spin_lock_key);
	else
		static_branch_disable(&virt_spin_lock_key);
}
#endif

PVOPS_TIME_HOOKS

/* The platform's; NULL natively. */
u64 (*pvops_steal_clock)(int cpu);
u64 (*pvops_sched_clock)(void);

bool pvops_takes_sched_clock(u64 (*func)(void))
{
	if (!pvops_uses(clock_read))
		return false;
	pvops_sched_clock = func;
	return true;
}

void paravirt_set_steal_clock(u64 (*func)(int cpu))
{
	if (!pvops_uses(stolen_time))
		return;
	pvops_steal_clock = func;
	static_call_update(pv_steal_clock, func);
}

/* Firmware puts option ROMs here. */
#define ISA_OPTION_ROMS		0xc0000
#define ISA_OPTION_ROMS_SIZE	0x20000

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
 * Called first in C, with .bss clear.  From here on every op works, natively.
 * Nothing else may happen here: exceptions and instrumented code (printk and
 * its formats) do not work yet, and in a confidential guest CPUID is an
 * exception.
 */
void __init pvops_early_init(void)
{
	pv_init_native();
}

#ifdef CONFIG_PVH
/*
 * The PVH entry runs C code before pvops_early_init().  The choice made here is
 * lost when .bss is cleared.
 */
void __init pvops_prepare_pvh(void)
{
	pv_init_native();
	xen_prepare_pvh();
}
#endif

/*
 * Called at the Xen PV entry, where no native op works.  So the final choice is
 * made here: the command line exists, and PV guests are never encrypted.
 */
void __init pvops_early_init_xen(const struct start_info *start_info)
{
	platform.xen_start_info = start_info;
	choose(start_info->cmd_line);
}

/* Registered to keep it from user space; pv_init() reads it, too. */
static bool vmi_is_named __initdata;

static int __init pvops_option(char *words)
{
	if (words && parse_option_str(words, "vmi"))
		vmi_is_named = true;
	return 0;
}
early_param("pvops", pvops_option);

/*
 * Returns the reason why no ROM may be used, or NULL.  A ROM's code runs in
 * ring 0 and has no signature.  So it is used only if the user names it, and if
 * an unsigned module could be loaded, too.
 */
static const char * __init no_option_roms(void)
{
	if (!vmi_is_named)
		return "not asked for: pvops=vmi";
	/* Pages that firmware has not accepted must not be touched. */
	if (platform.memory_encrypted)
		return "the option ROM area must not be read in an encrypted guest";
	/* A ROM takes a root for one page; with isolation it has two. */
	if (boot_cpu_has(X86_FEATURE_PTI))
		return "page table isolation is on";
#ifdef X86_FEATURE_FRED
	/* ERETU and ERETS are not the iret op. */
	if (cpu_feature_enabled(X86_FEATURE_FRED))
		return "exceptions return by FRED";
#endif
	if (security_locked_down(LOCKDOWN_MODULE_SIGNATURE))
		return "the kernel is locked down";
	return NULL;
}

/* The chosen backend's per-CPU part; natively Linux has its own. */
void pvops_cpu_init(void)
{
	if (pv_backend() != pv_native())
		pv_cpu_init(raw_smp_processor_id());
}

/* A ROM is chosen, and cannot start before memory is there. */
static bool rom_waits __initdata;

/*
 * Makes the choice before Linux asks which hypervisor it runs on: the command
 * line exists, and platform code has done nothing.  The linear map does not
 * exist, so a ROM's backend, whose place is between the kernel and that
 * hypervisor, starts later, and until then everything is native.
 */
void __init pvops_choose_platform(void)
{
	const struct pv_backend *preview;
	void *roms = NULL;

	/* Under Xen PV, the choice was made at the entry. */
	if (platform.xen_start_info)
		goto out;
	pvops_platform_prepare();
	platform.five_levels = pgtable_l5_enabled();
	platform.memory_encrypted = cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
	platform.no_native = pvops_no_native();
	platform.no_option_roms = no_option_roms();
	if (!platform.no_option_roms) {
		roms = early_memremap(ISA_OPTION_ROMS, ISA_OPTION_ROMS_SIZE);
		platform.option_roms = roms;
		preview = pv_preview(&platform, boot_command_line);
		rom_waits = preview && !strcmp(preview->name, "vmi");
	}
	if (!rom_waits)
		choose(boot_command_line);
	platform.option_roms = NULL;
	if (roms)
		early_memunmap(roms, ISA_OPTION_ROMS_SIZE);
out:
	pvops_platform_chosen(&platform);
}

/*
 * Makes the choice again if a ROM is wanted.  The native op disables
 * interrupts, and the chosen backend's op enables them.
 */
static void __init choose_rom(void)
{
	platform.no_option_roms = no_option_roms();
	if (!platform.no_option_roms)
		platform.option_roms = __va(ISA_OPTION_ROMS);
	pvops_platform_too_late();
	raw_local_irq_disable();
	choose(boot_command_line);
	pvops_cpu_init();
	raw_local_irq_enable();
}

/* Behind the final choice, and before sites and alternatives are patched. */
static void __init follow_choice(void)
{
	/* Tables of a backend go back to it after their last walker. */
	if (!pv_impl_is_native(PV_OP_release_pte) &&
	    pv_impl_is_native(PV_OP_remove_table))
		PV_OVERRIDE(remove_table, tlb_remove_table);
	/* Before alternatives: IRETQ may fault in the hypervisor's code. */
	if (!pv_impl_is_native(PV_OP_iret))
		setup_force_cpu_cap(X86_FEATURE_PVOPS_CODE);
#ifdef X86_FEATURE_INVLPGB
	/* Linux's broadcasts of flushes go past the op.  Platform code knows that. */
	if (!pv_impl_is_native(PV_OP_flush_tlb_multi) && !pvops_platform_is_chosen())
		setup_clear_cpu_cap(X86_FEATURE_INVLPGB);
#endif
}

/*
 * Called instead of apply_paravirt(): one CPU, NMIs stopped, no site patched.
 */
void __init pvops_patch_kernel(void)
{
	if (rom_waits)
		choose_rom();
	/* Xen PV's platform code does without. */
	if (!platform.xen_start_info)
		follow_choice();
	/* A required iret op: system calls must return by it, too. */
	if (pv_impl_of(PV_OP_iret)->flags & PV_IMPL_REQUIRED)
		setup_force_cpu_cap(X86_FEATURE_PVOPS_IRET);
	if (!pv_impl_is_native(PV_OP_io_delay))
		pvops_leave_out_io_delay();
	pvops_platform_count();
	pv_patch();
	/* Keep the name that a hypervisor's platform code has set. */
	if (pv_backend() != pv_native() && !pvops_platform_is_chosen())
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

/* pvops_bench.ko reads its count of hypercalls. */
EXPORT_SYMBOL_GPL(pv_backend);
