// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Exceptions, interrupts, register dump. */
#include "guest.h"

struct pv_gate idt[256] __attribute__((aligned(4096)));
bool (*trap_hook)(struct regs *regs);
void (*interrupt_hook)(u32 vector);
void (*nmi_hook)(void);
volatile u64 trap_count[256];

extern const u64 entry_table[][2];

extern const struct extable_entry extable_start[], extable_end[];

void gate_fill(struct pv_gate *gate, u64 handler, u32 dpl, bool masks)
{
	gate->offset_low = (u16)handler;
	gate->selector = PV_KERNEL_CS;
	gate->ist = 0;
	gate->type_dpl_p = (u8)(0x80 | dpl << 5 | (masks ? 0xe : 0xf));
	gate->offset_mid = (u16)(handler >> 16);
	gate->offset_high = (u32)(handler >> 32);
	gate->reserved = 0;
}

/* All gates mask interrupts; handlers may unmask them. */
void traps_setup(void)
{
	u32 i;

	for (i = 0; entry_table[i][0] != ~0ULL; i++) {
		struct pv_gate gate;

		gate_fill(&gate, entry_table[i][1], entry_table[i][0] == VECTOR_BP ? 3 : 0, true);
		pv_write_idt_entry(idt, (u32)entry_table[i][0], &gate);
	}
}

static void dump(const struct regs *regs)
{
	print("# cpu %u vector %lu error 0x%lx cr2 0x%lx cr3 0x%lx\n", pv_port_this_cpu(),
	      (unsigned long)regs->vector, (unsigned long)regs->error,
	      (unsigned long)pv_read_cr2(), (unsigned long)pv_read_cr3());
	print("# rip %02lx:%016lx rflags %08lx rsp %02lx:%016lx\n", regs->cs, regs->rip,
	      regs->rflags, regs->ss, regs->rsp);
	print("# rax %016lx rbx %016lx rcx %016lx rdx %016lx\n",
	      regs->rax, regs->rbx, regs->rcx, regs->rdx);
	print("# rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n",
	      regs->rsi, regs->rdi, regs->rbp, regs->r8);
	print("# r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n",
	      regs->r9, regs->r10, regs->r11, regs->r12);
	print("# r13 %016lx r14 %016lx r15 %016lx\n", regs->r13, regs->r14, regs->r15);
}

bool trap_fixup(struct regs *regs)
{
	const struct extable_entry *e;

	for (e = extable_start; e < extable_end; e++)
		if (regs->rip == (unsigned long)&e->insn + (unsigned long)(long)e->insn) {
			regs->rip = (unsigned long)&e->fixup + (unsigned long)(long)e->fixup;
			return true;
		}
	return false;
}

unsigned long extable_insn(unsigned long start, unsigned long end)
{
	const struct extable_entry *e;

	for (e = extable_start; e < extable_end; e++) {
		unsigned long insn = (unsigned long)&e->insn + (unsigned long)(long)e->insn;

		if (insn >= start && insn < end)
			return insn;
	}
	return 0;
}

static bool from_user(const struct regs *regs)
{
	return regs->cs & 3;
}

static void exception(struct regs *regs)
{
	u64 address = regs->vector == VECTOR_PF ? pv_read_cr2() : 0;

	if (trap_hook && trap_hook(regs))
		return;
	if (regs->vector == VECTOR_PF && current_proc && current_proc->mm.pages &&
	    mm_fault(&current_proc->mm, address, regs->error))
		return;
	if (!from_user(regs) && trap_fixup(regs))
		return;
	if (from_user(regs) && current_proc)
		proc_exit(-(s64)regs->vector);
	dump(regs);
	pv_port_panic("exception in the kernel");
}

u32 masked_interrupts;

/* True if IF is the machine's, and the interrupted code had it clear: no machine does that. */
static bool was_masked(const struct regs *regs)
{
	return !(regs->rflags & PV_RFLAGS_IF) && pv_impl_is_native(PV_OP_irq_enable);
}

void trap(struct regs *regs)
{
	u64 vector = regs->vector;
	bool kernel = !from_user(regs);
	u32 token = 0;

	/* An NMI may interrupt a batch operation, so it does not touch batches. */
	if (vector == VECTOR_NMI) {
		trap_count[VECTOR_NMI]++;
		if (nmi_hook)
			nmi_hook();
		return;
	}
	if (vector == VECTOR_DB && kernel && preempt_step(regs))
		return;
	/*
	 * User mode has no open batch, and its traps may switch contexts, which
	 * must not happen inside a pause.
	 */
	if (kernel)
		token = pv_batch_pause();
	if (vector < 32) {
		trap_count[vector]++;
		exception(regs);
	} else if (was_masked(regs)) {
		/* QEMU does it, with an interrupt already handled: TEST(masked_interrupts). */
		masked_interrupts++;
	} else {
		pv_upcall(vector == 0x100 ? 0 : (u32)vector);
	}
	if (kernel)
		pv_batch_resume(token);
	if (kernel && vector >= 32)
		preempt_interrupt(regs);
	else if (vector >= 32)
		schedule();
}

void pv_port_interrupt(u32 vector)
{
	if (vector < 256)
		trap_count[vector]++;
	if (interrupt_hook)
		interrupt_hook(vector);
	switch (vector) {
	case PV_VECTOR_TIMER:
		this_cpu(percpu_ticks)++;
		break;
	case PV_VECTOR_IPI:
		cpu_run_calls();
		break;
	}
}

void pv_port_panic(const char *why)
{
	print("# panic: %s\n", why);
	if (!pv_backend()) {
		/* No op works yet, but bare hardware has a serial port. */
		print("pvops-guest: no backend\n");
		if (!boot_info.platform.cpl)
			pv_port_native_console(why, text_length(why));
		for (;;)
			asm volatile("pause");
	}
	pv_shutdown(PV_SHUTDOWN_CRASH);
	for (;;)
		asm volatile("pause");
}
