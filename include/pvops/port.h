/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: What the layer needs from the kernel
 *
 * A kernel that adopts the layer implements this header once, for all
 * hypervisors, and does four things:
 *
 * 1. It links pvops/ and the backends that it wants, with the two linker-script
 *    sections that site.h and backend.h name.
 * 2. It supplies <pvops_port.h>.  types.h lists its types; the macros are listed
 *    below.
 * 3. It boots in this order:
 *
 *    - The entry code fills a struct pv_platform.  In ring 0 it loads a GDT that is
 *      mapped and has PV_KERNEL_CS, and loads CS from it.  It sets GS base to the
 *      per-CPU area of the boot CPU, without an op: in ring 0 by WRMSR (IA32_GS_BASE,
 *      0xc0000101), under Xen PV by the hypercall
 *      set_segment_base(SEGBASE_GS_KERNEL).
 *    - pv_init(), then pv_cpu_init(0).  From here on every op works, through the table.
 *      A kernel that uses ops before it can log or take an exception calls
 *      pv_init_native() first.
 *    - Memory; pv_patch(); pv_late_init(); interrupts on.
 *    - The other CPUs.  Each begins with its per-CPU area (pv_cpu_state.gs_base) and
 *      calls pv_cpu_init(n).
 * 4. It uses pv_<op>() (call.h) and the assembly sites (site.h) instead of privileged
 *    instructions.  It calls pv_batch_pause() and pv_batch_resume() around exception and
 *    interrupt handlers that interrupted kernel mode, or it answers
 *    pv_port_in_interrupt().
 *
 * Preemption.  A kernel that switches tasks only where its own code calls the scheduler,
 * outside of a batch, or on the way back to user mode, has nothing to do.  A kernel that
 * preempts its own code, on the way back from an interrupt to kernel mode, does this:
 *
 *    - It defines PV_PORT_PREEMPTION and the two functions below.  Between them the task
 *      keeps its CPU.  Only functions of a backend and of the core call them; native
 *      sites are bare instructions, and have no such calls.
 *    - It disables preemption, or masks interrupts, around every op whose context says
 *      so.  In any other op the task may be preempted, and may continue on another CPU.
 *    - It does not switch while interrupts are masked, nor between pv_batch_pause() and
 *      pv_batch_resume().
 *    - It may switch in a batch.  The code that switches calls pv_batch_switch_out() and
 *      pv_batch_switch_in() (batch.h).  It does so with interrupts masked, before
 *      start_context_switch and after end_context_switch.
 *    - It patches sites again only when no task was preempted in the middle of one
 *      (pv_port_hold_cpus()).
 *
 * Page tables.  pv_port_kernel_root() is the root that the kernel was entered on, or the
 * root that it made in ring 0 before pv_init().  Under Xen PV it is the domain builder's,
 * which is in use and read-only: the kernel extends it through set_p4d() and the like.
 * A further root comes from pgd_alloc(), which copies the kernel half of
 * pv_port_kernel_root(), then goes through pgd_activate() and write_cr3(); from then on
 * pv_port_kernel_root() may name it.  In a batch, an entry reaches the table only when the
 * batch is flushed.  Code that adds a table and then writes below it, or that reads an
 * entry again, calls batch_flush() in between.
 *
 * Devices.  Device memory is not the kernel's memory: it has no PFN.  Its entry is made
 * from the machine address, (__force pv_pte_t)(address | flags), not by make_pte(), which
 * returns a "not present" entry for it under Xen PV.  pte_val() reads such an entry as not
 * present.  pv_port_map_phys() makes its entries this way.
 *
 * Owners.  On a bare machine, and where a backend leaves a device to native, each device
 * has this owner from pv_late_init() on:
 *
 *	local APIC	the layer: base, mode, TPR, timer, ICR, EOI.  The kernel writes
 *			only LINT0, LINT1 and the error vector
 *	spurious vector	the layer sets 0xff.  The kernel has a gate there that
 *			returns, without upcall()
 *	8259 PICs	the layer masks all lines, once.  A kernel that uses them
 *			unmasks its lines after pv_late_init(), and ends their
 *			interrupts itself, without upcall()
 *	I/O APIC	the kernel.  Its interrupts go through upcall(), which ends them
 *	PIT		the kernel.  pv_late_init() uses channel 2 and port 0x61 to
 *			measure the TSC, and restores the port
 *	HPET		the kernel; the layer reads it for the same measurement
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
 *	PV_PERCPU_PTR(name)		address of this CPU's, at any time.  The compiler
 *					must not move it over a memory clobber, behind
 *					which the task may run on another CPU: its asm
 *					has the variable as a memory operand
 *	PV_PERCPU_PTR_OF(name, cpu)	address of another CPU's
 *	PV_PERCPU_ASM			how assembly names this CPU's variable:
 *					a string prefix such as "%gs:".  The
 *					variable's symbol follows; it must be
 *					an absolute 32-bit operand.  A kernel for
 *					one CPU may use "": it needs no GS base
 *	PV_RO_AFTER_INIT		attribute of variables that only pv_init()
 *					and pv_override() write; may be left out
 *	PV_ASM_ENDBR, PV_ENDBR		asm text, and the same in an assembly file,
 *					at the start of functions that are reached
 *					through a pointer; may be left out
 *	PV_ASM_JMP(reg), PV_JMP(reg)	asm text, and the same in an assembly file,
 *					that jumps to the address in a register; may
 *					be left out
 *	PV_ASM_CALL(reg)		asm text (with operands: %%) that calls the
 *					address in a register; may be left out
 *	PV_ASM_RET			asm text that returns from a function; may
 *					be left out
 *	PV_ASM_ODD(function)		declares a function that does not return, or
 *					returns in an unusual way; may be left out
 *	PV_STACK_POINTER		the kernel's variable for RSP, because a file can
 *					have only one (types.h); may be left out
 *	PV_EXTABLE(insn, fixup)		asm text: if the instruction at label insn
 *					faults, the kernel continues at label fixup.
 *					Both are bare tokens, as in PV_EXTABLE(1b, 2b);
 *					the macro makes them text (#insn).  The faults
 *					are #GP and, for backend xen, #PF
 *	PV_GDT_LDT, PV_GDT_TLS		GDT indices of the LDT descriptor
 *					(two slots) and the first of three TLS
 *	PV_GDT_WRITABLE(gdt)		writable address of this CPU's GDT, which was
 *					loaded from @gdt
 *	PV_MSR_MAY_FAULT		1: the kernel uses read_msr and write_msr also
 *					for MSRs that may not exist, and recovers
 *					by the instruction's address
 *	PV_KERNEL_CS, PV_KERNEL_DS,	selectors
 *	PV_USER_CS, PV_USER_DS
 *	PV_VECTOR_TIMER			vector of the interrupt that set_timer requests;
 *					this vector and those below are from 32 to 254,
 *					and have no other use
 *	PV_VECTOR_IPI, PV_IPI_COUNT	first IPI vector and how many
 *	PV_VECTOR_EVENT			vector that leads to pv_port_event_entry, for
 *					hypervisors that have one vector for all events
 *	PV_MAX_CPUS			number of CPUs that the kernel is built for
 *	PV_PORT_INJECT			defined: a test kernel with fault injection
 *					(inject.h); may be left out
 *	PV_PORT_RETPOLINE		defined: unpatched sites contain no bare indirect
 *					branch either (site.h).  The kernel then
 *					defines PV_JMP and the like, and sets the
 *					compiler's flags; may be left out
 *	PV_XEN_INTERFACE		for backend xen: the kernel's own copy of Xen's
 *					public headers, as <file>; left out, they are
 *					<xen/...> of the package libxen-dev
 *	linux/kvm_para.h		no macro: a header that backend kvm includes, from
 *					the package linux-libc-dev
 *	PV_CALLER()			address of the op's caller, for reports:
 *					__builtin_return_address(0)
 *	pv_port_virt_to_pfn(va)		frame of a linear-map address
 *	pv_port_pfn_to_virt(pfn)	linear-map address of a frame
 *	pv_port_this_cpu()		number of this CPU
 *	PV_PORT_PREEMPTION		defined: the kernel preempts its own code, and
 *					defines the next two functions; may be left out
 *	pv_port_preempt_disable()	the task keeps its CPU until
 *	pv_port_preempt_enable()	this, which may switch tasks at once.  Pairs
 *					nest; both are memory clobbers, work in any
 *					context, NMI included, and change no register
 *					that a C function must preserve
 *	pv_port_in_interrupt()		true if this code interrupted code that may
 *					have a batch open.  A kernel that pauses
 *					batches in its entry code returns false
 *
 * The linear map covers all memory that the kernel gives to the layer: table
 * pages, GDTs, LDTs, per-CPU areas.
 *
 * The port handles IBT, retpolines, read-only text and CPU hotplug.
 * pv_port_text_begin() returns a writable view of text, by any means that the kernel
 * has; a port with IBT suspends IBT there.  Sites are patched again only while the other
 * CPUs are held (pv_port_hold_cpus()).
 */
#ifndef PVOPS_PORT_H
#define PVOPS_PORT_H

#include "backend.h"

/*
 * Stack.  Upper bounds in bytes for what the layer uses of the caller's stack, with gcc
 * and the mini guest's flags.  tools/stack.py computes the use from every call and every
 * site; tests/unit/stack.t compares.  The port's own functions come on top, and an
 * interrupt's frame where interrupts are on.
 */
/** PV_STACK_FRAME - the largest frame of one function of the layer */
#define PV_STACK_FRAME	640
/** PV_STACK_OP - the most that an op uses, with everything that it calls */
#define PV_STACK_OP	1280
/** PV_STACK_START - the most that pv_init(), pv_patch(), pv_late_init() and the like use */
#define PV_STACK_START	3072

/**
 * pv_port_log - write one line to the kernel log
 * @fmt: printf format, %s %c %d %i %u %x with l/ll, %p, %%; ends without newline
 *
 * Context: any.  Lines already begin with "pvops: ".  The port adds only its log's own
 * prefix (time, level).  Until pv_cpu_init(0) the port uses no op for it.  After that it
 * uses console_write(), because a domain of Xen has no serial port.
 */
void pv_port_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * pv_port_format - snprintf with the formats of pv_port_log()
 * @out: buffer
 * @size: size of @out in bytes
 * @fmt: format
 *
 * Context: any.  Returns what snprintf returns.
 */
int pv_port_format(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * pv_port_panic - stop the kernel, which cannot continue
 * @why: the reason, one line
 *
 * Context: any; does not return.
 */
void pv_port_panic(const char *why) __attribute__((noreturn));

/**
 * pv_port_text_begin - make kernel text writable
 * @start: first byte
 * @end: first byte behind it
 *
 * Context: one CPU at a time, the others held or not started; the port masks
 * interrupts and blocks NMIs until pv_port_text_end().  Returns the distance from
 * a text address to its writable alias (0 if the text itself becomes writable),
 * or PV_TEXT_REFUSED after one log line.
 */
long pv_port_text_begin(unsigned long start, unsigned long end);

/** PV_TEXT_REFUSED - the text cannot be made writable; no possible alias distance */
#define PV_TEXT_REFUSED	0x7fffffffffffffffL

/**
 * pv_port_text_end - make the text read-only again, and valid on every CPU
 * @start: as given to pv_port_text_begin()
 * @end: as given to pv_port_text_begin()
 *
 * Executes one serialising instruction (SDM vol. 3A section 8.3) on this CPU,
 * and makes each held CPU execute one before it continues.
 */
void pv_port_text_end(unsigned long start, unsigned long end);

/**
 * pv_port_hold_cpus - call a function while no other CPU is inside an op
 * @fn: the function
 * @arg: its argument
 *
 * The port holds the other CPUs only outside of every site and of every function that a
 * site has called, because the text that they resume in, or return to, may have changed.
 * It never holds them in an interrupt handler, which may have interrupted a site; a place
 * that each CPU reaches by itself, such as an idle loop or a stopper thread, is right.
 * Held CPUs take no interrupts and no NMIs.  With preemption, no task may be preempted
 * inside of a site, between two of its instructions.  A task that is preempted in a
 * function that a site has called is right: such a function returns to the site's end.
 *
 * Context: process context, interrupts on.  Returns what @fn returns.
 */
int pv_port_hold_cpus(int (*fn)(void *arg), void *arg);

/**
 * pv_port_call_cpus - run a function on other CPUs and wait
 * @mask: the CPUs; the caller's own bit is ignored
 * @fn: the function; it runs with interrupts masked
 * @arg: its argument
 *
 * Context: as flush_tlb_multi.
 */
void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg);

/**
 * pv_port_interrupt - handle an interrupt
 * @vector: PV_VECTOR_TIMER, an IPI vector, or a device's vector
 *
 * Called by upcall implementations, interrupts masked.  The layer signals the end of the
 * interrupt after this function returns.  So the function acknowledges the device, whose
 * line becomes low, and does not switch to another task before it returns.
 */
void pv_port_interrupt(u32 vector);

/**
 * pv_port_alloc_page - allocate a zeroed page, mapped writable
 *
 * Context: as alloc_pte.  Returns PV_PFN_NONE when there is no memory.
 */
pv_pfn_t pv_port_alloc_page(void);

/**
 * pv_port_free_page - free a page of pv_port_alloc_page()
 * @pfn: the page; its contents are undefined, and it is mapped writable again
 */
void pv_port_free_page(pv_pfn_t pfn);

/**
 * pv_port_page_word - a word that the kernel keeps for a page of pv_port_alloc_page()
 * @pfn: the page
 *
 * The word is 0 when the page is allocated; the layer writes 0 before it frees the page.
 * The two low bits are always 0, so the word may be a field of the kernel's page structure
 * with flags there.  For backend xen, which finds the user root of a root by it (write_cr3()
 * reads the word without a lock), and knows unpinned tables.
 * Context: any.  Returns NULL for a page that has no word; it is never a root of
 * pgd_alloc().
 */
u64 *pv_port_page_word(pv_pfn_t pfn);

/**
 * pv_port_foreign_pfn, pv_port_foreign_mfn - translate a frame that is not the kernel's memory
 * @mfn: machine frame for which no PFN translates back to it
 * @pfn: PFN without a machine frame in the list of the kernel's memory
 *
 * Such frames are device memory or another domain's pages.  Each function returns the
 * frame's number in the other numbering, or all ones if it has none; then the entry
 * reads as not present, and make_pte() returns one that is not present.
 * Context: as pte_val.
 */
u64 pv_port_foreign_pfn(u64 mfn);
u64 pv_port_foreign_mfn(u64 pfn);

/** pv_port_kernel_root - the root table whose upper half every address space shares */
pv_pfn_t pv_port_kernel_root(void);

/**
 * pv_port_user_root - fill the kernel half of a root for user mode
 * @root: zeroed, not yet a table
 *
 * Some hypervisors have one root for the kernel and one for user mode.  The kernel
 * half of the latter is empty, or has a page that the kernel shows to every process.
 * Context: as pgd_alloc.
 */
void pv_port_user_root(u64 *root);

/**
 * pv_port_linear_pte - find the level-1 entry that maps a page in the linear map
 * @pfn: the page
 *
 * Returns NULL where the linear map has no 4 KiB entry for it.
 */
pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn);

/**
 * pv_port_fixmap_pte - find the level-1 entry of a fixed address
 * @index: number of the fixed address, from 0
 * @va: receives the address
 *
 * Returns NULL for an index that does not exist.
 */
pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va);

/**
 * pv_port_map_phys - map physical memory outside of the linear map
 * @maddr: machine address; a device's (see above)
 * @bytes: length
 * @flags: PV_PTE_RW and PV_PTE_NX as wanted; uncached if PV_MAP_UNCACHED
 *
 * The mapping stays for ever.  A kernel that runs with EFER.NXE clear, where bit 63 is
 * reserved, ignores PV_PTE_NX.
 * Context: process context, or boot after memory is set up.
 * Returns NULL after one log line if the memory cannot be mapped.
 */
void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags);

/** PV_MAP_UNCACHED - bit 4 (PCD) of an entry */
#define PV_MAP_UNCACHED	0x010ULL

/**
 * pv_port_code_area - make pages of the kernel's data executable and read-only
 * @start: first byte, page-aligned, in the kernel image
 * @bytes: length, whole pages; 0 makes the area writable data again
 *
 * For code that a hypervisor supplies, copied to within reach of kernel text.  When the
 * function returns, the area is executable, and the kernel's own stores to it fault: the
 * layer calls the code at once.  The port may enable interrupts during the call, because
 * native ops are still in use.
 * Context: boot CPU, from init(); one area.  Returns false after one log line if it
 * cannot; then nothing has changed.
 */
bool pv_port_code_area(const void *start, size_t bytes);

/**
 * pv_port_low_page - a page of RAM below 1 MiB for CPU start-up code
 *
 * Returns the same page each time, used for nothing else, or PV_PFN_NONE; then no CPU is
 * started.  start_cpu() writes to the page through the linear map, which maps it writable.
 * The kernel needs no identity mapping of it: a new CPU runs there on the layer's own
 * tables.  Called only on bare hardware.
 */
pv_pfn_t pv_port_low_page(void);

/**
 * pv_port_tsc_khz - TSC frequency in kHz if the kernel knows it, else 0
 *
 * With 0, the native backend asks the chosen hypervisor, then CPUID (0x15,
 * 0x40000010), and else measures against the PIT, the HPET or the CMOS clock.  One log
 * line names the source; a further line names each source with an implausible result.
 * Called from pv_late_init().
 */
u32 pv_port_tsc_khz(void);

/**
 * pv_port_apic_id - hardware APIC id (32 bits) of a CPU; ~0 if there is none
 *
 * The ids of all CPUs are known from pv_late_init() on.  If one of them does not fit
 * into 8 bits, native uses x2APIC mode.
 */
u32 pv_port_apic_id(u32 cpu);

/** pv_port_native_console - write to the bare machine's console */
void pv_port_native_console(const char *text, size_t bytes);

/** pv_port_native_shutdown - power off or restart the bare machine */
void pv_port_native_shutdown(enum pv_shutdown_reason reason) __attribute__((noreturn));

/**
 * pv_port_syscall_hwframe - the kernel's system call entry, behind its stack switch
 *
 * Assembly label.  On entry the kernel stack has an IRETQ frame of the user context
 * (RIP, CS, RFLAGS, RSP, SS, with PV_USER_CS and PV_USER_DS); the other registers are
 * the user's; interrupts are masked; GS base is the kernel's.  Used by backends whose
 * hypervisor switches the stack itself.
 */
void pv_port_syscall_hwframe(void);

/**
 * pv_port_event_entry - the kernel's entry for interrupts without a vector
 *
 * Assembly label.  The code begins with the adjust_exception_frame site, builds a
 * register frame and calls the upcall op with vector 0.  Backends whose hypervisor has
 * one upcall address register it.
 */
void pv_port_event_entry(void);

#endif
