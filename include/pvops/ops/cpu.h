/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "cpu": control registers, MSRs, descriptors, mode switches. */

/**
 * read_cr0 - read CR0
 * Native: MOV %cr0,%rax.
 * Context: any.  A backend may answer from a copy that it keeps exact.
 * Clobbers: rax, flags.
 * Batch: no; sees what write_cr0() and clts() wrote, queued or not.
 * Default: native.
 */
PV_OP(cpu, read_cr0, CALL6, ASM, u64, 0, (), read_cr0)

/**
 * write_cr0 - write CR0
 * Native: MOV %rdi,%cr0.
 * Context: preemption off.  A hypervisor may refuse to clear PG, PE or WP;
 *	it then keeps the old bit and logs one line.  TS always works.
 * Clobbers: C.
 * Batch: TS may be deferred inside PV_BATCH_CPU, until the batch ends.
 * Default: native.
 */
PV_OP(cpu, write_cr0, CALL6, C, void, 1, (u64, val), write_cr0)
PV_TOGETHER(write_cr0, read_cr0)

/**
 * read_cr2 - read the linear address of the last page fault of this CPU
 * Native: MOV %cr2,%rax.
 * Context: page-fault entry, before anything that can fault again.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native; a deprivileged kernel must replace it.
 */
PV_OP(cpu, read_cr2, CALL9, ASM, u64, 0, (), read_cr2)

/**
 * write_cr2 - set the value that read_cr2 returns (NMI handlers restore it)
 * Native: MOV %rdi,%cr2.
 * Context: any.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, write_cr2, CALL6, C, void, 1, (u64, val), write_cr2)
PV_TOGETHER(write_cr2, read_cr2)

/**
 * read_cr4 - read CR4
 * Native: MOV %cr4,%rax.
 * Context: any.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, read_cr4, CALL6, ASM, u64, 0, (), read_cr4)

/**
 * write_cr4 - write CR4
 * Native: MOV %rdi,%cr4.
 * Context: preemption off.  A hypervisor may force or forbid bits (Xen PV
 *	honours TSD, DE and FSGSBASE only); the others keep their value without a
 *	report, so that code that toggles PGE to flush keeps working through flush ops.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, write_cr4, CALL6, C, void, 1, (u64, val), write_cr4)
PV_TOGETHER(write_cr4, read_cr4)

/**
 * clts - clear CR0.TS, so that FPU use does not trap
 * Native: CLTS.
 * Context: preemption off.
 * Clobbers: C.
 * Batch: may be deferred inside PV_BATCH_CPU, until the batch ends.
 * Default: native.
 */
PV_OP(cpu, clts, CALL6, C, void, 0, (), clts)
PV_TOGETHER(clts, read_cr0)

/**
 * wbinvd - write back and invalidate the caches
 * Native: WBINVD.
 * Context: process context.  A hypervisor may ignore it for a guest without
 *	devices.
 * Clobbers: C.
 * Batch: no.
 * Default: native (traps, costs an exit).
 * Not tested: natively from inside, because the state of caches cannot be read; a
 *	hypervisor sees the instruction (tests/vm/outside.t).
 */
PV_OP(cpu, wbinvd, CALL6, C, void, 0, (), wbinvd)

/**
 * cpuid - identify the CPU the kernel may use
 * Native: CPUID, compiled in line.
 * Context: any.  A hypervisor hides features the guest must not use, which
 *	the bare instruction would show.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, cpuid, BRANCH, C, void, 1, (struct pv_cpuid *, regs), cpuid)

/**
 * read_msr - read a model-specific register that exists
 * Native: RDMSR, compiled in line.
 * Context: any; #GP on a register that does not exist (use read_msr_safe).
 * Clobbers: C.
 * Batch: sees what write_msr() wrote.
 * Default: native.
 */
PV_OP(cpu, read_msr, BRANCH, C, u64, 1, (u32, msr), read_msr)

/**
 * write_msr - write a model-specific register that exists
 * Native: WRMSR, compiled in line.
 * Context: preemption off; #GP as read_msr.  FS_BASE, GS_BASE and
 *	KERNEL_GS_BASE always work.  LSTAR takes the address of the native
 *	system call entry; a backend that enters differently registers its own
 *	stub, which continues at pv_port_syscall_hwframe (port.h).
 * Clobbers: C.
 * Batch: the segment bases may be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(cpu, write_msr, BRANCH, C, void, 2, (u32, msr, u64, val), write_msr)
PV_TOGETHER(write_msr, read_msr)

/**
 * read_msr_safe - read a model-specific register that may not exist
 * Native: RDMSR with an exception-table entry.
 * Context: any where #GP can be taken.  Returns 0 and fills *@val, or -PV_EIO
 *	and sets *@val to 0.
 * Clobbers: C.
 * Batch: as read_msr.
 * Default: native.
 */
PV_OP(cpu, read_msr_safe, CALL6, C, int, 2, (u32, msr, u64 *, val), read_msr_safe)

/**
 * write_msr_safe - write a model-specific register that may not exist
 * Native: WRMSR with an exception-table entry.
 * Context: as read_msr_safe.  Returns 0 or -PV_EIO.
 * Clobbers: C.
 * Batch: as write_msr.
 * Default: native.
 */
PV_OP(cpu, write_msr_safe, CALL6, C, int, 2, (u32, msr, u64, val), write_msr_safe)
PV_TOGETHER(write_msr_safe, read_msr_safe)

/**
 * read_pmc - read a performance counter
 * Native: RDPMC, compiled in line.
 * Context: any; #GP for a counter that does not exist.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 * Not tested: counters that exist, because no machine of the tests has one.  Tested:
 *	RDPMC reads the counter asked for, and its halves are put together.
 */
PV_OP(cpu, read_pmc, BRANCH, C, u64, 1, (u32, counter), read_pmc)

/**
 * rdtsc - read the time-stamp counter
 * Native: RDTSC, compiled in line; not ordered against other instructions.
 * Context: any, noinstr.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, rdtsc, BRANCH, C, u64, 0, (), rdtsc)

/**
 * get_debugreg - read DR0-3, DR6 or DR7
 * Native: MOV %drN,%rax, compiled in line.
 * Context: preemption off.  @nr other than 0-3, 6, 7 is a bug and reads 0.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, get_debugreg, BRANCH, C, u64, 1, (u32, nr), debugreg)

/**
 * set_debugreg - write DR0-3, DR6 or DR7
 * Native: MOV %rsi,%drN, compiled in line.
 * Context: preemption off.  Hypervisors refuse breakpoints on their own
 *	addresses: the register keeps its value.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, set_debugreg, BRANCH, C, void, 2, (u32, nr, u64, val), debugreg)
PV_TOGETHER(set_debugreg, get_debugreg)

/**
 * load_gdt - make a global descriptor table current
 * Native: LGDT (%rdi).
 * Context: interrupts masked; CPU start and power transitions only.  The
 *	table must lie inside one page; once loaded, only write_gdt_entry() and
 *	load_tls() may change it (Xen PV makes the page read-only).
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, load_gdt, CALL6, C, void, 1, (const struct pv_dtr *, dtr), load_gdt)

/**
 * load_idt - make an interrupt descriptor table current
 * Native: LIDT (%rdi).
 * Context: interrupts masked.  Entries are handlers that begin with the
 *	adjust_exception_frame site.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, load_idt, CALL6, C, void, 1, (const struct pv_dtr *, dtr), load_idt)

/**
 * load_tr - load the task register
 * Native: LTR %di.
 * Context: CPU start, interrupts masked.  Does nothing where no TSS exists (Xen PV):
 *	load_sp0() does what the TSS is for.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, load_tr, CALL6, C, void, 1, (u16, selector), load_tr)

/**
 * store_tr - read the task register
 * Native: STR %eax.
 * Context: any.  0 where no TSS exists.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, store_tr, CALL6, ASM, u16, 0, (), store_tr)
PV_TOGETHER(store_tr, load_tr)

/**
 * set_ldt - make a local descriptor table current on this CPU
 * Native: writes the LDT descriptor into the current GDT (slot PV_GDT_LDT of
 *	the port) and LLDT; @entries 0 loads the null selector.
 * Context: preemption off; @base page-aligned; while loaded only
 *	write_ldt_entry() may change the table.
 * Clobbers: C.
 * Batch: may be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(cpu, set_ldt, CALL6, C, void, 2, (u64 *, base, u32, entries), set_ldt)

/**
 * load_tls - write the three thread-local descriptors of the next task
 * Native: three stores to @gdt[PV_GDT_TLS..PV_GDT_TLS + 2].
 * Context: context switch, preemption off.  @gdt is the current GDT.
 * Clobbers: C.
 * Batch: may be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(cpu, load_tls, BRANCH, C, void, 2, (u64 *, gdt, const u64 *, tls), load_tls)

/**
 * load_gs_index - load the user's GS selector
 * Native: SWAPGS; MOV %edi,%gs; SWAPGS.  A selector that cannot be loaded
 *	loads 0.
 * Context: preemption and interrupts off.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, load_gs_index, CALL6, C, void, 1, (u32, selector), load_gs_index)

/**
 * write_gdt_entry - change a descriptor of a GDT
 * Native: one store, or two for a 16-byte system descriptor (@words 2).
 * Context: preemption off; @gdt is this CPU's GDT or one not yet loaded.
 *	A backend without TSS and LDT descriptors drops those (@words 2).
 * Clobbers: C.
 * Batch: may be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(cpu, write_gdt_entry, BRANCH, C, void, 4,
	(u64 *, gdt, u32, index, const u64 *, desc, u32, words), write_gdt_entry)

/**
 * write_ldt_entry - change an 8-byte descriptor of an LDT
 * Native: one store.
 * Context: as write_gdt_entry.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, write_ldt_entry, BRANCH, C, void, 3, (u64 *, ldt, u32, index, u64, desc), write_ldt_entry)

/**
 * write_idt_entry - change a gate of an IDT
 * Native: a 16-byte store.
 * Context: any; if the table is loaded the change takes effect at once.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, write_idt_entry, BRANCH, C, void, 3,
	(struct pv_gate *, idt, u32, vector, const struct pv_gate *, gate), write_idt_entry)

/**
 * load_sp0 - set the stack that the next entry from user mode uses
 * Native: MOV %rsi,4(%rdi), the TSS field.
 * Context: preemption off; @tss is this CPU's.
 * Clobbers: C.
 * Batch: may be deferred inside PV_BATCH_CPU.
 * Default: native.
 */
PV_OP(cpu, load_sp0, CALL6, C, void, 2, (struct pv_tss *, tss, u64, sp0), load_sp0)

/**
 * set_iopl - I/O privilege of the user mode that this CPU runs next
 * Native: RFLAGS.IOPL := @level, in the flags that the kernel returns with.
 *	The kernel keeps IOPL in each task's saved RFLAGS; the op sets the copy that
 *	the hypervisor keeps.
 * Context: preemption off; @level 0 (no ports) or 3 (all ports).
 * Clobbers: C.
 * Batch: no.
 * Default: native (nothing to do beyond the saved RFLAGS).
 */
PV_OP(cpu, set_iopl, CALL6, C, void, 1, (u32, level), set_iopl)

/**
 * io_delay - wait about a microsecond between slow port accesses
 * Native: OUT %al,$0x80.
 * Context: any.  Nothing where ports are emulated.
 * Clobbers: flags.
 * Batch: no.
 * Default: native.
 * Not tested: the length of the delay.  Tested: it writes the port, where a breakpoint
 *	at a port works.
 */
PV_OP(cpu, io_delay, CALL6, ASM, void, 0, (), io_delay)

/**
 * swapgs - exchange user and kernel GS base at kernel entry and exit
 * Native: SWAPGS.  Nothing where the hypervisor has done it.
 * Context: entry code (assembly only), interrupts masked.
 * Clobbers: nothing.
 * Batch: no.
 * Default: native.
 */
PV_OP(cpu, swapgs, ASM6, ASM, void, 0, (), swapgs)

/**
 * iret - return to the context whose frame is on top of the stack
 * Native: IRETQ.  Frame: RIP, CS, RFLAGS, RSP, SS; RFLAGS.IF is the interrupt
 *	state to return with.
 * Context: exit code (assembly only), interrupts masked, all registers
 *	restored.  Reached by jump; does not return.  A backend for ring 0 writes
 *	nothing below the frame: the stack may be read-only (Linux's espfix64).
 *	One for a deprivileged kernel, which has no such stack, may.
 * Clobbers: nothing; the interrupted context sees all its registers.
 * Batch: must be empty.
 * Default: native; a deprivileged kernel must replace it.
 */
PV_OP(cpu, iret, JUMP6, ASM, void, 0, (), iret)

/**
 * start_context_switch - begin to defer updates of CPU state
 * Native: nothing (NOP).  Others: batch_enter(PV_BATCH_CPU).
 * Context: scheduler, interrupts masked; paired with end_context_switch on
 *	the same CPU, not nested.
 * Clobbers: C.
 * Batch: opens one; an open PV_BATCH_MMU is flushed first.
 * Default: native.
 */
PV_OP(cpu, start_context_switch, CALL6, C, void, 0, (), context_switch)

/**
 * end_context_switch - apply the deferred updates of CPU state
 * Native: nothing (NOP).  Xen PV: one multicall with everything queued.
 * Context: as start_context_switch.
 * Clobbers: C.
 * Batch: closes and flushes.
 * Default: native.
 */
PV_OP(cpu, end_context_switch, CALL6, C, void, 0, (), context_switch)
PV_TOGETHER(end_context_switch, start_context_switch)
