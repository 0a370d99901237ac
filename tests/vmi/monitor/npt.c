// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Nested page tables (APM vol. 2 section 15.25).  They map only guest-physical memory
 * from 0 to guest_bytes, so accesses to the local APIC fault.
 *
 * Each virtual CPU has tables of its own, for one reason: at the address of the ROM's
 * shared pages, each has other pages of memory.  So code in the ROM finds its CPU's data
 * without a register.
 */
#include "monitor.h"
#include "rom.h"

#define NPT_TABLE	0x67ULL		/* present, rw, user, accessed, dirty */
#define NPT_LARGE	0xe7ULL
#define LARGE		0x200000UL

u64 guest_bytes;

static u64 *table(u64 entry)
{
	return (u64 *)(entry & 0xffffffffff000ULL);
}

u64 *npt_create(void)
{
	u64 *root = page_alloc(1), *l3 = page_alloc(1), *l2 = NULL;
	u64 gpa;

	root[0] = (u64)l3 | NPT_TABLE;
	for (gpa = 0; gpa < guest_bytes; gpa += LARGE) {
		if (!(gpa & (512 * LARGE - 1))) {
			l2 = page_alloc(1);
			l3[gpa / (512 * LARGE)] = (u64)l2 | NPT_TABLE;
		}
		l2[gpa / LARGE % 512] = (GUEST_BASE + gpa) | NPT_LARGE;
	}
	return root;
}

void npt_replace(struct vcpu *v, u64 gpa, void *page)
{
	u64 *entry = &table(table(v->npt[0])[gpa >> 30])[gpa / LARGE % 512];
	u64 *l1;
	u32 i;

	if (*entry & 0x80) {
		l1 = page_alloc(1);
		for (i = 0; i < 512; i++)
			l1[i] = ((u64)table(*entry) + i * PAGE) | NPT_TABLE;
		*entry = (u64)l1 | NPT_TABLE;
	}
	table(*entry)[gpa / PAGE % 512] = (u64)page | NPT_TABLE;
	flush_tlb(v);
}

void *guest_phys(struct vcpu *v, u64 gpa, size_t bytes)
{
	if (gpa >= guest_bytes || bytes > guest_bytes - gpa)
		return NULL;
	if (paravirtual && gpa - rom_shared_phys < ROM_SHARED_PAGES * PAGE)
		return (u8 *)v->shared + (gpa - rom_shared_phys);
	return (void *)(GUEST_BASE + gpa);
}
