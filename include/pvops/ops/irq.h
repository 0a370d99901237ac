/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "irq": interrupt masking, waiting, delivery. */

/**
 * save_fl - read the interrupt mask state
 * Native: PUSHF; POP %rax (the token is RFLAGS).
 * Context: any, incl. NMI and noinstr code; IRQ state unchanged.
 * Clobbers: rax (the result), flags.
 * Batch: no.
 * Default: native; a deprivileged kernel must replace it (PUSHF lies there).
 */
PV_OP(irq, save_fl, CALL9, ASM, pv_flags_t, 0, (), save_fl)

/**
 * restore_fl - put the interrupt mask state back
 * Native: PUSH %rdi; POPF.
 * Context: any; the token must come from save_fl() on the same backend.
 *	If that unmasks, everything pending is delivered before it returns.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native; a deprivileged kernel must replace it (POPF is ignored).
 */
PV_OP(irq, restore_fl, CALL6, ASM, void, 1, (pv_flags_t, flags), restore_fl)
PV_TOGETHER(restore_fl, save_fl)

/**
 * irqs_disabled_flags - true if a saved state means "masked"
 * Native: !(RFLAGS & IF), compiled in line.
 * Context: any; pure function of the token.  0 or 1.
 * Clobbers: rax, flags.
 * Batch: no.
 * Default: native.
 */
PV_OP(irq, irqs_disabled_flags, BRANCH, ASM, u8, 1, (pv_flags_t, flags), irqs_disabled_flags)
PV_TOGETHER(irqs_disabled_flags, save_fl)

/**
 * irq_disable - mask maskable interrupts on this CPU
 * Native: CLI.  Xen PV: one byte store to the event mask.
 * Context: any, noinstr; NMIs and exceptions stay deliverable.
 * Clobbers: rax, flags.  Compiler barrier.
 * Batch: no.
 * Default: native; a deprivileged kernel must replace it.
 */
PV_OP(irq, irq_disable, CALL9, ASM, void, 0, (), irq_disable)
PV_TOGETHER(irq_disable, save_fl)

/**
 * irq_enable - unmask maskable interrupts on this CPU
 * Native: STI (takes effect after the next instruction).
 * Context: any, noinstr; stack must be valid.  Whatever is pending is
 *	delivered before the op returns (native: before the second
 *	instruction after it).
 * Clobbers: rax, flags.  Compiler barrier.
 * Batch: no.
 * Default: native; a deprivileged kernel must replace it.
 */
PV_OP(irq, irq_enable, CALL6, ASM, void, 0, (), irq_enable)
PV_TOGETHER(irq_enable, save_fl)

/**
 * halt - stop this CPU for good, or until an NMI
 * Native: HLT, with interrupts masked by the caller.
 * Context: interrupts masked, nothing held.  start_cpu() can start the CPU
 *	again.
 * Clobbers: C.
 * Batch: must be empty.
 * Default: native.
 */
PV_OP(irq, halt, CALL6, C, void, 0, (), halt)

/**
 * safe_halt - unmask and wait for the next interrupt, atomically
 * Native: STI; HLT.  No interrupt can slip between the two.
 * Context: interrupts masked on entry, unmasked on return; process context.
 *	Returns after at least one interrupt was handled; may return early.
 * Clobbers: C.
 * Batch: must be empty.
 * Default: native.
 */
PV_OP(irq, safe_halt, CALL6, C, void, 0, (), safe_halt)
PV_TOGETHER(safe_halt, irq_enable)

/**
 * upcall - pass every pending interrupt to the kernel
 * Native: calls pv_port_interrupt(@vector) and signals end-of-interrupt:
 *	before the call for the layer's own vectors (timer, IPIs), after it for
 *	a device's, whose line may be a level.
 * Xen PV: walks the pending event channels of this vCPU and calls
 *	pv_port_interrupt() once for each with the vector bound to it; @vector
 *	is ignored.
 * Xen HVM: the same, PVH too, where @vector is 0, which pv_port_event_entry
 *	gives; native where it is one of the local APIC's.
 * Context: interrupt entry, interrupts masked, after a full register frame
 *	stands on the stack and pv_batch_pause() was called.
 * Clobbers: C.
 * Batch: paused.
 * Default: native.
 */
PV_OP(irq, upcall, CALL6, C, void, 1, (u32, vector), upcall)

/**
 * adjust_exception_frame - convert the hypervisor's exception frame to the hardware's
 * Native: nothing (NOP).
 * Xen PV: POP %rcx; POP %r11, which Xen pushed on top of the frame.
 * Context: very first instruction of every exception and interrupt entry
 *	(assembly only), interrupts masked, hardware frame on top of the stack.
 * Clobbers: nothing the interrupted code can see.
 * Batch: no.
 * Default: native.
 */
PV_OP(irq, adjust_exception_frame, ASM6, ASM, void, 0, (), adjust_exception_frame)
