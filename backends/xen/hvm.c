// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Xen, hardware-virtualized: PVH and HVM.  The hardware handles privileged instructions,
 * page tables and the interrupt flag.  The backend implements only the ops that cost
 * fewer exits through Xen: events instead of local APIC accesses, Xen's clock, one
 * hypercall to flush the TLBs of all CPUs.  All other ops are native.
 */
#include <pvops/call.h>
#include <pvops/pvops.h>
#include "internal.h"

/* Xen's shared_info replaces this page's frame, which stays unused. */
static u8 shared_page[PV_PAGE_SIZE] __attribute__((aligned(4096)));

/* The first of Xen's CPUID leaves. */
static u32 base;
static enum pvxen_guest type;
static bool uses_vmmcall;

/*
 * The hypercall stubs, one for each vendor's instruction.  The registers are those of
 * PV, but rcx and r11 survive.  cpu_init() changes the first instruction of
 * pvxen_hypercall(), which code shared with PV calls, to a jump to one of them; so PV
 * pays nothing.  There is no hypercall page, because it cannot count calls.
 */
void pvxen_hypercall_vmcall(void);
void pvxen_hypercall_vmmcall(void);
PV_ASM_ODD(pvxen_hypercall_vmcall);
PV_ASM_ODD(pvxen_hypercall_vmmcall);

#define STUB(name, insn)						\
	asm(".pushsection .text\n.globl " #name "\n"			\
	    ".type " #name ", @function\n" #name ":\n\t"		\
	    "incq " PV_PERCPU_ASM "pvxen_hypercall_count(,%rax,8)\n\t"	\
	    insn "\n\t" PV_ASM_RET "\n"					\
	    ".size " #name ", . - " #name "\n.popsection\n")

STUB(pvxen_hypercall_vmcall, "vmcall");
STUB(pvxen_hypercall_vmmcall, "vmmcall");

/* Makes a hypercall before the stub exists: init() runs before any op, so it cannot patch. */
static long early_call2(u32 nr, unsigned long a1, const void *a2)
{
	long ret;

	if (uses_vmmcall)
		asm volatile("vmmcall" : "=a" (ret), "+D" (a1), "+S" (a2)
			     : "0" ((unsigned long)nr) : "memory");
	else
		asm volatile("vmcall" : "=a" (ret), "+D" (a1), "+S" (a2)
			     : "0" ((unsigned long)nr) : "memory");
	return ret;
}

/* JMP rel32 */
#define JUMP_BYTES	5

static void choose_stub(void)
{
	unsigned long from = (unsigned long)pvxen_hypercall;
	unsigned long to = (unsigned long)(uses_vmmcall ? pvxen_hypercall_vmmcall :
						     pvxen_hypercall_vmcall);
	long alias = pv_port_text_begin(from, from + JUMP_BYTES);
	volatile u8 *text = (volatile u8 *)(from + (unsigned long)alias);
	u32 i, distance = (u32)(to - from - JUMP_BYTES);

	if (alias == PV_TEXT_REFUSED)
		pv_port_panic("pvops: xenhvm: the hypercall stub cannot be written");
	text[0] = 0xe9;
	for (i = 0; i < 4; i++)
		text[1 + i] = (u8)(distance >> 8 * i);
	pv_port_text_end(from, from + JUMP_BYTES);
}

static int map_shared_info(void)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = pv_pfn_nr(pv_port_virt_to_pfn(shared_page)),
	};
	int error = pv_batch_errno(early_call2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map));

	pvxen_shared = (struct shared_info *)shared_page;
	return error;
}

/*
 * Sets one vector for all vCPUs, which Xen injects while events are pending.  The
 * alternative, a vector per vCPU (HVMOP_set_evtchn_upcall_vector), goes through the local
 * APIC and needs an EOI: one more exit for every upcall.
 */
static int set_callback(void)
{
	struct xen_hvm_param param = {
		.domid = DOMID_SELF,
		.index = HVM_PARAM_CALLBACK_IRQ,
		.value = (u64)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | PV_VECTOR_EVENT,
	};

	return pv_batch_errno(early_call2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param));
}

static bool has_features(u32 wanted)
{
	struct xen_feature_info info = { .submap_idx = 0 };

	return !early_call2(__HYPERVISOR_xen_version, XENVER_get_features, &info) &&
	       (info.submap & wanted) == wanted;
}

static int init(const struct pv_platform *platform)
{
	const struct pv_cpuid_range *leaves;
	u32 version;
	int error;

	type = pvxen_guest_type(platform, &leaves);
	base = leaves->base;
	version = leaves->leaf[0].eax;
	uses_vmmcall = pv_vendor_is_amd(platform);

	if (!has_features(1U << XENFEAT_hvm_callback_vector | 1U << XENFEAT_hvm_safe_pvclock)) {
		pv_port_log("pvops: xenhvm: Xen %u.%u has no callback vector, or no clock for guests",
			    version >> 16, version & 0xffff);
		return -XEN_ENOENT;
	}
	error = map_shared_info();
	if (error) {
		pv_port_log("pvops: xenhvm: shared_info cannot be mapped, error %d", error);
		return error;
	}
	error = set_callback();
	if (error) {
		pv_port_log("pvops: xenhvm: no events: vector 0x%x refused, error %d",
			    PV_VECTOR_EVENT, error);
		return error;
	}
	pv_port_log("pvops: xenhvm: %s guest of Xen %u.%u, hypercalls by %s",
		    type == PVXEN_PVH ? "PVH" : "HVM", version >> 16, version & 0xffff,
		    uses_vmmcall ? "VMMCALL" : "VMCALL");
	return 0;
}

/* Xen's calls take vCPU numbers, so the kernel's CPU numbers must be the same. */
static void check_number(u32 cpu)
{
	struct pv_cpuid regs = { .eax = base + 4 };

	if (cpu >= PV_MAX_CPUS)
		pv_port_panic("pvops: xenhvm: CPU number beyond PV_MAX_CPUS");
	pv_cpuid(&regs);
	if (regs.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT && regs.ebx != cpu) {
		pv_port_log("pvops: xenhvm: CPU %u is Xen's vCPU %u", cpu, regs.ebx);
		pv_port_panic("pvops: xenhvm: the kernel numbers CPUs differently from Xen");
	}
}

static void cpu_init(u32 cpu)
{
	pv_pfn_t pfn;

	check_number(cpu);
	if (!cpu)
		choose_stub();
	pfn = pv_port_virt_to_pfn(PV_PERCPU_PTR(pvxen_vcpu_info));
	pvxen_register_vcpu(cpu, pv_mfn(pv_pfn_nr(pfn)));
	pvxen_time_init(cpu);
	pvxen_events_init(cpu);
}

bool pvxen_hvm_param(u32 index, u64 *val)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };
	long error = pvxen_check(pvxen_call2(__HYPERVISOR_hvm_op, HVMOP_get_param,
					     (unsigned long)&param),
				 PV_BATCH_CPU_INIT, XEN_CALLER(), index, 0);

	if (error)
		pv_port_log("pvops: xenhvm: parameter %u cannot be read, error %ld", index, error);
	*val = param.value;
	return !error;
}

static void late_init(void)
{
	/* An HVM guest uses the emulated machine's serial line. */
	if (type == PVXEN_PVH)
		pvxen_ring_init();
}

static void pvxen_hvm_upcall(u32 vector)
{
	if (vector)
		/* An interrupt of the local APIC. */
		pvnative_fn_upcall(vector);
	else
		pvxen_upcall(0);
}

/* Xen takes a CPU down that halts with interrupts masked; this time is not stolen. */
static void pvxen_hvm_halt(void)
{
	pvxen_time_stop(pv_port_this_cpu());
	asm volatile("hlt" : : : "memory");
}

/*
 * Nothing else can be undone: only a reset of the domain (SHUTDOWN_soft_reset) makes Xen
 * forget the addresses that it writes to.  Another kernel is started that way.
 */
static void pvxen_hvm_stop_cpu(void)
{
	u32 cpu = pv_port_this_cpu();

	pvxen_check(pvxen_vcpu_op(VCPUOP_stop_singleshot_timer, cpu, NULL), PV_OP_stop_cpu,
		    XEN_CALLER(), cpu, 0);
	for (;;) {
		pv_irq_disable();
		pvxen_hvm_halt();
	}
}

static bool only_this_cpu(const struct pv_cpumask *mask)
{
	u32 cpu = pv_port_this_cpu(), word;

	for (word = 0; word < PV_CPUMASK_WORDS; word++)
		if (mask->word[word] & ~(cpu / 64 == word ? 1UL << cpu % 64 : 0))
			return false;
	return true;
}

/*
 * Xen interrupts only the vCPUs that run; the others flush when they run again.  The
 * call flushes all entries of all vCPUs of the domain; there is no narrower one.
 */
static void pvxen_hvm_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end)
{
	pv_batch_flush();
	if (only_this_cpu(mask) ||
	    pvxen_check(pvxen_call2(__HYPERVISOR_hvm_op, HVMOP_flush_tlbs, 0),
			PV_OP_flush_tlb_multi, XEN_CALLER(), start, end))
		pvnative_fn_flush_tlb_multi(mask, start, end);
}

static void pvxen_hvm_console_write(const char *text, size_t bytes)
{
	if (type == PVXEN_PVH)
		pvxen_ring_write(text, bytes);
	else
		pv_port_native_console(text, bytes);
}

static void pvxen_hvm_shutdown(enum pv_shutdown_reason reason)
{
	pvxen_ring_drain();
	pvxen_ask_shutdown(reason);
}

/* Required: timer and events come only by this upcall. */
static const struct pv_irq_impls hvm_irq = {
	.halt = PV_FN(pvxen_hvm_halt, 0),
	.upcall = PV_FN(pvxen_hvm_upcall, PV_IMPL_REQUIRED),
};

static const struct pv_mmu_impls hvm_mmu = {
	.flush_tlb_multi = PV_FN(pvxen_hvm_flush_tlb_multi, 0),
};

/* CPUs start by INIT and SIPI, which Xen emulates once in a CPU's life. */
static const struct pv_smp_impls hvm_smp = {
	.send_ipi = PV_FN(pvxen_send_ipi, 0),
	.send_ipi_mask = PV_FN(pvxen_send_ipi_mask, 0),
	.stop_cpu = PV_FN(pvxen_hvm_stop_cpu, 0),
	.console_write = PV_FN(pvxen_hvm_console_write, 0),
	/* A PVH guest has no other way to shut down. */
	.shutdown = PV_FN(pvxen_hvm_shutdown, PV_IMPL_REQUIRED),
};

static const struct pv_backend backend = {
	.name = "xenhvm",
	.title = "Xen, hardware-virtualized (PVH, HVM)",
	.detect = pvxen_hvm_detect,
	.init = init,
	.cpu_init = cpu_init,
	.late_init = late_init,
	.hypercalls = pvxen_hypercalls,
	.null_hypercall = pvxen_null_hypercall,
	.irq = &hvm_irq,
	.mmu = &hvm_mmu,
	.time = &pvxen_time_impls,
	.smp = &hvm_smp,
	.lock = &pvxen_lock_impls,
};

PV_BACKEND(backend);
