// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lazy updates of page tables across a sleep, across preemption and across a move to another
 * CPU, and a table of the kernel that comes and goes.  Only with the pvops layer: Linux's own
 * lazy mode does not nest, and Linux itself has no way back for a table.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include <asm/paravirt.h>
#include <asm/pgtable.h>

#include "sites.h"

static pte_t *entry_of(void *va)
{
	unsigned int level;
	pte_t *ptep = lookup_address((unsigned long)va, &level);

	return ptep && level == PG_LEVEL_4K ? ptep : NULL;
}

/*
 * Does an update wait?  Makes one, checks it and undoes it.  Interrupts are off, because one
 * would submit the update before the check.
 */
static bool waits(pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);
	unsigned long flags;
	bool waited;

	local_irq_save(flags);
	set_pte(ptep, pte_wrprotect(pte));
	waited = pte_write(READ_ONCE(*ptep));
	local_irq_restore(flags);
	arch_flush_lazy_mmu_mode();
	set_pte(ptep, pte);
	arch_flush_lazy_mmu_mode();
	return waited;
}

struct other {
	pte_t *ptep;
	unsigned int rounds;
	unsigned int waited;
};

/* Opens no batch, so none of its updates may wait. */
static int other_task(void *arg)
{
	struct other *other = arg;

	while (!kthread_should_stop()) {
		other->waited += waits(other->ptep);
		other->rounds++;
		usleep_range(100, 200);
	}
	return 0;
}

static int sleep_in_lazy_mode(pte_t *ptep)
{
	bool before, behind, inner;

	enter_lazy_mode();
	enter_lazy_mode();
	before = waits(ptep);
	usleep_range(3000, 4000);
	behind = waits(ptep);
	leave_lazy_mode();
	inner = waits(ptep);
	usleep_range(3000, 4000);
	leave_lazy_mode();
	SHOULD(behind == before);
	SHOULD(inner == before);
	SHOULD(!waits(ptep));
	return 0;
}

/* Updates all the time; a kernel that preempts itself runs the other task meanwhile. */
static int busy_in_lazy_mode(pte_t *ptep, const struct other *other)
{
	/* On a busy machine, the other task may not have a turn for long. */
	unsigned long end = jiffies + HZ / 50, limit = jiffies + 20 * HZ;
	pte_t pte = READ_ONCE(*ptep);
	unsigned int rounds = READ_ONCE(other->rounds);
	bool before, same = true;

	enter_lazy_mode();
	enter_lazy_mode();
	before = waits(ptep);
	while (time_before(jiffies, end) ||
	       (preempt_model_full() && READ_ONCE(other->rounds) == rounds &&
		time_before(jiffies, limit))) {
		set_pte(ptep, pte_wrprotect(pte));
		set_pte(ptep, pte);
		/* waits() reads the entry. */
		arch_flush_lazy_mmu_mode();
		same &= waits(ptep) == before;
	}
	rounds = READ_ONCE(other->rounds) - rounds;
	leave_lazy_mode();
	same &= waits(ptep) == before;
	leave_lazy_mode();
	SHOULD(same);
	SHOULD(!waits(ptep));
	SHOULD(!preempt_model_full() || rounds);
	return 0;
}

struct moved {
	pte_t *ptep;
	unsigned int rounds;
	unsigned int wrong;
};

/* Is moved at any instruction; each update must be in the table all the same. */
static int moved_task(void *arg)
{
	struct moved *moved = arg;
	pte_t *ptep = moved->ptep, pte = READ_ONCE(*ptep);

	while (!kthread_should_stop()) {
		enter_lazy_mode();
		set_pte(ptep, pte);
		enter_lazy_mode();
		set_pte(ptep, pte_wrprotect(pte));
		leave_lazy_mode();
		set_pte(ptep, pte);
		set_pte(ptep, pte_wrprotect(pte));
		leave_lazy_mode();
		moved->wrong += !!pte_write(READ_ONCE(*ptep));
		set_pte(ptep, pte);
		moved->wrong += !pte_write(READ_ONCE(*ptep));
		moved->rounds++;
		cond_resched();
	}
	return 0;
}

/* Two tasks that move from CPU to CPU, so that one comes into what the other has left. */
int test_lazy_moves(void)
{
	unsigned int cpu = cpumask_first(cpu_online_mask), move, nr, rounds = 0, wrong = 0;
	struct task_struct *task[2] = { };
	struct moved moved[2] = { };
	void *page[2] = { };
	int error = -ENOMEM;

	for (nr = 0; nr < ARRAY_SIZE(task); nr++) {
		page[nr] = vmalloc(PAGE_SIZE);
		if (!page[nr])
			goto out;
		moved[nr].ptep = entry_of(page[nr]);
		task[nr] = kthread_run(moved_task, &moved[nr], "pvops_moved/%u", nr);
		if (IS_ERR(task[nr])) {
			task[nr] = NULL;
			goto out;
		}
	}
	for (move = 0; move < 100; move++) {
		for (nr = 0; nr < ARRAY_SIZE(task); nr++) {
			set_cpus_allowed_ptr(task[nr], cpumask_of(cpu));
			cpu = cpumask_next(cpu, cpu_online_mask);
			if (cpu >= nr_cpu_ids)
				cpu = cpumask_first(cpu_online_mask);
		}
		/* With an even number of CPUs, each task would keep its own. */
		if (move % 3)
			swap(task[0], task[1]);
		usleep_range(20 + move % 7, 30);
	}
	/* On a busy machine, a task may not have had a turn. */
	for (move = 0; move < 10000 && !(moved[0].rounds && moved[1].rounds); move++)
		usleep_range(1000, 2000);
	error = 0;
out:
	for (nr = 0; nr < ARRAY_SIZE(task); nr++)
		if (task[nr])
			kthread_stop(task[nr]);
	for (nr = 0; nr < ARRAY_SIZE(task); nr++) {
		rounds += moved[nr].rounds;
		wrong += moved[nr].wrong;
		vfree(page[nr]);
	}
	if (!error && (!rounds || wrong)) {
		pr_err("pvops_sites: tasks that move: %u rounds, %u wrong entries\n",
		       rounds, wrong);
		error = -EIO;
	}
	return error;
}

int test_lazy_sleep(void)
{
	void *own = vmalloc(PAGE_SIZE), *others = vmalloc(PAGE_SIZE);
	struct other other = { };
	struct task_struct *task;
	int error = -ENOMEM;
	cpumask_t allowed;

	if (!own || !others)
		goto out;
	other.ptep = entry_of(others);
	cpumask_copy(&allowed, current->cpus_ptr);
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	task = kthread_create(other_task, &other, "pvops_other");
	if (IS_ERR(task))
		goto allow;
	kthread_bind(task, raw_smp_processor_id());
	wake_up_process(task);
	error = sleep_in_lazy_mode(entry_of(own));
	if (!error)
		error = busy_in_lazy_mode(entry_of(own), &other);
	kthread_stop(task);
	if (!error && (!other.rounds || other.waited)) {
		pr_err("pvops_sites: of %u updates of another task, %u waited\n",
		       other.rounds, other.waited);
		error = -EIO;
	}
allow:
	set_cpus_allowed_ptr(current, &allowed);
out:
	vfree(own);
	vfree(others);
	return error;
}

/* Like xen/p2m.c after a lost race: a detached page is no table any more, and writable. */
int test_kernel_table(void)
{
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL);

	SHOULD(page);
	pv_outline_attach_table(__pa(page) >> PAGE_SHIFT, 1);
	pv_outline_detach_table(__pa(page) >> PAGE_SHIFT, 1);
	memset(page, 0xaa, PAGE_SIZE);
	SHOULD(page[PAGE_SIZE - 1] == 0xaa);
	free_page((unsigned long)page);
	return 0;
}
