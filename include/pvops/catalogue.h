/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The op catalogue
 *
 * Every privileged operation of the layer has one line in this catalogue,
 *
 *	PV_OP(table, name, site, convention, result, nargs, (type, arg, ...), test)
 *
 * under the comment that is its contract.  These lines generate ids, the pointer
 * table, backend tables, call-site wrappers, names in logs, the test list and the
 * reference page.  Each user defines PV_OP and includes this file, as often as needed;
 * the file has no include guard, and undefines PV_OP.  Assembly can include it, too.
 * The position of an op is its id.
 *
 * @table: irq, cpu, mmu, time, smp, lock or kernel; a backend fills tables separately.
 * @site: the kind of site in kernel text (site.h):
 *	CALL6, CALL9	call through the table, 6 or 9 bytes.  9 where a hot
 *			backend form needs them; both hold any direct call.
 *	BRANCH		native code in line behind a jump that becomes a NOP
 *			if native is chosen; the jump leads to a call.
 *	ASM6		as CALL6, used from assembly only.
 *	JUMP6		jump through the table, assembly only.
 * @convention: the registers that the op may clobber besides its result:
 *	C		caller-saved registers of the SysV ABI, flags, memory.
 *	ASM		rax and flags; all others survive.
 *	Arguments are in rdi, rsi, rdx, rcx; the result in rax.  The stack may
 *	be 8-byte aligned only; no FPU or vector registers.
 * @test: the contract test; its full name is test-<env>-<test>.
 *
 * Lines below an op's line name the ops that it goes with:
 *
 *	PV_TOGETHER(name, other)
 *
 * A backend that has both in its tables uses both or neither: the core refuses a
 * "-<op>" that would separate them (pvops.h).  An op may go with several others; the
 * order of the two names does not matter.  PV_TOGETHER is expanded like PV_OP; if it is
 * not defined, it expands to nothing.
 *
 * "Context: any" includes interrupts, but NMI only where the contract says so.
 *
 * A kernel can add ops of its own.  Its <pvops_port.h> defines PV_CATALOGUE_EXTENSION
 * as the name of one more such file, whose ops are all of table "kernel", and the
 * kernel defines pv_native_kernel_impls (backend.h).
 *
 * Left out, because no guest here could use them:
 *	store_gdt, store_idt, sldt	no kernel needs them; SGDT and SIDT give wrong
 *					values anyway
 *	sysret, sysexit			system calls return by iret
 *	p4d/pgd as separate levels	4-level paging only; "p4d" is the root
 *	invpcid, pcid, pks, cr8, xcr0	not available to a PV guest, and never
 *					privileged work of a guest that has them
 *	alloc_ldt/free_ldt		set_ldt() does their work
 *	spin_lock/spin_unlock		plain atomics on every backend; only the
 *					wait and the kick differ
 */
#ifndef PV_TOGETHER
#define PV_TOGETHER(name, other)
#endif
#include "ops/irq.h"
#include "ops/cpu.h"
#include "ops/mmu.h"
#include "ops/time.h"
#include "ops/smp.h"
#include "ops/lock.h"
#ifdef PV_CATALOGUE_EXTENSION
#include PV_CATALOGUE_EXTENSION
#endif
#undef PV_OP
#undef PV_TOGETHER
