// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "guest.h"
void bench_run(void)
{
}
