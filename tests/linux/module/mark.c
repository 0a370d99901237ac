// SPDX-License-Identifier: GPL-2.0-only
/*
 * A write to /sys/module/pvops_mark/parameters/phase goes to port 0xe9.  A host that counts exits
 * begins a phase with that number.  (A process must not write to the port: QEMU's SVM refuses
 * ports of the bitmap to a guest's process, because the task register of a guest is busy.)
 */
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/module.h>

#define MARK_PORT	0xe9

static int phase_set(const char *text, const struct kernel_param *unused)
{
	u8 nr;
	int error = kstrtou8(text, 0, &nr);

	if (!error)
		outb(nr, MARK_PORT);
	return error;
}

static const struct kernel_param_ops phase_ops = {
	.set = phase_set,
};

module_param_cb(phase, &phase_ops, NULL, 0200);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Marks for a host that counts exits");
