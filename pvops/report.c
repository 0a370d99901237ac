// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Keeps the lines of detection and selection, hands them out one by one, and prints them. */
#include <pvops/version.h>

#include "internal.h"

struct pv_lines pv_lines_detected = { .what = "detected" };
struct pv_lines pv_lines_refused = { .what = "refused" };

static const char *line(const struct pv_lines *lines, u32 nr)
{
	return nr < lines->count ? lines->text[nr] : NULL;
}

void pv_print_lines(const struct pv_lines *lines)
{
	u32 i;

	for (i = 0; i < lines->count; i++)
		pv_port_log("pvops: %s: %s", lines->what, lines->text[i]);
}

const char *pv_detected(u32 nr)
{
	return line(&pv_lines_detected, nr);
}

const char *pv_refused(u32 nr)
{
	return line(&pv_lines_refused, nr);
}

const char *pv_note(u32 nr)
{
	return pv_backend()->note ? pv_backend()->note(nr) : NULL;
}

void pv_print(void)
{
	const struct pv_stats *stats = &pv_kernel_sites()->stats;
	const struct pv_backend *chosen = pv_backend();
	u32 sites = (u32)(__pv_sites_end - __pv_sites_start);
	const char *note;
	u32 i, own = 0;

	pv_port_log("pvops: version %s", PV_VERSION);
	pv_print_lines(&pv_lines_detected);
	for (i = 0; i < PV_OP_COUNT; i++)
		own += pv_impl_is_own(i);
	pv_port_log("pvops: chosen: %s (%s), %u of %u ops its own", chosen->name,
		    chosen->title, own, PV_OP_COUNT);
	for (i = 0; (note = pv_note(i)); i++)
		pv_port_log("pvops: %s: %s", chosen->name, note);
	pv_print_lines(&pv_lines_refused);
	if (!stats->total && sites) {
		pv_port_log("pvops: sites: %u, not patched: all of them call through the table",
			    sites);
		return;
	}
	pv_port_log("pvops: sites: %u: inline %u, call %u, nop %u, jump %u, indirect %u, outline %u, failed %u",
		    stats->total, stats->form[PV_FORM_INLINE], stats->form[PV_FORM_CALL],
		    stats->form[PV_FORM_NOP], stats->form[PV_FORM_JUMP],
		    stats->form[PV_FORM_INDIRECT], stats->outline, stats->failed);
}
