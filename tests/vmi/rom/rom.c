// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Calls of the counting ROM that need more than an instruction.  The code is position
 * independent, and uses no SSE, no stack alignment and no pointers in initialised data.
 */
#include "../../types.h"

#define EPERM	1
#define EBUSY	16
#define EINVAL	22

/* Number of vCPUs with lazy queues, and of frames with known types (1 GiB). */
#define VCPUS		8
#define QUEUE_MAX	256
#define FRAMES		(1U << 18)

/* A result in RAX and RDX. */
struct pair {
	u64 rax;
	u64 rdx;
};

static u64 image_phys, image_va;
static u64 linear_va;
static bool linear_known;
static volatile u32 *apic;
static u64 tsc_hz;
/* APIC timer counts per TSC count, times 2^32. */
static u64 timer_scale;

static struct {
	struct {
		u64 val;
		u64 *entry;
		u64 flags;
	} queue[QUEUE_MAX];
	u32 count;
	u32 classes;
} lazy[VCPUS];

static u64 tables[FRAMES / 64];

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static inline void outw(u16 port, u16 val)
{
	asm volatile("outw %0, %1" : : "a" (val), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

#include "../clocks.h"
#include "../debugreg.h"

s32 rom_init(u64 va, u64 phys, u64 bytes, u32 version);
s32 rom_init(u64 va, u64 phys, u64 bytes, u32 version)
{
	(void)bytes;
	if (version >> 8 != 64)
		return -1;
	image_va = va;
	image_phys = phys;
	tsc_hz = measure_tsc();
	return tsc_hz ? 0 : -1;
}

void rom_set_dr(u32 nr, u64 val);
void rom_set_dr(u32 nr, u64 val)
{
	switch (nr) {
	DB_CASES(WRITE_DB, val);
	case 6:
		WRITE_DB(6, val);
		break;
	case 7:
		WRITE_DB(7, val);
		break;
	}
}

u64 rom_get_dr(u32 nr);
u64 rom_get_dr(u32 nr)
{
	u64 val = 0;

	switch (nr) {
	DB_CASES(READ_DB, val);
	case 6:
		READ_DB(6, val);
		break;
	case 7:
		READ_DB(7, val);
		break;
	}
	return val;
}

static void stop(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* Resets by the keyboard controller, the only way of this machine. */
void rom_reboot(u32 how);
void rom_reboot(u32 how)
{
	(void)how;
	outb(0x64, 0xfe);
	stop();
}

/* ACPI S5 of QEMU's pc machine; a crash is a reset, so that QEMU ends. */
void rom_shutdown(u32 how);
void rom_shutdown(u32 how)
{
	if (how == 0)
		outw(0x604, 0x2000);
	if (how == 1)
		outb(0x64, 0xfe);
	stop();
}

/* Page tables.  Interrupts are masked while a class is lazy. */
static u32 vcpu(void)
{
	u32 eax = 1, ebx, ecx, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	return ebx >> 24 & (VCPUS - 1);
}

static bool is_table(u64 pfn)
{
	return pfn < FRAMES && (__atomic_load_n(&tables[pfn / 64], __ATOMIC_RELAXED) >>
				pfn % 64 & 1);
}

/* Sets an entry, but refuses to make a page table writable for user mode. */
static s64 apply(u64 val, u64 *entry, u64 flags)
{
	u64 pfn = (val & 0x000ffffffffff000ULL) >> 12;

	if (!linear_known || (u64)entry < linear_va)
		return -EINVAL;
	if ((flags & 1) && (val & 7) == 7 && is_table(pfn))
		return -EPERM;
	*(volatile u64 *)entry = val;
	return 0;
}

s64 rom_set_pxe(u64 val, u64 *entry, u64 flags);
s64 rom_set_pxe(u64 val, u64 *entry, u64 flags)
{
	u32 nr;

	if (!(flags & 0x20))
		return apply(val, entry, flags);
	nr = vcpu();
	if (!(lazy[nr].classes & 1))
		return apply(val, entry, flags);
	if (lazy[nr].count == QUEUE_MAX)
		return -EBUSY;
	lazy[nr].queue[lazy[nr].count].val = val;
	lazy[nr].queue[lazy[nr].count].entry = entry;
	lazy[nr].queue[lazy[nr].count].flags = flags;
	lazy[nr].count++;
	return 0;
}

s64 rom_update_pxe(u64 *entry, u64 flags);
s64 rom_update_pxe(u64 *entry, u64 flags)
{
	(void)entry;
	(void)flags;
	return 0;
}

struct pair rom_set_lazy_mode(u32 classes);
struct pair rom_set_lazy_mode(u32 classes)
{
	u32 nr = vcpu(), i;
	struct pair result = { 0, 0 };

	if (!(classes & 1)) {
		for (i = 0; i < lazy[nr].count && !result.rax; i++)
			result.rax = (u64)apply(lazy[nr].queue[i].val, lazy[nr].queue[i].entry,
						lazy[nr].queue[i].flags);
		result.rdx = i - !!result.rax;
		lazy[nr].count = 0;
	}
	lazy[nr].classes = classes;
	return result;
}

s64 rom_allocate_page(u64 pfn, u64 flags, u64 clone, u64 first, u64 count);
s64 rom_allocate_page(u64 pfn, u64 flags, u64 clone, u64 first, u64 count)
{
	u64 bit = 1ULL << pfn % 64;

	(void)clone;
	if (!(flags & 0xf) || ((flags & 0x20) && (first > 512 || count > 512 - first)))
		return -EINVAL;
	if (pfn < FRAMES && (__atomic_fetch_or(&tables[pfn / 64], bit, __ATOMIC_SEQ_CST) & bit))
		return -EINVAL;
	return 0;
}

s64 rom_release_page(u64 pfn, u64 flags);
s64 rom_release_page(u64 pfn, u64 flags)
{
	u64 bit = 1ULL << pfn % 64;

	(void)flags;
	if (pfn < FRAMES &&
	    !(__atomic_fetch_and(&tables[pfn / 64], ~bit, __ATOMIC_SEQ_CST) & bit))
		return -EINVAL;
	return 0;
}

/* Local APIC (SDM vol. 3A chapter 11): the ROM uses its timer for alarms. */
#define APIC_LVT_TIMER		0x320
#define APIC_TIMER_INITIAL	0x380
#define APIC_TIMER_CURRENT	0x390
#define APIC_TIMER_DIVIDE	0x3e0
#define LVT_MASKED		0x10000

static void timer_restart(void)
{
	apic[APIC_TIMER_INITIAL / 4] = ~0U;
}

static u32 timer_count(void)
{
	return apic[APIC_TIMER_CURRENT / 4];
}

static void timer_setup(void)
{
	u32 lvt = apic[APIC_LVT_TIMER / 4];

	apic[APIC_TIMER_DIVIDE / 4] = 0xb;
	if (timer_scale)
		return;
	apic[APIC_LVT_TIMER / 4] = lvt | LVT_MASKED;
	timer_scale = measure_apic(tsc_hz, timer_restart, timer_count);
	apic[APIC_TIMER_INITIAL / 4] = 0;
	apic[APIC_LVT_TIMER / 4] = lvt;
}

s64 rom_set_linear_mapping(u32 slot, u64 va, u64 pages, u64 pfn);
s64 rom_set_linear_mapping(u32 slot, u64 va, u64 pages, u64 pfn)
{
	if (slot == 0) {
		if (pfn || !pages)
			return -EINVAL;
		linear_va = va;
		linear_known = true;
		return 0;
	}
	if (slot == 1) {
		apic = (volatile u32 *)va;
		timer_setup();
		return 0;
	}
	return -EINVAL;
}

/* Time: REAL is the TSC; no time is stolen. */
u64 rom_get_cycle_frequency(void);
u64 rom_get_cycle_frequency(void)
{
	return tsc_hz;
}

u64 rom_get_cycle_counter(u32 counter, u32 apic_id);
u64 rom_get_cycle_counter(u32 counter, u32 apic_id)
{
	(void)apic_id;
	return counter <= 1 ? rdtsc() : 0;
}

/*
 * Sets the only alarm, one-shot, by LVTT.  The count register has 32 bits, so an alarm
 * that is further away comes early, and the guest sets it again (ABI.md 6.6).
 */
s64 rom_set_alarm(u32 flags, u64 expiry, u64 period);
s64 rom_set_alarm(u32 flags, u64 expiry, u64 period)
{
	u64 now = rdtsc(), count = 1;

	if (flags != 0x10000 || period || !apic)
		return -EINVAL;
	if (expiry > now)
		count = (expiry - now) >> 32 ? ~0ULL :
			(u64)((unsigned __int128)(expiry - now) * timer_scale >> 32) + 2;
	apic[APIC_TIMER_INITIAL / 4] = count > ~0U ? ~0U : (u32)count;
	return 0;
}

u32 rom_cancel_alarm(u32 flags);
u32 rom_cancel_alarm(u32 flags)
{
	bool armed;

	if (flags != 0x10000 || !apic)
		return 0;
	armed = apic[APIC_TIMER_CURRENT / 4];
	apic[APIC_TIMER_INITIAL / 4] = 0;
	return armed;
}

static u32 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

static u32 from_bcd(u32 val, bool binary)
{
	return binary ? val : (val >> 4) * 10 + (val & 0xf);
}

/* Returns the days before a month, in a year that is not a leap year. */
static u32 days_before(u32 month)
{
	return (month * 367 - 362) / 12 - (month > 2 ? 2 : 0);
}

u64 rom_get_wallclock_time(void);
u64 rom_get_wallclock_time(void)
{
	u32 sec, min, hour, day, month, year, y;
	bool binary, leap;
	u64 days;

	do {
		while (cmos(0x0a) & 0x80)
			asm volatile("pause");
		sec = cmos(0);
		min = cmos(2);
		hour = cmos(4);
		day = cmos(7);
		month = cmos(8);
		year = cmos(9);
	} while (sec != cmos(0));
	binary = cmos(0x0b) & 4;
	y = 2000 + from_bcd(year, binary);
	month = from_bcd(month, binary);
	/* Until 2099 every fourth year is a leap year. */
	leap = y % 4 == 0;
	days = (y - 1970) * 365ULL + (y - 1969) / 4 + days_before(month) +
	       (leap && month > 2) + from_bcd(day, binary) - 1;
	return (((days * 24 + from_bcd(hour & 0x7f, binary)) * 60 + from_bcd(min, binary)) * 60 +
		from_bcd(sec, binary)) * 1000000000ULL;
}

/* Other CPUs. */
struct ap_state {
	u64 cr0, cr2, cr3, cr4, cr8, efer, rip, rflags;
	u64 rax, rbx, rcx, rdx, rsp, rbp, rsi, rdi;
	u64 r8_to_r15[8];
	u64 fs_base, gs_base, kernel_gs_base, gdtr_base, idtr_base;
	u16 gdtr_limit, idtr_limit;
	u16 cs, ss, ds, es, fs, gs, ldtr, tr;
	u32 pad;
};

_Static_assert(sizeof(struct ap_state) == 256, "ABI.md section 8");

struct dtr {
	u16 limit;
	u64 base;
} __attribute__((packed));

struct start_block {
	u32 cr3;
	u32 efer;
	u32 cr4;
	u32 cr0;
	u32 far_offset;
	u16 far_selector;
	u16 gdt_limit;
	u32 gdt_base;
	u64 entry;
};

_Static_assert(offsetof(struct start_block, entry) == 32, "rom.S");

/* Hidden, because otherwise their addresses would be pointers in initialised data. */
#pragma GCC visibility push(hidden)
extern const u8 trampoline[], trampoline_end[], trampoline_long[], trampoline_gdt[];
extern const u8 trampoline_block[];
extern void ap_entry(void);
#pragma GCC visibility pop
struct ap_state ap_state;
struct dtr ap_gdtr, ap_idtr;

static u64 start_tables[3][512] __attribute__((aligned(4096)));

static u64 phys_of(const void *of_image)
{
	return (u64)of_image - image_va + image_phys;
}

static void *linear(u64 phys)
{
	return (void *)(linear_va + phys);
}

/* Maps the guest's upper half, and the first 2 MiB by identity. */
static u64 build_tables(u64 cr3)
{
	const u64 *root = linear(cr3 & 0x000ffffffffff000ULL);
	u32 i;

	for (i = 256; i < 512; i++)
		start_tables[0][i] = root[i];
	start_tables[0][0] = phys_of(start_tables[1]) | 3;
	start_tables[1][0] = phys_of(start_tables[2]) | 3;
	start_tables[2][0] = 0x83;
	return phys_of(start_tables[0]);
}

s64 rom_set_initial_ap_state(const struct ap_state *state, u32 apic_id, u64 low);
s64 rom_set_initial_ap_state(const struct ap_state *state, u32 apic_id, u64 low)
{
	struct start_block *block;
	const u8 *from = (const u8 *)state;
	u8 *page;
	u32 i;

	(void)apic_id;
	if ((state->cr0 & 0x80010001) != 0x80010001 || !(state->cr4 & 0x20) ||
	    (state->efer & 0x500) != 0x500 || !state->rip || !state->rsp || !linear_known ||
	    !low || low >= 0x100000 || low % 4096 || image_phys >> 32)
		return -EINVAL;
	for (i = 0; i < sizeof(ap_state); i++)
		((volatile u8 *)&ap_state)[i] = from[i];
	ap_gdtr.limit = state->gdtr_limit;
	ap_gdtr.base = state->gdtr_base;
	ap_idtr.limit = state->idtr_limit;
	ap_idtr.base = state->idtr_base;

	page = linear(low);
	for (i = 0; i < (u32)(trampoline_end - trampoline); i++)
		((volatile u8 *)page)[i] = trampoline[i];
	block = (struct start_block *)(page + (trampoline_block - trampoline));
	block->cr3 = (u32)build_tables(state->cr3);
	block->efer = (u32)state->efer & 0x901;
	block->cr4 = (u32)state->cr4;
	block->cr0 = (u32)state->cr0;
	block->far_offset = (u32)low + (u32)(trampoline_long - trampoline);
	block->far_selector = 8;
	block->gdt_limit = 15;
	block->gdt_base = (u32)low + (u32)(trampoline_gdt - trampoline);
	block->entry = (u64)ap_entry;
	return (s64)(low >> 12);
}
