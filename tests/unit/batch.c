// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-batch: the six rules of batch.h.
 *
 * The machine is an array: an update's ptr is an index, submit() stores val
 * there and writes a journal.  Interrupts are real ones: with the trap flag
 * set (SDM vol. 3A section 17.3.1.4) the processor raises a debug exception
 * after every instruction of the code under test, and the signal handler acts
 * as a kernel's interrupt entry wherever the fake RFLAGS.IF is set.  So every
 * instruction boundary of the queue code is interrupted, one by one and all
 * at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include <pvops/batch.h>
#include <pvops/native.h>

#include "unit.h"

#define CELLS		2048
/* Cells from here on belong to the interrupt handler. */
#define HANDLER_CELL	1024
#define JOURNAL		65536


static u64 cell[CELLS];
static u32 journal[JOURNAL];
static u32 journal_used;
static u32 submits;
static u32 largest_submit;
static bool submit_unmasked;
/* Cells that the hypervisor refuses, and with what; and how often, if not for ever. */
static s32 refuse[CELLS];
static u32 times[CELLS];
/* Called in the middle of a submission. */
static void (*in_submit)(void);

static struct pv_batch *queue(void)
{
	return PV_PERCPU_PTR(pv_batch_this_cpu);
}

static void apply_one(const struct pv_batch_req *req)
{
	cell[req->ptr] = req->val;
	if (journal_used < JOURNAL)
		journal[journal_used++] = (u32)req->ptr;
}

static int submit(const struct pv_batch_req *req, u32 count, u32 *done)
{
	u32 i;

	submits++;
	if (count > largest_submit)
		largest_submit = count;
	if (fake_flags & PV_RFLAGS_IF)
		submit_unmasked = true;
	for (i = 0; i < count; i++) {
		if (in_submit && i == count / 2) {
			void (*hook)(void) = in_submit;

			in_submit = NULL;
			hook();
		}
		*done = i;
		if (refuse[req[i].ptr]) {
			s32 error = refuse[req[i].ptr];

			if (times[req[i].ptr] && !--times[req[i].ptr])
				refuse[req[i].ptr] = 0;
			return error;
		}
		apply_one(&req[i]);
	}
	*done = count;
	return 0;
}

static void fill_table(u32 which)
{
	void (**slot)(void) = (void (**)(void))&pv_slots;
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++)
		slot[op] = fake_impls[which][op]->fn;
}

static u32 errors_before, lost_before;

static int empty_queue(void **state)
{
	fresh(state);
	fill_table(FAKE_NATIVE);
	memset(cell, 0, sizeof(cell));
	memset(refuse, 0, sizeof(refuse));
	memset(times, 0, sizeof(times));
	journal_used = 0;
	submits = 0;
	largest_submit = 0;
	submit_unmasked = false;
	in_submit = NULL;
	memset(pv_batch_this_cpu, 0, sizeof(pv_batch_this_cpu));
	pv_batch_setup(submit);
	errors_before = pv_batch_error_count();
	lost_before = pv_batch_lost_count();
	return 0;
}

/* Whatever a test did, the queue is closed and interrupts are back on. */
static int nothing_left(void **state)
{
	(void)state;
	if (submit_unmasked || !(fake_flags & PV_RFLAGS_IF))
		return -1;
	return queue()->used || queue()->depth[0] || queue()->depth[1] || queue()->paused;
}

#define TEST_BATCH(function) \
	cmocka_unit_test_setup_teardown(function, empty_queue, nothing_left)

static int update(u64 ptr, u64 val)
{
	return pv_batch_update(PV_OP_set_pte, 0x1234, ptr, val);
}

static void assert_journal_is_0_to(u32 end)
{
	u32 i;

	assert_int_equal(journal_used, end);
	for (i = 0; i < end; i++)
		assert_int_equal(journal[i], i);
}

/* --- rule 1: nesting --- */

static void only_the_outermost_end_flushes(void **state)
{
	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	assert_int_equal(update(0, 10), 0);
	pv_batch_begin(PV_BATCH_MMU);
	update(1, 11);
	pv_batch_end(PV_BATCH_MMU);
	assert_true(pv_batch_open(PV_BATCH_MMU));
	update(2, 12);
	assert_int_equal(submits, 0);
	assert_int_equal(cell[0], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_false(pv_batch_open(PV_BATCH_MMU));
	assert_int_equal(submits, 1);
	assert_journal_is_0_to(3);
	assert_int_equal(cell[1], 11);
}

static void kinds_are_counted_apart(void **state)
{
	(void)state;
	pv_batch_begin(PV_BATCH_CPU);
	assert_true(pv_batch_open(PV_BATCH_CPU));
	assert_false(pv_batch_open(PV_BATCH_MMU));
	update(0, 1);
	assert_int_equal(cell[0], 1);
	pv_batch_begin(PV_BATCH_MMU);
	update(1, 2);
	pv_batch_end(PV_BATCH_CPU);
	assert_int_equal(cell[1], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(cell[1], 2);
}

static void end_without_begin_is_reported_and_ignored(void **state)
{
	(void)state;
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(host_log_lines(), 1);
	assert_logged("batch end without a begin", "at 0x");
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_end(PV_BATCH_CPU);
	assert_int_equal(host_log_lines(), 2);
	assert_true(pv_batch_open(PV_BATCH_MMU));
	update(0, 1);
	assert_int_equal(submits, 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(cell[0], 1);
}

static void nesting_has_a_bound_that_is_reported(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 255; i++)
		pv_batch_begin(PV_BATCH_MMU);
	assert_string_equal(host_log(), "");
	pv_batch_begin(PV_BATCH_MMU);
	assert_logged("nested deeper than 255");
	/* The other kind's count is not touched by a pause. */
	pv_batch_resume(pv_batch_pause());
	assert_false(pv_batch_open(PV_BATCH_CPU));
	assert_true(pv_batch_open(PV_BATCH_MMU));
	for (i = 0; i < 255; i++)
		pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(host_log_lines(), 1);
}

static void empty_batch_costs_no_submission(void **state)
{
	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_end(PV_BATCH_MMU);
	pv_batch_drain();
	assert_int_equal(submits, 0);
}

/* --- rule 2: bound --- */

static void full_queue_flushes_itself_and_goes_on(void **state)
{
	u32 i;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < PV_BATCH_MAX; i++)
		update(i, i + 1);
	assert_int_equal(submits, 0);
	update(PV_BATCH_MAX, 1);
	assert_int_equal(submits, 1);
	assert_int_equal(largest_submit, PV_BATCH_MAX);
	assert_int_equal(journal_used, PV_BATCH_MAX);
	for (i = PV_BATCH_MAX + 1; i < 3 * PV_BATCH_MAX + 10; i++)
		update(i, i + 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(3 * PV_BATCH_MAX + 10);
	assert_int_equal(submits, 4);
	assert_int_equal(queue()->flushes, 4);
	assert_int_equal(queue()->updates, 3 * PV_BATCH_MAX + 10);
}

/* --- rule 3: outside a batch --- */

static void update_outside_a_batch_takes_effect_at_once(void **state)
{
	(void)state;
	assert_int_equal(update(0, 5), 0);
	assert_int_equal(cell[0], 5);
	assert_int_equal(submits, 1);
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_end(PV_BATCH_MMU);
	update(1, 6);
	assert_int_equal(cell[1], 6);
	assert_journal_is_0_to(2);
}

static void update_outside_a_batch_returns_its_error(void **state)
{
	(void)state;
	refuse[3] = -EINVAL;
	assert_int_equal(update(3, 5), -EINVAL);
	assert_int_equal(pv_batch_error_count() - errors_before, 1);
	assert_int_equal(host_log_lines(), 1);
	assert_int_equal(cell[3], 0);
	/* Not lost: no error, but reported. */
	times[3] = 1;
	assert_int_equal(update(3, 6), 0);
	assert_int_equal(cell[3], 6);
	assert_int_equal(pv_batch_error_count() - errors_before, 2);
	assert_int_equal(pv_batch_lost_count() - lost_before, 1);
}

static void update_keeps_the_interrupt_state(void **state)
{
	(void)state;
	fake_flags &= ~PV_RFLAGS_IF;
	update(0, 1);
	assert_int_equal(fake_flags & PV_RFLAGS_IF, 0);
	pv_batch_begin(PV_BATCH_MMU);
	update(1, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(fake_flags & PV_RFLAGS_IF, 0);
	fake_flags |= PV_RFLAGS_IF;
	update(2, 1);
	assert_true(fake_flags & PV_RFLAGS_IF);
}

static void each_cpu_has_its_own_queue(void **state)
{
	(void)state;
	host_cpu = 1;
	pv_batch_setup(submit);
	pv_batch_begin(PV_BATCH_MMU);
	update(1, 1);
	host_cpu = 0;
	update(0, 1);
	assert_journal_is_0_to(1);
	host_cpu = 1;
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(2);
	host_cpu = 0;
}

/* --- rule 4: interrupts, by hand --- */

static u64 interrupted_flags[4];
static u32 interrupted;

static u32 enter(void)
{
	interrupted_flags[interrupted++] = fake_flags;
	fake_flags &= ~PV_RFLAGS_IF;
	return pv_batch_pause();
}

static void leave(u32 token)
{
	pv_batch_resume(token);
	fake_flags = interrupted_flags[--interrupted];
}

/* A kernel whose entry code does not pause: the handler drains and updates. */
static void drain_in_an_interrupt_keeps_the_place_in_the_queue(void **state)
{
	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	update(1, 1);
	host_in_interrupt = true;
	assert_false(pv_batch_open(PV_BATCH_MMU));
	pv_batch_drain();
	assert_journal_is_0_to(2);
	assert_int_equal(queue()->used, 2);
	host_in_interrupt = false;
	update(2, 1);
	assert_int_equal(cell[2], 0);
	host_in_interrupt = true;
	/* In order: first the queued entry, then this one. */
	update(3, 1);
	assert_int_equal(cell[2], 1);
	assert_int_equal(cell[3], 1);
	assert_journal_is_0_to(4);
	pv_batch_begin(PV_BATCH_MMU);
	update(4, 1);
	assert_int_equal(cell[4], 1);
	pv_batch_end(PV_BATCH_MMU);
	host_in_interrupt = false;
	update(5, 1);
	assert_int_equal(cell[5], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(6);
}

static void pause_shows_the_handler_what_was_queued(void **state)
{
	u32 token;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	update(1, 1);
	token = enter();
	assert_int_equal(cell[1], 1);
	assert_false(pv_batch_open(PV_BATCH_MMU));
	update(2, 1);
	assert_int_equal(cell[2], 1);
	leave(token);
	assert_true(pv_batch_open(PV_BATCH_MMU));
	update(3, 1);
	assert_int_equal(cell[3], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(4);
}

/* --- rule 5: a batch belongs to its task --- */

/* Behind the handler of an interrupt, the task continues on another CPU. */
static void batch_moves_with_its_task(void **state)
{
	u32 depth;

	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	leave(enter());
	update(1, 1);
	assert_int_equal(cell[1], 0);
	depth = pv_batch_switch_out();
	assert_int_equal(depth, 2);
	assert_int_equal(cell[1], 1);
	/* The next task finds no batch and an empty queue. */
	assert_int_equal(nothing_left(state), 0);
	update(2, 1);
	assert_int_equal(cell[2], 1);
	assert_int_equal(pv_batch_switch_out(), 0);

	host_cpu = 1;
	pv_batch_setup(submit);
	pv_batch_switch_in(depth);
	assert_true(pv_batch_open(PV_BATCH_MMU));
	update(3, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(cell[3], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(nothing_left(state), 0);
	assert_journal_is_0_to(4);
	assert_int_equal(host_log_lines(), 0);
	host_cpu = 0;
	/* A new task has no batch. */
	pv_batch_switch_in(0);
	assert_false(pv_batch_open(PV_BATCH_MMU));
}

static void batch_inside_a_handler_queues_nothing(void **state)
{
	u32 token;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	token = enter();
	pv_batch_begin(PV_BATCH_MMU);
	assert_false(pv_batch_open(PV_BATCH_MMU));
	update(1, 1);
	assert_int_equal(cell[1], 1);
	pv_batch_drain();
	pv_batch_end(PV_BATCH_MMU);
	leave(token);
	update(2, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(3);
	assert_string_equal(host_log(), "");
}

static void pauses_nest(void **state)
{
	u32 outer, inner;

	(void)state;
	pv_batch_begin(PV_BATCH_CPU);
	pv_batch_begin(PV_BATCH_MMU);
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	outer = enter();
	update(1, 1);
	inner = enter();
	update(2, 1);
	leave(inner);
	update(3, 1);
	assert_int_equal(cell[3], 1);
	leave(outer);
	assert_int_equal(queue()->depth[PV_BATCH_MMU], 2);
	assert_int_equal(queue()->depth[PV_BATCH_CPU], 1);
	update(4, 1);
	assert_int_equal(cell[4], 0);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(cell[4], 0);
	pv_batch_end(PV_BATCH_MMU);
	pv_batch_end(PV_BATCH_CPU);
	assert_journal_is_0_to(5);
}

static void batch_left_open_by_a_handler_is_reported_and_closed(void **state)
{
	u32 token;

	(void)state;
	token = enter();
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	assert_int_equal(cell[0], 1);
	leave(token);
	assert_logged("left a batch open", "at 0x");
	assert_false(pv_batch_open(PV_BATCH_MMU));
}

static void full_queue_after_a_pause_still_flushes(void **state)
{
	u32 i;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < PV_BATCH_MAX; i++)
		update(i, 1);
	leave(enter());
	assert_int_equal(journal_used, PV_BATCH_MAX);
	update(PV_BATCH_MAX, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(PV_BATCH_MAX + 1);
}

/* --- rule 4: interrupts, at every instruction --- */

enum { SCENARIO_UPDATES = 6 };

static struct {
	bool on;
	/* What comes is an NMI: wherever it is due, masked or not. */
	bool nmi;
	/* Interrupt at this boundary and every stride-th after it. */
	u32 at;
	u32 stride;
	u32 boundaries;
	u32 interrupts;
	u32 handler_updates;
	/* Updates that have returned to the code that was interrupted. */
	volatile u32 returned;
	const char *wrong;
} step;

static void wrong(const char *what)
{
	if (!step.wrong)
		step.wrong = what;
}

/* What a kernel's interrupt entry does. */
static void interrupt(void)
{
	u32 before = journal_used;
	u32 token, i, mine;

	step.interrupts++;
	fake_flags &= ~PV_RFLAGS_IF;
	token = pv_batch_pause();
	for (i = 0; i < step.returned; i++)
		if (!cell[i])
			wrong("handler does not see an update that was made before");
	for (i = before; i + 1 < journal_used; i++)
		if (journal[i] + 1 != journal[i + 1])
			wrong("pause submits out of order");
	mine = HANDLER_CELL + step.handler_updates % (CELLS - HANDLER_CELL);
	cell[mine] = 0;
	if (step.handler_updates & 1)
		pv_batch_begin(PV_BATCH_MMU);
	update(mine, 1);
	if (!cell[mine])
		wrong("handler's own update does not take effect at once");
	if (step.handler_updates & 1)
		pv_batch_end(PV_BATCH_MMU);
	if (step.handler_updates % 3 == 0)
		pv_batch_drain();
	step.handler_updates++;
	pv_batch_resume(token);
	fake_flags |= PV_RFLAGS_IF;
}

/* What an NMI handler does that maps a page: no entry code has paused. */
static void nmi(void)
{
	u32 mine = HANDLER_CELL + step.handler_updates++ % (CELLS - HANDLER_CELL);
	bool before = host_in_interrupt;

	step.interrupts++;
	cell[mine] = 0;
	host_in_interrupt = true;
	update(mine, 1);
	if (!cell[mine])
		wrong("the NMI handler's update does not take effect at once");
	pv_batch_drain();
	host_in_interrupt = before;
}

/* Between any two instructions; the signal handler itself is not stepped. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	if (!step.on) {
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
		return;
	}
	if (!step.nmi && !(fake_flags & PV_RFLAGS_IF))
		return;
	if (step.stride && step.boundaries % step.stride == step.at)
		step.nmi ? nmi() : interrupt();
	step.boundaries++;
}

static __attribute__((noinline)) void trap_on(void)
{
	step.on = true;
	asm volatile("pushfq; orl $0x100, (%%rsp); popfq" : : : "memory", "cc");
}

static __attribute__((noinline)) void trap_off(void)
{
	step.on = false;
	asm volatile("pushfq; andl $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

/* Queue, drain in the middle, nest, and one update outside. */
static void scenario(u32 first)
{
	u32 i = first;

#define STEP_UPDATE()					\
	do {						\
		update(i, i + 1);			\
		i++;					\
		step.returned = i;			\
	} while (0)

	pv_batch_begin(PV_BATCH_MMU);
	STEP_UPDATE();
	STEP_UPDATE();
	pv_batch_drain();
	pv_batch_begin(PV_BATCH_MMU);
	STEP_UPDATE();
	pv_batch_end(PV_BATCH_MMU);
	STEP_UPDATE();
	STEP_UPDATE();
	pv_batch_end(PV_BATCH_MMU);
	STEP_UPDATE();
}

static bool with_nmis;

static void start_steps(u32 at, u32 stride)
{
	struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	memset(&step, 0, sizeof(step));
	step.nmi = with_nmis;
	step.at = at;
	step.stride = stride;
	sigaction(SIGTRAP, &trap, NULL);
}

/* What the interrupted code did: everything, once, in order. */
static void check_steps(u32 end)
{
	u32 next = 0, i;

	if (step.wrong)
		fail_msg("boundary %u of %u: %s", step.at, step.stride, step.wrong);
	for (i = 0; i < journal_used; i++) {
		if (journal[i] >= HANDLER_CELL)
			continue;
		if (journal[i] != next)
			fail_msg("boundary %u of %u: update %u applied where %u was due",
				 step.at, step.stride, journal[i], next);
		next++;
	}
	if (next != end)
		fail_msg("boundary %u of %u: %u updates applied of %u", step.at, step.stride,
			 next, end);
	for (i = 0; i < end; i++)
		assert_int_equal(cell[i], i + 1);
	assert_string_equal(host_log(), "");
}

static void step_scenario(u32 at, u32 stride)
{
	void *state = NULL;

	empty_queue(&state);
	start_steps(at, stride);
	trap_on();
	scenario(0);
	trap_off();
	check_steps(SCENARIO_UPDATES);
	assert_in_range(step.boundaries, 100, 10000);
}

/* The queue fills up under the interrupts: 254 entries are there already. */
static void step_overflow(u32 at, u32 stride)
{
	void *state = NULL;
	u32 i;

	empty_queue(&state);
	start_steps(at, stride);
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < PV_BATCH_MAX - 2; i++)
		update(i, i + 1);
	step.returned = i;
	trap_on();
	for (; i < PV_BATCH_MAX + 3; i++) {
		update(i, i + 1);
		step.returned = i + 1;
	}
	pv_batch_end(PV_BATCH_MMU);
	trap_off();
	check_steps(PV_BATCH_MAX + 3);
	assert_in_range(step.boundaries, 100, 10000);
}

/* Every boundary in one of the runs, with room before the next interrupt. */
#define STRIDE	61

static void interrupt_at_any_instruction_loses_no_update(void **state)
{
	u32 at;

	(void)state;
	step_scenario(0, 0);
	assert_int_equal(step.interrupts, 0);
	for (at = 0; at < STRIDE; at++) {
		step_scenario(at, STRIDE);
		assert_in_range(step.interrupts, 3, 1000);
	}
}

static void interrupt_at_every_instruction(void **state)
{
	(void)state;
	step_scenario(0, 1);
	assert_int_equal(step.interrupts, step.boundaries);
}

static void interrupt_while_the_queue_overflows(void **state)
{
	u32 at;

	(void)state;
	for (at = 0; at < STRIDE; at++)
		step_overflow(at, STRIDE);
	step_overflow(0, 1);
}

/*
 * NMIs are not masked: one comes between taking what waits and submitting it,
 * between submitting it and saying so, and between the two words that say so.
 */
static void nmi_at_any_instruction(void **state)
{
	u32 at;

	(void)state;
	with_nmis = true;
	for (at = 0; at < STRIDE; at++) {
		step_scenario(at, STRIDE);
		assert_in_range(step.interrupts, 3, 1000);
		step_overflow(at, STRIDE);
	}
	step_scenario(0, 1);
	step_overflow(0, 1);
	with_nmis = false;
}

/* Once more with the core's own sites patched. */
static void interrupts_with_patched_sites(void **state)
{
	extern const struct pv_site __pv_sites_start[], __pv_sites_end[];
	extern const u8 __pv_text_start[], __pv_text_end[];
	struct pv_site_set set = {
		.name = "own",
		.start = __pv_sites_start,
		.end = __pv_sites_end,
		.text_start = (unsigned long)__pv_text_start,
		.text_end = (unsigned long)__pv_text_end,
	};
	u32 which, at;

	(void)state;
	for (which = 0; which < 2; which++) {
		assert_int_equal(pv_apply(&set, fake_impls[which]), 0);
		for (at = 0; at < 5; at++) {
			step_scenario(at, 5);
			step_overflow(at, 5);
		}
	}
	assert_int_equal(pv_apply(&set, NULL), 0);
}

/* An exception inside of a submission: masked, but it pauses too. */
static void pause_in_submit(void)
{
	u32 token = pv_batch_pause();

	update(HANDLER_CELL, 1);
	if (!cell[HANDLER_CELL])
		wrong("handler's own update does not take effect at once");
	pv_batch_resume(token);
}

static void exception_inside_a_submission_duplicates_nothing(void **state)
{
	u32 i;

	(void)state;
	start_steps(0, 0);
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 5; i++)
		update(i, i + 1);
	in_submit = pause_in_submit;
	pv_batch_drain();
	for (; i < 8; i++)
		update(i, i + 1);
	in_submit = pause_in_submit;
	pv_batch_end(PV_BATCH_MMU);
	check_steps(8);
	assert_int_equal(cell[HANDLER_CELL], 1);
	/* In one that is not queued. */
	in_submit = pause_in_submit;
	update(8, 9);
	check_steps(9);
}

/* --- rule 6: order --- */

static void drain_submits_in_order_and_stays_open(void **state)
{
	u32 i;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		update(i, 1);
	pv_batch_drain();
	assert_journal_is_0_to(10);
	assert_true(pv_batch_open(PV_BATCH_MMU));
	for (; i < 20; i++)
		update(i, 1);
	assert_journal_is_0_to(10);
	pv_batch_end(PV_BATCH_MMU);
	assert_journal_is_0_to(20);
	assert_int_equal(submits, 2);
}

static void same_entry_twice_ends_with_the_last_value(void **state)
{
	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	update(7, 1);
	update(7, 2);
	update(7, 3);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(journal_used, 3);
	assert_int_equal(cell[7], 3);
}

/* --- rule 7: refusals --- */

static void refused_entry_is_reported_and_the_rest_applied(void **state)
{
	const struct pv_batch_error *error;
	u32 i;

	(void)state;
	refuse[4] = -EINVAL;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		pv_batch_update(i == 4 ? PV_OP_set_pmd : PV_OP_set_pte, 0xffffffff81000000 + i,
				i, 0x100 + i);
	pv_batch_end(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		assert_int_equal(cell[i], i == 4 ? 0 : 0x100 + i);
	assert_int_equal(journal_used, 9);
	/* All, the second try, the rest. */
	assert_int_equal(submits, 3);
	assert_int_equal(pv_batch_lost_count() - lost_before, 1);
	assert_int_equal(pv_batch_error_count() - errors_before, 1);
	error = pv_batch_error(0);
	assert_non_null(error);
	assert_int_equal(error->req.ptr, 4);
	assert_int_equal(error->req.val, 0x104);
	assert_int_equal(error->note.op, PV_OP_set_pmd);
	assert_int_equal(error->note.caller, 0xffffffff81000004);
	assert_int_equal(error->error, -EINVAL);
	assert_int_equal(error->again, -EINVAL);
	assert_int_equal(host_log_lines(), 1);
	assert_logged("set_pmd refused", "error -22", "entry 0x0", "value 0x104",
		      "caller 0xffffffff81000004", "second try: error -22, lost");
}

/* The second try, and what comes behind it, are calls like any other. */
static void every_submission_is_counted(void **state)
{
	u64 before = queue()->flushes;
	u32 i;

	(void)state;
	refuse[4] = -EINVAL;
	refuse[7] = -EINVAL;
	times[7] = 1;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		pv_batch_update(PV_OP_set_pte, 0, i, 0x100 + i);
	pv_batch_end(PV_BATCH_MMU);
	/* Up to 4, it again, up to 7, it again, the rest. */
	assert_int_equal(submits, 5);
	assert_int_equal(queue()->flushes - before, 5);
}

/* A level, or a kind of update, in the low bits is no part of an entry's address. */
static void reports_show_addresses_of_entries(void **state)
{
	static const u8 entries[] = {
		PV_OP_set_pte, PV_OP_set_pmd, PV_OP_set_pud, PV_OP_set_p4d,
		PV_OP_ptep_modify_prot_commit,
	};
	const struct pv_batch_req req = { .ptr = 0xe7e902b, .val = 0x67 };
	struct pv_batch_note note = { .caller = 0x1111, .op = PV_OP_set_fixmap };
	u32 i;

	(void)state;
	pv_batch_refused(&req, &note, -EINVAL, PV_BATCH_NOT_TRIED);
	assert_logged("set_fixmap refused", "entry 0xe7e902b,");
	for (i = 0; i < sizeof(entries); i++) {
		host_log_clear();
		note.op = entries[i];
		pv_batch_refused(&req, &note, -EINVAL, PV_BATCH_NOT_TRIED);
		assert_non_null(host_log_find(pv_op_info[entries[i]].name));
		assert_logged(" refused: error -22, entry 0xe7e9028,");
	}
	assert_int_equal(pv_batch_error(0)->req.ptr, 0xe7e902b);
}

static void transient_refusal_loses_nothing(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 10; i += 3) {
		refuse[i] = -EINVAL;
		times[i] = 1;
	}
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		pv_batch_update(PV_OP_set_pte, 0x1000 + i, i, 0x100 + i);
	pv_batch_end(PV_BATCH_MMU);
	/* Each in its place: what comes behind an entry is applied behind it. */
	assert_journal_is_0_to(10);
	for (i = 0; i < 10; i++)
		assert_int_equal(cell[i], 0x100 + i);
	assert_int_equal(pv_batch_error_count() - errors_before, 4);
	assert_int_equal(pv_batch_lost_count() - lost_before, 0);
	assert_int_equal(host_log_lines(), 4);
	for (i = 0; i < 4; i++) {
		assert_int_equal(pv_batch_error(i)->error, -EINVAL);
		assert_int_equal(pv_batch_error(i)->again, 0);
		assert_int_equal(pv_batch_error(i)->note.caller, 0x1009 - 3 * i);
	}
	assert_logged("entry 0x8", "set_pte refused", "error -22", "second try: good");
}

static void first_last_and_neighbours_may_be_refused(void **state)
{
	u32 i;

	(void)state;
	refuse[0] = -EPERM;
	refuse[5] = -EIO;
	refuse[6] = -ENXIO;
	refuse[9] = -EBADF;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 10; i++)
		pv_batch_update(i & 1 ? PV_OP_set_pmd : PV_OP_set_pte, 0x1000 + i, i, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(journal_used, 6);
	for (i = 0; i < 10; i++)
		assert_int_equal(cell[i], !refuse[i]);
	assert_int_equal(pv_batch_error_count() - errors_before, 4);
	assert_int_equal(pv_batch_error(0)->error, -9);
	assert_int_equal(pv_batch_error(3)->error, -1);
	assert_int_equal(host_log_lines(), 4);
	/* Each with its own caller and op. */
	for (i = 0; i < 4; i++) {
		const struct pv_batch_error *error = pv_batch_error(i);

		assert_int_equal(error->note.caller, 0x1000 + error->req.ptr);
		assert_int_equal(error->note.op,
				 error->req.ptr & 1 ? PV_OP_set_pmd : PV_OP_set_pte);
	}
}

static void batch_of_refused_entries_ends(void **state)
{
	u32 i;

	(void)state;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < PV_BATCH_MAX; i++) {
		refuse[i] = -EPERM;
		update(i, 1);
	}
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(journal_used, 0);
	assert_int_equal(submits, 2 * PV_BATCH_MAX);
	assert_int_equal(pv_batch_error_count() - errors_before, PV_BATCH_MAX);
	assert_int_equal(pv_batch_lost_count() - lost_before, PV_BATCH_MAX);
	assert_int_equal(host_log_lines(), PV_BATCH_MAX);
}

static void last_errors_are_kept_newest_first(void **state)
{
	u32 i, count;

	(void)state;
	for (i = 0; i < PV_BATCH_ERRORS + 5; i++) {
		refuse[i] = -(s32)i - 1;
		update(i, 1);
	}
	count = pv_batch_error_count();
	assert_int_equal(count - errors_before, PV_BATCH_ERRORS + 5);
	for (i = 0; i < PV_BATCH_ERRORS; i++) {
		assert_non_null(pv_batch_error(i));
		assert_int_equal(pv_batch_error(i)->req.ptr, PV_BATCH_ERRORS + 4 - i);
	}
	assert_null(pv_batch_error(PV_BATCH_ERRORS));
	assert_null(pv_batch_error(~0U));
}

static void refusal_in_a_pause_is_reported(void **state)
{
	(void)state;
	refuse[1] = -EINVAL;
	pv_batch_begin(PV_BATCH_MMU);
	update(0, 1);
	update(1, 1);
	update(2, 1);
	leave(enter());
	assert_int_equal(cell[2], 1);
	assert_int_equal(pv_batch_error_count() - errors_before, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(submits, 3);
}

static void backend_can_report_a_refusal(void **state)
{
	const struct pv_batch_req req = { 0x1000, 0x2000 };
	struct pv_batch_note note = { 0x4242, PV_OP_load_sp0 };

	(void)state;
	pv_batch_refused(&req, &note, -ENOSYS, 0);
	assert_logged("load_sp0 refused", "error -38", "caller 0x4242", "second try: good");
	assert_int_equal(pv_batch_error(0)->note.op, PV_OP_load_sp0);
	note.op = PV_OP_COUNT + 5;
	pv_batch_refused(&req, &note, -ENOSYS, PV_BATCH_NOT_TRIED);
	assert_logged("? refused", "error -38", "second try: none");
	assert_int_equal(pv_batch_lost_count() - lost_before, 0);
	note.op = PV_BATCH_CPU_INIT;
	pv_batch_refused(&req, &note, -ENOSYS, -ENOTEMPTY);
	assert_logged("cpu_init refused", "error -38", "second try: error -39, lost");
	assert_int_equal(pv_batch_lost_count() - lost_before, 1);
}

/* --- a backend that counts wrong --- */

static u32 lie;
static u32 lies_told;

static int lying_submit(const struct pv_batch_req *req, u32 count, u32 *done)
{
	(void)req;
	(void)count;
	lies_told++;
	if (lies_told > 1000)
		return 0;
	*done = lie;
	return -EINVAL;
}

static int silent_submit(const struct pv_batch_req *req, u32 count, u32 *done)
{
	(void)req;
	(void)count;
	(void)done;
	lies_told++;
	return lies_told > 1000 ? 0 : -EINVAL;
}

static void wrong_count_neither_loops_nor_overruns(void **state)
{
	static const u32 claims[] = { 3, 4, 5, 1000, ~0U };
	size_t n;
	u32 i;

	(void)state;
	for (n = 0; n < COUNT(claims); n++) {
		u32 before = pv_batch_error_count();

		pv_batch_setup(lying_submit);
		lies_told = 0;
		lie = claims[n];
		pv_batch_begin(PV_BATCH_MMU);
		for (i = 0; i < 4; i++)
			update(100 + i, 1);
		pv_batch_end(PV_BATCH_MMU);
		/* The last entry is the one blamed, and tried again. */
		assert_int_equal(lies_told, 2);
		assert_int_equal(pv_batch_error_count() - before, 1);
		assert_int_equal(pv_batch_error(0)->req.ptr, 103);
	}
	/* The hypervisor names no entry: the first remaining one is blamed each time. */
	pv_batch_setup(silent_submit);
	lies_told = 0;
	pv_batch_begin(PV_BATCH_MMU);
	for (i = 0; i < 4; i++)
		update(100 + i, 1);
	pv_batch_end(PV_BATCH_MMU);
	assert_int_equal(lies_told, 8);
	assert_int_equal(pv_batch_error(0)->req.ptr, 103);
	assert_int_equal(pv_batch_error(3)->req.ptr, 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_BATCH(only_the_outermost_end_flushes),
		TEST_BATCH(kinds_are_counted_apart),
		TEST_BATCH(end_without_begin_is_reported_and_ignored),
		TEST_BATCH(nesting_has_a_bound_that_is_reported),
		TEST_BATCH(empty_batch_costs_no_submission),
		TEST_BATCH(full_queue_flushes_itself_and_goes_on),
		TEST_BATCH(update_outside_a_batch_takes_effect_at_once),
		TEST_BATCH(update_outside_a_batch_returns_its_error),
		TEST_BATCH(update_keeps_the_interrupt_state),
		TEST_BATCH(each_cpu_has_its_own_queue),
		TEST_BATCH(drain_in_an_interrupt_keeps_the_place_in_the_queue),
		TEST_BATCH(pause_shows_the_handler_what_was_queued),
		TEST_BATCH(batch_moves_with_its_task),
		TEST_BATCH(batch_inside_a_handler_queues_nothing),
		TEST_BATCH(pauses_nest),
		TEST_BATCH(batch_left_open_by_a_handler_is_reported_and_closed),
		TEST_BATCH(full_queue_after_a_pause_still_flushes),
		TEST_BATCH(interrupt_at_any_instruction_loses_no_update),
		TEST_BATCH(interrupt_at_every_instruction),
		TEST_BATCH(interrupt_while_the_queue_overflows),
		TEST_BATCH(nmi_at_any_instruction),
		TEST_BATCH(interrupts_with_patched_sites),
		TEST_BATCH(exception_inside_a_submission_duplicates_nothing),
		TEST_BATCH(drain_submits_in_order_and_stays_open),
		TEST_BATCH(same_entry_twice_ends_with_the_last_value),
		TEST_BATCH(refused_entry_is_reported_and_the_rest_applied),
		TEST_BATCH(every_submission_is_counted),
		TEST_BATCH(reports_show_addresses_of_entries),
		TEST_BATCH(transient_refusal_loses_nothing),
		TEST_BATCH(first_last_and_neighbours_may_be_refused),
		TEST_BATCH(batch_of_refused_entries_ends),
		TEST_BATCH(last_errors_are_kept_newest_first),
		TEST_BATCH(refusal_in_a_pause_is_reported),
		TEST_BATCH(backend_can_report_a_refusal),
		TEST_BATCH(wrong_count_neither_loops_nor_overruns),
	};

	return RUN(tests);
}
