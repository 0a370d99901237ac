/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before each of the layer's own files: Linux's macros of these names
 * would change what they say.
 */
#include <pvops_port.h>

#undef barrier
#undef noinline
