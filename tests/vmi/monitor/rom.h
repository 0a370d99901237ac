/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Interface between the ROM and the monitor, private to them (ABI.md section 1). */
#ifndef ROM_H
#define ROM_H

/* Layout of the guest's copy. */
#define ROM_SHARED		0x1000	/* vcpu_offs, and data_offs */
#define ROM_QUEUE		0x2000
#define ROM_MEMORY		0x3000
#define ROM_COUNTERS		0x3000	/* the counting ROM has one more page */
#define ROM_MEMORY_COUNTING	0x4000
#define ROM_SHARED_PAGES	2
#define ROM_QUEUE_MAX		256

/* Offsets in the shared page. */
#define SHARED_IF		0	/* virtual IF: 0x200 or 0 */
#define SHARED_PENDING		4	/* if not 0: trap when IF becomes 1 */
#define SHARED_LAZY		8
#define SHARED_QUEUED		12
#define SHARED_LSTAR		16	/* the guest's SYSCALL entry */
#define SHARED_CR		24	/* CR0, CR2, CR3, CR4 */
#define SHARED_FS		56	/* FS_BASE, if deferred */
#define SHARED_DEFERRED		64	/* lazy CPU mode; these bits: */
#define DEFERRED_CR3		1
#define DEFERRED_FS		2

/*
 * VMMCALL: EAX is the number of the VMI call, or one of these.  Arguments and results
 * are those of the call; CPUID's leaf is in R8.
 */
#define CALL_INIT		0x100	/* as VMI_Init */
#define CALL_PENDING		0x101	/* an interrupt may be delivered now */
#define CALL_NULL		0x102	/* does nothing: the cost of a trap */
#define CALL_TRAPS		0x103	/* RAX: exits of this CPU except interrupts */
#define CALL_COUNT		0x104	/* RAX: VMMCALLs of this CPU with number EDI */

#ifndef __ASSEMBLY__
#include "types.h"

struct rom_shared {
	volatile u32 interrupts;
	volatile u32 pending;
	volatile u32 lazy;
	volatile u32 queued;
	u64 lstar;
	u64 cr0, cr2, cr3, cr4;
	u64 fs_base;
	volatile u32 deferred;
	u8 pad[4096 - 68];
	struct {
		u64 val;
		u64 entry;
	} queue[ROM_QUEUE_MAX];
};

_Static_assert(__builtin_offsetof(struct rom_shared, lstar) == SHARED_LSTAR, "rom.S");
_Static_assert(__builtin_offsetof(struct rom_shared, cr0) == SHARED_CR, "rom.S");
_Static_assert(__builtin_offsetof(struct rom_shared, deferred) == SHARED_DEFERRED, "rom.S");
_Static_assert(sizeof(struct rom_shared) == ROM_SHARED_PAGES * 4096, "rom.S");

/* A ROM in the monitor; offsets are relative to its start. */
struct rom {
	u8 *start, *end, *checksum;
	u32 memory;
	u32 iret_begin, iret_out, iret_end;
	u32 syscall, syscall_end;
};

extern const struct rom rom_plain, rom_counting;
extern u64 rom_shared_phys;
#endif
#endif
