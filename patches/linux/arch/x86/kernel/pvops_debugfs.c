// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/debug/pvops: results of detection, selection and patching. */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <asm/paravirt.h>
#include <asm/pvops_platform.h>

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

static int tables_show(struct seq_file *m, void *unused)
{
	const struct pv_backend *backend = pv_backend();

	if (backend->tables_kept)
		seq_printf(m, "pages kept: %u\n", backend->tables_kept());
	if (backend->lock_waits)
		seq_printf(m, "waits for locks: %llu\n", backend->lock_waits());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tables);

/* Counts of an op's sites by form; @outline: far sides of branch sites. */
struct op_sites {
	u32 form[PV_FORM_COUNT];
	u32 outline;
	u32 failed;
};

static void count_site(const struct pv_site_report *site, void *arg)
{
	struct op_sites *sites = arg;

	if (!site->op)
		return;
	sites += site->op - pv_op_info;
	if (site->error)
		sites->failed++;
	else if (site->outline)
		sites->outline++;
	else
		sites->form[site->form]++;
}

static int ops_show(struct seq_file *m, void *unused)
{
	struct op_sites *sites = kcalloc(PV_OP_COUNT, sizeof(*sites), GFP_KERNEL);
	u32 op, form;

	if (!sites)
		return -ENOMEM;
	pvops_each_site(count_site, sites);
	for (op = 0; op < PV_OP_COUNT; op++) {
		/* Linux has hooks of its own for some ops, instead of sites. */
		void *hook = pvops_platform_fn(op);

		seq_printf(m, "%s %s %s %s %ps", pv_op_info[op].table,
			   pv_op_info[op].name, pv_op_info[op].site,
			   pv_impl_is_native(op) && !hook ? "native" : pv_backend()->name,
			   hook ?: (void *)pv_impl_of(op)->fn);
		for (form = 0; form < PV_FORM_COUNT; form++)
			seq_printf(m, " %s=%u", pv_form_text(form),
				   sites[op].form[form]);
		seq_printf(m, " outline=%u failed=%u\n", sites[op].outline,
			   sites[op].failed);
	}
	kfree(sites);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ops);

static void show_site(const struct pv_site_report *site, void *m)
{
	seq_printf(m, "%pS %s %s%s%s\n", (void *)site->addr,
		   site->op ? site->op->name : "?", pv_form_text(site->form),
		   site->outline ? " outline" : "",
		   site->error ? " failed" : "");
}

static int sites_show(struct seq_file *m, void *unused)
{
	pvops_each_site(show_site, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

static int batch_show(struct seq_file *m, void *unused)
{
	const struct pv_batch_error *error;
	int cpu;
	u32 nr;

	for_each_possible_cpu(cpu) {
		const struct pv_batch *batch =
			PV_PERCPU_PTR_OF(pv_batch_this_cpu, cpu);

		seq_printf(m, "cpu %d: updates %llu flushes %llu\n", cpu,
			   READ_ONCE(batch->updates), READ_ONCE(batch->flushes));
	}
	seq_printf(m, "refused updates: %u, lost: %u\n",
		   pv_batch_error_count(), pv_batch_lost_count());
	for (nr = 0; (error = pv_batch_error(nr)); nr++)
		seq_printf(m, "%s from %pS: error %d, entry 0x%llx, value 0x%llx, second try: %s\n",
			   error->note.op < PV_OP_COUNT ?
			   pv_op_info[error->note.op].name : "cpu_init",
			   (void *)error->note.caller, error->error,
			   error->req.ptr, error->req.val,
			   error->again < 0 ? "lost" : error->again ? "none" : "good");
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

/* Any write: change all sites to their compiled text and back. */
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

	debugfs_create_file("backend", 0400, dir, NULL, &backend_fops);
	debugfs_create_file("ops", 0400, dir, NULL, &ops_fops);
	debugfs_create_file("sites", 0400, dir, NULL, &sites_fops);
	debugfs_create_file("tables", 0400, dir, NULL, &tables_fops);
	debugfs_create_file("repatch", 0200, dir, NULL, &repatch_fops);
	debugfs_create_file("batch", 0400, dir, NULL, &batch_fops);
	debugfs_create_file("refused", 0400, dir, NULL, &refused_fops);
	return 0;
}
late_initcall(pvops_debugfs_init);
