// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-hypercall: the Xen PV backend on a hypervisor that says no.
 *
 * What is done and what each hypercall answers is the input's (machine.h).  The
 * hypervisor here does what it is asked for, or refuses it, alone or in the
 * middle of a list; it keeps its own account of tables, pins and refusals, reads
 * all memory it is given, and answers with any number.
 *
 * Checked: a call is made again once and not for ever; what was refused is
 * reported, each time with its error, and nothing else is; an entry of a table that
 * is not reported as lost is what was asked for; a table page that Xen still
 * knows as one does not go back to the kernel; all lists are inside memory.
 */
#include "../../backends/xen/internal.h"
#include "account.h"
#include "tables.h"

#define MFN_BASE	0x100000UL

static unsigned long p2m[MACHINE_FRAMES];
static struct start_info start;

static void no_leaves(struct pv_cpuid *regs)
{
	*regs = (struct pv_cpuid){ 0 };
}

static struct pv_platform platform = {
	.cpl = 3,
	.xen_start_info = &start,
	.cpuid = no_leaves,
};

/* Xen's view of the pages. */
static bool pinned[MACHINE_PAGES], read_only[MACHINE_PAGES];
/* Xen has counted wrong: the number of done entries is unknown. */
static bool lied;

/* Something was refused that need not be told of. */
static bool quiet;
static u32 calls;
static bool ends;

/* --- Xen --- */

static u32 pfn_of(u64 mfn)
{
	return mfn - MFN_BASE < MACHINE_FRAMES ? (u32)(mfn - MFN_BASE) : MACHINE_FRAMES;
}

static u32 page_of_mfn(u64 mfn)
{
	u32 pfn = pfn_of(mfn);

	return pfn < MACHINE_FRAMES ? machine_page_of(pv_port_pfn_to_virt(pv_pfn(pfn))) :
				      MACHINE_PAGES;
}

static long refuse(long error, bool told)
{
	if (told)
		account_refused(error);
	return error;
}

/* How much of a list is done when the rest is refused; and what Xen says it was. */
static u32 part(u32 count, u32 *said)
{
	u32 done = answer_byte() % count;

	*said = done;
	if (answer_byte() >= 0xf0) {
		*said = (u32)answer_number(4);
		lied |= *said != done;
	}
	return done;
}

static void update(const struct mmu_update *req)
{
	u32 page = page_of_mfn(req->ptr >> PV_PAGE_SHIFT);

	CHECK((req->ptr & 3) != MMU_MACHPHYS_UPDATE);
	if (page < MACHINE_PAGES)
		*(u64 *)(machine_pages[page] + (req->ptr & (PV_PAGE_SIZE - 1) & ~7UL)) = req->val;
}

static long mmu_update(const struct mmu_update *req, u32 count, u32 *done)
{
	long error = answer_status();
	u32 end = count, said = count, i;

	CHECK(count && count <= PV_BATCH_MAX);
	machine_read(req, count * sizeof(*req));
	if (error < 0)
		end = part(count, &said);
	for (i = 0; i < end; i++)
		update(&req[i]);
	*done = said;
	return refuse(error, true);
}

static void mmuext(const struct mmuext_op *op)
{
	u32 page = MACHINE_PAGES;

	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
	case MMUEXT_UNPIN_TABLE:
		page = page_of_mfn(op->arg1.mfn);
		CHECK(page < MACHINE_PAGES);
		pinned[page] = op->cmd != MMUEXT_UNPIN_TABLE;
		break;
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
		machine_read(op->arg2.vcpumask.p, 8);
		break;
	default:
		break;
	}
}

/* args: the hypercall's, which Xen moves on when it interrupts itself. */
static long mmuext_op(unsigned long *args)
{
	const struct mmuext_op *op = (const struct mmuext_op *)args[0];
	u32 count = (u32)args[1], end = count, said = count, i;
	u32 *done = (u32 *)args[2];
	/* These may be refused, and are not reported if it is so. */
	bool is_answer = op->cmd == MMUEXT_FLUSH_CACHE;
	long error = answer_status();

	CHECK(count && count <= 32);
	for (i = 0; i < count; i++)
		CHECK(op[i].cmd <= MMUEXT_UNMARK_SUPER);
	if (error < 0)
		end = done ? part(count, &said) : answer_byte() % count;
	for (i = 0; i < end; i++)
		mmuext(&op[i]);
	if (done) {
		*done = said;
		if (answer_byte() & 1) {
			args[0] += end * sizeof(*op);
			args[1] -= end;
		}
	}
	return refuse(error, !(is_answer && (error == -XEN_EPERM || error == -XEN_EACCES)));
}

static long va_mapping(u64 va, u64 val)
{
	u32 page = machine_page_of((const void *)va);
	long error = answer_status();

	if (error >= 0 && page < MACHINE_PAGES) {
		CHECK(page_of_mfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT) == page);
		read_only[page] = !(val & PV_PTE_RW);
	}
	return refuse(error, true);
}

static long evtchn_op(u32 cmd, void *arg)
{
	long error = answer_status();

	if (cmd == EVTCHNOP_bind_ipi)
		((struct evtchn_bind_ipi *)arg)->port = (u32)answer_number(2);
	else if (cmd == EVTCHNOP_bind_virq)
		((struct evtchn_bind_virq *)arg)->port = (u32)answer_number(2);
	else
		CHECK(cmd == EVTCHNOP_send && ((struct evtchn_send *)arg)->port < 4096);
	return refuse(error, true);
}

static long sched_op(u32 cmd, const void *arg)
{
	const struct sched_poll *poll = arg;
	u32 i;

	switch (cmd) {
	case SCHEDOP_shutdown:
		CHECK(((const struct sched_shutdown *)arg)->reason <= SHUTDOWN_MAX && ends);
		machine_leave();
	case SCHEDOP_poll:
		for (i = 0; i < poll->nr_ports; i++)
			CHECK(poll->ports.p[i] < 4096);
		break;
	default:
		CHECK(cmd == SCHEDOP_yield);
	}
	return refuse(answer_status(), true);
}

static long vcpu_op(u32 cmd, u32 vcpu, const void *arg)
{
	bool told = true;

	CHECK(vcpu < PV_MAX_CPUS);
	switch (cmd) {
	case VCPUOP_initialise:
		CHECK(((const struct vcpu_guest_context *)arg)->user_regs.rip);
		/* fallthrough */
	case VCPUOP_is_up:
		told = false;
		break;
	case VCPUOP_set_singleshot_timer:
		CHECK(!((const struct vcpu_set_singleshot_timer *)arg)->flags);
		break;
	case VCPUOP_register_vcpu_info:
		CHECK(((const struct vcpu_register_vcpu_info *)arg)->offset <= PV_PAGE_SIZE - 64);
		break;
	}
	return refuse(answer_status(), told);
}

static void trap_table(const struct trap_info *trap)
{
	u32 count;

	for (count = 0; trap && trap[count].address; count++)
		CHECK(count < 256);
}

static long multicall(struct multicall_entry *entry, u32 count);

static long hypercall(u32 nr, unsigned long *a)
{
	switch (nr) {
	case __HYPERVISOR_mmu_update:
		return mmu_update((const struct mmu_update *)a[0], (u32)a[1], (u32 *)a[2]);
	case __HYPERVISOR_mmuext_op:
		return mmuext_op(a);
	case __HYPERVISOR_multicall:
		return multicall((struct multicall_entry *)a[0], (u32)a[1]);
	case __HYPERVISOR_update_va_mapping:
		return va_mapping(a[0], a[1]);
	case __HYPERVISOR_event_channel_op:
		return evtchn_op((u32)a[0], (void *)a[1]);
	case __HYPERVISOR_sched_op:
		return sched_op((u32)a[0], (const void *)a[1]);
	case __HYPERVISOR_vcpu_op:
		return vcpu_op((u32)a[0], (u32)a[1], (const void *)a[2]);
	case __HYPERVISOR_set_trap_table:
		trap_table((const struct trap_info *)a[0]);
		return refuse(answer_status(), true);
	case __HYPERVISOR_set_gdt:
		CHECK(a[1] <= 512 && *(const u64 *)a[0] - MFN_BASE < MACHINE_FRAMES);
		return refuse(answer_status(), true);
	case __HYPERVISOR_callback_op:
		CHECK(((const struct callback_register *)a[1])->address);
		return refuse(answer_status(), true);
	case __HYPERVISOR_physdev_op:
		CHECK(((const struct physdev_set_iopl *)a[1])->iopl < 4);
		return refuse(answer_status(), true);
	case __HYPERVISOR_console_io:
		machine_read((const void *)a[2], a[1]);
		return answer_status();
	case __HYPERVISOR_xen_version:
	case __HYPERVISOR_vm_assist:
	case __HYPERVISOR_get_debugreg:
		return answer_status();
	case __HYPERVISOR_set_debugreg: {
		long error = answer_status();

		return refuse(error, error != -XEN_EPERM && error != -XEN_EINVAL);
	}
	case __HYPERVISOR_update_descriptor:
	case __HYPERVISOR_set_segment_base:
	case __HYPERVISOR_stack_switch:
	case __HYPERVISOR_fpu_taskswitch:
		return refuse(answer_status(), true);
	default:
		fprintf(stderr, "hypercall %u\n", nr);
		abort();
	}
}

/* As a whole refused: somewhere Xen could not read on. */
static long multicall(struct multicall_entry *entry, u32 count)
{
	u8 whole = answer_byte();
	u32 end = count, i;

	CHECK(count && count <= 32);
	if (whole >= 0xf0)
		end = answer_byte() % count;
	for (i = 0; i < end; i++)
		entry[i].result = (unsigned long)hypercall((u32)entry[i].op,
							   (unsigned long *)entry[i].args);
	for (; i < count; i++)
		refuse(-XEN_EFAULT, true);
	return whole >= 0xf0 ? -XEN_EFAULT : 0;
}

void target_hypercall(struct machine_regs *regs)
{
	unsigned long args[] = { regs->rdi, regs->rsi, regs->rdx, regs->r10 };

	/* More than anything needs, but for a start of a CPU that is not there yet. */
	CHECK(++calls < 25000);
	regs->rax = (u64)hypercall((u32)regs->rax, args);
}

/* --- what the kernel sees --- */

void target_log(const char *line)
{
	struct account_line report;
	u32 page;

	if (!account_report(line, &report) || !report.again)
		return;
	page = page_of_mfn(report.entry >> PV_PAGE_SHIFT);
	if (page < MACHINE_PAGES)
		tables_lost(page, report.entry % PV_PAGE_SIZE / 8);
}

void target_page_freed(pv_pfn_t pfn)
{
	u32 page = machine_page_of(pv_port_pfn_to_virt(pfn));

	CHECK(lied || (!pinned[page] && !read_only[page]));
}

bool target_is_table(u32 page)
{
	return lied || (pinned[page] && read_only[page]);
}

void target_interrupt(u32 vector)
{
	CHECK(vector == PV_VECTOR_TIMER || vector - PV_VECTOR_IPI < PV_IPI_COUNT);
}

u64 target_rdtsc(void)
{
	return 0;
}

u64 target_read_msr(u32 msr)
{
	(void)msr;
	return 0;
}

void target_write_msr(u32 msr, u64 val)
{
	(void)msr;
	(void)val;
}

void target_halt(void)
{
	abort();
}

void target_write_cr(u32 nr, u64 val)
{
	(void)nr;
	(void)val;
}

/* --- the kernel --- */

static u64 gdt[2][PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static u64 ldt[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static struct pv_gate idt[256];
static struct pv_tss tss;
static void load_gdt(void)
{
	struct pv_dtr dtr = {
		.base = (unsigned long)gdt[input_byte() & 1],
		.limit = (u16)input_number(2),
	};

	pv_load_gdt(&dtr);
}

static void load_idt(void)
{
	struct pv_dtr dtr = {
		.base = (unsigned long)idt,
		.limit = (u16)(input_number(2) % sizeof(idt)),
	};
	u32 i;

	for (i = input_byte(); i < 256; i += 7)
		idt[i].type_dpl_p = input_byte() | 0x80;
	pv_load_idt(&dtr);
}

static void write_gate(void)
{
	struct pv_gate gate = { .offset_low = 1, .type_dpl_p = input_byte() };

	pv_write_idt_entry(idt, input_byte(), &gate);
}

static void write_descriptor(void)
{
	u64 desc[2] = { input_number(8), 0 };

	pv_write_gdt_entry(gdt[input_byte() & 1], input_byte() % 16, desc, 1);
}

static void load_tls(void)
{
	u64 tls[3] = { input_number(1), input_number(1), input_number(1) };

	pv_load_tls(gdt[0], tls);
}

static void write_msr(void)
{
	static const u32 msrs[] = {
		0xc0000100, 0xc0000101, 0xc0000102, 0xc0000082, 0xc0000080, 0x175, 0x10,
	};
	u32 msr = msrs[input_byte() % 7];
	u64 val;

	pv_write_msr(msr, input_number(8));
	val = pv_read_msr(msr);
	CHECK(pv_write_msr_safe(msr, val) == 0);
}

static void interrupt(void)
{
	struct vcpu_info *info = PV_PERCPU_PTR(pvxen_vcpu_info);
	u32 token = pv_batch_pause(), i;

	for (i = 0; i < 4; i++)
		pvxen_shared->evtchn_pending[input_byte() % 64] = input_number(8);
	info->evtchn_pending_sel = input_number(8);
	pv_upcall(0);
	pv_batch_resume(token);
}

static void start_cpu(void)
{
	struct pv_cpu_state state = {
		.rip = 1, .rsp = 1, .cr0 = 0x80010001, .cr4 = 0x20, .efer = 0x100,
		.cr3 = input_number(2) << PV_PAGE_SHIFT,
		.gdt = { .base = (unsigned long)gdt[1], .limit = (u16)input_number(2) },
		.idt = { .base = (unsigned long)idt, .limit = sizeof(idt) - 1 },
	};

	pv_start_cpu(input_byte() % (PV_MAX_CPUS + 1), &state);
}

static struct pv_cpumask some_mask(void)
{
	return (struct pv_cpumask){ { input_byte() & 3 } };
}

static void write_cr3(void)
{
	pv_pfn_t root = tables_root();

	if (root != PV_PFN_NONE)
		pv_write_cr3(pv_pfn_nr(root) << PV_PAGE_SHIFT);
}

static void act(void)
{
	struct pv_cpumask mask;
	u8 word = 0;

	switch (input_byte() % 40) {
	case 0: case 1: case 2:
		tables_allocate();
		break;
	case 3:
		tables_release();
		break;
	case 4: case 5: case 6: case 7:
		tables_set_entry();
		break;
	case 8: case 9:
		tables_batch(true);
		break;
	case 10: case 11:
		tables_batch(false);
		break;
	case 12:
		pv_batch_flush();
		break;
	case 13:
		pv_flush_tlb_user();
		break;
	case 14:
		pv_flush_tlb_kernel();
		break;
	case 15:
		pv_flush_tlb_one(input_number(8));
		break;
	case 16:
		mask = some_mask();
		pv_flush_tlb_multi(&mask, input_number(3), input_number(3));
		break;
	case 17:
		write_cr3();
		break;
	case 18:
		pv_set_fixmap(input_byte() % 6, (pv_maddr_t)input_number(4), input_byte());
		break;
	case 19:
		pv_table_cache(input_byte());
		break;
	case 20:
		load_gdt();
		break;
	case 21:
		load_idt();
		break;
	case 22:
		write_gate();
		break;
	case 23:
		write_descriptor();
		break;
	case 24:
		load_tls();
		break;
	case 25:
		/* The old table may be refused the right to be written: another CPU has it. */
		quiet = true;
		pv_set_ldt(ldt, input_byte());
		break;
	case 26:
		pv_write_ldt_entry(ldt, input_byte(), input_number(8));
		break;
	case 27:
		pv_load_sp0(&tss, input_number(8));
		break;
	case 28:
		pv_set_iopl(input_byte() & 3);
		break;
	case 29:
		pv_load_gs_index(input_byte());
		break;
	case 30:
		write_msr();
		break;
	case 31:
		pv_write_cr0(0x80010001 | (input_byte() & 8));
		pv_clts();
		break;
	case 32:
		pv_wbinvd();
		pv_set_debugreg(input_byte() % 9, input_number(8));
		pv_get_debugreg(input_byte());
		break;
	case 33:
		pv_start_context_switch();
		write_cr3();
		load_tls();
		pv_load_sp0(&tss, 1);
		pv_end_context_switch();
		break;
	case 34:
		pv_set_timer(input_number(8));
		break;
	case 35:
		pv_send_ipi(input_byte() % 3, PV_VECTOR_IPI + (input_byte() & 3));
		mask = some_mask();
		pv_send_ipi_mask(&mask, PV_VECTOR_IPI + (input_byte() & 1));
		break;
	case 36:
		pv_lock_wait(&word, input_byte() & 1);
		pv_lock_kick(input_byte() % 3);
		pv_vcpu_is_preempted(input_byte() % 3);
		break;
	case 37:
		interrupt();
		break;
	case 38:
		start_cpu();
		break;
	case 39:
		pv_console_write("text", input_byte() % 5);
		pv_restore_fl(pv_save_fl());
		break;
	}
}

static void check_accounts(void)
{
	CHECK(!account_open() || quiet);
}

static void new_machine(const u8 *data, size_t size)
{
	machine_reset(0, data, size);
	memset(pinned, 0, sizeof(pinned));
	memset(read_only, 0, sizeof(read_only));
	tables_reset();
	memset(gdt, 0, sizeof(gdt));
	memset(ldt, 0, sizeof(ldt));
	memset(idt, 0, sizeof(idt));
	account_reset();
	calls = 0;
	lied = ends = quiet = false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u32 pfn;

	(void)argc;
	(void)argv;
	machine_init();
	for (pfn = 0; pfn < MACHINE_FRAMES; pfn++)
		p2m[pfn] = MFN_BASE + pfn;
	memcpy(start.magic, "xen-3.0", 8);
	start.nr_pages = MACHINE_FRAMES;
	start.mfn_list = (unsigned long)p2m;
	start.shared_info = (MFN_BASE + MACHINE_FRAMES) << PV_PAGE_SHIFT;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	new_machine(data, size);
	if (!machine_try())
		return 0;
	pv_init(&platform, "");
	pv_cpu_init(0);
	check_accounts();

	while (input_left()) {
		calls = 0;
		act();
		if (tables_settled()) {
			check_accounts();
			if (!lied)
				tables_check();
		}
	}
	calls = 0;
	tables_settle();
	check_accounts();
	if (!lied)
		tables_check();
	tables_release_all();
	pv_table_cache(0);
	check_accounts();
	ends = true;
	pv_shutdown(PV_SHUTDOWN_REBOOT);
	return 0;
}
