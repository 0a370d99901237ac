// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Processes: each has an address space and a kernel stack.  CPU 0 runs them in
 * turn.  Process 0 is the kernel itself (the test runner).
 */
#include "guest.h"

#define STACK_BYTES	16384
#define TIME_SLICE_NS	2000000ULL

#define MSR_FS_BASE	0xc0000100

static struct proc procs[PROC_MAX];
static u8 proc_stacks[PROC_MAX][STACK_BYTES] __attribute__((aligned(4096)));
struct proc *current_proc;
u64 context_switches;
static u32 next_pid = 1;

extern u8 user_image_start[], user_image_end[];
void switch_stack(u64 *save_rsp, u64 rsp);
void first_return(void);

void proc_setup(void)
{
	struct proc *self = &procs[0];

	self->state = PROC_READY;
	self->active_mm = &kernel_mm;
	self->stack_top = (unsigned long)proc_stacks[0] + STACK_BYTES;
	current_proc = self;
}

static void arm_slice(void)
{
	pv_set_timer(pv_clock_read() + TIME_SLICE_NS);
}

/* Interrupts masked. */
static void switch_to(struct proc *next)
{
	struct proc *prev = current_proc;

	if (next == prev)
		return;
	context_switches++;
	pv_start_context_switch();
	pv_load_sp0(PV_PERCPU_PTR(percpu_tss), next->stack_top);
	this_cpu(percpu_kernel_stack) = next->stack_top;
	pv_load_tls(this_gdt(), next->tls);
	if (next->fs_base != prev->fs_base)
		pv_write_msr(MSR_FS_BASE, next->fs_base);
	if (next->iopl != prev->iopl)
		pv_set_iopl(next->iopl);
	if (next->active_mm != prev->active_mm)
		pv_write_cr3(pv_pfn_nr(next->active_mm->root) << PV_PAGE_SHIFT);
	pv_end_context_switch();
	current_proc = next;
	/* The way to user mode must not be stepped. */
	preempt_stop_steps();
	switch_stack(&prev->rsp, next->rsp);
}

void proc_arrive(u64 cr3)
{
	struct proc *proc = current_proc;

	pv_start_context_switch();
	pv_load_sp0(PV_PERCPU_PTR(percpu_tss), proc->stack_top);
	this_cpu(percpu_kernel_stack) = proc->stack_top;
	pv_load_tls(this_gdt(), proc->tls);
	pv_write_msr(MSR_FS_BASE, proc->fs_base);
	pv_set_iopl(proc->iopl);
	pv_write_cr3(cr3);
	pv_end_context_switch();
}

/* Switches to the next process; the kernel's own process is one of them. */
void schedule(void)
{
	pv_flags_t flags = pv_save_fl();
	u32 at = (u32)(current_proc - procs), i;

	pv_irq_disable();
	for (i = 1; i <= PROC_MAX; i++) {
		struct proc *next = &procs[(at + i) % PROC_MAX];

		if (next->state == PROC_READY) {
			if (next != &procs[0])
				arm_slice();
			switch_to(next);
			break;
		}
	}
	pv_restore_fl(flags);
}

static struct proc *proc_new(void)
{
	u32 i;

	for (i = 1; i < PROC_MAX; i++)
		if (procs[i].state == PROC_FREE) {
			struct proc *proc = &procs[i];

			memset(proc, 0, sizeof(*proc));
			proc->stack_top = (unsigned long)proc_stacks[i] + STACK_BYTES;
			proc->pid = next_pid++;
			proc->parent = current_proc->pid;
			proc->active_mm = &proc->mm;
			return proc;
		}
	return NULL;
}

/* Makes the stack of a new process, which first runs by a return from an exception. */
static struct regs *proc_frame(struct proc *proc)
{
	struct regs *regs = (struct regs *)proc->stack_top - 1;
	u64 *stack = (u64 *)regs;

	/* switch_stack() pops six registers and returns. */
	*--stack = (unsigned long)first_return;
	stack -= 6;
	memset(stack, 0, 6 * sizeof(u64));
	proc->rsp = (unsigned long)stack;
	return regs;
}

struct proc *proc_start(u32 which, u64 arg)
{
	struct proc *proc = proc_new();
	u32 text_pages = (u32)((user_image_end - user_image_start) / PAGE);
	struct regs *regs;

	if (!proc)
		return NULL;
	if (!mm_create(&proc->mm))
		return NULL;
	if (!mm_map(&proc->mm, USER_TEXT, text_pages, false) ||
	    !mm_map(&proc->mm, USER_STACK_TOP - USER_STACK_PAGES * PAGE, USER_STACK_PAGES,
		    true)) {
		mm_destroy(&proc->mm);
		return NULL;
	}
	mm_copy_in(&proc->mm, USER_TEXT, user_image_start,
		   (size_t)(user_image_end - user_image_start));
	regs = proc_frame(proc);
	memset(regs, 0, sizeof(*regs));
	regs->rdi = which;
	regs->rsi = arg;
	regs->rip = USER_TEXT;
	regs->cs = PV_USER_CS;
	regs->rflags = 0x202;
	regs->rsp = USER_STACK_TOP;
	regs->ss = PV_USER_DS;
	proc->state = PROC_READY;
	return proc;
}

static s64 proc_reap(struct proc *proc)
{
	s64 code = proc->exit_code;

	mm_destroy(&proc->mm);
	proc->state = PROC_FREE;
	return code;
}

s64 proc_wait(struct proc *proc)
{
	if (!proc) {
		test_error("a process could not be started");
		return -1;
	}
	while (proc->state != PROC_ZOMBIE)
		schedule();
	PINNED(pv_set_timer(~0ULL));
	return proc_reap(proc);
}

void proc_exit(s64 code)
{
	struct proc *self = current_proc;

	pv_irq_disable();
	self->exit_code = code;
	/* Run on the kernel's root, so that proc_reap() can free this address space. */
	self->active_mm = &kernel_mm;
	pv_write_cr3(pv_pfn_nr(kernel_mm.root) << PV_PAGE_SHIFT);
	if (self->iopl) {
		self->iopl = 0;
		pv_set_iopl(0);
	}
	self->state = PROC_ZOMBIE;
	schedule();
	pv_port_panic("a dead process runs");
}

static s64 sys_fork(const struct regs *regs)
{
	struct proc *child = proc_new();
	struct regs *frame;

	if (!child)
		return -1;
	if (!mm_copy(&child->mm, &current_proc->mm)) {
		mm_destroy(&child->mm);
		return -1;
	}
	frame = proc_frame(child);
	*frame = *regs;
	frame->rax = 0;
	child->fs_base = current_proc->fs_base;
	memcpy(child->tls, current_proc->tls, sizeof(child->tls));
	child->iopl = current_proc->iopl;
	child->state = PROC_READY;
	return child->pid;
}

static s64 sys_wait(void)
{
	for (;;) {
		bool any = false;
		u32 i;

		for (i = 1; i < PROC_MAX; i++) {
			if (procs[i].state == PROC_FREE || procs[i].parent != current_proc->pid)
				continue;
			any = true;
			if (procs[i].state == PROC_ZOMBIE)
				return proc_reap(&procs[i]);
		}
		if (!any)
			return -1;
		schedule();
	}
}

static bool user_range(u64 va, u64 count)
{
	return !(va & (PAGE - 1)) && count && count <= GDT_ENTRIES * 1024UL &&
	       va < 1UL << 46 && va >= USER_TEXT;
}

void syscall_dispatch(struct regs *regs)
{
	struct proc *self = current_proc;
	s64 result = 0;

	switch (regs->rax) {
	case SYS_EXIT:
		proc_exit((s64)regs->rdi);
	case SYS_GETPID:
		result = self->pid;
		break;
	case SYS_YIELD:
		schedule();
		break;
	case SYS_FORK:
		result = sys_fork(regs);
		break;
	case SYS_WAIT:
		result = sys_wait();
		break;
	case SYS_MAP:
		result = user_range(regs->rdi, regs->rsi) &&
			 mm_map(&self->mm, regs->rdi, (u32)regs->rsi, true) ? 0 : -1;
		break;
	case SYS_UNMAP:
		if (user_range(regs->rdi, regs->rsi))
			mm_unmap(&self->mm, regs->rdi, (u32)regs->rsi);
		else
			result = -1;
		break;
	case SYS_PROTECT:
		if (user_range(regs->rdi, regs->rsi))
			mm_protect(&self->mm, regs->rdi, (u32)regs->rsi, regs->rdx);
		else
			result = -1;
		break;
	case SYS_IOPL:
		self->iopl = regs->rdi & 3;
		pv_set_iopl(self->iopl);
		regs->rflags = (regs->rflags & ~0x3000ULL) | (u64)self->iopl << 12;
		break;
	case SYS_SET_FS:
		self->fs_base = regs->rdi;
		pv_write_msr(MSR_FS_BASE, self->fs_base);
		break;
	case SYS_SET_TLS:
		self->tls[0] = regs->rdi;
		pv_load_tls(this_gdt(), self->tls);
		break;
	case SYS_NULL:
		break;
	case SYS_CLOCK:
		result = (s64)pv_clock_read();
		break;
	default:
		result = -ENOSYS;
	}
	regs->rax = (u64)result;
}
