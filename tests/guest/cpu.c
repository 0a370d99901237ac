// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Per-CPU setup, other CPUs, calls between CPUs. */
#include "guest.h"

unsigned long percpu_self __attribute__((section(".percpu.first")));
PV_PERCPU_DEFINE(u32, percpu_cpu);
PV_PERCPU_DEFINE(u64, percpu_kernel_stack);
PV_PERCPU_DEFINE(u64, percpu_user_rsp);
PV_PERCPU_DEFINE(struct pv_tss, percpu_tss);
PV_PERCPU_DEFINE(u64, percpu_ticks);

struct call {
	void (*fn)(void *arg);
	void *arg;
	volatile bool waiting;
};

static PV_PERCPU_DEFINE(struct call, percpu_call);

unsigned long percpu_base[PV_MAX_CPUS];
u32 cpus_online;
void (*volatile cpu_idle_work)(void);
void (*volatile cpu_before_mask)(void);

/* A page for each, because a hypervisor makes the page read-only. */
static u64 gdts[PV_MAX_CPUS][PV_PAGE_SIZE / 8] __attribute__((aligned(4096)));
static u8 stacks[PV_MAX_CPUS][16384] __attribute__((aligned(4096)));
static volatile bool online[PV_MAX_CPUS];

extern u8 percpu_boot[];
extern u8 percpu_size[];
extern void syscall_entry(void);

#define MSR_EFER	0xc0000080
#define MSR_STAR	0xc0000081
#define MSR_LSTAR	0xc0000082
#define MSR_SFMASK	0xc0000084

u64 *this_gdt(void)
{
	return gdts[pv_port_this_cpu()];
}

static void gdt_fill(u32 cpu)
{
	u64 *gdt = gdts[cpu];
	u64 tss = (unsigned long)PV_PERCPU_PTR_OF(percpu_tss, cpu);
	const u64 tss_desc[2] = {
		(sizeof(struct pv_tss) - 1) | (tss & 0xffffff) << 16 | 0x89ULL << 40 |
		(tss >> 24 & 0xff) << 56, tss >> 32
	};
	static const u64 kernel_code = 0x00af9b000000ffff;
	static const u64 kernel_data = 0x00cf93000000ffff;
	static const u64 user_data = 0x00cff3000000ffff;
	static const u64 user_code = 0x00affb000000ffff;

	pv_write_gdt_entry(gdt, PV_KERNEL_CS / 8, &kernel_code, 1);
	pv_write_gdt_entry(gdt, PV_KERNEL_DS / 8, &kernel_data, 1);
	pv_write_gdt_entry(gdt, PV_USER_DS / 8, &user_data, 1);
	pv_write_gdt_entry(gdt, PV_USER_CS / 8, &user_code, 1);
	pv_write_gdt_entry(gdt, PV_GDT_TSS, tss_desc, 2);
}

static void dtr_fill(u32 cpu, struct pv_dtr *gdtr, struct pv_dtr *idtr)
{
	gdtr->limit = GDT_ENTRIES * 8 - 1;
	gdtr->base = (unsigned long)gdts[cpu];
	idtr->limit = sizeof(idt) - 1;
	idtr->base = (unsigned long)idt;
}

static void percpu_fill(u32 cpu)
{
	unsigned long base = (unsigned long)percpu_boot + cpu * (unsigned long)percpu_size;

	percpu_base[cpu] = base;
	*(unsigned long *)base = base;
	*PV_PERCPU_PTR_OF(percpu_cpu, cpu) = cpu;
	PV_PERCPU_PTR_OF(percpu_tss, cpu)->iomap_base = sizeof(struct pv_tss);
}

void cpu_enable_syscalls(void)
{
	pv_write_msr(MSR_STAR, (u64)PV_KERNEL_CS << 32);
	pv_write_msr(MSR_LSTAR, (unsigned long)syscall_entry);
	/* Interrupts masked, no trap flag, direction and alignment clear. */
	pv_write_msr(MSR_SFMASK, 0x47700);
}

/* Only the boot CPU loads GDT and IDT; other CPUs start with them. */
void cpu_setup(u32 cpu)
{
	struct pv_dtr gdtr, idtr;

	if (!cpu) {
		percpu_fill(0);
		gdt_fill(0);
		dtr_fill(0, &gdtr, &idtr);
		pv_load_gdt(&gdtr);
		pv_load_idt(&idtr);
	}
	pv_load_tr(PV_GDT_TSS * 8);
	cpu_enable_syscalls();
	online[cpu] = true;
	__atomic_add_fetch(&cpus_online, 1, __ATOMIC_SEQ_CST);
}

/*
 * CPUs are held at points in their own work, not in an interrupt handler.  A handler
 * may return into the middle of a site, or into code that a site has called, and the
 * text there will change.
 */
struct hold {
	volatile u32 arrived;
	volatile u32 held;
	volatile bool complete;
	volatile bool release;
};

static struct hold *volatile holding;
static struct spinlock hold_lock;

static void cpu_main(u64 cpu)
{
	pv_cpu_init((u32)cpu);
	cpu_setup((u32)cpu);
	for (;;) {
		void (*work)(void);

		cpu_hold_point();
		work = cpu_before_mask;
		if (work)
			work();
		pv_irq_disable();
		cpu_run_calls();
		work = cpu_idle_work;
		if (work) {
			pv_irq_enable();
			work();
		} else if (holding) {
			/* The call that should wake this CPU may have come before the mask. */
			pv_irq_enable();
		} else {
			pv_safe_halt();
		}
	}
}

void cpu_make_state(u32 cpu, struct pv_cpu_state *state)
{
	percpu_fill(cpu);
	gdt_fill(cpu);
	memset(state, 0, sizeof(*state));
	state->rip = (unsigned long)cpu_main;
	/* As after a call: 16-byte aligned, minus a return address. */
	state->rsp = (unsigned long)stacks[cpu] + sizeof(stacks[cpu]) - 8;
	state->rdi = cpu;
	state->cr0 = pv_read_cr0() | 0x80010001;
	state->cr3 = pv_pfn_nr(pv_port_kernel_root()) << PV_PAGE_SHIFT;
	state->cr4 = pv_read_cr4() | 0x20;
	state->efer = pv_read_msr(MSR_EFER) | 0x900;
	state->gs_base = percpu_base[cpu];
	dtr_fill(cpu, &state->gdt, &state->idt);
}

void cpu_wait_online(u32 cpu)
{
	u64 end = pv_clock_read() + 20000000000ULL;

	while (!online[cpu] && pv_clock_read() < end)
		asm volatile("pause");
}

int cpu_start(u32 cpu, struct pv_cpu_state *state)
{
	int error;

	online[cpu] = false;
	error = pv_start_cpu(cpu, state);
	if (!error)
		cpu_wait_online(cpu);
	return error;
}

void cpus_start(void)
{
	struct pv_cpu_state state;
	u32 cpu;

	for (cpu = 1; cpu < boot_info.cpu_count; cpu++) {
		cpu_make_state(cpu, &state);
		if (cpu_start(cpu, &state))
			break;
		if (!online[cpu]) {
			pv_port_log("cpu %u was started but does not answer", cpu);
			break;
		}
	}
	pv_port_log("%u CPUs", cpus_online);
}

u32 pv_port_apic_id(u32 cpu)
{
	return cpu < boot_info.cpu_count ? boot_info.apic_id[cpu] : ~0U;
}

void cpu_run_calls(void)
{
	struct call *call = PV_PERCPU_PTR(percpu_call);

	if (!__atomic_load_n(&call->waiting, __ATOMIC_ACQUIRE))
		return;
	call->fn(call->arg);
	__atomic_store_n(&call->waiting, false, __ATOMIC_RELEASE);
}

static struct spinlock call_lock;

/* First waits for CPUs that still have a call. */
static void call_begin(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg)
{
	struct pv_cpumask targets = { { 0 } };
	u32 cpu;

	pv_for_each_cpu(cpu, mask) {
		struct call *call = PV_PERCPU_PTR_OF(percpu_call, cpu);

		if (cpu == pv_port_this_cpu() || !online[cpu])
			continue;
		while (__atomic_load_n(&call->waiting, __ATOMIC_ACQUIRE))
			asm volatile("pause");
		call->fn = fn;
		call->arg = arg;
		__atomic_store_n(&call->waiting, true, __ATOMIC_RELEASE);
		targets.word[cpu / 64] |= 1ULL << cpu % 64;
	}
	if (pv_cpumask_next(&targets, 0) < PV_MAX_CPUS)
		pv_send_ipi_mask(&targets, PV_VECTOR_IPI);
}

static void call_end(const struct pv_cpumask *mask)
{
	u32 cpu;

	pv_for_each_cpu(cpu, mask) {
		if (cpu == pv_port_this_cpu() || !online[cpu])
			continue;
		while (__atomic_load_n(&PV_PERCPU_PTR_OF(percpu_call, cpu)->waiting,
				       __ATOMIC_ACQUIRE))
			asm volatile("pause");
	}
}

bool cpu_is_online(u32 cpu)
{
	return online[cpu];
}

struct pv_cpumask cpu_mask(u32 cpu)
{
	struct pv_cpumask mask = { { 0 } };

	mask.word[cpu / 64] = 1ULL << cpu % 64;
	return mask;
}

u32 cpu_last(void)
{
	return cpus_online - 1;
}

static void look(void *arg)
{
	(void)arg;
}

void cpu_wake(u32 cpu)
{
	struct pv_cpumask mask = cpu_mask(cpu);

	pv_port_call_cpus(&mask, look, NULL);
}

static void stop_here(void *arg)
{
	u32 cpu = pv_port_this_cpu();

	(void)arg;
	__atomic_store_n(&PV_PERCPU_PTR(percpu_call)->waiting, false, __ATOMIC_RELEASE);
	__atomic_sub_fetch(&cpus_online, 1, __ATOMIC_SEQ_CST);
	online[cpu] = false;
	pv_stop_cpu();
	pv_port_panic("a stopped CPU runs");
}

void cpu_stop(u32 cpu)
{
	struct pv_cpumask mask = cpu_mask(cpu);
	u64 settle;

	pv_port_call_cpus(&mask, stop_here, NULL);
	while (online[cpu])
		asm volatile("pause");
	/* Time from its last store to its last instruction. */
	settle = pv_clock_read() + 1000000;
	while (pv_clock_read() < settle)
		asm volatile("pause");
}

/* Keeps interrupts on, so that two callers cannot wait for each other. */
static void take(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		asm volatile("pause");
}

void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg)
{
	take(&call_lock);
	call_begin(mask, fn, arg);
	call_end(mask);
	__atomic_store_n(&call_lock.taken, 0, __ATOMIC_RELEASE);
}

void cpu_call_async(u32 cpu, void (*fn)(void *arg), void *arg)
{
	struct pv_cpumask mask = cpu_mask(cpu);

	take(&call_lock);
	call_begin(&mask, fn, arg);
	__atomic_store_n(&call_lock.taken, 0, __ATOMIC_RELEASE);
}

void cpu_hold_point(void)
{
	struct hold *hold = holding;
	pv_flags_t flags;

	if (!hold)
		return;
	__atomic_add_fetch(&hold->arrived, 1, __ATOMIC_SEQ_CST);
	/* Interrupts on until all have arrived: a CPU may still wait for a call to this one. */
	while (!hold->complete)
		asm volatile("pause");
	flags = pv_save_fl();
	pv_irq_disable();
	__atomic_add_fetch(&hold->held, 1, __ATOMIC_SEQ_CST);
	while (!hold->release)
		asm volatile("pause");
	/* Serialises before new text is executed. */
	asm volatile("cpuid" : : "a" (0) : "rbx", "rcx", "rdx", "memory");
	__atomic_sub_fetch(&hold->held, 1, __ATOMIC_SEQ_CST);
	pv_restore_fl(flags);
}

int pv_port_hold_cpus(int (*fn)(void *arg), void *arg)
{
	static const struct pv_cpumask all = {
		.word = { [0 ... PV_CPUMASK_WORDS - 1] = ~0ULL },
	};
	struct hold hold = { 0, 0, false, false };
	u32 others = cpus_online - 1;
	int result;

	take(&hold_lock);
	holding = &hold;
	pv_port_call_cpus(&all, look, NULL);
	while (hold.arrived < others)
		asm volatile("pause");
	holding = NULL;
	hold.complete = true;
	while (hold.held < others)
		asm volatile("pause");
	result = fn(arg);
	hold.release = true;
	while (hold.held)
		asm volatile("pause");
	__atomic_store_n(&hold_lock.taken, 0, __ATOMIC_RELEASE);
	return result;
}
