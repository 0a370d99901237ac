// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-inject: when a hypercall fails, with what, and the accounts.  The core is
 * compiled without the injector, as in most kernels; here it is.
 */
#define PV_PORT_INJECT	1
#include <errno.h>

#include "../../pvops/inject.c"

#include "unit.h"

#define CALLER	0x1234UL

static const u8 errors[] = { EINVAL, EPERM, EFAULT, 0 };
static struct pv_inject_counts before;

static int disarmed(void **state)
{
	fresh(state);
	memset(pv_inject_this_cpu, 0, sizeof(pv_inject_this_cpu));
	memset(waiting, 0, sizeof(waiting));
	memset(following, 0, sizeof(following));
	pv_inject_arm("0");
	pv_inject_read(&before);
	return 0;
}

#define TEST_INJECT(function)	cmocka_unit_test_setup(function, disarmed)

static struct pv_inject_counts since(void)
{
	struct pv_inject_counts now;

	pv_inject_read(&now);
	now.calls -= before.calls;
	now.injected -= before.injected;
	now.reported -= before.reported;
	now.followed -= before.followed;
	now.other -= before.other;
	now.dropped -= before.dropped;
	return now;
}

static void every_nth_call_fails_and_no_other(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_false(pv_inject_due());
	assert_int_equal(since().calls, 0);
	assert_true(pv_inject_arm("3"));
	for (i = 1; i <= 30; i++)
		assert_int_equal(pv_inject_due(), i % 3 == 0);
	assert_int_equal(since().calls, 30);
	/* Each CPU has a count of its own. */
	host_cpu = 1;
	assert_false(pv_inject_due());
	assert_false(pv_inject_due());
	assert_true(pv_inject_due());
	host_cpu = 0;
	assert_true(pv_inject_arm("0"));
	for (i = 0; i < 10; i++)
		assert_false(pv_inject_due());
}

static void each_error_has_its_turn(void **state)
{
	u32 turn = 0, i;

	(void)state;
	pv_inject_arm("1");
	for (i = 0; i < 7; i++)
		assert_int_equal(pv_inject_error(errors, &turn), -(s32)errors[i % 3]);
	assert_int_equal(since().injected, 7);
}

static void reports_are_matched_with_faults(void **state)
{
	u32 turn = 0;

	(void)state;
	pv_inject_error(errors, &turn);
	pv_inject_error(errors, &turn);
	/* The hypervisor's own refusals, with an error that was not injected. */
	pv_inject_reported(CALLER, -EFAULT);
	pv_inject_reported(CALLER, -9999);
	assert_logged("error -9999 for caller 0x1234 was not injected, nor caused by an injected fault");
	pv_inject_reported(CALLER, 1);
	assert_int_equal(since().reported, 0);
	assert_int_equal(since().other, 3);
	/* In any order, and each once. */
	pv_inject_reported(CALLER, -EPERM);
	pv_inject_reported(CALLER, -EINVAL);
	pv_inject_reported(CALLER, -EINVAL);
	assert_int_equal(since().reported, 2);
	assert_int_equal(since().other, 4);
	assert_int_equal(since().injected, 2);
}

static void consequence_of_a_fault_is_counted_as_followed(void **state)
{
	u32 turn = 0;

	(void)state;
	host_log_clear();
	pv_inject_error(errors, &turn);
	/* Not refused; refused twice for that, once with the same error. */
	pv_inject_follows(0);
	pv_inject_follows(-EINVAL);
	pv_inject_follows(-EBUSY);
	pv_inject_follows(-9999);
	pv_inject_reported(CALLER, -EINVAL);
	pv_inject_reported(CALLER, -EBUSY);
	pv_inject_reported(CALLER, -EINVAL);
	assert_int_equal(since().reported, 1);
	assert_int_equal(since().followed, 2);
	assert_int_equal(since().other, 0);
	assert_int_equal(host_log_lines(), 0);
	pv_inject_reported(CALLER, -EBUSY);
	assert_int_equal(since().other, 1);
	assert_int_equal(host_log_lines(), 1);
}

static void twice_fails_the_second_try_and_not_the_third(void **state)
{
	u32 turn = 0, i;

	(void)state;
	assert_true(pv_inject_arm("5,1,twice"));
	for (i = 1; i <= 4; i++)
		assert_false(pv_inject_due());
	assert_true(pv_inject_due());
	pv_inject_error(errors, &turn);
	assert_true(pv_inject_due());
	pv_inject_error(errors, &turn);
	for (i = 1; i <= 4; i++)
		assert_false(pv_inject_due());
	assert_true(pv_inject_due());
}

static void drop_drops_one_update(void **state)
{
	(void)state;
	assert_true(pv_inject_arm("1,1,drop"));
	assert_true(pv_inject_due());
	assert_true(pv_inject_drops());
	pv_inject_dropped();
	assert_false(pv_inject_due());
	assert_int_equal(since().dropped, 1);
}

static void picks_cover_the_whole_range(void **state)
{
	bool seen[7] = { false };
	u32 i;

	(void)state;
	pv_inject_arm("1,42");
	for (i = 0; i < 200; i++) {
		u32 pick = pv_inject_pick(7);

		assert_true(pick < 7);
		seen[pick] = true;
	}
	for (i = 0; i < 7; i++)
		assert_true(seen[i]);
	assert_int_equal(pv_inject_pick(1), 0);
}

static void invalid_setting_is_refused_in_one_line(void **state)
{
	static const char *const bad[] = {
		"", "x", "-1", "3x", "3,", "3,x", "3,4,", "3,4,thrice", "3,4,oncee", "3,4,once,5",
		"99999999999", "3,,once",
	};
	static const char *const good[] = {
		"3", "3 next=word", "3,4", "3,4 x", "3,4,once", "3,4,twice x", "0", "12\n",
	};
	u32 i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		host_log_clear();
		assert_false(pv_inject_arm(bad[i]));
		assert_int_equal(host_log_lines(), 1);
		assert_logged("expected N[,SEED[,once|twice|drop]]");
	}
	host_log_clear();
	for (i = 0; i < COUNT(good); i++)
		assert_true(pv_inject_arm(good[i]));
	assert_int_equal(host_log_lines(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_INJECT(every_nth_call_fails_and_no_other),
		TEST_INJECT(each_error_has_its_turn),
		TEST_INJECT(reports_are_matched_with_faults),
		TEST_INJECT(consequence_of_a_fault_is_counted_as_followed),
		TEST_INJECT(twice_fails_the_second_try_and_not_the_third),
		TEST_INJECT(drop_drops_one_update),
		TEST_INJECT(picks_cover_the_whole_range),
		TEST_INJECT(invalid_setting_is_refused_in_one_line),
	};

	return RUN(tests);
}
