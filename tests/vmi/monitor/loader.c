// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The guest image, and the tables that firmware leaves on a real machine.
 *
 * Two boot protocols, both with 32-bit entries: PVH (an ELF image with a Xen
 * note of type 18 that gives the entry, EBX pointing to struct hvm_start_info)
 * and Linux's (a bzImage, Documentation/x86/boot.rst, ESI pointing to
 * boot_params).
 */
#include <elf.h>
#include <xen/xen.h>
#include <xen/elfnote.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "monitor.h"

u64 guest_entry, guest_info;
u32 guest_info_reg;

static void *low(u64 gpa)
{
	return (void *)(GUEST_BASE + gpa);
}

/* --- firmware area: ACPI tables (ACPI 6.4 sections 5.2.5-5.2.12) --- */

#define RSDP	FIRMWARE
#define RSDT	(FIRMWARE + 0x100)
#define MADT	(FIRMWARE + 0x200)
#define FADT	(FIRMWARE + 0x400)
#define FACS	(FIRMWARE + 0x500)
#define DSDT	(FIRMWARE + 0x600)
#define INFO	(FIRMWARE + 0x1000)
#define MEMMAP	(FIRMWARE + 0x1100)
#define CMDLINE	(FIRMWARE + 0x2000)
#define ZERO_PAGE	(FIRMWARE + 0x3000)

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], table[8];
	u32 oem_revision, creator, creator_revision;
} __attribute__((packed));

static u8 checksum(const void *start, size_t bytes)
{
	const u8 *p = start;
	u8 sum = 0;

	while (bytes--)
		sum = (u8)(sum + *p++);
	return (u8)-sum;
}

static struct acpi_header *acpi_table(u64 gpa, const char *signature, u32 length)
{
	struct acpi_header *header = low(gpa);

	memcpy(header->signature, signature, 4);
	header->length = length;
	header->revision = 1;
	memcpy(header->oem, "PVOPS ", 6);
	memcpy(header->table, "VMIMON  ", 8);
	return header;
}

/* For fields that are mostly not aligned. */
static void put16(u8 *at, u32 val)
{
	memcpy(at, &val, 2);
}

static void put32(u8 *at, u64 val)
{
	memcpy(at, &val, 4);
}

static void put64(u8 *at, u64 val)
{
	memcpy(at, &val, 8);
}

static u32 get32(const u8 *at)
{
	u32 val;

	memcpy(&val, at, 4);
	return val;
}

static void checksum_write(struct acpi_header *header)
{
	header->checksum = checksum(header, header->length);
}

/* Section 5.2.12: local APICs, the I/O APIC, and the PIT's line there. */
static void madt_write(void)
{
	struct acpi_header *madt = acpi_table(MADT, "APIC", 44 + cpu_count * 8 + 12 + 10);
	u8 *entry = (u8 *)madt + 44;
	u32 i;

	put32((u8 *)madt + 36, APIC_BASE);
	for (i = 0; i < cpu_count; i++, entry += 8) {
		entry[0] = 0;			/* local APIC */
		entry[1] = 8;
		entry[2] = (u8)i;
		entry[3] = (u8)vcpus[i].apic.id;
		entry[4] = 1;			/* enabled */
	}
	entry[0] = 1;				/* I/O APIC */
	entry[1] = 12;
	put32(entry + 4, IOAPIC_BASE);
	entry += 12;
	entry[0] = 2;				/* interrupt source override */
	entry[1] = 10;
	put32(entry + 4, LINE_PIT);
	checksum_write(madt);
}

/* Section 5.2.9, revision 1: only the parts that are needed to power off. */
static void fadt_write(void)
{
	/* Name (_S5, Package () { 0, 0, 0, 0 }) */
	static const u8 s5[] = {
		0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00
	};
	struct acpi_header *fadt = acpi_table(FADT, "FACP", 116);
	struct acpi_header *dsdt = acpi_table(DSDT, "DSDT", 36 + sizeof(s5));
	u8 *facs = low(FACS), *at = (u8 *)fadt;

	memcpy(dsdt + 1, s5, sizeof(s5));
	checksum_write(dsdt);
	memcpy(facs, "FACS", 4);
	put32(facs + 4, 64);
	put32(at + 36, FACS);
	put32(at + 40, DSDT);
	put16(at + 46, 9);			/* interrupt; never raised */
	put32(at + 56, ACPI_EVENTS);
	put32(at + 64, ACPI_CONTROL);
	put32(at + 76, ACPI_TIMER);
	at[88] = 4;				/* bytes of the event block */
	at[89] = 2;				/* bytes of the control block */
	at[91] = 4;				/* bytes of the timer */
	put16(at + 96, 0xffff);			/* no C2 and C3 */
	put16(at + 98, 0xffff);
	put32(at + 112, 0x31);			/* WBINVD works, no fixed buttons */
	checksum_write(fadt);
}

static void acpi_write(void)
{
	u8 *rsdp = low(RSDP);
	struct acpi_header *rsdt;

	madt_write();
	fadt_write();
	rsdt = acpi_table(RSDT, "RSDT", 36 + 8);
	put32((u8 *)rsdt + 36, MADT);
	put32((u8 *)rsdt + 40, FADT);
	checksum_write(rsdt);

	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "PVOPS ", 6);
	put32(rsdp + 16, RSDT);
	rsdp[8] = checksum(rsdp, 20);
}

/* --- PVH --- */

static bool within(u64 at, u64 bytes, u64 end)
{
	return at <= end && bytes <= end - at;
}

/*
 * Returns the entry point in a note, or 0, and advances to the next note.  Names and
 * contents are padded to 4 bytes.
 */
static u64 note_entry(const u8 *image, u64 *at, u64 end)
{
	Elf64_Nhdr note;
	u64 name, desc;

	memcpy(&note, image + *at, sizeof(note));
	name = *at + sizeof(note);
	desc = name + ((note.n_namesz + 3ULL) & ~3ULL);
	*at = desc + ((note.n_descsz + 3ULL) & ~3ULL);
	if (note.n_type != XEN_ELFNOTE_PHYS32_ENTRY || note.n_namesz != 4 ||
	    !within(desc, 4, end) || memcmp(image + name, "Xen", 4))
		return 0;
	return get32(image + desc);
}

static u64 pvh_entry(const u8 *image, const Elf64_Phdr *ph)
{
	u64 at = ph->p_offset, end = at + ph->p_filesz, entry = 0;

	while (!entry && within(at, sizeof(Elf64_Nhdr), end))
		entry = note_entry(image, &at, end);
	return entry;
}

static bool image_is_pvh(const u8 *image, size_t bytes)
{
	return bytes > sizeof(Elf64_Ehdr) && !memcmp(image, ELFMAG, SELFMAG) &&
	       image[EI_CLASS] == ELFCLASS64;
}

static void load_segment(const u8 *image, size_t bytes, const Elf64_Phdr *ph)
{
	if (!within(ph->p_offset, ph->p_filesz, bytes))
		panic("the image ends before its segments");
	if (ph->p_type == PT_NOTE && !guest_entry)
		guest_entry = pvh_entry(image, ph);
	if (ph->p_type != PT_LOAD)
		return;
	if (ph->p_paddr < 0x100000 || !within(ph->p_paddr, ph->p_memsz, guest_bytes) ||
	    ph->p_filesz > ph->p_memsz)
		panic("a segment of the image is not in the guest's memory");
	memcpy(low(ph->p_paddr), image + ph->p_offset, ph->p_filesz);
}

static void load_pvh(const u8 *image, size_t bytes)
{
	struct hvm_memmap_table_entry *map = low(MEMMAP);
	struct hvm_start_info *info = low(INFO);
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	u32 i;

	memcpy(&eh, image, sizeof(eh));
	if (!within(eh.e_phoff, eh.e_phnum * sizeof(ph), bytes))
		panic("the image ends before its program headers");
	for (i = 0; i < eh.e_phnum; i++) {
		memcpy(&ph, image + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		load_segment(image, bytes, &ph);
	}
	if (!guest_entry)
		panic("the image has no PVH note");

	map[0].addr = 0;
	map[0].size = 0xa0000;
	map[0].type = XEN_HVM_MEMMAP_TYPE_RAM;
	map[1].addr = 0xa0000;
	map[1].size = 0x60000;
	map[1].type = XEN_HVM_MEMMAP_TYPE_RESERVED;
	map[2].addr = 0x100000;
	map[2].size = guest_bytes - 0x100000;
	map[2].type = XEN_HVM_MEMMAP_TYPE_RAM;
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->cmdline_paddr = CMDLINE;
	info->rsdp_paddr = RSDP;
	info->memmap_paddr = MEMMAP;
	info->memmap_entries = 3;
	guest_info = INFO;
	guest_info_reg = RBX;
}

/* --- Linux --- */

/* Offsets in the image and in boot_params. */
#define ACPI_RSDP	0x070
#define E820_ENTRIES	0x1e8
#define SETUP_HEADER	0x1f1
#define SETUP_SECTORS	0x1f1
#define HEADER_END	0x201		/* the byte here is added to 0x202 */
#define HEADER_MAGIC	0x202
#define VERSION		0x206
#define LOADER_TYPE	0x210
#define CODE32_START	0x214
#define RAMDISK_START	0x218
#define RAMDISK_BYTES	0x21c
#define CMDLINE_START	0x228
#define RAMDISK_MAX	0x22c
#define PREFERRED	0x258
#define INIT_BYTES	0x260
#define E820_TABLE	0x2d0

#define E820_RAM	1
#define E820_RESERVED	2

static bool image_is_linux(const u8 *image, size_t bytes)
{
	return bytes > 0x1000 && !memcmp(image + HEADER_MAGIC, "HdrS", 4);
}

static void e820_add(u8 *params, u64 start, u64 end, u32 type)
{
	u8 *entry = params + E820_TABLE + params[E820_ENTRIES]++ * 20;

	put64(entry, start);
	put64(entry + 8, end - start);
	put32(entry + 16, type);
}

/* Puts the initrd as high as possible, away from the memory that the image unpacks to. */
static u64 load_initrd(const struct boot_file *initrd, u64 lowest, u64 highest)
{
	u64 end = guest_bytes < highest ? guest_bytes : highest, at;

	if (initrd->bytes > end || (end - initrd->bytes) / PAGE * PAGE < lowest)
		panic("the initrd does not fit into the guest's memory");
	at = (end - initrd->bytes) / PAGE * PAGE;
	memcpy(low(at), initrd->start, initrd->bytes);
	return at;
}

static void load_linux(const struct boot_file *image, const struct boot_file *initrd)
{
	const u8 *from = image->start;
	u8 *params = low(ZERO_PAGE);
	size_t setup = (from[SETUP_SECTORS] ? from[SETUP_SECTORS] + 1U : 5U) * 512;
	size_t header = HEADER_MAGIC + from[HEADER_END] - SETUP_HEADER;
	u64 entry = get32(from + PREFERRED), end;

	if ((from[VERSION] | from[VERSION + 1] << 8) < 0x20c)
		panic("the bzImage is older than boot protocol 2.12");
	end = entry + get32(from + INIT_BYTES);
	if (setup > image->bytes || entry < 0x100000 || end > guest_bytes ||
	    entry + image->bytes - setup > guest_bytes)
		panic("the bzImage does not fit into the guest's memory");
	memcpy(low(entry), from + setup, image->bytes - setup);

	memcpy(params + SETUP_HEADER, from + SETUP_HEADER, header);
	params[LOADER_TYPE] = 0xff;
	put32(params + CODE32_START, entry);
	put32(params + CMDLINE_START, CMDLINE);
	put64(params + ACPI_RSDP, RSDP);
	if (initrd->bytes) {
		put32(params + RAMDISK_START,
		      load_initrd(initrd, end, get32(from + RAMDISK_MAX) + 1ULL));
		put32(params + RAMDISK_BYTES, initrd->bytes);
	}
	e820_add(params, 0, 0xa0000, E820_RAM);
	e820_add(params, 0xa0000, 0x100000, E820_RESERVED);
	e820_add(params, 0x100000, guest_bytes, E820_RAM);
	guest_entry = entry;
	guest_info = ZERO_PAGE;
	guest_info_reg = RSI;
}

void load_guest(const struct boot_file *image, const struct boot_file *initrd,
		const char *cmdline)
{
	if (text_length(cmdline) >= PAGE)
		panic("the command line is too long");
	memcpy(low(CMDLINE), cmdline, text_length(cmdline) + 1);
	acpi_write();
	if (image_is_linux(image->start, image->bytes))
		load_linux(image, initrd);
	else if (!image_is_pvh(image->start, image->bytes))
		panic("the module is no image that can be booted");
	else if (initrd->bytes)
		panic("an initrd goes with a bzImage only");
	else
		load_pvh(image->start, image->bytes);
}
