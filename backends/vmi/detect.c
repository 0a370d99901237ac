// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Is there a ROM that may be run?  Pure: a test replays recorded machines. */
#include "internal.h"

/* Of the last bad ROM.  Text of the same bytes is the same text. */
static const char *reason(u32 at, const char *why)
{
	static char text[96];

	pv_port_format(text, sizeof(text), "option ROM at 0x%x: %s", VMI_AREA_START + at, why);
	return text;
}

/*
 * Bare hardware with a ROM would do natively too; the ROM knows better.  It belongs to
 * a hypervisor that runs between us and the one that CPUID shows, whose leaves it does
 * not hide: so it comes before all of them.
 */
int pvvmi_detect(const struct pv_platform *platform, const char **why)
{
	struct pvvmi_rom rom;
	const char *bad;
	u32 at = 0;
	int error;

	if (platform->cpl) {
		*why = "the kernel is not in ring 0";
		return PV_SCORE_NONE;
	}
	*why = "no VMI option ROM";
	if (!platform->option_roms) {
		if (platform->no_option_roms)
			*why = platform->no_option_roms;
		return PV_SCORE_NONE;
	}
	/* The ROM keeps its state, and its calls their arguments, in memory. */
	if (!pv_can_share(platform, why))
		return PV_SCORE_NONE;
	for (;; at += VMI_AREA_STEP) {
		error = pvvmi_rom_next(platform->option_roms, VMI_AREA_BYTES, &at, &rom, &bad);
		if (!error)
			return PV_SCORE_ROM;
		if (error == VMI_NOT_A_ROM)
			return PV_SCORE_NONE;
		*why = reason(at, bad);
	}
}
