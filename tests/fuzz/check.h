/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a target holds true of its subject. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort();					\
		}							\
	} while (0)

#endif
