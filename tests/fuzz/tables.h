/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A kernel's page tables: made, changed and given back as the input says, with a
 * second account of what was asked for.
 */
#ifndef TABLES_H
#define TABLES_H

#include "machine.h"

/* --- the target's --- */

/* Does the hypervisor know this page as a table?  Or cannot it be said. */
bool target_is_table(u32 page);

/* --- for it --- */

void tables_reset(void);
/* One step, of which sort the input says. */
void tables_allocate(void);
void tables_release(void);
void tables_set_entry(void);
void tables_batch(bool enter);
/* A root; PV_PFN_NONE: there was none where the input looked. */
pv_pfn_t tables_root(void);
/* No batch is open. */
bool tables_settled(void);
/* Close all that is open. */
void tables_settle(void);
void tables_release_all(void);
/* The report says that this entry of a page is not what was asked for. */
void tables_lost(u32 page, u32 index);
/* Everything else is; nothing waits anywhere. */
void tables_check(void);

#endif
