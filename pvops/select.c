// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Detection and selection: which backend, and which of its ops.
 */
#include <pvops/version.h>

#include "internal.h"

#define MAX_LINES	12
#define MAX_BACKENDS	16
#define LINE_SIZE	160

extern const struct pv_backend *const __pv_backends_start[];
extern const struct pv_backend *const __pv_backends_end[];
extern const struct pv_site __pv_sites_start[];
extern const struct pv_site __pv_sites_end[];
extern const u8 __pv_text_start[];
extern const u8 __pv_text_end[];

struct lines {
	const char *what;
	char text[MAX_LINES][LINE_SIZE];
	u32 count;
};

/* Each backend's result of detect(), in link order. */
static struct candidate {
	int score;
	const char *why;
	bool failed;
} candidates[MAX_BACKENDS];

static struct lines detected = { .what = "detected" };
static struct lines refused = { .what = "refused" };
static const struct pv_backend *chosen PV_RO_AFTER_INIT;
static const struct pv_backend *native PV_RO_AFTER_INIT;

const struct pv_impl *pv_chosen[PV_OP_COUNT] PV_RO_AFTER_INIT;

/* The kernel's own functions, which replace the chosen ones. */
static struct pv_impl overrides[PV_OP_COUNT] PV_RO_AFTER_INIT;

static struct pv_site_set kernel_sites = {
	.name = "kernel",
};

/* Keeps a line, or logs it at once if there is no room. */
#define add_line(to, ...)						\
	do {								\
		struct lines *l_ = (to);				\
		char more_[LINE_SIZE];					\
		bool keep_ = l_->count < MAX_LINES;			\
									\
		pv_port_format(keep_ ? l_->text[l_->count++] : more_, LINE_SIZE, __VA_ARGS__); \
		if (!keep_)						\
			pv_port_log("pvops: %s: %s", l_->what, more_);	\
	} while (0)

static u32 backend_count(void)
{
	return (u32)(__pv_backends_end - __pv_backends_start);
}

static const char *line(const struct lines *lines, u32 nr)
{
	return nr < lines->count ? lines->text[nr] : NULL;
}

static void print_lines(const struct lines *lines)
{
	u32 i;

	for (i = 0; i < lines->count; i++)
		pv_port_log("pvops: %s: %s", lines->what, lines->text[i]);
}

const char *pv_detected(u32 nr)
{
	return line(&detected, nr);
}

const char *pv_refused(u32 nr)
{
	return line(&refused, nr);
}

const char *pv_note(u32 nr)
{
	return chosen->note ? chosen->note(nr) : NULL;
}

const struct pv_backend *pv_backend(void)
{
	return chosen;
}

const struct pv_backend *pv_native(void)
{
	return native;
}

const struct pv_impl *pv_impl_of(enum pv_op op)
{
	return pv_chosen[op];
}

struct pv_site_set *pv_kernel_sites(void)
{
	return &kernel_sites;
}

/*
 * Names of hypervisors without a backend.  Their guests run natively, or by another
 * hypervisor's interface that they offer.  The signatures have no blanks here, because
 * published lists disagree on the blanks.  Sources: FreeBSD, sys/amd64/vmm/x86.c
 * (bhyve); Linux, arch/x86/include/asm/acrn.h; QEMU itself; public lists of CPUID
 * vendors for VirtualBox and for Parallels, whose signature occurs in both byte orders.
 */
static const char *const other_names[][2] = {
	{ "VBoxVBoxVBox", "VirtualBox" },
	{ "prlhyperv", "Parallels" },
	{ "lrpepyhvr", "Parallels" },
	{ "bhyvebhyve", "bhyve" },
	{ "ACRNACRNACRN", "ACRN" },
	{ "TCGTCGTCGTCG", "QEMU TCG" },
};

static const char *other_name(const char *signature)
{
	u32 nr;

	for (nr = 0; nr < sizeof(other_names) / sizeof(other_names[0]); nr++) {
		const char *want = other_names[nr][0], *is = signature;

		for (; *is; is++)
			if (*is != ' ' && *is != *want++)
				break;
		if (!*is && !*want)
			return other_names[nr][1];
	}
	return NULL;
}

/* Any vendor may offer the interface "Hv#1": TLFS, leaf 0x40000001. */
static bool shows_hv1(const struct pv_cpuid_range *range)
{
	return range->base == 0x40000000 && range->leaf[0].eax == 0x31237648;
}

static void name_hypervisors(const struct pv_platform *platform)
{
	u32 nr, i;

	for (nr = 0; nr < platform->ranges; nr++) {
		const struct pv_cpuid_range *range = &platform->range[nr];
		const char *other = other_name(range->name);
		char name[sizeof(range->name)];

		for (i = 0; range->name[i]; i++)
			name[i] = pv_printable(range->name[i]);
		name[i] = '\0';
		add_line(&detected, "CPUID 0x%x: hypervisor \"%s\"%s%s%s%s", range->base, name,
			 other ? " (" : "", other ? other : "", other ? ")" : "",
			 shows_hv1(range) ? ", interface Hv#1" : other ? ", no interface" : "");
	}
	if (platform->more_ranges)
		add_line(&detected, "CPUID: more than %u hypervisors: the others are not looked at",
			 PV_CPUID_RANGES);
}

/* Returns the op's entry in a backend's table, or NULL if the backend leaves it to native. */
static const struct pv_impl *impl_in(const struct pv_backend *backend, u32 op)
{
	const struct pv_impl *table;
	u32 nr = 0;

	while (op - pv_tables[nr].first >= pv_tables[nr].count)
		nr++;
	table = pv_backend_table(backend, nr);
	if (!table || !table[op - pv_tables[nr].first].fn)
		return NULL;
	return &table[op - pv_tables[nr].first];
}

static const struct pv_impl *impl_of_backend(u32 op)
{
	const struct pv_impl *impl = impl_in(chosen, op);

	return impl ? impl : impl_in(native, op);
}

static void fill_slots(void)
{
	void (**slot)(void) = (void (**)(void))&pv_slots;
	u32 op;

	for (op = 0; op < PV_OP_COUNT; op++)
		slot[op] = pv_chosen[op]->fn;
}

/* Sets slots together with @chosen: the kernel's log may call ops once pv_backend() is set. */
static void use(const struct pv_backend *backend)
{
	u32 op;

	chosen = backend;
	for (op = 0; op < PV_OP_COUNT; op++)
		pv_chosen[op] = overrides[op].fn ? &overrides[op] : impl_of_backend(op);
	fill_slots();
}

bool pv_impl_is_native(enum pv_op op)
{
	return pv_chosen[op] == impl_in(native, op);
}

bool pv_impl_is_own(enum pv_op op)
{
	return pv_chosen[op] == impl_in(chosen, op);
}

/* "-x": all ops of [first, first + count) become native, or none. */
struct exception {
	struct pv_token token;
	u32 first;
	u32 count;
};

/* One for each op and each table, and some more. */
#define MAX_EXCEPTIONS	(PV_OP_COUNT + 8)

static struct exception exceptions[MAX_EXCEPTIONS];
static u32 exception_count;

static bool covers(const struct exception *exception, u32 op)
{
	return op - exception->first < exception->count;
}

static bool is_left(u32 op)
{
	u32 i;

	for (i = 0; i < exception_count; i++)
		if (covers(&exceptions[i], op))
			return true;
	return false;
}

static bool find_part(const struct pv_token *token, struct exception *part)
{
	u32 i;

	part->token = *token;
	for (i = 0; i < pv_table_count; i++)
		if (pv_token_is(token, pv_tables[i].name)) {
			part->first = pv_tables[i].first;
			part->count = pv_tables[i].count;
			return true;
		}
	for (i = 0; i < PV_OP_COUNT; i++)
		if (pv_token_is(token, pv_op_info[i].name)) {
			part->first = i;
			part->count = 1;
			return true;
		}
	return false;
}

/* Checks one exception by itself; refuse_one() checks them together. */
static void add_exception(const struct pv_token *token)
{
	struct exception part;
	u32 op;

	if (!find_part(token, &part)) {
		add_line(&refused, "-%s: no such table or op", pv_token_show(token).text);
		return;
	}
	for (op = part.first; op < part.first + part.count; op++) {
		if (overrides[op].fn) {
			add_line(&refused, "-%s: the kernel has a %s of its own",
				 pv_token_show(token).text, pv_op_info[op].name);
			return;
		}
		if (pv_chosen[op]->flags & PV_IMPL_REQUIRED) {
			add_line(&refused, "-%s: %s cannot run with native %s", pv_token_show(token).text,
				 chosen->name, pv_op_info[op].name);
			return;
		}
	}
	if (exception_count == MAX_EXCEPTIONS)
		add_line(&refused, "-%s: too many exceptions", pv_token_show(token).text);
	else
		exceptions[exception_count++] = part;
}

/* Returns a pair of which only one op becomes native, by @part; NULL if there is none. */
static const struct pv_op_pair *parted_by(const struct exception *part)
{
	u32 i;

	for (i = 0; i < pv_pair_count; i++) {
		const struct pv_op_pair *pair = &pv_pairs[i];

		if (pv_impl_is_own(pair->op) && pv_impl_is_own(pair->other) &&
		    is_left(pair->op) != is_left(pair->other) &&
		    (covers(part, pair->op) || covers(part, pair->other)))
			return pair;
	}
	return NULL;
}

/* Drops the first exception that separates a pair.  That may separate another pair. */
static bool refuse_one(void)
{
	u32 i;

	for (i = 0; i < exception_count; i++) {
		const struct exception *part = &exceptions[i];
		const struct pv_op_pair *pair = parted_by(part);
		bool first;

		if (!pair)
			continue;
		first = covers(part, pair->op);
		add_line(&refused, "-%s: %s%sgoes with %s", pv_token_show(&part->token).text,
			 part->count > 1 ? pv_op_info[first ? pair->op : pair->other].name : "",
			 part->count > 1 ? " " : "",
			 pv_op_info[first ? pair->other : pair->op].name);
		for (exception_count--; i < exception_count; i++)
			exceptions[i] = exceptions[i + 1];
		return true;
	}
	return false;
}

static const struct pv_backend *by_name(const struct pv_token *token)
{
	const struct pv_backend *const *b;

	for (b = __pv_backends_start; b < __pv_backends_end; b++)
		if (pv_token_is(token, (*b)->name))
			return *b;
	return NULL;
}

static struct candidate *candidate(const struct pv_backend *backend)
{
	u32 nr = 0;

	while (__pv_backends_start[nr] != backend)
		nr++;
	return &candidates[nr];
}

static const struct pv_backend *requested(const char *cmdline)
{
	const struct pv_backend *backend, *found = NULL;
	struct pv_option option = { .next = cmdline };
	struct pv_token token;

	while (pv_option_next(&option, &token)) {
		if (!token.len) {
			add_line(&refused, "pvops=: empty name");
			continue;
		}
		if (token.start[0] == '-')
			continue;
		if (pv_token_is(&token, "auto")) {
			found = NULL;
			continue;
		}
		backend = by_name(&token);
		if (!backend)
			add_line(&refused, "pvops=%s: no such backend", pv_token_show(&token).text);
		else if (candidate(backend)->score <= PV_SCORE_NONE)
			add_line(&refused, "pvops=%s: %s", backend->name, candidate(backend)->why);
		else
			found = backend;
	}
	return found;
}

static void apply_exceptions(const char *cmdline)
{
	struct pv_option option = { .next = cmdline };
	struct pv_token token;
	u32 op;

	exception_count = 0;
	while (pv_option_next(&option, &token)) {
		if (!token.len || token.start[0] != '-')
			continue;
		token.start++;
		token.len--;
		add_exception(&token);
	}
	/* All ops are native, so no pair is separated. */
	if (chosen == native)
		return;
	while (refuse_one())
		;
	for (op = 0; op < PV_OP_COUNT; op++)
		if (is_left(op))
			pv_chosen[op] = impl_in(native, op);
}

/* Returns the backend with the highest score that has not failed; the first of equals. */
static const struct pv_backend *best(void)
{
	const struct pv_backend *found = NULL;
	int high = PV_SCORE_NONE;
	u32 nr;

	for (nr = 0; nr < backend_count(); nr++)
		if (!candidates[nr].failed && candidates[nr].score > high) {
			high = candidates[nr].score;
			found = __pv_backends_start[nr];
		}
	return found;
}

static void detect_all(const struct pv_platform *platform)
{
	u32 nr;

	name_hypervisors(platform);
	for (nr = 0; nr < backend_count(); nr++) {
		const struct pv_backend *backend = __pv_backends_start[nr];
		struct candidate *c = &candidates[nr];

		*c = (struct candidate){ .why = "it does not say why" };
		c->score = backend->detect(platform, &c->why);
		if (c->score > PV_SCORE_NONE)
			add_line(&detected, "%s: %s (score %d)", backend->name, backend->title,
				 c->score);
		else
			add_line(&detected, "%s: no: %s", backend->name, c->why);
	}
}

static const struct pv_backend *find_native(void)
{
	static const struct pv_token name = { "native", 6 };

	return by_name(&name);
}

/* Logs nothing: its callers come before the kernel's log. */
void pv_init_native(void)
{
	native = find_native();
	if (!native || kernel_sites.impl)
		return;
	use(native);
}

static bool start(const struct pv_backend *backend, const struct pv_platform *platform)
{
	int error = backend->init ? backend->init(platform) : 0;

	if (error)
		add_line(&refused, "%s: start failed, error %d", backend->name, error);
	return !error;
}

void pv_init(struct pv_platform *platform, const char *cmdline)
{
	const struct pv_backend *backend;

	if (kernel_sites.impl) {
		pv_port_log("pvops: pv_init() after pv_patch(): sites are patched, the choice stays");
		return;
	}
	detected.count = 0;
	refused.count = 0;
	chosen = NULL;
	native = find_native();
	if (!native || backend_count() > MAX_BACKENDS)
		pv_port_panic("pvops: the image has no native backend, or too many backends");

	pv_cpuid_scan(platform);
	detect_all(platform);
	backend = requested(cmdline);
	if (!backend)
		backend = best();
	while (backend && !start(backend, platform)) {
		candidate(backend)->failed = true;
		backend = best();
	}
	if (!backend) {
		print_lines(&detected);
		print_lines(&refused);
		pv_port_panic("pvops: no backend can run here, not even native");
	}

	use(backend);
	apply_exceptions(cmdline);
	fill_slots();

	kernel_sites.start = __pv_sites_start;
	kernel_sites.end = __pv_sites_end;
	kernel_sites.text_start = (unsigned long)__pv_text_start;
	kernel_sites.text_end = (unsigned long)__pv_text_end;
}

int pv_override(enum pv_op op, void (*fn)(void))
{
	const struct pv_impl *impl = &overrides[op];
	void (**slot)(void) = (void (**)(void))&pv_slots;

	if (kernel_sites.impl) {
		pv_port_log("pvops: %s: cannot be overridden, sites are patched",
			    pv_op_info[op].name);
		return -16;
	}
	overrides[op].fn = fn;
	if (!fn)
		impl = impl_of_backend(op);
	pv_chosen[op] = impl;
	slot[op] = impl->fn;
	return 0;
}

void pv_cpu_init(u32 cpu)
{
	if (chosen->cpu_init)
		chosen->cpu_init(cpu);
}

void pv_cpu_exit(void)
{
	if (chosen->cpu_exit)
		chosen->cpu_exit();
}

void pv_late_init(void)
{
	if (chosen->late_init)
		chosen->late_init();
}

int pv_patch(void)
{
	return pv_apply(&kernel_sites, pv_chosen);
}

int pv_module_patch(struct pv_site_set *set)
{
	return pv_apply(set, pv_chosen);
}

int pv_repatch(bool indirect)
{
	return pv_apply(&kernel_sites, indirect ? NULL : pv_chosen);
}

void pv_print(void)
{
	const struct pv_stats *stats = &kernel_sites.stats;
	u32 sites = (u32)(__pv_sites_end - __pv_sites_start);
	const char *note;
	u32 i, own = 0;

	pv_port_log("pvops: version %s", PV_VERSION);
	print_lines(&detected);
	for (i = 0; i < PV_OP_COUNT; i++)
		own += pv_impl_is_own(i);
	pv_port_log("pvops: chosen: %s (%s), %u of %u ops its own", chosen->name,
		    chosen->title, own, PV_OP_COUNT);
	for (i = 0; (note = pv_note(i)); i++)
		pv_port_log("pvops: %s: %s", chosen->name, note);
	print_lines(&refused);
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
