// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/pvops/fault: hypercalls of the layer that fail on purpose
 * (pvops/inject.h).  Hypercalls of Linux's own code do not fail.
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <pvops/batch.h>
#include <pvops/inject.h>

/* A test module reads it, to find out whether it runs inside a batch. */
EXPORT_SYMBOL_GPL(pv_batch_this_cpu);

#ifdef PV_PORT_PREEMPTION
/*
 * For tests of the tests: with pvops_preempt=off a task can be moved in the
 * middle of an update.  Only read in operations, so it must not change in one.
 */
bool pvops_preempt_left_out __ro_after_init;

static int __init preempt_option(char *text)
{
	if (!text || strcmp(text, "off")) {
		pr_err("pvops: pvops_preempt=%s: expected off\n", text ?: "");
		return 0;
	}
	pvops_preempt_left_out = true;
	return 0;
}
early_param("pvops_preempt", preempt_option);
#endif

static DEFINE_MUTEX(arm_lock);

/* Armed only after start of day, where nobody would retry a failed call. */
static char boot_text[32] __initdata;

static int __init fault_option(char *text)
{
	strscpy(boot_text, text, sizeof(boot_text));
	return 1;
}
__setup("pvops_fault=", fault_option);

static int fault_show(struct seq_file *m, void *unused)
{
	struct pv_inject_counts counts;

	pv_inject_read(&counts);
	seq_printf(m, "calls %llu\n", counts.calls);
	seq_printf(m, "injected %llu\n", counts.injected);
	seq_printf(m, "reported %llu\n", counts.reported);
	seq_printf(m, "followed %llu\n", counts.followed);
	seq_printf(m, "other %llu\n", counts.other);
	seq_printf(m, "dropped %llu\n", counts.dropped);
	seq_printf(m, "lost %u\n", pv_batch_lost_count());
	return 0;
}

static int fault_open(struct inode *inode, struct file *file)
{
	return single_open(file, fault_show, NULL);
}

static ssize_t fault_write(struct file *file, const char __user *from,
			   size_t count, loff_t *pos)
{
	char text[32];
	bool good;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, count))
		return -EFAULT;
	text[count] = 0;
	mutex_lock(&arm_lock);
	good = pv_inject_arm(text);
	mutex_unlock(&arm_lock);
	return good ? count : -EINVAL;
}

static const struct file_operations fault_fops = {
	.owner = THIS_MODULE,
	.open = fault_open,
	.read = seq_read,
	.write = fault_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* Runs after pvops_debugfs.c, which makes the folder. */
static int __init pvops_fault_init(void)
{
	struct dentry *dir = debugfs_lookup("pvops", NULL);

	debugfs_create_file("fault", 0600, dir, NULL, &fault_fops);
	dput(dir);
	if (boot_text[0])
		pv_inject_arm(boot_text);
	return 0;
}
late_initcall_sync(pvops_fault_init);
