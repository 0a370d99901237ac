// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The virtual CPU's registers and descriptor tables, read and written as instructions do. */
#include "monitor.h"
#include "rom.h"
#include "../debugreg.h"

/* --- registers --- */

u64 get_reg(const struct vcpu *v, u32 nr)
{
	return nr == RAX ? v->vmcb->rax : nr == RSP ? v->vmcb->rsp : v->regs[nr];
}

void set_reg(struct vcpu *v, u32 nr, u64 val)
{
	if (nr == RAX)
		v->vmcb->rax = val;
	else if (nr == RSP)
		v->vmcb->rsp = val;
	else
		v->regs[nr] = val;
}

void set_reg_sized(struct vcpu *v, u32 nr, u64 val, u32 size)
{
	u64 mask = size == 8 ? ~0ULL : (1ULL << size * 8) - 1;

	set_reg(v, nr, size == 4 ? (u32)val : (get_reg(v, nr) & ~mask) | (val & mask));
}

void flush_tlb(struct vcpu *v)
{
	v->vmcb->tlb_control = TLB_FLUSH_ALL;
}

void flush_page(struct vcpu *v, u64 va)
{
	asm volatile("invlpga %%rax, %%ecx" : : "a" (va), "c" (v->vmcb->asid) : "memory");
}

u64 read_cr(struct vcpu *v, u32 nr)
{
	struct vmcb *c = v->vmcb;

	switch (nr) {
	case 0:
		return c->cr0;
	case 2:
		return paravirtual ? v->shared->cr2 : c->cr2;
	case 3:
		return c->cr3;
	case 4:
		return c->cr4;
	}
	guest_dies(v, "CR that does not exist");
}

void write_cr(struct vcpu *v, u32 nr, u64 val)
{
	struct vmcb *c = v->vmcb;

	switch (nr) {
	case 0:
		/* Long mode becomes active and inactive with paging (APM 14.6). */
		if ((val & CR0_PG) && (c->efer & EFER_LME))
			c->efer |= EFER_LMA;
		if (!(val & CR0_PG))
			c->efer &= ~EFER_LMA;
		v->shared->cr0 = c->cr0 = val | CR0_ET;
		break;
	case 2:
		v->shared->cr2 = c->cr2 = val;
		return;
	case 3:
		v->shared->cr3 = c->cr3 = val;
		break;
	case 4:
		v->shared->cr4 = c->cr4 = val;
		break;
	default:
		guest_dies(v, "CR that does not exist");
	}
	flush_tlb(v);
}

/* The CPU's DR0-3 are always the guest's; DR6 and DR7 are switched. */
u64 read_dr(struct vcpu *v, u32 nr)
{
	u64 val = 0;

	switch (nr) {
	DB_CASES(READ_DB, val);
	case 4: case 6:
		return v->vmcb->dr6;
	case 5: case 7:
		return v->vmcb->dr7;
	}
	return val;
}

void write_dr(struct vcpu *v, u32 nr, u64 val)
{
	switch (nr) {
	DB_CASES(WRITE_DB, val);
	case 4: case 6:
		v->vmcb->dr6 = (val & 0xe00f) | 0xffff0ff0;
		break;
	case 5: case 7:
		v->vmcb->dr7 = (u32)val | 0x400;
		/* QEMU's VMRUN loads DR7 but does not arm its breakpoints. */
		WRITE_DB(7, v->vmcb->dr7);
		break;
	}
}

static bool canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

bool read_msr(struct vcpu *v, u32 nr, u64 *val)
{
	switch (nr) {
	case MSR_EFER:
		*val = v->vmcb->efer & ~EFER_SVME;
		return true;
	case MSR_APIC_BASE:
		*val = APIC_BASE | 0x800 | (v->id ? 0 : 0x100);
		return true;
	case MSR_PAT:
		*val = v->vmcb->pat;
		return true;
	case MSR_TSC:
		*val = rdtsc();
		return true;
	case MSR_AMD_NB_CFG:
		/* Extended configuration space is on, so the guest need not change it. */
		*val = 1ULL << 46;
		return true;
	case MSR_STAR + 1:
		*val = paravirtual ? v->shared->lstar : rdmsr(nr);
		return true;
	case MSR_SYSENTER_CS ... MSR_SYSENTER_EIP:
	case MSR_STAR:
	case MSR_STAR + 2 ... MSR_SFMASK:
	case MSR_FS_BASE ... MSR_TSC_AUX:
		*val = rdmsr(nr);
		return true;
	}
	return false;
}

bool write_msr(struct vcpu *v, u32 nr, u64 val)
{
	switch (nr) {
	case MSR_EFER:
		if (val & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
			return false;
		val &= ~EFER_LMA;
		v->vmcb->efer = val | (v->vmcb->efer & EFER_LMA) | EFER_SVME;
		flush_tlb(v);
		return true;
	case MSR_APIC_BASE:
		return (val & ~0xfffULL) == APIC_BASE;
	case MSR_PAT:
		v->vmcb->pat = val;
		return true;
	case MSR_STAR + 1:
		if (!canonical(val))
			return false;
		wrmsr(nr, paravirtual ? vmi_syscall_entry(v, val) : val);
		return true;
	case MSR_STAR + 2:
	case MSR_FS_BASE ... MSR_KERNEL_GS_BASE:
	case MSR_SYSENTER_CS ... MSR_SYSENTER_EIP:
		if (!canonical(val))
			return false;
		wrmsr(nr, val);
		return true;
	case MSR_STAR:
	case MSR_SFMASK:
	case MSR_TSC_AUX:
		wrmsr(nr, val);
		return true;
	}
	return false;
}

/* MCE, MTRR, MCA. */
#define NO_MSRS		(1U << 7 | 1U << 12 | 1U << 14)

void do_cpuid(struct vcpu *v, u32 leaf)
{
	u32 eax = leaf, ebx, ecx = (u32)v->regs[RCX], edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	if (leaf == 1) {
		ebx = (ebx & 0xffffff) | v->apic.id << 24;
		/*
		 * Shows a hypervisor.  Hides OSXSAVE and features that need it (AVX,
		 * FMA, F16C), x2APIC, TSC deadline, MONITOR.
		 */
		ecx = (ecx & ~(1U << 27 | 1U << 26 | 1U << 28 | 1U << 12 | 1U << 29 | 1U << 21 |
			       1U << 24 | 1U << 3)) | 1U << 31;
		edx &= ~NO_MSRS;
	}
	/* Virtual numbers, because the machine's first CPU may run no guest. */
	if (leaf == 0xb)
		edx = v->apic.id;
	if (leaf == 0x8000001e) {
		eax = v->apic.id;
		ebx = (ebx & ~0xffU) | v->apic.id;
	}
	if (leaf == 0x80000001) {
		/* Hides SVM, and IBS, counters and MONITORX, which need MSRs. */
		ecx &= ~(1U << 2 | 1U << 10 | 1U << 12 | 1U << 23 | 1U << 24 | 1U << 28 | 1U << 29);
		edx &= ~NO_MSRS;
	}
	v->vmcb->rax = eax;
	v->regs[RBX] = ebx;
	v->regs[RCX] = ecx;
	v->regs[RDX] = edx;
}

/* --- descriptor tables --- */

/* From VMLOAD to VMSAVE, TR and LDTR are only in the CPU. */
static bool load_system_segment(struct vcpu *v, u32 selector, struct segment *segment, bool tss)
{
	struct vmcb *c = v->vmcb;
	u64 at = c->gdtr.base + (selector & ~7U), desc[2] = { 0, 0 };
	bool wide = c->efer & EFER_LMA;
	u32 type;

	if ((selector & 4) || (selector | 7) > c->gdtr.limit ||
	    !read_virt(v, at, desc, wide ? 16 : 8))
		return false;
	type = desc[0] >> 40 & 0x1f;
	if (!(desc[0] >> 47 & 1) || (tss ? type != 9 : type != 2))
		return false;
	if (tss) {
		desc[0] |= 2ULL << 40;
		write_virt(v, at, desc, 8);
	}
	vmsave(c);
	segment->selector = (u16)selector;
	segment->attrib = (u16)((desc[0] >> 40 & 0xff) | (desc[0] >> 44 & 0xf00));
	segment->limit = (desc[0] & 0xffff) | (desc[0] >> 32 & 0xf0000);
	if (desc[0] >> 55 & 1)
		segment->limit = segment->limit << 12 | 0xfff;
	segment->base = (desc[0] >> 16 & 0xffffff) | (desc[0] >> 32 & 0xff000000) | desc[1] << 32;
	vmload(c);
	return true;
}

bool load_tr(struct vcpu *v, u32 selector)
{
	return (selector & ~3U) && load_system_segment(v, selector, &v->vmcb->tr, true);
}

bool load_ldt(struct vcpu *v, u32 selector)
{
	struct vmcb *c = v->vmcb;

	if (selector & ~3U)
		return load_system_segment(v, selector, &c->ldtr, false);
	vmsave(c);
	c->ldtr = (struct segment){ .selector = (u16)selector };
	vmload(c);
	return true;
}

bool load_table(struct vcpu *v, u64 va, struct segment *table, u32 bytes)
{
	u8 image[10] = { 0 };
	u64 base = 0;

	if (!read_virt(v, va, image, bytes))
		return false;
	memcpy(&base, image + 2, bytes - 2);
	table->limit = image[0] | (u32)image[1] << 8;
	table->base = base;
	return true;
}

bool store_table(struct vcpu *v, u64 va, const struct segment *table, u32 bytes)
{
	u8 image[10] = { (u8)table->limit, (u8)(table->limit >> 8) };

	memcpy(image + 2, &table->base, 8);
	return write_virt(v, va, image, bytes);
}
