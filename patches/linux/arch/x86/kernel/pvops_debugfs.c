// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/pvops: what was found, chosen, refused and patched. */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <asm/paravirt.h>
#include <asm/sections.h>

#include <pvops/batch.h>
#include <pvops/pvops.h>

static int backend_show(struct seq_file *m, void *unused)
{
	const char *line;
	u32 nr;

	seq_printf(m, "%s\n", pv_backend()->name);
	for (nr = 0; (line = pv_detected(nr)); nr++)
		seq_printf(m, "detected: %s\n", line);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(backend);

static int ops_show(struct seq_file *m, void *unused)
{
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++)
		seq_printf(m, "%s %s %s %s %ps\n", pv_op_info[op].table,
			   pv_op_info[op].name, pv_op_info[op].site,
			   pv_impl_is_native(op) ? "native" : pv_backend()->name,
			   pv_impl_of(op)->fn);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ops);

/* Text of the start-up code is gone, its records are not. */
static bool is_freed(unsigned long addr)
{
	return addr >= (unsigned long)__init_begin &&
	       addr < (unsigned long)__init_end;
}

static int sites_show(struct seq_file *m, void *unused)
{
	const struct pv_site_set *set = pv_kernel_sites();
	u32 nr, count = set->end - set->start;
	struct pv_site_report report;

	for (nr = 0; nr < count; nr++) {
		if (is_freed(pv_site_addr(set->start + nr)) ||
		    !pv_site_report(set, nr, &report))
			continue;
		seq_printf(m, "%pS %s %s%s%s\n", (void *)report.addr,
			   report.op ? report.op->name : "?",
			   pv_form_text(report.form),
			   report.outline ? " outline" : "",
			   report.error ? " failed" : "");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

static int batch_show(struct seq_file *m, void *unused)
{
	const struct pv_batch_error *error;
	u32 nr;

	seq_printf(m, "refused updates: %u\n", pv_batch_error_count());
	for (nr = 0; (error = pv_batch_error(nr)); nr++)
		seq_printf(m, "%s from %pS: error %d\n",
			   pv_op_info[error->note.op].name,
			   (void *)error->note.caller, error->error);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(batch);

static int refused_show(struct seq_file *m, void *unused)
{
	const char *line;
	u32 nr;

	for (nr = 0; (line = pv_refused(nr)); nr++)
		seq_printf(m, "%s\n", line);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(refused);

/* Any write: all sites back to what was compiled, and forth again. */
static ssize_t repatch_write(struct file *file, const char __user *from,
			     size_t count, loff_t *pos)
{
	int error = pvops_patch_again();

	return error ? error : count;
}

static const struct file_operations repatch_fops = {
	.owner = THIS_MODULE,
	.write = repatch_write,
	.llseek = noop_llseek,
};

static int __init pvops_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("pvops", NULL);

	debugfs_create_file("backend", 0444, dir, NULL, &backend_fops);
	debugfs_create_file("ops", 0444, dir, NULL, &ops_fops);
	debugfs_create_file("sites", 0400, dir, NULL, &sites_fops);
	debugfs_create_file("repatch", 0200, dir, NULL, &repatch_fops);
	debugfs_create_file("batch", 0444, dir, NULL, &batch_fops);
	debugfs_create_file("refused", 0444, dir, NULL, &refused_fops);
	return 0;
}
late_initcall(pvops_debugfs_init);
