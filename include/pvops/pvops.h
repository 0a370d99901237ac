/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The core, as a kernel calls it
 *
 * Start-up order is in port.h.  The command line is one word of the kernel's:
 *
 *	pvops=auto			best backend that runs here (default)
 *	pvops=<backend>			this one
 *	pvops=<backend>,-<table>	with native for one table (irq, cpu, ...)
 *	pvops=<backend>,-<op>		with native for one op
 *
 * Ops that go together (catalogue.h) are left to native together, or not at all.
 * Words are as Linux reads them: quotes around a word or its value are no part of it,
 * what stands inside another option's quotes is that option's, and behind "--" all
 * is the first process's.
 *
 * Whatever cannot be honoured is refused with one line and a reason; boot
 * goes on with the best that works.
 */
#ifndef PVOPS_PVOPS_H
#define PVOPS_PVOPS_H

#include "backend.h"

/**
 * struct pv_op_info - generated facts about an op
 * @name: as in the catalogue
 * @table: group
 * @site: site class, "CALL6" ...
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
 * enum pv_form - what stands at a site
 * @PV_FORM_INDIRECT: as compiled, through the table
 * @PV_FORM_INLINE: the implementation itself
 * @PV_FORM_CALL: direct call
 * @PV_FORM_NOP: nothing; or a branch site that falls through to in-line code
 * @PV_FORM_JUMP: direct jump; or a branch site that leads to its call
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
 * enum pv_site_error - why a site was not patched
 * @PV_SITE_OK: it was
 * @PV_SITE_BAD_OP: op id not in the catalogue
 * @PV_SITE_BAD_KIND: kind or flags unknown
 * @PV_SITE_SHORT: fewer bytes than the kind needs, or more than any has
 * @PV_SITE_OUTSIDE: not inside the text that the table belongs to
 * @PV_SITE_REACH: target further than 2 GiB
 * @PV_SITE_TEXT: bytes in place are not what the compiler or the last plan
 *	put there (includes overlapping records; the line says which)
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
 * struct pv_stats - outcome of one pass over a site set
 * @form: sites by enum pv_form, those with the OUTLINE flag not counted
 * @outline: far sides of branch sites, patched but not on the native path
 * @failed: sites left as they were, because of an error (reported)
 * @total: all sites but those whose text is gone
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
 * @text_start: first byte of the text they may lie in
 * @text_end: its end
 * @gone_start: text in there that is no more, such as start-up code: sites in
 *	it are passed over
 * @gone_end: its end; 0: all is there
 * @impl: what the text is patched for now, per op; NULL: as compiled.  Owned
 *	by the core
 * @stats: outcome of the last pass
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
 * @set: which
 * @impl: PV_OP_COUNT pointers that stay valid, or NULL for the text as
 *	compiled
 *
 * Context: one CPU, others held or not started.  One call each of
 * pv_port_text_begin() and _end(): one serialisation.  A site that cannot be
 * patched is reported by address, op and reason, keeps what it has, and is
 * counted.  Returns the number of such sites, or negative errno if the whole
 * set is unusable (one line).
 */
int pv_apply(struct pv_site_set *set, const struct pv_impl *const *impl);

/**
 * pv_init - detect, choose, fill the table
 * @platform: where the kernel is; filled in with what CPUID says
 * @cmdline: kernel command line; every "pvops=" word is read
 *
 * Context: boot CPU, interrupts off, before any op.  Calls the chosen
 * backend's init().  If not even native can run here: pv_port_panic().  May be
 * called again, and chooses anew; not once sites are patched: that is refused with
 * one line, and what was chosen stays.
 */
void pv_init(struct pv_platform *platform, const char *cmdline);

/**
 * pv_init_native - native for every op, without looking where the kernel is
 *
 * For a kernel whose first instructions of C may use ops, but can neither log nor
 * take an exception: in a confidential guest CPUID is one (#VE, #VC).  Executes no
 * CPUID, calls nothing of the port and no backend's init(); pv_print() and its like
 * have nothing to tell yet.  A pv_init() that follows chooses anew.
 * Context: boot CPU, before pv_patch(), where native works (CPL 0).
 */
void pv_init_native(void);

/**
 * pv_override - put a function of the kernel's own in the place of the choice
 * @op: which
 * @fn: with the op's prototype and convention; NULL: the choice again
 *
 * For platform code that knows better than a backend, and for ops that mean
 * something else until the kernel has memory.  Holds over another pv_init(),
 * whatever that chooses: what the kernel found out about the platform stays
 * true.  "pvops=<name>,-<op>" is refused for it, because overrides may depend
 * on each other (a lock and its release).
 * Context: after pv_init(), before pv_patch(), boot CPU.  Returns 0, or -PV_EBUSY
 * after one log line once sites are patched.
 */
int pv_override(enum pv_op op, void (*fn)(void));

/** PV_OVERRIDE - pv_override() with the op's name and its prototype checked */
#define PV_OVERRIDE(name, function) \
	pv_override(PV_OP_##name, (void (*)(void))	\
		    (1 ? (function) : (typeof(pv_slots.name))0))

/**
 * pv_cpu_init - per-CPU part of the chosen backend
 * @cpu: number of the calling CPU
 */
void pv_cpu_init(u32 cpu);

/**
 * pv_cpu_exit - undo pv_cpu_init() on the calling CPU
 *
 * Before another kernel is started in this one's place (kexec): on each CPU
 * that did not go by stop_cpu(), the boot CPU last.  pv_cpu_init() takes it
 * back.  Context: preemption off.
 */
void pv_cpu_exit(void);

/**
 * pv_patch - patch the kernel's own sites for the choice
 *
 * Context: boot CPU, before others start.  Returns as pv_apply().
 */
int pv_patch(void);

/** pv_late_init - the backend's late_init(); see struct pv_backend */
void pv_late_init(void);

/**
 * pv_module_patch - patch a module's sites for the choice
 * @set: filled by the module loader
 *
 * Context: before the module's text runs.  Returns as pv_apply().
 */
int pv_module_patch(struct pv_site_set *set);

/**
 * pv_repatch - patch the kernel's sites again, for part of the choice
 * @indirect: true: back to the text as compiled; false: for the choice
 *
 * As compiled, an asm site is a call and wants a stack of the kernel's: where a
 * hypervisor does not give it one, system call entries cannot use it, and user mode
 * must not run.
 *
 * Context: inside pv_port_hold_cpus(), or one CPU runs.  Returns as pv_apply().
 */
int pv_repatch(bool indirect);

/** pv_kernel_sites - the kernel's own set */
struct pv_site_set *pv_kernel_sites(void);

/** pv_backend - the chosen one, whose ops can be called; NULL before pv_init() */
const struct pv_backend *pv_backend(void);

/**
 * pv_native - the native backend
 *
 * Where the choice leaves clock, timer, interrupts or start of CPUs to native,
 * pv_late_init(), and from then on pv_cpu_init(), end with native's.
 */
const struct pv_backend *pv_native(void);

/** pv_impl_of - the chosen implementation of an op */
const struct pv_impl *pv_impl_of(enum pv_op op);

/** pv_impl_is_native - was the op left to native? */
bool pv_impl_is_native(enum pv_op op);

/**
 * pv_impl_is_own - does the chosen backend's own form of an op serve?
 *
 * Not where it has none, where the user left the op to native, nor where the kernel
 * overrides it.  A backend that registers memory, vectors or timers with its
 * hypervisor for an op asks in its cpu_init(), and registers nothing that nobody is
 * going to read or to answer.
 */
bool pv_impl_is_own(enum pv_op op);

/**
 * pv_detected, pv_refused - what detection and selection had to say
 * @nr: 0, 1, ...
 *
 * Text of one line, or NULL beyond the last.
 */
const char *pv_detected(u32 nr);
const char *pv_refused(u32 nr);

/** pv_note - what the chosen backend has to say of itself; likewise a line, or NULL */
const char *pv_note(u32 nr);

/**
 * struct pv_site_report - one site, for listings
 * @addr: where
 * @op: what it uses; NULL if the record is bad
 * @form: what stands there
 * @outline: far side of a branch site
 * @error: why not, if it is not what was planned
 */
struct pv_site_report {
	unsigned long addr;
	const struct pv_op_info *op;
	enum pv_form form;
	bool outline;
	enum pv_site_error error;
};

/**
 * pv_site_inspect - look at a site of a set, read from the text itself
 * @set: which set
 * @nr: index
 * @report: result
 *
 * Context: any, not during a pass.  Returns false beyond the last.
 */
bool pv_site_inspect(const struct pv_site_set *set, u32 nr, struct pv_site_report *report);

/** pv_site_error_text - an error in words */
const char *pv_site_error_text(enum pv_site_error error);

/** pv_form_text - a form in one word */
const char *pv_form_text(enum pv_form form);

/**
 * pv_print - the one block: version, detected, chosen, its notes, refused, sites by form
 *
 * Context: any, after pv_patch().  Through pv_port_log().
 */
void pv_print(void);

#endif
