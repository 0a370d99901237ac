// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stray store to each given address (at=), and to the target of each given pointer
 * (through=); slide= is added to all of them.  The store writes back what it has read, once
 * by the address in the kernel image and once by that in the linear map.  The log has one
 * line for each result.  The module's own text and constants are tried too, and a variable,
 * which must be writable.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#define MOST	32

static unsigned long at[MOST], through[MOST];
static unsigned int at_count, through_count;
module_param_array(at, ulong, &at_count, 0);
module_param_array(through, ulong, &through_count, 0);
static unsigned long slide;
module_param(slide, ulong, 0);

static u8 variable = 1;
static const u8 constant = 1;

static bool store(unsigned long addr)
{
	u8 byte = READ_ONCE(*(u8 *)addr);
	bool written = false;

	pagefault_disable();
	__put_kernel_nofault((void *)addr, &byte, u8, fault);
	written = true;
fault:
	pagefault_enable();
	return written;
}

static void try(const char *what, unsigned long name, unsigned long addr)
{
	if (name)
		pr_info("pvops_stray: %s %lx %s\n", what, name,
			store(addr) ? "WRITTEN" : "refused");
	else
		pr_info("pvops_stray: %s %s\n", what,
			store(addr) ? "WRITTEN" : "refused");
}

/* @name: as it was given */
static void try_both(unsigned long name, unsigned long addr)
{
	try("image", name, addr);
	try("linear", name, (unsigned long)__va(__pa(addr)));
}

static void __exit stray_exit(void)
{
}

static int __init stray_init(void)
{
	unsigned int nr;

	for (nr = 0; nr < at_count; nr++)
		try_both(at[nr], at[nr] + slide);
	for (nr = 0; nr < through_count; nr++)
		try_both(through[nr], *(unsigned long *)(through[nr] + slide));
	try("text", 0, (unsigned long)try);
	try("constant", 0, (unsigned long)&constant);
	try("variable", 0, (unsigned long)&variable);
	return 0;
}

module_init(stray_init);
module_exit(stray_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("Test of what a stray store can change");
