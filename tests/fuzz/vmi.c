// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * test-host-fuzz-vmi: any bytes in the option ROM area, any answers.
 *
 * First byte: what is mended before the look, so that the search gets past
 * the checksum and the signatures.  The image stands at the end of an
 * allocation, so one byte read too far is found out.  What is accepted must be
 * inside what is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/vmi_image.h"
#include "check.h"

#define BASE	0xffffffff80300000ULL

static void check_rom(const struct pvvmi_rom *rom, const u8 *area, size_t size)
{
	size_t at = (size_t)(rom->image - area);
	u8 sum = 0;
	u32 i;

	CHECK(at < size && rom->bytes <= size - at && rom->bytes >= VMI_HEADER_BYTES);
	for (i = 0; i < rom->bytes; i++)
		sum += rom->image[i];
	CHECK(!sum);
	CHECK(rom->image[0x0d] == 64);
	CHECK(rom->memory_bytes >= rom->bytes && rom->memory_bytes <= VMI_MEMORY_MAX);
	CHECK(rom->data_offs && rom->data_offs <= rom->memory_bytes);
	CHECK(!(rom->data_offs % 4096) && !(rom->memory_bytes % 4096));
	CHECK(!rom->counters_offs || (rom->counters_offs >= rom->data_offs &&
	      rom->counters_offs + VMI_CALLS * 8 <= rom->memory_bytes));
	CHECK(!rom->vcpu_offs || (rom->vcpu_offs >= rom->data_offs &&
	      rom->vcpu_offs + 4096 <= rom->memory_bytes));
	CHECK(rom->hole_start + rom->hole_bytes >= rom->hole_start);
	CHECK(!rom->maker || memchr(rom->maker, 0, 80));
	CHECK(!rom->product || memchr(rom->product, 0, 80));
}

static void check_answers(const struct pvvmi_rom *rom, const u8 *data, size_t size)
{
	struct pvvmi_reloc answer[VMI_CALLS];
	const char *why;
	u8 *copy = calloc(1, rom->memory_bytes);
	u32 nr, i;

	memcpy(copy, rom->image, rom->bytes);
	for (i = 0; i < VMI_CALLS; i++) {
		u8 byte = size ? data[i % size] : 0;

		answer[i].type = byte & 7;
		/* Mostly in the image, mostly where code can be. */
		answer[i].entry = BASE + (byte & 0x80 ? byte * 64U : IMAGE_CODE);
		if (byte == 0x7f)
			answer[i].type |= 0x100;
	}
	if (!pvvmi_answers_check(rom, BASE, copy, answer, &nr, &why)) {
		for (i = 0; i < VMI_CALLS; i++) {
			u64 offset = answer[i].entry - BASE;

			CHECK(answer[i].type <= VMI_NOP);
			if (answer[i].type == VMI_NONE || answer[i].type == VMI_NOP)
				continue;
			CHECK(i == VMI_IRET ? answer[i].type == VMI_JUMP_REL :
			      answer[i].type == VMI_CALL_REL);
			CHECK(offset < rom->data_offs ||
			      answer[i].entry - rom->hole_start < rom->hole_bytes);
		}
		CHECK(!answer[29].type == !answer[33].type);
	} else {
		CHECK(nr < VMI_CALLS && why);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pvvmi_rom rom;
	const char *why;
	u8 *area, mend;
	size_t bytes;
	u32 at;

	if (size < 1)
		return -1;
	mend = data[0];
	data++;
	size--;
	bytes = size;
	/* A good image that the input changes a little, or the input itself. */
	if (mend & 1)
		bytes = bytes > IMAGE_BYTES ? bytes : IMAGE_BYTES;
	area = malloc(bytes ? bytes : 1);
	if (mend & 1) {
		size_t i;

		memset(area, 0, bytes);
		image_make(area);
		for (i = 0; i + 3 <= size; i += 3)
			area[(data[i] | (size_t)data[i + 1] << 8) % bytes] = data[i + 2];
	} else {
		memcpy(area, data, size);
	}
	if ((mend & 2) && bytes >= VMI_HEADER_BYTES) {
		memcpy(area, "\x55\xaa", 2);
		memcpy(area + 8, "cVmi", 4);
	}
	if ((mend & 4) && bytes >= VMI_HEADER_BYTES && area[2] && area[2] * 512U <= bytes)
		image_sum(area, area[2] * 512U);

	for (at = 0;; at += VMI_AREA_STEP) {
		int error = pvvmi_rom_next(area, bytes, &at, &rom, &why);

		if (error == VMI_NOT_A_ROM)
			break;
		CHECK(at < bytes && !(at % VMI_AREA_STEP));
		if (error) {
			CHECK(error == -VMI_EINVAL && why && *why);
			continue;
		}
		check_rom(&rom, area, bytes);
		check_answers(&rom, data, size);
	}
	free(area);
	return 0;
}
