// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-boot: what boot protocols hand the mini guest (tests/guest/start.c).
 *
 * First byte: entered by PVH, by Multiboot, or by Xen as a PV guest.  16 MiB of physical
 * memory have in them what the input puts there: start info, memory map, command
 * line, RSDP, RSDT, MADT; at addresses of its choice, whole or not.
 *
 * Checked: nothing beyond memory is read, nothing but the guest's own variables is
 * written; boot_info is something that the guest can go on with.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "../guest/guest.h"
#include "machine.h"
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

#define BOOT_END	(16UL << 20)
#define LIMIT		(64UL << 20 >> PV_PAGE_SHIFT)

/* Where things are put, mostly: a page each, the last at the end of memory. */
#define INFO		0x1000U
#define MAP		0x2000U
#define LINE		0x3000U
#define RSDP		0xe0010U
#define RSDT		0xe0100U
#define TABLE		0xe0300U

u64 boot_l4[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static u64 l3[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static u64 l2[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static int memory;
static struct start_info start;

/* What the window shows: pages of memory, or nothing where there is none. */
#define WINDOW	(KERNEL_BASE + (511UL << 21))

static u64 shown;
static u32 loads;

/* The guest's memcmp() ends where two bytes differ. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "strict_memcmp=0";
}

size_t text_length(const char *text)
{
	return strlen(text);
}

/* --- the machine --- */

/* The guest has put page-table entries in force: its window to ACPI tables. */
void target_write_cr(u32 nr, u64 val)
{
	u64 entry = l2[511], first;

	(void)val;
	CHECK(nr == 3 && ++loads < 4000);
	if (!entry)
		return;
	first = *(u64 *)(KERNEL_BASE + (entry & PV_FRAME_MASK));
	CHECK(first & PV_PTE_PRESENT && !(first & PV_PTE_RW));
	first &= PV_FRAME_MASK;
	if (shown == first + 1)
		return;
	shown = first + 1;
	if (first < BOOT_END) {
		u64 bytes = BOOT_END - first < 2UL << 20 ? BOOT_END - first : 2UL << 20;

		mmap((void *)WINDOW, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, memory,
		     (off_t)first);
		if (bytes < 2UL << 20)
			mmap((void *)(WINDOW + bytes), (2UL << 20) - bytes, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	} else {
		mmap((void *)WINDOW, 2UL << 20, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	}
}

void target_hypercall(struct machine_regs *regs)
{
	(void)regs;
	abort();
}

u64 target_read_msr(u32 msr)
{
	(void)msr;
	abort();
}

void target_write_msr(u32 msr, u64 val)
{
	(void)msr;
	(void)val;
	abort();
}

u64 target_rdtsc(void)
{
	abort();
}

void target_halt(void)
{
	abort();
}

void target_log(const char *line)
{
	(void)line;
}

void target_page_freed(pv_pfn_t pfn)
{
	(void)pfn;
}

void target_interrupt(u32 vector)
{
	(void)vector;
}

/* --- the machine --- */

/* An address near one that has something, at the end of memory, or any. */
static u64 some_address(u64 usual)
{
	u8 how = input_byte();

	if (how < 0xa0)
		return usual;
	if (how < 0xc0)
		return usual + input_number(1) - 128;
	if (how < 0xe0)
		return BOOT_END - input_number(1);
	return input_number(how & 1 ? 8 : 4);
}

static void *at(u64 address)
{
	return (void *)(KERNEL_BASE + address);
}

/* Any bytes, at a place that is memory. */
static void put(u64 address, u32 most)
{
	u32 count = input_byte() % (most + 1);
	u8 *to = at(address);

	while (count-- && address++ < BOOT_END)
		*to++ = input_byte();
}

static void put32(u64 address, u64 val)
{
	u32 half = (u32)val;

	if (address < BOOT_END - 4)
		memcpy(at(address), &half, 4);
}

/* As much of it as there is room for. */
static void put_all(u64 address, const void *from, size_t bytes)
{
	if (address < BOOT_END)
		memcpy(at(address), from, BOOT_END - address < bytes ? BOOT_END - address : bytes);
}

/* Tables as firmware makes them, but for what the input says. */
static u64 make_acpi(u64 rsdp, u32 usual_rsdt, u32 usual_table)
{
	u32 rsdt = (u32)some_address(usual_rsdt), table = (u32)some_address(usual_table);
	u32 length = input_byte(), i;

	if (rsdp < BOOT_END - 36)
		memcpy(at(rsdp), "RSD PTR ", 8);
	put32(rsdp + 16, rsdt);
	if (rsdt < BOOT_END - 64) {
		memcpy(at(rsdt), "RSDT", 4);
		put32(rsdt + 4, 36 + (length & 0x80 ? input_number(4) : 4));
		put32(rsdt + 36, table);
	}
	if (table < BOOT_END - 64) {
		memcpy(at(table), "APIC", 4);
		put32(table + 4, length & 0x40 ? input_number(4) : 44 + 8 * (length & 7));
		for (i = 0; i < (length & 7); i++) {
			u8 entry[8] = { 0, 8, (u8)i, (u8)i, 1 };

			if (table + 44 + 8 * i < BOOT_END - 8)
				memcpy(at(table + 44 + 8 * i), entry, 8);
		}
		if (length & 0x20)
			put(table + 36 + input_byte(), 40);
	}
	return rsdp;
}

static u64 make_pvh(void)
{
	u64 address = some_address(INFO), map = some_address(MAP);
	struct hvm_start_info info = {
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = input_byte() & 1,
		.cmdline_paddr = some_address(LINE),
		.memmap_paddr = map,
		.memmap_entries = input_byte() & 0x80 ? (u32)input_number(4) : input_byte() % 8,
	};
	u32 i;

	info.rsdp_paddr = make_acpi(some_address(RSDP), RSDT, TABLE);
	for (i = 0; i < info.memmap_entries && i < 8; i++) {
		struct hvm_memmap_table_entry entry = {
			.addr = input_number(3) << 12,
			.size = input_number(input_byte() & 7),
			.type = input_byte() & 3,
		};

		if (map < BOOT_END - sizeof(entry) * 8)
			memcpy(at(map + i * sizeof(entry)), &entry, sizeof(entry));
	}
	if (info.cmdline_paddr < BOOT_END)
		put(info.cmdline_paddr, 200);
	if (input_byte() & 0x80)
		put(some_address(INFO), 60);
	put_all(address, &info, sizeof(info));
	return address;
}

static u64 make_multiboot(void)
{
	u64 address = some_address(INFO), line = some_address(LINE);
	u32 info[5] = { (u32)input_byte(), 640, (u32)input_number(4), 0, (u32)line };

	if (line < BOOT_END)
		put(line, 200);
	make_acpi(some_address(RSDP) & ~15ULL, RSDT, TABLE);
	put_all(address, info, sizeof(info));
	return address;
}

static void make_xen(void)
{
	u32 i, count = input_byte();

	memset(&start, 0, sizeof(start));
	start.nr_pages = input_number(1 + input_byte() % 8);
	start.pt_base = KERNEL_BASE;
	start.pt_base += input_byte() & 0x80 ? input_number(8) : input_number(3) << 8;
	start.nr_pt_frames = input_number(input_byte() & 0x80 ? 8 : 1);
	for (i = 0; i < count && i < sizeof(start.cmd_line); i++)
		start.cmd_line[i] = (char)input_byte();
}

/* --- what came of it --- */

void guest_main(void)
{
	size_t len;
	const char *value;

	CHECK(boot_info.env && strlen(boot_info.env) < 16);
	CHECK(boot_info.cmdline && strlen(boot_info.cmdline) < 512);
	CHECK(boot_info.cpu_count && boot_info.cpu_count <= PV_MAX_CPUS);
	CHECK(boot_info.memory_end <= LIMIT && boot_info.mapped_end <= boot_info.memory_end);
	CHECK(boot_info.first_free < boot_info.mapped_end || boot_info.wrong);
	value = cmdline_value("pvops=", &len);
	CHECK(!value || (value >= boot_info.cmdline &&
			 value + len <= boot_info.cmdline + strlen(boot_info.cmdline)));
	cmdline_is("test=", "none");
	machine_leave();
}

/* What the input has written is nothing again. */
static void clean(void)
{
	static const u64 page[] = { 0, INFO, MAP, LINE, 0xe0000, BOOT_END - PV_PAGE_SIZE };
	u32 i;

	for (i = 0; i < sizeof(page) / sizeof(page[0]); i++)
		memset(at(page[i]), 0, PV_PAGE_SIZE);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	machine_init();
	memory = memfd_create("memory", 0);
	if (memory < 0 || ftruncate(memory, MACHINE_BYTES) ||
	    mmap((void *)KERNEL_BASE, MACHINE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 memory, 0) == MAP_FAILED)
		abort();
	boot_l4[511] = (u64)l3 - KERNEL_BASE;
	l3[510] = (u64)l2 - KERNEL_BASE;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 4)
		return -1;
	machine_reset(0, data, size);
	loads = 0;
	if (machine_try()) {
		switch (input_byte() % 8) {
		case 0:
			guest_start_multiboot(make_multiboot());
			break;
		case 1:
		case 2:
			make_xen();
			guest_start_xen(&start);
			break;
		default:
			guest_start_pvh(make_pvh());
		}
		abort();
	}
	clean();
	return 0;
}
