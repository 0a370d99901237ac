// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs, timer interrupts and IPIs at random times, while the module is loaded.
 *
 * Each CPU has a timer.  Its handler, and that of the IPIs, updates page tables of its
 * own, as any handler may.  The queue of the interrupted code must be submitted before
 * that, and the handler's update must take effect at once, whatever batch is open.  NMI
 * handlers update nothing; like a profiler's, they read user memory, which may fault.
 *
 * /sys/kernel/debug/pvops/storm has counts per CPU: all events, those with an open batch
 * of updates, those with waiting entries in it, and those while the CPU submits entries
 * to the hypervisor (only an NMI can come then).
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/paravirt.h>
#include <asm/pgtable.h>

#include <pvops/batch.h>

static unsigned int mean_us = 2000;
module_param(mean_us, uint, 0400);
MODULE_PARM_DESC(mean_us, "Mean time between two timer interrupts of a CPU");

static unsigned int seed = 1;
module_param(seed, uint, 0400);

enum event { TIMER, IPI, NMI, EVENTS };

static const char *const names[EVENTS] = { "timer", "ipi", "nmi" };

struct count {
	u64 all, open, waiting, flushing;
};

struct storm {
	struct hrtimer timer;
	call_single_data_t csd;
	struct count count[EVENTS];
	u64 sent;		/* NMIs, by this CPU */
	u64 read;		/* of user memory, by NMIs */
	u64 random;
	u64 wrong;
	pte_t *table;
};

static DEFINE_PER_CPU(struct storm, storm);
static atomic_t nmis_on_their_way;
static bool stopping;

/* Counts the state of the interrupted code's batch. */
static void look(struct storm *s, enum event event)
{
	const struct pv_batch *batch = this_cpu_ptr(&pv_batch_this_cpu);
	struct count *count = &s->count[event];
	u32 used = READ_ONCE(batch->used), flushed = READ_ONCE(batch->flushed);

	count->all++;
	count->open += batch->depth[PV_BATCH_MMU] != 0;
	count->waiting += used != flushed;
	count->flushing += used && used == flushed;
}

static u32 random_below(struct storm *s, u32 below)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u64)(u32)(s->random >> 32) * below >> 32;
}

static void must(struct storm *s, bool good, const char *what)
{
	if (good)
		return;
	if (!s->wrong++)
		pr_err("pvops_storm: CPU %d: %s\n", smp_processor_id(), what);
}

/* An entry of a table that no CPU uses. */
static void update(struct storm *s)
{
	const struct pv_batch *batch = this_cpu_ptr(&pv_batch_this_cpu);
	pte_t pte = mk_pte(virt_to_page(s->table), PAGE_KERNEL_RO);
	pte_t *at = s->table + random_below(s, PTRS_PER_PTE);

	if (pte_val(READ_ONCE(*at)))
		pte = __pte(0);
	set_pte(at, pte);
	must(s, pte_val(READ_ONCE(*at)) == pte_val(pte),
	     "an update in an interrupt does not take effect at once");
	must(s, READ_ONCE(batch->used) == READ_ONCE(batch->flushed),
	     "an update in an interrupt takes effect before queued ones");
}

static void on_ipi(void *unused)
{
	struct storm *s = this_cpu_ptr(&storm);

	look(s, IPI);
	update(s);
}

static int other_cpu(struct storm *s)
{
	int cpu = smp_processor_id(), next = cpumask_next(cpu, cpu_online_mask);

	if (!random_below(s, 4))
		return cpu;
	return next < nr_cpu_ids ? next : cpumask_first(cpu_online_mask);
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct storm *s = this_cpu_ptr(&storm);
	int other = other_cpu(s);

	look(s, TIMER);
	if (READ_ONCE(stopping))
		return HRTIMER_NORESTART;
	update(s);
	if (random_below(s, 2)) {
		s->sent++;
		atomic_inc(&nmis_on_their_way);
		apic->send_IPI_mask(cpumask_of(other), NMI_VECTOR);
	} else if (other != smp_processor_id()) {
		/* Refused if the last one has not arrived yet. */
		smp_call_function_single_async(other, &s->csd);
	}
	hrtimer_forward_now(timer, ns_to_ktime(NSEC_PER_USEC *
					       (1 + random_below(s, 2 * mean_us))));
	return HRTIMER_RESTART;
}

/* Several NMIs may merge into one, so this handles every NMI after the first was sent. */
static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	struct storm *s = this_cpu_ptr(&storm);
	unsigned long word;

	if (!atomic_read(&nmis_on_their_way))
		return NMI_DONE;
	look(s, NMI);
	if (current->mm && !(s->count[NMI].all & 3))
		s->read += !copy_from_user_nmi(&word, (void __user *)current_user_stack_pointer(),
					       sizeof(word));
	return NMI_HANDLED;
}

static int storm_show(struct seq_file *m, void *unused)
{
	int cpu, event;

	for_each_online_cpu(cpu) {
		const struct storm *s = per_cpu_ptr(&storm, cpu);

		for (event = 0; event < EVENTS; event++) {
			const struct count *count = &s->count[event];

			seq_printf(m, "cpu %d %s all %llu open %llu waiting %llu flushing %llu\n", cpu,
				   names[event], count->all, count->open, count->waiting,
				   count->flushing);
		}
		seq_printf(m, "cpu %d sent %llu read %llu wrong %llu\n", cpu, s->sent, s->read,
			   s->wrong);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(storm);

static struct dentry *file;

static void start(void *unused)
{
	struct storm *s = this_cpu_ptr(&storm);

	hrtimer_start(&s->timer, ns_to_ktime(mean_us * NSEC_PER_USEC), HRTIMER_MODE_REL_PINNED_HARD);
}

static void free_tables(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu_ptr(&storm, cpu)->table);
}

static int __init storm_init(void)
{
	struct dentry *dir;
	int cpu, error;

	if (!mean_us || mean_us > 1000000) {
		pr_err("pvops_storm: mean_us=%u: not 1 to 1000000\n", mean_us);
		return -EINVAL;
	}
	for_each_possible_cpu(cpu) {
		struct storm *s = per_cpu_ptr(&storm, cpu);

		s->random = seed + cpu;
		s->table = (pte_t *)get_zeroed_page(GFP_KERNEL);
		if (!s->table) {
			free_tables();
			return -ENOMEM;
		}
		INIT_CSD(&s->csd, on_ipi, NULL);
		hrtimer_init(&s->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		s->timer.function = on_timer;
	}
	error = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "pvops_storm");
	if (error) {
		free_tables();
		return error;
	}
	dir = debugfs_lookup("pvops", NULL);
	file = debugfs_create_file("storm", 0400, dir, NULL, &storm_fops);
	dput(dir);
	on_each_cpu(start, NULL, 1);
	return 0;
}

static void __exit storm_exit(void)
{
	int cpu;

	WRITE_ONCE(stopping, true);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu_ptr(&storm, cpu)->timer);
	/* IPIs and NMIs that are under way arrive. */
	msleep(100);
	unregister_nmi_handler(NMI_LOCAL, "pvops_storm");
	debugfs_remove(file);
	free_tables();
}

module_init(storm_init);
module_exit(storm_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Interrupts and NMIs at random times, for a test of batches");
