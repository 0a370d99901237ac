// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of ops, in executed instructions.
 *
 * Under QEMU's -icount shift=0 the TSC advances by one per instruction of guest
 * or hypervisor, so the difference of two readings is a path length.  Each op is
 * executed ROUND times in a row.  So is its twin, which has the same operands and
 * clobbers but no code.  The difference is the cost of the op.  The least of
 * several rounds is reported, because interrupts can only make a round longer.
 * Without -icount the figures are TSC ticks and mean nothing.
 */
#include <pvops/twin.h>

#include "guest.h"

#define ROUND		16
#define ROUNDS		5
#define VA		0x40000000UL
#define MSR_FS_BASE	0xc0000100
#define FLAGS_RW	(PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_ACCESSED | PV_PTE_DIRTY)

#define REPEAT(x)	x; x; x; x; x; x; x; x; x; x; x; x; x; x; x; x

/* Hundredths, rounded to nearest; may be a little below zero for empty ops. */
static void report(const char *path, const char *name, s64 insns, u64 count, u64 calls)
{
	s64 hundredths = (insns * 100 + (insns < 0 ? -(s64)(count / 2) : (s64)(count / 2))) /
			 (s64)count;
	u64 calls100 = calls * 100 / count;
	bool negative = hundredths < 0;

	if (negative)
		hundredths = -hundredths;
	print("@pvops %s.%s {\"insns\":%s%lu.%02lu,\"hypercalls\":%lu.%02lu}\n", path, name,
	      negative ? "-" : "", (unsigned long)hundredths / 100,
	      (unsigned long)hundredths % 100, (unsigned long)calls100 / 100,
	      (unsigned long)calls100 % 100);
}

/*
 * Interrupts are masked while an op is measured, except for ops that need
 * them.
 */
#define MEASURE(path, name, op, twin)						\
	do {									\
		s64 best_ = 0x7fffffffffffffff;					\
		u64 calls_ = 0, a_, b_, c_;					\
		u32 i_;								\
										\
		pv_irq_disable();						\
		for (i_ = 0; i_ < ROUNDS; i_++) {				\
			calls_ = hypercalls();					\
			a_ = pv_rdtsc();					\
			REPEAT(op);						\
			b_ = pv_rdtsc();					\
			calls_ = 2 * hypercalls() - calls_;			\
			c_ = pv_rdtsc();					\
			REPEAT(twin);						\
			c_ = pv_rdtsc() - c_;					\
			calls_ -= hypercalls();					\
			if ((s64)(b_ - a_ - c_) < best_)			\
				best_ = (s64)(b_ - a_ - c_);			\
		}								\
		pv_irq_enable();						\
		report(path, name, best_, ROUND, calls_);			\
	} while (0)

#define OP(name, ...)	MEASURE("ops", #name, pv_##name(__VA_ARGS__), twin_##name(__VA_ARGS__))

static void not_measured(const char *name, const char *why)
{
	print("@pvops ops.%s {\"insns\":null,\"hypercalls\":null,\"why\":\"%s\"}\n", name, why);
}

static struct mm mm;
static pv_pfn_t page;

/* Assembly-only ops, with the stack that their contract requires. */
#define ASM_SITE(op_name, text)							\
	asm volatile(text : : [op] "i" (PV_OP_##op_name) : "memory", "cc", "rax", "rbx")

/* Xen's two words on top of a frame; other backends' op does not pop them. */
#define FRAME_TOP(site)		"mov %%rsp, %%rbx\n\tpush %%r11\n\tpush %%rcx\n\t" site	\
				"mov %%rbx, %%rsp\n\t"
/* A frame that returns to the next instruction: kernel (RPL 0), interrupts masked. */
#define IRET_FRAME(leave)	"mov %%rsp, %%rbx\n\tmov %%ss, %%eax\n\tpush %%rax\n\t"	\
				"push %%rbx\n\tpush $2\n\tmov %%cs, %%eax\n\t" \
				"and $-4, %%eax\n\tpush %%rax\n\t"			\
				"lea 772f(%%rip), %%rax\n\tpush %%rax\n\t" leave

static void measure_irq(void)
{
	u32 self = pv_port_this_cpu();
	pv_flags_t off;

	pv_irq_disable();
	off = pv_save_fl();
	pv_irq_enable();
	OP(save_fl);
	OP(restore_fl, off);
	OP(irqs_disabled_flags, off);
	OP(irq_disable);
	OP(irq_enable);
	not_measured("halt", "ends the CPU");
	/* With an interrupt pending: the cost of sleep and wake-up, without unmasking. */
	MEASURE("ops", "safe_halt",
		{ pv_irq_disable(); pv_send_ipi(self, PV_VECTOR_IPI + 1); pv_safe_halt(); },
		{ pv_irq_disable(); pv_send_ipi(self, PV_VECTOR_IPI + 1); pv_irq_enable(); });
	OP(upcall, 255);
	MEASURE("ops", "adjust_exception_frame",
		ASM_SITE(adjust_exception_frame, FRAME_TOP(PV_TEXT_OF_CALL6)),
		ASM_SITE(adjust_exception_frame, FRAME_TOP("")));
}

static u64 scratch_gdt[PV_PAGE_SIZE / 8] __attribute__((aligned(4096)));
static struct pv_gate scratch_idt[4];

static void measure_cpu(void)
{
	static const u64 tls[3];
	static const u64 desc;
	struct pv_cpuid regs = { .eax = 0 };
	struct pv_dtr gdtr = { GDT_ENTRIES * 8 - 1, (unsigned long)this_gdt() };
	struct pv_dtr idtr = { sizeof(idt) - 1, (unsigned long)idt };
	u64 cr0 = pv_read_cr0(), cr4 = pv_read_cr4(), val, sp0 = current_proc->stack_top;
	struct pv_tss *tss = PV_PERCPU_PTR(percpu_tss);
	u64 *gdt = this_gdt();
	/* As before it was loaded: not busy. */
	const u64 tss_desc[2] = { gdt[PV_GDT_TSS] & ~(2ULL << 40), gdt[PV_GDT_TSS + 1] };

	OP(read_cr0);
	OP(write_cr0, cr0);
	OP(read_cr2);
	OP(write_cr2, 0);
	OP(read_cr4);
	OP(write_cr4, cr4);
	OP(clts);
	OP(wbinvd);
	OP(cpuid, &regs);
	OP(read_msr, MSR_FS_BASE);
	OP(write_msr, MSR_FS_BASE, 0);
	OP(read_msr_safe, MSR_FS_BASE, &val);
	OP(write_msr_safe, MSR_FS_BASE, 0);
	not_measured("read_pmc", "no counter here");
	OP(rdtsc);
	OP(get_debugreg, 0);
	OP(set_debugreg, 0, 0);
	OP(load_gdt, &gdtr);
	OP(load_idt, &idtr);
	/* A loaded descriptor is busy, so it is written each time. */
	MEASURE("ops", "load_tr",
		{ pv_write_gdt_entry(gdt, PV_GDT_TSS, tss_desc, 2); pv_load_tr(PV_GDT_TSS * 8); },
		{ pv_write_gdt_entry(gdt, PV_GDT_TSS, tss_desc, 2); twin_load_tr(0); });
	OP(store_tr);
	OP(set_ldt, NULL, 0);
	OP(load_tls, gdt, tls);
	OP(load_gs_index, 0);
	OP(write_gdt_entry, gdt, GDT_ENTRIES - 1, &desc, 1);
	OP(write_ldt_entry, scratch_gdt, 0, 0);
	OP(write_idt_entry, scratch_idt, 0, &idt[20]);
	OP(load_sp0, tss, sp0);
	OP(set_iopl, 0);
	OP(io_delay);
	/* An even number of times, so the kernel's base is loaded again at the end. */
	MEASURE("ops", "swapgs", ASM_SITE(swapgs, PV_TEXT_OF_CALL6), (void)0);
	MEASURE("ops", "iret",
		ASM_SITE(iret, IRET_FRAME(PV_TEXT_JUMP6) "772: mov %%rbx, %%rsp\n\t"),
		ASM_SITE(iret, IRET_FRAME("") "772: mov %%rbx, %%rsp\n\t"));
	/* The pair, with no deferred op in between. */
	MEASURE("ops", "start_context_switch",
		{ pv_start_context_switch(); pv_end_context_switch(); },
		{ twin_start_context_switch(); twin_end_context_switch(); });
	not_measured("end_context_switch", "its cost is in start_context_switch");
}

static void measure_tables(const char *path, const char *alloc_name,
			   const char *release_name, pv_pfn_t (*alloc)(void),
			   void (*release)(pv_pfn_t pfn))
{
	pv_pfn_t pages[ROUND];
	s64 got = 0, gave = 0;
	u64 calls_got = 0, calls_gave = 0, start;
	u32 round, i;

	/* The first round fills the backend's cache. */
	for (round = 0; round < 2; round++) {
		pv_irq_disable();
		calls_got = hypercalls();
		start = pv_rdtsc();
		for (i = 0; i < ROUND; i++)
			pages[i] = alloc();
		got = (s64)(pv_rdtsc() - start);
		calls_gave = hypercalls();
		calls_got = calls_gave - calls_got;
		start = pv_rdtsc();
		for (i = 0; i < ROUND; i++)
			release(pages[i]);
		gave = (s64)(pv_rdtsc() - start);
		calls_gave = hypercalls() - calls_gave;
		pv_irq_enable();
	}
	report(path, alloc_name, got, ROUND, calls_got);
	report(path, release_name, gave, ROUND, calls_gave);
}

#define TABLE_FNS(level)					\
static pv_pfn_t get_##level(void) { return pv_alloc_##level(); }	\
static void put_##level(pv_pfn_t pfn) { pv_release_##level(pfn); }
TABLE_FNS(pte)
TABLE_FNS(pmd)
TABLE_FNS(pud)

static void measure_pages(const char *name, pv_pfn_t *pages, void (*fn)(pv_pfn_t *pfn))
{
	u64 calls, start;
	s64 cost;
	u32 i;

	pv_irq_disable();
	calls = hypercalls();
	start = pv_rdtsc();
	for (i = 0; i < ROUND; i++)
		fn(&pages[i]);
	cost = (s64)(pv_rdtsc() - start);
	calls = hypercalls() - calls;
	pv_irq_enable();
	report("ops", name, cost, ROUND, calls);
}

static void get_unpinned(pv_pfn_t *pfn)
{
	*pfn = pv_alloc_unpinned();
}

static void pin(pv_pfn_t *pfn)
{
	pv_pin_table(*pfn);
}

static void unpin(pv_pfn_t *pfn)
{
	pv_unpin_table(*pfn, 1);
}

/* Empty tables, which nothing points at.  Natively there are none, and the ops do nothing. */
static void measure_pins(void)
{
	pv_pfn_t pages[ROUND];
	u32 i;

	measure_pages("alloc_unpinned", pages, get_unpinned);
	measure_pages("pin_table", pages, pin);
	measure_pages("unpin_table", pages, unpin);
	for (i = 0; i < ROUND; i++)
		if (pages[i] != PV_PFN_NONE)
			pv_release_pte(pages[i]);
}

static pv_pfn_t get_root(void)
{
	return pv_pgd_alloc();
}

static void put_root(pv_pfn_t pfn)
{
	pv_pgd_free(pfn);
}

static void measure_mmu(void)
{
	static const struct pv_cpumask self = { { 1 } };
	pv_pte_t *ptep = vm_walk(mm.root, VA, true, &mm), pte;
	pv_p4d_t *p4dp = (pv_p4d_t *)pv_port_pfn_to_virt(mm.root) + (VA >> 39);
	pv_pud_t *pudp = (pv_pud_t *)(KERNEL_BASE + (pv_p4d_val(*p4dp) & PV_FRAME_MASK)) +
			 (VA >> 30 & 511);
	pv_pmd_t *pmdp = (pv_pmd_t *)(KERNEL_BASE + (pv_pud_val(*pudp) & PV_FRAME_MASK)) +
			 (VA >> 21 & 511);
	u64 cr3 = pv_pfn_nr(mm.root) << PV_PAGE_SHIFT;
	u64 val = pv_pfn_nr(page) << PV_PAGE_SHIFT | FLAGS_RW;
	pv_pmd_t pmd = *pmdp;
	pv_pud_t pud = *pudp;
	pv_p4d_t p4d = *p4dp;
	pv_maddr_t maddr;

	pv_write_cr3(cr3);
	OP(read_cr3);
	OP(write_cr3, cr3);
	OP(flush_tlb_user);
	OP(flush_tlb_kernel);
	OP(flush_tlb_one, VA);
	OP(flush_tlb_multi, &self, VA, VA + PAGE);
	pte = pv_make_pte(val);
	/* Values alternate, so that each write is a change. */
	MEASURE("ops", "set_pte", { pv_set_pte(ptep, pte); pte = (__force pv_pte_t)((__force u64)pte ^ PV_PTE_RW); },
		{ twin_set_pte(ptep, pte); pte = (__force pv_pte_t)((__force u64)pte ^ PV_PTE_RW); });
	pv_set_pte(ptep, pv_make_pte(val));
	OP(set_pmd, pmdp, pmd);
	OP(set_pud, pudp, pud);
	OP(set_p4d, p4dp, p4d);
	OP(pte_val, pte);
	MEASURE("ops", "pte_val_absent", pv_pte_val(pv_make_pte(0)), twin_pte_val(pte));
	OP(make_pte, val);
	OP(pmd_val, pmd);
	OP(make_pmd, pv_pmd_val(pmd));
	OP(pud_val, pud);
	OP(make_pud, pv_pud_val(pud));
	OP(p4d_val, p4d);
	OP(make_p4d, pv_p4d_val(p4d));
	OP(ptep_modify_prot_start, ptep);
	MEASURE("ops", "ptep_modify_prot_commit",
		{ pv_ptep_modify_prot_commit(ptep, pte);
		  pte = (__force pv_pte_t)((__force u64)pte ^ PV_PTE_RW); },
		{ twin_ptep_modify_prot_commit(ptep, pte);
		  pte = (__force pv_pte_t)((__force u64)pte ^ PV_PTE_RW); });
	measure_tables("ops", "alloc_pte", "release_pte", get_pte, put_pte);
	measure_tables("ops", "alloc_pmd", "release_pmd", get_pmd, put_pmd);
	measure_tables("ops", "alloc_pud", "release_pud", get_pud, put_pud);
	measure_pins();
	measure_tables("ops", "pgd_alloc", "pgd_free", get_root, put_root);
	OP(pgd_activate, mm.root);
	OP(table_cache, 64);
	maddr = (__force pv_maddr_t)((__force u64)*pv_port_linear_pte(page) & PV_FRAME_MASK);
	OP(set_fixmap, 3, maddr, PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_ACCESSED | PV_PTE_DIRTY |
	   PV_PTE_NX);
	pv_set_fixmap(3, (__force pv_maddr_t)0, 0);
	/* Batches nest, so there are as many leaves as enters. */
	OP(batch_enter, PV_BATCH_MMU);
	OP(batch_leave, PV_BATCH_MMU);
	OP(batch_flush);
	pv_set_pte(ptep, pv_make_pte(0));
	pv_write_cr3(pv_pfn_nr(kernel_mm.root) << PV_PAGE_SHIFT);
}

static void measure_rest(void)
{
	static const struct pv_cpumask none;
	static const u8 word;

	OP(clock_read);
	MEASURE("ops", "wall_clock", pv_wall_clock(), twin_wall_clock());
	OP(set_timer, ~0ULL);
	OP(stolen_time, 0);
	not_measured("start_cpu", "a CPU starts once");
	/* To this CPU, with interrupts masked: only the sending. */
	OP(send_ipi, 0, PV_VECTOR_IPI + 1);
	OP(send_ipi_mask, &none, PV_VECTOR_IPI);
	not_measured("stop_cpu", "ends the CPU");
	OP(console_write, "", 0);
	not_measured("shutdown", "ends the machine");
	OP(lock_wait, &word, 1);
	OP(lock_kick, 0);
	OP(vcpu_is_preempted, 0);
}

/* --- longer paths --- */

static void self_tests(void)
{
	MEASURE("bench", "idle", (void)0, (void)0);
	MEASURE("bench", "nop_sled_100", asm volatile(".rept 100\n\tnop\n\t.endr"), (void)0);
}

static bool step_over(struct regs *regs)
{
	return regs->vector == VECTOR_BP;
}

static volatile u64 ipi_seen;

static void see_ipi(u32 vector)
{
	if (vector == PV_VECTOR_IPI + 1)
		ipi_seen++;
}

static void call_nothing(void *arg)
{
	(void)arg;
}

static void measure_interrupts(void)
{
	u64 start, calls, i;

	trap_hook = step_over;
	MEASURE("bench", "exception", asm volatile("int3" : : : "memory"), (void)0);
	trap_hook = NULL;

	interrupt_hook = see_ipi;
	ipi_seen = 0;
	calls = hypercalls();
	start = pv_rdtsc();
	for (i = 1; i <= ROUND; i++) {
		pv_send_ipi(pv_port_this_cpu(), PV_VECTOR_IPI + 1);
		while (ipi_seen != i)
			;
	}
	report("bench", "self_ipi", (s64)(pv_rdtsc() - start), ROUND, hypercalls() - calls);
	interrupt_hook = NULL;

	calls = hypercalls();
	start = pv_rdtsc();
	for (i = 0; i < ROUND; i++) {
		u64 ticks = trap_count[PV_VECTOR_TIMER];

		pv_irq_disable();
		/* A time in the past: the timer is due before the halt. */
		pv_set_timer(pv_clock_read());
		while (trap_count[PV_VECTOR_TIMER] == ticks) {
			pv_safe_halt();
			pv_irq_disable();
		}
		pv_irq_enable();
	}
	report("bench", "timer_wakeup", (s64)(pv_rdtsc() - start), ROUND, hypercalls() - calls);
}

/* marks=on: a host can count exits between two writes to this port. */
#define MARK_PORT	0xe9

static void mark(const char *name, u32 nr)
{
	if (!cmdline_is("marks=", "on"))
		return;
	if (nr)
		print("@pvops marks.%s %u\n", name, nr);
	asm volatile("outb %b0, %w1" : : "a" (nr), "Nd" (MARK_PORT));
}

static const struct pv_cpumask second = { { 2 } };

static void call_second(void)
{
	pv_port_call_cpus(&second, call_nothing, NULL);
}

static void flush_second(void)
{
	pv_flush_tlb_multi(&second, VA, VA + PAGE);
}

static void spin(void)
{
	asm volatile("pause");
}

static void measure_pair(const char *name, u32 nr, void (*op)(void))
{
	u64 start, cost, calls, i;

	op();
	mark(name, nr);
	calls = hypercalls();
	start = pv_rdtsc();
	for (i = 0; i < ROUND; i++)
		op();
	cost = pv_rdtsc() - start;
	calls = hypercalls() - calls;
	mark(name, 0);
	report("bench", name, (s64)cost, ROUND, calls);
}

/* bench=smp: ops with two CPUs; the other one first sleeps, then runs. */
static void measure_second_cpu(void)
{
	if (cpus_online < 2) {
		test_error("bench=smp needs a second CPU");
		return;
	}
	measure_pair("ipi_round_trip", 1, call_second);
	measure_pair("remote_flush", 2, flush_second);
	cpu_idle_work = spin;
	cpu_wake(1);
	measure_pair("ipi_round_trip_busy", 3, call_second);
	measure_pair("remote_flush_busy", 4, flush_second);
	cpu_idle_work = NULL;
	cpu_wake(1);
}

/* Changes entries from one value to another in one batch, for each size of batch. */
static void measure_batch(const char *path, u64 from, u64 to)
{
	pv_pte_t *ptep = vm_walk(mm.root, VA, true, &mm);
	u32 n, i;

	for (n = 1; n <= 256; n *= 2) {
		u64 start, calls, cost, hundredths;

		pv_batch_enter(PV_BATCH_MMU);
		for (i = 0; i < n; i++)
			pv_set_pte(ptep + i, pv_make_pte(from));
		pv_batch_leave(PV_BATCH_MMU);
		calls = hypercalls();
		pv_irq_disable();
		start = pv_rdtsc();
		pv_batch_enter(PV_BATCH_MMU);
		for (i = 0; i < n; i++)
			pv_set_pte(ptep + i, pv_make_pte(to));
		pv_batch_leave(PV_BATCH_MMU);
		cost = pv_rdtsc() - start;
		pv_irq_enable();
		calls = hypercalls() - calls;
		hundredths = cost * 100 / n;
		print("@pvops %s.%u {\"insns\":%lu,\"hypercalls\":%lu,\"per_entry\":%lu.%02lu}\n",
		      path, n, (unsigned long)cost, (unsigned long)calls,
		      (unsigned long)hundredths / 100, (unsigned long)hundredths % 100);
	}
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 256; i++)
		pv_set_pte(ptep + i, pv_make_pte(0));
	pv_batch_leave(PV_BATCH_MMU);
}

static void measure_batches(bool full)
{
	u64 val = pv_pfn_nr(page) << PV_PAGE_SHIFT | FLAGS_RW;

	measure_batch("bench.set_pte_batch", val, val & ~PV_PTE_RW);
	if (!full)
		return;
	measure_batch("bench.map_batch", 0, val);
	measure_batch("bench.clear_batch", val, 0);
	pv_table_cache(0);
	measure_tables("bench", "alloc_pte_no_cache", "release_pte_no_cache", get_pte, put_pte);
	measure_tables("bench", "alloc_pmd_no_cache", "release_pmd_no_cache", get_pmd, put_pmd);
	measure_tables("bench", "alloc_pud_no_cache", "release_pud_no_cache", get_pud, put_pud);
	measure_tables("bench", "pgd_alloc_no_cache", "pgd_free_no_cache", get_root, put_root);
	pv_table_cache(64);
}

static void measure_memory(void)
{
	u64 home = pv_read_cr3(), start, calls, flushes;
	s64 cost;

	mm_map(&mm, VA, 256, true);
	pv_write_cr3(pv_pfn_nr(mm.root) << PV_PAGE_SHIFT);
	flushes = hypercalls();
	pv_flush_tlb_user();
	flushes = hypercalls() - flushes;
	calls = hypercalls();
	start = pv_rdtsc();
	mm_protect(&mm, VA, 256, false);
	cost = (s64)(pv_rdtsc() - start);
	calls = hypercalls() - calls - flushes;
	print("@pvops bench.protect_256 {\"insns\":%lu,\"hypercalls\":%lu,\"flush\":%lu}\n",
	      (unsigned long)cost, (unsigned long)calls, (unsigned long)flushes);
	mm_unmap(&mm, VA, 256);

	calls = hypercalls();
	start = pv_rdtsc();
	mm_map(&mm, VA, 64, true);
	mm_unmap(&mm, VA, 64);
	report("bench", "map_unmap_64", (s64)(pv_rdtsc() - start), 1, hypercalls() - calls);
	pv_write_cr3(home);
}

#define USER_RUNS	4

/* Runs @copies of a user program with argument @count; returns cost and hypercalls. */
static u64 user_run(u32 which, u64 count, u32 copies, u64 *calls)
{
	struct proc *procs[2] = { NULL, NULL };
	u64 cost;
	u32 n;

	*calls = hypercalls();
	cost = pv_rdtsc();
	for (n = 0; n < copies; n++)
		procs[n] = proc_start(which, count);
	for (n = 0; n < copies; n++)
		proc_wait(procs[n]);
	cost = pv_rdtsc() - cost;
	*calls = hypercalls() - *calls;
	return cost;
}

/*
 * The cost of a run with @count minus that of a run with 0.  Each is the least of some
 * runs, because a host may do other work in any of them.
 */
static void measure_user(const char *name, u32 which, u64 count, u32 copies)
{
	u64 least[2] = { ~0ULL, ~0ULL }, calls[2] = { 0, 0 };
	u32 run, i;

	/* One run is not measured, so that caches are equally full in all others. */
	proc_wait(proc_start(which, 1));
	for (run = 0; run < USER_RUNS; run++)
		for (i = 0; i < 2; i++) {
			u64 made, cost = user_run(which, i ? count : 0, copies, &made);

			if (cost < least[i]) {
				least[i] = cost;
				calls[i] = made;
			}
		}
	report("bench", name, (s64)(least[1] - least[0]), count * copies, calls[1] - calls[0]);
}

static void measure_processes(bool full)
{
	measure_user("syscall", USER_SYSCALLS, 64, 1);
	measure_user("copy_on_write_fault", USER_COW, 64, 1);
	/* Two processes that yield to each other and to the kernel's own process. */
	measure_user("context_switch", USER_YIELD, 32, 2);
	measure_user("address_space_copy", USER_FORK_MANY, 8, 1);
	if (!full)
		return;
	pv_table_cache(0);
	measure_user("address_space_copy_no_cache", USER_FORK_MANY, 8, 1);
	pv_table_cache(64);
}

void bench_run(void)
{
	bool full = cmdline_is("bench=", "full");

	if (cmdline_is("bench=", "smp")) {
		measure_second_cpu();
		return;
	}
	if (!full && !cmdline_is("bench=", "demo"))
		return;
	if (!mm_create(&mm) || (page = page_alloc()) == PV_PFN_NONE) {
		test_error("no memory for the benchmark");
		return;
	}
	pv_set_timer(~0ULL);
	self_tests();
	measure_irq();
	measure_cpu();
	measure_mmu();
	measure_rest();
	measure_interrupts();
	measure_memory();
	if (pv_backend()->null_hypercall)
		MEASURE("bench", "null_hypercall", pv_backend()->null_hypercall(), (void)0);
	else
		print("@pvops bench.null_hypercall {\"insns\":null,\"hypercalls\":null,\"why\":\"no hypervisor\"}\n");
	measure_batches(full);
	measure_processes(full);
	mm_destroy(&mm);
	page_put(page);
}
