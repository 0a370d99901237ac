// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A kernel's page tables.  tables.h. */
#include "tables.h"

#define TABLES	16

/* Roots are level 4; 0: none. */
static struct {
	pv_pfn_t pfn;
	u32 level;
} tables[TABLES];

static u32 depth[2];

/* What the kernel asked for, and where the report says that it is not. */
static u64 want[MACHINE_PAGES][PV_TABLE_ENTRIES];
static u8 lost[MACHINE_PAGES][PV_TABLE_ENTRIES];
static bool is_lost[MACHINE_PAGES];

static u32 some_table(void)
{
	return input_byte() % TABLES;
}

static u32 page_of(pv_pfn_t pfn)
{
	return machine_page_of(pv_port_pfn_to_virt(pfn));
}

void tables_reset(void)
{
	memset(tables, 0, sizeof(tables));
	depth[0] = depth[1] = 0;
}

static void forget_page(u32 page)
{
	memset(want[page], 0, sizeof(want[page]));
	memset(lost[page], 0, sizeof(lost[page]));
	is_lost[page] = false;
}

void tables_allocate(void)
{
	static pv_pfn_t (*const how[])(void) = {
		pv_alloc_pte, pv_alloc_pmd, pv_alloc_pud, pv_pgd_alloc,
	};
	u32 nr = some_table(), level = input_byte() % 4, page;

	if (tables[nr].level)
		return;
	tables[nr].pfn = how[level]();
	if (tables[nr].pfn == PV_PFN_NONE)
		return;
	tables[nr].level = level + 1;
	page = page_of(tables[nr].pfn);
	CHECK(page < MACHINE_PAGES && machine_page_used[page] && target_is_table(page));
	forget_page(page);
}

static void release(u32 nr)
{
	static void (*const how[])(pv_pfn_t) = {
		pv_release_pte, pv_release_pmd, pv_release_pud, pv_pgd_free,
	};

	if (!tables[nr].level)
		return;
	how[tables[nr].level - 1](tables[nr].pfn);
	tables[nr].level = 0;
}

void tables_release(void)
{
	release(some_table());
}

void tables_release_all(void)
{
	u32 nr;

	for (nr = 0; nr < TABLES; nr++)
		release(nr);
}

void tables_set_entry(void)
{
	u32 nr = some_table(), index = input_byte();
	u64 val = input_number(3), *entry;

	if (!tables[nr].level)
		return;
	/* The kernel's half of a root is not the tables'. */
	if (tables[nr].level < 4)
		index = index * 2 % PV_TABLE_ENTRIES;
	entry = (u64 *)pv_port_pfn_to_virt(tables[nr].pfn) + index;
	want[page_of(tables[nr].pfn)][index] = val;
	switch (tables[nr].level) {
	case 1:
		if (val & 1) {
			pv_ptep_modify_prot_start((pv_pte_t *)entry);
			pv_ptep_modify_prot_commit((pv_pte_t *)entry, (pv_pte_t)val);
		} else {
			pv_set_pte((pv_pte_t *)entry, (pv_pte_t)val);
		}
		break;
	case 2:
		pv_set_pmd((pv_pmd_t *)entry, (pv_pmd_t)val);
		break;
	case 3:
		pv_set_pud((pv_pud_t *)entry, (pv_pud_t)val);
		break;
	default:
		pv_set_p4d((pv_p4d_t *)entry, (pv_p4d_t)val);
	}
}

void tables_batch(bool enter)
{
	u32 kind = input_byte() & 1;

	if (enter && depth[kind] < 4) {
		pv_batch_enter((enum pv_batch_kind)kind);
		depth[kind]++;
	} else if (!enter && depth[kind]) {
		pv_batch_leave((enum pv_batch_kind)kind);
		depth[kind]--;
	}
}

bool tables_settled(void)
{
	return !depth[0] && !depth[1];
}

void tables_settle(void)
{
	u32 kind;

	for (kind = 0; kind < 2; kind++)
		for (; depth[kind]; depth[kind]--)
			pv_batch_leave((enum pv_batch_kind)kind);
	pv_batch_flush();
}

pv_pfn_t tables_root(void)
{
	u32 nr = some_table();

	return tables[nr].level == 4 ? tables[nr].pfn : PV_PFN_NONE;
}

void tables_lost(u32 page, u32 index)
{
	lost[page][index] = 1;
	is_lost[page] = true;
}

void tables_check(void)
{
	u32 nr, i;

	for (nr = 0; nr < TABLES; nr++) {
		const u64 *entry = pv_port_pfn_to_virt(tables[nr].pfn);
		u32 page;

		if (!tables[nr].level)
			continue;
		page = machine_page_of(entry);
		if (!is_lost[page] && !memcmp(entry, want[page], PV_PAGE_SIZE / 2))
			continue;
		for (i = 0; i < PV_TABLE_ENTRIES / 2; i++)
			CHECK(lost[page][i] || entry[i] == want[page][i]);
	}
}
