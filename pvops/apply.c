// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Verify and apply: one pass over a site set.  Boot pays for the loop once per site,
 * so the common case of each step comes first; errors have functions of their own.
 */
#include "internal.h"

static const char *const error_text[] = {
	[PV_SITE_OK] = "ok",
	[PV_SITE_BAD_OP] = "no such op",
	[PV_SITE_BAD_KIND] = "unknown kind of site",
	[PV_SITE_SHORT] = "wrong length for its kind",
	[PV_SITE_OUTSIDE] = "outside the text it belongs to",
	[PV_SITE_REACH] = "target beyond 2 GiB",
	[PV_SITE_TEXT] = "text is not what the record says",
};

const char *pv_site_error_text(enum pv_site_error error)
{
	return (u32)error <= PV_SITE_TEXT ? error_text[error] : "unknown error";
}

const char *pv_form_text(enum pv_form form)
{
	static const char *const text[] = {
		[PV_FORM_INDIRECT] = "indirect",
		[PV_FORM_INLINE] = "inline",
		[PV_FORM_CALL] = "call",
		[PV_FORM_NOP] = "nop",
		[PV_FORM_JUMP] = "jump",
	};

	return (u32)form < PV_FORM_COUNT ? text[form] : "unknown";
}

/* The wrappers make sites of 6, 7 and 9 bytes. */
static inline bool same_bytes(const u8 *a, const u8 *b, u32 len)
{
	u32 wa, wb;
	u32 i;

	__builtin_memcpy(&wa, a, 4);
	__builtin_memcpy(&wb, b, 4);
	if (wa != wb)
		return false;
	for (i = 4; i + 2 <= len; i += 2) {
		u16 ha, hb;

		__builtin_memcpy(&ha, a + i, 2);
		__builtin_memcpy(&hb, b + i, 2);
		if (ha != hb)
			return false;
	}
	return i == len || a[i] == b[i];
}

static inline void write_bytes(u8 *to, const u8 *from, u32 len)
{
	u32 i;

	__builtin_memcpy(to, from, 4);
	for (i = 4; i + 2 <= len; i += 2)
		__builtin_memcpy(to + i, from + i, 2);
	if (i < len)
		to[i] = from[i];
}

static inline const struct pv_impl *impl_in(const struct pv_impl *const *impl, u32 op)
{
	return impl && op < PV_OP_COUNT ? impl[op] : NULL;
}

static inline bool inside(const struct pv_site_set *set, unsigned long addr, u32 len)
{
	return addr >= set->text_start && addr < set->text_end && len <= set->text_end - addr;
}

/* The bytes at the site must be those of the last plan, or as compiled. */
static enum pv_site_error verify(const struct pv_site *site, unsigned long addr,
				 const struct pv_impl *now)
{
	struct pv_plan plan;
	enum pv_site_error error;

	error = pv_plan_make(&plan, site, addr, pv_slot(site->op), (const u8 *)addr, now);
	if (!error && same_bytes((const u8 *)addr, plan.text, plan.len))
		return PV_SITE_OK;
	if (error && error != PV_SITE_REACH)
		return error;
	if (!now)
		return error ? error : PV_SITE_TEXT;
	return verify(site, addr, NULL);
}

static void report_failure(const struct pv_site_set *set, const struct pv_site *site,
			   unsigned long addr, enum pv_site_error error)
{
	const char *op = site->op < PV_OP_COUNT ? pv_op_info[site->op].name : "?";
	const struct pv_site *other;

	if (error == PV_SITE_TEXT) {
		for (other = set->start; other < set->end; other++) {
			unsigned long start = pv_site_addr(other);

			if (other == site || addr >= start + other->len ||
			    start >= addr + site->len)
				continue;
			pv_port_log("pvops: %s: site 0x%lx, op %s: overlaps site 0x%lx; not patched",
				    set->name, addr, op, start);
			return;
		}
	}
	pv_port_log("pvops: %s: site 0x%lx, op %s (%u), kind 0x%x, %u bytes: %s; not patched",
		    set->name, addr, op, site->op, site->kind, site->len,
		    pv_site_error_text(error));
}

static bool usable(const struct pv_site_set *set)
{
	unsigned long start = (unsigned long)set->start;
	unsigned long end = (unsigned long)set->end;

	if (start % 4 || end < start || (end - start) % sizeof(struct pv_site)) {
		pv_port_log("pvops: %s: site table 0x%lx-0x%lx is misaligned or incomplete; not patched",
			    set->name, start, end);
		return false;
	}
	if (set->text_end < set->text_start) {
		pv_port_log("pvops: %s: text 0x%lx-0x%lx ends before it starts; not patched",
			    set->name, set->text_start, set->text_end);
		return false;
	}
	if (set->gone_end < set->gone_start) {
		pv_port_log("pvops: %s: discarded text 0x%lx-0x%lx ends before it starts; not patched",
			    set->name, set->gone_start, set->gone_end);
		return false;
	}
	return true;
}

/*
 * One state of an op, ready to compare or write: the first eight bytes without the
 * rel32, the value that the rel32 is computed from, and the ninth byte.
 */
struct ready {
	u64 text;
	unsigned long target;
	u32 rel_mask;
	u8 tail;
	u8 form;
};

/*
 * Both states of an op in one pass, made at its first site.  @shape is the length and
 * kind of the sites that they fit, as in the record.
 */
struct recipes {
	struct ready now;
	struct ready next;
	u16 shape;
	u8 pad[14];
};

#define SHAPE_NONE	0xffff

static bool make_ready(struct ready *ready, const struct pv_site_set *set,
		       const struct pv_site *site, const struct pv_impl *impl)
{
	struct pv_recipe recipe;
	u32 rel;

	if (pv_recipe_make(&recipe, site->kind, site->len, pv_slot(site->op), impl))
		return false;
	/* In reach from both ends of the text is in reach from every site. */
	if (recipe.relative && (!pv_recipe_rel(&recipe, set->text_start, &rel) ||
				!pv_recipe_rel(&recipe, set->text_end, &rel)))
		return false;
	__builtin_memcpy(&ready->text, recipe.text, 8);
	ready->target = recipe.relative ? recipe.target - 6 : 0;
	ready->rel_mask = recipe.relative ? ~0U : 0;
	ready->tail = recipe.text[8];
	ready->form = recipe.form;
	return true;
}

static inline u16 shape_of(const struct pv_site *site)
{
	u16 shape;

	__builtin_memcpy(&shape, &site->len, 2);
	return shape;
}

static __attribute__((__noinline__)) bool
make_recipes(struct recipes *recipes, const struct pv_site_set *set, const struct pv_site *site,
	     const struct pv_impl *const *before, const struct pv_impl *const *impl)
{
	recipes->shape = SHAPE_NONE;
	if (!make_ready(&recipes->now, set, site, before ? before[site->op] : NULL) ||
	    !make_ready(&recipes->next, set, site, impl ? impl[site->op] : NULL))
		return false;
	recipes->shape = shape_of(site);
	return true;
}

static inline u64 ready_text(const struct ready *ready, unsigned long addr)
{
	u32 rel = (u32)(ready->target - addr) & ready->rel_mask;

	return ready->text | (u64)rel << 16;
}

/*
 * Patches an ordinary site: compares the text with the old recipe and writes the new one.
 * For any other site it writes nothing and returns false; then the careful path finds
 * the error.  The caller ensures that the text goes on for 16 bytes at @addr.
 */
static inline bool patch_call(const struct recipes *recipes, unsigned long addr, long alias)
{
	u8 *to = (u8 *)addr + alias;
	u32 len = (u8)recipes->shape;
	u64 text, next;

	__builtin_memcpy(&text, (const u8 *)addr, 8);
	text ^= ready_text(&recipes->now, addr);
	next = ready_text(&recipes->next, addr);
	if (__builtin_expect(len == 6, 1)) {
		u32 low = (u32)next;
		u16 high = (u16)(next >> 32);

		if (text << 16)
			return false;
		__builtin_memcpy(to, &low, 4);
		__builtin_memcpy(to + 4, &high, 2);
		return true;
	}
	if (len != 9 || text || ((const u8 *)addr)[8] != recipes->now.tail)
		return false;
	__builtin_memcpy(to, &next, 8);
	to[8] = recipes->next.tail;
	return true;
}

/* Patches an ordinary branch site: the jump as compiled stays or becomes a NOP. */
static inline bool patch_branch(unsigned long addr, long alias, bool in_line)
{
	u8 *to = (u8 *)addr + alias;
	u32 rel;
	u64 text;

	__builtin_memcpy(&text, (const u8 *)addr, 8);
	if ((u8)text != 0xe9 || (u16)(text >> 40) != 0x9066)
		return false;
	if (in_line) {
		u32 word;

		rel = (u32)(text >> 8);
		word = 0x801f0f | rel << 24;
		__builtin_memcpy(to, &word, 4);
		__builtin_memcpy(to + 3, &rel, 4);
	}
	return true;
}

/* The careful path: every check, every error. */
static __attribute__((__noinline__)) enum pv_site_error
patch_carefully(const struct pv_site_set *set, const struct pv_site *site, unsigned long addr,
		long alias, const struct pv_impl *now, const struct pv_impl *next,
		struct pv_stats *stats)
{
	enum pv_site_error error;
	struct pv_plan plan;

	if (!inside(set, addr, site->len))
		return PV_SITE_OUTSIDE;
	error = verify(site, addr, now);
	if (error)
		return error;
	error = pv_plan_make(&plan, site, addr, pv_slot(site->op), (const u8 *)addr, next);
	if (error) {
		/* The call through the table works for every backend: restore it. */
		if (pv_plan_make(&plan, site, addr, pv_slot(site->op), (const u8 *)addr, NULL))
			return error;
	}
	write_bytes((u8 *)addr + alias, plan.text, plan.len);
	if (!(site->kind & PV_SITE_OUTLINE))
		stats->form[plan.form]++;
	else if (!error)
		stats->outline++;
	return error;
}

static inline bool is_behind_branch(const struct pv_impl *impl)
{
	return impl && (impl->flags & PV_IMPL_BEHIND_BRANCH);
}

int pv_apply(struct pv_site_set *set, const struct pv_impl *const *impl)
{
	static struct recipes recipes[PV_OP_COUNT];
	const struct pv_impl *const *before = set->impl;
	unsigned long text_start = set->text_start, ordinary = 0;
	unsigned long gone_start = set->gone_start, gone = set->gone_end - gone_start;
	u32 passed_over = 0;
	struct pv_stats stats = { .total = 0 };
	const struct pv_site *site, *end = set->end;
	long alias;
	u32 i;

	if (!usable(set))
		return -PV_EINVAL;
	alias = pv_port_text_begin(set->text_start, set->text_end);
	if (alias == PV_TEXT_REFUSED)
		return -PV_EPERM;
	for (i = 0; i < PV_OP_COUNT; i++)
		recipes[i].shape = SHAPE_NONE;
	/* Below this offset, 16 bytes can be read at once. */
	if (set->text_end - text_start > 16)
		ordinary = set->text_end - text_start - 16;

	for (site = set->start; site < end; site++) {
		unsigned long addr = pv_site_addr(site);
		const struct pv_impl *now, *next;
		struct recipes *r;
		enum pv_site_error error;

		if (__builtin_expect(addr - gone_start < gone, 0)) {
			passed_over++;
			continue;
		}
		if (site->op >= PV_OP_COUNT || addr - text_start >= ordinary)
			goto careful;
		r = &recipes[site->op];
		if (site->kind == PV_SITE_BRANCH) {
			bool in_line = impl && is_behind_branch(impl[site->op]);

			if (site->len != PV_BRANCH_LEN ||
			    (before && is_behind_branch(before[site->op])) ||
			    !patch_branch(addr, alias, in_line))
				goto careful;
			stats.form[in_line ? PV_FORM_NOP : PV_FORM_JUMP]++;
			continue;
		}
		if (r->shape != shape_of(site) && !make_recipes(r, set, site, before, impl))
			goto careful;
		if (!patch_call(r, addr, alias))
			goto careful;
		if (site->kind & PV_SITE_OUTLINE)
			stats.outline++;
		else
			stats.form[r->next.form]++;
		continue;
careful:
		now = impl_in(before, site->op);
		next = impl_in(impl, site->op);
		error = patch_carefully(set, site, addr, alias, now, next, &stats);
		if (!error)
			continue;
		stats.failed++;
		report_failure(set, site, addr, error);
	}
	stats.total = (u32)(set->end - set->start) - passed_over;
	set->impl = impl;
	set->stats = stats;
	pv_port_text_end(set->text_start, set->text_end);
	return (int)stats.failed;
}

bool pv_site_inspect(const struct pv_site_set *set, u32 nr, struct pv_site_report *report)
{
	const struct pv_site *site = set->start + nr;
	unsigned long addr;
	struct pv_plan plan;

	if (nr >= (u32)(set->end - set->start))
		return false;
	addr = pv_site_addr(site);
	report->addr = addr;
	report->op = site->op < PV_OP_COUNT ? &pv_op_info[site->op] : NULL;
	report->outline = site->kind & PV_SITE_OUTLINE;
	report->form = PV_FORM_INDIRECT;
	if (!inside(set, addr, site->len)) {
		report->error = PV_SITE_OUTSIDE;
		return true;
	}
	report->error = pv_plan_make(&plan, site, addr, pv_slot(site->op), (const u8 *)addr,
				     impl_in(set->impl, site->op));
	if (!report->error && !same_bytes((const u8 *)addr, plan.text, plan.len))
		report->error = PV_SITE_TEXT;
	if (!report->error)
		report->form = plan.form;
	return true;
}
