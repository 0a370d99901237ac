// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Page tables in paravirtual mode, and the queue of updates (ABI.md, section 6.2). */
#include "vmi.h"

#define PTE_PRESENT	1ULL
#define PTE_RW		2ULL
#define PTE_USER	4ULL
#define PTE_LARGE	0x80ULL

/* The level of each frame as a page table; 0: no table. */
static u8 *levels;

static struct mapping {
	u64 va, pages, pfn;
} mappings[4];

void vmi_tables_setup(void)
{
	levels = page_alloc((u32)((guest_bytes / PAGE + PAGE - 1) / PAGE));
}

u64 vmi_set_linear_mapping(u32 slot, u64 va, u64 pages, u64 pfn)
{
	if (slot >= ARRAY_SIZE(mappings))
		return VMI_BAD;
	mappings[slot] = (struct mapping){ va, pages, pfn };
	return 0;
}

/* Is it memory, or one of the two pages of registers (page_exit())? */
static bool is_guest_frame(u64 pfn)
{
	return pfn < guest_bytes / PAGE || pfn == APIC_BASE / PAGE || pfn == IOAPIC_BASE / PAGE;
}

void vmi_register_tables(struct vcpu *v, u64 pfn, u32 level)
{
	const u64 *entry;
	u32 i;

	if (pfn >= guest_bytes / PAGE || levels[pfn])
		return;
	levels[pfn] = (u8)level;
	entry = guest_phys(v, pfn * PAGE, PAGE);
	for (i = 0; level > 1 && i < 512; i++)
		if ((entry[i] & PTE_PRESENT) && !(level < 4 && (entry[i] & PTE_LARGE)))
			vmi_register_tables(v, (entry[i] & PTE_FRAME) / PAGE, level - 1);
}

static u64 linear_to_phys(u32 slot, u64 va)
{
	const struct mapping *m = &mappings[slot];

	return (va - m->va) / PAGE < m->pages ? m->pfn * PAGE + (va - m->va) : ~0ULL;
}

/* Sets one entry; returns 0 or the status of a refusal. */
u64 vmi_set_entry(struct vcpu *v, u64 val, u64 va)
{
	u64 at = linear_to_phys(0, va), pfn = (val & PTE_FRAME) / PAGE;
	u64 *entry = (va & 7) || at == ~0ULL ? NULL : guest_phys(v, at, 8);

	if (!entry)
		return VMI_BAD;
	if (val & PTE_PRESENT) {
		if (!is_guest_frame(pfn))
			return VMI_NOT_PERMITTED;
		if (levels[at / PAGE] <= 1 && (val & PTE_RW) && (val & PTE_USER) &&
		    pfn < guest_bytes / PAGE && levels[pfn])
			return VMI_NOT_PERMITTED;
	}
	__atomic_store_n(entry, val, __ATOMIC_RELEASE);
	return 0;
}

u64 vmi_apply_queue(struct vcpu *v)
{
	struct rom_shared *s = v->shared;
	u32 count = s->queued, i;
	u64 error = 0;

	s->queued = 0;
	if (count > ROM_QUEUE_MAX)
		count = ROM_QUEUE_MAX;
	for (i = 0; i < count && !error; i++)
		error = vmi_set_entry(v, s->queue[i].val, s->queue[i].entry);
	v->regs[RDX] = error ? i - 1 : i;
	return error;
}

/* Applies the calls that lazy CPU mode has deferred.  A bad FS base is lost: the ABI allows it. */
void vmi_apply_deferred(struct vcpu *v)
{
	u32 deferred = v->shared->deferred;

	v->shared->deferred = 0;
	if (deferred & DEFERRED_CR3) {
		vmi_apply_queue(v);
		write_cr(v, 3, v->shared->cr3);
	}
	if (deferred & DEFERRED_FS)
		write_msr(v, MSR_FS_BASE, v->shared->fs_base);
}

u64 vmi_allocate_page(u64 pfn, u64 flags)
{
	u32 level = flags & 8 ? 4 : flags & 4 ? 3 : flags & 2 ? 2 : flags & 1;

	if (pfn >= guest_bytes / PAGE || !level)
		return VMI_BAD;
	levels[pfn] = (u8)level;
	return 0;
}

u64 vmi_release_page(u64 pfn)
{
	if (pfn >= guest_bytes / PAGE || !levels[pfn])
		return VMI_BAD;
	levels[pfn] = 0;
	return 0;
}
