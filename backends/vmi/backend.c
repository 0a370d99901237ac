// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VMI, profile VM64: the start of the ROM, the descriptor.
 *
 * The ROM's ops are known only after it has answered.  So init() fills the tables,
 * before the core reads them.
 */
#include "internal.h"

u64 pvvmi_entry[VMI_CALLS] PV_RO_AFTER_INIT;
static u8 answered[VMI_CALLS];

PV_PERCPU_DEFINE(struct pvvmi_counts, pvvmi_count);
PV_PERCPU_DEFINE(u32, pvvmi_lazy);

struct pv_irq_impls pvvmi_irq_impls PV_RO_AFTER_INIT;
struct pv_cpu_impls pvvmi_cpu_impls PV_RO_AFTER_INIT;
struct pv_mmu_impls pvvmi_mmu_impls PV_RO_AFTER_INIT;
struct pv_time_impls pvvmi_time_impls PV_RO_AFTER_INIT;
struct pv_smp_impls pvvmi_smp_impls PV_RO_AFTER_INIT;

/* The copy of the image: its code, then its data; section 2. */
static u8 memory[VMI_MEMORY_MAX] __attribute__((aligned(4096)));
static struct pvvmi_rom used;

void pvvmi_nothing(void)
{
}

bool pvvmi_is_nop(u32 nr)
{
	return answered[nr] == VMI_NOP;
}

static void copy_image(const struct pvvmi_rom *rom)
{
	u32 i;

	for (i = 0; i < rom->bytes; i++)
		memory[i] = rom->image[i];
	for (; i < rom->memory_bytes; i++)
		memory[i] = 0;
}

static const char *text_or(const char *text, const char *other)
{
	return text ? text : other;
}

/* Logs one line for any reason, and returns false. */
static bool refuse(u32 at, const char *why)
{
	pv_port_log("pvops: vmi: option ROM at 0x%x not used: %s", VMI_AREA_START + at, why);
	return false;
}

static bool refuse_fault(u32 at, const char *what)
{
	u64 code = (unsigned long)memory;

	if (pvvmi_fault.vector == VMI_PAGE_FAULT && (pvvmi_fault.error & VMI_FAULT_WRITE) &&
	    pvvmi_fault.address - code < used.data_offs)
		pv_port_log("pvops: vmi: option ROM at 0x%x not used: %s stores to its own code, from 0x%lx to 0x%lx",
			    VMI_AREA_START + at, what, (unsigned long)(pvvmi_fault.rip - code),
			    (unsigned long)(pvvmi_fault.address - code));
	else
		pv_port_log("pvops: vmi: option ROM at 0x%x not used: %s: exception %u at 0x%lx, address 0x%lx",
			    VMI_AREA_START + at, what, (u32)pvvmi_fault.vector,
			    (unsigned long)(pvvmi_fault.rip - code),
			    (unsigned long)pvvmi_fault.address);
	return false;
}

/*
 * Gets the copy's answers, and checks them.  No byte of the ROM is executed before this,
 * and its code is already read-only.
 */
static bool ask(u32 at, struct pvvmi_reloc *answer)
{
	u64 base = (unsigned long)memory;
	const char *why;
	u32 i, nr;

	for (i = 0; i < VMI_CALLS; i++) {
		const u64 args[4] = { i };

		if (!pvvmi_call_guarded(base + VMI_SLOT_GET_RELOC, args, &answer[i]))
			return refuse_fault(at, "GetRelocation");
	}
	if (!pvvmi_answers_check(&used, base, memory, answer, &nr, &why))
		return true;
	pv_port_log("pvops: vmi: option ROM at 0x%x not used: call %u: %s", VMI_AREA_START + at,
		    nr, why);
	return false;
}

static bool start(u32 at)
{
	u64 base = (unsigned long)memory;
	const u64 args[4] = {
		base, pv_pfn_nr(pv_port_virt_to_pfn(memory)) << PV_PAGE_SHIFT,
		used.memory_bytes, VMI_API_VERSION
	};
	struct pvvmi_reloc result;

	if (!pvvmi_call_guarded(base + VMI_SLOT_INIT, args, &result))
		return refuse_fault(at, "VMI_Init");
	return (s32)result.entry ? refuse(at, "VMI_Init failed") : true;
}

static bool take(const struct pvvmi_rom *rom, u32 at)
{
	static struct pvvmi_reloc answer[VMI_CALLS];
	u32 i;

	used = *rom;
	copy_image(rom);
	if (!pv_port_code_area(memory, rom->data_offs))
		return refuse(at, "its code cannot be made executable");
	if (!ask(at, answer) || !start(at)) {
		pv_port_code_area(memory, 0);
		return false;
	}
	for (i = 0; i < VMI_CALLS; i++) {
		answered[i] = (u8)answer[i].type;
		if (answered[i] == VMI_CALL_REL || answered[i] == VMI_JUMP_REL)
			pvvmi_entry[i] = answer[i].entry;
	}
	pv_port_log("pvops: vmi: option ROM at 0x%x: %s %s, version %u.%u", VMI_AREA_START + at,
		    text_or(rom->maker, "unknown maker,"), text_or(rom->product, "VM64"),
		    rom->version >> 8, rom->version & 0xff);
	return true;
}

static int init(const struct pv_platform *platform)
{
	struct pvvmi_rom rom;
	const char *why;
	u32 at = 0;
	int error;

	for (;; at += VMI_AREA_STEP) {
		error = pvvmi_rom_next(platform->option_roms, VMI_AREA_BYTES, &at, &rom, &why);
		if (error == VMI_NOT_A_ROM)
			return -VMI_ENOENT;
		if (error)
			refuse(at, why);
		else if (take(&rom, at))
			break;
	}
	pvvmi_map_linear();
	pvvmi_fill_irq(used.flags);
	pvvmi_fill_cpu();
	pvvmi_fill_mmu(used.flags);
	pvvmi_fill_time();
	pvvmi_fill_smp(used.flags);
	return 0;
}

static void cpu_init(u32 cpu)
{
	pvvmi_mmu_cpu_init();
	if (!cpu)
		return;
	pvvmi_map_linear();
	pvvmi_apic_cpu_init();
}

static void late_init(void)
{
	pvvmi_time_late_init();
	pvvmi_apic_late_init();
}

static u64 hypercalls(u32 nr)
{
	const struct pvvmi_counts *counts = PV_PERCPU_PTR(pvvmi_count);

	if (nr == ~0U)
		return counts->trapping;
	return nr < VMI_CALLS ? counts->nr[nr] : 0;
}

/* This call always asks the hypervisor, and changes nothing. */
static void null_hypercall(void)
{
	if (pvvmi_has(VMI_WALLCLOCK_UPDATED))
		pvvmi_call0(VMI_WALLCLOCK_UPDATED);
}

unsigned long pvvmi_rom_counters(void)
{
	return used.counters_offs ? (unsigned long)memory + used.counters_offs : 0;
}

u64 pvvmi_rom_count(u32 nr)
{
	const u64 *counters = (const u64 *)pvvmi_rom_counters();

	if (!counters || nr >= VMI_CALLS)
		return 0;
	return __atomic_load_n(counters + nr, __ATOMIC_RELAXED);
}

void pvvmi_map_slot(u32 slot, u64 va, u64 pages, u64 pfn)
{
	if (!pvvmi_has(VMI_SET_LINEAR_MAPPING))
		return;
	pvvmi_check(VMI_SET_LINEAR_MAPPING,
		    pvvmi_call4(VMI_SET_LINEAR_MAPPING, slot, va, pages, pfn),
		    PV_BATCH_CPU_INIT, VMI_CALLER(), slot, va);
}

void pvvmi_map_linear(void)
{
	pvvmi_map_slot(0, (unsigned long)pv_port_pfn_to_virt(pv_pfn(0)), ~0ULL, 0);
}

void pvvmi_refused(enum pv_op op, unsigned long caller, u64 arg1, u64 arg2, s64 error, s64 again)
{
	const struct pv_batch_req req = { arg1, arg2 };
	const struct pv_batch_note note = { caller, op };

	pv_batch_refused(&req, &note, pv_batch_errno(error), (s32)again);
}

static const struct pv_backend backend = {
	.name = "vmi",
	.title = "VMI option ROM, 64-bit profile",
	.detect = pvvmi_detect,
	.init = init,
	.cpu_init = cpu_init,
	.late_init = late_init,
	.hypercalls = hypercalls,
	.null_hypercall = null_hypercall,
	.irq = &pvvmi_irq_impls,
	.cpu = &pvvmi_cpu_impls,
	.mmu = &pvvmi_mmu_impls,
	.time = &pvvmi_time_impls,
	.smp = &pvvmi_smp_impls,
};

PV_BACKEND(backend);
