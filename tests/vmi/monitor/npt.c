// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Nested page tables (APM vol. 2 section 15.25): guest-physical memory from 0
 * to guest_bytes, and nothing else; so the local APIC's page faults.
 *
 * Each virtual CPU has tables of its own, for one reason: the shared pages
 * inside the ROM are another page of memory on each, at the same address.
 * Code in the ROM finds its CPU's data without any register.
 */
#include "monitor.h"
#include "rom.h"

#define NPT_TABLE	0x67ULL		/* present, rw, user, accessed, dirty */
#define NPT_READ_ONLY	0x65ULL
#define NPT_LARGE	0xe7ULL
#define LARGE		0x200000UL

u64 guest_bytes;

u64 *npt_create(u8 *shared)
{
	u64 *root = page_alloc(1), *l3 = page_alloc(1), *l2 = NULL, *l1 = page_alloc(1);
	u64 gpa;
	u32 i;

	root[0] = (u64)l3 | NPT_TABLE;
	for (gpa = 0; gpa < guest_bytes; gpa += LARGE) {
		if (!(gpa & (512 * LARGE - 1))) {
			l2 = page_alloc(1);
			l3[gpa / (512 * LARGE)] = (u64)l2 | NPT_TABLE;
		}
		l2[gpa / LARGE % 512] = (GUEST_BASE + gpa) | NPT_LARGE;
	}
	/* The first 2 MiB in small pages: ROM and shared pages are in it. */
	l2 = (u64 *)(l3[0] & ~0xfffULL);
	l2[0] = (u64)l1 | NPT_TABLE;
	for (i = 0; i < 512; i++) {
		gpa = i * PAGE;
		l1[i] = (GUEST_BASE + gpa) |
			(gpa >= ROM_BASE && gpa < ROM_BASE + ROM_BYTES ? NPT_READ_ONLY : NPT_TABLE);
	}
	for (i = 0; i < ROM_SHARED_PAGES; i++)
		l1[(ROM_BASE + ROM_SHARED) / PAGE + i] = (u64)(shared + i * PAGE) | NPT_TABLE;
	return root;
}

void *guest_phys(struct vcpu *v, u64 gpa, size_t bytes)
{
	u64 shared = ROM_BASE + ROM_SHARED;

	if (gpa >= guest_bytes || bytes > guest_bytes - gpa)
		return NULL;
	if (gpa >= shared && gpa < shared + ROM_SHARED_PAGES * PAGE)
		return v->shared + (gpa - shared);
	return (void *)(GUEST_BASE + gpa);
}
