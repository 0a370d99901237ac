// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-module: modules with site tables of their own making.
 *
 * Two modules, each with text that ends where its memory does, and with a table as long as
 * it is: one byte further is found out.  The loader says where text begins and ends and what
 * of it is gone; the records are the module's and say anything.  They are loaded, patched,
 * patched again, unloaded and loaded again, for a backend of the input's choice.
 *
 * Checked: no byte changes but those of a record that may be patched; the other module's
 * none; a second patch changes nothing; the same module loaded again becomes the same text.
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

#define PAGE		4096UL
#define MODULES		2
#define TEXT_MOST	192U
#define RECORDS		16U
/* Bit of a record's length: the compiler has made the text it describes. */
#define COMPILED	0x80

struct module {
	/* Its page, and the writable alias; text is at the end of it. */
	u8 *page, *writable;
	u32 bytes;
	struct pv_site *table;
	u32 count;
	struct pv_site_set set;
	/* As patched the first time. */
	u8 text[TEXT_MOST];
	int failed;
	bool loaded, patched;
};

static struct module modules[MODULES];

static unsigned long text_of(const struct module *m)
{
	return (unsigned long)m->page + PAGE - m->bytes;
}

static bool inside(const struct module *m, const struct pv_site *site)
{
	unsigned long addr = pv_site_addr(site);

	return addr >= text_of(m) && addr < (unsigned long)m->page + PAGE &&
	       site->len <= (unsigned long)m->page + PAGE - addr;
}

/* As the compiler would have made it, if that is possible at all. */
static void compile(struct module *m, const struct pv_site *site)
{
	u8 jump[PV_BRANCH_LEN] = { 0xe9, 1, 2, 0, 0, 0x66, 0x90 };
	unsigned long addr = pv_site_addr(site), slot = (unsigned long)&pv_slots + 8UL * site->op;
	struct pv_plan plan;

	if (inside(m, site) && site->op < PV_OP_COUNT &&
	    !pv_plan_make(&plan, site, addr, slot, jump, NULL))
		memcpy(m->writable + (addr - (unsigned long)m->page), plan.text, plan.len);
}

/* The loader: text, and a table exactly as long as it is. */
static void load(struct module *m, const u8 *head, const u8 *records, u32 count)
{
	u32 i;

	memset(m->writable, 0xa5, PAGE);
	m->bytes = head[0] % (TEXT_MOST + 1);
	memset(m->writable + PAGE - m->bytes, 0x90, m->bytes);
	m->count = count;
	m->table = aligned_alloc(8, count ? count * sizeof(struct pv_site) : 8);
	for (i = 0; i < count; i++) {
		struct pv_site *site = &m->table[i];
		bool compiled;

		memcpy(site, records + i * sizeof(*site), sizeof(*site));
		compiled = site->len & COMPILED;
		site->len &= (u8)~COMPILED;
		/* Near the text, mostly. */
		if (!(site->rel & 1 << 30))
			site->rel = (s32)((long)text_of(m) - 16 + site->rel % ((int)m->bytes + 32) -
					  (long)&site->rel);
		if (!(site->op & 1 << 15))
			site->op %= PV_OP_COUNT;
		if (compiled)
			compile(m, site);
	}
	m->set = (struct pv_site_set){
		.name = "module",
		.start = m->table,
		.end = m->table + count,
		.text_start = text_of(m),
		.text_end = (unsigned long)m->page + PAGE,
	};
	if (head[1]) {
		m->set.gone_start = text_of(m) + head[1] % (m->bytes + 1);
		m->set.gone_end = m->set.gone_start + head[2] % (m->bytes + 1);
	}
	m->loaded = true;
	m->patched = false;
}

static void unload(struct module *m)
{
	if (!m->loaded)
		return;
	free(m->table);
	m->loaded = false;
}

/* Which bytes of the text may change; returns how many sites are passed over. */
static u32 mark(const struct module *m, u8 *may)
{
	u32 gone = 0, i;

	memset(may, 0, TEXT_MOST);
	for (i = 0; i < m->count; i++) {
		const struct pv_site *site = &m->table[i];
		unsigned long addr = pv_site_addr(site);

		if (addr - m->set.gone_start < m->set.gone_end - m->set.gone_start)
			gone++;
		else if (inside(m, site))
			memset(may + (addr - text_of(m)), 1, site->len);
	}
	return gone;
}

static void patch(struct module *m)
{
	u8 before[PAGE], may[TEXT_MOST];
	struct pv_site_report report;
	u32 i, errors = 0, gone;
	int failed;

	if (!m->loaded)
		return;
	memcpy(before, m->page, PAGE);
	gone = mark(m, may);
	failed = pv_module_patch(&m->set);
	CHECK(!memcmp(before, m->page, PAGE - m->bytes));
	for (i = 0; i < m->bytes; i++)
		CHECK(may[i] || m->page[PAGE - m->bytes + i] == before[PAGE - m->bytes + i]);
	if (failed < 0)
		return;
	CHECK((u32)failed == m->set.stats.failed && (u32)failed <= m->count);
	CHECK(m->set.stats.total == m->count - gone);
	for (i = 0; pv_site_inspect(&m->set, i, &report); i++)
		errors += report.error != PV_SITE_OK;
	CHECK(i == m->count && (errors >= (u32)failed || m->set.gone_end > m->set.gone_start));
	if (m->patched) {
		CHECK(failed == m->failed);
		CHECK(!memcmp(m->text, m->page + PAGE - m->bytes, m->bytes));
	}
	memcpy(m->text, m->page + PAGE - m->bytes, m->bytes);
	m->failed = failed;
	m->patched = true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Text, and nothing behind it. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u8 *area, *writable;
	int fd = memfd_create("text", 0);
	u32 i;

	(void)argc;
	(void)argv;
	if (fd < 0 || ftruncate(fd, 2 * MODULES * PAGE))
		abort();
	area = mmap(NULL, 2 * MODULES * PAGE, PROT_NONE, MAP_SHARED | MAP_32BIT, fd, 0);
	writable = mmap(NULL, 2 * MODULES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || writable == MAP_FAILED)
		abort();
	for (i = 0; i < MODULES; i++) {
		modules[i].page = area + 2 * i * PAGE;
		modules[i].writable = writable + 2 * i * PAGE;
		if (mprotect(modules[i].page, PAGE, PROT_READ))
			abort();
	}
	host_port.alias = writable - area;
	return 0;
}

static void cpuid(struct pv_cpuid *regs)
{
	memset(regs, 0, sizeof(*regs));
}

#define HEAD	12

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char *const lines[] = {
		"pvops=native", "pvops=fake", "pvops=other", "pvops=fake,-mmu",
	};
	struct pv_platform platform = { .cpuid = cpuid };
	u32 count, half, step, i;
	const u8 *records;

	if (size < HEAD)
		return -1;
	host_port_reset();
	fake_reset();
	pv_init(&platform, lines[data[0] % 4]);
	records = data + HEAD;
	count = (u32)((size - HEAD) / sizeof(struct pv_site));
	half = count / 2 < RECORDS ? count / 2 : RECORDS;

	/* Four steps, each of a module: load, patch, unload. */
	for (step = 0; step < 4; step++) {
		u32 what = data[1 + step / 2] >> step % 2 * 4;
		struct module *m = &modules[what & 1];
		const struct module *other = &modules[!(what & 1)];
		const u8 *head = data + 4 + 4 * (what & 1);
		const u8 *table = records + (what & 1) * half * sizeof(struct pv_site);
		u8 neighbour[TEXT_MOST];

		memcpy(neighbour, other->page + PAGE - TEXT_MOST, TEXT_MOST);
		if (what & 2)
			unload(m);
		if (!m->loaded)
			load(m, head, table, half);
		patch(m);
		if (what & 4)
			patch(m);
		if (what & 8) {
			/* Loaded again it is the same. */
			u8 text[TEXT_MOST];
			bool patched = m->patched;
			int failed = m->failed;

			memcpy(text, m->text, TEXT_MOST);
			unload(m);
			load(m, head, table, half);
			patch(m);
			CHECK(patched == m->patched && (!patched || failed == m->failed));
			/* The table may be elsewhere, the text is not. */
			CHECK(!patched || !memcmp(text, m->text, m->bytes));
		}
		CHECK(!memcmp(neighbour, other->page + PAGE - TEXT_MOST, TEXT_MOST));
	}
	for (i = 0; i < MODULES; i++)
		unload(&modules[i]);
	return 0;
}
