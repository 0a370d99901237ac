// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The guest image and what firmware would have left for it.
 *
 * One boot protocol: PVH (an ELF image with a Xen note of type 18 that gives
 * the 32-bit entry, EBX pointing to struct hvm_start_info).  Another, such as
 * Linux's 64-bit boot protocol, is another image_is_...() and load_...() pair
 * in load_guest(), plus its state in vcpu_reset() of CPU 0.
 */
#include <elf.h>
#include <xen/xen.h>
#include <xen/elfnote.h>
#include <xen/arch-x86/hvm/start_info.h>
#include "monitor.h"

u64 guest_entry, guest_info;

static void *low(u64 gpa)
{
	return (void *)(GUEST_BASE + gpa);
}

/* --- firmware area: ACPI tables (ACPI 6.4 sections 5.2.5-5.2.12) --- */

#define RSDP	FIRMWARE
#define RSDT	(FIRMWARE + 0x100)
#define MADT	(FIRMWARE + 0x200)
#define INFO	(FIRMWARE + 0x1000)
#define MEMMAP	(FIRMWARE + 0x1100)
#define MODLIST	(FIRMWARE + 0x1200)
#define CMDLINE	(FIRMWARE + 0x2000)

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

static void acpi_write(void)
{
	u8 *rsdp = low(RSDP), *entry;
	struct acpi_header *rsdt, *madt;
	u32 i;

	madt = acpi_table(MADT, "APIC", 44 + cpu_count * 8);
	*(u32 *)((u8 *)madt + 36) = APIC_BASE;
	for (i = 0; i < cpu_count; i++) {
		entry = (u8 *)madt + 44 + i * 8;
		entry[0] = 0;			/* local APIC */
		entry[1] = 8;
		entry[2] = (u8)i;
		entry[3] = (u8)vcpus[i].apic.id;
		entry[4] = 1;			/* enabled */
	}
	madt->checksum = checksum(madt, madt->length);

	rsdt = acpi_table(RSDT, "RSDT", 36 + 4);
	*(u32 *)((u8 *)rsdt + 36) = MADT;
	rsdt->checksum = checksum(rsdt, rsdt->length);

	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "PVOPS ", 6);
	*(u32 *)(rsdp + 16) = RSDT;
	rsdp[8] = checksum(rsdp, 20);
}

/* --- PVH --- */

static u64 pvh_entry(const u8 *image, const Elf64_Phdr *ph)
{
	u64 at = ph->p_offset, end = at + ph->p_filesz;

	while (at + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)(image + at);
		const u8 *name = (const u8 *)(note + 1);
		const u8 *desc = name + ((note->n_namesz + 3) & ~3U);

		if (note->n_type == XEN_ELFNOTE_PHYS32_ENTRY && note->n_namesz == 4 &&
		    !memcmp(name, "Xen", 4))
			return *(const u32 *)desc;
		at = (u64)(desc - image) + ((note->n_descsz + 3) & ~3U);
	}
	return 0;
}

static bool image_is_pvh(const u8 *image, size_t bytes)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)image;

	return bytes > sizeof(*eh) && !memcmp(eh->e_ident, ELFMAG, SELFMAG) &&
	       eh->e_ident[EI_CLASS] == ELFCLASS64;
}

static void load_pvh(const u8 *image, size_t bytes, const char *cmdline)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)image;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(image + eh->e_phoff);
	struct hvm_memmap_table_entry *map = low(MEMMAP);
	struct hvm_start_info *info = low(INFO);
	u32 i;

	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_offset + ph[i].p_filesz > bytes)
			panic("the image ends before its segments");
		if (ph[i].p_type == PT_NOTE && !guest_entry)
			guest_entry = pvh_entry(image, &ph[i]);
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_paddr < 0x100000 || ph[i].p_paddr + ph[i].p_memsz > guest_bytes)
			panic("a segment of the image is not in the guest's memory");
		memcpy(low(ph[i].p_paddr), image + ph[i].p_offset, ph[i].p_filesz);
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
	memcpy(low(CMDLINE), cmdline, text_length(cmdline) + 1);
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->cmdline_paddr = CMDLINE;
	info->rsdp_paddr = RSDP;
	info->memmap_paddr = MEMMAP;
	info->memmap_entries = 3;
	guest_info = INFO;
}

void load_guest(const void *image, size_t bytes, const char *cmdline)
{
	if (text_length(cmdline) >= PAGE)
		panic("the command line is too long");
	acpi_write();
	if (image_is_pvh(image, bytes))
		load_pvh(image, bytes, cmdline);
	else
		panic("the module is no image that can be booted");
}
