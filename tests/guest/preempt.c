// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Kernel preemption (build "preempt"): the test runner is a task that is preempted, and
 * continues on another CPU.
 *
 * Each CPU has an idle context, which takes the task when it is handed over.  While the
 * task runs elsewhere, idle CPUs send it IPIs at random times, and single steps end after a
 * random number of instructions.  At each such place the task moves, unless it has
 * disabled preemption or masked interrupts.
 */
#include "guest.h"

#ifdef PV_PORT_PREEMPTION

#define STACK_BYTES	16384
#define NOBODY		(~0U)
#define SEED		12345
#define RFLAGS_TF	0x100UL
#define ROUNDS		8

PV_PERCPU_DEFINE(u32, percpu_preempt_count);
PV_PERCPU_DEFINE(u32, percpu_need_resched);
static PV_PERCPU_DEFINE(u64, percpu_idle_rsp);
static PV_PERCPU_DEFINE(u32, percpu_random);
/* Instructions until the next move; 0: this CPU does not step. */
static PV_PERCPU_DEFINE(u32, percpu_steps);

void switch_stack(u64 *save_rsp, u64 rsp);

/* The task, while no CPU runs it. */
static struct {
	u64 rsp;
	u64 cr3;
	u32 batches;
	u32 next_cpu;
} task;

static volatile u32 runs_on;
static u32 handed_to = NOBODY;
static volatile bool moving;
static u32 moves, moves_in_batch, steps;

bool preempt_left_out;

/* A table of each CPU, in which the next task writes entries. */
static struct {
	struct mm mm;
	pv_pte_t *ptes;
	u32 at;
} next_task[PV_MAX_CPUS];

static u32 random_below(u32 below)
{
	u32 *random = PV_PERCPU_PTR(percpu_random);

	*random = *random * 1664525 + 1013904223;
	return (u32)((u64)*random * below >> 32);
}

static u32 other_cpu(u32 cpu)
{
	return (cpu + 1 + random_below(cpus_online - 1)) % cpus_online;
}

void preempt_stop_steps(void)
{
	this_cpu(percpu_steps) = 0;
	asm volatile("pushfq; andl %0, (%%rsp); popfq"
		     : : "i" (~(u32)RFLAGS_TF) : "memory", "cc");
}

/* Leaves this CPU; returns on @cpu.  Interrupts masked, preemption on. */
static void move_to(u32 cpu)
{
	this_cpu(percpu_need_resched) = 0;
	preempt_stop_steps();
	moves++;
	task.next_cpu = cpu;
	task.batches = pv_batch_switch_out();
	moves_in_batch += task.batches != 0;
	task.cr3 = pv_read_cr3();
	switch_stack(&task.rsp, this_cpu(percpu_idle_rsp));
}

static void load_root(u64 cr3)
{
	pv_start_context_switch();
	pv_write_cr3(cr3);
	pv_end_context_switch();
}

/* What the next task of this CPU finds: no batch is open, and its updates take effect. */
static void next_task_runs(void)
{
	u32 cpu = pv_port_this_cpu(), nr = next_task[cpu].at++ % PV_TABLE_ENTRIES;
	pv_pte_t *ptep = &next_task[cpu].ptes[nr];
	u64 val = pv_pte_val(*ptep) ? 0 : (u64)(nr + 1) << 12;

	if (pv_batch_open(PV_BATCH_MMU))
		test_fail(__FILE__, __LINE__, "the next task runs in a batch", cpu, moves);
	pv_set_pte(ptep, pv_make_pte(val));
	if (pv_pte_val(*(volatile pv_pte_t *)ptep) != val)
		test_fail(__FILE__, __LINE__, "the next task's update waits",
			  pv_pte_val(*ptep), val);
}

/* The task has left this CPU.  Interrupts masked. */
static void task_left(void)
{
	load_root(pv_pfn_nr(pv_port_kernel_root()) << PV_PAGE_SHIFT);
	next_task_runs();
	runs_on = NOBODY;
	__atomic_store_n(&handed_to, task.next_cpu, __ATOMIC_RELEASE);
}

/* Interrupts masked. */
static void run_task(void)
{
	runs_on = pv_port_this_cpu();
	proc_arrive(task.cr3);
	pv_batch_switch_in(task.batches);
	switch_stack(PV_PERCPU_PTR(percpu_idle_rsp), task.rsp);
	task_left();
}

/* One turn of an idle CPU. */
static void idle(void)
{
	u32 self = pv_port_this_cpu(), target, i;

	pv_irq_disable();
	cpu_run_calls();
	if (__atomic_load_n(&handed_to, __ATOMIC_ACQUIRE) == self) {
		handed_to = NOBODY;
		run_task();
	}
	pv_irq_enable();
	if (!moving)
		return;
	for (i = random_below(4000); i; i--)
		asm volatile("pause");
	target = runs_on;
	if (moving && target != NOBODY && target != self)
		pv_send_ipi(target, PV_VECTOR_IPI);
}

static void __attribute__((noreturn)) idle_of_boot_cpu(void)
{
	task_left();
	for (;;)
		idle();
}

/* The first switch_stack() to it pops six registers and returns to idle_of_boot_cpu(). */
static void make_boot_idle(void)
{
	static u8 stack[STACK_BYTES] __attribute__((aligned(16)));
	u64 *top = (u64 *)(stack + sizeof(stack)) - 1;

	*--top = (unsigned long)idle_of_boot_cpu;
	*PV_PERCPU_PTR_OF(percpu_idle_rsp, 0) = (unsigned long)(top - 6);
}

static bool may_move(const struct regs *regs)
{
	return (regs->rflags & PV_RFLAGS_IF) && !this_cpu(percpu_preempt_count);
}

/* Moves the interrupted task, and then steps it or not. */
static void preempt(struct regs *regs)
{
	move_to(other_cpu(pv_port_this_cpu()));
	regs->rflags &= ~RFLAGS_TF;
	if (random_below(8)) {
		regs->rflags |= RFLAGS_TF;
		this_cpu(percpu_steps) = 1 + random_below(64);
	}
}

bool preempt_step(struct regs *regs)
{
	u32 *left = PV_PERCPU_PTR(percpu_steps);

	if (!*left) {
		/* A stale flag that the task has restored. */
		regs->rflags &= ~RFLAGS_TF;
		return moving;
	}
	steps++;
	if (--*left)
		return true;
	if (may_move(regs))
		preempt(regs);
	else
		*left = 1;
	return true;
}

void preempt_interrupt(struct regs *regs)
{
	if (!moving || pv_port_this_cpu() != runs_on)
		return;
	if (may_move(regs))
		preempt(regs);
	else
		this_cpu(percpu_need_resched) = 1;
}

void preempt_schedule(void)
{
	pv_flags_t flags = pv_save_fl();

	if (!moving || pv_irqs_disabled_flags(flags))
		return;
	pv_irq_disable();
	if (!this_cpu(percpu_preempt_count) && pv_port_this_cpu() == runs_on)
		move_to(other_cpu(pv_port_this_cpu()));
	pv_restore_fl(flags);
}

static void setup(void)
{
	size_t len;
	const char *text = cmdline_value("preempt=", &len);
	u32 cpu, seed = SEED;

	for (; text && len; len--)
		seed = seed * 10 + (u32)(*text++ - '0');
	for (cpu = 0; cpu < cpus_online; cpu++) {
		if (!mm_create(&next_task[cpu].mm))
			pv_port_panic("preempt: no memory");
		next_task[cpu].ptes = vm_walk(next_task[cpu].mm.root, USER_HEAP, true,
					      &next_task[cpu].mm);
		*PV_PERCPU_PTR_OF(percpu_random, cpu) = seed + cpu * 7919;
	}
	make_boot_idle();
	preempt_left_out = cmdline_is("plant=", "hooks");
}

/* Runs a test on CPUs that change. */
void preempt_run(void (*test)(void))
{
	static bool ready;
	pv_flags_t flags;
	u32 round;

	if (cpus_online < 2) {
		test();
		return;
	}
	if (!ready)
		setup();
	ready = true;
	runs_on = pv_port_this_cpu();
	cpu_idle_work = idle;
	moving = true;
	cpu_wake(1);
	for (round = 0; round < ROUNDS; round++)
		test();
	flags = pv_save_fl();
	pv_irq_disable();
	if (pv_port_this_cpu())
		move_to(0);
	/* In this order: the last step is still ours. */
	preempt_stop_steps();
	moving = false;
	pv_restore_fl(flags);
	cpu_idle_work = NULL;
}

void preempt_report(void)
{
	DATA("preempt", "{\"moves\":%u,\"in_batch\":%u,\"steps\":%u}", moves, moves_in_batch,
	     steps);
}

#endif
