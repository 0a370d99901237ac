/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Declarations that the files of the VMI backend share.  Section numbers refer to ABI.md.
 */
#ifndef VMI_INTERNAL_H
#define VMI_INTERNAL_H

#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/native.h>
#include <pvops/port.h>
#include <pvops/pvops.h>
#include "interface.h"

/**
 * struct pvvmi_rom - contents of a validated image
 * @image: its first byte
 * @bytes: its length
 * @flags: VMI_FLAG_*
 * @data_offs: end of code
 * @memory_bytes: memory that its copy needs
 * @vcpu_offs: offset of the pages that each vCPU has of its own; 0: none
 * @counters_offs: offset of the ROM's counters of calls; 0: none
 * @hole_start: start of the hypervisor's linear range
 * @hole_bytes: its length; 0: none
 * @version: of the ROM, major << 8 | minor
 * @maker: string in the image, or NULL
 * @product: string in the image, or NULL
 */
struct pvvmi_rom {
	const u8 *image;
	u32 bytes;
	u32 flags;
	u32 data_offs;
	u32 memory_bytes;
	u32 vcpu_offs;
	u32 counters_offs;
	u64 hole_start;
	u64 hole_bytes;
	u32 version;
	const char *maker;
	const char *product;
};

/** struct pvvmi_reloc - result of VMI_GetRelocationInfo, in RAX and RDX */
struct pvvmi_reloc {
	u64 entry;
	u64 type;
};

/**
 * struct pvvmi_fault - an exception in a ROM's code
 * @vector: its vector, or VMI_NO_FAULT
 * @error: its error code
 * @rip: address of the instruction
 * @address: CR2
 */
struct pvvmi_fault {
	u64 vector;
	u64 error;
	u64 rip;
	u64 address;
};

#define VMI_NO_FAULT		(~0ULL)
#define VMI_PAGE_FAULT		14
#define VMI_FAULT_WRITE		0x2

/* The exception of the last pvvmi_call_guarded(). */
extern struct pvvmi_fault pvvmi_fault;

/**
 * pvvmi_call_guarded - call a ROM that is not in use yet, and survive exceptions
 * @entry: entry point
 * @args: four arguments
 * @result: receives RAX and RDX
 *
 * Context: boot CPU, native ops, interrupts masked.  Returns false after an exception,
 * with @pvvmi_fault filled.
 */
bool pvvmi_call_guarded(u64 entry, const u64 *args, struct pvvmi_reloc *result);

/** VMI_NOT_A_ROM - pvvmi_rom_check(): not a VMI ROM, so no error */
#define VMI_NOT_A_ROM	1

/**
 * pvvmi_rom_check - may this image be run as a VM64 ROM?  Pure
 * @image: first byte
 * @available: bytes that may be read, and may belong to the image
 * @rom: filled on success
 * @why: set to the reason on failure (static text)
 *
 * Returns 0, VMI_NOT_A_ROM, or -VMI_EINVAL.
 */
int pvvmi_rom_check(const u8 *image, size_t available, struct pvvmi_rom *rom, const char **why);

/**
 * pvvmi_rom_next - find the next VMI ROM, good or bad.  Pure
 * @area: the first @bytes of physical 0xc0000 .. 0xdffff
 * @bytes: length
 * @at: offset where the search begins; set to the ROM's offset
 * @rom: as pvvmi_rom_check()
 * @why: as pvvmi_rom_check()
 *
 * Returns VMI_NOT_A_ROM if there are no more ROMs, else as pvvmi_rom_check().
 */
int pvvmi_rom_next(const u8 *area, size_t bytes, u32 *at, struct pvvmi_rom *rom, const char **why);

/** pvvmi_detect - the descriptor's detect() */
int pvvmi_detect(const struct pv_platform *platform, const char **why);

/**
 * pvvmi_answers_check - may these relocations be used?  Pure
 * @rom: the ROM
 * @base: linear address of its copy
 * @copy: the copy, @rom->memory_bytes long
 * @answer: VMI_CALLS answers
 * @nr: set to the call with the wrong answer
 * @why: set to the reason (static text)
 *
 * Returns 0 or -VMI_EINVAL.
 */
int pvvmi_answers_check(const struct pvvmi_rom *rom, u64 base, const u8 *copy,
			const struct pvvmi_reloc *answer, u32 *nr, const char **why);

/* The entries in force; 0 where the answer was not CALL or JUMP. */
extern u64 pvvmi_entry[VMI_CALLS];

static __always_inline bool pvvmi_has(u32 nr)
{
	return pvvmi_entry[nr];
}

/* Counts of this CPU's calls, by number; and the count of those that may have trapped. */
struct pvvmi_counts {
	u64 nr[VMI_CALLS];
	u64 trapping;
};
PV_PERCPU_DECLARE(struct pvvmi_counts, pvvmi_count);
/* Lazy classes that this CPU is in. */
PV_PERCPU_DECLARE(u32, pvvmi_lazy);

/* For tests: returns the ROM's own counter of a call; 0 if it has none. */
u64 pvvmi_rom_count(u32 nr);
/* Returns the address of these counters; 0 if the ROM has none. */
unsigned long pvvmi_rom_counters(void);

/*
 * The call is always through a register.  A retpoline can replace that, and the tests'
 * disassembly recognises it in tail position.
 */
static __always_inline u64 pvvmi_at(u32 nr)
{
	u64 entry = pvvmi_entry[nr];

	asm("" : "+r" (entry));
	return entry;
}

/* For functions that call the ROM: its code has no types, which kCFI would look for. */
#define VMI_NOCFI
#ifdef __has_feature
#if __has_feature(kcfi)
#undef VMI_NOCFI
#define VMI_NOCFI	__attribute__((no_sanitize("kcfi")))
#endif
#endif

typedef u64 (*pvvmi_fn0)(void);
typedef u64 (*pvvmi_fn1)(u64 a1);
typedef u64 (*pvvmi_fn2)(u64 a1, u64 a2);
typedef u64 (*pvvmi_fn3)(u64 a1, u64 a2, u64 a3);
typedef u64 (*pvvmi_fn4)(u64 a1, u64 a2, u64 a3, u64 a4);
typedef u64 (*pvvmi_fn5)(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
typedef struct pvvmi_reloc (*pvvmi_fn_pair)(u64 a1);

static __always_inline void pvvmi_counted(u32 nr, bool traps)
{
	struct pvvmi_counts *counts = PV_PERCPU_PTR(pvvmi_count);

	/*
	 * One instruction for each: an interrupt may make calls, too.  A task that is
	 * preempted here counts on the CPU that it came from.
	 */
	asm("incq %0" : "+m" (counts->nr[nr]) : : "cc");
	if (traps)
		asm("incq %0" : "+m" (counts->trapping) : : "cc");
}

/* The C class is the compiler's own convention, and clobbers memory. */
static __always_inline VMI_NOCFI u64 pvvmi_call0(u32 nr)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn0)pvvmi_at(nr))();
}

static __always_inline VMI_NOCFI u64 pvvmi_call1(u32 nr, u64 a1)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn1)pvvmi_at(nr))(a1);
}

static __always_inline VMI_NOCFI u64 pvvmi_call2(u32 nr, u64 a1, u64 a2)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn2)pvvmi_at(nr))(a1, a2);
}

static __always_inline VMI_NOCFI u64 pvvmi_call3(u32 nr, u64 a1, u64 a2, u64 a3)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn3)pvvmi_at(nr))(a1, a2, a3);
}

static __always_inline VMI_NOCFI u64 pvvmi_call4(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn4)pvvmi_at(nr))(a1, a2, a3, a4);
}

static __always_inline VMI_NOCFI u64 pvvmi_call5(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	pvvmi_counted(nr, true);
	return ((pvvmi_fn5)pvvmi_at(nr))(a1, a2, a3, a4, a5);
}

/*
 * VMI_STATUS() makes a call that returns a status.  In a test kernel, inject.c can make
 * the call fail before it is made, or a list of entries fail in its middle.
 */
#ifdef PV_PORT_INJECT
bool pvvmi_inject(u32 nr, s64 *status);
bool pvvmi_inject_list(pv_batch_submit_t apply, const struct pv_batch_req *req, u32 count,
		       u32 *done, int *result);
#define VMI_STATUS(nr, call)						\
	({								\
		s64 status_;						\
									\
		pvvmi_inject(nr, &status_) ? status_ : (s64)(call);	\
	})
#else
#define VMI_STATUS(nr, call)	((s64)(call))
#endif

/* Sets the lazy classes of this CPU; returns the status and the number of applied entries. */
struct pvvmi_reloc pvvmi_set_lazy(u32 classes);

/*
 * Reports a refusal outside of the update queue: op, caller, error, and the result of
 * the retry (batch.h).
 */
void pvvmi_refused(enum pv_op op, unsigned long caller, u64 arg1, u64 arg2, s64 error, s64 again);

/*
 * pvvmi_check - make a call that returns a status; report a refusal, and retry once
 * @nr: its number
 * @call: the expression that makes it
 *
 * The result is the last status.
 */
#define pvvmi_check(nr, call, op, caller, arg1, arg2)			\
	({								\
		s64 error_ = VMI_STATUS(nr, call);			\
									\
		if (__builtin_expect(error_ < 0, 0)) {			\
			s64 first_ = error_;				\
									\
			error_ = VMI_STATUS(nr, call);			\
			pvvmi_refused(op, caller, arg1, arg2, first_, pv_batch_errno(error_)); \
		}							\
		error_;							\
	})

#define VMI_CALLER()	((unsigned long)PV_CALLER())

/* The backend's tables, filled when the ROM's answers are known. */
extern struct pv_irq_impls pvvmi_irq_impls;
extern struct pv_cpu_impls pvvmi_cpu_impls;
extern struct pv_mmu_impls pvvmi_mmu_impls;
extern struct pv_time_impls pvvmi_time_impls;
extern struct pv_smp_impls pvvmi_smp_impls;

void pvvmi_fill_cpu(void);
void pvvmi_fill_mmu(u32 rom_flags);
void pvvmi_fill_irq(u32 rom_flags);
void pvvmi_fill_time(void);
void pvvmi_fill_smp(u32 rom_flags);

/* The function of ops that do nothing. */
void pvvmi_nothing(void);

/* Fill in an op of a table: with a function, with the ROM's entry itself, or as empty. */
#define VMI_USE(table, op, function, more)				\
	do {								\
		(table).op.fn = (function);				\
		(table).op.flags = (more);				\
	} while (0)
#define VMI_DIRECT(table, op, nr, more)					\
	VMI_USE(table, op, (__typeof__((table).op.fn))pvvmi_entry[nr], more)
#define VMI_EMPTY(table, op, more)					\
	VMI_USE(table, op, (__typeof__((table).op.fn))pvvmi_nothing, PV_IMPL_NOP | (more))

/* Did the ROM answer NOP? */
bool pvvmi_is_nop(u32 nr);

/* The files' parts of cpu_init() and late_init(). */
void pvvmi_mmu_cpu_init(void);
void pvvmi_apic_late_init(void);
void pvvmi_apic_cpu_init(void);
void pvvmi_time_late_init(void);
/* Section 6.4: the linear map is slot 0, the local APIC 1. */
void pvvmi_map_linear(void);
void pvvmi_map_slot(u32 slot, u64 va, u64 pages, u64 pfn);

/* apic.c */
u32 pvvmi_apic_read(u32 reg);
void pvvmi_apic_write(u32 reg, u32 val);

#define VMI_APIC_ID		0x020
#define VMI_APIC_TPR		0x080
#define VMI_APIC_EOI		0x0b0
#define VMI_APIC_SPURIOUS	0x0f0
#define VMI_APIC_ICR_LOW	0x300
#define VMI_APIC_ICR_HIGH	0x310
#define VMI_APIC_LVT_TIMER	0x320

#endif
