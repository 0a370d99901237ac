/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: Types of the contract
 *
 * Shapes and units that call sites, core, backends and ports share.  The
 * address types are distinct to sparse (__bitwise): a page frame number of
 * the guest, one of the machine, a machine address and a page-table entry of
 * each level cannot be mixed up without a visible conversion.
 *
 * The kernel supplies <pvops_port.h> on its include path.  C finds in it
 *
 *	u8, u16, u32, u64	unsigned, of exactly 8 to 64 bits
 *	s8, s16, s32, s64	signed, likewise
 *	bool, true, false	_Bool
 *	size_t, NULL
 *	uint8_t ... uint64_t	with backend xen only: Xen's public headers use them
 *	__always_inline		"inline" and the attribute
 *	__force, __bitwise	nothing, or sparse's attributes
 *
 * and the macros that port.h lists.  u64 may be unsigned long or unsigned long long:
 * the layer casts what it prints.  A kernel whose own uint64_t differs from that of
 * <stdint.h> may keep it, but then does not include <stdint.h>.  gcc's <stdint.h>,
 * <stddef.h> and <stdbool.h> need no C library.
 *
 * Assembly files include <pvops_port.h>, too.  They use only its constants; everything
 * else in it stands within "#ifndef __ASSEMBLY__".
 */
#ifndef PVOPS_TYPES_H
#define PVOPS_TYPES_H

#include <pvops_port.h>

/*
 * For assembly files; the port of a hardened kernel may define them (port.h):
 * PV_ENDBR	an ENDBR64, where indirect branches need a landing pad (IBT)
 * PV_JMP	a jump to the address in a register (retpolines)
 */
#ifdef __ASSEMBLY__
#ifndef PV_ENDBR
#define PV_ENDBR
#endif
#ifndef PV_JMP
#define PV_JMP(reg)	jmp *%reg
#endif
#endif

#ifndef __ASSEMBLY__

/*
 * The kernel may define this attribute (port.h): the core's variables with it change
 * only until sites are patched, so they may lie in memory that is read-only afterwards.
 */
#ifndef PV_RO_AFTER_INIT
#define PV_RO_AFTER_INIT
#endif
/* <stddef.h> has it; a kernel with headers of its own may not. */
#ifndef offsetof
#define offsetof(type, member)	__builtin_offsetof(type, member)
#endif
/*
 * The same for asm statements, as text; elsewhere assembly is plain:
 * PV_ASM_ENDBR	as PV_ENDBR
 * PV_ASM_NOENDBR	tells a tool that looks for landing pads that no indirect branch
 *		leads here
 * PV_ASM_JMP	as PV_JMP; for asm statements without operands
 * PV_ASM_CALL	a call of the address in a register, for kernels that allow no bare
 *		indirect call (retpolines); for asm statements with operands
 * PV_ASM_RET	a return, for kernels that allow no bare RET (return thunks)
 * PV_ASM_ODD	tells a tool that checks stack frames that the function has none of
 *		the usual form
 */
#ifndef PV_ASM_ENDBR
#define PV_ASM_ENDBR
#endif
#ifndef PV_ASM_NOENDBR
#define PV_ASM_NOENDBR
#endif
#ifndef PV_ASM_JMP
#define PV_ASM_JMP(reg)		"jmp *%" reg "\n\t"
#endif
#ifndef PV_ASM_CALL
#define PV_ASM_CALL(reg)	"call *%%" reg "\n\t"
#endif
#ifndef PV_ASM_RET
#define PV_ASM_RET	"ret\n\t"
#endif
#ifndef PV_ASM_ODD
#define PV_ASM_ODD(function)	struct pv_asm_odd
#endif

/**
 * pv_port_preempt_disable, pv_port_preempt_enable - keep the task on its CPU
 *
 * A kernel that preempts its own code defines both, and PV_PORT_PREEMPTION (port.h).
 * Here is the empty pair of all other kernels.
 */
#ifndef PV_PORT_PREEMPTION
static __always_inline void pv_port_preempt_disable(void) { }
static __always_inline void pv_port_preempt_enable(void) { }
#endif

/**
 * PV_STACK_POINTER - operand ("+r") of an asm statement that calls a function
 *
 * With this operand the compiler sets up the stack frame before the call, and keeps
 * nothing below the stack pointer.  It is a file-scope variable, because clang copies a
 * local one.
 */
#ifndef PV_STACK_POINTER
__extension__ register unsigned long pv_stack_pointer asm("rsp");
#define PV_STACK_POINTER	pv_stack_pointer
#endif

/** typedef pv_pfn_t - guest ("pseudo-physical") page frame number, 4 KiB unit */
typedef u64 __bitwise pv_pfn_t;
/** typedef pv_mfn_t - machine page frame number; equals the PFN on native */
typedef u64 __bitwise pv_mfn_t;
/** typedef pv_maddr_t - machine address in bytes, as a device or CR3 sees it */
typedef u64 __bitwise pv_maddr_t;

/**
 * typedef pv_pte_t - level-1 entry exactly as it stands in the table
 *
 * Frame bits hold an MFN.  Only pte_val() and make_pte() translate between an entry
 * and the value that a kernel computes with, whose frame bits hold a PFN.
 * Source of the format: Intel SDM vol. 3A section 4.5, table 4-20.
 */
typedef u64 __bitwise pv_pte_t;
/** typedef pv_pmd_t - level-2 entry as in the table */
typedef u64 __bitwise pv_pmd_t;
/** typedef pv_pud_t - level-3 entry as in the table */
typedef u64 __bitwise pv_pud_t;
/** typedef pv_p4d_t - level-4 (root) entry as in the table */
typedef u64 __bitwise pv_p4d_t;

/**
 * typedef pv_flags_t - saved interrupt state, opaque
 *
 * save_fl() returns it; only restore_fl() and irqs_disabled_flags() of the same
 * backend read it.  Native keeps RFLAGS, Xen PV keeps the event mask byte, so save_fl
 * needs no translation.
 */
typedef unsigned long __bitwise pv_flags_t;

/** PV_PFN_NONE - "no page": the result of an alloc op when there is no memory */
#define PV_PFN_NONE	((__force pv_pfn_t)~0ULL)

#define PV_PAGE_SHIFT	12
#define PV_PAGE_SIZE	(1UL << PV_PAGE_SHIFT)
/** PV_TABLE_ENTRIES - entries in a page table of any level */
#define PV_TABLE_ENTRIES	512U

/** PV_FRAME_MASK - frame bits of an entry of any level (bits 51..12) */
#define PV_FRAME_MASK	0x000ffffffffff000ULL
/** PV_PTE_PRESENT - bit 0 at every level; the meaning of all bits is the hardware's */
#define PV_PTE_PRESENT	0x001ULL
#define PV_PTE_RW	0x002ULL
#define PV_PTE_USER	0x004ULL
#define PV_PTE_ACCESSED	0x020ULL
#define PV_PTE_DIRTY	0x040ULL
#define PV_PTE_NX	0x8000000000000000ULL

/*
 * The visible conversions between the address types and plain numbers.  There is
 * none between PFN and MFN: only a backend can translate, in pte_val() and make_pte().
 */
static __always_inline pv_pfn_t pv_pfn(u64 n)
{
	return (__force pv_pfn_t)n;
}

static __always_inline u64 pv_pfn_nr(pv_pfn_t pfn)
{
	return (__force u64)pfn;
}

static __always_inline pv_mfn_t pv_mfn(u64 n)
{
	return (__force pv_mfn_t)n;
}

static __always_inline u64 pv_mfn_nr(pv_mfn_t mfn)
{
	return (__force u64)mfn;
}

static __always_inline pv_maddr_t pv_mfn_to_maddr(pv_mfn_t mfn)
{
	return (__force pv_maddr_t)((__force u64)mfn << PV_PAGE_SHIFT);
}

static __always_inline u64 pv_maddr_nr(pv_maddr_t maddr)
{
	return (__force u64)maddr;
}

/**
 * struct pv_dtr - operand of load_gdt and load_idt
 * @limit: last valid byte offset
 * @base: linear address of the table
 *
 * The 10-byte pseudo-descriptor of LGDT/LIDT (SDM vol. 3A section 3.5.1).
 */
struct pv_dtr {
	u16 limit;
	u64 base;
} __attribute__((packed));

/**
 * struct pv_gate - 64-bit IDT gate (SDM vol. 3A figure 6-8)
 * @offset_low: entry address bits 15..0
 * @selector: code segment
 * @ist: interrupt stack table index, 0 for none
 * @type_dpl_p: type in bits 3..0 (0xe interrupt, 0xf trap), DPL 6..5, P 7
 * @offset_mid: entry address bits 31..16
 * @offset_high: entry address bits 63..32
 * @reserved: 0
 */
struct pv_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type_dpl_p;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

/**
 * struct pv_tss - 64-bit task state segment (SDM vol. 3A figure 8-11)
 * @sp0: kernel stack pointer that an entry from user mode loads
 *
 * Only load_sp0() may write @sp0 once the CPU runs.
 */
struct pv_tss {
	u32 reserved0;
	u64 sp0;
	u64 sp1;
	u64 sp2;
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;
} __attribute__((packed));

/**
 * struct pv_cpuid - CPUID leaf and result
 * @eax: leaf in, result out
 * @ebx: result
 * @ecx: subleaf in, result out
 * @edx: result
 */
struct pv_cpuid {
	u32 eax;
	u32 ebx;
	u32 ecx;
	u32 edx;
};

/**
 * struct pv_cpu_state - where and how a CPU starts (start_cpu)
 * @rip: first instruction, kernel virtual address
 * @rsp: stack pointer, kernel virtual address
 * @rdi: value handed to @rip as first argument
 * @cr0: CR0; PG, PE and WP must be set
 * @cr3: root table, guest-physical address (PFN << 12)
 * @cr4: CR4; PAE must be set
 * @efer: EFER; LME must be set
 * @gs_base: kernel GS base (per-CPU area)
 * @gdt: GDT to run on; must lie in one page
 * @idt: IDT to run on
 *
 * The CPU begins in 64-bit kernel mode with interrupts masked, flat segments
 * and DF clear; it must load TR itself.  FPU state is that of a reset.
 */
struct pv_cpu_state {
	u64 rip;
	u64 rsp;
	u64 rdi;
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 gs_base;
	struct pv_dtr gdt;
	struct pv_dtr idt;
};

/** PV_CPUMASK_WORDS - u64 words in every CPU mask of the contract: one bit for each CPU */
#define PV_CPUMASK_WORDS	((PV_MAX_CPUS + 63) / 64)

/**
 * struct pv_cpumask - set of CPUs, bit n of word n / 64
 * @word: the bits
 *
 * As large as the kernel's own set of CPUs, so a kernel with thousands of them keeps it off
 * the stack.
 */
struct pv_cpumask {
	u64 word[PV_CPUMASK_WORDS];
};

/**
 * pv_cpumask_next - the next CPU of a set
 * @mask: the set
 * @from: number of the first CPU to consider
 *
 * Returns PV_MAX_CPUS if there is none; bits from PV_MAX_CPUS on are ignored.
 * Context: any.
 */
static __always_inline u32 pv_cpumask_next(const struct pv_cpumask *mask, u32 from)
{
	u64 wanted = ~0ULL << from % 64;
	u32 word;

	for (word = from / 64; word < PV_CPUMASK_WORDS; word++) {
		u64 bits = mask->word[word] & wanted;

		if (bits) {
			u32 cpu = word * 64 + (u32)__builtin_ctzll(bits);

			return cpu < PV_MAX_CPUS ? cpu : PV_MAX_CPUS;
		}
		wanted = ~0ULL;
	}
	return PV_MAX_CPUS;
}

/** pv_for_each_cpu - loop over the CPUs of a set, in ascending order */
#define pv_for_each_cpu(cpu, mask)					\
	for ((cpu) = pv_cpumask_next(mask, 0); (cpu) < PV_MAX_CPUS;	\
	     (cpu) = pv_cpumask_next(mask, (cpu) + 1))

/**
 * enum pv_batch_kind - kinds of updates that may be deferred (batch_enter, batch_leave)
 * @PV_BATCH_MMU: page-table entry updates
 * @PV_BATCH_CPU: CPU state that the next return to user mode needs: CR3,
 *	kernel stack, TLS and segment bases, FPU switch state
 */
enum pv_batch_kind {
	PV_BATCH_MMU,
	PV_BATCH_CPU,
};

/**
 * enum pv_shutdown_reason - how the machine goes down (shutdown)
 * @PV_SHUTDOWN_POWEROFF: orderly, power off
 * @PV_SHUTDOWN_REBOOT: orderly, restart
 * @PV_SHUTDOWN_CRASH: the kernel has failed; the hypervisor may keep a dump
 */
enum pv_shutdown_reason {
	PV_SHUTDOWN_POWEROFF,
	PV_SHUTDOWN_REBOOT,
	PV_SHUTDOWN_CRASH,
};

/** enum pv_errno - errors; functions return them negative.  The numbers are those of Unix. */
enum pv_errno {
	PV_EPERM = 1,
	PV_ENOENT = 2,
	PV_EIO = 5,
	PV_EBUSY = 16,
	PV_ENODEV = 19,
	PV_EINVAL = 22,
	PV_ETIMEDOUT = 110,
};

#endif /* __ASSEMBLY__ */
#endif
