/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Instructions that C cannot express. */
#ifndef CPU_H
#define CPU_H

#include "types.h"

#define MSR_APIC_BASE		0x1b
#define MSR_TSC			0x10
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_EIP	0x176
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103
#define MSR_AMD_NB_CFG		0xc001001f
#define MSR_VM_CR		0xc0010114
#define MSR_VM_HSAVE_PA		0xc0010117

#define EFER_SCE		0x1ULL
#define EFER_LME		0x100ULL
#define EFER_LMA		0x400ULL
#define EFER_NXE		0x800ULL
#define EFER_SVME		0x1000ULL

#define CR0_PE			0x1ULL
#define CR0_TS			0x8ULL
#define CR0_ET			0x10ULL
#define CR0_PG			0x80000000ULL
#define CR4_PAE			0x20ULL

#define FLAG_IF			0x200ULL

static inline u64 rdmsr(u32 nr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (nr));
	return low | (u64)high << 32;
}

static inline void wrmsr(u32 nr, u64 val)
{
	asm volatile("wrmsr" : : "c" (nr), "a" ((u32)val), "d" ((u32)(val >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

static inline void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static inline u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static inline void outw(u16 port, u16 val)
{
	asm volatile("outw %0, %1" : : "a" (val), "Nd" (port));
}

static inline u16 inw(u16 port)
{
	u16 val;

	asm volatile("inw %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static inline void outl(u16 port, u32 val)
{
	asm volatile("outl %0, %1" : : "a" (val), "Nd" (port));
}

static inline u32 inl(u16 port)
{
	u32 val;

	asm volatile("inl %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

/* VMSAVE and VMLOAD: FS, GS, TR, LDTR and the MSRs of SYSCALL (APM 15.5.2). */
static inline void vmsave(void *vmcb)
{
	asm volatile("vmsave %%rax" : : "a" (vmcb) : "memory");
}

static inline void vmload(void *vmcb)
{
	asm volatile("vmload %%rax" : : "a" (vmcb) : "memory");
}

/* The machine's own local APIC, which is identity-mapped. */
static inline u32 host_apic_read(u32 reg)
{
	return *(volatile u32 *)(0xfee00000UL + reg);
}

static inline void host_apic_write(u32 reg, u32 val)
{
	*(volatile u32 *)(0xfee00000UL + reg) = val;
}

#endif
