/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The core's interface for a kernel
 *
 * The kernel calls these functions in the order that port.h gives.  One word of its command
 * line chooses:
 *
 *	pvops=auto			the best backend that runs here (default)
 *	pvops=<backend>			this backend
 *	pvops=<backend>,-<table>	native for one table (irq, cpu, ...)
 *	pvops=<backend>,-<op>		native for one op
 *
 * Ops that go together (catalogue.h) are left to native together, or not at all.
 * Words are split as Linux does it.  Quotes around a word or its value are removed.
 * A word inside another option's quotes belongs to that option.  Words behind "--"
 * belong to the first process.
 *
 * The core refuses what it cannot do, with one line that gives the reason; boot
 * continues with the best choice that works.
 */
#ifndef PVOPS_PVOPS_H
#define PVOPS_PVOPS_H

#include "backend.h"

/**
 * struct pv_op_info - facts about an op, generated from the catalogue
 * @name: its name
 * @table: its table ("irq", "cpu", ...)
 * @site: its site class ("CALL6", ...)
 * @test: name of its contract test
 */
struct pv_op_info {
	const char *name;
	const char *table;
	const char *site;
	const char *test;
};

extern const struct pv_op_info pv_op_info[PV_OP_COUNT];

/**
 * enum pv_form - forms that a site can have
 * @PV_FORM_INDIRECT: as compiled: a call or jump through the table
 * @PV_FORM_INLINE: the implementation itself
 * @PV_FORM_CALL: direct call
 * @PV_FORM_NOP: NOPs; or a branch site that falls through to in-line code
 * @PV_FORM_JUMP: direct jump; or a branch site that jumps to its call
 */
enum pv_form {
	PV_FORM_INDIRECT,
	PV_FORM_INLINE,
	PV_FORM_CALL,
	PV_FORM_NOP,
	PV_FORM_JUMP,
	PV_FORM_COUNT
};

/**
 * enum pv_site_error - reasons why a site is not patched
 * @PV_SITE_OK: the site is patched
 * @PV_SITE_BAD_OP: op id not in the catalogue
 * @PV_SITE_BAD_KIND: kind or flags unknown
 * @PV_SITE_SHORT: fewer bytes than the kind needs, or more than any kind has
 * @PV_SITE_OUTSIDE: not inside the text that the table belongs to
 * @PV_SITE_REACH: target more than 2 GiB away
 * @PV_SITE_TEXT: the bytes in place are not those of the compiler or of the last
 *	plan (also for overlapping records; the log line names them)
 */
enum pv_site_error {
	PV_SITE_OK,
	PV_SITE_BAD_OP,
	PV_SITE_BAD_KIND,
	PV_SITE_SHORT,
	PV_SITE_OUTSIDE,
	PV_SITE_REACH,
	PV_SITE_TEXT
};

/**
 * struct pv_plan - bytes for one site
 * @text: the bytes; valid up to @len, but all may be written to @text
 * @len: the site's length
 * @form: what they are
 * @error: enum pv_site_error; if not PV_SITE_OK the plan is void
 */
struct pv_plan {
	u8 text[32];
	u8 len;
	u8 form;
	u8 error;
};

/**
 * pv_plan_make - what should stand at a site: pure function, no side effects
 * @plan: result
 * @site: record (only @len, @kind and @op are read)
 * @addr: address of the site
 * @slot: address of the op's pointer in the table
 * @in_place: the bytes now there; read for BRANCH sites, whose displacement
 *	is kept in the text (site.h)
 * @impl: chosen implementation; NULL for the text as compiled
 *
 * Context: any.  Returns enum pv_site_error, also in @plan.
 */
enum pv_site_error pv_plan_make(struct pv_plan *plan, const struct pv_site *site,
				unsigned long addr, unsigned long slot,
				const u8 *in_place, const struct pv_impl *impl);

/**
 * struct pv_stats - result of one pass over a site set
 * @form: number of sites by enum pv_form, without those that have the OUTLINE flag
 * @outline: far sides of branch sites, which are patched but not on the native path
 * @failed: sites that stay unchanged because of an error, which is reported
 * @total: all sites except those whose text is gone
 */
struct pv_stats {
	u32 form[PV_FORM_COUNT];
	u32 outline;
	u32 failed;
	u32 total;
};

/**
 * struct pv_site_set - the sites of one piece of text (kernel or module)
 * @name: for reports
 * @start: first record
 * @end: end of the records
 * @text_start: first byte of the text that the sites lie in
 * @text_end: first byte behind it
 * @gone_start: first byte of text that is freed, such as start-up code; sites in
 *	it are skipped
 * @gone_end: first byte behind it; 0 if no text is freed
 * @impl: implementations that the text is patched for, per op; NULL: as compiled.
 *	The core writes it
 * @stats: result of the last pass
 */
struct pv_site_set {
	const char *name;
	const struct pv_site *start;
	const struct pv_site *end;
	unsigned long text_start;
	unsigned long text_end;
	unsigned long gone_start;
	unsigned long gone_end;
	const struct pv_impl *const *impl;
	struct pv_stats stats;
};

/**
 * pv_apply - patch a set for the given implementations
 * @set: the set
 * @impl: PV_OP_COUNT pointers that stay valid, or NULL for the text as
 *	compiled
 *
 * Calls pv_port_text_begin() and pv_port_text_end() once each, so text is
 * serialised once.  A site that cannot be patched is reported by address, op and
 * reason, stays unchanged, and is counted.
 * Context: one CPU, others held or not started.
 * Returns the number of sites that are not patched, or a negative errno after one
 * log line if the whole set is unusable.
 */
int pv_apply(struct pv_site_set *set, const struct pv_impl *const *impl);

/**
 * pv_init - detect, choose, fill the table
 * @platform: the machine as the entry code sees it; receives the results of CPUID
 * @cmdline: kernel command line; every "pvops=" word is read
 *
 * Calls the chosen backend's init().  Calls pv_port_panic() if not even native can
 * run here.  A second call chooses again; once sites are patched it is refused with
 * one line, and the choice stays.
 * Context: boot CPU, interrupts off, before any op.
 */
void pv_init(struct pv_platform *platform, const char *cmdline);

/**
 * pv_preview - the backend that pv_init() would choose
 * @platform: as for pv_init()
 * @cmdline: as for pv_init()
 *
 * Detects and chooses as pv_init() does, but starts no backend, and leaves the table and the
 * choice alone.  For a kernel that must know the choice before a backend can start.
 * Context: as pv_init().  Returns NULL if no backend can run here.
 */
const struct pv_backend *pv_preview(struct pv_platform *platform, const char *cmdline);

/**
 * pv_init_native - fill the table with native, without detection
 *
 * For a kernel whose first C code uses ops but can neither log nor take an exception.
 * In a confidential guest, CPUID raises one (#VE, #VC).  The function executes no
 * CPUID, and calls no port function and no backend's init().  pv_print() and the like
 * have nothing to report yet.  A later pv_init() chooses.
 * Context: boot CPU, before pv_patch(), where native works (CPL 0).
 */
void pv_init_native(void);

/**
 * pv_override - override an op's implementation
 * @op: the op
 * @fn: function with the op's prototype and convention; NULL: the backend's again
 *
 * For platform code that knows more than a backend, and for ops that need another
 * implementation until the kernel has memory.  An override stays in force over another
 * pv_init(), with any choice.  "pvops=<name>,-<op>" is refused for an overridden op,
 * because overrides may depend on each other (a lock and its release).
 * Context: after pv_init(), before pv_patch(), boot CPU.  Returns 0, or -PV_EBUSY
 * after one log line once sites are patched.
 */
int pv_override(enum pv_op op, void (*fn)(void));

/** PV_OVERRIDE - pv_override() with the op's name and its prototype checked */
#define PV_OVERRIDE(name, function) \
	pv_override(PV_OP_##name, (void (*)(void))	\
		    (1 ? (function) : (typeof(pv_slots.name))0))

/**
 * pv_provide - implement an op of the chosen backend by the kernel's own code
 * @op: the op
 * @fn: function with the op's prototype and convention
 *
 * For a kernel with platform code of its own for a hypervisor: this code sets the ops, and the
 * user chooses as for any backend.  Unlike an override, a provided function belongs to the
 * choice: it is not taken if native is chosen or if "pvops=" leaves the op to native, and
 * another pv_init() drops it.  A function of the layer's own backend is replaced.
 * Context: as pv_override().  Returns 0; -PV_EPERM if the op is left to native; -PV_EBUSY if
 * the op is overridden, or, after one log line, if sites are patched.
 */
int pv_provide(enum pv_op op, void (*fn)(void));

/**
 * pv_cpu_init - set up the calling CPU for the chosen backend
 * @cpu: its number
 */
void pv_cpu_init(u32 cpu);

/**
 * pv_cpu_exit - undo pv_cpu_init() on the calling CPU
 *
 * Called before another kernel replaces this one (kexec), on each CPU that did not
 * call stop_cpu(), on the boot CPU last.  pv_cpu_init() reverses it.
 * Context: preemption off.
 */
void pv_cpu_exit(void);

/**
 * pv_patch - patch the kernel's own sites for the choice
 *
 * Context: boot CPU, before others start.  Returns as pv_apply().
 */
int pv_patch(void);

/** pv_late_init - call the backend's late_init(); see struct pv_backend */
void pv_late_init(void);

/**
 * pv_module_patch - patch a module's sites for the choice
 * @set: filled by the module loader
 *
 * Context: before the module's text runs.  Returns as pv_apply().
 */
int pv_module_patch(struct pv_site_set *set);

/**
 * pv_repatch - patch the kernel's sites again
 * @indirect: true: restore the text as compiled; false: patch for the choice
 *
 * As compiled, an asm site is a call, which needs a kernel stack.  Where the hypervisor
 * does not switch to one, system call entries cannot execute such a site, so user mode
 * must not run.
 *
 * Context: inside pv_port_hold_cpus(), or one CPU runs.  Returns as pv_apply().
 */
int pv_repatch(bool indirect);

/** pv_kernel_sites - the kernel's own site set */
struct pv_site_set *pv_kernel_sites(void);

/** pv_backend - the chosen backend; NULL before pv_init() */
const struct pv_backend *pv_backend(void);

/**
 * pv_native - the native backend
 *
 * If the choice leaves the clock, the timer, interrupts or the start of CPUs to native,
 * pv_late_init() ends with native's hook.  From then on pv_cpu_init() does, too.
 */
const struct pv_backend *pv_native(void);

/** pv_impl_of - the chosen implementation of an op */
const struct pv_impl *pv_impl_of(enum pv_op op);

/** pv_impl_is_native - true if the op is left to native */
bool pv_impl_is_native(enum pv_op op);

/**
 * pv_op_is_left - true if the command line leaves an op to native
 *
 * For a kernel's own code beside the catalogue that goes with the op (a clock source, shared
 * memory).  Refused parts of the word do not count.
 */
bool pv_op_is_left(enum pv_op op);

/**
 * pv_impl_is_own - true if the chosen backend's own implementation of an op is in use
 *
 * True also for a function of pv_provide().  False if the backend has none, if the user
 * left the op to native, or if the kernel overrides it.  A backend whose op needs memory, a
 * vector or a timer registered with the hypervisor asks this in its cpu_init(), and registers
 * nothing that is not used.
 */
bool pv_impl_is_own(enum pv_op op);

/**
 * pv_detected, pv_refused - lines that detection and selection have written
 * @nr: 0, 1, ...
 *
 * Text of one line, or NULL beyond the last.
 */
const char *pv_detected(u32 nr);
const char *pv_refused(u32 nr);

/** pv_note - line @nr of the chosen backend's notes, or NULL */
const char *pv_note(u32 nr);

/**
 * struct pv_site_report - one site, for listings
 * @addr: its address
 * @op: its op; NULL if the record is bad
 * @form: its form
 * @outline: far side of a branch site
 * @error: the reason if the site is not patched as planned
 */
struct pv_site_report {
	unsigned long addr;
	const struct pv_op_info *op;
	enum pv_form form;
	bool outline;
	enum pv_site_error error;
};

/**
 * pv_site_inspect - read the form of a site from the text itself
 * @set: the set
 * @nr: index
 * @report: result
 *
 * Context: any, not during a pass.  Returns false beyond the last.
 */
bool pv_site_inspect(const struct pv_site_set *set, u32 nr, struct pv_site_report *report);

/** pv_site_error_text - text of an error */
const char *pv_site_error_text(enum pv_site_error error);

/** pv_form_text - name of a form, one word */
const char *pv_form_text(enum pv_form form);

/**
 * pv_print - log the report: version, detected, chosen, notes, refused, sites by form
 *
 * Context: any, after pv_patch().  Uses pv_port_log().
 */
void pv_print(void);

#endif
