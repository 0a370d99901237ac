// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-romcall: the VMI backend on a ROM that answers anything.
 *
 * The ROM is a good image (vmi_image.h) whose calls come here.  First byte: all calls
 * are there, or which of them is the input's to say, and then VMI_Init and the answers to
 * GetRelocationInfo as well.  Each call answers what the input says.  The ROM does what it
 * says it does, or counts wrong.
 *
 * Checked: as for Xen's hypercalls (hypercall.c): a table entry is what was asked for, or
 * reported as lost; refusals are told, and only they; what the hypervisor still has as a
 * table does not go back to the kernel; nothing is repeated for ever but what waits for
 * a clock or an interrupt controller of the ROM's.
 */
#include "../unit/vmi_image.h"
#include "account.h"
#include "tables.h"

#define ROM_BYTES	2048
#define MSR_APIC_BASE	0x1b
#define APIC		0x800000UL
#define ENTRIES		0x200
#define ENTRY_BYTES	10
#define CALL_INIT	100
#define CALL_RELOC	101
#define FULL_START	0x80
#define MAYBE_MISSING	0x40
#define QUEUE		256
/* Calls that a wait makes before it is given up here. */
#define HELD		3000

static u8 area[VMI_AREA_BYTES];
static struct pv_platform platform = { .option_roms = area, .cpuid = machine_cpuid };

static bool full, ends, lied;
/* Answered NONE. */
static u8 missing[VMI_CALLS];
static bool is_table[MACHINE_PAGES];
static struct {
	u64 val, ptr;
} queue[QUEUE];
static u32 queued;
static u64 cycles;
static u32 calls;

/* --- the ROM --- */

static bool is_call(u32 nr)
{
	static const u8 none[] = {
		0, 6, 7, 8, 9, 10, 25, 27, 29, 30, 31, 32, 33, 34, 35, 38, 40, 42, 43, 72,
	};
	u32 i;

	for (i = 0; i < sizeof(none); i++)
		if (none[i] == nr)
			return false;
	return (nr <= 48 || nr >= 61) && nr < VMI_CALLS && !missing[nr];
}

static void relocation(struct machine_regs *regs)
{
	u64 base = regs->rsi;
	u32 nr = (u32)regs->rdi;

	CHECK(nr < VMI_CALLS);
	regs->rax = 0;
	regs->rdx = VMI_NONE;
	if (is_call(nr)) {
		regs->rax = base + ENTRIES + nr * ENTRY_BYTES;
		regs->rdx = VMI_CALL_REL;
	}
	if (full && answer_byte() >= 0xfe) {
		regs->rax = answer_number(8);
		regs->rdx = answer_number(1);
	}
}

/* Requests name an entry by its linear address. */
static void store(u64 ptr, u64 val)
{
	if (machine_page_of((const void *)ptr) < MACHINE_PAGES)
		*(u64 *)ptr = val;
}

static s64 set_entry(u64 val, u64 ptr, u64 flags)
{
	s64 result = answer_status();

	CHECK((flags & 0xf) && !(flags & ~0x2fULL));
	if (flags & VMI_DEFER) {
		if (queued == QUEUE && result >= 0)
			result = -VMI_EBUSY;
		/* Asked for again, when the queue is empty. */
		account_maybe(result);
		if (result >= 0) {
			queue[queued].ptr = ptr;
			queue[queued++].val = val;
		}
		return result;
	}
	account_refused(result);
	if (result >= 0)
		store(ptr, val);
	return result;
}

static void set_lazy(struct machine_regs *regs)
{
	u32 classes = (u32)regs->rdi, done = queued, i;
	s64 result = 0;

	CHECK(classes <= 3);
	if (!(classes & VMI_LAZY_MMU) && queued) {
		result = answer_status();
		if (result < 0)
			done = answer_byte() % queued;
		for (i = 0; i < done; i++)
			store(queue[i].ptr, queue[i].val);
		queued = 0;
		account_refused(result);
	} else if (!(classes & VMI_LAZY_CPU)) {
		/* What it dropped only the ROM knows; where that is nothing, it may be told of. */
		result = answer_byte() >= 0xf0 ? answer_status() : 0;
		account_maybe(result);
	}
	regs->rax = (u64)result;
	regs->rdx = done;
	if (result < 0 && answer_byte() >= 0xf0) {
		regs->rdx = answer_number(8);
		lied |= (u32)regs->rdx != done;
	}
}

static s64 page_call(u32 nr, u64 pfn)
{
	u32 page = machine_page_of(pv_port_pfn_to_virt(pv_pfn(pfn)));
	s64 result = answer_status();

	CHECK(page < MACHINE_PAGES);
	account_refused(result);
	if (result >= 0)
		is_table[page] = nr == VMI_ALLOCATE_PAGE;
	return result;
}

void do_romcall(struct machine_regs *regs);

void do_romcall(struct machine_regs *regs)
{
	u32 nr = (u32)regs->rax;

	if (++calls >= HELD)
		machine_leave();
	switch (nr) {
	case CALL_RELOC:
		relocation(regs);
		return;
	case CALL_INIT:
		regs->rax = full && answer_byte() >= 0xf0 ? answer_number(8) : 0;
		return;
	case VMI_SET_PXE_LONG:
		regs->rax = (u64)set_entry(regs->rdi, regs->rsi, regs->rdx);
		return;
	case VMI_SET_LAZY_MODE:
		set_lazy(regs);
		return;
	case VMI_ALLOCATE_PAGE:
	case VMI_RELEASE_PAGE:
		regs->rax = (u64)page_call(nr, regs->rdi);
		return;
	case VMI_SET_LINEAR_MAPPING:
	case VMI_SET_INITIAL_AP_STATE:
	case VMI_SET_ALARM:
		regs->rax = (u64)answer_status();
		account_refused((s64)regs->rax);
		return;
	case VMI_REBOOT:
	case VMI_SHUTDOWN:
		CHECK(ends);
		machine_leave();
	case VMI_GET_CYCLE_FREQUENCY:
		regs->rax = full && answer_byte() >= 0xf0 ? answer_number(8) : 1000000000;
		return;
	case VMI_GET_CYCLE_COUNTER:
		cycles += answer_byte() < 0xf0 ? 100000 : answer_number(8);
		regs->rax = cycles;
		return;
	case VMI_APIC_READ:
		regs->rax = answer_byte() < 0xc0 ? 0 : answer_number(4);
		return;
	case VMI_GET_CR0: case VMI_GET_CR2: case VMI_GET_CR3: case VMI_GET_CR4: case VMI_GET_DR:
	case VMI_RDPMC: case VMI_GET_WALLCLOCK_TIME:
		regs->rax = answer_number(8);
		return;
	case VMI_RDMSR:
		regs->rax = regs->rdi == MSR_APIC_BASE ? APIC : answer_number(8);
		return;
	default:
		regs->rax = answer_number(1);
	}
}

/* --- the machine --- */

void target_hypercall(struct machine_regs *regs)
{
	(void)regs;
	abort();
}

u64 target_read_msr(u32 msr)
{
	return msr == MSR_APIC_BASE ? APIC : answer_number(8);
}

void target_write_msr(u32 msr, u64 val)
{
	(void)msr;
	(void)val;
}

u64 target_rdtsc(void)
{
	return cycles += 100000;
}

void target_halt(void)
{
	CHECK(ends);
	machine_leave();
}

void target_write_cr(u32 nr, u64 val)
{
	(void)nr;
	(void)val;
}

void target_log(const char *line)
{
	struct account_line report;
	u32 page;

	if (!account_report(line, &report) || !report.again)
		return;
	/* The low bits of a request are its level. */
	page = machine_page_of((const void *)report.entry);
	if (page < MACHINE_PAGES)
		tables_lost(page, report.entry % PV_PAGE_SIZE / 8);
}

void target_page_freed(pv_pfn_t pfn)
{
	CHECK(lied || !is_table[machine_page_of(pv_port_pfn_to_virt(pfn))]);
}

bool target_is_table(u32 page)
{
	return lied || is_table[page] || missing[VMI_ALLOCATE_PAGE];
}

void target_interrupt(u32 vector)
{
	(void)vector;
}

/* --- the kernel --- */

static void start_cpu(void)
{
	struct pv_cpu_state state = {
		.rip = 1, .rsp = 1, .cr0 = 0x80010001, .cr4 = 0x20, .efer = 0x100,
	};

	pv_start_cpu(input_byte() % (PV_MAX_CPUS + 1), &state);
}

static void act(void)
{
	static u64 gdt[32], ldt[64];
	static struct pv_tss tss;
	struct pv_cpumask mask = { { 3 } };
	u64 desc[3] = { 1, 2, 3 };
	struct pv_dtr dtr = { .base = (u64)gdt, .limit = sizeof(gdt) - 1 };
	pv_pfn_t root;

	switch (input_byte() % 24) {
	case 0: case 1:
		tables_allocate();
		break;
	case 2:
		tables_release();
		break;
	case 3: case 4: case 5: case 6:
		tables_set_entry();
		break;
	case 7: case 8:
		tables_batch(true);
		break;
	case 9: case 10:
		tables_batch(false);
		break;
	case 11:
		pv_batch_flush();
		break;
	case 12:
		pv_flush_tlb_user();
		pv_flush_tlb_one(input_number(4));
		break;
	case 13:
		root = tables_root();
		if (root != PV_PFN_NONE)
			pv_write_cr3(pv_pfn_nr(root) << PV_PAGE_SHIFT);
		break;
	case 14:
		pv_set_fixmap(input_byte() % 6, (pv_maddr_t)input_number(4), input_byte());
		break;
	case 15:
		pv_start_context_switch();
		pv_load_sp0(&tss, 1);
		pv_end_context_switch();
		break;
	case 16:
		pv_set_timer(input_number(8));
		pv_clock_read();
		break;
	case 17:
		pv_stolen_time(input_byte() & 1);
		pv_send_ipi(input_byte() % PV_MAX_CPUS, PV_VECTOR_IPI);
		break;
	case 18:
		pv_send_ipi_mask(&mask, PV_VECTOR_IPI);
		break;
	case 19:
		start_cpu();
		break;
	case 20:
		pv_write_gdt_entry(gdt, input_byte() % 31, desc, 1 + (input_byte() & 1));
		pv_load_tls(gdt, desc);
		break;
	case 21:
		pv_load_gdt(&dtr);
		pv_write_ldt_entry(ldt, input_byte() % 64, 3);
		break;
	case 22:
		pv_upcall(PV_VECTOR_IPI);
		break;
	case 23: {
		u32 token = pv_batch_pause();

		tables_set_entry();
		pv_batch_resume(token);
		break;
	}
	}
}

static void check(void)
{
	CHECK(!account_open());
	if (!lied)
		tables_check();
}

/* --- the image --- */

asm(".text\n.globl rom_thunk\nrom_thunk:\n\t"
    "pushfq\n\tpush %rax\n\tpush %rcx\n\tpush %rdx\n\tpush %rbx\n\tpush %rbp\n\t"
    "push %rsi\n\tpush %rdi\n\tpush %r8\n\tpush %r9\n\tpush %r10\n\tpush %r11\n\t"
    "push %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
    "mov %rsp, %rdi\n\tmov %rsp, %rbp\n\tand $-16, %rsp\n\tcld\n\t"
    "call do_romcall\n\t"
    "mov %rbp, %rsp\n\t"
    "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\t"
    "pop %r11\n\tpop %r10\n\tpop %r9\n\tpop %r8\n\tpop %rdi\n\tpop %rsi\n\t"
    "pop %rbp\n\tpop %rbx\n\tpop %rdx\n\tpop %rcx\n\tpop %rax\n\tpopfq\n\tret\n");
void rom_thunk(void);

/* mov $nr, %eax; jmp COMMON */
static void stub(u32 at, u32 nr, u32 common)
{
	area[at] = 0xb8;
	image_put(area, at + 1, nr, 4);
	area[at + 5] = 0xe9;
	image_put(area, at + 6, common - (at + ENTRY_BYTES), 4);
}

static void make_image(void)
{
	static const u8 far_jump[] = { 0x49, 0xbb, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3 };
	const u32 common = 0xf0, init = 0xc0, reloc = 0xd0;
	u32 nr;

	image_make(area);
	image_put(area, 0x02, ROM_BYTES / 512, 1);
	image_put(area, IMAGE_PCI + 16, ROM_BYTES / 512, 2);
	image_put(area, 0x85, init - 0x86, 1);
	image_put(area, 0x8d, reloc - 0x8e, 1);
	/* No ENDBR at each entry. */
	image_put(area, 0x26, 0x1b, 2);
	/* lea -(RELOC + 7)(%rip), %rsi: where the copy is. */
	image_put(area, reloc, 0x358d48, 3);
	image_put(area, reloc + 3, -(u64)(reloc + 7), 4);
	stub(reloc + 7, CALL_RELOC, common);
	stub(init, CALL_INIT, common);
	for (nr = 0; nr < VMI_CALLS; nr++)
		stub(ENTRIES + nr * ENTRY_BYTES, nr, common);
	memcpy(area + common, far_jump, sizeof(far_jump));
	image_put(area, common + 2, (u64)rom_thunk, 8);
	image_sum(area, ROM_BYTES);
}

static void start_machine(void)
{
	pv_init(&platform, "");
	pv_cpu_init(0);
	pv_late_init();
	CHECK(!account_open());
}

static void new_input(u32 nr, const u8 *data, size_t size)
{
	machine_reset(nr, data, size);
	tables_reset();
	account_reset();
	memset(is_table, 0, sizeof(is_table));
	memset((void *)(KERNEL_BASE + APIC), 0, PV_PAGE_SIZE);
	memset(missing, 0, sizeof(missing));
	full = ends = lied = false;
	queued = calls = 0;
	cycles = 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	make_image();
	machine_init();
	machine_execute_state();
	new_input(0, (const u8 *)"", 0);
	if (!machine_try())
		abort();
	start_machine();
	CHECK(!strcmp(pv_backend()->name, "vmi"));
	machine_keep(1);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 i;

	if (!size)
		return -1;
	new_input(!(data[0] & FULL_START), data + 1, size - 1);
	if (!machine_try())
		return 0;
	if (data[0] & FULL_START) {
		full = true;
		if (data[0] & MAYBE_MISSING)
			for (i = 0; i < 8; i++)
				missing[input_byte() % VMI_CALLS] = 1;
		/* Pairs that a ROM has both of, or none. */
		missing[VMI_RELEASE_PAGE] = missing[VMI_ALLOCATE_PAGE];
		missing[VMI_SET_LAZY_MODE] = missing[VMI_SET_PXE_LONG];
		start_machine();
		/* Native tables need no call. */
		if (strcmp(pv_backend()->name, "vmi"))
			return 0;
	}
	while (input_left()) {
		calls = 0;
		act();
		if (tables_settled())
			check();
	}
	calls = 0;
	tables_settle();
	check();
	tables_release_all();
	check();
	ends = true;
	calls = 0;
	pv_shutdown(PV_SHUTDOWN_REBOOT);
	return 0;
}
