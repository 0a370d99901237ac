// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * From what an entry point was given to struct boot_info.  The only place
 * that knows boot protocols; nothing here is an op yet.
 */
#include "guest.h"
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>


extern u8 kernel_end[];
extern u64 boot_l4[];

static char cmdline[512];

struct boot_info boot_info = { .cpu_count = 1, .cmdline = cmdline };

#define MEMORY_LIMIT	(64UL << 20 >> PV_PAGE_SHIFT)
#define MEMMAP_MOST	128
#define BOOT_MAPPED	(16UL << 20 >> PV_PAGE_SHIFT)

static void bare_cpuid(struct pv_cpuid *regs)
{
	boot_info.cpuids++;
	pv_native_cpuid(regs);
}

/* @bytes: of them some may be behind its end. */
static void keep_cmdline(const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && text[i] && i < sizeof(cmdline) - 1; i++)
		cmdline[i] = text[i];
}

/* env= names the environment in test names; the entry point's guess otherwise. */
static void name_env(const char *guess)
{
	static char name[16];
	size_t len;
	const char *given = cmdline_value("env=", &len);

	boot_info.env = guess;
	if (!given || !len || len >= sizeof(name))
		return;
	memcpy(name, given, len);
	boot_info.env = name;
}

static u32 privilege(void)
{
	u16 cs;

	asm("mov %%cs, %0" : "=r" (cs));
	return cs & 3;
}

/* Bytes from an address to the end of what the entry page tables map. */
static size_t reach(u64 address)
{
	u64 end = BOOT_MAPPED << PV_PAGE_SHIFT;

	return address && address < end ? end - address : 0;
}

/* Physical memory; NULL if not all of it is in reach. */
static const void *phys(u64 address, size_t bytes)
{
	return bytes && bytes <= reach(address) ? (const void *)(KERNEL_BASE + address) : NULL;
}

/* Wherever it is: loaders need not align it. */
static bool read_phys(void *to, u64 address, size_t bytes)
{
	const void *from = phys(address, bytes);

	if (from)
		memcpy(to, from, bytes);
	return from;
}

static void keep_phys_cmdline(u64 address)
{
	keep_cmdline(phys(address, 1), reach(address));
}

struct acpi_header {
	char signature[4];
	u32 length;
	u8 rest[28];
} __attribute__((packed));

/* The second L2 slot from the top of the boot tables is unused so far. */
static __attribute__((__noinline__)) void acpi_window(u64 entry)
{
	u64 *l3 = (u64 *)(KERNEL_BASE + (boot_l4[511] & PV_FRAME_MASK));
	u64 *l2 = (u64 *)(KERNEL_BASE + (l3[510] & PV_FRAME_MASK));

	l2[511] = entry;
	asm volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

/* ACPI tables lie at the top of memory: look through one page-table entry. */
static const void *acpi_map(u64 address)
{
	static u64 window[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
	u32 i;

	for (i = 0; i < PV_TABLE_ENTRIES; i++)
		window[i] = ((address & ~0xfffULL) + i * PV_PAGE_SIZE) | PV_PTE_NX | PV_PTE_PRESENT;
	acpi_window(((unsigned long)window - KERNEL_BASE) | PV_PTE_RW | PV_PTE_PRESENT);
	return (const void *)(KERNEL_BASE + (511UL << 21) + (address & 0xfff));
}

/* Bytes of a MADT, entries of an RSDT: longer ones are none. */
#define MADT_MOST	0x10000
#define RSDT_MOST	64

static void acpi_unmap(void)
{
	acpi_window(0);
}

static void add_cpu(u32 apic_id)
{
	if (boot_info.cpu_count < PV_MAX_CPUS)
		boot_info.apic_id[boot_info.cpu_count++] = apic_id;
}

/*
 * MADT entries: type 0, a local APIC, id of 8 bits; type 9, a local x2APIC, id of 32
 * (ACPI 6.4 sections 5.2.12.2 and 5.2.12.12).  Those with bit 0 of the flags are there.
 */
static void read_madt(const u8 *madt)
{
	u32 length = ((const struct acpi_header *)madt)->length;
	u32 at = 44, apic_id;

	if (length > MADT_MOST)
		return;
	boot_info.cpu_count = 0;
	while (at + 8 <= length && madt[at + 1]) {
		if (madt[at] == 0 && madt[at + 4] & 1) {
			add_cpu(madt[at + 3]);
		} else if (madt[at] == 9 && at + 16 <= length && madt[at + 8] & 1) {
			memcpy(&apic_id, madt + at + 4, 4);
			add_cpu(apic_id);
		}
		at += madt[at + 1];
	}
	if (!boot_info.cpu_count)
		boot_info.cpu_count = 1;
}

static void look_for_cpus(u64 rsdp_address)
{
	const u8 *rsdp, *rsdt;
	u32 rsdt_address, i, length, table;

	if (!rsdp_address)
		return;
	rsdp = acpi_map(rsdp_address);
	if (memcmp(rsdp, "RSD PTR ", 8))
		return;
	memcpy(&rsdt_address, rsdp + 16, 4);
	rsdt = acpi_map(rsdt_address);
	if (memcmp(rsdt, "RSDT", 4))
		return;
	length = ((const struct acpi_header *)rsdt)->length;
	for (i = 0; i < RSDT_MOST && 36 + (i + 1) * 4 <= length; i++) {
		rsdt = acpi_map(rsdt_address);
		memcpy(&table, rsdt + 36 + i * 4, 4);
		rsdt = acpi_map(table);
		if (!memcmp(rsdt, "APIC", 4)) {
			read_madt(rsdt);
			return;
		}
	}
}

static void find_cpus(u64 rsdp_address)
{
	look_for_cpus(rsdp_address);
	acpi_unmap();
}

/* Entered with the hardware's privileges, on the tables of head.S. */
static void bare_platform(void)
{
	boot_info.platform.cpl = privilege();
	boot_info.platform.cpuid = bare_cpuid;
	boot_info.platform.option_roms = phys(0xc0000, 0x20000);
	boot_info.first_free = ((unsigned long)kernel_end - KERNEL_BASE) >> PV_PAGE_SHIFT;
	boot_info.mapped_end = BOOT_MAPPED;
	boot_info.root = pv_port_virt_to_pfn(boot_l4);
}

static void __attribute__((noreturn)) bare_main(u64 end)
{
	if (end < BOOT_MAPPED)
		end = BOOT_MAPPED;
	boot_info.memory_end = end < MEMORY_LIMIT ? end : MEMORY_LIMIT;
	name_env("native");
	guest_main();
}

void guest_start_pvh(u64 info_address)
{
	static struct hvm_start_info info;
	struct hvm_memmap_table_entry entry;
	u64 end = 0;
	u32 i;

	bare_platform();
	if (read_phys(&info, info_address, sizeof(info)))
		boot_info.platform.hvm_start_info = &info;
	if (info.magic == XEN_HVM_START_MAGIC_VALUE) {
		keep_phys_cmdline(info.cmdline_paddr);
		for (i = 0; info.version && i < info.memmap_entries && i < MEMMAP_MOST &&
		     read_phys(&entry, info.memmap_paddr + i * sizeof(entry), sizeof(entry)); i++) {
			u64 top = (entry.addr + entry.size) >> PV_PAGE_SHIFT;

			if (entry.type == XEN_HVM_MEMMAP_TYPE_RAM &&
			    entry.addr <= 0x200000 && top > end)
				end = top;
		}
		find_cpus(info.rsdp_paddr);
	}
	bare_main(end);
}

/* Multiboot Specification 0.6.96, section 3.3: as far as it is read here. */
struct multiboot_info {
	u32 flags;
	u32 mem_lower;
	u32 mem_upper;		/* KiB from 1 MiB on */
	u32 boot_device;
	u32 cmdline;
};

#define MULTIBOOT_MEMORY	(1U << 0)
#define MULTIBOOT_CMDLINE	(1U << 2)

/* Firmware leaves the RSDP below 1 MiB, at a multiple of 16 (ACPI 6.4 section 5.2.5.1). */
static u64 find_rsdp(void)
{
	u64 address;

	for (address = 0xe0000; address < 0x100000; address += 16)
		if (!memcmp(phys(address, 16), "RSD PTR ", 8))
			return address;
	return 0;
}

void guest_start_multiboot(u64 info_address)
{
	struct multiboot_info info = { 0 };
	u64 end = 0;

	bare_platform();
	read_phys(&info, info_address, sizeof(info));
	if (info.flags & MULTIBOOT_CMDLINE)
		keep_phys_cmdline(info.cmdline);
	if (info.flags & MULTIBOOT_MEMORY)
		end = ((u64)info.mem_upper + 1024) >> (PV_PAGE_SHIFT - 10);
	find_cpus(find_rsdp());
	bare_main(end);
}

void guest_start_xen(const void *start_info)
{
	const struct start_info *si = start_info;
	u64 tables = (si->pt_base - KERNEL_BASE) >> PV_PAGE_SHIFT, end, mapped;

	boot_info.platform.cpl = privilege();
	boot_info.platform.cpuid = bare_cpuid;
	boot_info.platform.xen_start_info = start_info;
	keep_cmdline((const char *)si->cmd_line, sizeof(si->cmd_line));
	name_env("xenpv");
	/* Order of the domain builder: image, lists, tables, stack (xen.h). */
	if (tables >= MEMORY_LIMIT || si->nr_pt_frames >= MEMORY_LIMIT)
		boot_info.wrong = "start_info: the page tables are not in memory";
	end = (tables + si->nr_pt_frames + 1) << PV_PAGE_SHIFT;
	mapped = (end + (512 << 10) + (4UL << 20) - 1) & ~((4UL << 20) - 1);
	boot_info.first_free = end >> PV_PAGE_SHIFT;
	boot_info.mapped_end = mapped >> PV_PAGE_SHIFT;
	boot_info.memory_end = si->nr_pages < MEMORY_LIMIT ? si->nr_pages : MEMORY_LIMIT;
	if (boot_info.mapped_end > boot_info.memory_end)
		boot_info.mapped_end = boot_info.memory_end;
	if (boot_info.first_free >= boot_info.mapped_end)
		boot_info.wrong = "start_info: memory ends before the page tables do";
	boot_info.root = pv_port_virt_to_pfn(si->pt_base);
	/* vCPUs are tried in order until one does not exist. */
	boot_info.cpu_count = PV_MAX_CPUS;
	guest_main();
}

const char *cmdline_value(const char *key, size_t *len)
{
	size_t key_length = text_length(key);
	const char *p = cmdline;

	while (*p) {
		while (*p == ' ')
			p++;
		if (!memcmp(p, key, key_length)) {
			p += key_length;
			for (*len = 0; p[*len] && p[*len] != ' '; (*len)++)
				;
			return p;
		}
		while (*p && *p != ' ')
			p++;
	}
	return NULL;
}

bool cmdline_is(const char *key, const char *value)
{
	size_t len;
	const char *got = cmdline_value(key, &len);

	return got && len == text_length(value) && !memcmp(got, value, len);
}
