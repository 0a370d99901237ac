/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef TYPES_H
#define TYPES_H

#include "../../types.h"

#define PAGE		4096UL
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
