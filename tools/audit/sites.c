// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What sites cover, and what Linux's alternatives replace. */
#include <string.h>
#include "audit.h"

#define KIND_MASK	0xf
#define KIND_BRANCH	2

static void cover(struct audit *a, uint64_t start, uint64_t end)
{
	a->sites_seen++;
	*PUSH(a->covered) = (struct range){ start, end };
}

static uint64_t relative(uint64_t addr, const uint8_t *at)
{
	int32_t distance;

	memcpy(&distance, at, 4);
	return addr + (uint64_t)(int64_t)distance;
}

/* struct pv_site: s32 position-relative address, u16 op, u8 length, u8 kind. */
static void read_pv_sites(struct audit *a)
{
	uint64_t record = address_of(a, "__pv_sites_start"), end = address_of(a, "__pv_sites_end");

	for (; record && record + 8 <= end; record += 8) {
		const uint8_t *raw = at_address(a, record, 8);
		uint64_t site;

		if (!raw)
			die(EXIT_INPUT, "%s: site record %#llx is not in the file", a->image,
			    (unsigned long long)record);
		site = relative(record, raw);
		if (!at_address(a, site, raw[6]))
			die(EXIT_INPUT, "%s: site record %#llx: no text at %#llx", a->image,
			    (unsigned long long)record, (unsigned long long)site);
		cover(a, site, site + raw[6]);
		if ((raw[7] & KIND_MASK) == KIND_BRANCH)
			*PUSH(a->branch_sites) = site;
	}
}

/* Linux before 6.8: { u64 address, u8 type, u8 length }, 16 bytes each. */
static void read_parainstructions(struct audit *a)
{
	const struct section *s = section_named(a, ".parainstructions");
	uint64_t at;

	for (at = 0; s && s->data && at + 16 <= s->bytes; at += 16) {
		uint64_t site;

		memcpy(&site, s->data + at, 8);
		cover(a, site, site + s->data[at + 9]);
	}
}

/*
 * Records of alternatives: { s32 place, s32 replacement, u16 feature, u8 length, u8 length }
 * in Linux 6.1; later releases have 16 bits of flags behind the feature.
 */
static const unsigned int alternative_bytes[] = { 12, 14 };

static struct replacement alternative_at(const struct section *s, uint64_t at, unsigned int bytes)
{
	const uint8_t *entry = s->data + at;
	uint64_t start = relative(s->addr + at + 4, entry + 4);

	return (struct replacement){ start, start + entry[bytes - 1], relative(s->addr + at, entry) };
}

/* Would all records of this size have their replacements where replacements are? */
static bool are_alternatives(const struct section *s, const struct section *to, unsigned int bytes)
{
	uint64_t at;

	if (s->bytes % bytes)
		return false;
	for (at = 0; at < s->bytes; at += bytes) {
		struct replacement r = alternative_at(s, at, bytes);

		if (r.start != r.end && (r.start < to->addr || r.end > to->addr + to->bytes))
			return false;
	}
	return true;
}

static void read_alternatives(struct audit *a)
{
	const struct section *s = section_named(a, ".altinstructions");
	const struct section *to = section_named(a, ".altinstr_replacement");
	unsigned int bytes = alternative_bytes[0];
	uint64_t at;

	if (!s || !s->data)
		return;
	if (to && !are_alternatives(s, to, bytes) && are_alternatives(s, to, alternative_bytes[1]))
		bytes = alternative_bytes[1];
	for (at = 0; at + bytes <= s->bytes; at += bytes) {
		struct replacement r = alternative_at(s, at, bytes);

		if (r.start != r.end)
			*PUSH(a->replacements) = r;
	}
}

void read_sites(struct audit *a)
{
	read_pv_sites(a);
	read_parainstructions(a);
	read_alternatives(a);
	SORT(a->covered);
	SORT(a->branch_sites);
	SORT(a->replacements);
}

bool is_covered(const struct audit *a, uint64_t addr)
{
	size_t nr = COUNT_BELOW(a->covered, addr);

	return nr && addr < a->covered.at[nr - 1].end;
}

const struct replacement *replacement_at(const struct audit *a, uint64_t addr)
{
	size_t nr = COUNT_BELOW(a->replacements, addr);

	return nr && addr < a->replacements.at[nr - 1].end ? &a->replacements.at[nr - 1] : NULL;
}
