// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-apply: verify and apply, on text that is really executed.
 *
 * First half: this program's own text.  users.c uses every op of the catalogue
 * through the real wrappers, fake_ops.S those that only assembly has, and the
 * core's batches use some too.  It is patched for one backend, another, and
 * back, and run in between.
 *
 * Second half: a small text mapped twice, executable here and writable there,
 * with hand-made records, most of them wrong.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"
#include "users.h"

extern const struct pv_site __pv_sites_start[];
extern const struct pv_site __pv_sites_end[];
extern const u8 __pv_text_start[];
extern const u8 __pv_text_end[];

/* --- the program's own text --- */

static struct pv_site_set own;
static u8 *compiled;

static size_t text_size(void)
{
	return (size_t)(__pv_text_end - __pv_text_start);
}

static void assert_text_as_compiled(void)
{
	assert_memory_equal(__pv_text_start, compiled, text_size());
}

static void fill_table(u32 which)
{
	void (**slot)(void) = (void (**)(void))&pv_slots;
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++)
		slot[op] = fake_impls[which][op]->fn;
}

/* Changing backends as a kernel must: back to the table, then the other. */
static void patch_for(u32 which)
{
	fill_table(which);
	assert_int_equal(pv_apply(&own, fake_impls[which]), 0);
	assert_string_equal(host_log(), "");
}

static int setup_own(void **state)
{
	fresh(state);
	host_port.alias = 0;
	if (!compiled) {
		compiled = malloc(text_size());
		memcpy(compiled, __pv_text_start, text_size());
	}
	own = (struct pv_site_set) {
		.name = "own",
		.start = __pv_sites_start,
		.end = __pv_sites_end,
		.text_start = (unsigned long)__pv_text_start,
		.text_end = (unsigned long)__pv_text_end,
	};
	fill_table(FAKE_NATIVE);
	return 0;
}

static int teardown_own(void **state)
{
	(void)state;
	host_port.refuse_text = false;
	return pv_apply(&own, NULL) || memcmp(__pv_text_start, compiled, text_size());
}

#define TEST_OWN(function) \
	cmocka_unit_test_setup_teardown(function, setup_own, teardown_own)

/* Privileged instructions, compiled in line: a user process gets a signal. */
static sigjmp_buf faulted;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(faulted, 1);
}

static bool faults(const struct user *user, const u64 *arg)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER }, old;
	bool result;

	sigaction(SIGSEGV, &fault, &old);
	result = sigsetjmp(faulted, 1);
	if (!result)
		user->use(arg);
	sigaction(SIGSEGV, &old, NULL);
	return result;
}

static bool privileged(enum pv_op op)
{
	switch (op) {
	case PV_OP_read_msr:
	case PV_OP_write_msr:
	case PV_OP_get_debugreg:
	case PV_OP_set_debugreg:
	case PV_OP_flush_tlb_user:
	case PV_OP_flush_tlb_kernel:
	case PV_OP_flush_tlb_one:
		return true;
	default:
		return false;
	}
}

/* Ops whose function has an effect of its own instead of a noted call. */
static bool has_effect(u32 which, enum pv_op op)
{
	switch (op) {
	case PV_OP_save_fl:
	case PV_OP_restore_fl:
	case PV_OP_irq_disable:
	case PV_OP_irq_enable:
		return true;
	case PV_OP_irqs_disabled_flags:
	case PV_OP_set_pte:
		return which == FAKE_NATIVE;
	default:
		return false;
	}
}

static u64 arena[16][8];

/* Arguments that the native in-line code can live with. */
static void arguments(const struct user *user, u64 *arg)
{
	u32 i;

	for (i = 0; i < 4; i++)
		arg[i] = (u64)arena[i];
	switch (user->op) {
	case PV_OP_write_gdt_entry:
		arg[1] = 1;
		arg[3] = 2;
		break;
	case PV_OP_write_ldt_entry:
		arg[1] = 2;
		break;
	case PV_OP_write_idt_entry:
	case PV_OP_get_debugreg:
	case PV_OP_set_debugreg:
		arg[user->op == PV_OP_write_idt_entry] = 1;
		break;
	default:
		break;
	}
}

/* Use an op and check that it reached backend @which, as a function or not. */
static void check_use(const struct user *user, u32 which, bool patched)
{
	const struct pv_impl *impl = fake_impls[which][user->op];
	u32 room = strcmp(pv_op_info[user->op].site, "CALL9") ? 6 : 9;
	bool empty = patched && (impl->flags & PV_IMPL_NOP);
	bool in_place = patched && impl->code && (u64)(impl->code_end - impl->code) <= room;
	u64 calls = fake_calls[which][user->op];
	u64 other = fake_calls[!which][user->op];
	u64 result, want = fake_result[which][user->op];
	u64 arg[4];
	u32 i;

	if (has_effect(which, user->op))
		return;
	arguments(user, arg);
	if (patched && user->branch && (impl->flags & PV_IMPL_BEHIND_BRANCH)) {
		if (privileged(user->op)) {
			if (!faults(user, arg))
				fail_msg("%s: in-line native code did not run", user->name);
		} else if (user->op != PV_OP_read_pmc) {
			user->use(arg);
		}
		assert_int_equal(fake_calls[which][user->op], calls);
		return;
	}
	result = user->use(arg);
	if (fake_calls[which][user->op] != calls + (!empty && !in_place) ||
	    fake_calls[!which][user->op] != other)
		fail_msg("%s: backend %u, patched %u: wrong function called", user->name,
			 which, patched);
	if (empty)
		return;
	if (user->asm_convention && user->nargs == 1)
		want ^= arg[0];
	if (user->has_result && (result & user->result_mask) != (want & user->result_mask))
		fail_msg("%s: backend %u, patched %u: result 0x%llx instead of 0x%llx",
			 user->name, which, patched, (unsigned long long)result,
			 (unsigned long long)want);
	if (user->asm_convention || in_place)
		return;
	assert_int_equal(fake_last_op, user->op);
	for (i = 0; i < user->nargs; i++)
		if ((fake_args[i] & user->arg_mask[i]) != (arg[i] & user->arg_mask[i]))
			fail_msg("%s: argument %u is 0x%llx instead of 0x%llx", user->name, i,
				 (unsigned long long)fake_args[i], (unsigned long long)arg[i]);
}

/* The irq ops have an effect on fake_flags; use_asm_* are not in users[]. */
static void check_irq_and_asm(u32 which, bool patched)
{
	const struct user *user = users;
	u64 calls, arg[4] = { 0 };

	assert_string_equal(user[0].name, "save_fl");
	fake_flags = 0x246;
	assert_int_equal(user[0].use(arg), 0x246);
	assert_string_equal(user[3].name, "irq_disable");
	user[3].use(arg);
	assert_int_equal(fake_flags & 0x200, 0);
	assert_string_equal(user[4].name, "irq_enable");
	user[4].use(arg);
	assert_int_equal(fake_flags & 0x200, 0x200);
	assert_string_equal(user[1].name, "restore_fl");
	arg[0] = 0x46;
	user[1].use(arg);
	assert_int_equal(fake_flags, 0x46);

	calls = fake_calls[which][PV_OP_swapgs];
	arg[0] = use_asm_swapgs(0x5a5a);
	if (patched && which == FAKE_FAKE) {
		assert_int_equal(arg[0], 0x5a5a);
		assert_int_equal(fake_calls[which][PV_OP_swapgs], calls);
	} else {
		assert_int_equal(fake_calls[which][PV_OP_swapgs], calls + 1);
	}
	calls = fake_calls[which][PV_OP_adjust_exception_frame];
	use_asm_adjust();
	assert_int_equal(fake_calls[which][PV_OP_adjust_exception_frame],
			 calls + !(patched && which == FAKE_NATIVE));
	calls = fake_calls[which][PV_OP_iret];
	use_asm_iret();
	assert_int_equal(fake_calls[which][PV_OP_iret],
			 calls + !(patched && which == FAKE_NATIVE));
	assert_int_equal(use_asm_read_cr0(), fake_result[which][PV_OP_read_cr0]);
}

static void check_all_uses(u32 which, bool patched)
{
	u32 i;

	for (i = 0; i < user_count; i++)
		check_use(&users[i], which, patched);
	check_irq_and_asm(which, patched);
}

static void record_is_eight_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct pv_site), 8);
	assert_int_equal((const u8 *)__pv_sites_end - (const u8 *)__pv_sites_start,
			 8 * (__pv_sites_end - __pv_sites_start));
}

static void every_op_of_the_catalogue_has_a_site_here(void **state)
{
	bool seen[PV_OP_COUNT] = { false };
	const struct pv_site *site;
	u32 op;

	(void)state;
	for (site = __pv_sites_start; site < __pv_sites_end; site++) {
		assert_in_range(site->op, 0, PV_OP_COUNT - 1);
		seen[site->op] = true;
		assert_in_range(pv_site_addr(site), own.text_start, own.text_end - site->len);
	}
	for (op = 0; op < PV_OP_COUNT; op++)
		if (!seen[op])
			fail_msg("no site of %s", pv_op_info[op].name);
}

static void unpatched_sites_work_through_the_table(void **state)
{
	(void)state;
	fill_table(FAKE_NATIVE);
	check_all_uses(FAKE_NATIVE, false);
	fill_table(FAKE_FAKE);
	check_all_uses(FAKE_FAKE, false);
	assert_text_as_compiled();
}

static void patched_sites_run_the_backends_code(void **state)
{
	(void)state;
	patch_for(FAKE_NATIVE);
	check_all_uses(FAKE_NATIVE, true);
	patch_for(FAKE_FAKE);
	check_all_uses(FAKE_FAKE, true);
	patch_for(FAKE_NATIVE);
	check_all_uses(FAKE_NATIVE, true);
	assert_int_equal(pv_apply(&own, NULL), 0);
	check_all_uses(FAKE_NATIVE, false);
}

/* After patching the table is not read any more: poison it. */
static void no_indirect_branch_remains(void **state)
{
	u32 which;

	(void)state;
	for (which = 0; which < 2; which++) {
		const struct pv_site *site;

		patch_for(which);
		memset(&pv_slots, 0, sizeof(pv_slots));
		check_all_uses(which, true);
		for (site = __pv_sites_start; site < __pv_sites_end; site++)
			assert_int_not_equal(*(const u8 *)pv_site_addr(site), 0xff);
		assert_int_equal(own.stats.form[PV_FORM_INDIRECT], 0);
	}
}

static void native_in_line_code_has_its_effect(void **state)
{
	u64 entry = 0, arg[4] = { (u64)&entry, 0x1234567 };
	u32 i;

	(void)state;
	patch_for(FAKE_NATIVE);
	for (i = 0; i < user_count; i++) {
		switch (users[i].op) {
		case PV_OP_set_pte:
			users[i].use(arg);
			assert_int_equal(entry, 0x1234567);
			break;
		case PV_OP_ptep_modify_prot_start:
			assert_int_equal(users[i].use(arg), 0x1234567);
			assert_int_equal(entry, 0);
			break;
		case PV_OP_pte_val:
		case PV_OP_make_p4d:
			assert_int_equal(users[i].use(arg), arg[0]);
			break;
		case PV_OP_vcpu_is_preempted:
			assert_int_equal(users[i].use(arg), 0);
			break;
		default:
			break;
		}
	}
}

static void back_to_compiled_restores_every_byte(void **state)
{
	static u8 *first;

	(void)state;
	first = realloc(first, text_size());
	patch_for(FAKE_NATIVE);
	memcpy(first, __pv_text_start, text_size());
	assert_memory_not_equal(first, compiled, text_size());
	patch_for(FAKE_FAKE);
	assert_memory_not_equal(__pv_text_start, first, text_size());
	patch_for(FAKE_NATIVE);
	assert_memory_equal(__pv_text_start, first, text_size());
	assert_int_equal(pv_apply(&own, NULL), 0);
	assert_text_as_compiled();
	patch_for(FAKE_FAKE);
	assert_int_equal(pv_apply(&own, NULL), 0);
	assert_text_as_compiled();
}

static void patching_changes_nothing_outside_of_sites(void **state)
{
	u8 *site_byte = calloc(1, text_size());
	const struct pv_site *site;
	size_t i;
	u32 which;

	(void)state;
	for (site = __pv_sites_start; site < __pv_sites_end; site++)
		memset(site_byte + (pv_site_addr(site) - own.text_start), 1, site->len);
	for (which = 0; which < 2; which++) {
		patch_for(which);
		for (i = 0; i < text_size(); i++)
			if (!site_byte[i])
				assert_int_equal(__pv_text_start[i], compiled[i]);
	}
	free(site_byte);
}

static void patching_again_for_the_same_is_idempotent(void **state)
{
	u8 *first = malloc(text_size());
	struct pv_stats stats;
	u32 which;

	(void)state;
	for (which = 0; which < 2; which++) {
		patch_for(which);
		memcpy(first, __pv_text_start, text_size());
		stats = own.stats;
		patch_for(which);
		assert_memory_equal(__pv_text_start, first, text_size());
		assert_memory_equal(&own.stats, &stats, sizeof(stats));
	}
	free(first);
}

static void one_text_window_per_pass(void **state)
{
	(void)state;
	patch_for(FAKE_NATIVE);
	assert_int_equal(host_port.text_begins, 1);
	assert_int_equal(host_port.text_ends, 1);
	assert_int_equal(host_port.text_start, own.text_start);
	assert_int_equal(host_port.text_end, own.text_end);
	patch_for(FAKE_FAKE);
	assert_int_equal(host_port.text_begins, 2);
	assert_int_equal(host_port.text_ends, 2);
}

/* The form that each site must have, by the rules of site.h and backend.h. */
static enum pv_form expected_form(const struct pv_site *site, const struct pv_impl *impl)
{
	if (!impl)
		return site->kind == PV_SITE_BRANCH ? PV_FORM_JUMP : PV_FORM_INDIRECT;
	if (site->kind == PV_SITE_BRANCH)
		return impl->flags & PV_IMPL_BEHIND_BRANCH ? PV_FORM_NOP : PV_FORM_JUMP;
	if (site->kind != PV_SITE_JUMP && (impl->flags & PV_IMPL_NOP))
		return PV_FORM_NOP;
	if (impl->code && (u64)(impl->code_end - impl->code) <= site->len)
		return PV_FORM_INLINE;
	return site->kind == PV_SITE_JUMP ? PV_FORM_JUMP : PV_FORM_CALL;
}

static void check_reports(const struct pv_impl *const *impl)
{
	u32 total = (u32)(__pv_sites_end - __pv_sites_start);
	struct pv_stats want = { .total = total };
	struct pv_site_report report;
	u32 nr;

	for (nr = 0; pv_site_inspect(&own, nr, &report); nr++) {
		const struct pv_site *site = &__pv_sites_start[nr];
		enum pv_form form = expected_form(site, impl ? impl[site->op] : NULL);

		assert_int_equal(report.addr, pv_site_addr(site));
		assert_ptr_equal(report.op, &pv_op_info[site->op]);
		assert_int_equal(report.error, PV_SITE_OK);
		if (report.form != form)
			fail_msg("site of %s: %s instead of %s", report.op->name,
				 pv_form_text(report.form), pv_form_text(form));
		assert_int_equal(report.outline, !!(site->kind & PV_SITE_OUTLINE));
		if (report.outline)
			want.outline++;
		else
			want.form[form]++;
	}
	assert_int_equal(nr, total);
	if (impl)
		assert_memory_equal(&own.stats, &want, sizeof(want));
}

static void report_and_counts_have_each_form(void **state)
{
	(void)state;
	check_reports(NULL);
	patch_for(FAKE_NATIVE);
	check_reports(fake_impls[FAKE_NATIVE]);
	patch_for(FAKE_FAKE);
	check_reports(fake_impls[FAKE_FAKE]);
	assert_true(own.stats.form[PV_FORM_INLINE] > 0);
	assert_true(own.stats.form[PV_FORM_CALL] > 0);
	assert_true(own.stats.form[PV_FORM_NOP] > 0);
	assert_true(own.stats.form[PV_FORM_JUMP] > 0);
	assert_true(own.stats.outline > 0);
}

static void refused_text_window_leaves_text_alone(void **state)
{
	(void)state;
	host_port.refuse_text = true;
	assert_true(pv_apply(&own, fake_impls[FAKE_FAKE]) < 0);
	assert_int_equal(host_port.text_ends, 0);
	assert_int_equal(host_log_lines(), 1);
	assert_text_as_compiled();
	assert_null(own.impl);
}

static void every_form_and_error_has_a_text(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < PV_FORM_COUNT; i++)
		assert_string_not_equal(pv_form_text(i), "unknown");
	assert_string_equal(pv_form_text(PV_FORM_COUNT), "unknown");
	for (i = 0; i <= PV_SITE_TEXT; i++)
		assert_string_not_equal(pv_site_error_text(i), "unknown error");
	assert_string_equal(pv_site_error_text(PV_SITE_TEXT + 1), "unknown error");
}

/* --- a text with hand-made records --- */

#define TEXT_SIZE	4096
#define RECORDS		8

static struct pv_site records[RECORDS] __attribute__((aligned(8)));
static u8 *text, *writable;
static struct pv_site_set made;
static const struct pv_impl *chosen[PV_OP_COUNT];

static const u8 nop3[] = { 0x0f, 0x1f, 0x00 };

static u64 one(void)
{
	return 1;
}

static u64 two(void)
{
	return 2;
}

static const struct pv_impl impl_one = { .fn = (void (*)(void))one };
static const struct pv_impl impl_two = { .fn = (void (*)(void))two };

static void slot_set(enum pv_op op, u64 (*fn)(void))
{
	((void (**)(void))&pv_slots)[op] = (void (*)(void))fn;
}

static struct pv_site *record(u32 nr, u32 offset, u16 op, u8 len, u8 kind)
{
	records[nr] = (struct pv_site) {
		.rel = (s32)((long)(text + offset) - (long)&records[nr].rel),
		.op = op,
		.len = len,
		.kind = kind,
	};
	return &records[nr];
}

/* A site as the compiler makes it, then a return: a function to call. */
static void compile(u32 offset, enum pv_op op, u8 len)
{
	s32 rel = (s32)((long)&pv_slots + 8 * (long)op - (long)(text + offset + 6));

	writable[offset] = 0xff;
	writable[offset + 1] = 0x15;
	memcpy(writable + offset + 2, &rel, 4);
	if (len == 9)
		memcpy(writable + offset + 6, nop3, 3);
	writable[offset + len] = 0xc3;
}

static u64 run(u32 offset)
{
	u64 (*fn)(void);
	u8 *at = text + offset;

	/* Eight-byte aligned stack inside, as the convention allows. */
	memcpy(&fn, &at, sizeof(fn));
	return fn();
}

/* A good site at 0x100 and one at 0x200; faults go in between. */
static int setup_made(void **state)
{
	u32 op;

	fresh(state);
	if (!text) {
		int fd = memfd_create("text", 0);

		if (fd < 0 || ftruncate(fd, TEXT_SIZE))
			return -1;
		text = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_32BIT, fd, 0);
		writable = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (text == MAP_FAILED || writable == MAP_FAILED)
			return -1;
	}
	host_port.alias = writable - text;
	memset(writable, 0xcc, TEXT_SIZE);
	memset(records, 0, sizeof(records));
	for (op = 0; op < PV_OP_COUNT; op++)
		chosen[op] = &impl_one;
	slot_set(PV_OP_read_cr2, two);
	slot_set(PV_OP_read_cr0, two);
	compile(0x100, PV_OP_read_cr2, 9);
	record(0, 0x100, PV_OP_read_cr2, 9, PV_SITE_CALL);
	compile(0x200, PV_OP_read_cr0, 6);
	record(2, 0x200, PV_OP_read_cr0, 6, PV_SITE_CALL);
	compile(0x180, PV_OP_read_cr0, 6);
	record(1, 0x180, PV_OP_read_cr0, 6, PV_SITE_CALL);
	made = (struct pv_site_set) {
		.name = "made",
		.start = records,
		.end = records + 3,
		.text_start = (unsigned long)text,
		.text_end = (unsigned long)text + 0x300,
	};
	return 0;
}

static int teardown_made(void **state)
{
	(void)state;
	host_port.alias = 0;
	return 0;
}

#define TEST_MADE(function) \
	cmocka_unit_test_setup_teardown(function, setup_made, teardown_made)

/* Record 1 was refused as @error says, all else was patched. */
static void expect_one_refused(enum pv_site_error error, const char *op)
{
	struct pv_site_report report;
	char addr[32];
	const char *line;

	assert_int_equal(pv_apply(&made, chosen), 1);
	assert_int_equal(made.stats.failed, 1);
	assert_int_equal(made.stats.total, 3);
	assert_int_equal(made.stats.form[PV_FORM_CALL], 2);
	assert_int_equal(run(0x100), 1);
	assert_int_equal(run(0x200), 1);
	assert_int_equal(host_log_lines(), 1);
	snprintf(addr, sizeof(addr), "site 0x%lx", pv_site_addr(&records[1]));
	line = host_log_find(addr);
	if (!line || !strstr(line, "made") || !strstr(line, op) ||
	    !strstr(line, pv_site_error_text(error)))
		fail_msg("not \"%s, %s, %s\": %s", addr, op, pv_site_error_text(error), host_log());
	assert_int_equal(host_port.text_begins, 1);
	assert_int_equal(host_port.text_ends, 1);
	assert_true(pv_site_inspect(&made, 1, &report));
	assert_int_equal(report.error, error);
	assert_int_equal(report.form, PV_FORM_INDIRECT);
	assert_int_equal(report.addr, pv_site_addr(&records[1]));
	assert_true(pv_site_inspect(&made, 2, &report));
	assert_int_equal(report.error, PV_SITE_OK);
	assert_int_equal(report.form, PV_FORM_CALL);
	assert_false(pv_site_inspect(&made, 3, &report));
	assert_false(pv_site_inspect(&made, ~0U, &report));
}

static void made_sites_are_accepted(void **state)
{
	(void)state;
	assert_int_equal(run(0x100), 2);
	assert_int_equal(run(0x180), 2);
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x100), 1);
	assert_int_equal(run(0x180), 1);
	assert_int_equal(pv_apply(&made, NULL), 0);
	assert_int_equal(run(0x100), 2);
	assert_string_equal(host_log(), "");
}

static void unknown_op_is_refused(void **state)
{
	struct pv_site_report report;

	(void)state;
	record(1, 0x180, PV_OP_COUNT, 6, PV_SITE_CALL);
	expect_one_refused(PV_SITE_BAD_OP, "op ?");
	assert_int_equal(run(0x180), 2);
	assert_true(pv_site_inspect(&made, 1, &report));
	assert_null(report.op);
	/* Nor on the way back. */
	assert_int_equal(pv_apply(&made, NULL), 1);
}

static void short_site_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_read_cr0, 5, PV_SITE_CALL);
	expect_one_refused(PV_SITE_SHORT, "op read_cr0");
	assert_int_equal(run(0x180), 2);
}

static void overlong_site_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_read_cr0, 16, PV_SITE_CALL);
	expect_one_refused(PV_SITE_SHORT, "op read_cr0");
	assert_int_equal(run(0x180), 2);
}

static void branch_of_another_length_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_set_pte, 6, PV_SITE_BRANCH);
	expect_one_refused(PV_SITE_SHORT, "op set_pte");
}

static void unknown_kind_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_read_cr0, 6, 7);
	expect_one_refused(PV_SITE_BAD_KIND, "op read_cr0");
	assert_int_equal(run(0x180), 2);
}

static void wrong_op_for_the_text_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_read_cr4, 6, PV_SITE_CALL);
	expect_one_refused(PV_SITE_TEXT, "op read_cr4");
	assert_int_equal(run(0x180), 2);
}

static void site_before_the_text_is_refused(void **state)
{
	(void)state;
	made.text_start += 0x100;
	record(1, 0xff, PV_OP_read_cr0, 6, PV_SITE_CALL);
	expect_one_refused(PV_SITE_OUTSIDE, "op read_cr0");
}

static void site_across_the_end_of_text_is_refused(void **state)
{
	(void)state;
	made.text_end = (unsigned long)text + 0x285;
	compile(0x280, PV_OP_read_cr0, 6);
	record(1, 0x280, PV_OP_read_cr0, 6, PV_SITE_CALL);
	expect_one_refused(PV_SITE_OUTSIDE, "op read_cr0");
	assert_int_equal(run(0x280), 2);
	/* One byte more and it is inside. */
	made.text_end++;
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x280), 1);
}

static void site_far_outside_of_the_text_is_refused(void **state)
{
	(void)state;
	record(1, 0, PV_OP_read_cr0, 6, PV_SITE_CALL);
	records[1].rel = 0x7fffffff;
	expect_one_refused(PV_SITE_OUTSIDE, "op read_cr0");
}

static void overlapping_site_is_refused_and_the_other_is_named(void **state)
{
	char with[32];

	(void)state;
	record(1, 0x103, PV_OP_read_cr0, 6, PV_SITE_CALL);
	assert_int_equal(pv_apply(&made, chosen), 1);
	snprintf(with, sizeof(with), "overlaps site 0x%lx", (unsigned long)text + 0x100);
	assert_non_null(host_log_find(with));
	assert_non_null(strstr(host_log_find(with), "op read_cr0"));
	assert_int_equal(host_log_lines(), 1);
	assert_int_equal(run(0x100), 1);
	assert_int_equal(run(0x200), 1);
	assert_int_equal(pv_apply(&made, NULL), 1);
	assert_int_equal(run(0x100), 2);
}

static void site_named_twice_is_patched_once(void **state)
{
	(void)state;
	record(1, 0x100, PV_OP_read_cr2, 9, PV_SITE_CALL);
	assert_int_equal(pv_apply(&made, chosen), 1);
	assert_non_null(host_log_find("overlaps"));
	assert_int_equal(run(0x100), 1);
	assert_int_equal(pv_apply(&made, NULL), 0);
	assert_int_equal(run(0x100), 2);
}

static void misaligned_or_incomplete_table_is_refused_whole(void **state)
{
	static const struct {
		long start, end;
	} shift[] = { { 2, 0 }, { 1, 1 }, { 0, 4 }, { 4, 0 }, { 0, -1 } };
	u8 before[TEXT_SIZE];
	size_t i;

	(void)state;
	memcpy(before, text, TEXT_SIZE);
	for (i = 0; i < COUNT(shift); i++) {
		host_log_clear();
		made.start = (const void *)((const u8 *)records + shift[i].start);
		made.end = (const void *)((const u8 *)(records + 3) + shift[i].end);
		assert_true(pv_apply(&made, chosen) < 0);
		assert_int_equal(host_log_lines(), 1);
		assert_logged("made", "misaligned or incomplete");
	}
	made.start = records + 3;
	made.end = records;
	assert_true(pv_apply(&made, chosen) < 0);
	assert_int_equal(host_port.text_begins, 0);
	assert_memory_equal(before, text, TEXT_SIZE);
}

static void text_that_ends_before_it_starts_is_refused_whole(void **state)
{
	(void)state;
	made.text_end = made.text_start - 1;
	assert_true(pv_apply(&made, chosen) < 0);
	assert_int_equal(host_log_lines(), 1);
	assert_int_equal(host_port.text_begins, 0);
}

/* Memory of start-up code is somebody else's later. */
static void sites_in_discarded_text_are_skipped(void **state)
{
	u8 before[0x80];

	(void)state;
	made.gone_start = (unsigned long)text + 0x180;
	made.gone_end = (unsigned long)text + 0x200;
	memset(writable + 0x180, 0x55, sizeof(before));
	memcpy(before, text + 0x180, sizeof(before));
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_memory_equal(before, text + 0x180, sizeof(before));
	assert_int_equal(made.stats.total, 2);
	assert_int_equal(made.stats.form[PV_FORM_CALL], 2);
	assert_int_equal(run(0x100), 1);
	assert_int_equal(run(0x200), 1);
	assert_string_equal(host_log(), "");

	made.gone_end = made.gone_start - 1;
	assert_true(pv_apply(&made, NULL) < 0);
	assert_int_equal(run(0x100), 1);
	assert_int_equal(host_log_lines(), 1);
}

static void empty_table_is_accepted(void **state)
{
	(void)state;
	made.end = made.start;
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(made.stats.total, 0);
}

/* A function that returns 3, far from a program linked low. */
static const struct pv_impl *far_impl(void)
{
	static const u8 code[] = { 0xb8, 0x03, 0x00, 0x00, 0x00, 0xc3 };
	static struct pv_impl impl;

	if (!impl.fn) {
		u8 *far = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		assert_true(far != MAP_FAILED && (unsigned long)far > 0x100000000UL);
		memcpy(far, code, sizeof(code));
		memcpy(&impl.fn, &far, sizeof(far));
	}
	return &impl;
}

static void target_out_of_reach_stays_indirect(void **state)
{
	(void)state;
	compile(0x180, PV_OP_clts, 6);
	record(1, 0x180, PV_OP_clts, 6, PV_SITE_CALL);
	chosen[PV_OP_clts] = far_impl();
	memcpy(&pv_slots.clts, &far_impl()->fn, sizeof(pv_slots.clts));
	expect_one_refused(PV_SITE_REACH, "op clts");
	assert_int_equal(made.stats.form[PV_FORM_INDIRECT], 1);
	assert_int_equal(run(0x180), 3);
}

static void target_out_of_reach_goes_back_to_the_table(void **state)
{
	const struct pv_impl *next[PV_OP_COUNT];
	u32 op;

	(void)state;
	for (op = 0; op < PV_OP_COUNT; op++)
		next[op] = &impl_two;
	next[PV_OP_read_cr0] = far_impl();
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x180), 1);
	memcpy(&pv_slots.read_cr0, &far_impl()->fn, sizeof(pv_slots.read_cr0));
	assert_int_equal(pv_apply(&made, next), 2);
	assert_int_equal(text[0x180], 0xff);
	assert_int_equal(run(0x180), 3);
	assert_int_equal(run(0x100), 2);
	/* And from there to something near again. */
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x180), 1);
	assert_int_equal(made.stats.form[PV_FORM_INDIRECT], 0);
}

/* The far side of a branch is not on the native path: not in the counts by form. */
static void outline_out_of_reach_is_not_counted_as_a_form(void **state)
{
	(void)state;
	chosen[PV_OP_read_cr0] = far_impl();
	made.end = records + 2;
	records[1].kind = PV_SITE_CALL | PV_SITE_OUTLINE;
	assert_int_equal(pv_apply(&made, chosen), 1);
	assert_int_equal(made.stats.form[PV_FORM_INDIRECT], 0);
	assert_int_equal(made.stats.failed, 1);
}

/* Text and records beyond reach of the table: nothing can be said about it. */
static void table_out_of_reach_is_refused(void **state)
{
	u8 *far = mmap(NULL, TEXT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pv_site *site = (struct pv_site *)(far + 0x800);
	u8 before[0x800];

	(void)state;
	assert_true((unsigned long)far > 0x100000000UL);
	memset(far, 0x90, 0x800);
	memcpy(before, far, sizeof(before));
	*site = (struct pv_site) { .rel = -0x800, .op = PV_OP_read_cr0, .len = 6 };
	made.start = site;
	made.end = site + 1;
	made.text_start = (unsigned long)far;
	made.text_end = made.text_start + 0x800;
	assert_int_equal(pv_apply(&made, chosen), 1);
	assert_logged("op read_cr0", "target beyond 2 GiB");
	assert_memory_equal(before, far, sizeof(before));
	munmap(far, TEXT_SIZE);
}

static void changed_text_is_left_alone(void **state)
{
	static const u8 breakpoint = 0xcc;
	u8 changed[6];

	(void)state;
	assert_int_equal(pv_apply(&made, chosen), 0);
	writable[0x180] = breakpoint;
	memcpy(changed, text + 0x180, sizeof(changed));
	assert_int_equal(pv_apply(&made, NULL), 1);
	assert_logged("op read_cr0", "text is not what the record says");
	assert_memory_equal(changed, text + 0x180, sizeof(changed));
	assert_int_equal(run(0x100), 2);
	/* Restored by the test, then patched again. */
	writable[0x180] = 0xff;
	compile(0x180, PV_OP_read_cr0, 6);
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x180), 1);
}

static void any_changed_byte_of_a_site_is_noticed(void **state)
{
	/* The displacement of a branch is whatever the compiler chose. */
	static const u8 branch[] = { 0xe9, 0x11, 0x22, 0x00, 0x00, 0x66, 0x90 };
	static const u8 checked[] = { 0, 5, 6 };
	u32 i;

	(void)state;
	memcpy(writable + 0x240, branch, sizeof(branch));
	record(3, 0x240, PV_OP_set_pte, sizeof(branch), PV_SITE_BRANCH);
	made.end = records + 4;
	for (i = 0; i < 9 + 6 + COUNT(checked); i++) {
		u8 *byte = i < 9 ? writable + 0x100 + i :
			   i < 15 ? writable + 0x180 + i - 9 : writable + 0x240 + checked[i - 15];

		*byte ^= 0x40;
		assert_int_equal(pv_apply(&made, chosen), 1);
		assert_int_equal(made.stats.failed, 1);
		*byte ^= 0x40;
		assert_int_equal(pv_apply(&made, NULL), 0);
	}
	assert_int_equal(run(0x100), 2);
	assert_int_equal(run(0x180), 2);
}

/* Same op, same length, other kinds and lengths in between. */
static void sites_of_one_op_may_differ_in_kind_and_length(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 6; i++) {
		u32 at = 0x40 * i;
		u8 len = i % 3 == 1 ? 9 : 6;

		compile(at, PV_OP_read_cr0, len);
		record(i, at, PV_OP_read_cr0, len, i % 3 == 2 ? PV_SITE_JUMP : PV_SITE_CALL);
		if (i % 3 == 2)
			writable[at + 1] = 0x25;
	}
	made.end = records + 6;
	assert_int_equal(pv_apply(&made, chosen), 0);
	for (i = 0; i < 6; i++) {
		assert_int_equal(run(0x40 * i), 1);
		assert_int_equal(text[0x40 * i + 1], i % 3 == 2 ? 0xe9 : 0xe8);
	}
	assert_int_equal(made.stats.form[PV_FORM_JUMP], 2);
	assert_int_equal(made.stats.form[PV_FORM_CALL], 4);
	assert_int_equal(pv_apply(&made, NULL), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(run(0x40 * i), 2);
}

static void branch_over_foreign_text_is_refused(void **state)
{
	(void)state;
	record(1, 0x180, PV_OP_set_pte, 7, PV_SITE_BRANCH);
	expect_one_refused(PV_SITE_TEXT, "op set_pte");
	assert_int_equal(run(0x180), 2);
}

/* mov $3, %eax behind a branch site whose far side is mov $4, %eax. */
static void made_branch_runs_both_ways(void **state)
{
	static const u8 branch[] = {
		0xe9, 0x08, 0x00, 0x00, 0x00, 0x66, 0x90,
		0xb8, 0x03, 0x00, 0x00, 0x00, 0xc3,
		0xb8, 0x04, 0x00, 0x00, 0x00, 0xc3,
	};
	static const struct pv_impl in_line = {
		.fn = (void (*)(void))one, .flags = PV_IMPL_BEHIND_BRANCH,
	};

	(void)state;
	memcpy(writable + 0x180, branch, sizeof(branch));
	record(1, 0x180, PV_OP_pte_val, 7, PV_SITE_BRANCH);
	assert_int_equal(run(0x180), 4);
	chosen[PV_OP_pte_val] = &in_line;
	assert_int_equal(pv_apply(&made, chosen), 0);
	assert_int_equal(run(0x180), 3);
	assert_int_equal(pv_apply(&made, NULL), 0);
	assert_int_equal(run(0x180), 4);
	assert_memory_equal(text + 0x180, branch, sizeof(branch));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_OWN(record_is_eight_bytes),
		TEST_OWN(every_op_of_the_catalogue_has_a_site_here),
		TEST_OWN(unpatched_sites_work_through_the_table),
		TEST_OWN(patched_sites_run_the_backends_code),
		TEST_OWN(no_indirect_branch_remains),
		TEST_OWN(native_in_line_code_has_its_effect),
		TEST_OWN(back_to_compiled_restores_every_byte),
		TEST_OWN(patching_changes_nothing_outside_of_sites),
		TEST_OWN(patching_again_for_the_same_is_idempotent),
		TEST_OWN(one_text_window_per_pass),
		TEST_OWN(report_and_counts_have_each_form),
		TEST_OWN(refused_text_window_leaves_text_alone),
		TEST_OWN(every_form_and_error_has_a_text),
		TEST_MADE(made_sites_are_accepted),
		TEST_MADE(unknown_op_is_refused),
		TEST_MADE(short_site_is_refused),
		TEST_MADE(overlong_site_is_refused),
		TEST_MADE(branch_of_another_length_is_refused),
		TEST_MADE(unknown_kind_is_refused),
		TEST_MADE(wrong_op_for_the_text_is_refused),
		TEST_MADE(site_before_the_text_is_refused),
		TEST_MADE(site_across_the_end_of_text_is_refused),
		TEST_MADE(site_far_outside_of_the_text_is_refused),
		TEST_MADE(overlapping_site_is_refused_and_the_other_is_named),
		TEST_MADE(site_named_twice_is_patched_once),
		TEST_MADE(misaligned_or_incomplete_table_is_refused_whole),
		TEST_MADE(text_that_ends_before_it_starts_is_refused_whole),
		TEST_MADE(sites_in_discarded_text_are_skipped),
		TEST_MADE(empty_table_is_accepted),
		TEST_MADE(target_out_of_reach_stays_indirect),
		TEST_MADE(target_out_of_reach_goes_back_to_the_table),
		TEST_MADE(outline_out_of_reach_is_not_counted_as_a_form),
		TEST_MADE(table_out_of_reach_is_refused),
		TEST_MADE(changed_text_is_left_alone),
		TEST_MADE(any_changed_byte_of_a_site_is_noticed),
		TEST_MADE(sites_of_one_op_may_differ_in_kind_and_length),
		TEST_MADE(branch_over_foreign_text_is_refused),
		TEST_MADE(made_branch_runs_both_ways),
	};

	return RUN(tests);
}
