/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: What the layer needs from the kernel
 *
 * A kernel that adopts the layer implements this header once, whatever
 * hypervisors it meets, and does four things:
 *
 * 1. links pvops/ and the backends it wants, with the two linker-script
 *    sections that site.h and backend.h name;
 * 2. supplies <pvops_port.h> (types.h says what is in it; the macros are
 *    listed below);
 * 3. boots in this order: entry code fills a struct pv_platform; in ring 0 a GDT
 *    with PV_KERNEL_CS, mapped, and CS of it; per-CPU area of the boot CPU;
 *    pv_init(); pv_cpu_init(0); from here every op works, through the table;
 *    memory; pv_patch(); pv_late_init(); interrupts on; other CPUs, each of
 *    which begins with its per-CPU area and pv_cpu_init(n).  Where ops are used
 *    before the kernel can log, or take an exception, pv_init_native() comes
 *    first;
 *    GS base is set before pv_init(), and not by an op: what the entry code knows
 *    decides how.  In ring 0 by WRMSR (IA32_GS_BASE, 0xc0000101); under Xen PV by the
 *    hypercall set_segment_base(SEGBASE_GS_KERNEL).  Other CPUs begin with
 *    pv_cpu_state.gs_base;
 * 4. uses pv_<op>() (call.h) and the assembly sites (site.h) instead of
 *    privileged instructions, and calls pv_batch_pause()/_resume() around
 *    exception and interrupt handlers that interrupted kernel mode, or
 *    answers pv_port_in_interrupt().
 *
 * A task keeps its CPU while it is in an op, and from batch_enter to batch_leave,
 * because queues are per CPU.  A kernel that switches tasks only where its own code
 * asks for it, or on the way back to user mode, has nothing to do.  One whose timer
 * interrupt switches tasks in kernel mode does not while interrupts are masked, in a
 * batch, or between pv_batch_pause() and pv_batch_resume(); and it masks interrupts, or
 * counts preemption off, around ops whose context says so.
 *
 * Page tables.  The root that the kernel was entered on, or the one it has made before
 * pv_init() in ring 0, is the one of pv_port_kernel_root().  Under Xen PV it is the
 * domain builder's, which is in use and read-only: the kernel extends it through set_p4d()
 * and its like.  Another root comes from pgd_alloc(), which copies the kernel half of
 * pv_port_kernel_root(), and goes through pgd_activate() and write_cr3(); from there on
 * pv_port_kernel_root() may name it.  In a batch, an entry is in the table only when the
 * batch is flushed: code that makes a table and goes on below it, or reads an entry again,
 * uses batch_flush() in between.
 *
 * Devices.  Memory of a device is not the kernel's: no PFN stands for it.  Its entry
 * is made of the machine address, (__force pv_pte_t)(address | flags), and not by
 * make_pte(), which answers "not present" for it under Xen PV; pte_val() reads it as not
 * present.  pv_port_map_phys() is to do it so.
 *
 * Who owns what, on a bare machine and where a backend leaves it to native, from
 * pv_late_init() on:
 *
 *	local APIC	the layer: base, mode, TPR, timer, ICR, EOI.  The kernel leaves
 *			its registers alone, but LINT0, LINT1 and the error vector
 *	spurious vector	the layer sets 0xff.  The kernel has a gate there that
 *			returns, without upcall()
 *	8259 PICs	the layer masks all lines, once.  A kernel that uses them
 *			unmasks its lines after pv_late_init(), and ends their
 *			interrupts itself, without upcall()
 *	I/O APIC	the kernel.  Its interrupts go through upcall(), which ends them
 *	PIT		the kernel.  The layer takes channel 2 and port 0x61 in
 *			pv_late_init(), to measure the TSC, and puts the port back
 *	HPET		the kernel; likewise
 *	TSC		nobody writes it
 *	CMOS clock	the kernel; wall_clock() and pv_late_init() select its registers
 *
 * A kernel that keeps the local APIC for itself never calls pv_late_init(), and does not
 * use set_timer, clock_read, send_ipi, start_cpu and upcall (Linux).
 *
 * Macros and inline functions of <pvops_port.h>:
 *
 *	PV_PERCPU_DECLARE(type, name)	declare, as "extern"
 *	PV_PERCPU_DEFINE(type, name)	define, zeroed, one per CPU
 *	PV_PERCPU_PTR(name)		address of this CPU's, at any time
 *	PV_PERCPU_PTR_OF(name, cpu)	address of another CPU's
 *	PV_PERCPU_ASM			how assembly names this CPU's variable,
 *					a string prefix such as "%gs:"; the
 *					variable's symbol follows and must be
 *					an absolute 32-bit operand.  "" in a kernel
 *					for one CPU, which needs no GS base then
 *	PV_RO_AFTER_INIT		attribute of what only pv_init() and
 *					pv_override() write; may be left out
 *	PV_ASM_ENDBR, PV_ENDBR		asm text, and the same in an assembly file,
 *					at the start of functions that are reached
 *					through a pointer; may be left out
 *	PV_ASM_JMP(reg), PV_JMP(reg)	asm text, and the same in an assembly file,
 *					that jumps to where a register points; may
 *					be left out
 *	PV_ASM_CALL(reg)		asm text (with operands: %%) that calls where
 *					a register points; may be left out
 *	PV_ASM_RET			asm text that returns from a function; may
 *					be left out
 *	PV_ASM_ODD(function)		declaration: the function does not return,
 *					or not as others do; may be left out
 *	PV_STACK_POINTER		the kernel's variable that is RSP: a file can have
 *					but one (types.h); may be left out
 *	PV_EXTABLE(insn, fixup)		asm text: if the instruction at label
 *					insn faults, go on at label fixup.  Both are
 *					bare tokens, as in PV_EXTABLE(1b, 2b): the
 *					macro makes them text (#insn).  Faults are #GP,
 *					for backend xen also #PF
 *	PV_GDT_LDT, PV_GDT_TLS		GDT indices of the LDT descriptor
 *					(two slots) and the first of three TLS
 *	PV_GDT_WRITABLE(gdt)		where this CPU's GDT, loaded from @gdt,
 *					can be written
 *	PV_MSR_MAY_FAULT		1: read_msr and write_msr also meet MSRs
 *					that do not exist, and the kernel
 *					recovers by the instruction's address
 *	PV_KERNEL_CS, PV_KERNEL_DS,	selectors
 *	PV_USER_CS, PV_USER_DS
 *	PV_VECTOR_TIMER			vector that set_timer delivers; like those
 *					below from 32 to 254, and used for nothing else
 *	PV_VECTOR_IPI, PV_IPI_COUNT	first IPI vector and how many
 *	PV_VECTOR_EVENT			vector that leads to pv_port_event_entry, for
 *					hypervisors whose events all come by one
 *	PV_MAX_CPUS			CPUs the kernel was built for, <= 256
 *	PV_PORT_INJECT			defined: a test kernel whose hypercalls can be
 *					made to fail (inject.h); may be left out
 *	PV_PORT_RETPOLINE		defined: sites as compiled execute no bare
 *					indirect branch either (site.h).  PV_JMP and
 *					its like are then for the kernel to define,
 *					and flags of the compiler; may be left out
 *	PV_XEN_INTERFACE		for backend xen: the kernel's own copy of Xen's
 *					public headers, as <file>; left out, they are
 *					<xen/...> of the package libxen-dev
 *	linux/kvm_para.h		no macro: backend kvm includes this header, of the
 *					package linux-libc-dev
 *	PV_CALLER()			address the op is used from, for reports:
 *					__builtin_return_address(0)
 *	pv_port_virt_to_pfn(va)		frame of a linear-map address
 *	pv_port_pfn_to_virt(pfn)	linear-map address of a frame
 *	pv_port_this_cpu()		number of this CPU
 *	pv_port_in_interrupt()		running on top of code that may have a
 *					batch open?  A kernel that pauses
 *					batches in its entry code says false
 *
 * The linear map covers all memory that the kernel hands to the layer or
 * points the layer at: table pages, GDTs, LDTs, per-CPU areas.
 *
 * IBT, retpolines, read-only text and CPU hotplug are the port's business:
 * pv_port_text_begin() gives a writable view of text however the kernel does
 * that, a port with IBT suspends it there, and sites are only patched again
 * while other CPUs are held (pv_port_hold_cpus()).
 */
#ifndef PVOPS_PORT_H
#define PVOPS_PORT_H

#include "backend.h"

/*
 * Stack.  What the layer takes of the caller's, in bytes, compiled by gcc as the mini
 * guest is; tools/stack.py computes it from every call and every site, and a test
 * compares (tests/unit/stack.t).  The port's own functions come on top, and an
 * interrupt's frame where interrupts are on.
 */
/** PV_STACK_FRAME - no function of the layer has a larger frame */
#define PV_STACK_FRAME	640
/** PV_STACK_OP - an op takes no more, whatever it calls */
#define PV_STACK_OP	1280
/** PV_STACK_START - pv_init(), pv_patch(), pv_late_init() and their like take no more */
#define PV_STACK_START	3072

/**
 * pv_port_log - one line for the kernel log
 * @fmt: printf format, %s %c %d %i %u %x with l/ll, %p, %%; ends without newline
 *
 * Context: any.  Lines begin with "pvops: ": the port adds what its log has of its own
 * (time, level), and not the layer's name once more.  Until pv_cpu_init(0) the port uses
 * no op for it; from there on console_write(), because a domain of Xen's has no serial port.
 */
void pv_port_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * pv_port_format - snprintf with the same formats
 * @out: buffer
 * @size: its bytes
 * @fmt: format
 *
 * Context: any.  Returns what snprintf returns.
 */
int pv_port_format(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * pv_port_panic - the kernel cannot go on
 * @why: one line
 *
 * Context: any; does not return.
 */
void pv_port_panic(const char *why) __attribute__((noreturn));

/**
 * pv_port_text_begin - make kernel text writable
 * @start: first byte
 * @end: end
 *
 * Context: one CPU at a time, others held or not started; the port masks
 * interrupts and holds off NMIs until pv_port_text_end().  Returns what to
 * add to a text address to get its writable alias (0 where text itself is
 * made writable); PV_TEXT_REFUSED where it cannot, after one log line.
 */
long pv_port_text_begin(unsigned long start, unsigned long end);

/** PV_TEXT_REFUSED - impossible alias distance */
#define PV_TEXT_REFUSED	0x7fffffffffffffffL

/**
 * pv_port_text_end - text is read-only again, and every CPU executes the new
 * @start: as given to pv_port_text_begin()
 * @end: as given to pv_port_text_begin()
 *
 * Executes one serialising instruction (SDM vol. 3A section 8.3) on this CPU
 * and sees to it that held CPUs do so before they go on.
 */
void pv_port_text_end(unsigned long start, unsigned long end);

/**
 * pv_port_hold_cpus - call a function while no other CPU is inside an op
 * @fn: what
 * @arg: its argument
 *
 * Context: process context, interrupts on.  Other CPUs wait with interrupts
 * and NMIs held, neither in a site nor in what a site has called: text where they
 * will go on, or return to, may be other text then.  An interrupt handler is no such
 * place; where work passes by of its own accord is.  Returns what @fn returns.
 */
int pv_port_hold_cpus(int (*fn)(void *arg), void *arg);

/**
 * pv_port_call_cpus - run a function on other CPUs and wait
 * @mask: where; the caller's own bit is ignored
 * @fn: what; runs with interrupts masked
 * @arg: its argument
 *
 * Context: as flush_tlb_multi.
 */
void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg);

/**
 * pv_port_interrupt - an interrupt has arrived
 * @vector: PV_VECTOR_TIMER, an IPI vector, or a device's
 *
 * Called by upcall implementations, interrupts masked.  The end of a device's
 * interrupt is signalled when this returns: it makes the device's line low, and does
 * not give the CPU to another task before.
 */
void pv_port_interrupt(u32 vector);

/**
 * pv_port_alloc_page - a zeroed page of the kernel's, mapped writable
 *
 * Context: as alloc_pte.  PV_PFN_NONE when memory is out.
 */
pv_pfn_t pv_port_alloc_page(void);

/**
 * pv_port_free_page - give it back
 * @pfn: from pv_port_alloc_page() (any contents, mapped writable again)
 */
void pv_port_free_page(pv_pfn_t pfn);

/**
 * pv_port_foreign_pfn, pv_port_foreign_mfn - frames that are not the kernel's memory
 * @mfn: machine frame without a PFN that leads back to it
 * @pfn: PFN without a machine frame in the list of the kernel's memory
 *
 * What a kernel calls device memory or another domain's page, in the other
 * numbering.  Context: as pte_val.  All ones where there is none; such an
 * entry reads as not present, and is not made.
 */
u64 pv_port_foreign_pfn(u64 mfn);
u64 pv_port_foreign_mfn(u64 pfn);

/** pv_port_kernel_root - root table whose upper half every address space shares */
pv_pfn_t pv_port_kernel_root(void);

/**
 * pv_port_user_root - kernel half of a root that only user mode runs on
 * @root: zeroed, not yet a table
 *
 * Where a hypervisor has one root for the kernel and one for user mode, this
 * is what user mode sees above its own half: nothing, or a page that the
 * kernel shows to everybody.  Context: as pgd_alloc.
 */
void pv_port_user_root(u64 *root);

/**
 * pv_port_linear_pte - level-1 entry that maps a page in the linear map
 * @pfn: the page
 *
 * Returns NULL where the linear map has no 4 KiB entry for it.
 */
pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn);

/**
 * pv_port_fixmap_pte - level-1 entry of a fixed address
 * @index: which, below the port's number of them
 * @va: set to the address
 *
 * Returns NULL for an index that does not exist.
 */
pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va);

/**
 * pv_port_map_phys - look at physical memory outside the linear map
 * @maddr: machine address
 * @bytes: length
 * @flags: PV_PTE_RW and PV_PTE_NX as wanted; uncached if PV_MAP_UNCACHED
 *
 * Context: process context, or boot after memory is set up.  Kept for ever.  The
 * address is a device's (see above).  A kernel that runs with EFER.NXE clear, where
 * bit 63 is reserved, leaves PV_PTE_NX out.
 * Returns NULL when it cannot, after one log line.
 */
void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags);

/** PV_MAP_UNCACHED - bit 4 (PCD) of an entry */
#define PV_MAP_UNCACHED	0x010ULL

/**
 * pv_port_code_area - pages of the kernel's own data become code
 * @start: first byte, page-aligned, in the kernel image
 * @bytes: length, whole pages; 0: no page is code any more
 *
 * For code that a hypervisor supplies, copied to within reach of kernel text.
 * Executable and not writable from the moment of the call, the kernel's own stores
 * included, because the code is called at once; writable data again with @bytes 0.
 * The port may let interrupts in meanwhile: nothing has changed hands yet.
 * Context: boot CPU, from init(); one area.  Returns false when it cannot, after one
 * log line, and then nothing has changed.
 */
bool pv_port_code_area(const void *start, size_t bytes);

/**
 * pv_port_low_page - a page of RAM below 1 MiB for CPU start-up code
 *
 * Same one each time, and nothing else is in it; PV_PFN_NONE if the kernel has none,
 * and then no CPU is started.  start_cpu() writes to it in the linear map, where it is
 * writable.  No page table of the kernel maps it one to one: the new CPU runs there on
 * tables of the layer.  Only asked for on bare hardware.
 */
pv_pfn_t pv_port_low_page(void);

/**
 * pv_port_tsc_khz - TSC frequency if the kernel knows it, else 0
 *
 * With 0 the native backend asks the chosen hypervisor, then CPUID (0x15,
 * 0x40000010), and else measures against the PIT, the HPET or the CMOS clock; one
 * line says which, and another what could not be believed.  Called from
 * pv_late_init().
 */
u32 pv_port_tsc_khz(void);

/**
 * pv_port_apic_id - hardware APIC id of a CPU number; ~0 if there is none
 *
 * 32 bits.  Known for all CPUs from pv_late_init() on: where one of them does not fit
 * into 8 bits, native uses x2APIC mode.
 */
u32 pv_port_apic_id(u32 cpu);

/** pv_port_native_console - write to the bare machine's console */
void pv_port_native_console(const char *text, size_t bytes);

/** pv_port_native_shutdown - switch the bare machine off or restart it */
void pv_port_native_shutdown(enum pv_shutdown_reason reason) __attribute__((noreturn));

/**
 * pv_port_syscall_hwframe - the kernel's system call entry behind the stack switch
 *
 * Assembly label.  Stack: an IRETQ frame of the user context (RIP, CS, RFLAGS,
 * RSP, SS, with PV_USER_CS and PV_USER_DS) on the kernel stack; all registers
 * the user's; interrupts masked; kernel GS base.  Used by backends whose
 * hypervisor switches stacks itself.
 */
void pv_port_syscall_hwframe(void);

/**
 * pv_port_event_entry - the kernel's entry for interrupts without a vector
 *
 * Assembly label.  Begins with the adjust_exception_frame site; builds a
 * register frame and calls the upcall op with vector 0.  Registered by
 * backends whose hypervisor has one upcall address.
 */
void pv_port_event_entry(void);

#endif
