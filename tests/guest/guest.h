/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The mini guest: declarations that its files share. */
#ifndef GUEST_H
#define GUEST_H

#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

/* --- start of day (main.c, start.c) --- */

/* Filled by the entry code of the environment. */
struct boot_info {
	const char *env;		/* "native", "xenpv": part of test names */
	const char *cmdline;
	u64 first_free;			/* first free frame behind image and boot data */
	u64 mapped_end;			/* frames mapped at KERNEL_BASE at entry */
	u64 memory_end;			/* frames of contiguous usable memory */
	pv_pfn_t root;			/* page table root at entry */
	u32 cpu_count;
	u32 apic_id[PV_MAX_CPUS];
	struct pv_platform platform;
	u32 cpuids;			/* CPUIDs that pv_init() has executed */
	const char *wrong;		/* error, printed when there is a console */
};

extern struct boot_info boot_info;

void guest_start_pvh(u64 info);
void guest_start_multiboot(u64 info);
void guest_start_xen(const void *start_info);
void __attribute__((noreturn)) guest_main(void);
/* Stops fault injection and prints its counters as a data line. */
void report_faults(void);
/* Returns the value of key= on the command line, up to a blank; NULL if absent. */
const char *cmdline_value(const char *key, size_t *len);
bool cmdline_is(const char *key, const char *value);

/* --- port.c --- */

/* Number of serialising instructions at the ends of patch passes. */
extern u32 text_serialisations;

/* --- lib.c --- */

int format_args(char *out, size_t size, const char *fmt, va_list args);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool text_equal(const char *a, const char *b);
size_t text_length(const char *text);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int c, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
/* Prints a data line for the reports: "@pvops path value". */
#define DATA(path, fmt, ...)	print("@pvops " path " " fmt "\n", ##__VA_ARGS__)

struct spinlock {
	u8 taken;
};

pv_flags_t spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock, pv_flags_t flags);

/* --- cpu.c --- */

PV_PERCPU_DECLARE(u64, percpu_kernel_stack);
PV_PERCPU_DECLARE(u64, percpu_user_rsp);
PV_PERCPU_DECLARE(struct pv_tss, percpu_tss);
PV_PERCPU_DECLARE(u64, percpu_ticks);

extern struct pv_gate idt[256];
extern u32 cpus_online;

#define this_cpu(name)	(*PV_PERCPU_PTR(name))

u64 *this_gdt(void);
void cpu_setup(u32 cpu);
void cpu_enable_syscalls(void);
void cpus_start(void);
int cpu_start(u32 cpu, struct pv_cpu_state *state);
void cpu_make_state(u32 cpu, struct pv_cpu_state *state);
void cpu_wait_online(u32 cpu);
bool cpu_is_online(u32 cpu);
struct pv_cpumask cpu_mask(u32 cpu);
/* Returns the highest CPU number: a test that works with it works with each CPU. */
u32 cpu_last(void);
/* Makes a CPU take itself out of service. */
void cpu_stop(u32 cpu);
void cpu_run_calls(void);
/* Long work calls this, so that its CPU can be held; not in an op or a handler. */
void cpu_hold_point(void);
/* Other CPUs repeat this work instead of sleeping; cpu_wake() makes one look at it. */
extern void (*volatile cpu_idle_work)(void);
/* A test's work on other CPUs, between cpu_hold_point() and the mask before a halt. */
extern void (*volatile cpu_before_mask)(void);
void cpu_wake(u32 cpu);
/* Runs a function on another CPU and does not wait for its end. */
void cpu_call_async(u32 cpu, void (*fn)(void *arg), void *arg);

/* --- traps.c --- */

struct regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

#define VECTOR_DB	1
#define VECTOR_NMI	2
#define VECTOR_BP	3
#define VECTOR_UD	6
#define VECTOR_NM	7
#define VECTOR_GP	13
#define VECTOR_PF	14
#define VECTOR_DEVICE	224

void traps_setup(void);
void trap(struct regs *regs);
void gate_fill(struct pv_gate *gate, u64 handler, u32 dpl, bool masks);

struct extable_entry {
	s32 insn;
	s32 fixup;
};

/* Continues at the fix-up of the instruction that trapped, if it has one. */
bool trap_fixup(struct regs *regs);
/* Returns the first instruction with a fix-up in a range; 0 if there is none. */
unsigned long extable_insn(unsigned long start, unsigned long end);

/* A test's hook sees each trap first, and returns true if it has handled it. */
extern bool (*trap_hook)(struct regs *regs);
extern void (*interrupt_hook)(u32 vector);
extern void (*nmi_hook)(void);
extern volatile u64 trap_count[256];
/* Number of interrupts that came although they were masked, and were dropped. */
extern u32 masked_interrupts;

/* --- vm.c --- */

#define PAGE		PV_PAGE_SIZE
#define PTE_COW		0x200ULL		/* available to software */
#define PTE_TABLE	0x067ULL		/* present, rw, user, accessed, dirty */
#define USER_TEXT	0x400000UL
#define USER_HEAP	0x40000000UL
#define USER_STACK_TOP	0x7ffffffff000UL
#define USER_STACK_PAGES 4
#define FIXMAP_COUNT	8

struct mm {
	pv_pfn_t root;
	u32 pages;			/* user pages mapped */
	u32 tables;
};

extern struct mm kernel_mm;

void vm_setup(void);
void vm_protect_kernel(void);
void vm_text_writable(bool writable);
/* Makes PV_RO_AFTER_INIT data writable, so that a test can change it. */
void vm_ro_after_init_writable(bool writable);
/* Text is read-only now. */
extern bool vm_text_protected;
pv_pfn_t page_alloc(void);
void page_get(pv_pfn_t pfn);
void page_put(pv_pfn_t pfn);
u32 page_refs(pv_pfn_t pfn);
u32 pages_free(void);
pv_pte_t *vm_walk(pv_pfn_t root, u64 va, bool create, struct mm *mm);
bool mm_create(struct mm *mm);
void mm_destroy(struct mm *mm);
bool mm_copy(struct mm *to, struct mm *from);
bool mm_map(struct mm *mm, u64 va, u32 count, bool writable);
void mm_unmap(struct mm *mm, u64 va, u32 count);
void mm_protect(struct mm *mm, u64 va, u32 count, bool writable);
bool mm_fault(struct mm *mm, u64 va, u64 error);
bool mm_copy_in(struct mm *mm, u64 va, const void *from, size_t bytes);

/* --- proc.c --- */

enum proc_state { PROC_FREE, PROC_READY, PROC_ZOMBIE };

struct proc {
	u64 rsp;
	u64 stack_top;
	struct mm mm;
	struct mm *active_mm;
	u64 fs_base;
	u64 tls[3];
	u32 iopl;
	u32 pid;
	u32 parent;
	s64 exit_code;
	enum proc_state state;
};

#define PROC_MAX	16

extern struct proc *current_proc;

void proc_setup(void);
/* Starts a user process at user_main(which, arg). */
struct proc *proc_start(u32 which, u64 arg);
/* Runs other processes until this one has ended; returns its exit code. */
s64 proc_wait(struct proc *proc);
void proc_exit(s64 code) __attribute__((noreturn));
void schedule(void);
/* Loads the state of the current process, which has come to this CPU.  Interrupts masked. */
void proc_arrive(u64 cr3);
void syscall_dispatch(struct regs *regs);
extern u64 context_switches;

/* Errors of ops (include/pvops/ops) and of system calls. */
#define ENOENT		2
#define EIO		5
#define ENOSYS		38
#define ETIMEDOUT	110

/* System calls: number in rax, arguments rdi, rsi, rdx; result in rax. */
enum {
	SYS_EXIT, SYS_GETPID, SYS_YIELD, SYS_FORK, SYS_WAIT, SYS_MAP, SYS_UNMAP,
	SYS_PROTECT, SYS_IOPL, SYS_SET_FS, SYS_SET_TLS, SYS_NULL, SYS_CLOCK
};

/* The programs of user_main() (user.c). */
enum {
	USER_EXIT_CODE,		/* exits with arg */
	USER_SYSCALLS,		/* arg null calls */
	USER_MEMORY,		/* map, write, protect, unmap; exits 0 or a line number */
	USER_FORK,		/* forks, checks copy on write, waits */
	USER_SPIN,		/* counts for arg milliseconds, needs preemption */
	USER_FAULT,		/* touches an address that is not mapped */
	USER_PRIVILEGED,	/* executes a privileged instruction */
	USER_PORT,		/* iopl 3, then a port access; arg 0: without iopl */
	USER_TLS,		/* FS base and a TLS selector survive switches */
	USER_FLAGS,		/* user mode has interrupts on */
	USER_YIELD,		/* arg yields */
	USER_TOUCH,		/* maps and touches arg pages */
	USER_FORK_MANY,		/* arg times fork, exit, wait */
	USER_COW,		/* forks, then breaks arg pages of copy on write */
	USER_LDT,		/* reads a segment of the LDT, exits with its limit */
};

/* --- test.c --- */

void tests_run(void);
void test_fail(const char *file, int line, const char *what, u64 got, u64 want);
void test_skip(const char *why);
void test_error(const char *why);
/* The guest cannot see the result: tools/vm.py checks it from outside (OUTSIDE there). */
void test_outside(void);

#define TEST(name)	void test_##name(void); void test_##name(void)
#define EXPECT(cond) \
	((cond) ? (void)0 : test_fail(__FILE__, __LINE__, #cond, 0, 0))
#define EXPECT_EQ(got, want)						\
	do {								\
		u64 got_ = (u64)(got), want_ = (u64)(want);		\
									\
		if (got_ != want_)					\
			test_fail(__FILE__, __LINE__, #got " == " #want, got_, want_); \
	} while (0)

/* Returns the number of hypercalls of this CPU; 0 on native. */
u64 hypercalls(void);
/* Do batches queue?  They must, if no op is left to native. */
bool batches(void);

/* --- preempt.c --- */

#ifdef PV_PORT_PREEMPTION
/* Runs a test several times, while the task moves between CPUs. */
void preempt_run(void (*test)(void));
/* At a debug exception: true if it was a step of ours. */
bool preempt_step(struct regs *regs);
/* At the end of an interrupt in the kernel. */
void preempt_interrupt(struct regs *regs);
/* Ends single steps.  Interrupts masked. */
void preempt_stop_steps(void);
void preempt_report(void);
#else
static inline void preempt_run(void (*test)(void))
{
	test();
}

static inline bool preempt_step(struct regs *regs)
{
	(void)regs;
	return false;
}

static inline void preempt_interrupt(struct regs *regs)
{
	(void)regs;
}

static inline void preempt_stop_steps(void) { }
static inline void preempt_report(void) { }
#endif
/* For ops whose context is "preemption off". */
#define PINNED(call)			\
	do {				\
		preempt_disable();	\
		call;			\
		preempt_enable();	\
	} while (0)

/* --- load.c --- */

/* load=SECONDS[,SEED]: a test of its own, which runs after the others. */
void load_run(void);

/* --- bench.c --- */

void bench_run(void);

#endif
