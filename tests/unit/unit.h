/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* cmocka and what every test program here begins with. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pvops/port.h>
#include <pvops/pvops.h>

#include "fake_backend.h"
#include "host_port.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* Before each test. */
static inline int fresh(void **state)
{
	(void)state;
	host_port_reset();
	fake_reset();
	return 0;
}

#define TEST(function)	cmocka_unit_test_setup(function, fresh)

/* TAP, whatever the environment says: prove reads it. */
#define RUN(tests)							\
	(cmocka_set_message_output(CM_OUTPUT_TAP),			\
	 cmocka_run_group_tests(tests, NULL, NULL))

/* A line of the log contains all of these. */
#define assert_logged(...)						\
	do {								\
		static const char *const want_[] = { __VA_ARGS__ };	\
		const char *line_ = host_log_find(want_[0]);		\
		size_t i_;						\
									\
		if (!line_)						\
			fail_msg("no line \"%s\" in log:\n%s", want_[0], host_log()); \
		for (i_ = 1; i_ < COUNT(want_); i_++)			\
			if (!strstr(line_, want_[i_]))			\
				fail_msg("no \"%s\" in line: %s", want_[i_], line_); \
	} while (0)

#endif
