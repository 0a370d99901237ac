// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The contract suite's runner.  The list of tests comes from the catalogue: the
 * guest does not link if the test of an op is missing.
 */
#include "guest.h"

#define PV_OP(table, name, site, conv, ret, n, args, test) void test_##test(void);
#include <pvops/catalogue.h>

struct test {
	const char *name;
	void (*run)(void);
};

static const struct test op_tests[] = {
#define PV_OP(table, name, site, conv, ret, n, args, test) { #test, test_##test },
#include <pvops/catalogue.h>
};

static const struct test load = { "load", load_run };

/*
 * Tests whose ops may be preempted.  They observe nothing that belongs to a CPU, and count no
 * interrupts.
 */
static const char *const preemptible[] = {
	"save_fl", "restore_fl", "irqs_disabled_flags", "read_cr3", "read_cr4",
	"set_pte", "set_pmd", "set_pud", "set_p4d", "pte_val", "make_pte", "pmd_val", "make_pmd",
	"pud_val", "make_pud", "p4d_val", "make_p4d", "modify_prot", "alloc_release_pte",
	"alloc_release_pmd", "alloc_release_pud", "pgd", "pgd_kernel_half", "table_cache",
	"batch", "batch_nested", "batch_overflow", "batch_drains", "batch_refused",
	"batch_preempted", "processes", "syscalls", "memory", "fork",
};

/* Tests of the contract beyond single ops. */
#define EXTRA(x)	\
	x(batch_nested) x(batch_overflow) x(batch_interrupt) x(batch_refused)	\
	x(batch_drains) x(batch_preempted) x(pgd_kernel_half) x(counters) x(processes) x(preemption) x(fork) x(memory)	\
	x(user_faults) x(syscalls) x(repatch) x(cpu_missing) x(wx) x(wx_map) x(register_state)	\
	x(patch_pass) x(batch_unknown_error) x(vmi_direct) x(vmi_counts) x(vmi_batch) x(vmi_wx) \
	x(vmimon_traps) x(vmimon_ioapic)	\
	x(kvm_flush) x(kvm_stolen) x(kvm_exit) x(hyperv_calls) x(hyperv_forms) x(hyperv_given_back)	\
	x(xenhvm_flush) x(xenhvm_stopped) x(xenhvm_console) x(detection) x(every_cpu)	\
	x(hyperv_wide) x(hyperv_refused) x(timer_far) x(level_interrupt) x(xen_run_states)	\
	x(masked_interrupts) x(hold_cpus)

#define DECLARE(name)	void test_##name(void);
EXTRA(DECLARE)
#define ENTRY(name)	{ #name, test_##name },
static const struct test extra_tests[] = { EXTRA(ENTRY) };

u64 hypercalls(void)
{
	return pv_backend()->hypercalls ? pv_backend()->hypercalls(~0U) : 0;
}

static bool all_is_chosen(void)
{
	size_t len, i;
	const char *words = cmdline_value("pvops=", &len);

	for (i = 0; words && i < len; i++)
		if (words[i] == '-')
			return false;
	return true;
}

bool batches(void)
{
	bool open;

	pv_batch_enter(PV_BATCH_MMU);
	open = pv_batch_open(PV_BATCH_MMU);
	pv_batch_leave(PV_BATCH_MMU);
	EXPECT(open || !all_is_chosen());
	return open;
}

#define COUNT(array)	((u32)(sizeof(array) / sizeof((array)[0])))

static u32 failures;
static const char *skipped;
static const char *errored;
static bool outside;
static u32 passed_total, failed_total, skipped_total, error_total;

void test_fail(const char *file, int line, const char *what, u64 got, u64 want)
{
	/* A broken loop must not fill the log. */
	if (failures++ < 4)
		print("# %s:%d: %s (got 0x%lx, want 0x%lx)\n", file, line, what,
		      (unsigned long)got, (unsigned long)want);
}

void test_skip(const char *why)
{
	skipped = why;
}

void test_error(const char *why)
{
	errored = why;
}

void test_outside(void)
{
	outside = true;
}

static bool already(u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (text_equal(op_tests[i].name, op_tests[nr].name))
			return true;
	return false;
}

/* test=all (default), none, or names joined by ':'. */
static bool wanted(const char *name)
{
	size_t len, n = text_length(name);
	const char *list = cmdline_value("test=", &len);
	size_t at = 0;

	if (!list || (len == 3 && !memcmp(list, "all", 3)))
		return true;
	while (at < len) {
		size_t end = at;

		while (end < len && list[end] != ':')
			end++;
		if (end - at == n && !memcmp(list + at, name, n))
			return true;
		at = end + 1;
	}
	return false;
}

static bool is_preemptible(const char *name)
{
	u32 i;

	for (i = 0; i < COUNT(preemptible); i++)
		if (text_equal(preemptible[i], name))
			return true;
	return false;
}

static void run(const struct test *test, u32 nr)
{
	failures = 0;
	skipped = NULL;
	errored = NULL;
	outside = false;
	if (is_preemptible(test->name))
		preempt_run(test->run);
	else
		test->run();
	if (errored) {
		error_total++;
		print("not ok %u - test-%s-%s # ERROR %s\n", nr, boot_info.env, test->name, errored);
	} else if (failures) {
		failed_total++;
		print("not ok %u - test-%s-%s\n", nr, boot_info.env, test->name);
	} else if (skipped) {
		skipped_total++;
		print("ok %u - test-%s-%s # SKIP %s\n", nr, boot_info.env, test->name, skipped);
	} else {
		passed_total++;
		print("ok %u - test-%s-%s%s\n", nr, boot_info.env, test->name,
		      outside ? " # OUTSIDE" : "");
	}
}

static u32 each_test(bool run_it)
{
	u32 i, nr = 0;

	for (i = 0; i < COUNT(op_tests); i++)
		if (!already(i) && wanted(op_tests[i].name)) {
			nr++;
			if (run_it)
				run(&op_tests[i], nr);
		}
	for (i = 0; i < COUNT(extra_tests); i++)
		if (wanted(extra_tests[i].name)) {
			nr++;
			if (run_it)
				run(&extra_tests[i], nr);
		}
	/* Only on request. */
	if (cmdline_value("load=", &(size_t){ 0 })) {
		nr++;
		if (run_it)
			run(&load, nr);
	}
	return nr;
}

/* Reports names on the command line that are no tests. */
static void check_names(void)
{
	size_t len, at = 0;
	const char *list = cmdline_value("test=", &len);

	if (!list)
		return;
	while (at < len) {
		size_t end = at;
		bool known;
		u32 i;

		while (end < len && list[end] != ':')
			end++;
#define IS(name)	(text_length(name) == end - at && !memcmp(name, list + at, end - at))
		known = IS("all") || IS("none");
		for (i = 0; i < COUNT(op_tests); i++)
			known |= IS(op_tests[i].name);
		for (i = 0; i < COUNT(extra_tests); i++)
			known |= IS(extra_tests[i].name);
		if (!known) {
			char name[64];

			len = len > at + 63 ? at + 63 : len;
			memcpy(name, list + at, end - at > 63 ? 63 : end - at);
			name[end - at > 63 ? 63 : end - at] = '\0';
			pv_port_log("test=%s: no such test", name);
			error_total++;
		}
		at = end + 1;
	}
}

void tests_run(void)
{
	print("KTAP version 1\n1..%u\n", each_test(false));
	check_names();
	each_test(true);
	DATA("contract", "{\"pass\":%u,\"fail\":%u,\"skip\":%u,\"error\":%u}", passed_total,
	     failed_total, skipped_total, error_total);
	bench_run();
	report_faults();
	preempt_report();
	print("pvops-guest: end: pass %u fail %u skip %u error %u\n", passed_total, failed_total,
	      skipped_total, error_total);
}
