// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of ops inside Linux: each read of /sys/kernel/debug/pvops/bench
 * measures it.
 *
 * Lines and figures have the form of the layer's own small guest: "@pvops", the
 * path of the figure, and a JSON object.  A figure is a difference of the TSC.
 * Under QEMU's -icount shift=0 the TSC counts executed instructions of guest
 * and hypervisor; elsewhere it counts ticks, and "idle" is not 0.
 *
 * Each op is executed REPEATS times in a row at patched sites of this module.
 * So is its twin, which has the same operands and clobbers but no code.  The
 * difference is the cost of the op; the median of ROUNDS is reported.
 *
 * The backend counts the hypercalls, except those of ops that Linux's platform
 * code overrides.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/string.h>

#include <asm/desc.h>
#include <asm/mmu_context.h>
#include <asm/paravirt.h>
#include <asm/processor.h>

#include <pvops/pvops.h>
#include <pvops/twin.h>

#define REPEATS		16
#define ROUNDS		25

#define REPEAT(x)	x; x; x; x; x; x; x; x; x; x; x; x; x; x; x; x

/* The page of the scratch address space. */
#define VA		0x40000000UL
#define TABLE_FLAGS	(PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | \
			 PV_PTE_ACCESSED)
#define PAGE_FLAGS	(TABLE_FLAGS | PV_PTE_DIRTY)

/* Static, because it is too large for a stack; for one reader at a time. */
static DEFINE_MUTEX(bench_lock);
static struct {
	struct seq_file *out;
	s64 insns[ROUNDS];
	s64 calls[ROUNDS];
	bool seen[PV_OP_COUNT];
	struct irq_work pending;
	void *scratch;			/* a page that nobody uses */
	u64 val;			/* entry for it */
	pv_pfn_t root, pud, pmd, pte;	/* tables down to it */
} bench;

static u64 hypercalls(void)
{
	const struct pv_backend *backend = pv_backend();

	return backend->hypercalls ? backend->hypercalls(~0U) : 0;
}

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

static s64 median(s64 *sample)
{
	sort(sample, ROUNDS, sizeof(*sample), compare, NULL);
	return sample[ROUNDS / 2];
}

/* Total divided by count, in hundredths. */
static void print_mean(s64 total, u32 count)
{
	u64 size = abs(total) * 100 + count / 2;
	u32 rest;

	size = div_u64(size, count);
	size = div_u64_rem(size, 100, &rest);
	seq_printf(bench.out, "%s%llu.%02u",
		   total < 0 && (size || rest) ? "-" : "", size, rest);
}

static void report(const char *path, const char *name, u32 count)
{
	seq_printf(bench.out, "@pvops %s.%s {\"insns\":", path, name);
	print_mean(median(bench.insns), count);
	seq_puts(bench.out, ",\"hypercalls\":");
	print_mean(median(bench.calls), count);
	seq_puts(bench.out, "}\n");
}

static void not_measured(const char *path, const char *name, const char *why)
{
	seq_printf(bench.out,
		   "@pvops %s.%s {\"insns\":null,\"hypercalls\":null,\"why\":\"%s\"}\n",
		   path, name, why);
}

/*
 * Interrupts are masked while an op is measured, by the bare ops: Linux's own
 * wrappers would be measured, too.  Preemption is off already.
 */
#define MEASURE(path, name, before, op, twin, after)			\
do {									\
	u32 i_;								\
									\
	for (i_ = 0; i_ < ROUNDS; i_++) {				\
		u64 start_, end_, twin_, calls_;			\
									\
		pv_irq_disable();					\
		REPEAT(before);						\
		calls_ = hypercalls();					\
		start_ = pv_rdtsc();					\
		REPEAT(op);						\
		end_ = pv_rdtsc();					\
		calls_ = 2 * hypercalls() - calls_;			\
		twin_ = pv_rdtsc();					\
		REPEAT(twin);						\
		twin_ = pv_rdtsc() - twin_;				\
		bench.calls[i_] = calls_ - hypercalls();		\
		bench.insns[i_] = end_ - start_ - twin_;		\
		REPEAT(after);						\
		pv_irq_enable();					\
	}								\
	report(path, name, REPEATS);					\
} while (0)

#define NOTHING		((void)0)

/* Measures an op with its preparation; @op is its name in the catalogue. */
#define MEASURE_OP(op, before, code, twin, after)			\
do {									\
	bench.seen[PV_OP_##op] = true;					\
	MEASURE("ops", #op, before, code, twin, after);			\
} while (0)

#define OP(op, ...)							\
	MEASURE_OP(op, NOTHING, pv_##op(__VA_ARGS__),			\
		   twin_##op(__VA_ARGS__), NOTHING)

static void wake(struct irq_work *work)
{
}

static noinline void measure_irq(void)
{
	pv_flags_t off;

	pv_irq_disable();
	off = pv_save_fl();
	pv_irq_enable();
	OP(save_fl);
	OP(restore_fl, off);
	OP(irqs_disabled_flags, off);
	OP(irq_disable);
	OP(irq_enable);
}

/* With an interrupt pending: the cost of sleep and wake-up alone. */
static noinline void measure_halt(void)
{
	MEASURE_OP(safe_halt, NOTHING,
		   { pv_irq_disable(); irq_work_queue(&bench.pending);
		     pv_safe_halt(); cpu_relax(); },
		   { pv_irq_disable(); irq_work_queue(&bench.pending);
		     pv_irq_enable(); cpu_relax(); }, NOTHING);
}

static noinline void measure_registers(void)
{
	u64 cr0 = pv_read_cr0(), cr2 = pv_read_cr2(), cr4 = pv_read_cr4();
	struct pv_cpuid regs = { };
	u64 dr0 = pv_get_debugreg(0);

	OP(read_cr0);
	OP(write_cr0, cr0);
	OP(read_cr2);
	OP(write_cr2, cr2);
	OP(read_cr4);
	OP(write_cr4, cr4);
	/* If TS can be set at all, it gets its old value again. */
	OP(clts);
	pv_write_cr0(cr0);
	OP(wbinvd);
	OP(cpuid, &regs);
	OP(rdtsc);
	OP(get_debugreg, 0);
	OP(set_debugreg, 0, dr0);
	OP(io_delay);
	OP(store_tr);
}

/* With the reader's own base, which does not change. */
static noinline void measure_msr(void)
{
	u64 base = pv_read_msr(MSR_FS_BASE), val;

	OP(read_msr, MSR_FS_BASE);
	OP(write_msr, MSR_FS_BASE, base);
	OP(read_msr_safe, MSR_FS_BASE, &val);
	OP(write_msr_safe, MSR_FS_BASE, base);
}

/* As update_task_stack() has it. */
static unsigned long entry_stack(void)
{
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return task_top_of_stack(current);
	return this_cpu_read(cpu_tss_rw.x86_tss.sp0);
}

static bool has_ldt(void)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return current->mm->context.ldt;
#else
	return false;
#endif
}

static noinline void measure_descriptors(void)
{
	u64 *gdt = (u64 *)get_cpu_gdt_rw(smp_processor_id());
	const u64 *tls = (const u64 *)current->thread.tls_array;
	struct pv_tss *tss = (struct pv_tss *)
			     this_cpu_ptr(&cpu_tss_rw.x86_tss);
	u64 gs_base = pv_read_msr(MSR_KERNEL_GS_BASE);
	unsigned long sp0 = entry_stack();
	struct pv_gate gate = { };
	unsigned short gs;

	savesegment(gs, gs);
	OP(load_tls, gdt, tls);
	OP(write_gdt_entry, gdt, GDT_ENTRY_TLS_MIN, tls, 1);
	OP(write_ldt_entry, bench.scratch, 0, 0);
	OP(write_idt_entry, bench.scratch, 0, &gate);
	OP(load_sp0, tss, sp0);
	/* The level of Linux's processes. */
	OP(set_iopl, 0);
	OP(load_gs_index, gs);
	pv_write_msr(MSR_KERNEL_GS_BASE, gs_base);
	if (!has_ldt())
		OP(set_ldt, NULL, 0);
}

/* Measures the pair, with no deferred op in between. */
static noinline void measure_switch(void)
{
	MEASURE_OP(start_context_switch, NOTHING,
		   { pv_start_context_switch(); pv_end_context_switch(); },
		   { twin_start_context_switch(); twin_end_context_switch(); },
		   NOTHING);
}

static noinline void measure_tlb(void)
{
	u64 cr3 = pv_read_cr3();
	static struct pv_cpumask self;
	u32 cpu = smp_processor_id();

	OP(read_cr3);
	OP(write_cr3, cr3);
	OP(flush_tlb_user);
	OP(flush_tlb_kernel);
	OP(flush_tlb_one, VA);
	if (cpu >= PV_MAX_CPUS)
		return;
	self.word[cpu / 64] = 1ULL << cpu % 64;
	OP(flush_tlb_multi, &self, VA, VA + PAGE_SIZE);
}

static void *table_of(pv_pfn_t pfn)
{
	return __va(PFN_PHYS(pv_pfn_nr(pfn)));
}

static u64 entry_of(pv_pfn_t pfn)
{
	return PFN_PHYS(pv_pfn_nr(pfn)) | TABLE_FLAGS;
}

static pv_pte_t *scratch_pte(void)
{
	return (pv_pte_t *)table_of(bench.pte) + pte_index(VA);
}

static pv_pmd_t *scratch_pmd(void)
{
	return (pv_pmd_t *)table_of(bench.pmd) + pmd_index(VA);
}

static pv_pud_t *scratch_pud(void)
{
	return (pv_pud_t *)table_of(bench.pud) + pud_index(VA);
}

static pv_p4d_t *scratch_p4d(void)
{
	return (pv_p4d_t *)table_of(bench.root) + pgd_index(VA);
}

/* An address space that no CPU ever loads. */
static bool make_tables(void)
{
	bench.root = pv_pgd_alloc();
	bench.pud = pv_alloc_pud();
	bench.pmd = pv_alloc_pmd();
	bench.pte = pv_alloc_pte();
	if (bench.root == PV_PFN_NONE || bench.pud == PV_PFN_NONE ||
	    bench.pmd == PV_PFN_NONE || bench.pte == PV_PFN_NONE)
		return false;
	preempt_disable();
	pv_set_pmd(scratch_pmd(), pv_make_pmd(entry_of(bench.pte)));
	pv_set_pud(scratch_pud(), pv_make_pud(entry_of(bench.pmd)));
	pv_set_p4d(scratch_p4d(), pv_make_p4d(entry_of(bench.pud)));
	preempt_enable();
	return true;
}

static void drop_tables(void)
{
	if (bench.root != PV_PFN_NONE) {
		preempt_disable();
		pv_set_p4d(scratch_p4d(), pv_make_p4d(0));
		preempt_enable();
		pv_pgd_free(bench.root);
	}
	if (bench.pud != PV_PFN_NONE) {
		preempt_disable();
		pv_set_pud(scratch_pud(), pv_make_pud(0));
		preempt_enable();
		pv_release_pud(bench.pud);
	}
	if (bench.pmd != PV_PFN_NONE) {
		preempt_disable();
		pv_set_pmd(scratch_pmd(), pv_make_pmd(0));
		preempt_enable();
		pv_release_pmd(bench.pmd);
	}
	if (bench.pte != PV_PFN_NONE)
		pv_release_pte(bench.pte);
}

static pv_pte_t toggled(pv_pte_t pte)
{
	return (__force pv_pte_t)((__force u64)pte ^ PV_PTE_RW);
}

static noinline void measure_entries(void)
{
	pv_pte_t *ptep = scratch_pte(), pte = pv_make_pte(bench.val);

	/* Values alternate, so that each write is a change. */
	MEASURE_OP(set_pte, NOTHING,
		   { pv_set_pte(ptep, pte); pte = toggled(pte); },
		   { twin_set_pte(ptep, pte); pte = toggled(pte); }, NOTHING);
	pv_set_pte(ptep, pv_make_pte(bench.val));
	OP(ptep_modify_prot_start, ptep);
	MEASURE_OP(ptep_modify_prot_commit, NOTHING,
		   { pv_ptep_modify_prot_commit(ptep, pte); pte = toggled(pte); },
		   { twin_ptep_modify_prot_commit(ptep, pte); pte = toggled(pte); },
		   NOTHING);
	pv_set_pte(ptep, pv_make_pte(0));
}

static noinline void measure_upper_entries(void)
{
	pv_pmd_t *pmdp = scratch_pmd(), pmd = *pmdp;
	pv_pud_t *pudp = scratch_pud(), pud = *pudp;
	pv_p4d_t *p4dp = scratch_p4d(), p4d = *p4dp;

	OP(set_pmd, pmdp, pmd);
	OP(set_pud, pudp, pud);
	OP(set_p4d, p4dp, p4d);
	OP(pgd_activate, bench.root);
}

static noinline void measure_values(void)
{
	u64 pmd_val = entry_of(bench.pte), pud_val = entry_of(bench.pmd);
	u64 p4d_val = entry_of(bench.pud), val = bench.val;
	pv_pte_t pte = pv_make_pte(val), none = pv_make_pte(0);
	pv_pmd_t pmd = pv_make_pmd(pmd_val);
	pv_pud_t pud = pv_make_pud(pud_val);
	pv_p4d_t p4d = pv_make_p4d(p4d_val);

	OP(pte_val, pte);
	MEASURE("ops", "pte_val_absent", NOTHING, pv_pte_val(none),
		twin_pte_val(none), NOTHING);
	OP(make_pte, val);
	OP(pmd_val, pmd);
	OP(make_pmd, pmd_val);
	OP(pud_val, pud);
	OP(make_pud, pud_val);
	OP(p4d_val, p4d);
	OP(make_p4d, p4d_val);
}

/* Batches nest, so there are as many leaves as enters. */
static noinline void measure_batch_ops(void)
{
	MEASURE_OP(batch_enter, NOTHING, pv_batch_enter(PV_BATCH_MMU),
		   twin_batch_enter(PV_BATCH_MMU),
		   pv_batch_leave(PV_BATCH_MMU));
	MEASURE_OP(batch_leave, pv_batch_enter(PV_BATCH_MMU),
		   pv_batch_leave(PV_BATCH_MMU), twin_batch_leave(PV_BATCH_MMU),
		   NOTHING);
	OP(batch_flush);
}

/* These ops may wait for memory, so interrupts are on; migration is off. */
#define MEASURE_TABLES(alloc, release)					\
do {									\
	s64 gave_[ROUNDS], gave_calls_[ROUNDS];				\
	pv_pfn_t pages_[REPEATS];					\
	u32 round_, i_;							\
									\
	bench.seen[PV_OP_##alloc] = true;				\
	bench.seen[PV_OP_##release] = true;				\
	for (round_ = 0; round_ < ROUNDS; round_++) {			\
		u64 start_, calls_ = hypercalls();			\
									\
		start_ = pv_rdtsc();					\
		for (i_ = 0; i_ < REPEATS; i_++)			\
			pages_[i_] = pv_##alloc();			\
		bench.insns[round_] = pv_rdtsc() - start_;		\
		bench.calls[round_] = hypercalls() - calls_;		\
		calls_ = hypercalls();					\
		start_ = pv_rdtsc();					\
		for (i_ = 0; i_ < REPEATS; i_++)			\
			if (pages_[i_] != PV_PFN_NONE)			\
				pv_##release(pages_[i_]);		\
		gave_[round_] = pv_rdtsc() - start_;			\
		gave_calls_[round_] = hypercalls() - calls_;		\
	}								\
	report("ops", #alloc, REPEATS);					\
	memcpy(bench.insns, gave_, sizeof(gave_));			\
	memcpy(bench.calls, gave_calls_, sizeof(gave_calls_));		\
	report("ops", #release, REPEATS);				\
} while (0)

static noinline void measure_pte_tables(void)
{
	MEASURE_TABLES(alloc_pte, release_pte);
}

static noinline void measure_pmd_tables(void)
{
	MEASURE_TABLES(alloc_pmd, release_pmd);
}

static noinline void measure_pud_tables(void)
{
	MEASURE_TABLES(alloc_pud, release_pud);
}

static noinline void measure_roots(void)
{
	MEASURE_TABLES(pgd_alloc, pgd_free);
}

static noinline void self_tests(void)
{
	MEASURE("bench", "idle", NOTHING, NOTHING, NOTHING, NOTHING);
	MEASURE("bench", "nop_sled_100", NOTHING,
		asm volatile(".rept 100\n\tnop\n\t.endr"), NOTHING, NOTHING);
}

static noinline void measure_null_hypercall(void)
{
	void (*null)(void) = pv_backend()->null_hypercall;

	if (null)
		MEASURE("bench", "null_hypercall", NOTHING, null(), NOTHING,
			NOTHING);
	else
		not_measured("bench", "null_hypercall", "no hypervisor");
}

static void set_many_ptes(u32 count, u64 val)
{
	pv_pte_t *ptep = scratch_pte();
	u32 nr;

	pv_batch_enter(PV_BATCH_MMU);
	for (nr = 0; nr < count; nr++)
		pv_set_pte(ptep + nr, pv_make_pte(val));
	pv_batch_leave(PV_BATCH_MMU);
}

/* Changes @count entries from writable to read-only in one batch. */
static noinline void measure_batch(u32 count)
{
	s64 insns;
	u32 round;

	for (round = 0; round < ROUNDS; round++) {
		u64 start, calls;

		set_many_ptes(count, bench.val);
		pv_irq_disable();
		calls = hypercalls();
		start = pv_rdtsc();
		set_many_ptes(count, bench.val & ~PV_PTE_RW);
		bench.insns[round] = pv_rdtsc() - start;
		bench.calls[round] = hypercalls() - calls;
		pv_irq_enable();
	}
	set_many_ptes(count, 0);
	insns = median(bench.insns);
	seq_printf(bench.out,
		   "@pvops bench.set_pte_batch.%u {\"insns\":%lld,\"hypercalls\":%lld,\"per_entry\":",
		   count, insns, median(bench.calls));
	print_mean(insns, count);
	seq_puts(bench.out, "}\n");
}

/* Prints a line for every op of the catalogue that was not measured. */
static void report_others(void)
{
	static const struct {
		const char *name, *table, *site;
	} ops[PV_OP_COUNT] = {
#define PV_OP(table, name, site, conv, ret, n, args, test) \
		[PV_OP_##name] = { #name, #table, #site },
#include <pvops/catalogue.h>
	};
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++) {
		const char *why = "a module must not do it";

		if (bench.seen[op])
			continue;
		if (op == PV_OP_end_context_switch)
			why = "its cost is in start_context_switch";
		else if (op == PV_OP_read_pmc)
			why = "no counter here";
		else if (op == PV_OP_set_ldt)
			why = "the reader has an LDT";
		else if (!strcmp(ops[op].site, "ASM6") ||
			 !strcmp(ops[op].site, "JUMP6"))
			why = "only entry code uses it";
		else if (!strcmp(ops[op].table, "time") ||
			 !strcmp(ops[op].table, "smp") ||
			 !strcmp(ops[op].table, "lock") ||
			 op == PV_OP_set_fixmap || op == PV_OP_upcall)
			why = "not used by Linux";
		not_measured("ops", ops[op].name, why);
	}
}

static void measure_here(void)
{
	u32 size;

	self_tests();
	measure_irq();
	measure_halt();
	measure_registers();
	measure_msr();
	measure_descriptors();
	measure_switch();
	measure_tlb();
	measure_entries();
	measure_upper_entries();
	measure_values();
	measure_batch_ops();
	OP(table_cache, 64);
	measure_null_hypercall();
	for (size = 1; size <= 256; size *= 2)
		measure_batch(size);
}

static int measure(void)
{
	bench.scratch = (void *)get_zeroed_page(GFP_KERNEL);
	if (!bench.scratch)
		return -ENOMEM;
	bench.val = __pa(bench.scratch) | PAGE_FLAGS;
	if (!make_tables()) {
		drop_tables();
		free_page((unsigned long)bench.scratch);
		return -ENOMEM;
	}
	seq_printf(bench.out, "@pvops backend \"%s\"\n", pv_backend()->name);
	/* Each CPU has its own counters and TSC. */
	migrate_disable();
	preempt_disable();
	measure_here();
	preempt_enable();
	measure_pte_tables();
	measure_pmd_tables();
	measure_pud_tables();
	measure_roots();
	migrate_enable();
	report_others();
	drop_tables();
	irq_work_sync(&bench.pending);
	free_page((unsigned long)bench.scratch);
	return 0;
}

static int bench_show(struct seq_file *m, void *unused)
{
	int error;

	mutex_lock(&bench_lock);
	bench.out = m;
	memset(bench.seen, 0, sizeof(bench.seen));
	error = measure();
	mutex_unlock(&bench_lock);
	return error;
}

/* Room for all output: if it did not fit, all would be measured again. */
#define OUTPUT_SIZE	SZ_64K

static int bench_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, bench_show, NULL, OUTPUT_SIZE);
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *bench_file;

static int __init bench_init(void)
{
	struct dentry *dir = debugfs_lookup("pvops", NULL);

	if (!dir) {
		pr_err("pvops_bench: no directory pvops in debugfs\n");
		return -ENODEV;
	}
	init_irq_work(&bench.pending, wake);
	bench_file = debugfs_create_file("bench", 0400, dir, NULL, &bench_fops);
	dput(dir);
	return PTR_ERR_OR_ZERO(bench_file);
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_file);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Cost of the pvops operations");
MODULE_LICENSE("GPL");
