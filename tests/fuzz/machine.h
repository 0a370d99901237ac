/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A machine made of the fuzzer's input, for backends that run in a process:
 * what their privileged instructions and hypercalls do is the target's to say.
 *
 * An input is two streams: what is done, read from its start, and what the machine
 * answers, read from its end.  Behind the end everything is 0.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

#include "check.h"

/* Not worth the tracing: called very often, and nothing new behind it. */
#ifdef __clang__
#define UNTRACED	__attribute__((no_sanitize("coverage")))
#else
#define UNTRACED
#endif

/* As machine_* of machine.c finds them on the stack. */
struct machine_regs {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 flags;
};

/* --- the target's --- */

/* SYSCALL, VMCALL or VMMCALL: result in rax. */
void target_hypercall(struct machine_regs *regs);
u64 target_read_msr(u32 msr);
void target_write_msr(u32 msr, u64 val);
/* The time-stamp counter is read; what the hypervisor shares may change now. */
u64 target_rdtsc(void);
/* HLT. */
void target_halt(void);
/* A control register is loaded. */
void target_write_cr(u32 nr, u64 val);
/* A line of the log. */
void target_log(const char *line);
/* A page goes back to the kernel. */
void target_page_freed(pv_pfn_t pfn);
void target_interrupt(u32 vector);

/* --- the machine's --- */

/* Once, from LLVMFuzzerInitialize(). */
void machine_init(void);
/* All variables of the tested code, now; 0: as linked. */
#define MACHINE_KEPT	6
void machine_keep(u32 nr);
/* What was kept, and a new input. */
void machine_reset(u32 nr, const u8 *data, size_t size);

/* A page of the tested code whose text the hypervisor writes. */
void machine_execute(void *page);
/* The same for all variables: only the tested code knows where its page is. */
void machine_execute_state(void);

/* What CPUID says; a leaf that was not set is 0. */
struct machine_leaf {
	u32 nr;
	struct pv_cpuid regs;
};

/* As the hypervisors show themselves. */
enum machine_kind { MACHINE_KVM = 1, MACHINE_HYPERV, MACHINE_XENHVM, MACHINE_VMWARE };

void machine_set_leaves(enum machine_kind kind);
void machine_cpuid(struct pv_cpuid *regs);

/* The next bytes for steps, and for answers. */
u8 input_byte(void);
u64 input_number(u32 bytes);
bool input_left(void);
u8 answer_byte(void);
u64 answer_number(u32 bytes);
/* Success, an errno, or any number. */
s64 answer_status(void);
/* Read all of an argument, as the hypervisor does: crashes outside of memory. */
void machine_read(const void *at, size_t bytes);

/*
 * Leave what does not return: machine_try() is true the first time, and false
 * when somebody under it has called machine_leave().
 */
extern jmp_buf machine_way_out;
extern const char *machine_panic;
#define machine_try()	(!setjmp(machine_way_out))
void machine_leave(void) __attribute__((noreturn));

/* Physical memory: 16 MiB from KERNEL_BASE on. */
#define MACHINE_BYTES	(16UL << 20)
/* All that a frame number can name, the program's own pages too. */
#define MACHINE_FRAMES	0x8000U

/* Pages that the port hands out, and how many. */
#define MACHINE_PAGES	96
extern u8 machine_pages[MACHINE_PAGES][PV_PAGE_SIZE];
/* Index of a page; MACHINE_PAGES: none of these. */
u32 machine_page_of(const void *at);
extern bool machine_page_used[MACHINE_PAGES];

/* The flag of interrupts of a machine with hardware's; registers. */
extern bool machine_interrupts;
extern u64 machine_cr[9];

/* What foreign frames are; ~0 there is none. */
extern u64 machine_foreign;

/* Machine to physical, as Xen's table has it; false: no page of the table. */
extern bool (*machine_m2p)(u64 mfn, u64 *pfn);

#endif
