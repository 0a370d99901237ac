// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * optables: what each backend puts in the place of each op, as the code decides it.
 *
 * All backends and the core are linked into a process on the fuzzers' machine
 * (tests/fuzz/machine.h).  For each backend the program makes the machine that offers
 * everything, lets pv_init() detect and start, and reads the chosen implementation of
 * every op.  Then it changes one thing of the machine, and each two things, and reads
 * again: what differs has a condition.
 *
 * Output, one JSON object a line:
 *
 *	{"backend": NAME, "title": TEXT, "machine": TEXT,
 *	 "ops": {OP: IMPL, ...}}			everything is offered: all ops
 *	{"backend": NAME, "changes": [TEXT, ...],
 *	 "ops": {OP: IMPL, ...}}			what that changes
 *	{"backend": NAME, "changes": [TEXT, ...],
 *	 "refused": TEXT}				the backend does not run there
 *
 *	IMPL: {"form": "native" | "in line" | "inline" | "nop" | "call" | "jump",
 *	       "fn": ADDRESS, "code": [START, END], "rom": CALL, "required": true}
 *
 * Of two changes only that is told which neither of them does alone.  Addresses are
 * the program's own: its symbols say what they are (tools/opdoc.py).  Exit status 1,
 * and one line: a backend has no machine here, does not run on its own, or an op has
 * no implementation.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../backends/hyperv/internal.h"
#include "../../backends/kvm/internal.h"
#include "../../backends/xen/internal.h"
#include "../../pvops/internal.h"
#include "../../tests/fuzz/machine.h"
#include "../../tests/unit/recorded.h"
#include "../../tests/unit/vmi_image.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

bool optables_msr_may_fault;

/* --- what of a machine can be otherwise --- */

enum answer {
	ANSWER_XEN_CALLBACK = 1 << 0,
	ANSWER_XEN_CLOCK = 1 << 1,
	ANSWER_VMWARE_HZ = 1 << 2,
	ANSWER_VMWARE_STEAL = 1 << 3,
	ANSWER_HV_PAGE = 1 << 4,
};

enum reg { EAX, EBX, ECX, EDX };

/**
 * struct change - one thing that is otherwise
 * @says: for people: behind "native" or "refused"
 * @leaf: of CPUID, in which @bits of @reg are flipped; 0 none
 * @vendor: the processor is Intel's
 * @answers: not answered any more
 * @rom_flags: flipped in the ROM's header
 * @calls: VMI calls that the ROM answers with @type
 * @call_count: how many
 * @may_fault: of the port
 */
struct change {
	const char *says;
	u32 leaf;
	enum reg reg;
	u32 bits;
	bool vendor;
	u32 answers;
	u32 rom_flags;
	const u8 *calls;
	u32 call_count;
	u8 type;
	bool may_fault;
};

#define KVM_LEAF		0x40000001
#define WITHOUT(what, nr, r, mask)	{ .says = "without `" #what "`", .leaf = (nr), .reg = (r), .bits = (mask) }
#define KVM_WITHOUT(name)	WITHOUT(KVM_FEATURE_##name, KVM_LEAF, EAX, 1U << KVM_FEATURE_##name)

static const struct change kvm_changes[] = {
	KVM_WITHOUT(CLOCKSOURCE),
	KVM_WITHOUT(NOP_IO_DELAY),
	KVM_WITHOUT(CLOCKSOURCE2),
	KVM_WITHOUT(STEAL_TIME),
	KVM_WITHOUT(PV_EOI),
	KVM_WITHOUT(PV_UNHALT),
	KVM_WITHOUT(PV_TLB_FLUSH),
	KVM_WITHOUT(PV_SEND_IPI),
	KVM_WITHOUT(PV_SCHED_YIELD),
	{ .says = "with dedicated vCPUs", .leaf = KVM_LEAF, .reg = EDX,
	  .bits = 1U << KVM_HINTS_REALTIME },
	{ .says = "on Intel", .vendor = true },
};

#define HV_WITHOUT(name, nr, r)	WITHOUT(HV_##name, nr, r, HV_##name)

static const struct change hyperv_changes[] = {
	HV_WITHOUT(PRIV_REF_COUNTER, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_SYNTIMER, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_APIC, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_HYPERCALL, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_VP_INDEX, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_RESET, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_REF_TSC, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(PRIV_FREQUENCY, HV_CPUID_FEATURES, EAX),
	HV_WITHOUT(FEAT_FREQUENCY, HV_CPUID_FEATURES, EDX),
	HV_WITHOUT(FEAT_CRASH, HV_CPUID_FEATURES, EDX),
	HV_WITHOUT(FEAT_STIMER_DIRECT, HV_CPUID_FEATURES, EDX),
	HV_WITHOUT(HINT_REMOTE_FLUSH, HV_CPUID_HINTS, EAX),
	HV_WITHOUT(HINT_APIC_MSR, HV_CPUID_HINTS, EAX),
	HV_WITHOUT(HINT_RESET_MSR, HV_CPUID_HINTS, EAX),
	HV_WITHOUT(HINT_CLUSTER_IPI, HV_CPUID_HINTS, EAX),
	HV_WITHOUT(HINT_EX_MASKS, HV_CPUID_HINTS, EAX),
	{ .says = "where the hypercall page is refused", .answers = ANSWER_HV_PAGE },
};

static const struct change xenhvm_changes[] = {
	{ .says = "without `XENFEAT_hvm_callback_vector`", .answers = ANSWER_XEN_CALLBACK },
	{ .says = "without `XENFEAT_hvm_safe_pvclock`", .answers = ANSWER_XEN_CLOCK },
	{ .says = "on Intel", .vendor = true },
};

static const struct change vmware_changes[] = {
	{ .says = "without a TSC frequency", .answers = ANSWER_VMWARE_HZ },
	{ .says = "without stolen time", .answers = ANSWER_VMWARE_STEAL },
};

#define CALLS(what, ...)						\
	.calls = (const u8[]){ __VA_ARGS__ }, .type = (what),		\
	.call_count = sizeof((const u8[]){ __VA_ARGS__ })
#define NO_CALL(name, ...)	{ .says = "without " name, CALLS(VMI_NONE, __VA_ARGS__) }
#define NOP_CALL(name, nr)	{ .says = "where " name " is NOP", CALLS(VMI_NOP, nr) }

/* ABI.md, section 5; what is answered together is one change. */
static const struct change vmi_changes[] = {
	NO_CALL("CPUID", VMI_CPUID),
	NO_CALL("WRMSR", VMI_WRMSR),
	NO_CALL("RDMSR", VMI_RDMSR),
	NO_CALL("SetGDT", VMI_SET_GDT),
	NO_CALL("SetLDT", VMI_SET_LDT),
	NO_CALL("SetIDT", VMI_SET_IDT),
	NO_CALL("SetTR", VMI_SET_TR),
	NO_CALL("GetTR", VMI_GET_TR),
	NO_CALL("WriteGDTEntry", VMI_WRITE_GDT_ENTRY),
	NO_CALL("WriteLDTEntry", VMI_WRITE_LDT_ENTRY),
	NO_CALL("WriteIDTEntry", VMI_WRITE_IDT_ENTRY),
	NO_CALL("UpdateKernelStack", VMI_UPDATE_KERNEL_STACK),
	NO_CALL("SetCR0", VMI_SET_CR0),
	NO_CALL("SetCR2", VMI_SET_CR2),
	NO_CALL("SetCR3", VMI_SET_CR3),
	NO_CALL("SetCR4", VMI_SET_CR4),
	NO_CALL("GetCR0", VMI_GET_CR0),
	NO_CALL("GetCR2", VMI_GET_CR2),
	NO_CALL("GetCR3", VMI_GET_CR3),
	NO_CALL("GetCR4", VMI_GET_CR4),
	NO_CALL("WBINVD", VMI_WBINVD),
	NOP_CALL("WBINVD", VMI_WBINVD),
	NO_CALL("SetDR", VMI_SET_DR),
	NO_CALL("GetDR", VMI_GET_DR),
	NO_CALL("RDPMC", VMI_RDPMC),
	NO_CALL("RDTSC", VMI_RDTSC),
	NO_CALL("CLTS", VMI_CLTS),
	NO_CALL("IRET and the interrupt calls", VMI_ENABLE_INTERRUPTS, VMI_DISABLE_INTERRUPTS,
		VMI_GET_INTERRUPT_MASK, VMI_SET_INTERRUPT_MASK, VMI_IRET, VMI_HALT),
	NO_CALL("Reboot", VMI_REBOOT),
	NO_CALL("Shutdown", VMI_SHUTDOWN),
	NO_CALL("SetPxELong", VMI_SET_PXE_LONG, VMI_SET_LAZY_MODE),
	NO_CALL("UpdatePxELong", VMI_UPDATE_PXE_LONG),
	NOP_CALL("UpdatePxELong", VMI_UPDATE_PXE_LONG),
	NO_CALL("AllocatePage", VMI_ALLOCATE_PAGE, VMI_RELEASE_PAGE),
	NO_CALL("InvalPage", VMI_INVAL_PAGE),
	NO_CALL("FlushTLB", VMI_FLUSH_TLB),
	NO_CALL("SetLinearMapping", VMI_SET_LINEAR_MAPPING),
	NOP_CALL("SetLinearMapping", VMI_SET_LINEAR_MAPPING),
	NO_CALL("SetIOPLMask", VMI_SET_IOPL_MASK),
	NOP_CALL("SetIOPLMask", VMI_SET_IOPL_MASK),
	NO_CALL("SetInitialAPState", VMI_SET_INITIAL_AP_STATE),
	NO_CALL("APICWrite", VMI_APIC_WRITE),
	NO_CALL("APICRead", VMI_APIC_READ),
	NO_CALL("IODelay", VMI_IO_DELAY),
	NOP_CALL("IODelay", VMI_IO_DELAY),
	NO_CALL("the cycle and alarm calls", VMI_GET_CYCLE_FREQUENCY, VMI_GET_CYCLE_COUNTER,
		VMI_SET_ALARM, VMI_CANCEL_ALARM),
	NO_CALL("GetWallclockTime", VMI_GET_WALLCLOCK_TIME),
	NO_CALL("WallclockUpdated", VMI_WALLCLOCK_UPDATED),
	{ .says = "with flag DIRECT_PT", .rom_flags = VMI_FLAG_DIRECT_PT },
	{ .says = "with flag NATIVE_IF", .rom_flags = VMI_FLAG_NATIVE_IF },
	{ .says = "where the port sets `PV_MSR_MAY_FAULT`", .may_fault = true },
};

/* --- the machines --- */

#define LEAVES	6
#define CHANGES(list)	.change = (list), .changes = COUNT(list)

static const struct machine {
	const char *backend;
	const char *says;
	struct recorded_leaf leaf[LEAVES];
	const struct change *change;
	u32 changes;
	bool xen_pv;
	bool rom;
} machines[] = {
	{ "native", "a bare machine", { INTEL, { 1, REGS(0, 0, 0, 0) } }, .changes = 0 },
	{ "xen", "a Xen PV guest", { INTEL, { 1, REGS(0, 0, 0, 0) } }, .xen_pv = true },
	{ "xenhvm", "a Xen HVM guest", { AMD, GUEST, XEN_AT(0x40000000),
		{ 0x40000001, REGS(4 << 16 | 17, 0, 0, 0) } }, CHANGES(xenhvm_changes) },
	{ "vmi", "a ROM that answers every call", { AMD, { 1, REGS(0, 0, 0, 0) } },
	  CHANGES(vmi_changes), .rom = true },
	{ "kvm", "a KVM guest on AMD that is offered every feature",
	  { AMD, GUEST, KVM_AT(0x40000000) }, CHANGES(kvm_changes) },
	{ "hyperv", "a Hyper-V guest with every privilege and recommendation",
	  { INTEL, GUEST, HYPERV_AT(0x4000000c), { HV_CPUID_FEATURES, REGS(~0U, 0, 0, ~0U) },
	    { HV_CPUID_HINTS, REGS(~0U, 0, 0, 0) } }, CHANGES(hyperv_changes) },
	{ "vmware", "a VMware guest with stolen time", { AMD, GUEST, VMWARE,
		{ 0x40000010, REGS(0, 0, 1, 0) } }, CHANGES(vmware_changes) },
};

/* The machine as it is now. */
static const struct machine *machine;
static struct recorded_leaf leaves[LEAVES];
static u32 answers;
static u8 call_type[VMI_CALLS];
static u32 rom_flags;

static void flip(struct pv_cpuid *regs, enum reg reg, u32 bits)
{
	u32 *const at[] = { &regs->eax, &regs->ebx, &regs->ecx, &regs->edx };

	*at[reg] ^= bits;
}

static void set_up(const struct machine *what)
{
	u32 nr;

	machine = what;
	memcpy(leaves, what->leaf, sizeof(leaves));
	answers = ~0U;
	rom_flags = VMI_FLAG_RELOCATABLE | VMI_FLAG_RING0 | VMI_FLAG_ENDBR;
	for (nr = 0; nr < VMI_CALLS; nr++)
		call_type[nr] = nr == 34 || nr == 38 || nr == 40 || nr == 42 || nr == 43 ||
				(nr >= 49 && nr <= 60) || nr == 72 ? VMI_NONE : VMI_CALL_REL;
	call_type[VMI_IRET] = VMI_JUMP_REL;
}

static void change(const struct change *what)
{
	static const struct recorded_leaf intel = INTEL;
	u32 nr;

	for (nr = 0; nr < LEAVES; nr++) {
		if (what->leaf && leaves[nr].nr == what->leaf)
			flip(&leaves[nr].regs, what->reg, what->bits);
		if (what->vendor && !leaves[nr].nr && leaves[nr].regs.eax)
			leaves[nr] = intel;
	}
	answers &= ~what->answers;
	rom_flags ^= what->rom_flags;
	optables_msr_may_fault |= what->may_fault;
	for (nr = 0; nr < what->call_count; nr++)
		call_type[what->calls[nr]] = what->type;
}

static void replay(struct pv_cpuid *regs)
{
	u32 leaf = regs->eax, nr;

	*regs = (struct pv_cpuid){ 0 };
	for (nr = 0; nr < LEAVES; nr++)
		if (leaves[nr].nr == leaf && (leaf || leaves[nr].regs.eax)) {
			*regs = leaves[nr].regs;
			return;
		}
}

/* --- its hypervisors, as far as init() asks them --- */

static u64 xen_call(u32 nr, u64 a1, u64 a2)
{
	if (nr == __HYPERVISOR_xen_version && a1 == XENVER_get_features)
		((struct xen_feature_info *)a2)->submap =
			(answers & ANSWER_XEN_CALLBACK ? 1U << XENFEAT_hvm_callback_vector : 0) |
			(answers & ANSWER_XEN_CLOCK ? 1U << XENFEAT_hvm_safe_pvclock : 0);
	return 0;
}

/* Commands 10, 45 and 91: backends/vmware. */
static void vmware_call(struct machine_regs *regs)
{
	u32 cmd = (u32)regs->rcx;

	regs->rbx = 0x564d5868;
	if (cmd == 45) {
		regs->rax = 2000000000U;
		regs->rbx = answers & ANSWER_VMWARE_HZ ? 0 : ~0U;
	} else if (cmd == 91) {
		regs->rax = answers & ANSWER_VMWARE_STEAL ? 0 : ~0U;
	} else {
		regs->rax = 6;
	}
}

void target_hypercall(struct machine_regs *regs)
{
	if (!strcmp(machine->backend, "vmware"))
		vmware_call(regs);
	else
		regs->rax = xen_call((u32)regs->rax, regs->rdi, regs->rsi);
}

static u64 hypercall_msr;

u64 target_read_msr(u32 msr)
{
	return msr == HV_MSR_HYPERCALL ? hypercall_msr : 0;
}

void target_write_msr(u32 msr, u64 val)
{
	if (msr == HV_MSR_HYPERCALL && answers & ANSWER_HV_PAGE)
		hypercall_msr = val;
}

u64 target_rdtsc(void)
{
	return 0;
}

void target_halt(void)
{
}

void target_write_cr(u32 nr, u64 val)
{
	(void)nr;
	(void)val;
}

/* The last line says why a start failed. */
static char last_line[200];

void target_log(const char *line)
{
	snprintf(last_line, sizeof(last_line), "%s", line);
}

void target_page_freed(pv_pfn_t pfn)
{
	(void)pfn;
}

void target_interrupt(u32 vector)
{
	(void)vector;
}

/* --- the ROM --- */

#define ROM_BYTES	4096
#define ENTRY_BYTES	16

/*
 * Position-independent: GetRelocationInfo reads the table of types behind it, Init and
 * every call say 1000000000, which is a rate for cycles and no error.
 */
asm(".pushsection .rodata\n"
    "rom_code:\n"
    "rom_init:\n\t"
    "endbr64\n\t"
    "xor %eax, %eax\n\t"
    "ret\n"
    "rom_reloc:\n\t"
    "endbr64\n\t"
    "xor %eax, %eax\n\t"
    "lea rom_types(%rip), %rcx\n\t"
    "movzbl (%rcx,%rdi), %edx\n\t"
    "test %edx, %edx\n\t"
    "jz 1f\n\t"
    "mov %edi, %eax\n\t"
    "shl $4, %eax\n\t"
    "lea rom_calls(%rip), %rcx\n\t"
    "add %rcx, %rax\n"
    "1:\tret\n"
    ".balign 16\n"
    "rom_calls:\n"
    ".rept 74\n\t"
    "endbr64\n\t"
    "mov $1000000000, %eax\n\t"
    "ret\n\t"
    ".balign 16\n"
    ".endr\n"
    "rom_types:\n\t"
    ".skip 74\n"
    "rom_code_end:\n"
    ".popsection\n");
extern const u8 rom_code[], rom_init[], rom_reloc[], rom_calls[], rom_types[], rom_code_end[];

static u8 area[VMI_AREA_BYTES];

_Static_assert(VMI_CALLS == 74, "rom_types");

static void jump_slot(u32 slot, const u8 *to)
{
	u32 from = slot + 4 + 5;

	/* endbr64; jmp rel32 needs nine bytes, a slot has eight: by a step behind the header. */
	image_put(area, slot + 4, 0xeb, 1);
	image_put(area, slot + 5, 0x90 + (slot - VMI_SLOT_INIT) - (slot + 6), 1);
	from = 0x90 + (slot - VMI_SLOT_INIT);
	image_put(area, from, 0xe9, 1);
	image_put(area, from + 1, (u64)(IMAGE_CODE + (to - rom_code)) - (from + 5), 4);
}

static void make_rom(void)
{
	image_make(area);
	image_put(area, 0x02, ROM_BYTES / 512, 1);
	image_put(area, IMAGE_PCI + 16, ROM_BYTES / 512, 2);
	image_put(area, 0x26, rom_flags, 2);
	jump_slot(VMI_SLOT_INIT, rom_init);
	jump_slot(VMI_SLOT_GET_RELOC, rom_reloc);
	memcpy(area + IMAGE_CODE, rom_code, (size_t)(rom_code_end - rom_code));
	memcpy(area + IMAGE_CODE + (rom_types - rom_code), call_type, sizeof(call_type));
	image_sum(area, ROM_BYTES);
}

/* --- one start --- */

struct choice {
	unsigned long fn;
	const u8 *code;
	const u8 *code_end;
	u32 form;
	int rom_call;
	bool native;
	bool required;
};

/* What a child read. */
struct outcome {
	bool runs;
	char refused[200];
	struct choice op[PV_OP_COUNT];
};

static unsigned long frames[MACHINE_FRAMES];
static struct start_info start_info;

static void describe_machine(struct pv_platform *platform)
{
	platform->cpuid = replay;
	if (machine->xen_pv) {
		u64 nr;

		memcpy(start_info.magic, "xen-3.0-x86_64", 15);
		start_info.nr_pages = MACHINE_FRAMES;
		start_info.mfn_list = (unsigned long)frames;
		for (nr = 0; nr < MACHINE_FRAMES; nr++)
			frames[nr] = nr;
		platform->cpl = 3;
		platform->xen_start_info = &start_info;
	}
	if (machine->rom) {
		make_rom();
		platform->option_roms = area;
	}
}

/* Calls that sites go to without a function of the backend's between. */
static const char *const rom_call_name[VMI_CALLS] = {
	[VMI_GET_TR] = "GetTR",
	[VMI_GET_CR0] = "GetCR0",
	[VMI_GET_CR2] = "GetCR2",
	[VMI_GET_CR3] = "GetCR3",
	[VMI_GET_CR4] = "GetCR4",
	[VMI_ENABLE_INTERRUPTS] = "EnableInterrupts",
	[VMI_DISABLE_INTERRUPTS] = "DisableInterrupts",
	[VMI_GET_INTERRUPT_MASK] = "GetInterruptMask",
	[VMI_SET_INTERRUPT_MASK] = "SetInterruptMask",
	[VMI_IRET] = "IRET",
	[VMI_IO_DELAY] = "IODelay",
};

static int rom_call_of(unsigned long fn)
{
	int nr;

	for (nr = 0; machine->rom && nr < VMI_CALLS; nr++)
		if (rom_call_name[nr] && fn == pvvmi_entry[nr])
			return nr;
	return -1;
}

/* As the planner decides it. */
static u32 form_of(u32 op, const struct pv_impl *impl)
{
	const char *site = pv_op_info[op].site;
	struct pv_recipe recipe;

	if (!strcmp(site, "BRANCH"))
		return impl->flags & PV_IMPL_BEHIND_BRANCH ? PV_FORM_COUNT : PV_FORM_CALL;
	if (pv_recipe_make(&recipe, strcmp(site, "JUMP6") ? PV_SITE_CALL : PV_SITE_JUMP,
			   strcmp(site, "CALL9") ? 6 : 9, 0, impl))
		abort();
	return recipe.form;
}

static void read_choices(struct outcome *out)
{
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++) {
		const struct pv_impl *impl = pv_impl_of(op);

		out->op[op] = (struct choice){
			.fn = (unsigned long)impl->fn, .code = impl->code,
			.code_end = impl->code_end, .form = form_of(op, impl),
			.rom_call = rom_call_of((unsigned long)impl->fn),
			.native = pv_impl_is_native(op) && pv_backend() != pv_native(),
			.required = impl->flags & PV_IMPL_REQUIRED,
		};
	}
}

/* The reason alone: behind "pvops=NAME: " of detect(), or "pvops: NAME: " of init(). */
static void refuse(struct outcome *out)
{
	char detect[40], init[40];
	const char *line;
	u32 nr;

	snprintf(detect, sizeof(detect), "pvops=%s: ", machine->backend);
	snprintf(init, sizeof(init), "pvops: %s: ", machine->backend);
	for (nr = 0; (line = pv_refused(nr)); nr++)
		if (!strncmp(line, detect, strlen(detect)))
			snprintf(out->refused, sizeof(out->refused), "%s", line + strlen(detect));
	if (!out->refused[0] && !strncmp(last_line, init, strlen(init)))
		snprintf(out->refused, sizeof(out->refused), "%s", last_line + strlen(init));
	if (!out->refused[0])
		snprintf(out->refused, sizeof(out->refused), "the backend gives no reason");
}

static void start(struct outcome *out)
{
	struct pv_platform platform = { 0 };
	char cmdline[40];

	describe_machine(&platform);
	snprintf(cmdline, sizeof(cmdline), "pvops=%s", machine->backend);
	if (!machine_try()) {
		snprintf(out->refused, sizeof(out->refused), "%s", machine_panic);
		return;
	}
	pv_init(&platform, cmdline);
	out->runs = !strcmp(pv_backend()->name, machine->backend);
	if (out->runs)
		read_choices(out);
	else
		refuse(out);
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "optables: %s: %s\n", what, why);
	exit(1);
}

/* As many starts at once as a machine has changes. */
#define ROW	64

static struct outcome *row;
static u32 started;

/* In a child of its own, for init() finds everything as linked.  The row runs together. */
static void begin(const struct change *one, const struct change *other)
{
	struct outcome *out = &row[started++];
	pid_t pid;

	memset(out, 0, sizeof(*out));
	pid = fork();
	if (pid < 0)
		fail("fork", "refused");
	if (pid)
		return;
	if (one)
		change(one);
	if (other)
		change(other);
	start(out);
	_exit(0);
}

static void finish(void)
{
	int status;

	for (; started; started--)
		if (wait(&status) < 0 || status)
			fail(machine->backend, "its start ended the process");
}

/* --- the output --- */

static void print_choice(u32 op, const struct choice *choice)
{
	static const char *const form[] = {
		[PV_FORM_INLINE] = "inline", [PV_FORM_CALL] = "call", [PV_FORM_NOP] = "nop",
		[PV_FORM_JUMP] = "jump", [PV_FORM_COUNT] = "in line",
	};

	printf("\"%s\": {\"form\": \"%s\", \"fn\": %lu", pv_op_info[op].name,
	       choice->native ? "native" : form[choice->form], choice->fn);
	if (choice->form == PV_FORM_INLINE)
		printf(", \"code\": [%lu, %lu]", (unsigned long)choice->code,
		       (unsigned long)choice->code_end);
	if (choice->rom_call >= 0)
		printf(", \"rom\": \"%s\"", rom_call_name[choice->rom_call]);
	printf("%s}", choice->required ? ", \"required\": true" : "");
}

static bool same(const struct choice *a, const struct choice *b)
{
	return a->fn == b->fn && a->code == b->code && a->form == b->form &&
	       a->native == b->native && a->required == b->required;
}

/* Ops of @is that are as in none of the others. */
static void print_ops(const struct outcome *is, const struct outcome *const *others, u32 count)
{
	const char *comma = "";
	u32 op, nr;

	printf("\"ops\": {");
	for (op = 0; op < PV_OP_COUNT; op++) {
		for (nr = 0; nr < count && !same(&is->op[op], &others[nr]->op[op]); nr++)
			;
		if (nr < count)
			continue;
		printf("%s", comma);
		print_choice(op, &is->op[op]);
		comma = ", ";
	}
	printf("}}\n");
}

static bool differs(const struct outcome *is, const struct outcome *const *others, u32 count)
{
	u32 op, nr;

	for (op = 0; op < PV_OP_COUNT; op++) {
		for (nr = 0; nr < count && !same(&is->op[op], &others[nr]->op[op]); nr++)
			;
		if (nr == count)
			return true;
	}
	return false;
}

static void print_change(const struct outcome *is, const struct change *one,
			 const struct change *other, const struct outcome *const *others, u32 count)
{
	if (is->runs && !differs(is, others, count))
		return;
	printf("{\"backend\": \"%s\", \"changes\": [\"%s\"", machine->backend, one->says);
	if (other)
		printf(", \"%s\"", other->says);
	printf("], ");
	if (is->runs)
		print_ops(is, others, count);
	else
		printf("\"refused\": \"%s\"}\n", is->refused);
}

static void print_machine(const struct pv_backend *backend)
{
	static struct outcome all, single[ROW];
	const struct outcome *const base[] = { &all };
	const struct change *list = machine->change;
	u32 i, j;

	begin(NULL, NULL);
	finish();
	all = row[0];
	if (!all.runs)
		fail(machine->backend, all.refused);
	printf("{\"backend\": \"%s\", \"title\": \"%s\", \"machine\": \"%s\", ", machine->backend,
	       backend->title, machine->says);
	print_ops(&all, NULL, 0);

	for (i = 0; i < machine->changes; i++)
		begin(&list[i], NULL);
	finish();
	memcpy(single, row, machine->changes * sizeof(*row));
	for (i = 0; i < machine->changes; i++)
		print_change(&single[i], &list[i], NULL, base, 1);

	for (i = 0; i < machine->changes; i++) {
		for (j = 0; j < i; j++)
			begin(&list[j], &list[i]);
		finish();
		for (j = 0; j < i; j++) {
			const struct outcome *const others[] = { &all, &single[j], &single[i] };

			if (single[i].runs && single[j].runs)
				print_change(&row[j], &list[j], &list[i], others, 3);
		}
	}
}

_Static_assert(ROW >= COUNT(vmi_changes) && ROW >= COUNT(hyperv_changes) &&
	       ROW >= COUNT(kvm_changes), "a row");

/* The core takes every op from native that a backend leaves out. */
static void check_native(const struct pv_backend *native)
{
	u32 table, nr;

	for (table = 0; table < pv_table_count; table++) {
		const struct pv_impl *impl = pv_backend_table(native, table);

		if (!impl)
			fail(pv_tables[table].name, "native has no such table");
		for (nr = 0; nr < pv_tables[table].count; nr++)
			if (!impl[nr].fn)
				fail(pv_op_info[pv_tables[table].first + nr].name,
				     "native has no implementation");
	}
}

/* The ROM's copy, anywhere among the variables, is code. */
static void make_executable(void)
{
	extern u8 __bss_start[], _end[];
	u64 from = (u64)__bss_start & ~(PV_PAGE_SIZE - 1);

	if (mprotect((void *)from, (u64)_end - from, PROT_READ | PROT_WRITE | PROT_EXEC))
		fail("mprotect", "refused");
}

extern const struct pv_backend *const __pv_backends_start[], *const __pv_backends_end[];

int main(void)
{
	const struct pv_backend *const *backend;
	u32 nr;

	row = mmap(NULL, ROW * sizeof(*row), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (row == MAP_FAILED)
		fail("mmap", "refused");
	machine_init();
	make_executable();
	for (backend = __pv_backends_start; backend < __pv_backends_end; backend++)
		if (!strcmp((*backend)->name, "native"))
			check_native(*backend);
	for (backend = __pv_backends_start; backend < __pv_backends_end; backend++) {
		for (nr = 0; nr < COUNT(machines); nr++)
			if (!strcmp(machines[nr].backend, (*backend)->name))
				break;
		if (nr == COUNT(machines))
			fail((*backend)->name, "no machine for this backend (tools/optables/optables.c)");
		set_up(&machines[nr]);
		print_machine(*backend);
	}
	return 0;
}
