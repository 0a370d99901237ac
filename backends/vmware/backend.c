// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VMware: the TSC's frequency and stolen time; no other ops.
 *
 * The interface is the "backdoor": a magic number and a command in registers,
 * and an instruction that calls the hypervisor.  Sources: Linux 6.1,
 * arch/x86/kernel/cpu/vmware.c and arch/x86/include/asm/vmware.h; VMware's
 * "Mechanisms to determine if software is running in a VMware virtual machine"
 * (knowledge base 1009458).  No code of theirs is here.
 */
#include <pvops/native.h>
#include <pvops/port.h>
#include <pvops/pvops.h>
#include "vmware.h"

#define PORT		0x5658
#define MAGIC		0x564d5868
#define NONE		~0U

#define CMD_VERSION	10
#define CMD_HZ		45
#define CMD_STEAL	91
/* Results of CMD_STEAL. */
#define STEAL_ON	1
#define STEAL_UNKNOWN	NONE

/* Stolen time in TSC ticks; the hypervisor writes it. */
struct steal {
	u64 ticks;
	u64 reserved[7];
} __attribute__((aligned(64)));

static PV_PERCPU_DEFINE(struct steal, vmware_steal);

static u32 way;
static u64 hz;
static bool steals;
/* The layer, not the kernel, runs clocks and the local APIC. */
static bool late;
/* ns = ticks * scale >> 32 */
static u64 scale;

static struct pv_time_impls time_impls PV_RO_AFTER_INIT;
static struct pv_smp_impls smp_impls PV_RO_AFTER_INIT;

struct answer {
	u32 eax;
	u32 ebx;
	u32 ecx;
};

/* Only CMD_STEAL uses rdi and rsi. */
static struct answer backdoor(u32 cmd, u32 ebx, u32 esi, u32 edi)
{
	struct answer out = { MAGIC, ebx, cmd };
	u32 edx = PORT;

#define CALL(insn)	asm volatile(insn : "+a" (out.eax), "+b" (out.ebx), "+c" (out.ecx),	\
				     "+d" (edx), "+S" (esi), "+D" (edi) : : "memory")
	if (way & VMWARE_VMCALL)
		CALL("vmcall");
	else if (way & VMWARE_VMMCALL)
		CALL("vmmcall");
	else
		CALL("inl %%dx, %%eax");
#undef CALL
	return out;
}

static u64 vmware_stolen_time(u32 cpu)
{
	u64 ticks;

	if (cpu >= PV_MAX_CPUS)
		return 0;
	ticks = __atomic_load_n(&PV_PERCPU_PTR_OF(vmware_steal, cpu)->ticks, __ATOMIC_RELAXED);
	return (u64)((unsigned __int128)ticks * scale >> 32);
}

static void vmware_cpu_exit(void)
{
	if (steals)
		backdoor(CMD_STEAL, 0, 0, 1);
}

static void vmware_stop_cpu(void)
{
	vmware_cpu_exit();
	native_fn_stop_cpu();
}

static void vmware_shutdown(enum pv_shutdown_reason reason)
{
	vmware_cpu_exit();
	native_fn_shutdown(reason);
}

static int vmware_init(const struct pv_platform *platform)
{
	struct answer answer;

	way = vmware_way(platform);
	answer = backdoor(CMD_VERSION, NONE, 0, 0);
	if (answer.eax == NONE || answer.ebx != MAGIC) {
		pv_port_log("pvops: vmware: nobody answers behind the name (version 0x%x, 0x%x)",
			    answer.eax, answer.ebx);
		return -19;
	}
	answer = backdoor(CMD_HZ, NONE, 0, 0);
	hz = answer.ebx == NONE ? 0 : (u64)answer.ebx << 32 | answer.eax;
	if (hz && (hz < 1000000 || hz >> 36)) {
		pv_port_log("pvops: vmware: %llu Hz is no frequency of a TSC",
			    (unsigned long long)hz);
		hz = 0;
	}
	/* It is off, so turning it off changes nothing; the result shows if it is known. */
	steals = hz && backdoor(CMD_STEAL, 0, 0, 1).eax != STEAL_UNKNOWN;
	if (hz)
		scale = (1000000000ULL << 32) / hz;
	time_impls.stolen_time.fn = steals ? vmware_stolen_time : NULL;
	smp_impls.stop_cpu.fn = steals ? vmware_stop_cpu : NULL;
	smp_impls.shutdown.fn = steals ? vmware_shutdown : NULL;
	return 0;
}

static void vmware_cpu_init(u32 cpu)
{
	u64 where;

	/* A kernel with its own timers and IPIs never calls late_init(). */
	if (late)
		pv_native()->cpu_init(cpu);
	if (!steals || !pv_impl_is_own(PV_OP_stolen_time))
		return;
	where = (pv_pfn_nr(pv_port_virt_to_pfn(PV_PERCPU_PTR(vmware_steal))) << PV_PAGE_SHIFT) |
		((unsigned long)PV_PERCPU_PTR(vmware_steal) & (PV_PAGE_SIZE - 1));
	if (backdoor(CMD_STEAL, 0, (u32)(where >> 32), (u32)where).eax != STEAL_ON)
		pv_port_log("pvops: vmware: CPU %u: no stolen time: its record is refused", cpu);
}

static void vmware_late_init(void)
{
	late = true;
	pv_native()->late_init();
}

static u32 vmware_tsc_khz(void)
{
	return (u32)(hz / 1000);
}

static const char *vmware_note(u32 nr)
{
	static char line[120];

	if (nr)
		return NULL;
	pv_port_format(line, sizeof(line), "called by %s; TSC %llu kHz; stolen time: %s",
		       way & VMWARE_VMCALL ? "VMCALL" : way & VMWARE_VMMCALL ? "VMMCALL" : "port",
		       (unsigned long long)(hz / 1000), steals ? "yes" : "not offered");
	return line;
}

static const struct pv_backend vmware_backend = {
	.name = "vmware",
	.title = "VMware",
	.detect = vmware_detect,
	.init = vmware_init,
	.cpu_init = vmware_cpu_init,
	.cpu_exit = vmware_cpu_exit,
	.late_init = vmware_late_init,
	.tsc_khz = vmware_tsc_khz,
	.note = vmware_note,
	.time = &time_impls,
	.smp = &smp_impls,
};

PV_BACKEND(vmware_backend);
