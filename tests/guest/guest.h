/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The mini guest: what its parts offer each other. */
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
	u64 memory_end;			/* frames of usable memory in one piece */
	pv_pfn_t root;			/* page table root at entry */
	u32 cpu_count;
	u32 apic_id[PV_MAX_CPUS];
	struct pv_platform platform;
	u32 cpuids;			/* that pv_init() has executed */
	const char *wrong;		/* why it cannot be used; said when there is a console */
};

extern struct boot_info boot_info;

void guest_start_pvh(u64 info);
void guest_start_multiboot(u64 info);
void guest_start_xen(const void *start_info);
void __attribute__((noreturn)) guest_main(void);
/* End the injection of faults; print its counts as a data line. */
void report_faults(void);
/* Value of key= on the command line, up to a blank; NULL if absent. */
const char *cmdline_value(const char *key, size_t *len);
bool cmdline_is(const char *key, const char *value);

/* --- port.c --- */

/* Serialising instructions executed at the ends of patch passes. */
extern u32 text_serialisations;

/* --- lib.c --- */

int format_args(char *out, size_t size, const char *fmt, va_list args);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool text_equal(const char *a, const char *b);
size_t text_length(const char *text);
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int c, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
/* One data line for the reports: "@pvops path value". */
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
/* The one with the highest number: what works with it works with each. */
u32 cpu_last(void);
/* Make a CPU take itself out of service. */
void cpu_stop(u32 cpu);
void cpu_run_calls(void);
/* Work that takes long lets its CPU be held here; not in an op, nor in a handler. */
void cpu_hold_point(void);
/* Run a function on another CPU without waiting for its end. */
/* What other CPUs do again and again instead of sleeping; and to make one look. */
extern void (*volatile cpu_idle_work)(void);
void cpu_wake(u32 cpu);
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

/* Continue at the fix-up of the instruction that trapped, if it has one. */
bool trap_fixup(struct regs *regs);
/* First instruction in a range that has a fix-up; 0 if there is none. */
unsigned long extable_insn(unsigned long start, unsigned long end);

/* A test may look at a trap first: return true if it handled it. */
extern bool (*trap_hook)(struct regs *regs);
extern void (*interrupt_hook)(u32 vector);
extern void (*nmi_hook)(void);
extern volatile u64 trap_count[256];
/* How many came although they were masked, and were dropped. */
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
/* PV_RO_AFTER_INIT data: a test changes what nothing else may. */
void vm_ro_after_init_writable(bool writable);
/* Has text been made read-only yet? */
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
/* Start a user process at user_main(which, arg). */
struct proc *proc_start(u32 which, u64 arg);
/* Run others until the process has ended; gives its exit code. */
s64 proc_wait(struct proc *proc);
void proc_exit(s64 code) __attribute__((noreturn));
void schedule(void);
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

/* What user_main() can be (user.c). */
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
	USER_LDT,		/* loads a segment from the LDT, exits with what it holds */
};

/* --- test.c --- */

void tests_run(void);
void test_fail(const char *file, int line, const char *what, u64 got, u64 want);
void test_skip(const char *why);
void test_error(const char *why);
/* Nothing in here can tell: tools/vm.py does (OUTSIDE there), and fails it if it cannot. */
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

/* Counts of the hypervisor calls that this CPU made; 0 on native. */
u64 hypercalls(void);
/* Is anything queued in a batch?  It must be, where no op was left to native. */
bool batches(void);

/* --- load.c --- */

/* load=SECONDS[,SEED]: as a test of its own, behind the others. */
void load_run(void);

/* --- bench.c --- */

void bench_run(void);

#endif
