/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Backends
 *
 * A backend is a folder under backends/: one descriptor, one const table per
 * group of ops that it improves, and the stubs behind them.  It includes
 * <pvops/...> and its hypervisor's public headers, nothing else; the core
 * finds it in section .pv_backends and never by name.
 *
 * To add one: write the folder, define the descriptor with PV_BACKEND(), add
 * the folder to the build.  Every op that its tables leave empty is native.
 */
#ifndef PVOPS_BACKEND_H
#define PVOPS_BACKEND_H

#include "site.h"

/** PV_IMPL_NOP - the op is empty here: its sites may become NOPs */
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
 * @code: bytes that may stand at the site instead of a call, or NULL; must
 *	have the effect of @fn, contain no RIP-relative operand and no branch
 *	out, and leave the stack as it was.  16 bytes from here must be readable
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

/** struct pv_irq_impls - a backend's "irq" table; likewise the five below */
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

/** PV_CPUID_RANGES - hypervisors' interfaces that are looked at in CPUID */
#define PV_CPUID_RANGES	4
/** PV_CPUID_LEAVES - leaves behind the first that are kept of each */
#define PV_CPUID_LEAVES	4

/**
 * struct pv_cpuid_range - leaves of one hypervisor's interface
 * @base: the first: 0x40000000, or a multiple of 0x100 more
 * @last: the highest that there is, at most @base + 0xff
 * @name: EBX, ECX and EDX of @base, and a NUL: its signature
 * @leaf: @base + 1 to @base + 4; zeros beyond @last
 * @leaf_10: @base + 0x10, likewise
 */
struct pv_cpuid_range {
	u32 base;
	u32 last;
	char name[13];
	struct pv_cpuid leaf[PV_CPUID_LEAVES];
	struct pv_cpuid leaf_10;
};

/**
 * struct pv_platform - what is known about where the kernel is
 * @cpl: privilege level the kernel runs at (CS.RPL); 3 under Xen PV
 * @xen_start_info: what the Xen PV entry point was given, or NULL
 * @hvm_start_info: what the PVH entry point was given, readable, or NULL
 * @option_roms: physical 0xc0000..0xdffff, readable, or NULL where that is not
 *	a PC's; a pointer so that recorded machines can be replayed in tests
 * @no_option_roms: why @option_roms is NULL, for people, static text; NULL: no
 *	more is known than that.  Not read where there are @option_roms
 * @memory_encrypted: a hypervisor sees no page of the kernel's in clear unless the
 *	kernel shares it (SEV, SEV-SNP, TDX; Hyper-V's isolated guests)
 * @cpuid: reads a CPUID leaf as the bare instruction shows it, subleaf 0; a function
 *	so that recorded machines can be replayed in tests.  For pv_init() only
 * @vendor: of the processor, 12 letters and a NUL (leaf 0: EBX, EDX, ECX)
 * @hypervisor: CPUID.1:ECX bit 31: there are leaves from 0x40000000 on.  Xen PV
 *	does not set it for its guests, whose bare CPUID shows the machine below
 * @ranges: how many of @range there are
 * @range: hypervisors' interfaces, in the order of their leaves; one that is
 *	imitated takes the first place
 * @more_ranges: there is one more behind the last
 *
 * Made once, by the boot CPU: entry code fills the members up to @cpuid, and
 * pv_init() the others.  It executes CPUID at most 48 times, and 2 times where
 * there is no hypervisor; each is an exit.  So the search ends at the first base
 * that has no interface: no hypervisor is known that leaves one out.
 *
 * Backends do not execute CPUID in detect() and init(), and must not keep what
 * this points at beyond init(), except @xen_start_info.
 */
struct pv_platform {
	u32 cpl;
	const void *xen_start_info;
	const void *hvm_start_info;
	const u8 *option_roms;
	const char *no_option_roms;
	bool memory_encrypted;
	void (*cpuid)(struct pv_cpuid *regs);

	char vendor[13];
	bool hypervisor;
	bool more_ranges;
	u32 ranges;
	struct pv_cpuid_range range[PV_CPUID_RANGES];
};

/** pv_cpuid_same - are two names of CPUID's the same, up to their NULs? */
static inline bool pv_cpuid_same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

/** pv_cpuid_find - the interface of this name, or NULL */
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
 * pv_vendor_is_amd - does the processor have AMD's instructions (VMMCALL, not VMCALL)?
 *
 * AMD's APM vol. 3 against Intel's SDM vol. 3C; Hygon's are AMD's.
 */
static inline bool pv_vendor_is_amd(const struct pv_platform *platform)
{
	return pv_cpuid_same(platform->vendor, "AuthenticAMD") ||
	       pv_cpuid_same(platform->vendor, "HygonGenuine");
}

/**
 * pv_can_share - may a hardware-virtualized kernel share pages with its hypervisor?
 * @platform: where
 * @why: set to the reason if not
 *
 * What every backend of such guests needs; none of them decrypts pages.
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
 * Scores of detect().  The highest score wins.  The order in which backends are
 * linked decides nothing: no two backends have the same score on one machine
 * (tests/unit/machines.c).  From the lowest to the highest:
 */
/** PV_SCORE_NONE - cannot run here; detect() says why */
#define PV_SCORE_NONE		0
/** PV_SCORE_FALLBACK - runs, without help from a hypervisor */
#define PV_SCORE_FALLBACK	1
/** PV_SCORE_IMITATED - another hypervisor imitates this interface */
#define PV_SCORE_IMITATED	50
/**
 * PV_SCORE_GUEST - the hypervisor offers its own interface
 *
 * A machine can show several.  A backend subtracts its rank, below
 * PV_SCORE_GUEST - PV_SCORE_IMITATED, and says beside the score why it stands
 * behind those with a smaller one: KVM 0, Xen 1, VMware 2, Hyper-V 3.
 */
#define PV_SCORE_GUEST		100
/**
 * PV_SCORE_ROM - code for the guest lies in the machine's memory
 *
 * Whoever put it there runs between the guest and what CPUID shows.
 */
#define PV_SCORE_ROM		200
/** PV_SCORE_DEPRIVILEGED - nothing else can run here */
#define PV_SCORE_DEPRIVILEGED	1000

/**
 * struct pv_backend - descriptor
 * @name: what pvops= takes; lower case, no comma, no '-'
 * @title: one line for people
 * @detect: may this backend run here?  Returns a score; if PV_SCORE_NONE,
 *	sets *@why to the reason (static text).  Changes nothing, reads nothing
 *	but @platform, on recorded ones too; asked once by each pv_init().  Why the
 *	order of backends is what it is stands beside the score in each backend.
 * @init: take possession: called once on the boot CPU when chosen, interrupts
 *	off, before any of its ops; returns 0, or negative errno after one log
 *	line, and then the next best backend is tried.  May be NULL
 * @cpu_init: called on each CPU, boot CPU included, with the per-CPU area in
 *	place, before its first op.  May be NULL
 * @cpu_exit: undoes cpu_init() on the calling CPU: the hypervisor writes to no
 *	memory of ours for it any more.  Ops keep working, as well as they do
 *	without.  Called for a CPU that another kernel is about to run on; stop_cpu
 *	and shutdown do it themselves.  May be NULL
 * @late_init: called once after pv_patch(), memory allocation works,
 *	interrupts still off.  May be NULL
 * @hypercalls: hypercalls that this CPU has made with number @nr since boot,
 *	or in all if @nr is ~0U; for tests and measurements.  May be NULL
 * @null_hypercall: the shortest way to the hypervisor and back that changes
 *	nothing; for measurements.  NULL where there is no hypervisor
 * @tsc_khz: TSC frequency as the hypervisor says, 0 if it does not; native asks
 *	when the kernel does not know it, before it measures.  Called from
 *	late_init() on.  May be NULL
 * @note: for the one block: what is used of what the hypervisor offers, and what
 *	is not, and why.  Text of line @nr, valid until the next call; NULL
 *	beyond the last.  May be NULL
 * @irq: tables; NULL leaves all of the group to native
 * @kernel: table of the kernel's own ops; the native one is the kernel's too
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
	void (*null_hypercall)(void);
	u32 (*tsc_khz)(void);
	const char *(*note)(u32 nr);
	const struct pv_irq_impls *irq;
	const struct pv_cpu_impls *cpu;
	const struct pv_mmu_impls *mmu;
	const struct pv_time_impls *time;
	const struct pv_smp_impls *smp;
	const struct pv_lock_impls *lock;
	const struct pv_kernel_impls *kernel;
};

/**
 * PV_NATIVE_KERNEL_IMPLS - native forms of the ops a kernel adds, or NULL
 *
 * The native backend takes them as its table "kernel", so that every op of an
 * extension has a form to fall back on, as all others have.
 */
#ifdef PV_CATALOGUE_EXTENSION
extern const struct pv_kernel_impls pv_native_kernel_impls;
#define PV_NATIVE_KERNEL_IMPLS	(&pv_native_kernel_impls)
#else
#define PV_NATIVE_KERNEL_IMPLS	NULL
#endif

/**
 * PV_BACKEND - put a descriptor where the core looks
 *
 * Kernel linker script: KEEP .pv_backends, 8-byte aligned, between
 * __pv_backends_start and __pv_backends_end.
 */
#define PV_BACKEND(backend)						\
	static const struct pv_backend *const pv_backend_##backend	\
	__attribute__((used, section(".pv_backends"))) = &(backend)

#endif
