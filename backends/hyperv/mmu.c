// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Remote TLB flushes: TLFS, Virtual MMU, the enlightened flush hypercalls. */
#include <pvops/call.h>
#include "internal.h"

/* A longer range flushes all user entries: the op's contract. */
#define ALL_ABOVE	(32 * PV_PAGE_SIZE)

static bool is_all(u64 start, u64 end)
{
	return !end || end - start > ALL_ABOVE;
}

/* Makes the one range that the op needs: a page, and the number of further pages. */
static u64 range(u64 start, u64 end)
{
	u64 first = start & ~(PV_PAGE_SIZE - 1);

	return first | ((end - first - 1) >> PV_PAGE_SHIFT & HV_FLUSH_MORE_PAGES);
}

/*
 * Input: address space, flags, VPs (a mask, or a set), ranges.  The call flushes all
 * address spaces: a native flush drops entries of the other CPU's current one, whose CR3
 * is not known here.
 */
bool pvhyperv_flush(const struct pv_cpumask *mask, u64 start, u64 end, bool ex,
		    unsigned long caller)
{
	bool all = is_all(start, end), done;
	u64 control, *list, *input;
	pv_flags_t flags;
	u32 banks;

	if (pvhyperv_nobody(mask, pvhyperv_vp_index))
		return true;
	flags = pv_save_fl();
	/* An interrupt on this CPU may use the same input page. */
	pv_irq_disable();
	input = pvhyperv_input();
	input[0] = 0;
	input[1] = HV_FLUSH_ALL_SPACES | (all ? HV_FLUSH_NON_GLOBAL : 0);
	if (ex) {
		banks = pvhyperv_vp_set(mask, pvhyperv_vp_index, input + 2);
		control = (all ? HVCALL_FLUSH_SPACE_EX : HVCALL_FLUSH_LIST_EX) |
			  (u64)banks << HV_CALL_VARHEAD;
		list = input + 4 + banks;
	} else {
		input[2] = pvhyperv_vp_mask(mask, pvhyperv_vp_index);
		control = all ? HVCALL_FLUSH_SPACE : HVCALL_FLUSH_LIST;
		list = input + 3;
	}
	if (!all) {
		*list = range(start, end);
		control |= 1ULL << HV_CALL_REPS;
	}
	done = pvhyperv_accepted(pvhyperv_call_input(control), PV_OP_flush_tlb_multi, caller,
				 control, HV_USE_FLUSH);
	pv_restore_fl(flags);
	return done;
}

static void flush_here(u64 start, u64 end)
{
	if (is_all(start, end)) {
		pv_flush_tlb_user();
		return;
	}
	for (; start < end; start += PV_PAGE_SIZE)
		pv_flush_tlb_one(start);
}

/* This CPU flushes by instructions, which are cheaper than a hypercall. */
void pvhyperv_flush_tlb_multi(const struct pv_cpumask *mask, u64 start, u64 end)
{
	struct pv_cpumask others = *mask;
	u32 cpu = pv_port_this_cpu();
	u64 here = others.word[cpu / 64] & 1ULL << cpu % 64;

	pv_batch_flush();
	others.word[cpu / 64] &= ~here;
	if (!pvhyperv_uses(HV_USE_FLUSH) ||
	    !pvhyperv_flush(&others, start, end, pvhyperv_wide, HV_CALLER()))
		pvnative_fn_flush_tlb_multi(&others, start, end);
	if (here)
		flush_here(start, end);
}
