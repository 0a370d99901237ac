/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core's own files share. */
#ifndef PVOPS_INTERNAL_H
#define PVOPS_INTERNAL_H

#include <pvops/port.h>
#include <pvops/pvops.h>

/* Where table groups begin: op ids of one table are consecutive. */
struct pv_table_range {
	const char *name;
	u16 first;
	u16 count;
};

extern const struct pv_table_range pv_tables[];
extern const u32 pv_table_count;

/* A backend's entries for table group nr; NULL if it has none. */
const struct pv_impl *pv_backend_table(const struct pv_backend *backend, u32 nr);

/* Slot of an op in pv_ops. */
static inline unsigned long pv_slot(u32 op)
{
	return (unsigned long)&pv_ops + sizeof(void *) * op;
}

/* The implementations the core chose, per op. */
extern const struct pv_impl *pv_chosen[PV_OP_COUNT];

static inline bool pv_same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

#endif
