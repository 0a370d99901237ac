// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Contract tests of table "irq".  Whether interrupts are masked is observed
 * from outside: an IPI to ourselves is pending, and arrives or does not.
 */
#include "../guest.h"

#define TEST_IPI	(PV_VECTOR_IPI + 1)

static void self_ipi(void)
{
	pv_send_ipi(pv_port_this_cpu(), TEST_IPI);
}

/* One that cannot arrive now; until it is pending, wherever it is kept. */
static void pend_ipi(void)
{
	u64 end;

	self_ipi();
	end = pv_clock_read() + 2000000;
	while (pv_clock_read() < end)
		asm volatile("pause");
}

/*
 * One instruction, and then what has come: nothing of the compiler's stands between an op
 * that unmasks and this.
 */
static __always_inline u64 count_after_one(void)
{
	u64 count;

	asm volatile("nop\n\tmov %1, %0" : "=r" (count) : "m" (trap_count[TEST_IPI]) : "memory");
	return count;
}

static bool arrives_by(u64 before, u64 end)
{
	while (trap_count[TEST_IPI] == before && pv_clock_read() < end)
		asm volatile("pause");
	return trap_count[TEST_IPI] != before;
}

/* One that can: the machine may be busy with others. */
static bool arrived(u64 before)
{
	return arrives_by(before, pv_clock_read() + 5000000000ULL);
}

/* Long enough for an interrupt that can come, if the machine is not busy. */
static bool stays_away(u64 before)
{
	return !arrives_by(before, pv_clock_read() + 2000000);
}

TEST(save_fl)
{
	pv_flags_t on, off;

	pv_irq_enable();
	on = pv_save_fl();
	pv_irq_disable();
	off = pv_save_fl();
	EXPECT(!pv_irqs_disabled_flags(on));
	EXPECT(pv_irqs_disabled_flags(off));
	/* Reading changes nothing. */
	EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
	pv_irq_enable();
	EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
}

TEST(restore_fl)
{
	u64 before = trap_count[TEST_IPI];
	pv_flags_t on = pv_save_fl(), off;

	pv_irq_disable();
	off = pv_save_fl();
	pend_ipi();
	pv_restore_fl(off);
	EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
	EXPECT_EQ(trap_count[TEST_IPI], before);
	pv_restore_fl(on);
	/* Before it returns, not at some time. */
	EXPECT_EQ(count_after_one(), before + 1);
	EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
}

TEST(irqs_disabled_flags)
{
	pv_flags_t on, off;
	u32 i;

	for (i = 0; i < 3; i++) {
		on = pv_save_fl();
		EXPECT_EQ(pv_irqs_disabled_flags(on), 0);
		pv_irq_disable();
		off = pv_save_fl();
		EXPECT_EQ(pv_irqs_disabled_flags(off), 1);
		EXPECT_EQ(pv_irqs_disabled_flags(on), 0);
		pv_restore_fl(on);
	}
}

TEST(irq_disable)
{
	u64 before = trap_count[TEST_IPI];

	pv_irq_disable();
	self_ipi();
	EXPECT(stays_away(before));
	/* Twice is the same as once. */
	pv_irq_disable();
	EXPECT(stays_away(before));
	pv_irq_enable();
	EXPECT(arrived(before));
}

TEST(irq_enable)
{
	u64 before = trap_count[TEST_IPI];

	pv_irq_disable();
	pend_ipi();
	EXPECT_EQ(trap_count[TEST_IPI], before);
	pv_irq_enable();
	/* A pending interrupt is delivered after one more instruction. */
	EXPECT_EQ(count_after_one(), before + 1);
	pv_irq_enable();
	EXPECT_EQ(trap_count[TEST_IPI], before + 1);
}

static volatile u32 halt_progress;

static void halted_main(u64 cpu)
{
	pv_cpu_init((u32)cpu);
	pv_irq_disable();
	halt_progress = 1;
	pv_halt();
	halt_progress = 2;
	for (;;)
		pv_halt();
}

TEST(halt)
{
	struct pv_cpu_state state;
	u64 end;

	if (cpus_online < 2) {
		test_skip("needs a second CPU");
		return;
	}
	halt_progress = 0;
	cpu_stop(1);
	cpu_make_state(1, &state);
	state.rip = (unsigned long)halted_main;
	EXPECT_EQ(pv_start_cpu(1, &state), 0);
	end = pv_clock_read() + 20000000;
	while (pv_clock_read() < end)
		asm volatile("pause");
	/* It got there, and nothing has taken it out of the halt. */
	EXPECT_EQ(halt_progress, 1);
	cpu_make_state(1, &state);
	EXPECT_EQ(cpu_start(1, &state), 0);
	EXPECT(cpu_is_online(1));
}

TEST(safe_halt)
{
	u64 ticks = trap_count[PV_VECTOR_TIMER], start;
	u32 i;

	for (i = 0; i < 3; i++) {
		pv_irq_disable();
		start = pv_clock_read();
		pv_set_timer(start + 1000000);
		while (trap_count[PV_VECTOR_TIMER] == ticks) {
			EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
			pv_safe_halt();
			EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
			pv_irq_disable();
		}
		pv_irq_enable();
		ticks = trap_count[PV_VECTOR_TIMER];
		EXPECT(pv_clock_read() - start >= 1000000);
	}
	/* Already pending: must not sleep for ever. */
	pv_irq_disable();
	self_ipi();
	pv_safe_halt();
	EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
}

static u32 seen_vectors;

static void see_vector(u32 vector)
{
	if (vector >= PV_VECTOR_IPI && vector < PV_VECTOR_IPI + PV_IPI_COUNT)
		seen_vectors |= 1U << (vector - PV_VECTOR_IPI);
	EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
}

TEST(upcall)
{
	u64 before = trap_count[TEST_IPI];

	seen_vectors = 0;
	interrupt_hook = see_vector;
	pv_irq_disable();
	/* Two due at once: both are handed over. */
	pv_send_ipi(pv_port_this_cpu(), PV_VECTOR_IPI);
	self_ipi();
	pv_irq_enable();
	EXPECT(arrived(before));
	interrupt_hook = NULL;
	EXPECT_EQ(seen_vectors, 3);
	EXPECT(!pv_irqs_disabled_flags(pv_save_fl()));
}

/* The hypervisors that QEMU's TCG runs nested, with SVM. */
static bool is_nested(void)
{
	static const char *const nested[] = { "kvm", "hyperv", "vmware", "xenpvh", "xenhvm" };
	u32 i;

	for (i = 0; i < sizeof(nested) / sizeof(nested[0]); i++)
		if (text_equal(boot_info.env, nested[i]))
			return true;
	return false;
}

/*
 * No interrupt comes while they are masked, in all tests before this one; and one that
 * does is noticed, and dropped.
 *
 * QEMU keeps the number of an interrupt that VMRUN injects, and may deliver it again until
 * the next #VMEXIT, whatever the guest masks (tests/vm/envs.toml).
 */
TEST(masked_interrupts)
{
	u32 before = masked_interrupts;
	u64 ticks = trap_count[PV_VECTOR_TIMER];

	if (!is_nested())
		EXPECT_EQ(before, 0);
	else if (before)
		print("# %u delivered again by QEMU\n", before);
	if (!pv_impl_is_native(PV_OP_irq_enable)) {
		test_skip("the interrupt mask is not the machine's");
		return;
	}
	pv_irq_disable();
	asm volatile("int %0" : : "i" (PV_VECTOR_TIMER) : "memory");
	pv_irq_enable();
	EXPECT_EQ(masked_interrupts, before + 1);
	EXPECT_EQ(trap_count[PV_VECTOR_TIMER], ticks);
}

static struct regs frame;
static u64 breakpoint_at;

static bool take_breakpoint(struct regs *regs)
{
	if (regs->vector != VECTOR_BP)
		return false;
	frame = *regs;
	EXPECT(pv_irqs_disabled_flags(pv_save_fl()));
	return true;
}

TEST(adjust_exception_frame)
{
	u64 rcx = 0x1111222233334444, r11 = 0x5555666677778888, sp;

	trap_hook = take_breakpoint;
	asm volatile("mov %[r11], %%r11\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %[at]\n\t"
		     "mov %%rsp, %[sp]\n\t"
		     "int3\n"
		     "1:\n\t"
		     "mov %%r11, %[r11]"
		     : "+c" (rcx), [r11] "+d" (r11), [at] "=m" (breakpoint_at), [sp] "=&r" (sp)
		     : : "rax", "r11", "memory");
	trap_hook = NULL;
	EXPECT_EQ(rcx, 0x1111222233334444);
	EXPECT_EQ(r11, 0x5555666677778888);
	EXPECT_EQ(frame.rcx, 0x1111222233334444);
	EXPECT_EQ(frame.r11, 0x5555666677778888);
	EXPECT_EQ(frame.rip, breakpoint_at);
	EXPECT_EQ(frame.rsp, sp);
	EXPECT_EQ(frame.cs & 3, 0);
}

/* --- a device's interrupt, by a line that is a level --- */

/* I/O APIC (Intel 82093AA): pin 2 is the PIT's. */
#define IOAPIC		0xfec00000
#define IOAPIC_VERSION	1
#define IOAPIC_PIN_LOW	(0x10 + 2 * 2)
#define IOAPIC_PIN_HIGH	(IOAPIC_PIN_LOW + 1)
#define PIN_LEVEL	0x8000
#define PIN_MASKED	0x10000
/* PIT: counter 0, mode 0: OUT is high from the end of the count on. */
#define PIT_CH0		0x40
#define PIT_MODE	0x43
#define PIT_CH0_MODE0	0x30

static volatile u32 *ioapic;
static volatile u64 device_interrupts;
static u64 device_last;
static volatile bool device_again;

static u32 ioapic_read(u32 reg)
{
	ioapic[0] = reg;
	return ioapic[4];
}

static void ioapic_write(u32 reg, u32 val)
{
	ioapic[0] = reg;
	ioapic[4] = val;
}

static void out(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static void pit_load(u16 count)
{
	out(PIT_MODE, PIT_CH0_MODE0);
	out(PIT_CH0, count & 0xff);
	out(PIT_CH0, (u8)(count >> 8));
}

/*
 * The handler of a level makes the line low: a new count does, the longest, for
 * 55 ms.
 */
static void device_handler(u32 vector)
{
	u64 now = pv_clock_read();

	if (vector != VECTOR_DEVICE)
		return;
	device_again |= device_interrupts++ && now - device_last < 40000000;
	device_last = now;
	pit_load(0);
}

static void wait_ns(u64 ns)
{
	u64 end = pv_clock_read() + ns;

	while (pv_clock_read() < end)
		asm volatile("pause");
}

/* What is not the layer's own is over when its handler has been, not before. */
TEST(level_interrupt)
{
	u64 end;

	if (boot_info.platform.cpl || text_equal(boot_info.env, "vmimon")) {
		test_skip("the I/O APIC is the hypervisor's");
		return;
	}
	if (!ioapic)
		ioapic = pv_port_map_phys((__force pv_maddr_t)IOAPIC, PV_PAGE_SIZE,
					  PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
	if (!ioapic || ioapic_read(IOAPIC_VERSION) == ~0U || !ioapic_read(IOAPIC_VERSION)) {
		test_skip("no I/O APIC");
		return;
	}
	/* QEMU's TCG may deliver one twice there, and Xen's PIT never lowers its line. */
	if (is_nested()) {
		test_skip("the PIT is a host's");
		return;
	}
	device_interrupts = 0;
	device_again = false;
	interrupt_hook = device_handler;
	ioapic_write(IOAPIC_PIN_HIGH, boot_info.apic_id[0] << 24);
	ioapic_write(IOAPIC_PIN_LOW, PIN_LEVEL | VECTOR_DEVICE);
	/* A millisecond. */
	pit_load(1193);
	end = pv_clock_read() + 5000000000ULL;
	while (!device_interrupts && pv_clock_read() < end)
		asm volatile("pause");
	wait_ns(2000000);
	ioapic_write(IOAPIC_PIN_LOW, PIN_MASKED);
	interrupt_hook = NULL;
	if (!device_interrupts)
		test_skip("no PIT");
	else
		EXPECT(!device_again);
}
