// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What made the guest leave: each intercepted instruction and event, carried out. */
#include "monitor.h"
#include "rom.h"

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

static bool exception_has_error(u32 vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* --- instructions --- */

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

static void table_exit(struct vcpu *v)
{
	static const char *const names[] = {
		"sidt", "sgdt", "sldt", "str", "lidt", "lgdt", "lldt", "ltr"
	};
	struct vmcb *c = v->vmcb;
	u64 code = c->exit_code;
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

static void msr_exit(struct vcpu *v)
{
	bool write = v->vmcb->exit_info1 & 1;
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

static void io_exit(struct vcpu *v)
{
	u64 info = v->vmcb->exit_info1;
	u32 size = IOIO_SIZE(info);

	audit(v, info & IOIO_IN ? "in" : "out", IOIO_PORT(info));
	if (info & IOIO_STRING)
		guest_dies(v, "string I/O is not emulated");
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

static void exception_exit(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	u32 vector = (u32)c->exit_code - EXIT_EXCEPTION;

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

/* --- the table --- */

static void vmmcall_exit(struct vcpu *v)
{
	v->vmcb->event_inj = 0;
	skip(v, VMMCALL_BYTES);
	vmi_call(v);
}

static void cr_read_exit(struct vcpu *v)
{
	cr_exit(v, v->vmcb->exit_code - EXIT_CR_READ, false);
}

static void cr_write_exit(struct vcpu *v)
{
	cr_exit(v, v->vmcb->exit_code - EXIT_CR_WRITE, true);
}

static void dr_read_exit(struct vcpu *v)
{
	dr_exit(v, false);
}

static void dr_write_exit(struct vcpu *v)
{
	dr_exit(v, true);
}

/* The IRET is not executed yet; its address shows later when it is. */
static void iret_exit(struct vcpu *v)
{
	v->vmcb->intercept &= ~ICPT_IRET;
	if (v->nmi_mask == NMI_MASKED) {
		v->nmi_mask = NMI_IRET;
		v->nmi_iret = v->vmcb->rip;
	}
}

		/* The guest can be interrupted now; the next entry does it. */
static void vintr_exit(struct vcpu *v)
{
	(void)v;
}

		/* There is no counter. */
static void rdpmc_exit(struct vcpu *v)
{
	audit(v, "rdpmc", -1);
	v->vmcb->rax = v->regs[RDX] = 0;
	skip(v, 2);
}

static void cpuid_exit(struct vcpu *v)
{
	u32 leaf = (u32)v->vmcb->rax;

	audit(v, "cpuid", leaf);
	do_cpuid(v, leaf);
	skip(v, 2);
}

static void cache_exit(struct vcpu *v)
{
	audit(v, v->vmcb->exit_code == EXIT_INVD ? "invd" : "wbinvd", -1);
	asm volatile("wbinvd" : : : "memory");
	skip(v, 2);
}

static void hlt_exit(struct vcpu *v)
{
	audit(v, "hlt", -1);
	skip(v, 1);
	halt(v, !(v->vmcb->rflags & FLAG_IF));
}

static void invlpg_exit(struct vcpu *v)
{
	struct insn insn;

	if (!decode(v, &insn))
		guest_dies(v, "instruction cannot be read");
	audit(v, "invlpg", -1);
	flush_page(v, insn.linear);
	skip(v, insn.length);
}

/* Instructions that the guest's CPU does not have. */
static void undefined_exit(struct vcpu *v)
{
	inject(v, VECTOR_UD, false, 0);
}

static void shutdown_exit(struct vcpu *v)
{
	guest_dies(v, "triple fault");
}

static void (*const handlers[EXIT_MAX])(struct vcpu *v) = {
	[EXIT_CR_READ ... EXIT_CR_READ + 15] = cr_read_exit,
	[EXIT_CR_WRITE ... EXIT_CR_WRITE + 15] = cr_write_exit,
	[EXIT_DR_READ ... EXIT_DR_READ + 15] = dr_read_exit,
	[EXIT_DR_WRITE ... EXIT_DR_WRITE + 15] = dr_write_exit,
	[EXIT_EXCEPTION ... EXIT_EXCEPTION + 31] = exception_exit,
	[EXIT_SWINT] = software_interrupt,
	[EXIT_IRET] = iret_exit,
	[EXIT_INTR] = take_interrupts,
	[EXIT_NMI] = take_interrupts,
	[EXIT_VINTR] = vintr_exit,
	[EXIT_IDTR_READ ... EXIT_TR_WRITE] = table_exit,
	[EXIT_RDPMC] = rdpmc_exit,
	[EXIT_CPUID] = cpuid_exit,
	[EXIT_INVD] = cache_exit,
	[EXIT_WBINVD] = cache_exit,
	[EXIT_HLT] = hlt_exit,
	[EXIT_INVLPG] = invlpg_exit,
	[EXIT_IOIO] = io_exit,
	[EXIT_MSR] = msr_exit,
	[EXIT_NPF] = page_exit,
	[EXIT_VMRUN] = undefined_exit,
	[EXIT_VMMCALL] = vmmcall_exit,
	[EXIT_VMMCALL + 1 ... EXIT_SKINIT] = undefined_exit,
	[EXIT_MONITOR ... EXIT_XSETBV] = undefined_exit,
	[EXIT_SHUTDOWN] = shutdown_exit,
};

void handle_exit(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;

	if (c->exit_code >= EXIT_MAX)
		guest_dies(v, "VMRUN refused the state");
	v->exits[c->exit_code]++;
	/* An event whose delivery was interrupted is injected again. */
	c->event_inj = c->exit_int_info & EVENT_VALID ? c->exit_int_info : 0;
	if (!handlers[c->exit_code])
		guest_dies(v, "unexpected exit");
	handlers[c->exit_code](v);
}
