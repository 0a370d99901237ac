// SPDX-License-Identifier: GPL-2.0-only
/*
 * One lock and a thread on each CPU, which takes it ROUNDS times for a moment.  Prints how
 * many ticks of the TSC all of that took; under -icount shift=0 that is the number of
 * instructions of all CPUs together.  Loading fails if the lock let two threads in.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include <asm/msr.h>

/* Inside and outside of the lock, so that four CPUs always find it taken. */
#define INSIDE	2000
#define OUTSIDE	1000

static unsigned int rounds = 20000;
module_param(rounds, uint, 0);

static DEFINE_SPINLOCK(lock);
static unsigned long taken;
static DECLARE_COMPLETION(done);

static noinline void work(unsigned int instructions)
{
	while (instructions--)
		barrier();
}

static int take(void *start)
{
	unsigned int nr;

	wait_for_completion(start);
	for (nr = 0; nr < rounds; nr++) {
		spin_lock(&lock);
		taken++;
		work(INSIDE);
		spin_unlock(&lock);
		work(OUTSIDE);
		cond_resched();
	}
	kthread_complete_and_exit(&done, 0);
}

static int __init locks_init(void)
{
	DECLARE_COMPLETION_ONSTACK(start);
	unsigned int cpu, cpus = 0, nr;
	int error = 0;
	u64 ticks;

	for_each_online_cpu(cpu) {
		struct task_struct *task = kthread_create_on_cpu(take, &start, cpu, "pvops_lock/%u");

		if (IS_ERR(task)) {
			error = PTR_ERR(task);
			rounds = 0;
			break;
		}
		wake_up_process(task);
		cpus++;
	}
	ticks = rdtsc_ordered();
	complete_all(&start);
	for (nr = 0; nr < cpus; nr++)
		wait_for_completion(&done);
	ticks = rdtsc_ordered() - ticks;
	pr_info("pvops_locks: cpus %u rounds %lu ticks %llu\n", cpus, taken, ticks);
	return error ?: taken == (unsigned long)cpus * rounds ? 0 : -EIO;
}

static void __exit locks_exit(void)
{
}

module_init(locks_init);
module_exit(locks_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Cost of a lock that all CPUs want");
