// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-sites: hostile site tables.
 *
 * The input is a table of records over a small text that lies between two
 * strips that are not text.  Whatever the records say, nothing outside of the
 * text may change; and if every record was good, patching there and back
 * restores each byte.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "fake_backend.h"
#include "host_port.h"

#define STRIP	256
#define TEXT	256
#define RECORDS	24

/* Bit of a record's length: compile the site it describes first. */
#define COMPILE	0x80

/* The same memory, read-only as text is, and its writable alias. */
static u8 *area, *writable;
static struct pv_site table[RECORDS + 1] __attribute__((aligned(8)));

static unsigned long slot_of(u32 op)
{
	return (unsigned long)&pv_slots + 8UL * op;
}

/* Text as the compiler would have made it, if that is possible at all. */
static void compile(const struct pv_site *site)
{
	unsigned long addr = pv_site_addr(site);
	u8 jump[PV_BRANCH_LEN] = { 0xe9, 1, 2, 0, 0, 0x66, 0x90 };
	unsigned long text = (unsigned long)area + STRIP;
	struct pv_plan plan;

	if (addr < text || addr >= text + TEXT || addr + site->len > text + TEXT)
		return;
	if (!pv_plan_make(&plan, site, addr, slot_of(site->op), jump, NULL))
		memcpy(writable + (addr - (unsigned long)area), plan.text, plan.len);
}

/* Not worth the tracing: two thousand comparisons a run. */
static __attribute__((no_sanitize("coverage"))) void check_strips(void)
{
	u32 i;

	for (i = 0; i < STRIP; i++)
		CHECK(area[i] == 0xa5 && area[STRIP + TEXT + i] == 0x5a);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int fd;

	(void)argc;
	(void)argv;
	fd = memfd_create("text", 0);
	if (fd < 0 || ftruncate(fd, 4096))
		abort();
	area = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_32BIT, fd, 0);
	writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || writable == MAP_FAILED)
		abort();
	host_port.alias = writable - area;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pv_site_set set = { .name = "hostile" };
	struct pv_site_report report;
	u8 before[TEXT];
	u32 count, i, pass;
	int failed = 0, first;

	if (size < 12)
		return -1;
	host_port_reset();
	memset(writable, 0xa5, STRIP);
	memset(writable + STRIP, 0x90, TEXT);
	memset(writable + STRIP + TEXT, 0x5a, STRIP);

	count = (u32)((size - 4) / sizeof(struct pv_site));
	if (count > RECORDS)
		count = RECORDS;
	memcpy(table, data + 4, count * sizeof(struct pv_site));
	for (i = 0; i < count; i++) {
		struct pv_site *site = &table[i];
		bool good = site->len & COMPILE;

		site->len &= (u8)~COMPILE;
		/* Near the text, unless the record insists on being wild. */
		if (!(site->rel & 1 << 30))
			site->rel = (s32)((long)area + STRIP - 32 + site->rel % (TEXT + 64) -
					  (long)&site->rel);
		if (!(site->op & 1 << 15))
			site->op %= PV_OP_COUNT;
		if (good)
			compile(site);
	}
	memcpy(before, area + STRIP, TEXT);

	set.start = table;
	set.end = table + count;
	set.text_start = (unsigned long)area + STRIP;
	set.text_end = set.text_start + TEXT;
	if (data[0] & 1)
		set.start = (const void *)((const u8 *)set.start + (data[1] & 7));
	if (data[0] & 2)
		set.end = (const void *)((const u8 *)set.end + (data[2] & 7));
	count = (u32)(((const u8 *)set.end - (const u8 *)set.start) / 8);
	if (data[0] & 4)
		set.text_end = set.text_start + data[3];

	for (pass = 0; pass < 4; pass++) {
		const struct pv_impl *const *impl = NULL;
		u32 forms = 0;

		/* Native, fake and compiled, in an order of the input's choosing. */
		if (pass < 3 && (data[0] >> (3 + pass) & 1))
			impl = fake_impls[pass & 1];
		first = pv_apply(&set, impl);
		check_strips();
		CHECK(memcmp(area + STRIP + (set.text_end - set.text_start),
			     before + (set.text_end - set.text_start),
			     TEXT - (set.text_end - set.text_start)) == 0);
		if (first < 0) {
			CHECK(!memcmp(before, area + STRIP, TEXT));
			CHECK(!host_port.text_begins);
			return 0;
		}
		CHECK(host_port.text_begins == pass + 1 && host_port.text_ends == pass + 1);
		CHECK((u32)first == set.stats.failed && set.stats.total == count);
		for (i = 0; i < PV_FORM_COUNT; i++)
			forms += set.stats.form[i];
		CHECK(forms + set.stats.outline + set.stats.failed >= count);
		for (i = 0; pv_site_inspect(&set, i, &report); i++)
			CHECK((report.op != NULL) == (set.start[i].op < PV_OP_COUNT));
		CHECK(i == count);
		failed += first;
	}
	if (!failed)
		CHECK(!memcmp(before, area + STRIP, TEXT));
	return 0;
}
