// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-vmcall: hardware-virtualized guests of a hypervisor that says no.
 *
 * First byte: KVM, Hyper-V, Xen (PVH and HVM) or VMware; and whether the start of day
 * is the input's too, or a good one.  Hypercalls and MSRs answer what the input says: any
 * number, any event channel, any VP index, a console ring whose reader is anywhere.
 *
 * Checked: what cannot be done by a hypercall is done natively, so that an IPI is sent in
 * any case; what was refused is told; nothing waits for ever but where the contract
 * says so; all input that is given by address is inside memory.
 */
#include "../../backends/hyperv/internal.h"
#include "../../backends/kvm/internal.h"
#include "../../backends/vmware/internal.h"
#include "../../backends/xen/internal.h"
#include "account.h"

/* The local APIC is plain memory: what is written there can be read.  Its timer counts. */
#define APIC		0x800000UL
#define ICR_LOW		(*(u32 *)(KERNEL_BASE + APIC + 0x300))
#define TIMER_CURRENT	(*(u32 *)(KERNEL_BASE + APIC + 0x390))
#define MSR_APIC_BASE	0x1b
#define RING		0x900000UL
/* A reader of the console that is gone. */
#define YIELDS		200

#define FULL_START	0x80

static enum machine_kind kind;
static bool up;
static u64 tsc, reference;
static u32 calls, yields, upcalls, readings;
static u64 hypercall_msr;
/* An IPI was sent by hypercall. */
static bool sent;
/* Refusals by Hyper-V, which are reported without a second try. */
static u32 hv_refused, hv_told;
/* Refusals of a call in a row; what Hyper-V offers, and what of it has ended for good. */
#define HV_BY_CALL	(1U << HV_USE_FLUSH | 1U << HV_USE_IPI)
static u32 hv_row[PV_MAX_CPUS][HVCALL_SEND_IPI_EX + 1];
static u32 hv_offered, hv_ended;
static u32 console_port;
static bool ends;

/* --- the hypervisors --- */

/* A nanosecond for each tick. */
static void start_clock(struct pv_pvclock *clock)
{
	clock->tsc_to_system_mul = 1U << 31;
	clock->tsc_shift = 1;
}

static u64 kvm_call(const struct machine_regs *regs)
{
	s64 result = answer_status();

	CHECK(regs->rax == KVM_HC_SEND_IPI || regs->rax == KVM_HC_KICK_CPU ||
	      regs->rax == KVM_HC_SCHED_YIELD || regs->rax == KVM_HC_VAPIC_POLL_IRQ);
	if (regs->rax == KVM_HC_SEND_IPI) {
		CHECK(regs->rbx | regs->rcx);
		sent = result >= 0;
	}
	return (u64)result;
}

/* A set of as many banks as the control word says, with a VP in each of them. */
static void check_set(const u64 *set, u32 banks)
{
	u32 i;

	CHECK(set[0] == HV_SET_SPARSE);
	CHECK(banks && banks == (u32)__builtin_popcountll(set[1]));
	for (i = 0; i < banks; i++)
		CHECK(set[2 + i]);
}

/* What Hyper-V is to read. */
static void read_input(u64 address, u64 control)
{
	const u64 *at = (const u64 *)(KERNEL_BASE + address);
	u32 code = control & 0xffff, banks = (u32)(control >> HV_CALL_VARHEAD & 0x3ff);

	CHECK(!(address % PV_PAGE_SIZE));
	CHECK(banks <= HV_SET_BANKS);
	machine_read(at, (banks + 5) * sizeof(*at));
	if (code == HVCALL_SEND_IPI_EX)
		check_set(at + 1, banks);
	else if (code == HVCALL_FLUSH_LIST_EX || code == HVCALL_FLUSH_SPACE_EX)
		check_set(at + 2, banks);
	else
		CHECK(at[2]);
}

/* As many refusals of one call in a row as the backend takes are its end. */
static void hv_answered(u32 code, bool refused)
{
	bool ipi = code == HVCALL_SEND_IPI || code == HVCALL_SEND_IPI_EX;
	u32 *row;

	CHECK(code <= HVCALL_SEND_IPI_EX);
	row = &hv_row[host_cpu][code];
	hv_refused += refused;
	*row = refused ? *row + 1 : 0;
	if (*row == HV_REFUSALS)
		hv_ended |= 1U << (ipi ? HV_USE_IPI : HV_USE_FLUSH);
	sent |= !refused && ipi;
}

static u64 hv_call(const struct machine_regs *regs)
{
	u32 code = regs->rcx & 0xffff, reps = (u32)(regs->rcx >> HV_CALL_REPS);
	u8 byte = answer_byte();
	u64 result = byte < 0x80 ? (u64)reps << 32 : answer_number(byte < 0xc0 ? 2 : 8);

	bool refused = HV_STATUS(result) || HV_REPS_DONE(result) != reps;

	if (!code)
		return result;
	if (!(regs->rcx & HV_CALL_FAST))
		read_input(regs->rdx, regs->rcx);
	else
		CHECK(regs->r8);
	hv_answered(code, refused);
	return result;
}

static s64 xen_event(u32 cmd, void *arg)
{
	s64 result = answer_status();
	struct evtchn_send *send = arg;

	if (cmd == EVTCHNOP_bind_ipi)
		((struct evtchn_bind_ipi *)arg)->port = (u32)answer_number(2);
	else if (cmd == EVTCHNOP_bind_virq)
		((struct evtchn_bind_virq *)arg)->port = (u32)answer_number(2);
	else
		sent |= result >= 0;
	/* A report of the console's own would come by the console. */
	if (cmd != EVTCHNOP_send || send->port < 0x10000)
		account_refused(result);
	return result;
}

static s64 xen_hvm_op(u32 cmd, struct xen_hvm_param *param)
{
	s64 result = answer_status();

	if (cmd == HVMOP_set_param)
		return result;
	account_refused(result);
	if (cmd == HVMOP_get_param && param->index == HVM_PARAM_CONSOLE_PFN)
		param->value = answer_byte() & 0x80 ? answer_number(8) : RING >> PV_PAGE_SHIFT;
	else if (cmd == HVMOP_get_param)
		/* Not one of those that events can be bound to. */
		param->value = console_port = answer_byte() < 0xf0 ? 0x10000 : 0;
	return result;
}

static s64 xen_sched_op(u32 cmd)
{
	s64 result;

	if (cmd == SCHEDOP_shutdown) {
		CHECK(ends);
		machine_leave();
	}
	result = answer_status();
	if (cmd != SCHEDOP_yield) {
		account_refused(result);
		return result;
	}
	/* The reader goes on, or not; one that is gone is given up after a while. */
	if (++yields == YIELDS)
		machine_leave();
	((struct xencons_interface *)(KERNEL_BASE + RING))->out_cons += answer_byte();
	return result;
}

static s64 xen_call(u32 nr, unsigned long *a)
{
	s64 result;

	switch (nr) {
	case __HYPERVISOR_event_channel_op:
		return xen_event((u32)a[0], (void *)a[1]);
	case __HYPERVISOR_hvm_op:
		return xen_hvm_op((u32)a[0], (struct xen_hvm_param *)a[1]);
	case __HYPERVISOR_sched_op:
		return xen_sched_op((u32)a[0]);
	case __HYPERVISOR_multicall: {
		struct multicall_entry *entry = (struct multicall_entry *)a[0];
		u32 i;

		for (i = 0; i < a[1]; i++)
			entry[i].result = (unsigned long)xen_call((u32)entry[i].op,
								  (unsigned long *)entry[i].args);
		return answer_status();
	}
	case __HYPERVISOR_vcpu_op:
		result = answer_status();
		account_refused(result);
		if (a[0] == VCPUOP_register_vcpu_info)
			start_clock((struct pv_pvclock *)&PV_PERCPU_PTR(pvxen_vcpu_info)->time);
		return result;
	case __HYPERVISOR_xen_version:
		if (a[0] == XENVER_get_features)
			((struct xen_feature_info *)a[1])->submap =
				answer_byte() < 0xf0 ? ~0U : (u32)answer_number(4);
		return answer_byte() < 0xf0 ? 0 : answer_status();
	case __HYPERVISOR_memory_op:
	case __HYPERVISOR_vm_assist:
		return answer_byte() < 0xf0 ? 0 : answer_status();
	default:
		abort();
	}
}

/* Registers are answers: version, frequency, whether time is stolen. */
static void vmware_call(struct machine_regs *regs)
{
	u32 cmd = (u32)regs->rcx;

	CHECK((u32)regs->rax == 0x564d5868 && (u32)regs->rdx == 0x5658);
	if (answer_byte() & 0x80) {
		regs->rax = (u32)answer_number(4);
		regs->rbx = answer_byte() & 0x80 ? (u32)answer_number(4) : 0x564d5868;
		return;
	}
	regs->rax = cmd == 45 ? 2000000000U : 1;
	regs->rbx = cmd == 45 ? 0 : 0x564d5868;
}

void target_hypercall(struct machine_regs *regs)
{
	unsigned long args[] = { regs->rdi, regs->rsi, regs->rdx, regs->r10 };

	CHECK(++calls < 2000);
	switch (kind) {
	case MACHINE_KVM:
		regs->rax = kvm_call(regs);
		break;
	case MACHINE_HYPERV:
		regs->rax = hv_call(regs);
		break;
	case MACHINE_XENHVM:
		regs->rax = (u64)xen_call((u32)regs->rax, args);
		break;
	case MACHINE_VMWARE:
		vmware_call(regs);
		break;
	}
}

u64 target_read_msr(u32 msr)
{
	u64 val;

	switch (msr) {
	case MSR_APIC_BASE:
		return APIC;
	case HV_MSR_HYPERCALL:
		return hypercall_msr ^ (answer_byte() >= 0xf0 ? answer_number(8) : 0);
	case HV_MSR_VP_INDEX:
		val = answer_byte() < 0xc0 ? host_cpu : answer_number(3);
		/* No set can name it. */
		if (val >= HV_SET_BANK * HV_SET_BANKS)
			hv_ended |= HV_BY_CALL;
		return val;
	case HV_MSR_REF_COUNTER:
		TIMER_CURRENT -= 1000000;
		return reference += 10000;
	default:
		return answer_number(8);
	}
}

/* The page that Hyper-V writes: its instruction is a way to here. */
void target_write_msr(u32 msr, u64 val)
{
	extern void machine_vmcall(void);

	if (msr == HV_MSR_HYPERCALL) {
		hypercall_msr = val;
		if (val & HV_HYPERCALL_ENABLE) {
			u8 *page = (u8 *)(KERNEL_BASE + (val & ~(PV_PAGE_SIZE - 1)));
			u32 distance = (u32)((u64)machine_vmcall - (u64)page - 5);

			page[0] = 0xe9;
			memcpy(page + 1, &distance, 4);
		}
	} else if (msr == MSR_KVM_SYSTEM_TIME_NEW && val & 1) {
		start_clock((struct pv_pvclock *)(KERNEL_BASE + (val & ~1ULL)));
	}
}

/* A caller waits for ever for a clock that stands still, or with an odd version. */
u64 target_rdtsc(void)
{
	if (++readings == 2000)
		machine_leave();
	TIMER_CURRENT -= 100000;
	return tsc += 100000;
}

void target_halt(void)
{
	CHECK(!machine_interrupts || !ends);
	if (ends)
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

	if (account_report(line, &report) && !report.tried)
		hv_told++;
}

void target_page_freed(pv_pfn_t pfn)
{
	(void)pfn;
}

void target_interrupt(u32 vector)
{
	upcalls++;
	(void)vector;
}

/* --- the kernel --- */

static struct pv_cpumask some_mask(void)
{
	return (struct pv_cpumask){ { input_byte() & ((1 << PV_MAX_CPUS) - 1) } };
}

/* By hypercall or by the local APIC: it is sent. */
static void check_sent(u32 vector)
{
	bool by_apic = (ICR_LOW & 0xff) == vector;

	/* Xen's IPIs are events; without a port for one a refusal is reported. */
	if (kind != MACHINE_XENHVM)
		CHECK(sent || by_apic);
}

static void send_ipi(void)
{
	struct pv_cpumask mask = some_mask();
	u32 vector = PV_VECTOR_IPI + input_byte() % PV_IPI_COUNT;

	sent = false;
	ICR_LOW = 0;
	if (mask.word[0] == 1) {
		u32 cpu = input_byte() % PV_MAX_CPUS;

		pv_send_ipi(cpu, vector);
		if (kind != MACHINE_HYPERV || pvhyperv_vp_index[cpu] != HV_VP_UNKNOWN)
			check_sent(vector);
	} else {
		pv_send_ipi_mask(&mask, vector);
		/* A CPU that never ran has no VP, so nothing is sent to it. */
		if (mask.word[0] && kind != MACHINE_HYPERV)
			check_sent(vector);
	}
}

static void upcall(void)
{
	u32 vector = PV_VECTOR_IPI;

	if (kind == MACHINE_KVM) {
		PV_PERCPU_PTR(pvkvm_shared)->eoi = input_byte();
	} else if (kind == MACHINE_XENHVM && pvxen_shared && input_byte() & 1) {
		u32 i;

		for (i = 0; i < 4; i++)
			pvxen_shared->evtchn_pending[input_byte() % 64] = input_number(8);
		PV_PERCPU_PTR(pvxen_vcpu_info)->evtchn_pending_sel = input_number(8);
		vector = 0;
	}
	upcalls = 0;
	pv_upcall(vector);
	CHECK(!vector || upcalls == 1);
}

static void console(void)
{
	static const char text[] = "a line for the console of this machine, which is longer than nothing\n";
	struct xencons_interface *ring = (void *)(KERNEL_BASE + RING);
	u32 i;

	if (input_byte() & 1)
		ring->out_cons = (u32)input_number(4);
	if (input_byte() & 1)
		ring->out_prod = (u32)input_number(4);
	yields = 0;
	for (i = input_byte() % 64; i; i--)
		pv_console_write(text, sizeof(text) - 1);
}

static void lock(void)
{
	u8 word = 0;

	if (kind == MACHINE_KVM)
		PV_PERCPU_PTR_OF(pvkvm_shared, 1)->steal.preempted = input_byte();
	pv_lock_wait(&word, input_byte() & 1);
	pv_lock_kick(input_byte() % PV_MAX_CPUS);
	pv_vcpu_is_preempted(input_byte() % (PV_MAX_CPUS + 1));
}

static void restart_cpu(u32 cpu)
{
	host_cpu = cpu;
	pv_cpu_exit();
	if (up)
		pv_cpu_init(cpu);
	host_cpu = 0;
}

static void act(void)
{
	struct pv_cpumask mask;
	u32 nr;

	switch (input_byte() % 10) {
	case 0: case 1:
		send_ipi();
		break;
	case 2:
		mask = some_mask();
		pv_flush_tlb_multi(&mask, input_number(4), input_number(4));
		break;
	case 3:
		lock();
		break;
	case 4:
		upcall();
		break;
	case 5:
		pv_set_timer(input_number(8));
		pv_clock_read();
		pv_stolen_time(input_byte() % (PV_MAX_CPUS + 1));
		break;
	case 6:
		/* Another CPU arrives, and goes: VP indices, event channels, records. */
		host_cpu = 1;
		pv_cpu_init(1);
		host_cpu = 0;
		break;
	case 7:
		if (kind != MACHINE_XENHVM)
			restart_cpu(input_byte() % PV_MAX_CPUS);
		break;
	case 8:
		console();
		break;
	case 9:
		for (nr = 0; pv_note(nr); nr++)
			CHECK(strlen(pv_note(nr)) < 256);
		if (pv_backend()->null_hypercall)
			pv_backend()->null_hypercall();
		break;
	}
}

static void check_accounts(void)
{
	CHECK(!account_open());
	if (kind != MACHINE_HYPERV)
		return;
	CHECK(hv_told == hv_refused);
	/* A page that could not be had takes both away. */
	if (!pvhyperv_calls)
		hv_ended |= HV_BY_CALL;
	CHECK((pvhyperv.use & HV_BY_CALL) == (hv_offered & ~hv_ended));
}

static struct pv_platform platform = { .cpuid = machine_cpuid };

static void start_machine(void)
{
	pv_init(&platform, "");
	pv_cpu_init(0);
	pv_late_init();
	up = true;
	hv_offered = HV_BY_CALL;
	check_accounts();
}

static void new_input(u32 nr, const u8 *data, size_t size)
{
	machine_reset(nr, data, size);
	memset((void *)(KERNEL_BASE + APIC), 0, PV_PAGE_SIZE);
	memset((void *)(KERNEL_BASE + RING), 0, PV_PAGE_SIZE);
	account_reset();
	tsc = 0;
	reference = 0;
	calls = yields = readings = 0;
	hv_refused = hv_told = 0;
	hv_offered = hv_ended = 0;
	memset(hv_row, 0, sizeof(hv_row));
	console_port = 0;
	up = nr != 0;
	ends = false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 kept_msr[MACHINE_VMWARE + 1];
extern u8 pvhyperv_hypercall_page[];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_init();
	machine_execute(pvhyperv_hypercall_page);
	for (kind = MACHINE_KVM; kind <= MACHINE_VMWARE; kind++) {
		new_input(0, (const u8 *)"", 0);
		machine_set_leaves(kind);
		if (!machine_try())
			abort();
		start_machine();
		machine_keep(kind);
		kept_msr[kind] = hypercall_msr;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	bool full;

	if (!size)
		return -1;
	full = data[0] & FULL_START;
	kind = 1 + data[0] % MACHINE_VMWARE;
	machine_set_leaves(kind);
	new_input(full ? 0 : kind, data + 1, size - 1);
	hypercall_msr = full ? 0 : kept_msr[kind];
	if (!machine_try())
		return 0;
	if (full)
		start_machine();
	hv_offered = HV_BY_CALL;
	while (input_left()) {
		calls = 0;
		act();
		check_accounts();
	}
	calls = yields = 0;
	ends = true;
	if (machine_interrupts)
		pv_shutdown(PV_SHUTDOWN_REBOOT);
	else
		pv_stop_cpu();
	return 0;
}
