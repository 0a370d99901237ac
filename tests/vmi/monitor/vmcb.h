/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * AMD SVM's virtual machine control block: AMD64 Architecture Programmer's
 * Manual vol. 2 ("APM"), appendix B tables B-1 and B-2; exit codes: appendix C;
 * VMRUN and #VMEXIT: sections 15.5 and 15.6.
 */
#ifndef VMCB_H
#define VMCB_H

#include "types.h"

/* Intercept bits at 0x00c and 0x010 (table B-1). */
#define ICPT_INTR		(1U << 0)
#define ICPT_NMI		(1U << 1)
#define ICPT_INIT		(1U << 3)
#define ICPT_VINTR		(1U << 4)
#define ICPT_IDTR_READ		(1U << 6)
#define ICPT_GDTR_READ		(1U << 7)
#define ICPT_LDTR_READ		(1U << 8)
#define ICPT_TR_READ		(1U << 9)
#define ICPT_IDTR_WRITE		(1U << 10)
#define ICPT_GDTR_WRITE		(1U << 11)
#define ICPT_LDTR_WRITE		(1U << 12)
#define ICPT_TR_WRITE		(1U << 13)
#define ICPT_RDPMC		(1U << 15)
#define ICPT_CPUID		(1U << 18)
#define ICPT_IRET		(1U << 20)
#define ICPT_SWINT		(1U << 21)
#define ICPT_INVD		(1U << 22)
#define ICPT_HLT		(1U << 24)
#define ICPT_INVLPG		(1U << 25)
#define ICPT_INVLPGA		(1U << 26)
#define ICPT_IOIO		(1U << 27)
#define ICPT_MSR		(1U << 28)
#define ICPT_SHUTDOWN		(1U << 31)

#define ICPT2_VMRUN		(1U << 0)
#define ICPT2_VMMCALL		(1U << 1)
#define ICPT2_VMLOAD		(1U << 2)
#define ICPT2_VMSAVE		(1U << 3)
#define ICPT2_STGI		(1U << 4)
#define ICPT2_CLGI		(1U << 5)
#define ICPT2_SKINIT		(1U << 6)
#define ICPT2_WBINVD		(1U << 9)
#define ICPT2_MONITOR		(1U << 10)
#define ICPT2_MWAIT		(1U << 11)
#define ICPT2_XSETBV		(1U << 13)

/* Exit codes (appendix C). */
#define EXIT_CR_READ		0x00
#define EXIT_CR_WRITE		0x10
#define EXIT_DR_READ		0x20
#define EXIT_DR_WRITE		0x30
#define EXIT_EXCEPTION		0x40
#define EXIT_INTR		0x60
#define EXIT_NMI		0x61
#define EXIT_VINTR		0x64
#define EXIT_IDTR_READ		0x66
#define EXIT_GDTR_READ		0x67
#define EXIT_LDTR_READ		0x68
#define EXIT_TR_READ		0x69
#define EXIT_IDTR_WRITE		0x6a
#define EXIT_GDTR_WRITE		0x6b
#define EXIT_LDTR_WRITE		0x6c
#define EXIT_TR_WRITE		0x6d
#define EXIT_RDPMC		0x6f
#define EXIT_CPUID		0x72
#define EXIT_IRET		0x74
#define EXIT_SWINT		0x75
#define EXIT_INVD		0x76
#define EXIT_HLT		0x78
#define EXIT_INVLPG		0x79
#define EXIT_IOIO		0x7b
#define EXIT_MSR		0x7c
#define EXIT_SHUTDOWN		0x7f
#define EXIT_VMRUN		0x80
#define EXIT_VMMCALL		0x81
#define EXIT_SKINIT		0x86
#define EXIT_WBINVD		0x89
#define EXIT_MONITOR		0x8a
#define EXIT_XSETBV		0x8d
#define EXIT_NPF		0x400
#define EXIT_MAX		0x401

/* EXITINFO1 of an I/O exit (figure 15-2); EXITINFO2 is the next RIP. */
#define IOIO_IN			0x01
#define IOIO_STRING		0x04
#define IOIO_REP		0x08
#define IOIO_SIZE(info)		((info) >> 4 & 7)
#define IOIO_PORT(info)		((u16)((info) >> 16))

/* V_INTR at 0x060 (section 15.21.4). */
#define V_TPR			0xff
#define V_IRQ			(1U << 8)
#define V_INTR_PRIO		(15U << 16)
#define V_IGN_TPR		(1U << 20)
#define V_INTR_MASKING		(1U << 24)

/* EVENTINJ and EXITINTINFO (section 15.20). */
#define EVENT_TYPE		(7U << 8)
#define EVENT_NMI		(2U << 8)
#define EVENT_EXCEPTION		(3U << 8)
#define EVENT_SOFTWARE		(4U << 8)
#define EVENT_ERROR		(1U << 11)
#define EVENT_VALID		(1U << 31)

#define TLB_FLUSH_ALL		1	/* TLB_CONTROL, section 15.16.2 */

struct segment {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
};

/* Bits of attrib: bits 8-15 and 20-23 of a descriptor's second word. */
#define SEG_CODE32		0x0c9b
#define SEG_CODE64		0x0a9b
#define SEG_DATA32		0x0c93
#define SEG_CODE16		0x009b
#define SEG_DATA16		0x0093
#define SEG_LDT			0x0082
#define SEG_TSS_BUSY		0x008b
#define SEG_TYPE		0x0f
#define SEG_PRESENT		0x80
#define SEG_LONG		0x200
#define SEG_DEFAULT32		0x400

struct vmcb {
	u16 cr_read, cr_write, dr_read, dr_write;
	u32 exceptions;
	u32 intercept, intercept2;
	u8 pad_014[0x040 - 0x014];
	u64 iopm, msrpm, tsc_offset;
	u32 asid;
	u8 tlb_control, pad_05d[3];
	u32 int_ctl, int_vector;
	u64 int_shadow;
	u64 exit_code, exit_info1, exit_info2, exit_int_info;
	u64 np_enable;
	u8 pad_098[0x0a8 - 0x098];
	u64 event_inj, n_cr3, lbr_enable;
	u32 clean, pad_0c4;
	u64 next_rip;
	u8 pad_0d0[0x400 - 0x0d0];
	/* The guest's state, table B-2. */
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 pad_4a0[0x4cb - 0x4a0];
	u8 cpl;
	u32 pad_4cc;
	u64 efer;
	u8 pad_4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 pad_580[0x5d8 - 0x580];
	u64 rsp;
	u8 pad_5e0[0x5f8 - 0x5e0];
	u64 rax, star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 pad_648[0x668 - 0x648];
	u64 pat;
	u8 pad_670[0x1000 - 0x670];
} __attribute__((packed, aligned(4096)));

_Static_assert(__builtin_offsetof(struct vmcb, iopm) == 0x040, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, exit_code) == 0x070, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, n_cr3) == 0x0b0, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, es) == 0x400, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, efer) == 0x4d0, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, rip) == 0x578, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, rax) == 0x5f8, "VMCB");
_Static_assert(__builtin_offsetof(struct vmcb, cr2) == 0x640, "VMCB");
_Static_assert(sizeof(struct vmcb) == 4096, "VMCB");

#endif
