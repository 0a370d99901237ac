// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Contract tests of table "cpu".  They read descriptors with LSL, which reads the
 * current tables at any privilege level.
 */
#include "../guest.h"

#define CR0_TS		0x8ULL
#define CR4_DE		0x8ULL
#define MSR_EFER	0xc0000080
#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_KERNEL_GS	0xc0000102
#define MSR_NONE	0x12345678
#define SELECTOR_NONE	0

static const u64 flat_data = 0x00cff3000000ffff;	/* limit 0xffffffff */
static const u64 small_data = 0x0040f3000000ffff;	/* limit 0xffff */

/* Returns the limit of a selector's segment, 0 if it is not valid. */
static u32 limit_of(u32 selector)
{
	u32 limit = 0;

	asm volatile("lsl %1, %0" : "+r" (limit) : "r" (selector) : "cc");
	return limit;
}

static volatile u32 traps;
static volatile u64 trap_vector;
static volatile u64 trap_rip;
static volatile u64 trap_cr2;
static u64 skip_bytes;

/* Counts a trap of any vector and steps over the instruction. */
static bool count_and_skip(struct regs *regs)
{
	traps++;
	trap_vector = regs->vector;
	trap_rip = regs->rip;
	if (regs->vector == VECTOR_PF)
		trap_cr2 = pv_read_cr2();
	regs->rip += skip_bytes;
	return true;
}

static bool clear_ts(struct regs *regs)
{
	if (regs->vector != VECTOR_NM)
		return false;
	traps++;
	pv_clts();
	return true;
}

static u32 fpu_traps(void)
{
	traps = 0;
	trap_hook = clear_ts;
	asm volatile("fninit");
	trap_hook = NULL;
	return traps;
}

TEST(read_cr0)
{
	u64 cr0 = pv_read_cr0();

	/* PG, WP, PE: a 64-bit kernel needs them. */
	EXPECT_EQ(cr0 & 0x80010001, 0x80010001);
	EXPECT_EQ(pv_read_cr0(), cr0);
}

TEST(write_cr0)
{
	u64 cr0 = pv_read_cr0();

	pv_write_cr0(cr0 | CR0_TS);
	EXPECT_EQ(pv_read_cr0() & CR0_TS, CR0_TS);
	EXPECT_EQ(fpu_traps(), 1);
	EXPECT_EQ(pv_read_cr0() & CR0_TS, 0);
	pv_write_cr0(cr0 & ~CR0_TS);
	EXPECT_EQ(pv_read_cr0(), cr0 & ~CR0_TS);
	EXPECT_EQ(fpu_traps(), 0);
}

TEST(clts)
{
	pv_write_cr0(pv_read_cr0() | CR0_TS);
	pv_clts();
	EXPECT_EQ(pv_read_cr0() & CR0_TS, 0);
	EXPECT_EQ(fpu_traps(), 0);
}

TEST(read_cr2)
{
	volatile u8 *nowhere = (volatile u8 *)0x7000123;

	traps = 0;
	trap_hook = count_and_skip;
	/* mov (%rax),%al is two bytes. */
	skip_bytes = 2;
	asm volatile("movb (%%rax), %%al" : : "a" (nowhere) : "memory");
	trap_hook = NULL;
	EXPECT_EQ(traps, 1);
	EXPECT_EQ(trap_vector, VECTOR_PF);
	EXPECT_EQ(trap_cr2, (unsigned long)nowhere);
	EXPECT_EQ(pv_read_cr2(), (unsigned long)nowhere);
}

TEST(write_cr2)
{
	pv_write_cr2(0x123456789000);
	EXPECT_EQ(pv_read_cr2(), 0x123456789000);
	pv_write_cr2(0);
	EXPECT_EQ(pv_read_cr2(), 0);
}

TEST(read_cr4)
{
	/* PAE. */
	EXPECT_EQ(pv_read_cr4() & 0x20, 0x20);
}

TEST(write_cr4)
{
	u64 cr4 = pv_read_cr4();

	pv_write_cr4(cr4 | CR4_DE);
	EXPECT_EQ(pv_read_cr4(), cr4 | CR4_DE);
	pv_write_cr4(cr4 & ~CR4_DE);
	EXPECT_EQ(pv_read_cr4(), cr4 & ~CR4_DE);
	pv_write_cr4(cr4);
}

/* The contents of caches cannot be observed, but hypercalls can be counted. */
TEST(wbinvd)
{
	static volatile u64 word;
	u64 calls;
	u32 i;

	word = 0x5a5a;
	calls = hypercalls();
	for (i = 0; i < 3; i++)
		pv_wbinvd();
	calls = hypercalls() - calls;
	EXPECT_EQ(word, 0x5a5a);
	if (pv_impl_is_native(PV_OP_wbinvd))
		test_skip("native: only a hypervisor can see it");
	else
		EXPECT_EQ(calls, 3);
}

TEST(cpuid)
{
	struct pv_cpuid leaf0 = { .eax = 0 }, leaf1 = { .eax = 1 }, again = { .eax = 1 };
	struct pv_cpuid ext = { .eax = 0x80000001 };

	pv_cpuid(&leaf0);
	EXPECT(leaf0.eax >= 1);
	EXPECT(leaf0.ebx && leaf0.ecx && leaf0.edx);
	pv_cpuid(&leaf1);
	pv_cpuid(&again);
	EXPECT_EQ(leaf1.edx, again.edx);
	EXPECT_EQ(leaf1.eax, again.eax);
	/* TSC, MSR; long mode. */
	EXPECT_EQ(leaf1.edx & 0x30, 0x30);
	pv_cpuid(&ext);
	EXPECT(ext.edx & 1U << 29);
}

TEST(read_msr)
{
	u64 fs = pv_read_msr(MSR_FS_BASE);

	EXPECT_EQ(pv_read_msr(MSR_GS_BASE), percpu_base[pv_port_this_cpu()]);
	/* LMA and LME. */
	EXPECT_EQ(pv_read_msr(MSR_EFER) & 0x500, 0x500);
	pv_write_msr(MSR_FS_BASE, 0x123000);
	EXPECT_EQ(pv_read_msr(MSR_FS_BASE), 0x123000);
	pv_write_msr(MSR_FS_BASE, fs);
}

TEST(write_msr)
{
	static u64 word = 0xfeedface;
	u64 fs = pv_read_msr(MSR_FS_BASE), gs = pv_read_msr(MSR_KERNEL_GS), got;

	pv_write_msr(MSR_FS_BASE, (unsigned long)&word);
	asm volatile("mov %%fs:0, %0" : "=r" (got));
	EXPECT_EQ(got, 0xfeedface);
	pv_write_msr(MSR_FS_BASE, fs);
	pv_write_msr(MSR_KERNEL_GS, 0x7000000);
	EXPECT_EQ(pv_read_msr(MSR_KERNEL_GS), 0x7000000);
	/* The kernel's own base is unchanged. */
	EXPECT_EQ(percpu_base[pv_port_this_cpu()], *PV_PERCPU_PTR(percpu_self));
	pv_write_msr(MSR_KERNEL_GS, gs);
}

static bool break_as_fault(struct regs *regs)
{
	if (regs->vector != VECTOR_DB)
		return false;
	traps++;
	pv_set_debugreg(7, 0x400);
	return trap_fixup(regs);
}

/*
 * Some machines (QEMU's TCG) return 0 for registers that do not exist.  Then
 * a breakpoint on the instruction replaces the fault.
 */
static int msr_fault(int (*access)(void), enum pv_op op)
{
	unsigned long fn = (unsigned long)pv_impl_of(op)->fn, insn;
	int error = access();

	if (error)
		return error;
	insn = extable_insn(fn, fn + 128);
	EXPECT(insn != 0);
	traps = 0;
	trap_hook = break_as_fault;
	pv_set_debugreg(0, insn);
	pv_set_debugreg(7, 0x401);
	error = access();
	pv_set_debugreg(7, 0x400);
	trap_hook = NULL;
	EXPECT_EQ(traps, 1);
	return error;
}

static u64 msr_value;

static int read_none(void)
{
	msr_value = 1;
	return pv_read_msr_safe(MSR_NONE, &msr_value);
}

static int write_none(void)
{
	return pv_write_msr_safe(MSR_NONE, 0);
}

TEST(read_msr_safe)
{
	u64 val = 1;

	EXPECT_EQ(pv_read_msr_safe(MSR_EFER, &val), 0);
	EXPECT_EQ(val & 0x500, 0x500);
	EXPECT_EQ(msr_fault(read_none, PV_OP_read_msr_safe), -EIO);
	EXPECT_EQ(msr_value, 0);
}

TEST(write_msr_safe)
{
	u64 fs = pv_read_msr(MSR_FS_BASE);

	EXPECT_EQ(pv_write_msr_safe(MSR_FS_BASE, 0x456000), 0);
	EXPECT_EQ(pv_read_msr(MSR_FS_BASE), 0x456000);
	EXPECT_EQ(msr_fault(write_none, PV_OP_write_msr_safe), -EIO);
	pv_write_msr(MSR_FS_BASE, fs);
}

#define NO_COUNTER	0x2bad0
#define PMC_LOW		0x89abcdefU
#define PMC_HIGH	0x01234567U

/* Acts as the counter, and checks the instruction and the counter's number. */
static bool be_a_counter(struct regs *regs)
{
	static const u8 rdpmc[] = { 0x0f, 0x33 };

	if (memcmp((const void *)regs->rip, rdpmc, sizeof(rdpmc)))
		return false;
	traps++;
	trap_vector = regs->vector;
	EXPECT_EQ((u32)regs->rcx, NO_COUNTER);
	regs->rax = PMC_LOW;
	regs->rdx = PMC_HIGH;
	regs->rip += sizeof(rdpmc);
	return true;
}

/* No CPU has this counter: the read faults as on hardware, or the hypervisor returns 0. */
TEST(read_pmc)
{
	u64 val;

	traps = 0;
	trap_hook = be_a_counter;
	val = pv_read_pmc(NO_COUNTER);
	trap_hook = NULL;
	/* A hypervisor may emulate the instruction, too. */
	if (!traps && !text_equal(pv_backend()->name, "native")) {
		EXPECT_EQ(val, 0);
		return;
	}
	EXPECT_EQ(traps, 1);
	/* TCG has no RDPMC. */
	EXPECT(trap_vector == VECTOR_GP || trap_vector == VECTOR_UD);
	EXPECT_EQ(val, (u64)PMC_HIGH << 32 | PMC_LOW);
}

TEST(rdtsc)
{
	u64 last = pv_rdtsc(), now;
	u32 i;

	for (i = 0; i < 100; i++) {
		now = pv_rdtsc();
		EXPECT(now > last);
		last = now;
	}
}

static void watched(void)
{
	asm volatile("nop");
}

static bool take_debug(struct regs *regs)
{
	if (regs->vector != VECTOR_DB)
		return false;
	traps++;
	trap_rip = regs->rip;
	/* Resume flag: the instruction is not trapped again. */
	regs->rflags |= 0x10000;
	pv_set_debugreg(7, 0x400);
	return true;
}

TEST(debugreg)
{
	static const u32 address_regs[] = { 0, 1, 2, 3 };
	void (*volatile call)(void) = watched;
	u32 i;

	for (i = 0; i < 4; i++)
		pv_set_debugreg(address_regs[i], 0x1000 * (i + 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(pv_get_debugreg(address_regs[i]), 0x1000 * (i + 1));
	traps = 0;
	trap_hook = take_debug;
	pv_set_debugreg(0, (unsigned long)watched);
	/* Local enable of breakpoint 0: execution. */
	pv_set_debugreg(7, 0x401);
	EXPECT_EQ(pv_get_debugreg(7) & 0xff, 1);
	call();
	trap_hook = NULL;
	EXPECT_EQ(traps, 1);
	EXPECT_EQ(trap_rip, (unsigned long)watched);
	EXPECT_EQ(pv_get_debugreg(6) & 1, 1);
	pv_set_debugreg(7, 0x400);
	pv_set_debugreg(6, 0xffff0ff0);
	for (i = 0; i < 4; i++)
		pv_set_debugreg(address_regs[i], 0);
	EXPECT_EQ(pv_get_debugreg(7) & 0xff, 0);
}

static void current_tables(struct pv_dtr *gdtr, struct pv_dtr *idtr)
{
	gdtr->limit = GDT_ENTRIES * 8 - 1;
	gdtr->base = (unsigned long)this_gdt();
	idtr->limit = sizeof(idt) - 1;
	idtr->base = (unsigned long)idt;
}

static bool breakpoints(struct regs *regs)
{
	trap_vector = regs->vector;
	traps++;
	return true;
}

static u64 breakpoint_vector(void)
{
	traps = 0;
	trap_hook = breakpoints;
	asm volatile("int3");
	trap_hook = NULL;
	return traps == 1 ? trap_vector : ~0ULL;
}

TEST(load_gdt)
{
	struct pv_dtr gdtr, idtr;

	current_tables(&gdtr, &idtr);
	pv_irq_disable();
	pv_load_gdt(&gdtr);
	pv_irq_enable();
	EXPECT_EQ(limit_of(PV_USER_DS), 0xffffffff);
	EXPECT_EQ(limit_of(PV_USER_CS), 0xffffffff);
	EXPECT_EQ(limit_of((GDT_ENTRIES - 1) * 8 + 3), 0);
	/* A selector beyond the GDT's limit. */
	EXPECT_EQ(limit_of(GDT_ENTRIES * 8 + 3), 0);
	EXPECT_EQ(breakpoint_vector(), VECTOR_BP);
}

static struct pv_gate second_idt[256] __attribute__((aligned(4096)));

TEST(load_idt)
{
	struct pv_dtr gdtr, idtr, other;

	current_tables(&gdtr, &idtr);
	memcpy(second_idt, idt, sizeof(idt));
	/* In the second table a breakpoint has the gate of vector 20. */
	second_idt[VECTOR_BP] = idt[20];
	other = idtr;
	other.base = (unsigned long)second_idt;
	pv_irq_disable();
	pv_load_idt(&other);
	EXPECT_EQ(breakpoint_vector(), 20);
	pv_load_idt(&idtr);
	EXPECT_EQ(breakpoint_vector(), VECTOR_BP);
	pv_irq_enable();
}

TEST(write_idt_entry)
{
	struct pv_gate old = idt[VECTOR_BP], other = idt[20];

	/* The table is loaded, so the change takes effect at once. */
	pv_write_idt_entry(idt, VECTOR_BP, &other);
	EXPECT_EQ(breakpoint_vector(), 20);
	pv_write_idt_entry(idt, VECTOR_BP, &old);
	EXPECT_EQ(breakpoint_vector(), VECTOR_BP);
}

TEST(load_tr)
{
	/* Done at boot: entries from user mode find their stack. */
	EXPECT_EQ(proc_wait(proc_start(USER_EXIT_CODE, 5)), 5);
}

TEST(store_tr)
{
	u16 tr = pv_store_tr();

	EXPECT(tr == PV_GDT_TSS * 8 || tr == SELECTOR_NONE);
}

static u64 ldt_page[PV_PAGE_SIZE / 8] __attribute__((aligned(4096)));

#define LDT_SELECTOR(index)	((index) * 8 + 4 + 3)

TEST(set_ldt)
{
	ldt_page[2] = flat_data;
	pv_set_ldt(ldt_page, 8);
	EXPECT_EQ(limit_of(LDT_SELECTOR(2)), 0xffffffff);
	EXPECT_EQ(limit_of(LDT_SELECTOR(3)), 0);
	EXPECT_EQ(limit_of(LDT_SELECTOR(8)), 0);
	/* User mode sees it, too. */
	EXPECT_EQ((u32)proc_wait(proc_start(USER_LDT, LDT_SELECTOR(2))), 0xffffffff);
	pv_set_ldt(NULL, 0);
	EXPECT_EQ(limit_of(LDT_SELECTOR(2)), 0);
}

TEST(write_ldt_entry)
{
	pv_set_ldt(ldt_page, 8);
	pv_write_ldt_entry(ldt_page, 4, small_data);
	EXPECT_EQ(limit_of(LDT_SELECTOR(4)), 0xffff);
	pv_write_ldt_entry(ldt_page, 4, 0);
	EXPECT_EQ(limit_of(LDT_SELECTOR(4)), 0);
	pv_set_ldt(NULL, 0);
	/* The op also writes a table that is not loaded. */
	pv_write_ldt_entry(ldt_page, 4, flat_data);
	EXPECT_EQ(ldt_page[4] | 1ULL << 40, flat_data | 1ULL << 40);
	pv_write_ldt_entry(ldt_page, 4, 0);
}

TEST(load_tls)
{
	static const u64 tls[3] = { 0x00cff3000000ffff, 0x0040f3000000ffff, 0x00cff3000000ffff };
	static const u64 none[3];

	pv_load_tls(this_gdt(), tls);
	EXPECT_EQ(limit_of(PV_GDT_TLS * 8 + 3), 0xffffffff);
	EXPECT_EQ(limit_of((PV_GDT_TLS + 1) * 8 + 3), 0xffff);
	EXPECT_EQ(limit_of((PV_GDT_TLS + 2) * 8 + 3), 0xffffffff);
	pv_load_tls(this_gdt(), none);
	EXPECT_EQ(limit_of(PV_GDT_TLS * 8 + 3), 0);
	EXPECT_EQ(limit_of((PV_GDT_TLS + 2) * 8 + 3), 0);
}

static u32 gs_selector(void)
{
	u32 selector;

	asm volatile("mov %%gs, %0" : "=r" (selector));
	return selector & 0xffff;
}

TEST(load_gs_index)
{
	u64 base;

	pv_irq_disable();
	pv_load_gs_index(PV_USER_DS);
	EXPECT_EQ(gs_selector(), PV_USER_DS);
	pv_load_gs_index(0);
	EXPECT_EQ(gs_selector(), 0);
	/* An invalid selector gives 0, and no fault. */
	pv_load_gs_index(0x7f8 + 3);
	EXPECT_EQ(gs_selector(), 0);
	pv_irq_enable();
	/* The kernel's own base is unchanged. */
	base = percpu_base[pv_port_this_cpu()];
	EXPECT_EQ(*PV_PERCPU_PTR(percpu_self), base);
}

TEST(write_gdt_entry)
{
	u64 *gdt = this_gdt();
	const u64 none = 0;

	pv_write_gdt_entry(gdt, GDT_ENTRIES - 1, &flat_data, 1);
	EXPECT_EQ(limit_of((GDT_ENTRIES - 1) * 8 + 3), 0xffffffff);
	pv_write_gdt_entry(gdt, GDT_ENTRIES - 1, &small_data, 1);
	EXPECT_EQ(limit_of((GDT_ENTRIES - 1) * 8 + 3), 0xffff);
	pv_write_gdt_entry(gdt, GDT_ENTRIES - 1, &none, 1);
	EXPECT_EQ(limit_of((GDT_ENTRIES - 1) * 8 + 3), 0);
}

static u64 entry_stack;

static bool note_stack(struct regs *regs)
{
	if ((regs->cs & 3) && regs->vector == VECTOR_PF)
		entry_stack = (unsigned long)regs;
	return false;
}

TEST(load_sp0)
{
	struct proc *proc = proc_start(USER_FAULT, 0x6000000);
	u64 top;

	if (!proc) {
		test_error("a process could not be started");
		return;
	}
	top = proc->stack_top;
	entry_stack = 0;
	trap_hook = note_stack;
	EXPECT_EQ(proc_wait(proc), -VECTOR_PF);
	trap_hook = NULL;
	/* The frame is at the top of the stack that the switch loaded. */
	EXPECT_EQ(entry_stack, top - sizeof(struct regs));
}

TEST(set_iopl)
{
	EXPECT_EQ(proc_wait(proc_start(USER_PORT, 0)), -VECTOR_GP);
	EXPECT_EQ(proc_wait(proc_start(USER_PORT, 1)), 0);
	/* The level belonged to the task that had it. */
	EXPECT_EQ(proc_wait(proc_start(USER_PORT, 0)), -VECTOR_GP);
}

#define DELAY_PORT	0x80
/* DR7: breakpoint 0 on, at a byte of the ports (CR4.DE). */
#define DR7_PORT	0x20401

static bool count_port(struct regs *regs)
{
	if (regs->vector != VECTOR_DB)
		return false;
	traps++;
	pv_set_debugreg(6, 0xffff0ff0);
	return true;
}

TEST(io_delay)
{
	u64 cr4 = pv_read_cr4();
	u32 i, direct;

	pv_write_cr4(cr4 | CR4_DE);
	pv_set_debugreg(0, DELAY_PORT);
	pv_set_debugreg(7, DR7_PORT);
	trap_hook = count_port;
	traps = 0;
	pv_native()->cpu->io_delay.fn();
	direct = traps;
	traps = 0;
	for (i = 0; i < 5; i++)
		pv_io_delay();
	trap_hook = NULL;
	pv_set_debugreg(7, 0x400);
	pv_set_debugreg(0, 0);
	pv_write_cr4(cr4);
	if (!direct)
		test_skip("no breakpoints at ports here");
	else
		EXPECT_EQ(traps, pv_impl_is_native(PV_OP_io_delay) ? 5 : 0);
}

TEST(swapgs)
{
	u64 gs = pv_read_msr(MSR_KERNEL_GS);

	/* User mode has its own base; each entry loads the kernel's again. */
	pv_write_msr(MSR_KERNEL_GS, 0x5000000);
	EXPECT_EQ(proc_wait(proc_start(USER_SYSCALLS, 3)), 0);
	EXPECT_EQ(*PV_PERCPU_PTR(percpu_self), percpu_base[pv_port_this_cpu()]);
	EXPECT_EQ(pv_read_msr(MSR_KERNEL_GS), 0x5000000);
	pv_write_msr(MSR_KERNEL_GS, gs);
}

TEST(iret)
{
	/* Kernel to kernel, with the interrupt state of the frame. */
	pv_irq_disable();
	EXPECT_EQ(breakpoint_vector(), VECTOR_BP);
	EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
	pv_irq_enable();
	EXPECT_EQ(breakpoint_vector(), VECTOR_BP);
	EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
	/* Kernel to user. */
	EXPECT_EQ(proc_wait(proc_start(USER_FLAGS, 0)), 0);
}

TEST(context_switch)
{
	struct proc *a = proc_start(USER_TLS, 1), *b = proc_start(USER_TLS, 2);
	u64 before = context_switches;

	EXPECT_EQ(proc_wait(a), 0);
	EXPECT_EQ(proc_wait(b), 0);
	EXPECT(context_switches - before >= 40);
}
