// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VMware: the TSC's frequency and stolen time; no other ops.
 */
#include <pvops/native.h>
#include <pvops/port.h>
#include <pvops/pvops.h>
#include "internal.h"

/* Stolen time in TSC ticks; the hypervisor writes it. */
struct steal {
	u64 ticks;
	u64 reserved[7];
} __attribute__((aligned(64)));

static PV_PERCPU_DEFINE(struct steal, pvvmware_steal);

static u32 way;
static u64 hz;
static bool steals;
/* ns = ticks * scale >> 32 */
static u64 scale;

static struct pv_time_impls time_impls PV_RO_AFTER_INIT;
static struct pv_smp_impls smp_impls PV_RO_AFTER_INIT;

struct answer {
	u32 eax;
	u32 ebx;
	u32 ecx;
};

/* Only VMWARE_CMD_STEAL uses rdi and rsi.  Not in line: the audit allows IN by this name. */
static __attribute__((__noinline__)) struct answer backdoor(u32 cmd, u32 ebx, u32 esi, u32 edi)
{
	struct answer out = { VMWARE_MAGIC, ebx, cmd };
	u32 edx = VMWARE_PORT;

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

static u64 pvvmware_stolen_time(u32 cpu)
{
	u64 ticks;

	if (cpu >= PV_MAX_CPUS)
		return 0;
	ticks = __atomic_load_n(&PV_PERCPU_PTR_OF(pvvmware_steal, cpu)->ticks, __ATOMIC_RELAXED);
	return (u64)((unsigned __int128)ticks * scale >> 32);
}

static void cpu_exit(void)
{
	if (steals)
		backdoor(VMWARE_CMD_STEAL, 0, 0, 1);
}

static void pvvmware_stop_cpu(void)
{
	cpu_exit();
	pvnative_fn_stop_cpu();
}

static void pvvmware_shutdown(enum pv_shutdown_reason reason)
{
	cpu_exit();
	pvnative_fn_shutdown(reason);
}

static int init(const struct pv_platform *platform)
{
	struct answer answer;

	way = pvvmware_way(platform);
	answer = backdoor(VMWARE_CMD_VERSION, VMWARE_NONE, 0, 0);
	if (answer.eax == VMWARE_NONE || answer.ebx != VMWARE_MAGIC) {
		pv_port_log("pvops: vmware: the hypercall does not answer (version 0x%x, 0x%x)",
			    answer.eax, answer.ebx);
		return -PV_ENODEV;
	}
	answer = backdoor(VMWARE_CMD_HZ, VMWARE_NONE, 0, 0);
	hz = answer.ebx == VMWARE_NONE ? 0 : (u64)answer.ebx << 32 | answer.eax;
	if (hz && (hz < 1000000 || hz >> 36)) {
		pv_port_log("pvops: vmware: a TSC frequency of %llu Hz is implausible, not used",
			    (unsigned long long)hz);
		hz = 0;
	}
	/* It is off, so turning it off changes nothing; the result shows if it is known. */
	steals = hz && backdoor(VMWARE_CMD_STEAL, 0, 0, 1).eax != VMWARE_STEAL_UNKNOWN;
	if (hz)
		scale = (1000000000ULL << 32) / hz;
	time_impls.stolen_time.fn = steals ? pvvmware_stolen_time : NULL;
	smp_impls.stop_cpu.fn = steals ? pvvmware_stop_cpu : NULL;
	smp_impls.shutdown.fn = steals ? pvvmware_shutdown : NULL;
	return 0;
}

static void cpu_init(u32 cpu)
{
	u64 where;

	if (!steals || !pv_impl_is_own(PV_OP_stolen_time))
		return;
	where = (pv_pfn_nr(pv_port_virt_to_pfn(PV_PERCPU_PTR(pvvmware_steal))) << PV_PAGE_SHIFT) |
		((unsigned long)PV_PERCPU_PTR(pvvmware_steal) & (PV_PAGE_SIZE - 1));
	if (backdoor(VMWARE_CMD_STEAL, 0, (u32)(where >> 32), (u32)where).eax != VMWARE_STEAL_ON)
		pv_port_log("pvops: vmware: CPU %u: no stolen time: VMware refused the record", cpu);
}

static u32 tsc_khz(void)
{
	return (u32)(hz / 1000);
}

static const char *note(u32 nr)
{
	static char line[120];

	if (nr)
		return NULL;
	pv_port_format(line, sizeof(line), "called by %s; TSC %llu kHz; stolen time: %s",
		       way & VMWARE_VMCALL ? "VMCALL" : way & VMWARE_VMMCALL ? "VMMCALL" : "port",
		       (unsigned long long)(hz / 1000), steals ? "yes" : "not offered");
	return line;
}

static const struct pv_backend backend = {
	.name = "vmware",
	.title = "VMware",
	.detect = pvvmware_detect,
	.init = init,
	.cpu_init = cpu_init,
	.cpu_exit = cpu_exit,
	.tsc_khz = tsc_khz,
	.note = note,
	.time = &time_impls,
	.smp = &smp_impls,
};

PV_BACKEND(backend);
