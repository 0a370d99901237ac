// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* test-host-backends17: one backend more than an image can have. */
#define ONE_MORE
#include "backends.c"
