// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-xenstart: what Xen hands a PV guest at its start of day.
 *
 * Any start_info page; a list of machine frames of any length with anything in it;
 * a table back (M2P) that says anything, or has no page there; any frames that
 * the kernel calls foreign.  Behind the end of the list nothing may be touched.
 *
 * Checked: the backend is taken or refused with a line; an entry of a page table becomes
 * what a plainer reading of the two lists says, in both directions, and comes
 * back where they agree.
 */
#include <sanitizer/asan_interface.h>

#include "../../backends/xen/internal.h"
#include "machine.h"

#define MFN_BASE	0x100000UL
#define HEAD		16
#define CHANGES		16
/* Page 0 of the program's frames on; the lists end somewhere behind. */
#define LIST		(MACHINE_FRAMES + 16)

static unsigned long list[LIST];
static struct start_info start;

/* Entries that differ from their first value. */
static struct {
	u64 nr, val;
} in_list[CHANGES], in_m2p[CHANGES];
static u32 list_changes, m2p_changes;
static u64 m2p_end;
static bool lines;

static void no_leaves(struct pv_cpuid *regs)
{
	memset(regs, 0, sizeof(*regs));
}

static struct pv_platform platform = {
	.cpl = 3,
	.xen_start_info = &start,
	.cpuid = no_leaves,
};

static bool m2p(u64 mfn, u64 *pfn)
{
	u32 i;

	if (mfn >= m2p_end)
		return false;
	*pfn = mfn - MFN_BASE;
	for (i = 0; i < m2p_changes; i++)
		if (in_m2p[i].nr == mfn)
			*pfn = in_m2p[i].val;
	return true;
}

/* --- another reading of the same --- */

#define FRAMES	(PV_FRAME_MASK >> PV_PAGE_SHIFT)

static u64 with_frame(u64 entry, u64 frame)
{
	return (entry & ~PV_FRAME_MASK) ^ frame << PV_PAGE_SHIFT;
}

static u64 value_of(u64 entry)
{
	u64 mfn = (entry & PV_FRAME_MASK) >> PV_PAGE_SHIFT, pfn;

	if (!(entry & PV_PTE_PRESENT))
		return entry;
	if (m2p(mfn, &pfn) && pfn < start.nr_pages && list[pfn] == mfn)
		return with_frame(entry, pfn);
	pfn = pv_port_foreign_pfn(mfn);
	return pfn == ~0ULL ? entry & ~PV_PTE_PRESENT : with_frame(entry, pfn);
}

static u64 entry_of(u64 val)
{
	u64 pfn = (val & PV_FRAME_MASK) >> PV_PAGE_SHIFT, mfn;

	if (!(val & PV_PTE_PRESENT))
		return val;
	if (pfn < start.nr_pages && list[pfn] != ~0UL)
		return with_frame(val, list[pfn]);
	mfn = pv_port_foreign_mfn(pfn);
	return mfn == ~0ULL ? 0 : with_frame(val, mfn);
}

/* Frames that are likely to be somewhere; any else. */
static u64 some_frame(u64 base)
{
	u8 how = input_byte();

	if (how < 0x60)
		return base + input_number(2) % LIST;
	if (how < 0xa0 && list_changes)
		return in_list[how % list_changes].val;
	if (how < 0xc0 && m2p_changes)
		return in_m2p[how % m2p_changes].nr;
	return input_number(8);
}

static u64 some_flags(void)
{
	return input_number(1) | (u64)input_byte() << 56;
}

static void check_value(void)
{
	u64 entry = (some_frame(MFN_BASE) & FRAMES) << PV_PAGE_SHIFT | some_flags();
	u64 val = pv_pte_val((pv_pte_t)entry), pfn;

	CHECK(val == value_of(entry));
	CHECK(val == pv_pmd_val((pv_pmd_t)entry));
	/* The value of an own frame converts back. */
	pfn = (val & PV_FRAME_MASK) >> PV_PAGE_SHIFT;
	if (val & PV_PTE_PRESENT && pfn < start.nr_pages &&
	    list[pfn] == (entry & PV_FRAME_MASK) >> PV_PAGE_SHIFT)
		CHECK((__force u64)pv_make_pte(val) == entry);
}

static void check_entry(void)
{
	u64 val = (some_frame(0) & FRAMES) << PV_PAGE_SHIFT | some_flags();
	u64 entry = (__force u64)pv_make_pte(val);

	CHECK(entry == entry_of(val));
	CHECK(entry == (__force u64)pv_make_p4d(val));
}

static void change(void)
{
	if (input_byte() & 1) {
		if (m2p_changes == CHANGES)
			return;
		in_m2p[m2p_changes].nr = some_frame(MFN_BASE) & FRAMES;
		in_m2p[m2p_changes].val = some_frame(0);
		m2p_changes++;
	} else {
		u64 pfn = some_frame(0);

		if (list_changes == CHANGES || pfn >= start.nr_pages || pfn >= LIST)
			return;
		in_list[list_changes].nr = pfn;
		in_list[list_changes].val = list[pfn] = some_frame(MFN_BASE);
		list_changes++;
	}
}

/* --- the machine --- */

/* Xen maps where it is told to. */
void target_hypercall(struct machine_regs *regs)
{
	u8 byte = answer_byte();

	regs->rax = byte < 0xe0 ? 0 : -(u64)(byte & 0x1f);
}

u64 target_read_msr(u32 msr)
{
	(void)msr;
	return 0;
}

void target_write_msr(u32 msr, u64 val)
{
	(void)msr;
	(void)val;
}

u64 target_rdtsc(void)
{
	return 0;
}

void target_halt(void)
{
	abort();
}

void target_write_cr(u32 nr, u64 val)
{
	(void)nr;
	(void)val;
}

void target_log(const char *line)
{
	CHECK(*line);
	lines = true;
}

void target_page_freed(pv_pfn_t pfn)
{
	(void)pfn;
}

void target_interrupt(u32 vector)
{
	(void)vector;
}

static void restore_list(void)
{
	u32 i, last = LIST - 1;

	__asan_unpoison_memory_region(list, sizeof(list));
	for (i = 0; i < list_changes; i++)
		list[in_list[i].nr] = MFN_BASE + in_list[i].nr;
	/* What init() puts there. */
	i = (u32)pv_pfn_nr(pv_port_virt_to_pfn(pvxen_shared));
	if (pvxen_shared && i <= last)
		list[i] = MFN_BASE + i;
	list_changes = m2p_changes = 0;
}

/* The page, and a list as long as it says, as far as there is one at all. */
static void make_start(void)
{
	u8 how = input_byte();
	u64 pages = input_number(3), given;

	memset(&start, 0, sizeof(start));
	memcpy(start.magic, "xen-3.0-x86_64", 15);
	if (how & 1)
		start.magic[input_byte() % 8] = (char)input_byte();
	/* More than can be, as far as a kernel can know. */
	start.nr_pages = how & 2 ? ~0UL - (pages << (how >> 4)) : pages % LIST;
	start.mfn_list = (unsigned long)list;
	if (how & 4)
		start.mfn_list = pages & 7 ? start.mfn_list + (pages & 7) : 0;
	start.shared_info = input_number(8);
	start.flags = input_byte();
	m2p_end = MFN_BASE + input_number(2);
	machine_foreign = how & 8 ? input_number(6) : ~0ULL;

	/* A list that is not there is found out before it is looked at. */
	given = how & 6 ? 0 : start.nr_pages;
	__asan_poison_memory_region(list + given, (LIST - given) * sizeof(list[0]));
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u32 pfn;

	(void)argc;
	(void)argv;
	machine_init();
	for (pfn = 0; pfn < LIST; pfn++)
		list[pfn] = MFN_BASE + pfn;
	machine_m2p = m2p;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 checks = 0;

	if (size < HEAD)
		return -1;
	machine_reset(0, data, size);
	lines = false;
	make_start();
	if (!machine_try()) {
		/* Nothing else can run at this privilege: the end, and why. */
		CHECK(lines && machine_panic);
		restore_list();
		return 0;
	}
	pv_init(&platform, "");
	CHECK(!strcmp(pv_backend()->name, "xen"));
	while (input_left() && checks++ < 40) {
		u8 what = input_byte();

		if (what < 0x40)
			change();
		else if (what < 0xa0)
			check_value();
		else
			check_entry();
	}
	restore_list();
	return 0;
}
