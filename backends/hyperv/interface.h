/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The part of the Hyper-V interface that this backend uses.
 *
 * Source: Hypervisor Top-Level Functional Specification (TLFS), the chapter
 * named at each group.  Every number is compared with Linux 6.1,
 * include/asm-generic/hyperv-tlfs.h and arch/x86/include/asm/hyperv-tlfs.h.
 */
#ifndef HYPERV_INTERFACE_H
#define HYPERV_INTERFACE_H

/* --- Feature and Interface Discovery --- */

#define HV_CPUID_BASE		0x40000000	/* EAX: the last leaf */
#define HV_CPUID_INTERFACE	0x40000001	/* EAX: HV_INTERFACE */
#define HV_CPUID_FEATURES	0x40000003	/* EAX: privileges; EDX: features */
#define HV_CPUID_HINTS		0x40000004	/* EAX: recommendations */
#define HV_INTERFACE		0x31237648	/* "Hv#1" */

/* Privileges: 0x40000003 EAX. */
#define HV_PRIV_REF_COUNTER	(1U << 1)	/* AccessPartitionReferenceCounter */
#define HV_PRIV_SYNTIMER	(1U << 3)	/* AccessSyntheticTimerRegs */
#define HV_PRIV_APIC		(1U << 4)	/* AccessIntrCtrlRegs */
#define HV_PRIV_HYPERCALL	(1U << 5)	/* AccessHypercallMsrs */
#define HV_PRIV_VP_INDEX	(1U << 6)	/* AccessVpIndex */
#define HV_PRIV_RESET		(1U << 7)	/* AccessResetReg */
#define HV_PRIV_REF_TSC		(1U << 9)	/* AccessPartitionReferenceTsc */
#define HV_PRIV_FREQUENCY	(1U << 11)	/* AccessFrequencyRegs */

/* Features: 0x40000003 EDX. */
#define HV_FEAT_FREQUENCY	(1U << 8)	/* frequency MSRs exist */
#define HV_FEAT_CRASH		(1U << 10)	/* guest crash MSRs exist */
#define HV_FEAT_STIMER_DIRECT	(1U << 19)	/* timers that interrupt by vector */

/* Recommendations: 0x40000004 EAX. */
#define HV_HINT_REMOTE_FLUSH	(1U << 2)	/* hypercall, not IPIs */
#define HV_HINT_APIC_MSR	(1U << 3)	/* MSRs for EOI, ICR, TPR */
#define HV_HINT_RESET_MSR	(1U << 4)
#define HV_HINT_CLUSTER_IPI	(1U << 10)	/* hypercall, not the ICR */
#define HV_HINT_EX_MASKS	(1U << 11)	/* the forms with a sparse VP set */

/* --- Hypercall Interface --- */

#define HV_MSR_GUEST_OS_ID	0x40000000
#define HV_MSR_HYPERCALL	0x40000001
#define HV_HYPERCALL_ENABLE	0x1ULL
#define HV_HYPERCALL_KEEP	0xffeULL	/* RsvdP */

/* Guest OS Identity: an open-source OS (bit 63), of no registered type. */
#define HV_GUEST_ID		(1ULL << 63 | 1ULL << 16)

/* Input value: call code, and from these bits on: */
#define HV_CALL_FAST		(1ULL << 16)	/* parameters are in registers */
#define HV_CALL_VARHEAD		17		/* 8-byte units of variable header */
#define HV_CALL_REPS		32		/* rep count */
/* Result value: status, and from bit 32 on the number of completed reps. */
#define HV_STATUS(result)	((u32)(result) & 0xffff)
#define HV_REPS_DONE(result)	((u32)((result) >> 32) & 0xfff)

#define HVCALL_FLUSH_SPACE	0x0002		/* HvCallFlushVirtualAddressSpace */
#define HVCALL_FLUSH_LIST	0x0003		/* HvCallFlushVirtualAddressList */
#define HVCALL_SEND_IPI		0x000b		/* HvCallSendSyntheticClusterIpi */
#define HVCALL_FLUSH_SPACE_EX	0x0013		/* the same, with a sparse VP set */
#define HVCALL_FLUSH_LIST_EX	0x0014
#define HVCALL_SEND_IPI_EX	0x0015

/* --- Virtual Processors: sparse VP sets (HV_VP_SET) --- */

#define HV_SET_SPARSE		0ULL		/* HvGenericSetSparse4k */
#define HV_SET_BANK		64U		/* VPs in a bank */
#define HV_SET_BANKS		64U		/* banks in a set */

/* --- Virtual MMU: enlightened TLB flushes --- */

#define HV_FLUSH_ALL_SPACES	0x2ULL
#define HV_FLUSH_NON_GLOBAL	0x4ULL
/* A GVA range: page address, and in bits 11..0 the number of further pages. */
#define HV_FLUSH_MORE_PAGES	0xfffULL

/* --- Virtual Interrupt Controller --- */

#define HV_MSR_EOI		0x40000070
#define HV_MSR_VP_ASSIST	0x40000073
#define HV_VP_ASSIST_ENABLE	0x1ULL
/* Bit 0 of the first word of the VP assist page: no EOI is required. */
#define HV_NO_EOI_REQUIRED	0x1U

/* --- Virtual Processors --- */

#define HV_MSR_VP_INDEX		0x40000002

/* --- Timers --- */

#define HV_MSR_REF_COUNTER	0x40000020	/* units of 100 ns */
#define HV_MSR_REF_TSC		0x40000021
#define HV_REF_TSC_ENABLE	0x1ULL
#define HV_MSR_STIMER0_CONFIG	0x400000b0
#define HV_MSR_STIMER0_COUNT	0x400000b1
#define HV_STIMER_AUTO_ENABLE	(1ULL << 3)
#define HV_STIMER_VECTOR	4
#define HV_STIMER_DIRECT	(1ULL << 12)
#define HV_MSR_TSC_FREQUENCY	0x40000022	/* Hz */

/* The reference TSC page: time = (tsc * scale >> 64) + offset, in 100 ns. */
struct hv_tsc_page {
	volatile u32 sequence;			/* 0: not valid now, read the MSR */
	u32 reserved;
	volatile u64 scale;
	volatile u64 offset;
};

/* --- Partition Properties: reset, crash enlightenment --- */

#define HV_MSR_RESET		0x40000003
#define HV_MSR_CRASH_P0		0x40000100
#define HV_MSR_CRASH_CTL	0x40000105
#define HV_CRASH_NOTIFY		(1ULL << 63)

#endif
