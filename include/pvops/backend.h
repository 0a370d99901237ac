/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Backends
 *
 * A backend is a folder under backends/.  It has one descriptor, one const table per
 * group of ops that it improves, and the functions in these tables.  It includes only
 * <pvops/...> and its hypervisor's public headers.  The core finds it in section
 * .pv_backends, never by name.
 *
 * To add one: write the folder, define the descriptor with PV_BACKEND(), add
 * the folder to the build.  Every op that its tables leave empty is native.
 */
#ifndef PVOPS_BACKEND_H
#define PVOPS_BACKEND_H

#include "site.h"

/** PV_IMPL_NOP - the op does nothing here: its sites may become NOPs */
#define PV_IMPL_NOP		0x1UL
/**
 * PV_IMPL_REQUIRED - the backend cannot run with native in this op's place
 *
 * "pvops=<name>,-<op>" is refused for it.
 */
#define PV_IMPL_REQUIRED	0x2UL
/**
 * PV_IMPL_BEHIND_BRANCH - native: the code behind a branch site has this effect
 *
 * A branch site of the op becomes a NOP.  Only the native backend sets it.
 */
#define PV_IMPL_BEHIND_BRANCH	0x4UL

/**
 * struct pv_impl - one op of one backend, as the core sees it
 * @fn: function with the op's prototype and convention; NULL leaves the op to
 *	native
 * @code: bytes that can replace a call at the site, or NULL.  They have the effect
 *	of @fn, contain no RIP-relative operand and no branch out of them, and leave
 *	the stack pointer unchanged.  16 bytes from here must be readable
 * @code_end: end of @code
 * @flags: PV_IMPL_*
 */
struct pv_impl {
	void (*fn)(void);
	const u8 *code;
	const u8 *code_end;
	unsigned long flags;
};

/* The same with the op's own type, so that the compiler checks each table. */
#define PV_IMPL_MEMBER(name, ret, n, args)	\
	struct {				\
		ret (*fn) PV_PROTO##n args;	\
		const u8 *code;			\
		const u8 *code_end;		\
		unsigned long flags;		\
	} name;
#define PV_OP(table, name, site, conv, ret, n, args, test) \
	PV_IMPL_MEMBER(name, ret, n, args)
#define PV_TOGETHER(name, other)

/** struct pv_irq_impls - a backend's table "irq"; the five below are the other tables */
struct pv_irq_impls {
#include "ops/irq.h"
};

struct pv_cpu_impls {
#include "ops/cpu.h"
};

struct pv_mmu_impls {
#include "ops/mmu.h"
};

struct pv_time_impls {
#include "ops/time.h"
};

struct pv_smp_impls {
#include "ops/smp.h"
};

struct pv_lock_impls {
#include "ops/lock.h"
};

#ifdef PV_CATALOGUE_EXTENSION
/** struct pv_kernel_impls - table "kernel", the catalogue's extension */
struct pv_kernel_impls {
#include PV_CATALOGUE_EXTENSION
};
#else
struct pv_kernel_impls;
#endif

#undef PV_OP
#undef PV_TOGETHER

/**
 * PV_CODE - define inline bytes for a site
 * @name: C identifier; use with PV_INLINE()
 * @text: assembler text
 */
#define PV_CODE(name, text)					\
	extern const u8 name[], name##_end[];			\
	asm(".pushsection .rodata.pv_code, \"a\"\n"		\
	    ".balign 16\n" #name ":\n\t" text "\n"		\
	    #name "_end:\n\t.skip 16, 0xcc\n.popsection\n")

/* Entries of a table: a function; with inline bytes; an empty op. */
#define PV_FN(function, more)		{ .fn = (function), .flags = (more) }
#define PV_INLINE(function, bytes, more) { .fn = (function), .code = (bytes), \
					  .code_end = bytes##_end, .flags = (more) }
#define PV_EMPTY(function, more)	{ .fn = (function), .flags = PV_IMPL_NOP | (more) }

/** PV_CPUID_RANGES - most interfaces of hypervisors that are read from CPUID */
#define PV_CPUID_RANGES	4
/** PV_CPUID_LEAVES - number of leaves that are kept of each, behind the first */
#define PV_CPUID_LEAVES	4

/**
 * struct pv_cpuid_range - leaves of one hypervisor's interface
 * @base: the first leaf: 0x40000000, or a multiple of 0x100 more
 * @last: the highest leaf, at most @base + 0xff
 * @name: signature: EBX, ECX and EDX of @base, and a NUL
 * @leaf: leaves @base + 1 to @base + 4; zeros beyond @last
 * @leaf_10: leaf @base + 0x10; zeros beyond @last
 */
struct pv_cpuid_range {
	u32 base;
	u32 last;
	char name[13];
	struct pv_cpuid leaf[PV_CPUID_LEAVES];
	struct pv_cpuid leaf_10;
};

/**
 * struct pv_platform - the machine that the kernel runs on
 * @cpl: privilege level of the kernel (CS.RPL); 3 under Xen PV
 * @xen_start_info: argument of the Xen PV entry point, or NULL
 * @hvm_start_info: argument of the PVH entry point, readable, or NULL
 * @option_roms: physical 0xc0000..0xdffff, readable, or NULL if the machine is no PC; a
 *	pointer so that tests can replay recorded machines
 * @no_option_roms: reason why @option_roms is NULL, static text for people, or NULL if
 *	there is no special one.  Not read if @option_roms is set
 * @no_native: reason why a kernel in ring 0 cannot run natively here, static text for people,
 *	or NULL if it can: the machine has no other timer or memory than its hypervisor's
 * @five_levels: the kernel runs with CR4.LA57 set: its tables have a fifth level, above
 *	those of the catalogue
 * @memory_encrypted: the hypervisor cannot read the kernel's pages unless the kernel
 *	shares them (SEV, SEV-SNP, TDX; Hyper-V's isolated guests)
 * @cpuid: executes the bare CPUID instruction with subleaf 0; a function so that tests
 *	can replay recorded machines.  For pv_init() only
 * @vendor: vendor of the processor, 12 letters and a NUL (leaf 0: EBX, EDX, ECX)
 * @hypervisor: CPUID.1:ECX bit 31: there are leaves from 0x40000000 on.  Xen PV
 *	does not set it for its guests, whose bare CPUID shows the machine below
 * @ranges: number of valid elements of @range
 * @range: hypervisors' interfaces, in the order of their leaves; an imitated
 *	interface comes first
 * @more_ranges: there is at least one more interface than @range can hold
 *
 * The boot CPU fills it once: the entry code fills the members up to @cpuid, pv_init()
 * fills the others.  pv_init() executes CPUID at most 48 times, and 2 times without a
 * hypervisor, because each CPUID is an exit.  So the search ends at the first base
 * without an interface; no known hypervisor leaves a base out.
 *
 * Backends do not execute CPUID in detect() and init().  They keep no pointer from
 * here beyond init(), except @xen_start_info.
 */
struct pv_platform {
	u32 cpl;
	const void *xen_start_info;
	const void *hvm_start_info;
	const u8 *option_roms;
	const char *no_option_roms;
	const char *no_native;
	bool five_levels;
	bool memory_encrypted;
	void (*cpuid)(struct pv_cpuid *regs);

	char vendor[13];
	bool hypervisor;
	bool more_ranges;
	u32 ranges;
	struct pv_cpuid_range range[PV_CPUID_RANGES];
};

/** pv_cpuid_same - true if two signatures of CPUID are equal */
static inline bool pv_cpuid_same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

/** pv_cpuid_find - find the interface with this signature; NULL if there is none */
static inline const struct pv_cpuid_range *pv_cpuid_find(const struct pv_platform *platform,
							 const char *name)
{
	u32 nr;

	for (nr = 0; nr < platform->ranges; nr++)
		if (pv_cpuid_same(platform->range[nr].name, name))
			return &platform->range[nr];
	return NULL;
}

/**
 * pv_cpuid_tsc_khz - the TSC's frequency by leaf 0x40000010 EAX, in kHz; 0 without that leaf
 *
 * For late_init(), which gets no platform.  The leaf is VMware's ("Hypervisor CPUID Interface
 * Proposal", 2008).  Other hypervisors have adopted it; KVM's host fills it if it is sure of
 * the frequency.
 */
u32 pv_cpuid_tsc_khz(void);

/**
 * pv_vendor_is_amd - true if the processor has VMMCALL, false if it has VMCALL
 *
 * Sources: AMD's APM vol. 3; Intel's SDM vol. 3C.  Hygon's processors have VMMCALL.
 */
static inline bool pv_vendor_is_amd(const struct pv_platform *platform)
{
	return pv_cpuid_same(platform->vendor, "AuthenticAMD") ||
	       pv_cpuid_same(platform->vendor, "HygonGenuine");
}

/**
 * pv_can_share - true if a hardware-virtualized kernel can share pages with its hypervisor
 * @platform: the machine
 * @why: set to the reason if it cannot
 *
 * Every backend of such guests needs shared pages, and none of them decrypts pages.
 */
static inline bool pv_can_share(const struct pv_platform *platform, const char **why)
{
	if (platform->cpl)
		*why = "the kernel is not in ring 0";
	else if (platform->memory_encrypted)
		*why = "memory is encrypted, and no page of it is shared";
	else
		return true;
	return false;
}

/*
 * Scores of detect().  The highest score wins.  The link order of backends decides
 * nothing, because no two backends have the same score on one machine
 * (tests/unit/machines.c).  From the lowest to the highest:
 */
/** PV_SCORE_NONE - the backend cannot run here; detect() gives the reason */
#define PV_SCORE_NONE		0
/** PV_SCORE_FALLBACK - the backend runs without help from a hypervisor */
#define PV_SCORE_FALLBACK	1
/** PV_SCORE_IMITATED - another hypervisor imitates this interface */
#define PV_SCORE_IMITATED	50
/**
 * PV_SCORE_GUEST - the hypervisor offers its own interface
 *
 * A machine can offer several interfaces.  A backend subtracts its rank, which is
 * less than PV_SCORE_GUEST - PV_SCORE_IMITATED and differs from every other backend's.
 * A comment beside the score gives the reason for the rank.
 */
#define PV_SCORE_GUEST		100
/**
 * PV_SCORE_ROM - the machine's memory has an option ROM with code for the guest
 *
 * The hypervisor of the ROM runs between the guest and the one that CPUID shows.
 */
#define PV_SCORE_ROM		200
/** PV_SCORE_DEPRIVILEGED - no other backend can run here */
#define PV_SCORE_DEPRIVILEGED	1000

/**
 * struct pv_backend - descriptor
 * @name: name for pvops=; lower case, no comma, no '-'
 * @title: one line for people
 * @detect: returns a score.  If it is PV_SCORE_NONE, sets *@why to the reason (static
 *	text).  Changes nothing and reads only @platform, which may be a recorded
 *	one.  Each pv_init() calls it once
 * @init: takes possession of the machine when the backend is chosen.  Called once, on
 *	the boot CPU, interrupts off, before any of its ops.  Returns 0, or a negative
 *	errno after one log line; then the next best backend is tried.  May be NULL
 * @cpu_init: sets up the calling CPU.  Called on each CPU, boot CPU included, with the
 *	per-CPU area in place, before its first op.  May be NULL
 * @cpu_exit: undoes cpu_init() on the calling CPU: from then on the hypervisor writes
 *	to no memory of the kernel for this CPU.  Ops keep working, perhaps slower.
 *	Called for a CPU that another kernel is about to run on; stop_cpu and shutdown
 *	do it themselves.  May be NULL
 * @late_init: called once after pv_patch(), when memory can be allocated, interrupts
 *	still off.  May be NULL
 * @hypercalls: returns the number of hypercalls with number @nr that this CPU has made
 *	since boot, or of all if @nr is ~0U; for tests and measurements.  May be NULL
 * @tables_kept: returns the number of table pages that table_cache(0) would give back now;
 *	for a kernel whose memory is short.  Context: any.  May be NULL
 * @lock_waits: returns how often a CPU has waited for a lock of the backend since boot.
 *	May be NULL
 * @null_hypercall: the shortest hypercall that changes nothing; for measurements.
 *	NULL without a hypervisor
 * @tsc_khz: returns the TSC frequency that the hypervisor reports, or 0.  Native calls
 *	it, from late_init() on, if the kernel does not know the frequency, and
 *	measures only if the result is 0.  May be NULL
 * @note: returns line @nr of the notes for pv_print(), valid until the next call; NULL
 *	beyond the last.  The notes say which features of the hypervisor are in use,
 *	which are not, and why.  May be NULL
 * @needs: returns the reason why @op cannot be left to native (static text), or NULL if it
 *	can; for what the kernel's own code does for this hypervisor, and beside
 *	PV_IMPL_REQUIRED.  May be NULL
 * @serves: returns true if the kernel's own code may implement @op by pv_provide(), so that
 *	ops that go together are left to native together.  May be NULL
 * @irq: tables; NULL leaves the whole group to native
 * @kernel: table of the kernel's own ops; native's table of them is the kernel's, too
 *	(PV_NATIVE_KERNEL_IMPLS)
 */
struct pv_backend {
	const char *name;
	const char *title;
	int (*detect)(const struct pv_platform *platform, const char **why);
	int (*init)(const struct pv_platform *platform);
	void (*cpu_init)(u32 cpu);
	void (*cpu_exit)(void);
	void (*late_init)(void);
	u64 (*hypercalls)(u32 nr);
	u32 (*tables_kept)(void);
	u64 (*lock_waits)(void);
	void (*null_hypercall)(void);
	u32 (*tsc_khz)(void);
	const char *(*note)(u32 nr);
	const char *(*needs)(enum pv_op op);
	bool (*serves)(enum pv_op op);
	const struct pv_irq_impls *irq;
	const struct pv_cpu_impls *cpu;
	const struct pv_mmu_impls *mmu;
	const struct pv_time_impls *time;
	const struct pv_smp_impls *smp;
	const struct pv_lock_impls *lock;
	const struct pv_kernel_impls *kernel;
};

/**
 * PV_NATIVE_KERNEL_IMPLS - native implementations of the ops that a kernel adds, or NULL
 *
 * The native backend uses them as its table "kernel", so every op of an extension has
 * an implementation to fall back on.
 */
#ifdef PV_CATALOGUE_EXTENSION
extern const struct pv_kernel_impls pv_native_kernel_impls;
#define PV_NATIVE_KERNEL_IMPLS	(&pv_native_kernel_impls)
#else
#define PV_NATIVE_KERNEL_IMPLS	NULL
#endif

/**
 * PV_BACKEND - register a descriptor with the core
 *
 * Kernel linker script: KEEP .pv_backends, 8-byte aligned, between
 * __pv_backends_start and __pv_backends_end.
 */
#define PV_BACKEND(backend)						\
	static const struct pv_backend *const pv_backend_##backend	\
	__attribute__((used, section(".pv_backends"))) = &(backend)

#endif
