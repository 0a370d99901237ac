/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The ROM that counts each call, which costs an instruction: -append count. */
#define ROM_COUNT
#include "rom.S"
