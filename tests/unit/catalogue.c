// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-catalogue: only the place in the catalogue decides what an op is.
 * catalogue.t builds this once more with ops added at the start and at the end of
 * each table.
 */
#include <stdio.h>

#include "unit.h"
#include "../../pvops/internal.h"

/* Where the compiler has put them, by name. */
static const struct {
	const char *table;
	size_t offset;
	const void *const *impls;
} places[PV_OP_COUNT] = {
#define PV_OP(table, name, site, conv, ret, n, args, test)		\
	[PV_OP_##name] = { #table, offsetof(struct pv_##table##_impls, name), \
			   (const void *const *)&fake_backend_desc.table },
#include <pvops/catalogue.h>
};

static const struct pv_impl *place(u32 op)
{
	return (const struct pv_impl *)((const u8 *)*places[op].impls + places[op].offset);
}

static void tables_are_as_the_catalogue_says(void **state)
{
	u32 nr, op = 0;

	(void)state;
	for (nr = 0; nr < pv_table_count; nr++) {
		assert_int_equal(pv_tables[nr].first, op);
		assert_true(pv_tables[nr].count > 0);
		for (; op < pv_tables[nr].first + pv_tables[nr].count; op++)
			if (strcmp(pv_tables[nr].name, places[op].table))
				fail_msg("%s is found in table %s", pv_op_info[op].name,
					 pv_tables[nr].name);
	}
	assert_int_equal(op, PV_OP_COUNT);
}

static void every_op_resolves_to_its_own_entry(void **state)
{
	struct pv_platform platform = { .cpuid = host_cpuid };
	void (*const *slot)(void) = (void (*const *)(void))&pv_slots;
	u32 op;

	(void)state;
	fake_backend[FAKE_FAKE].score = PV_SCORE_GUEST;
	pv_init(&platform, "");
	for (op = 0; op < PV_OP_COUNT; op++) {
		assert_ptr_equal(pv_impl_of(op), place(op));
		assert_ptr_equal(slot[op], place(op)->fn);
	}
}

static void every_table_is_left_by_its_name(void **state)
{
	struct pv_platform platform = { .cpuid = host_cpuid };
	u32 nr, op;

	(void)state;
	fake_backend[FAKE_FAKE].score = PV_SCORE_GUEST;
	for (nr = 0; nr < pv_table_count; nr++) {
		char line[40];

		snprintf(line, sizeof(line), "pvops=-%s", pv_tables[nr].name);
		pv_init(&platform, line);
		for (op = 0; op < PV_OP_COUNT; op++)
			if (pv_impl_is_native(op) && strcmp(places[op].table, pv_tables[nr].name))
				fail_msg("-%s: %s is native", pv_tables[nr].name, pv_op_info[op].name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(tables_are_as_the_catalogue_says),
		TEST(every_op_resolves_to_its_own_entry),
		TEST(every_table_is_left_by_its_name),
	};

	return RUN(tests);
}
