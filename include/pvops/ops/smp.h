/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Catalogue, table "smp": other CPUs, and the machine as a whole. */

/**
 * start_cpu - start a CPU at a given state
 * Native: INIT, SIPI, SIPI through the local APIC and a trampoline page.
 * Context: process context on a running CPU, one at a time; @cpu's per-CPU
 *	area is where PV_PERCPU_PTR_OF() finds it.  Returns 0 when
 *	the CPU was told to start, negative errno (and one log line) when it
 *	could not be: -PV_ENOENT no such CPU, -PV_EINVAL state unusable,
 *	-PV_ETIMEDOUT it never executed @state->rip.
 * Clobbers: C.
 * Batch: flushed first.
 * Default: native.
 */
PV_OP(smp, start_cpu, CALL6, C, int, 2, (u32, cpu, const struct pv_cpu_state *, state), start_cpu)

/**
 * send_ipi - interrupt one CPU
 * Native: local APIC ICR write.  @vector is one of the port's IPI vectors
 *	(PV_VECTOR_IPI .. + PV_IPI_COUNT - 1); arrives through upcall().  For a CPU
 *	without an APIC id one line is logged, and nothing is sent.
 * Context: any but NMI; the target runs; may be the sender.
 * Clobbers: C.
 * Batch: not deferred; what was queued before is flushed first, so that the
 *	target sees it.
 * Default: native.
 */
PV_OP(smp, send_ipi, CALL6, C, void, 2, (u32, cpu, u32, vector), send_ipi)

/**
 * send_ipi_mask - interrupt several CPUs
 * Native: one ICR write per CPU.
 * Context: as send_ipi.
 * Clobbers: C.
 * Batch: as send_ipi.
 * Default: native.
 */
PV_OP(smp, send_ipi_mask, CALL6, C, void, 2,
	(const struct pv_cpumask *, mask, u32, vector), send_ipi_mask)

/**
 * stop_cpu - take the calling CPU out of service
 * Native: CLI; HLT for ever.  Does not return; start_cpu may start it again.
 * Context: interrupts masked, nothing held, not CPU 0.
 * Clobbers: everything.
 * Batch: flushed first.
 * Default: native.
 */
PV_OP(smp, stop_cpu, CALL6, C, void, 0, (), stop_cpu)

/**
 * console_write - bytes for the machine's console
 * Native: pv_port_native_console().  Xen PV: console_io.
 * Context: any, incl. early boot and NMI.
 * Clobbers: C.
 * Batch: no.
 * Default: native.
 */
PV_OP(smp, console_write, CALL6, C, void, 2, (const char *, text, size_t, bytes), console_write)

/**
 * shutdown - end or restart the machine
 * Native: pv_port_native_shutdown().  Xen PV: sched_op shutdown; but a dom0
 *	is the machine's kernel and powers it off as native does.
 * Context: any; does not return.
 * Clobbers: everything.
 * Batch: no.
 * Default: native.
 */
PV_OP(smp, shutdown, CALL6, C, void, 1, (enum pv_shutdown_reason, reason), shutdown)
