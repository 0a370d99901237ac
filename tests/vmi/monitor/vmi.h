/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the parts of VMI in the monitor share. */
#ifndef VMI_H
#define VMI_H

#include "monitor.h"
#include "rom.h"

/* Statuses of calls (ABI.md section 5). */
#define VMI_NOT_PERMITTED	((u64)-1)
#define VMI_NO_SUCH		((u64)-2)
#define VMI_BAD			((u64)-22)

#define PTE_FRAME	0xffffffffff000ULL

/* Paging, write protection and protected mode stay on. */
#define CR0_ALWAYS	0x80010001U

/* vmi.c */
u64 vmi_init(struct vcpu *v, u64 va, u64 gpa, u64 bytes, u32 version);
/* Does the ROM wait on its way out by IRETQ? */
bool vmi_waits_for_interrupt(const struct vcpu *v);

/* vmi_tables.c */
void vmi_tables_setup(void);
/* Notes that a frame is a page table of this level, and all tables below it. */
void vmi_register_tables(struct vcpu *v, u64 pfn, u32 level);
u64 vmi_set_linear_mapping(u32 slot, u64 va, u64 pages, u64 pfn);
u64 vmi_set_entry(struct vcpu *v, u64 val, u64 va);
u64 vmi_apply_queue(struct vcpu *v);
void vmi_apply_deferred(struct vcpu *v);
u64 vmi_allocate_page(u64 pfn, u64 flags);
u64 vmi_release_page(u64 pfn);

/* vmi_start.c */
u64 vmi_set_start_state(struct vcpu *v, u64 va, u32 apic_id);

#endif
