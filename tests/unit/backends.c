// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* test-host-backends: as many backends as an image can have, and (backends17.c) one more. */
#include "unit.h"

static int last_detect(const struct pv_platform *platform, const char **why)
{
	(void)platform;
	(void)why;
	return PV_SCORE_DEPRIVILEGED;
}

static int no_detect(const struct pv_platform *platform, const char **why)
{
	(void)platform;
	*why = "it is one of many";
	return PV_SCORE_NONE;
}

/* Three are there already (fake_backend.c). */
#define BACKEND(id, how)						\
	static const struct pv_backend id = { .name = #id, .title = "", .detect = how }; \
	PV_BACKEND(id)

BACKEND(four, no_detect);
BACKEND(five, no_detect);
BACKEND(six, no_detect);
BACKEND(seven, no_detect);
BACKEND(eight, no_detect);
BACKEND(nine, no_detect);
BACKEND(ten, no_detect);
BACKEND(eleven, no_detect);
BACKEND(twelve, no_detect);
BACKEND(thirteen, no_detect);
BACKEND(fourteen, no_detect);
BACKEND(fifteen, no_detect);
#ifdef ONE_MORE
BACKEND(sixteen, no_detect);
BACKEND(seventeen, last_detect);
#else
BACKEND(sixteen, last_detect);
#endif

static struct pv_platform platform = { .cpuid = host_cpuid };

#ifdef ONE_MORE
static void one_backend_too_many_is_a_panic(void **state)
{
	(void)state;
	host_port.panic_expected = true;
	if (!setjmp(host_port.panic_to)) {
		pv_init(&platform, "");
		fail_msg("still alive");
	}
	assert_non_null(strstr(host_port.panic_why, "too many backends"));
}

#define TESTS	TEST(one_backend_too_many_is_a_panic)
#else
static void the_last_backend_can_be_chosen(void **state)
{
	u32 nr, lines = 0;

	(void)state;
	pv_init(&platform, "pvops=fifteen");
	assert_string_equal(pv_backend()->name, "sixteen");
	assert_string_equal(pv_refused(0), "pvops=fifteen: it is one of many");
	pv_init(&platform, "pvops=native");
	assert_string_equal(pv_backend()->name, "native");
	/* All were asked; whose line is not kept is in the log. */
	host_log_clear();
	pv_init(&platform, "");
	for (nr = 0; pv_detected(nr); nr++)
		lines++;
	assert_int_equal(lines + host_log_lines(), 16);
}

#define TESTS	TEST(the_last_backend_can_be_chosen)
#endif

int main(void)
{
	static const struct CMUnitTest tests[] = { TESTS };

	return RUN(tests);
}
