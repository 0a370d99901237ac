// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-monitor: any image, initrd and command line for the VMI monitor's loader.
 *
 * First bytes: an ELF image or a bzImage that the input changes, or the input itself; how
 * long initrd and command line are.  The guest's memory is where the monitor has it, and
 * nothing is around it; the image is as long as it is.
 *
 * Checked: nothing outside of the image is read, nothing outside of the guest's memory is
 * written; what is refused is refused with a reason; else the guest begins in its memory.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/xen.h>
#include <xen/elfnote.h>

#include "../vmi/monitor/monitor.h"
#include "check.h"

#define HEAD		8
#define IMAGE_BYTES	0x1400
#define MEMORY		(4UL << 20)
#define SEGMENT		0x800

u64 guest_bytes = MEMORY;
u32 cpu_count = 2;
struct vcpu vcpus[CPUS_MAX];

static jmp_buf way_out;
static const char *reason;

void panic(const char *why)
{
	reason = why;
	longjmp(way_out, 1);
}

size_t text_length(const char *text)
{
	return strlen(text);
}

/* A note, a segment; at the end of the file. */
static void make_elf(u8 *image)
{
	static const struct {
		Elf64_Nhdr header;
		char name[4];
		u32 entry;
	} note = { { 4, 4, XEN_ELFNOTE_PHYS32_ENTRY }, "Xen", 0x100000 };
	Elf64_Ehdr *eh = (Elf64_Ehdr *)image;
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + sizeof(*eh));

	memset(image, 0, IMAGE_BYTES);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 2;
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = sizeof(note) };
	ph[1] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = IMAGE_BYTES - SEGMENT, .p_filesz = SEGMENT,
		.p_paddr = 0x100000, .p_memsz = SEGMENT,
	};
	memcpy(image + 0x200, &note, sizeof(note));
}

static void make_linux(u8 *image)
{
	u32 preferred = 0x100000, init = 0x100000;
	u16 version = 0x20f;

	memset(image, 0, IMAGE_BYTES);
	image[0x1f1] = 4;
	image[0x201] = 0x6a;
	memcpy(image + 0x202, "HdrS", 4);
	memcpy(image + 0x206, &version, 2);
	memcpy(image + 0x258, &preferred, 4);
	memcpy(image + 0x260, &init, 4);
	memset(image + 0x22c, 0x7f, 4);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u32 i;

	(void)argc;
	(void)argv;
	if (mmap((void *)GUEST_BASE, MEMORY, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		abort();
	for (i = 0; i < CPUS_MAX; i++)
		vcpus[i].apic.id = i;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct boot_file image, initrd;
	size_t rest = size - HEAD, bytes, line_bytes, i;
	u8 *file, *ramdisk;
	char *line;

	if (size < HEAD)
		return -1;
	/* Truncated, or only the input. */
	bytes = rest;
	if (data[0] & 3)
		bytes = IMAGE_BYTES - (data[1] | data[2] << 8) % IMAGE_BYTES;
	file = malloc(bytes ? bytes : 1);
	if (data[0] & 3) {
		u8 *whole = malloc(IMAGE_BYTES);

		if (data[0] & 1)
			make_elf(whole);
		else
			make_linux(whole);
		/* Where and what, mostly in the headers. */
		for (i = HEAD; i + 3 <= size; i += 3)
			whole[(data[i] | (data[i + 1] & 0x1f) << 8) % IMAGE_BYTES] = data[i + 2];
		memcpy(file, whole, bytes);
		free(whole);
	} else {
		memcpy(file, data + HEAD, bytes);
	}
	ramdisk = malloc(data[3] + 1U);
	memset(ramdisk, 0x33, data[3] + 1U);
	line_bytes = data[4] & 0x80 ? 4090 + data[4] % 8 : data[4];
	line = malloc(line_bytes + 1);
	memset(line, 'x', line_bytes);
	line[line_bytes] = '\0';

	image = (struct boot_file){ file, bytes };
	initrd = (struct boot_file){ ramdisk, data[5] & 0x80 ? (size_t)data[3] : 0 };
	memset((void *)(GUEST_BASE + FIRMWARE), 0, 0x10000);
	guest_entry = guest_info = 0;
	reason = NULL;
	if (!setjmp(way_out)) {
		load_guest(&image, &initrd, line);
		CHECK(guest_entry && guest_entry <= 0xffffffff);
		CHECK(guest_info >= FIRMWARE && guest_info < 0x100000);
		CHECK(guest_info_reg == RBX || guest_info_reg == RSI);
	} else {
		CHECK(reason && *reason);
	}
	free(file);
	free(ramdisk);
	free(line);
	return 0;
}
