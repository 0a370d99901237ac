// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* test-host-vmi: which images and which answers the VMI backend would run. */
#include "unit.h"
#include "vmi_image.h"

#define BASE	0xffffffff80300000ULL

static u8 image[IMAGE_BYTES];

static int check(struct pvvmi_rom *rom, const char **why)
{
	*why = NULL;
	return pvvmi_rom_check(image, sizeof(image), rom, why);
}

static void good_image_is_accepted(void **state)
{
	struct pvvmi_rom rom;
	const char *why;

	(void)state;
	image_make(image);
	assert_int_equal(check(&rom, &why), 0);
	assert_ptr_equal(rom.image, image);
	assert_int_equal(rom.bytes, IMAGE_BYTES);
	assert_int_equal(rom.flags, 0x1f);
	assert_int_equal(rom.data_offs, 0x1000);
	assert_int_equal(rom.memory_bytes, 0x3000);
	assert_int_equal(rom.vcpu_offs, 0x2000);
	assert_int_equal(rom.counters_offs, 0x1000);
	assert_int_equal(rom.version, 0x207);
	assert_string_equal(rom.maker, "maker");
	assert_string_equal(rom.product, "product");
}

/* One change to a good image: bytes, a right checksum, and what is said of it. */
static const struct {
	u32 at;
	u32 bytes;
	u64 val;
	const char *why;
} bad[] = {
	{ 0x02, 1, 0, "length 0" },
	{ 0x02, 1, 3, "truncated" },
	{ 0x02, 1, 255, "truncated" },
	{ 0x0d, 1, 2, "API version" },
	{ 0x0d, 1, 3, "API version" },
	{ 0x0d, 1, 4, "API version" },
	{ 0x0d, 1, 65, "API version" },
	{ 0x0e, 1, 3, "slots" },
	{ 0x10, 4, 0xfc000000, "virtual_top" },
	{ 0x16, 2, 0, "licence outside" },
	{ 0x16, 2, 0xffff, "licence outside" },
	{ 0x16, 2, IMAGE_BYTES, "licence outside" },
	{ 0x16, 2, IMAGE_MAKER, "licence not" },
	{ 0x18, 2, 0, "no PCI" },
	{ 0x18, 2, IMAGE_BYTES - 23, "no PCI" },
	{ 0x18, 2, 0xffff, "no PCI" },
	{ 0x18, 2, IMAGE_PNP, "no PCI" },
	{ 0x1a, 2, IMAGE_BYTES - 17, "PnP" },
	{ 0x1a, 2, 0xfff0, "PnP" },
	{ IMAGE_PNP + 14, 2, 0xfff0, "manufacturer" },
	{ IMAGE_PNP + 16, 2, IMAGE_CODE, "product" },
	{ IMAGE_PCI + 16, 2, 1, "another length" },
	{ 0x20, 1, 'X', "VM64" },
	{ 0x24, 2, 0x20, "unknown length" },
	{ 0x26, 2, 0x1e, "relocatable" },
	{ 0x26, 2, 0x1d, "ring 0" },
	{ 0x26, 2, 0x3f, "unknown flags" },
	{ 0x26, 2, 0x801f, "unknown flags" },
	{ 0x38, 4, 0, "data outside" },
	{ 0x38, 4, 0x1010, "misaligned" },
	{ 0x38, 4, 0x4000, "data outside" },
	{ 0x38, 4, 0xfffff000, "data outside" },
	{ 0x3c, 4, 0, "memory too large, or smaller" },
	{ 0x3c, 4, 0x41000, "memory too large" },
	{ 0x3c, 4, 0xfffff000, "memory too large" },
	{ 0x3c, 4, 0x3008, "misaligned" },
	{ 0x40, 4, 0x3000, "vCPU page" },
	{ 0x40, 4, 0x2010, "misaligned" },
	{ 0x44, 4, 0x8, "counters" },
	{ 0x44, 4, 0x1004, "misaligned" },
	{ 0x44, 4, 0x3000 - 592 + 8, "counters" },
	{ 0x44, 4, 0xfffffff8, "counters" },
	{ 0x28, 8, 0xfffffffffc000000, "hole without a start or without a size" },
	{ 0x30, 8, 0x1000, "hole without a start or without a size" },
	{ 0x80, 1, 0x90, "VMI_Init" },
	{ 0x84, 1, 0xe9, "VMI_Init" },
	{ 0x85, 1, 0x80, "VMI_Init" },
	{ 0x88, 1, 0xe9, "GetRelocation" },
	{ 0x8d, 1, 0xf0, "GetRelocation" },
};

static void bad_images_are_refused(void **state)
{
	struct pvvmi_rom rom;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		image_make(image);
		image_put(image, bad[i].at, bad[i].val, bad[i].bytes);
		image_sum(image, IMAGE_BYTES);
		if (check(&rom, &why) != -VMI_EINVAL || !strstr(why, bad[i].why))
			fail_msg("0x%x := 0x%llx: \"%s\", not \"%s\"", bad[i].at,
				 (unsigned long long)bad[i].val, why ? why : "good", bad[i].why);
	}
}

static void bad_checksum_is_refused(void **state)
{
	struct pvvmi_rom rom;
	const char *why;
	u32 i;

	(void)state;
	/* Any byte behind the signatures and the length. */
	for (i = 0x0c; i < IMAGE_BYTES; i++) {
		image_make(image);
		image[i]++;
		assert_int_equal(check(&rom, &why), -VMI_EINVAL);
		assert_string_equal(why, "bad checksum");
	}
}

static void other_roms_are_skipped(void **state)
{
	struct pvvmi_rom rom;
	const char *why;
	size_t n;

	(void)state;
	image_make(image);
	image[0] = 0;
	assert_int_equal(check(&rom, &why), VMI_NOT_A_ROM);
	image_make(image);
	image[8] = 'C';
	assert_int_equal(check(&rom, &why), VMI_NOT_A_ROM);
	image_make(image);
	for (n = 0; n < VMI_HEADER_BYTES; n++)
		assert_int_equal(pvvmi_rom_check(image, n, &rom, &why), VMI_NOT_A_ROM);
	for (; n < IMAGE_BYTES; n++)
		assert_int_equal(pvvmi_rom_check(image, n, &rom, &why), -VMI_EINVAL);
}

static void only_gpl_compatible_licences_are_accepted(void **state)
{
	static const char *const fine[] = { "GPL", "GPL v2", "Dual MIT/GPL" };
	static const char *const not[] = { "", "GP", "GPL v3", "GPL ", "gpl", "Dual MIT/GPL2", "MIT" };
	struct pvvmi_rom rom;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(fine) + COUNT(not); i++) {
		bool is_fine = i < COUNT(fine);

		image_make(image);
		strcpy((char *)image + IMAGE_LICENCE, is_fine ? fine[i] : not[i - COUNT(fine)]);
		image_sum(image, IMAGE_BYTES);
		assert_int_equal(check(&rom, &why), is_fine ? 0 : -VMI_EINVAL);
	}
	/* Without its end. */
	image_make(image);
	image_put(image, 0x16, IMAGE_BYTES - 3, 2);
	memcpy(image + IMAGE_BYTES - 3, "GPL", 3);
	memset(image + IMAGE_CODE, 0, 1);
	image_put(image, IMAGE_CODE, 0, 4);
	{
		u32 k, sum = 0;

		for (k = 0; k < IMAGE_BYTES; k++)
			sum += image[k];
		image[IMAGE_CODE] = (u8)-sum;
	}
	assert_int_equal(check(&rom, &why), -VMI_EINVAL);
	assert_string_equal(why, "licence outside the image");
}

static void misplaced_holes_are_refused(void **state)
{
	static const struct {
		u64 start, bytes;
		bool fine;
	} hole[] = {
		{ 0xfffffffffc000000, 0x3000000, true },
		{ 0xfffffffffefff000, 0x1000, true },
		{ 0xfffffffffefff000, 0x2000, false },
		{ 0xfffffffffc000000, 0x3001000, false },
		{ 0xfffffffffbfff000, 0x1000, false },
		{ 0xffffffffff000000, 0x1000, false },
		{ 0xfffffffffc000000, 0xfffffffffffff000, false },
		{ 0xfffffffffc000800, 0x1000, false },
		{ 0x1000, 0x1000, false },
	};
	struct pvvmi_rom rom;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(hole); i++) {
		image_make(image);
		image_put(image, 0x28, hole[i].start, 8);
		image_put(image, 0x30, hole[i].bytes, 8);
		image_sum(image, IMAGE_BYTES);
		assert_int_equal(check(&rom, &why), hole[i].fine ? 0 : -VMI_EINVAL);
	}
}

/* The second is found behind a bad first, and not off the 2 KiB boundary. */
static void scan_finds_a_good_rom_behind_a_bad_one(void **state)
{
	static u8 area[0x4000];
	struct pvvmi_rom rom;
	const char *why;
	u32 at = 0;

	(void)state;
	image_make(image);
	memset(area, 0, sizeof(area));
	memcpy(area + 0x400, image, IMAGE_BYTES);
	memcpy(area + 0x1800, image, IMAGE_BYTES);
	area[0x1900]++;
	memcpy(area + 0x3000, image, IMAGE_BYTES);
	assert_int_equal(pvvmi_rom_next(area, sizeof(area), &at, &rom, &why), -VMI_EINVAL);
	assert_int_equal(at, 0x1800);
	at += VMI_AREA_STEP;
	assert_int_equal(pvvmi_rom_next(area, sizeof(area), &at, &rom, &why), 0);
	assert_int_equal(at, 0x3000);
	assert_ptr_equal(rom.image, area + 0x3000);
	at += VMI_AREA_STEP;
	assert_int_equal(pvvmi_rom_next(area, sizeof(area), &at, &rom, &why), VMI_NOT_A_ROM);
}

static u8 copy[0x3000];
static struct pvvmi_rom rom_used;

static void answers_make(struct pvvmi_reloc *answer)
{
	const char *why;

	image_make(image);
	assert_int_equal(check(&rom_used, &why), 0);
	memset(copy, 0, sizeof(copy));
	memcpy(copy, image, IMAGE_BYTES);
	memset(answer, 0, VMI_CALLS * sizeof(*answer));
}

static int answers(const struct pvvmi_reloc *answer, u32 *nr, const char **why)
{
	*why = "";
	return pvvmi_answers_check(&rom_used, BASE, copy, answer, nr, why);
}

static void good_answers_are_accepted(void **state)
{
	struct pvvmi_reloc answer[VMI_CALLS];
	const char *why;
	u32 nr;

	(void)state;
	answers_make(answer);
	assert_int_equal(answers(answer, &nr, &why), 0);
	answer[0] = (struct pvvmi_reloc){ BASE + IMAGE_CODE, VMI_CALL_REL };
	for (nr = 29; nr <= 35; nr++)
		if (nr != 34)
			answer[nr] = (struct pvvmi_reloc){ BASE + IMAGE_CODE,
				nr == VMI_IRET ? VMI_JUMP_REL : VMI_CALL_REL };
	answer[VMI_IO_DELAY] = (struct pvvmi_reloc){ 0, VMI_NOP };
	assert_int_equal(answers(answer, &nr, &why), 0);
	/* Inside the declared hole. */
	rom_used.hole_start = 0xfffffffffc000000;
	rom_used.hole_bytes = 0x1000;
	answer[0].entry = 0xfffffffffc000fff;
	assert_int_equal(answers(answer, &nr, &why), 0);
	answer[0].entry = 0xfffffffffc001000;
	assert_int_equal(answers(answer, &nr, &why), -VMI_EINVAL);
}

static void bad_answers_are_refused(void **state)
{
	static const struct {
		u32 nr;
		u64 entry, type;
		const char *why;
	} wrong[] = {
		{ 0, BASE + IMAGE_CODE, 4, "unknown relocation type" },
		{ 0, BASE + IMAGE_CODE, 255, "unknown relocation type" },
		{ 0, BASE + IMAGE_CODE, 0x101, "reserved bits" },
		{ 0, BASE + IMAGE_CODE, VMI_JUMP_REL, "not allowed" },
		{ 0, 0, VMI_NOP, "not allowed" },
		{ 34, BASE + IMAGE_CODE, VMI_CALL_REL, "not allowed" },
		{ 33, BASE + IMAGE_CODE, VMI_CALL_REL, "not allowed" },
		{ 0, BASE + 0x8f, VMI_CALL_REL, "outside" },
		{ 0, BASE + 0x1000, VMI_CALL_REL, "outside" },
		{ 0, BASE - 1, VMI_CALL_REL, "outside" },
		{ 0, 0, VMI_CALL_REL, "outside" },
		{ 0, ~0ULL, VMI_CALL_REL, "outside" },
		{ 0, BASE + IMAGE_CODE + 1, VMI_CALL_REL, "ENDBR64" },
		{ 0, BASE + 0xffe, VMI_CALL_REL, "ENDBR64" },
		{ 33, BASE + IMAGE_CODE, VMI_JUMP_REL, "go with it" },
		{ 66, BASE + IMAGE_CODE, VMI_CALL_REL, "go with it" },
		{ 39, BASE + IMAGE_CODE, VMI_CALL_REL, "go with it" },
		{ 73, BASE + IMAGE_CODE, VMI_CALL_REL, "go with it" },
		{ 45, BASE + IMAGE_CODE, VMI_CALL_REL, "go with it" },
	};
	struct pvvmi_reloc answer[VMI_CALLS];
	const char *why;
	size_t i;
	u32 nr;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		answers_make(answer);
		answer[wrong[i].nr] = (struct pvvmi_reloc){ wrong[i].entry, wrong[i].type };
		if (answers(answer, &nr, &why) != -VMI_EINVAL || !strstr(why, wrong[i].why))
			fail_msg("%zu: \"%s\", not \"%s\"", i, why, wrong[i].why);
	}
}

/* --- detection --- */

static u8 area[VMI_AREA_BYTES];

static void assert_detected(const struct pv_platform *platform, int score, const char *text)
{
	const char *why = "";

	assert_int_equal(pvvmi_detect(platform, &why), score);
	if (text)
		assert_string_equal(why, text);
}

static void detection_says_why_there_are_no_roms(void **state)
{
	const struct pv_platform unknown = { 0 };
	const struct pv_platform encrypted = { .no_option_roms = "memory is encrypted" };
	const struct pv_platform above = { .cpl = 3, .no_option_roms = "memory is encrypted" };
	const struct pv_platform empty = { .option_roms = area, .no_option_roms = "not read" };

	(void)state;
	memset(area, 0xff, sizeof(area));
	assert_detected(&unknown, PV_SCORE_NONE, "no VMI option ROM");
	assert_detected(&encrypted, PV_SCORE_NONE, "memory is encrypted");
	assert_detected(&above, PV_SCORE_NONE, "the kernel is not in ring 0");
	assert_detected(&empty, PV_SCORE_NONE, "no VMI option ROM");
}

static void detection_wants_four_levels_of_tables(void **state)
{
	const struct pv_platform four = { .option_roms = area };
	const struct pv_platform five = { .option_roms = area, .five_levels = true };
	const struct pv_platform unread = { .no_option_roms = "not read", .five_levels = true };

	(void)state;
	memset(area, 0, sizeof(area));
	image_make(area + 0xa000);
	assert_detected(&four, PV_SCORE_ROM, NULL);
	assert_detected(&five, PV_SCORE_NONE, "page tables have five levels (CR4.LA57 is set)");
	assert_detected(&unread, PV_SCORE_NONE, "not read");
}

static void detection_takes_the_first_good_rom(void **state)
{
	const struct pv_platform platform = { .option_roms = area };

	(void)state;
	memset(area, 0, sizeof(area));
	image_make(area + 0xa000);
	assert_detected(&platform, PV_SCORE_ROM, NULL);
	area[0xa000 + 0x0d] = 3;
	image_sum(area + 0xa000, IMAGE_BYTES);
	assert_detected(&platform, PV_SCORE_NONE,
			"option ROM at 0xca000: API version is not 64");
	image_make(area + 0xc000);
	assert_detected(&platform, PV_SCORE_ROM, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_image_is_accepted), TEST(bad_images_are_refused),
		TEST(bad_checksum_is_refused), TEST(other_roms_are_skipped),
		TEST(only_gpl_compatible_licences_are_accepted),
		TEST(misplaced_holes_are_refused), TEST(scan_finds_a_good_rom_behind_a_bad_one),
		TEST(good_answers_are_accepted), TEST(bad_answers_are_refused),
		TEST(detection_says_why_there_are_no_roms),
		TEST(detection_wants_four_levels_of_tables),
		TEST(detection_takes_the_first_good_rom),
	};

	return RUN(tests);
}
