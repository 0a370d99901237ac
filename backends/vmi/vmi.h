/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * VMI, profile VM64: declarations that the files of the backend share.  ABI.md defines
 * the interface; section numbers refer to it.
 */
#ifndef VMI_H
#define VMI_H

#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/native.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

/* Call numbers, section 5. */
enum vmi_call {
	VMI_CPUID = 0,
	VMI_WRMSR = 1,
	VMI_RDMSR = 2,
	VMI_SET_GDT = 3,
	VMI_SET_LDT = 4,
	VMI_SET_IDT = 5,
	VMI_SET_TR = 6,
	VMI_GET_GDT = 7,
	VMI_GET_TR = 10,
	VMI_WRITE_GDT_ENTRY = 11,
	VMI_WRITE_LDT_ENTRY = 12,
	VMI_WRITE_IDT_ENTRY = 13,
	VMI_UPDATE_KERNEL_STACK = 14,
	VMI_SET_CR0 = 15,
	VMI_SET_CR2 = 16,
	VMI_SET_CR3 = 17,
	VMI_SET_CR4 = 18,
	VMI_GET_CR0 = 19,
	VMI_GET_CR2 = 20,
	VMI_GET_CR3 = 21,
	VMI_GET_CR4 = 22,
	VMI_WBINVD = 23,
	VMI_SET_DR = 24,
	VMI_GET_DR = 25,
	VMI_RDPMC = 26,
	VMI_RDTSC = 27,
	VMI_CLTS = 28,
	VMI_ENABLE_INTERRUPTS = 29,
	VMI_DISABLE_INTERRUPTS = 30,
	VMI_GET_INTERRUPT_MASK = 31,
	VMI_SET_INTERRUPT_MASK = 32,
	VMI_IRET = 33,
	VMI_HALT = 35,
	VMI_REBOOT = 36,
	VMI_SHUTDOWN = 37,
	VMI_SET_PXE_LONG = 39,
	VMI_UPDATE_PXE_LONG = 41,
	VMI_ALLOCATE_PAGE = 44,
	VMI_RELEASE_PAGE = 45,
	VMI_INVAL_PAGE = 46,
	VMI_FLUSH_TLB = 47,
	VMI_SET_LINEAR_MAPPING = 48,
	VMI_SET_IOPL_MASK = 61,
	VMI_SET_INITIAL_AP_STATE = 62,
	VMI_APIC_WRITE = 63,
	VMI_APIC_READ = 64,
	VMI_IO_DELAY = 65,
	VMI_GET_CYCLE_FREQUENCY = 66,
	VMI_GET_CYCLE_COUNTER = 67,
	VMI_SET_ALARM = 68,
	VMI_CANCEL_ALARM = 69,
	VMI_GET_WALLCLOCK_TIME = 70,
	VMI_WALLCLOCK_UPDATED = 71,
	VMI_SET_LAZY_MODE = 73,
	VMI_CALLS = 74
};

/* Relocation types, section 4. */
enum vmi_type {
	VMI_NONE = 0,
	VMI_CALL_REL = 1,
	VMI_JUMP_REL = 2,
	VMI_NOP = 3
};

/* Header flags, section 2. */
#define VMI_FLAG_RELOCATABLE	0x01
#define VMI_FLAG_RING0		0x02
#define VMI_FLAG_ENDBR		0x04
#define VMI_FLAG_DIRECT_PT	0x08
#define VMI_FLAG_NATIVE_IF	0x10

#define VMI_API_VERSION		(64 << 8)

/* ROMs are in this physical range, at a multiple of the step. */
#define VMI_AREA_START		0xc0000
#define VMI_AREA_BYTES		0x20000
#define VMI_AREA_STEP		0x800

#define VMI_HEADER_BYTES	0x90
#define VMI_SLOT_INIT		0x80
#define VMI_SLOT_GET_RELOC	0x88
#define VMI_MEMORY_MAX		0x40000

/* Status results, section 5. */
#define VMI_EPERM	1
#define VMI_ENOENT	2
#define VMI_EBUSY	16
#define VMI_EINVAL	22
#define VMI_ETIMEDOUT	110

/* Page and entry flags, section 6.2; levels are 1 << (level - 1). */
#define VMI_PT			0x01
#define VMI_PD			0x02
#define VMI_PDP			0x04
#define VMI_PML4		0x08
#define VMI_DEFER		0x20
#define VMI_PAGE_CLONE		0x20
#define VMI_PAGE_ZEROED		0x40

/* Lazy classes, section 6.3. */
#define VMI_LAZY_MMU		0x1
#define VMI_LAZY_CPU		0x2

/* Counters and alarms, section 6.6. */
#define VMI_CYCLES_REAL		0
#define VMI_CYCLES_STOLEN	2
#define VMI_ALARM_LVTT		0x10000

/**
 * struct vmi_rom - contents of a validated image
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
struct vmi_rom {
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

/** struct vmi_reloc - result of VMI_GetRelocationInfo, in RAX and RDX */
struct vmi_reloc {
	u64 entry;
	u64 type;
};

/**
 * struct vmi_fault - an exception in a ROM's code
 * @vector: its vector, or VMI_NO_FAULT
 * @error: its error code
 * @rip: address of the instruction
 * @address: CR2
 */
struct vmi_fault {
	u64 vector;
	u64 error;
	u64 rip;
	u64 address;
};

#define VMI_NO_FAULT		(~0ULL)
#define VMI_PAGE_FAULT		14
#define VMI_FAULT_WRITE		0x2

/* The exception of the last vmi_call_guarded(). */
extern struct vmi_fault vmi_fault;

/**
 * vmi_call_guarded - call a ROM that is not in use yet, and survive exceptions
 * @entry: entry point
 * @args: four arguments
 * @result: receives RAX and RDX
 *
 * Context: boot CPU, native ops, interrupts masked.  Returns false after an exception,
 * with @vmi_fault filled.
 */
bool vmi_call_guarded(u64 entry, const u64 *args, struct vmi_reloc *result);

/** VMI_NOT_A_ROM - vmi_rom_check(): not a VMI ROM, so no error */
#define VMI_NOT_A_ROM	1

/**
 * vmi_rom_check - may this image be run as a VM64 ROM?  Pure
 * @image: first byte
 * @available: bytes that may be read, and may belong to the image
 * @rom: filled on success
 * @why: set to the reason on failure (static text)
 *
 * Returns 0, VMI_NOT_A_ROM, or -22.
 */
int vmi_rom_check(const u8 *image, size_t available, struct vmi_rom *rom, const char **why);

/**
 * vmi_rom_next - find the next VMI ROM, good or bad.  Pure
 * @area: the first @bytes of physical 0xc0000 .. 0xdffff
 * @bytes: length
 * @at: offset where the search begins; set to the ROM's offset
 * @rom: as vmi_rom_check()
 * @why: as vmi_rom_check()
 *
 * Returns VMI_NOT_A_ROM if there are no more ROMs, else as vmi_rom_check().
 */
int vmi_rom_next(const u8 *area, size_t bytes, u32 *at, struct vmi_rom *rom, const char **why);

/** vmi_detect - the descriptor's detect() */
int vmi_detect(const struct pv_platform *platform, const char **why);

/**
 * vmi_answers_check - may these relocations be used?  Pure
 * @rom: the ROM
 * @base: linear address of its copy
 * @copy: the copy, @rom->memory_bytes long
 * @answer: VMI_CALLS answers
 * @nr: set to the call with the wrong answer
 * @why: set to the reason (static text)
 *
 * Returns 0 or -22.
 */
int vmi_answers_check(const struct vmi_rom *rom, u64 base, const u8 *copy,
		      const struct vmi_reloc *answer, u32 *nr, const char **why);

/* The entries in force; 0 where the answer was not CALL or JUMP. */
extern u64 vmi_entry[VMI_CALLS];

static __always_inline bool vmi_has(u32 nr)
{
	return vmi_entry[nr];
}

/* Counts of this CPU's calls, by number; and the count of those that may have trapped. */
struct vmi_counts {
	u64 nr[VMI_CALLS];
	u64 trapping;
};
PV_PERCPU_DECLARE(struct vmi_counts, vmi_count);
/* Lazy classes that this CPU is in. */
PV_PERCPU_DECLARE(u32, vmi_lazy);

/* For tests: returns the ROM's own counter of a call; 0 if it has none. */
u64 vmi_rom_count(u32 nr);
/* Returns the address of these counters; 0 if the ROM has none. */
unsigned long vmi_rom_counters(void);

/*
 * The call is always through a register.  A retpoline can replace that, and the tests'
 * disassembly recognises it in tail position.
 */
static __always_inline u64 vmi_at(u32 nr)
{
	u64 entry = vmi_entry[nr];

	asm("" : "+r" (entry));
	return entry;
}

typedef u64 (*vmi_fn0)(void);
typedef u64 (*vmi_fn1)(u64 a1);
typedef u64 (*vmi_fn2)(u64 a1, u64 a2);
typedef u64 (*vmi_fn3)(u64 a1, u64 a2, u64 a3);
typedef u64 (*vmi_fn4)(u64 a1, u64 a2, u64 a3, u64 a4);
typedef u64 (*vmi_fn5)(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
typedef struct vmi_reloc (*vmi_fn_pair)(u64 a1);

static __always_inline void vmi_counted(u32 nr, bool traps)
{
	struct vmi_counts *counts = PV_PERCPU_PTR(vmi_count);

	/* One instruction for each: an interrupt may make calls, too. */
	asm("incq %0" : "+m" (counts->nr[nr]) : : "cc");
	if (traps)
		asm("incq %0" : "+m" (counts->trapping) : : "cc");
}

/* The C class is the compiler's own convention, and clobbers memory. */
static __always_inline u64 vmi_call0(u32 nr)
{
	vmi_counted(nr, true);
	return ((vmi_fn0)vmi_at(nr))();
}

static __always_inline u64 vmi_call1(u32 nr, u64 a1)
{
	vmi_counted(nr, true);
	return ((vmi_fn1)vmi_at(nr))(a1);
}

static __always_inline u64 vmi_call2(u32 nr, u64 a1, u64 a2)
{
	vmi_counted(nr, true);
	return ((vmi_fn2)vmi_at(nr))(a1, a2);
}

static __always_inline u64 vmi_call3(u32 nr, u64 a1, u64 a2, u64 a3)
{
	vmi_counted(nr, true);
	return ((vmi_fn3)vmi_at(nr))(a1, a2, a3);
}

static __always_inline u64 vmi_call4(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4)
{
	vmi_counted(nr, true);
	return ((vmi_fn4)vmi_at(nr))(a1, a2, a3, a4);
}

static __always_inline u64 vmi_call5(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	vmi_counted(nr, true);
	return ((vmi_fn5)vmi_at(nr))(a1, a2, a3, a4, a5);
}

/*
 * VMI_STATUS() makes a call that returns a status.  In a test kernel, inject.c can make
 * the call fail before it is made, or a list of entries fail in its middle.
 */
#ifdef PV_PORT_INJECT
bool vmi_inject(u32 nr, s64 *status);
bool vmi_inject_list(pv_batch_submit_t apply, const struct pv_batch_req *req, u32 count, u32 *done,
		     int *result);
#define VMI_STATUS(nr, call)						\
	({								\
		s64 status_;						\
									\
		vmi_inject(nr, &status_) ? status_ : (s64)(call);	\
	})
#else
#define VMI_STATUS(nr, call)	((s64)(call))
#endif

/* Sets the lazy classes of this CPU; returns the status and the number of applied entries. */
struct vmi_reloc vmi_set_lazy(u32 classes);

/*
 * Reports a refusal outside of the update queue: op, caller, error, and the result of
 * the retry (batch.h).
 */
void vmi_refused(enum pv_op op, unsigned long caller, u64 arg1, u64 arg2, s64 error, s64 again);

/*
 * vmi_check - make a call that returns a status; report a refusal, and retry once
 * @nr: its number
 * @call: the expression that makes it
 *
 * The result is the last status.
 */
#define vmi_check(nr, call, op, caller, arg1, arg2)			\
	({								\
		s64 error_ = VMI_STATUS(nr, call);			\
									\
		if (__builtin_expect(error_ < 0, 0)) {			\
			s64 first_ = error_;				\
									\
			error_ = VMI_STATUS(nr, call);			\
			vmi_refused(op, caller, arg1, arg2, first_, pv_batch_errno(error_)); \
		}							\
		error_;							\
	})

#define VMI_CALLER()	((unsigned long)PV_CALLER())

/* The backend's tables, filled when the ROM's answers are known. */
extern struct pv_irq_impls vmi_irq_impls;
extern struct pv_cpu_impls vmi_cpu_impls;
extern struct pv_mmu_impls vmi_mmu_impls;
extern struct pv_time_impls vmi_time_impls;
extern struct pv_smp_impls vmi_smp_impls;

void vmi_fill_cpu(void);
void vmi_fill_mmu(u32 rom_flags);
void vmi_fill_irq(u32 rom_flags);
void vmi_fill_time(void);
void vmi_fill_smp(u32 rom_flags);

/* The function of ops that do nothing. */
void vmi_nothing(void);

/* Fill in an op of a table: with a function, with the ROM's entry itself, or as empty. */
#define VMI_USE(table, op, function, more)				\
	do {								\
		(table).op.fn = (function);				\
		(table).op.flags = (more);				\
	} while (0)
#define VMI_DIRECT(table, op, nr, more)					\
	VMI_USE(table, op, (__typeof__((table).op.fn))vmi_entry[nr], more)
#define VMI_EMPTY(table, op, more)					\
	VMI_USE(table, op, (__typeof__((table).op.fn))vmi_nothing, PV_IMPL_NOP | (more))

/* Did the ROM answer NOP? */
bool vmi_is_nop(u32 nr);

/* The files' parts of cpu_init() and late_init(). */
void vmi_mmu_cpu_init(void);
void vmi_apic_late_init(void);
void vmi_apic_cpu_init(void);
void vmi_time_late_init(void);
/* Section 6.4: the linear map is slot 0, the local APIC 1. */
void vmi_map_linear(void);
void vmi_map_slot(u32 slot, u64 va, u64 pages, u64 pfn);

/* apic.c */
u32 vmi_apic_read(u32 reg);
void vmi_apic_write(u32 reg, u32 val);

#define VMI_APIC_ID		0x020
#define VMI_APIC_TPR		0x080
#define VMI_APIC_EOI		0x0b0
#define VMI_APIC_SPURIOUS	0x0f0
#define VMI_APIC_ICR_LOW	0x300
#define VMI_APIC_ICR_HIGH	0x310
#define VMI_APIC_LVT_TIMER	0x320

#endif
