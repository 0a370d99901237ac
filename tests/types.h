/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The types that include/pvops/types.h asks of a port, for all tests that have no types of
 * their own.  The template of a port has them once more, because people copy its folder.
 */
#ifndef TESTS_TYPES_H
#define TESTS_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifdef __CHECKER__
#define __bitwise		__attribute__((bitwise))
#define __force			__attribute__((force))
#else
#define __bitwise
#define __force
#endif
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))

#endif
