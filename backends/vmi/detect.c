// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Is there a ROM that may be run?  Pure: a test replays recorded machines. */
#include "internal.h"

/* Makes the reason for the last bad ROM; the same ROM always gives the same text. */
static const char *reason(u32 at, const char *why)
{
	static char text[96];

	pv_port_format(text, sizeof(text), "option ROM at 0x%x: %s", VMI_AREA_START + at, why);
	return text;
}

/*
 * A machine with a ROM can also run natively, but the ROM is better.  It belongs to a
 * hypervisor between the kernel and the one that CPUID shows, whose leaves it does not
 * hide.  So it comes before all of those.
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
	/* A root would be a table of level 5, which no call of the profile knows. */
	if (platform->five_levels) {
		*why = "page tables have five levels (CR4.LA57 is set)";
		return PV_SCORE_NONE;
	}
	/* The hypervisor reads the ROM's state and the calls' arguments in memory. */
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
