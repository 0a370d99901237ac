// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Selection: which backend, and which of its ops. */
#include "internal.h"

extern const u8 __pv_text_start[];
extern const u8 __pv_text_end[];

static const struct pv_backend *chosen PV_RO_AFTER_INIT;
static const struct pv_backend *native PV_RO_AFTER_INIT;
/* A kernel with its own timers and IPIs never calls pv_late_init(). */
static bool late;

const struct pv_impl *pv_chosen[PV_OP_COUNT] PV_RO_AFTER_INIT;

/* The kernel's own functions, which replace the chosen ones. */
static struct pv_impl overrides[PV_OP_COUNT] PV_RO_AFTER_INIT;

/* The kernel's own functions, which are part of the choice. */
static struct pv_impl provided[PV_OP_COUNT] PV_RO_AFTER_INIT;

static struct pv_site_set kernel_sites = {
	.name = "kernel",
};

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

/* Returns the op's entry in a backend's table, or NULL if the backend leaves it to native. */
const struct pv_impl *pv_impl_in(const struct pv_backend *backend, u32 op)
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
	const struct pv_impl *impl = pv_impl_in(chosen, op);

	return impl ? impl : pv_impl_in(native, op);
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

bool pv_is_overridden(u32 op)
{
	return overrides[op].fn;
}

bool pv_impl_is_native(enum pv_op op)
{
	return pv_chosen[op] == pv_impl_in(native, op);
}

bool pv_impl_is_own(enum pv_op op)
{
	return pv_chosen[op] == pv_impl_in(chosen, op) || pv_chosen[op] == &provided[op];
}

static const struct pv_backend *by_name(const struct pv_token *token)
{
	const struct pv_backend *const *b;

	for (b = __pv_backends_start; b < __pv_backends_end; b++)
		if (pv_token_is(token, (*b)->name))
			return *b;
	return NULL;
}

static const struct pv_backend *requested(const char *cmdline)
{
	const struct pv_backend *backend, *found = NULL;
	struct pv_option option = { .next = cmdline };
	struct pv_token token;

	while (pv_option_next(&option, &token)) {
		if (!token.len) {
			pv_add_line(refused, "pvops=: empty name");
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
			pv_add_line(refused, "pvops=%s: no such backend", pv_token_show(&token).text);
		else if (pv_candidate_of(backend)->score <= PV_SCORE_NONE)
			pv_add_line(refused, "pvops=%s: %s", backend->name, pv_candidate_of(backend)->why);
		else
			found = backend;
	}
	return found;
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
		pv_add_line(refused, "%s: start failed, error %d", backend->name, error);
	return !error;
}

/* Returns the backend that the user named, else the best one, or NULL. */
static const struct pv_backend *choose(struct pv_platform *platform, const char *cmdline)
{
	const struct pv_backend *backend;

	pv_lines_detected.count = 0;
	pv_lines_refused.count = 0;
	pv_cpuid_scan(platform);
	pv_detect_all(platform);
	backend = requested(cmdline);
	return backend ? backend : pv_detect_best();
}

const struct pv_backend *pv_preview(struct pv_platform *platform, const char *cmdline)
{
	return choose(platform, cmdline);
}

void pv_init(struct pv_platform *platform, const char *cmdline)
{
	const struct pv_backend *backend;
	u32 op;

	if (kernel_sites.impl) {
		pv_port_log("pvops: pv_init() refused: sites are already patched; the backend stays");
		return;
	}
	chosen = NULL;
	late = false;
	for (op = 0; op < PV_OP_COUNT; op++)
		provided[op].fn = NULL;
	native = find_native();
	if (!native || pv_backend_count() > PV_BACKENDS)
		pv_port_panic("pvops: the image has no native backend, or too many backends");

	backend = choose(platform, cmdline);
	while (backend && !start(backend, platform)) {
		pv_candidate_of(backend)->failed = true;
		backend = pv_detect_best();
	}
	if (!backend) {
		pv_print_lines(&pv_lines_detected);
		pv_print_lines(&pv_lines_refused);
		pv_port_panic("pvops: no backend can run here, not even native");
	}

	use(backend);
	pv_exceptions_apply(cmdline);
	fill_slots();

	kernel_sites.start = __pv_sites_start;
	kernel_sites.end = __pv_sites_end;
	kernel_sites.text_start = (unsigned long)__pv_text_start;
	kernel_sites.text_end = (unsigned long)__pv_text_end;
}

static bool is_patched(enum pv_op op)
{
	if (kernel_sites.impl)
		pv_port_log("pvops: override of %s refused: sites are already patched",
			    pv_op_info[op].name);
	return kernel_sites.impl;
}

static int set(enum pv_op op, const struct pv_impl *impl)
{
	void (**slot)(void) = (void (**)(void))&pv_slots;

	pv_chosen[op] = impl;
	slot[op] = impl->fn;
	return 0;
}

int pv_override(enum pv_op op, void (*fn)(void))
{
	if (is_patched(op))
		return -PV_EBUSY;
	overrides[op].fn = fn;
	if (fn)
		return set(op, &overrides[op]);
	if (pv_op_is_left(op))
		return set(op, pv_impl_in(native, op));
	return set(op, provided[op].fn ? &provided[op] : impl_of_backend(op));
}

int pv_provide(enum pv_op op, void (*fn)(void))
{
	if (chosen == native || pv_op_is_left(op))
		return -PV_EPERM;
	if (is_patched(op) || overrides[op].fn)
		return -PV_EBUSY;
	provided[op].fn = fn;
	return set(op, &provided[op]);
}

/* Is an op native that works only after native has set up the machine? */
static bool native_is_used(void)
{
	return pv_impl_is_native(PV_OP_clock_read) || pv_impl_is_native(PV_OP_set_timer) ||
	       pv_impl_is_native(PV_OP_upcall) || pv_impl_is_native(PV_OP_send_ipi) ||
	       pv_impl_is_native(PV_OP_send_ipi_mask) || pv_impl_is_native(PV_OP_start_cpu);
}

void pv_cpu_init(u32 cpu)
{
	if (chosen->cpu_init)
		chosen->cpu_init(cpu);
	if (late && chosen != native && native_is_used() && native->cpu_init)
		native->cpu_init(cpu);
}

void pv_cpu_exit(void)
{
	if (chosen->cpu_exit)
		chosen->cpu_exit();
}

/* The chosen backend comes first: native's setup is timed by the chosen clock. */
void pv_late_init(void)
{
	late = true;
	if (chosen->late_init)
		chosen->late_init();
	if (chosen != native && native_is_used() && native->late_init)
		native->late_init();
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
