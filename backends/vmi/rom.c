// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Find a VMI ROM, and check its image and its answers.  Pure functions over bytes, fuzzed
 * on the host.  The checks are in the order of ABI.md section 3.
 */
#include "internal.h"

#define MAX_MEMORY	VMI_MEMORY_MAX
#define PAGE		0x1000U
#define COUNTERS_BYTES	(VMI_CALLS * 8)
#define PCI_BYTES	24
#define PNP_BYTES	18

#define HOLE_LOWEST	0xfffffffffc000000ULL
#define HOLE_END	0xffffffffff000000ULL

#define FLAGS_REQUIRED	(VMI_FLAG_RELOCATABLE | VMI_FLAG_RING0)
#define FLAGS_KNOWN	(FLAGS_REQUIRED | VMI_FLAG_ENDBR | VMI_FLAG_DIRECT_PT | \
			 VMI_FLAG_NATIVE_IF)

static u32 get16(const u8 *at)
{
	return at[0] | (u32)at[1] << 8;
}

static u32 get32(const u8 *at)
{
	return get16(at) | get16(at + 2) << 16;
}

static u64 get64(const u8 *at)
{
	return get32(at) | (u64)get32(at + 4) << 32;
}

static bool is_text(const u8 *at, const char *text)
{
	for (; *text; text++, at++)
		if (*at != (u8)*text)
			return false;
	return true;
}

static bool inside(u32 bytes, u32 offset, u32 length)
{
	return offset <= bytes && length <= bytes - offset;
}

/* Is it a printable string of bounded length that ends inside the image? */
static bool string_inside(const u8 *image, u32 bytes, u32 offset)
{
	u32 i;

	for (i = offset; i < bytes && i - offset < 80; i++) {
		if (!image[i])
			return true;
		if (image[i] < 0x20 || image[i] > 0x7e)
			return false;
	}
	return false;
}

static bool has_endbr(const u8 *code)
{
	return code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e && code[3] == 0xfa;
}

/* Is the slot one jump to the image's code? */
static bool slot_good(const u8 *image, u32 bytes, u32 slot, const struct pvvmi_rom *rom)
{
	u32 end = rom->data_offs < bytes ? rom->data_offs : bytes;
	u32 at = slot;
	s64 target;

	if (has_endbr(image + at))
		at += 4;
	else if (rom->flags & VMI_FLAG_ENDBR)
		return false;
	if (image[at] == 0xeb)
		target = (s64)at + 2 + (s8)image[at + 1];
	else if (image[at] == 0xe9 && at == slot)
		target = (s64)at + 5 + (s32)get32(image + at + 1);
	else
		return false;
	return target >= VMI_HEADER_BYTES && target < end;
}

static bool licence_good(const char *text)
{
	static const char *const good[] = { "GPL", "GPL v2", "Dual MIT/GPL" };
	u32 i, n;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (n = 0; good[i][n] && good[i][n] == text[n]; n++)
			;
		if (good[i][n] == text[n])
			return true;
	}
	return false;
}

static const char *check_extension(const u8 *image, struct pvvmi_rom *rom)
{
	if (!is_text(image + 0x20, "VM64"))
		return "no VM64 extension";
	if (get16(image + 0x24) != 0x40)
		return "VM64 extension of unknown length";
	rom->flags = get16(image + 0x26);
	if ((rom->flags & FLAGS_REQUIRED) != FLAGS_REQUIRED)
		return "not relocatable, or takes the guest out of ring 0";
	if (rom->flags & ~FLAGS_KNOWN)
		return "unknown flags";
	rom->hole_start = get64(image + 0x28);
	rom->hole_bytes = get64(image + 0x30);
	rom->data_offs = get32(image + 0x38);
	rom->memory_bytes = get32(image + 0x3c);
	rom->vcpu_offs = get32(image + 0x40);
	rom->counters_offs = get32(image + 0x44);
	if ((rom->data_offs | rom->memory_bytes | rom->vcpu_offs) % PAGE ||
	    rom->counters_offs % 8)
		return "misaligned memory layout";
	if (rom->memory_bytes > MAX_MEMORY || rom->memory_bytes < rom->bytes)
		return "memory too large, or smaller than the image";
	if (rom->data_offs < PAGE || rom->data_offs > rom->memory_bytes)
		return "data outside the memory";
	if (rom->vcpu_offs &&
	    (rom->vcpu_offs < rom->data_offs || rom->vcpu_offs >= rom->memory_bytes))
		return "vCPU page outside the data";
	if (rom->counters_offs && (rom->counters_offs < rom->data_offs ||
				   !inside(rom->memory_bytes, rom->counters_offs, COUNTERS_BYTES)))
		return "counters outside the data";
	if (!rom->hole_bytes != !rom->hole_start)
		return "hole without a start or without a size";
	if (rom->hole_bytes &&
	    (rom->hole_start % PAGE || rom->hole_bytes % PAGE || rom->hole_start < HOLE_LOWEST ||
	     rom->hole_start >= HOLE_END || rom->hole_bytes > HOLE_END - rom->hole_start))
		return "hole misaligned or outside its range";
	return NULL;
}

static const char *check_headers(const u8 *image, struct pvvmi_rom *rom)
{
	u32 pci = get16(image + 0x18), pnp = get16(image + 0x1a), offset;

	if (!pci || !inside(rom->bytes, pci, PCI_BYTES) || !is_text(image + pci, "PCIR"))
		return "no PCI header inside the image";
	if (get16(image + pci + 16) * 512 != rom->bytes)
		return "PCI header tells another length";
	rom->version = (u32)image[pci + 19] << 8 | image[pci + 18];

	rom->maker = NULL;
	rom->product = NULL;
	if (pnp) {
		if (!inside(rom->bytes, pnp, PNP_BYTES) || !is_text(image + pnp, "$PnP"))
			return "PnP header outside the image";
		offset = get16(image + pnp + 14);
		if (offset) {
			if (!string_inside(image, rom->bytes, offset))
				return "manufacturer outside the image";
			rom->maker = (const char *)image + offset;
		}
		offset = get16(image + pnp + 16);
		if (offset) {
			if (!string_inside(image, rom->bytes, offset))
				return "product outside the image";
			rom->product = (const char *)image + offset;
		}
	}

	offset = get16(image + 0x16);
	if (!offset || !string_inside(image, rom->bytes, offset))
		return "licence outside the image";
	if (!licence_good((const char *)image + offset))
		return "licence not GPL compatible";
	return NULL;
}

static const char *check(const u8 *image, size_t available, struct pvvmi_rom *rom)
{
	const char *why;
	u32 i, sum = 0;

	rom->image = image;
	rom->bytes = image[2] * 512U;
	if (rom->bytes < VMI_HEADER_BYTES)
		return "length 0";
	if (rom->bytes > available)
		return "truncated: longer than the ROM area";
	for (i = 0; i < rom->bytes; i++)
		sum += image[i];
	if (sum & 0xff)
		return "bad checksum";
	if (image[0x0d] != VMI_API_VERSION >> 8)
		return "API version is not 64";
	if (image[0x0e] != 2)
		return "number of slots is not 2";
	if (get32(image + 0x10))
		return "virtual_top is not 0";
	why = check_extension(image, rom);
	if (!why)
		why = check_headers(image, rom);
	if (why)
		return why;
	if (!slot_good(image, rom->bytes, VMI_SLOT_INIT, rom))
		return "VMI_Init is not a jump into the image";
	if (!slot_good(image, rom->bytes, VMI_SLOT_GET_RELOC, rom))
		return "GetRelocation is not a jump into the image";
	return NULL;
}

int pvvmi_rom_check(const u8 *image, size_t available, struct pvvmi_rom *rom, const char **why)
{
	if (available < VMI_HEADER_BYTES || get16(image) != 0xaa55 || !is_text(image + 8, "cVmi"))
		return VMI_NOT_A_ROM;
	*why = check(image, available, rom);
	return *why ? -VMI_EINVAL : 0;
}

int pvvmi_rom_next(const u8 *area, size_t bytes, u32 *at, struct pvvmi_rom *rom, const char **why)
{
	for (; *at < bytes; *at += VMI_AREA_STEP) {
		int error = pvvmi_rom_check(area + *at, bytes - *at, rom, why);

		if (error != VMI_NOT_A_ROM)
			return error;
	}
	return VMI_NOT_A_ROM;
}

/* The relocation types that are allowed for each call, section 5. */
#define N	(1U << VMI_NONE)
#define C	(N | 1U << VMI_CALL_REL)
#define J	(N | 1U << VMI_JUMP_REL)
#define P	(C | 1U << VMI_NOP)

static const u8 allowed[VMI_CALLS] = {
	[0 ... 22] = C, [VMI_WBINVD] = P, [24 ... 32] = C, [VMI_IRET] = J,
	[34] = N, [35 ... 37] = C, [38] = N, [VMI_SET_PXE_LONG] = C, [40] = N,
	[VMI_UPDATE_PXE_LONG] = P, [42 ... 43] = N, [44 ... 47] = C,
	[VMI_SET_LINEAR_MAPPING] = P, [49 ... 60] = N, [VMI_SET_IOPL_MASK] = P,
	[62 ... 64] = C, [VMI_IO_DELAY] = P, [66 ... 71] = C, [72] = N,
	[VMI_SET_LAZY_MODE] = C,
};

#undef N
#undef C
#undef J
#undef P

/* Groups of calls that a ROM has all or none of; each ends with VMI_CALLS. */
static const u8 together[] = {
	29, 30, 31, 32, 33, 35, VMI_CALLS,
	66, 67, 68, 69, VMI_CALLS,
	39, 73, VMI_CALLS,
	44, 45, VMI_CALLS,
};

static const char *entry_wrong(const struct pvvmi_rom *rom, u64 base, const u8 *copy, u64 entry)
{
	u64 offset = entry - base;

	if (entry - rom->hole_start < rom->hole_bytes)
		return NULL;
	if (offset < VMI_HEADER_BYTES || offset >= rom->data_offs)
		return "entry outside the image";
	if ((rom->flags & VMI_FLAG_ENDBR) &&
	    (offset + 4 > rom->data_offs || !has_endbr(copy + offset)))
		return "entry without ENDBR64";
	return NULL;
}

int pvvmi_answers_check(const struct pvvmi_rom *rom, u64 base, const u8 *copy,
			const struct pvvmi_reloc *answer, u32 *nr, const char **why)
{
	u32 i, first = VMI_CALLS;

	for (i = 0; i < VMI_CALLS; i++) {
		u64 type = answer[i].type;

		*nr = i;
		*why = NULL;
		if (type > 0xff)
			*why = "relocation has reserved bits set";
		else if (type > VMI_NOP)
			*why = "unknown relocation type";
		else if (!(allowed[i] & 1U << type))
			*why = "relocation type not allowed for this call";
		else if (type == VMI_CALL_REL || type == VMI_JUMP_REL)
			*why = entry_wrong(rom, base, copy, answer[i].entry);
		if (*why)
			return -VMI_EINVAL;
	}
	for (i = 0; i < sizeof(together); i++) {
		if (together[i] == VMI_CALLS) {
			first = VMI_CALLS;
			continue;
		}
		if (first == VMI_CALLS)
			first = together[i];
		if (!answer[first].type != !answer[together[i]].type) {
			*nr = together[i];
			*why = "answered, but not all calls that go with it";
			return -VMI_EINVAL;
		}
	}
	return 0;
}
