// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-clock: any contents of the clocks that hypervisors share.
 *
 * First byte: Xen's vcpu_time_info, KVM's pvclock, Hyper-V's TSC page.  The machine
 * is up; what is read then is what the input writes there, between readings and
 * in the middle of one, whole or in two halves with an odd version between.
 *
 * Checked: a reading is what the contents said at one moment, by another arithmetic; it
 * ends when the hypervisor is done; with the same contents time does not go back.  A
 * hypervisor that never is done holds the reader for ever, as it can by not
 * running it: that is left after a while, and no fault.
 */
#include "../../backends/hyperv/internal.h"
#include "../../backends/kvm/internal.h"
#include "../../backends/xen/internal.h"
#include "machine.h"

enum { XEN, KVM, HYPERV, KINDS };

#define MFN_BASE	0x100000UL
/* A reader that is held by an odd version, in readings of the TSC. */
#define HELD		200

static unsigned long p2m[MACHINE_FRAMES];
static struct start_info start;

/* What the machine shares with this CPU; where it is, the guest has said. */
static struct pv_pvclock *clock_page;
static struct hv_tsc_page *tsc_page;
static u64 epoch[KINDS];

static u32 kind;
static bool running;
static u64 tsc;
static u64 counter;
static u32 readings;
/* The second half of a change is to come. */
static bool half;

/* What the last complete reading must give. */
static bool sure;
static u64 sure_time;
/* Nothing overflows: monotonic. */
static bool sane;

static void xen_leaves(struct pv_cpuid *regs)
{
	memset(regs, 0, sizeof(*regs));
}

/* --- the arithmetic, another time --- */

static u64 scaled(u64 delta, int shift, u32 mul)
{
	unsigned __int128 wide = delta;

	/* Beyond what a register has: as the instructions do it. */
	if (shift >= 0)
		wide <<= (u32)shift % 64;
	else
		wide >>= (u32)-shift % 64;
	sane &= wide >> 64 == 0;
	return (u64)((unsigned __int128)(u64)wide * mul / (1ULL << 32));
}

static u64 time_now(void)
{
	sane = true;
	if (kind == HYPERV) {
		if (!tsc_page->sequence)
			return counter;
		return (u64)((unsigned __int128)tsc * tsc_page->scale >> 64) + tsc_page->offset;
	}
	sane = tsc >= clock_page->tsc_timestamp;
	return clock_page->system_time +
	       scaled(tsc - clock_page->tsc_timestamp, clock_page->tsc_shift,
		      clock_page->tsc_to_system_mul);
}

/* --- the hypervisor --- */

static void write_fields(void)
{
	if (kind == HYPERV) {
		tsc_page->scale = answer_number(8);
		tsc_page->offset = answer_number(8);
		return;
	}
	clock_page->tsc_timestamp = answer_number(8);
	clock_page->system_time = answer_number(8);
	clock_page->tsc_to_system_mul = (u32)answer_number(4);
	clock_page->tsc_shift = (signed char)answer_byte();
	clock_page->flags = answer_byte();
}

/* Hyper-V changes its page while no CPU reads it, and counts; 0 is "not now". */
static void change(bool whole)
{
	write_fields();
	if (kind == HYPERV) {
		tsc_page->sequence = answer_byte() & 0x0f ? tsc_page->sequence + 1 : 0;
		return;
	}
	clock_page->version += whole ? 2 : 1;
	half = !whole;
}

static void finish(void)
{
	write_fields();
	clock_page->version++;
	half = false;
}

/* In the middle of a reading. */
u64 target_rdtsc(void)
{
	u8 what;

	if (!running)
		return tsc;
	CHECK(++readings <= HELD);
	if (readings == HELD)
		machine_leave();
	sure = false;
	what = answer_byte();
	tsc += answer_byte();
	if (half) {
		/* Or never. */
		if (what & 0x80 || what < 0x10)
			finish();
	} else if (what >= 0xf0) {
		change(what & 1);
	} else if (kind != HYPERV || tsc_page->sequence) {
		sure_time = time_now();
		sure = true;
	}
	return tsc;
}

u64 target_read_msr(u32 msr)
{
	if (msr == HV_MSR_REF_COUNTER) {
		counter += running ? answer_byte() : 0;
		sure_time = counter;
		sure = true;
		return counter;
	}
	return 0;
}

static void *phys(u64 address)
{
	return (void *)(KERNEL_BASE + (address & ~1ULL));
}

void target_write_msr(u32 msr, u64 val)
{
	if (msr == MSR_KVM_SYSTEM_TIME_NEW && val & 1)
		clock_page = phys(val);
	else if (msr == HV_MSR_REF_TSC && val & 1)
		tsc_page = phys(val & ~(PV_PAGE_SIZE - 1));
	else if (msr == MSR_KVM_WALL_CLOCK_NEW)
		*(struct pv_pvclock_wall *)phys(val) = (struct pv_pvclock_wall){
			.version = 2 * answer_byte(),
			.sec = (u32)answer_number(4),
			.nsec = (u32)answer_number(4),
		};
}

void target_hypercall(struct machine_regs *regs)
{
	if (regs->rax == __HYPERVISOR_vcpu_op && regs->rdi == VCPUOP_register_vcpu_info) {
		const struct vcpu_register_vcpu_info *where = (const void *)regs->rdx;
		u64 frame = where->mfn - MFN_BASE;

		clock_page = (struct pv_pvclock *)&((struct vcpu_info *)
			(KERNEL_BASE + (frame << PV_PAGE_SHIFT) + where->offset))->time;
	}
	regs->rax = 0;
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

void target_log(const char *line)
{
	(void)line;
}

void target_page_freed(pv_pfn_t pfn)
{
	(void)pfn;
}

void target_interrupt(u32 vector)
{
	(void)vector;
}

/* --- the kernel --- */

static u64 to_clock(u64 time)
{
	return (time - epoch[kind]) * (kind == HYPERV ? 100 : 1);
}

static u64 read_clock(void)
{
	u64 now;

	readings = 0;
	now = pv_clock_read();
	CHECK(sure && now == to_clock(sure_time));
	return now;
}

/* Since the contents were written; true if that has room in a u64. */
static bool read_forward(u64 *passed)
{
	u64 base = kind == HYPERV ? tsc_page->offset : clock_page->system_time;

	*passed = pv_clock_read() + (epoch[kind] - base) * (kind == HYPERV ? 100 : 1);
	time_now();
	return sane && (kind != HYPERV || *passed < 1ULL << 63);
}

/* Nothing is changed here: the later one is not the earlier one. */
static void check_forward(void)
{
	u64 first, second;
	bool good;

	if (half || (kind == HYPERV && (!tsc_page->sequence || tsc_page->scale >> 56)))
		return;
	running = false;
	good = read_forward(&first);
	tsc += input_number(4);
	if (read_forward(&second) && good)
		CHECK(second >= first);
	running = true;
}

static void read_wall(void)
{
	u64 wall;

	readings = 0;
	if (kind == XEN) {
		pvxen_shared->wc_version = 2 * input_byte();
		pvxen_shared->wc_sec = (u32)input_number(4);
		pvxen_shared->wc_nsec = (u32)input_number(4);
		pvxen_shared->wc_sec_hi = (u32)input_number(4);
		wall = pv_wall_clock();
		CHECK(sure && wall == sure_time + pvxen_shared->wc_nsec +
		      (pvxen_shared->wc_sec | (u64)pvxen_shared->wc_sec_hi << 32) * 1000000000ULL);
	} else if (kind == KVM) {
		pv_wall_clock();
	}
}

static void read_stolen(void)
{
	u32 cpu = input_byte() % (PV_MAX_CPUS + 1);

	if (kind == XEN) {
		struct vcpu_runstate_info *state = &PV_PERCPU_PTR_OF(pvxen_runstate, 0)->info;

		state->state_entry_time = input_number(8) & ~XEN_RUNSTATE_UPDATE;
		state->time[RUNSTATE_runnable] = input_number(8);
		state->time[RUNSTATE_offline] = input_number(2);
	} else if (kind == KVM) {
		struct kvm_steal_time *steal = &PV_PERCPU_PTR_OF(pvkvm_shared, 0)->steal;

		steal->steal = input_number(8);
		steal->version = input_byte() & ~1U;
	}
	pv_stolen_time(cpu);
	if (cpu >= PV_MAX_CPUS && kind != HYPERV)
		CHECK(!pv_stolen_time(cpu));
}

static void start_machine(u32 nr)
{
	static struct pv_platform xen = {
		.cpl = 3, .xen_start_info = &start, .cpuid = xen_leaves,
	};
	static struct pv_platform bare = { .cpuid = machine_cpuid };

	machine_reset(0, (const u8 *)"", 0);
	kind = nr;
	machine_set_leaves(nr == KVM ? MACHINE_KVM : MACHINE_HYPERV);
	tsc = 1000;
	counter = 77;
	if (!machine_try())
		abort();
	pv_init(nr == XEN ? &xen : &bare, "");
	pv_cpu_init(0);
	CHECK(!pv_impl_is_native(PV_OP_clock_read));
	if (nr == HYPERV) {
		CHECK(tsc_page);
		epoch[nr] = counter;
	} else {
		CHECK(clock_page);
		epoch[nr] = time_now();
	}
	machine_keep(1 + nr);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct pv_pvclock *clock_pages[KINDS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u32 nr;

	(void)argc;
	(void)argv;
	machine_init();
	for (nr = 0; nr < MACHINE_FRAMES; nr++)
		p2m[nr] = MFN_BASE + nr;
	memcpy(start.magic, "xen-3.0", 8);
	start.nr_pages = MACHINE_FRAMES;
	start.mfn_list = (unsigned long)p2m;
	for (nr = 0; nr < KINDS; nr++) {
		start_machine(nr);
		clock_pages[nr] = clock_page;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!size)
		return -1;
	kind = data[0] % KINDS;
	machine_reset(1 + kind, data + 1, size - 1);
	clock_page = clock_pages[kind];
	tsc = 1000;
	counter = 77;
	half = false;
	running = true;
	readings = 0;

	if (!machine_try()) {
		/* Held. */
		CHECK(readings == HELD);
		running = false;
		return 0;
	}
	while (input_left()) {
		switch (input_byte() % 8) {
		case 0: case 1:
			if (half)
				finish();
			change(true);
			break;
		case 2: case 3: case 4:
			read_clock();
			break;
		case 5:
			check_forward();
			break;
		case 6:
			read_wall();
			break;
		case 7:
			read_stolen();
			break;
		}
		tsc += input_byte();
	}
	running = false;
	return 0;
}
