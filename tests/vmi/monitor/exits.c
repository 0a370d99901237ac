// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The virtual CPU's loop, and the handling of exits. */
#include "monitor.h"
#include "rom.h"

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

/* Writes as instructions of 1, 2, 4 or 8 bytes do; without AH to DH. */
static void set_reg_sized(struct vcpu *v, u32 nr, u64 val, u32 size)
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
	case 0:
		asm volatile("mov %%db0, %0" : "=r" (val));
		break;
	case 1:
		asm volatile("mov %%db1, %0" : "=r" (val));
		break;
	case 2:
		asm volatile("mov %%db2, %0" : "=r" (val));
		break;
	case 3:
		asm volatile("mov %%db3, %0" : "=r" (val));
		break;
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
	case 0:
		asm volatile("mov %0, %%db0" : : "r" (val));
		break;
	case 1:
		asm volatile("mov %0, %%db1" : : "r" (val));
		break;
	case 2:
		asm volatile("mov %0, %%db2" : : "r" (val));
		break;
	case 3:
		asm volatile("mov %0, %%db3" : : "r" (val));
		break;
	case 4: case 6:
		v->vmcb->dr6 = (val & 0xe00f) | 0xffff0ff0;
		break;
	case 5: case 7:
		v->vmcb->dr7 = (u32)val | 0x400;
		/* QEMU's VMRUN loads DR7 but does not arm its breakpoints. */
		asm volatile("mov %0, %%db7" : : "r" (v->vmcb->dr7));
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

/* --- events --- */

void inject(struct vcpu *v, u32 vector, bool has_error, u32 error)
{
	if (paravirtual) {
		vmi_exception(v, vector, has_error, error);
		return;
	}
	v->vmcb->event_inj = vector | EVENT_EXCEPTION | EVENT_VALID |
			     (has_error ? EVENT_ERROR : 0) | (u64)error << 32;
}

#define VECTOR_NMI	2
#define VECTOR_BP	3
#define VECTOR_DF	8
#define VECTOR_NP	11
#define VECTOR_GP	13
#define VECTOR_UD	6
#define VECTOR_PF	14

static bool exception_has_error(u32 vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

void guest_dies(struct vcpu *v, const char *why)
{
	const struct vmcb *c = v->vmcb;

	print("\nvmi-monitor: guest died: %s\n", why);
	print("vmi-monitor: cpu %u exit 0x%lx info 0x%lx 0x%lx event 0x%lx\n", v->id,
	      c->exit_code, c->exit_info1, c->exit_info2, c->exit_int_info);
	print("vmi-monitor: rip %02x:%016lx rsp %016lx rflags %08lx efer %lx\n", c->cs.selector,
	      c->rip, c->rsp, c->rflags, c->efer);
	print("vmi-monitor: cr0 %lx cr2 %lx cr3 %lx cr4 %lx\n", c->cr0, c->cr2, c->cr3, c->cr4);
	print("vmi-monitor: rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", c->rax,
	      v->regs[RBX], v->regs[RCX], v->regs[RDX]);
	print("vmi-monitor: rsi %016lx rdi %016lx rbp %016lx\n", v->regs[RSI], v->regs[RDI],
	      v->regs[RBP]);
	shut_down(v, why, false);
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

/* Returns the operand: two bytes of memory, or the low 16 bits of a register. */
static u32 selector_operand(struct vcpu *v, const struct insn *insn)
{
	u16 selector = 0;

	if (!insn->memory)
		return get_reg(v, insn->rm) & 0xffff;
	if (!read_virt(v, insn->linear, &selector, 2))
		guest_dies(v, "operand cannot be read");
	return selector;
}

static void table_exit(struct vcpu *v, u64 code)
{
	static const char *const names[] = {
		"sidt", "sgdt", "sldt", "str", "lidt", "lgdt", "lldt", "ltr"
	};
	struct vmcb *c = v->vmcb;
	struct segment *table = code == EXIT_GDTR_READ || code == EXIT_GDTR_WRITE ?
				&c->gdtr : &c->idtr;
	u32 bytes = c->efer & EFER_LMA && c->cs.attrib & SEG_LONG ? 10 : 6;
	struct insn insn;
	u32 selector;
	bool good = true;

	if (!decode(v, &insn))
		guest_dies(v, "instruction cannot be read");
	audit(v, names[code - EXIT_IDTR_READ], -1);
	switch (code) {
	case EXIT_IDTR_WRITE: case EXIT_GDTR_WRITE:
		/* A 16-bit operand has 24 bits of base. */
		good = load_table(v, insn.linear, table, insn.size == 2 ? 5 : bytes);
		break;
	case EXIT_IDTR_READ: case EXIT_GDTR_READ:
		good = store_table(v, insn.linear, table, bytes);
		break;
	case EXIT_LDTR_WRITE:
		good = load_ldt(v, selector_operand(v, &insn));
		break;
	case EXIT_TR_WRITE:
		good = load_tr(v, selector_operand(v, &insn));
		break;
	case EXIT_LDTR_READ: case EXIT_TR_READ:
		vmsave(c);
		selector = code == EXIT_TR_READ ? c->tr.selector : c->ldtr.selector;
		if (insn.memory)
			good = write_virt(v, insn.linear, &selector, 2);
		else
			set_reg_sized(v, insn.rm, selector, insn.size);
		break;
	}
	if (good)
		skip(v, insn.length);
	else
		inject(v, VECTOR_GP, true, 0);
}

/* --- other instructions --- */

static void cr_exit(struct vcpu *v, u32 nr, bool write)
{
	static const char *const to[] = {
		"mov_to_cr0", "", "mov_to_cr2", "mov_to_cr3", "mov_to_cr4"
	};
	static const char *const from[] = {
		"mov_from_cr0", "", "mov_from_cr2", "mov_from_cr3", "mov_from_cr4"
	};
	struct insn insn;

	if (!decode(v, &insn))
		guest_dies(v, "instruction cannot be read");
	switch (insn.opcode) {
	case 0x120: case 0x122:
		nr = insn.reg;
		if (nr > 4 || nr == 1) {
			inject(v, VECTOR_UD, false, 0);
			return;
		}
		audit(v, write ? to[nr] : from[nr], -1);
		if (write)
			write_cr(v, nr, get_reg(v, insn.rm));
		else
			set_reg(v, insn.rm, read_cr(v, nr));
		break;
	case 0x106:
		audit(v, "clts", -1);
		write_cr(v, 0, read_cr(v, 0) & ~CR0_TS);
		break;
	case 0x101:
		audit(v, write ? "lmsw" : "smsw", -1);
		if (write)
			write_cr(v, 0, (read_cr(v, 0) & ~0xeULL) |
				       (selector_operand(v, &insn) & 0xf));
		else if (!insn.memory)
			set_reg_sized(v, insn.rm, read_cr(v, 0), insn.size);
		else if (!write_virt(v, insn.linear, &v->vmcb->cr0, 2))
			guest_dies(v, "operand cannot be written");
		break;
	default:
		guest_dies(v, "unknown access to a CR");
	}
	skip(v, insn.length);
}

static void dr_exit(struct vcpu *v, bool write)
{
	struct insn insn;

	if (!decode(v, &insn))
		guest_dies(v, "instruction cannot be read");
	audit(v, write ? "mov_to_dr" : "mov_from_dr", insn.reg);
	if (write)
		write_dr(v, insn.reg, get_reg(v, insn.rm));
	else
		set_reg(v, insn.rm, read_dr(v, insn.reg));
	skip(v, insn.length);
}

static void msr_exit(struct vcpu *v, bool write)
{
	u32 nr = (u32)v->regs[RCX];
	u64 val = 0;
	bool good;

	audit(v, write ? "wrmsr" : "rdmsr", nr);
	if (write)
		good = write_msr(v, nr, (u32)v->vmcb->rax | v->regs[RDX] << 32);
	else
		good = read_msr(v, nr, &val);
	if (!good) {
		inject(v, VECTOR_GP, true, 0);
		return;
	}
	if (!write) {
		v->vmcb->rax = (u32)val;
		v->regs[RDX] = val >> 32;
	}
	skip(v, 2);
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

static void io_exit(struct vcpu *v)
{
	u64 info = v->vmcb->exit_info1;
	u32 size = IOIO_SIZE(info);

	audit(v, info & IOIO_IN ? "in" : "out", IOIO_PORT(info));
	if (info & IOIO_STRING)
		guest_dies(v, "string I/O is not there");
	if (info & IOIO_IN)
		set_reg_sized(v, RAX, io_in(IOIO_PORT(info), size), size);
	else
		io_out(v, IOIO_PORT(info), size, (u32)v->vmcb->rax);
	v->vmcb->rip = v->vmcb->exit_info2;
	v->vmcb->int_shadow = 0;
}

/* Emulates accesses to two pages: the local APIC's and the I/O APIC's. */
static void page_exit(struct vcpu *v)
{
	u64 gpa = v->vmcb->exit_info2;
	bool local = gpa - APIC_BASE < PAGE;
	struct insn insn;
	u32 reg = gpa & 0xff0, val;

	if (!local && gpa - IOAPIC_BASE >= PAGE)
		guest_dies(v, "access to memory that does not exist");
	if (!decode(v, &insn) || !insn.memory || insn.size != 4)
		guest_dies(v, "APIC access that is not understood");
	if (insn.opcode == 0x8b) {
		audit(v, local ? "apic_read" : "ioapic_read", reg);
		set_reg(v, insn.reg, local ? apic_read(v, reg) : ioapic_read(reg));
	} else if (insn.opcode == 0x89 || insn.opcode == 0xc7) {
		audit(v, local ? "apic_write" : "ioapic_write", reg);
		val = (u32)(insn.opcode == 0x89 ? get_reg(v, insn.reg) : insn.immediate);
		if (local)
			apic_write(v, reg, val);
		else
			ioapic_write(reg, val);
	} else {
		guest_dies(v, "APIC access that is not a MOV");
	}
	skip(v, insn.length);
}

void halt(struct vcpu *v, bool masked)
{
	v->halted = true;
	v->masked_halt = masked;
}

/* Emulates INT with its checks of the gate (APM vol. 2 section 8.7.4). */
static void software_interrupt(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	struct insn insn;
	u32 vector;
	u8 type = 0;

	if (!decode(v, &insn))
		guest_dies(v, "instruction cannot be read");
	vector = insn.opcode == 0xcc ? VECTOR_BP : (u32)insn.immediate & 0xff;
	read_virt(v, c->idtr.base + vector * 16 + 5, &type, 1);
	if (vector * 16 + 15 > c->idtr.limit || (type >> 5 & 3U) < c->cpl) {
		inject(v, VECTOR_GP, true, vector * 8 + 2);
		return;
	}
	if (!(type & 0x80)) {
		inject(v, VECTOR_NP, true, vector * 8 + 2);
		return;
	}
	skip(v, insn.length);
	inject(v, vector, false, 0);
	if (vector >= 32)
		c->event_inj = (c->event_inj & ~(u64)EVENT_EXCEPTION) | EVENT_SOFTWARE;
}

static bool contributory(u32 vector)
{
	return vector == 0 || (vector >= 10 && vector <= VECTOR_GP);
}

/*
 * Handles an exception during the delivery of another one.  The result is a double fault,
 * or only the later exception, because the instruction that raised the first one is
 * executed again (APM vol. 2 table 8-4).
 */
static u32 combined(struct vcpu *v, u32 vector)
{
	u32 first = (u32)v->vmcb->event_inj & 0xff;

	if ((v->vmcb->event_inj & EVENT_TYPE) != EVENT_EXCEPTION || first == VECTOR_DF)
		guest_dies(v, "exception while another event was delivered");
	v->vmcb->event_inj = 0;
	if (contributory(vector))
		return contributory(first) || first == VECTOR_PF ? VECTOR_DF : vector;
	return vector == VECTOR_PF && first == VECTOR_PF ? VECTOR_DF : vector;
}

static void exception_exit(struct vcpu *v, u32 vector)
{
	struct vmcb *c = v->vmcb;

	if (c->event_inj & EVENT_VALID && combined(v, vector) == VECTOR_DF) {
		inject(v, VECTOR_DF, true, 0);
		return;
	}
	if (vector == VECTOR_PF)
		v->shared->cr2 = c->cr2 = c->exit_info2;
	/* On real machines INT3 arrives here, with RIP before the instruction. */
	if (vector == VECTOR_BP)
		skip(v, 1);
	inject(v, vector, exception_has_error(vector), (u32)c->exit_info1);
}

/* Handles the causes of the machine's interrupts. */
static void interrupts_check(struct vcpu *v)
{
	alarms_check(v);
	if (v == &vcpus[0])
		lines_check();
}

/* Lets the machine's interrupts in: timer, kicks, lines. */
static void take_interrupts(struct vcpu *v)
{
	asm volatile("stgi; nop; clgi" : : : "memory");
	interrupts_check(v);
}

void handle_exit(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	u64 code = c->exit_code;
	struct insn insn;

	if (code == EXIT_VMMCALL) {
		v->exits[code]++;
		c->event_inj = 0;
		skip(v, 3);
		vmi_call(v);
		return;
	}
	if (code >= EXIT_MAX)
		guest_dies(v, "VMRUN refused the state");
	v->exits[code]++;
	/* An event whose delivery was interrupted is injected again. */
	c->event_inj = c->exit_int_info & EVENT_VALID ? c->exit_int_info : 0;

	switch (code) {
	case EXIT_CR_READ ... EXIT_CR_READ + 15:
		cr_exit(v, code & 15, false);
		break;
	case EXIT_CR_WRITE ... EXIT_CR_WRITE + 15:
		cr_exit(v, code & 15, true);
		break;
	case EXIT_DR_READ ... EXIT_DR_READ + 15:
		dr_exit(v, false);
		break;
	case EXIT_DR_WRITE ... EXIT_DR_WRITE + 15:
		dr_exit(v, true);
		break;
	case EXIT_EXCEPTION ... EXIT_EXCEPTION + 31:
		exception_exit(v, (u32)code - EXIT_EXCEPTION);
		break;
	case EXIT_SWINT:
		software_interrupt(v);
		break;
	case EXIT_IRET:
		c->intercept &= ~ICPT_IRET;
		/* The IRET is not executed yet; its address shows when it is. */
		if (v->nmi_mask == NMI_MASKED) {
			v->nmi_mask = NMI_IRET;
			v->nmi_iret = c->rip;
		}
		break;
	case EXIT_INTR:
	case EXIT_NMI:
		take_interrupts(v);
		break;
	case EXIT_VINTR:
		/* The guest can be interrupted now; the next entry does it. */
		break;
	case EXIT_IDTR_READ ... EXIT_TR_WRITE:
		table_exit(v, code);
		break;
	case EXIT_RDPMC:
		audit(v, "rdpmc", -1);
		/* There is no counter. */
		c->rax = v->regs[RDX] = 0;
		skip(v, 2);
		break;
	case EXIT_CPUID:
		audit(v, "cpuid", (u32)c->rax);
		do_cpuid(v, (u32)c->rax);
		skip(v, 2);
		break;
	case EXIT_INVD:
	case EXIT_WBINVD:
		audit(v, code == EXIT_INVD ? "invd" : "wbinvd", -1);
		asm volatile("wbinvd" : : : "memory");
		skip(v, 2);
		break;
	case EXIT_HLT:
		audit(v, "hlt", -1);
		skip(v, 1);
		halt(v, !(c->rflags & FLAG_IF));
		break;
	case EXIT_INVLPG:
		if (!decode(v, &insn))
			guest_dies(v, "instruction cannot be read");
		audit(v, "invlpg", -1);
		flush_page(v, insn.linear);
		skip(v, insn.length);
		break;
	case EXIT_IOIO:
		io_exit(v);
		break;
	case EXIT_MSR:
		msr_exit(v, c->exit_info1 & 1);
		break;
	case EXIT_NPF:
		page_exit(v);
		break;
	case EXIT_VMRUN ... EXIT_SKINIT:
	case EXIT_MONITOR ... EXIT_XSETBV:
		inject(v, VECTOR_UD, false, 0);
		break;
	case EXIT_SHUTDOWN:
		guest_dies(v, "triple fault");
	default:
		guest_dies(v, "unexpected exit");
	}
}

/* --- the loop --- */

void vcpu_kick(struct vcpu *v)
{
	if (host_apic_read(0x20) >> 24 == v->host_apic_id)
		return;
	host_apic_write(0x310, v->host_apic_id << 24);
	host_apic_write(0x300, 0x4000 | HOST_KICK);
}

static bool may_run(struct vcpu *v)
{
	if (v->wish)
		return true;
	if (v->state != VCPU_RUNS)
		return false;
	if (v->nmi && v->nmi_mask == NMI_OPEN)
		return true;
	return !v->halted || (!v->masked_halt && apic_next(v));
}

static void wait(struct vcpu *v)
{
	/* IF is clear, so no interrupt comes between the check and the HLT. */
	asm volatile("cli; stgi" : : : "memory");
	if (!may_run(v))
		asm volatile("sti; hlt" : : : "memory");
	asm volatile("sti; nop; clgi" : : : "memory");
	interrupts_check(v);
}

/* Handles INIT and start-up IPIs from other CPUs (APM vol. 2 section 16.5). */
static void take_wish(struct vcpu *v)
{
	u32 wish = __atomic_exchange_n(&v->wish, 0, __ATOMIC_SEQ_CST);

	if (wish & 1) {
		v->state = VCPU_INIT;
		apic_reset(v);
	}
	if ((wish & 2) && v->state == VCPU_INIT)
		vcpu_reset(v);
}

/* Delivers an NMI at any instruction, even if the guest masks interrupts (APM vol. 2 8.2.3). */
static void take_nmi(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;

	if (v->nmi_mask == NMI_IRET && c->rip != v->nmi_iret)
		v->nmi_mask = NMI_OPEN;
	if (!v->nmi || v->nmi_mask != NMI_OPEN || (c->event_inj & EVENT_VALID))
		return;
	c->intercept |= ICPT_IRET;
	if (paravirtual && !vmi_nmi(v))
		return;
	v->nmi = false;
	v->nmi_mask = NMI_MASKED;
	c->event_inj = VECTOR_NMI | EVENT_NMI | EVENT_VALID;
}

void vcpu_run(struct vcpu *v)
{
	for (;;) {
		if (v->wish)
			take_wish(v);
		if (!may_run(v)) {
			wait(v);
			continue;
		}
		v->halted = false;
		if (v->nmi || v->nmi_mask != NMI_OPEN)
			take_nmi(v);
		if (paravirtual)
			vmi_before_entry(v);
		else
			apic_before_entry(v);
		vcpu_enter(v, (u64)v->vmcb);
		v->vmcb->tlb_control = 0;
		if (!paravirtual)
			apic_after_exit(v);
		handle_exit(v);
	}
}
