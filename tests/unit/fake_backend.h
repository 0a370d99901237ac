/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Three backends for a user process.  "native" and "fake" fill every op;
 * "other" has one op of its own.  An op does nothing but count, note its
 * arguments and answer a known value, and loses every register that its
 * convention allows it to lose.
 */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include <pvops/port.h>
#include <pvops/pvops.h>

/* Indices of what follows. */
#define FAKE_NATIVE	0
#define FAKE_FAKE	1
#define FAKE_OTHER	2
#define FAKE_COUNT	3

/**
 * struct fake_backend - knobs and counters of one
 * @score: what detect() returns
 * @why: its reason when that is PV_SCORE_NONE; NULL sets none
 * @needed: the op that needs() does not leave to native, or PV_OP_COUNT
 * @init_error: what init() returns
 * @detects: calls of detect()
 * @inits: calls of init()
 * @cpu_inits: calls of cpu_init()
 * @last_cpu: its argument
 * @cpu_exits: calls of cpu_exit()
 * @late_inits: calls of late_init()
 */
struct fake_backend {
	int score;
	const char *why;
	u32 needed;
	int init_error;
	u32 detects;
	u32 inits;
	u32 cpu_inits;
	u32 last_cpu;
	u32 cpu_exits;
	u32 late_inits;
};

extern struct fake_backend fake_backend[FAKE_COUNT];
extern const struct pv_backend native_backend, fake_backend_desc, other_backend;

/* Calls that reached a function of native or fake, per op. */
extern u64 fake_calls[2][PV_OP_COUNT];
/* What they answer; conversions (ASM convention, one argument) exclusive-or it. */
extern u64 fake_result[2][PV_OP_COUNT];
/* Arguments of the last call, and whose it was. */
extern u64 fake_args[4];
extern u32 fake_last_op;
/* The host's RFLAGS, as far as the irq ops go. */
extern u64 fake_flags;

/* Implementations per op, as the core would gather them for a backend. */
extern const struct pv_impl *fake_impls[2][PV_OP_COUNT];

/* Scores, counters and flags as at program start. */
void fake_reset(void);

#endif
