// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Local APIC (SDM vol. 3A chapter 11, xAPIC mode): timer, IPIs, CPU start.
 */
#include "native.h"

#define MSR_APIC_BASE		0x1b
#define APIC_TPR		0x080
#define APIC_EOI		0x0b0
#define APIC_SPURIOUS		0x0f0
#define APIC_ICR_LOW		0x300
#define APIC_ICR_HIGH		0x310
#define APIC_LVT_TIMER		0x320
#define APIC_TIMER_INITIAL	0x380
#define APIC_TIMER_CURRENT	0x390
#define APIC_TIMER_DIVIDE	0x3e0

#define ICR_PENDING		0x1000
#define ICR_INIT		0x4500
#define ICR_STARTUP		0x4600
#define ICR_FIXED		0x4000
#define SPURIOUS_VECTOR		0xff
#define DIVIDE_BY_1		0xb
#define LVT_MASKED		0x10000

#define START_TIMEOUT_US	200000

static volatile u32 *apic;
/* Timer counts per nanosecond, times 2^32. */
static u64 timer_scale;

static u32 apic_read(u32 reg)
{
	return apic[reg / 4];
}

static void apic_write(u32 reg, u32 val)
{
	apic[reg / 4] = val;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_cpu_setup(void)
{
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, PV_VECTOR_TIMER);
}

void apic_setup(void)
{
	u64 base = pv_native_read_msr(MSR_APIC_BASE) & PV_FRAME_MASK;

	/* The legacy controllers stay masked: nothing here uses their lines. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);

	apic = pv_port_map_phys((__force pv_maddr_t)base, PV_PAGE_SIZE,
				PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
	if (!apic)
		pv_port_panic("native: local APIC cannot be mapped");
	apic_cpu_setup();

	apic_write(APIC_LVT_TIMER, LVT_MASKED | PV_VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, ~0U);
	delay_us(1000);
	/* Counts in a millisecond. */
	timer_scale = ((u64)(~0U - apic_read(APIC_TIMER_CURRENT)) << 32) / 1000000;
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, PV_VECTOR_TIMER);
	if (!timer_scale)
		pv_port_panic("native: the APIC timer does not count");
}

void native_fn_set_timer(u64 deadline)
{
	u64 now, count;

	if (deadline == ~0ULL) {
		apic_write(APIC_TIMER_INITIAL, 0);
		return;
	}
	/* Deadlines are the chosen clock's, which need not be ours. */
	now = pv_clock_read();
	/* Rounded up, so that the clock has reached the deadline when it fires. */
	count = deadline <= now ? 1 :
		(u64)((unsigned __int128)(deadline - now) * timer_scale >> 32) + 2;
	apic_write(APIC_TIMER_INITIAL, count > ~0U ? ~0U : (u32)count);
}

void apic_send(u32 apic_id, u32 command)
{
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		asm volatile("pause");
	apic_write(APIC_ICR_HIGH, apic_id << 24);
	apic_write(APIC_ICR_LOW, command);
}

void native_fn_send_ipi(u32 cpu, u32 vector)
{
	pv_flags_t flags = pv_save_fl();

	/* ICR is two registers: no interrupt may send in between. */
	pv_irq_disable();
	apic_send(pv_port_apic_id(cpu), ICR_FIXED | vector);
	pv_restore_fl(flags);
}

void native_fn_send_ipi_mask(const struct pv_cpumask *mask, u32 vector)
{
	u32 cpu;

	pv_for_each_cpu(cpu, mask)
		native_fn_send_ipi(cpu, vector);
}

void native_fn_stop_cpu(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* What trampoline.S finds at the end of its page. */
struct start_block {
	u32 cr3;
	u32 efer_low;
	u32 cr4;
	u32 cr0;
	u32 far_offset;
	u16 far_selector;
	u16 gdt_limit;
	u32 gdt_base;
	u64 entry;
	u64 state;
};

extern const u8 native_trampoline[], native_trampoline_end[];
extern const u8 native_trampoline_long[], native_trampoline_gdt[], native_trampoline_block[];
extern void native_cpu_entry(void);
/* Written by the new CPU when it executes its own code. */
extern volatile u32 native_cpu_arrived;

/*
 * Page tables for the switch to long mode: the kernel's upper half, and the
 * first 2 MiB one to one for the trampoline.  Below 4 GiB, as the CPU loads
 * CR3 in 32-bit mode.
 */
static u64 start_tables[3][PV_TABLE_ENTRIES] __attribute__((aligned(4096)));

static u64 table_phys(u32 nr)
{
	return pv_pfn_nr(pv_port_virt_to_pfn(start_tables[nr])) << PV_PAGE_SHIFT;
}

static u64 build_start_tables(u64 cr3)
{
	const u64 *root = pv_port_pfn_to_virt(pv_pfn(cr3 >> PV_PAGE_SHIFT));
	u32 i;

	for (i = PV_TABLE_ENTRIES / 2; i < PV_TABLE_ENTRIES; i++)
		start_tables[0][i] = root[i];
	start_tables[0][0] = table_phys(1) | PV_PTE_PRESENT | PV_PTE_RW;
	start_tables[1][0] = table_phys(2) | PV_PTE_PRESENT | PV_PTE_RW;
	start_tables[2][0] = PV_PTE_PRESENT | PV_PTE_RW | 0x80;
	return table_phys(0);
}

static int refuse(u32 cpu, int error, const char *why)
{
	pv_port_log("pvops: start_cpu %u: %s", cpu, why);
	return error;
}

int native_fn_start_cpu(u32 cpu, const struct pv_cpu_state *state)
{
	u32 apic_id = cpu < PV_MAX_CPUS ? pv_port_apic_id(cpu) : ~0U;
	pv_pfn_t low = pv_port_low_page();
	struct start_block *block;
	u32 base, waited, i;
	u8 *page;

	if (apic_id == ~0U)
		return refuse(cpu, -2, "no such CPU");
	if ((state->cr0 & 0x80010001) != 0x80010001 || !(state->cr4 & 0x20) ||
	    !(state->efer & 0x100) || !state->rip || !state->rsp)
		return refuse(cpu, -22, "state is not 64-bit paged kernel mode");
	if (low == PV_PFN_NONE || pv_pfn_nr(low) >= 0x100 || !apic)
		return refuse(cpu, -22, "no page below 1 MiB to start from, or no APIC");

	base = (u32)(pv_pfn_nr(low) << PV_PAGE_SHIFT);
	page = pv_port_pfn_to_virt(low);
	for (i = 0; i < (u32)(native_trampoline_end - native_trampoline); i++)
		page[i] = native_trampoline[i];
	block = (struct start_block *)(page + (native_trampoline_block - native_trampoline));
	block->cr3 = (u32)build_start_tables(state->cr3);
	block->efer_low = (u32)state->efer & 0x901;
	block->cr4 = (u32)state->cr4;
	block->cr0 = (u32)state->cr0;
	block->far_offset = base + (u32)(native_trampoline_long - native_trampoline);
	block->far_selector = 8;
	block->gdt_limit = 15;
	block->gdt_base = base + (u32)(native_trampoline_gdt - native_trampoline);
	block->entry = (unsigned long)native_cpu_entry;
	block->state = (unsigned long)state;

	native_cpu_arrived = 0;
	apic_send(apic_id, ICR_INIT);
	delay_us(10000);
	for (i = 0; i < 2 && !native_cpu_arrived; i++) {
		apic_send(apic_id, ICR_STARTUP | base >> PV_PAGE_SHIFT);
		delay_us(200);
	}
	for (waited = 0; !native_cpu_arrived && waited < START_TIMEOUT_US; waited += 100)
		delay_us(100);
	if (!native_cpu_arrived)
		return refuse(cpu, -110, "it never arrived");
	return 0;
}

/* trampoline.S addresses both structures by number. */
_Static_assert(offsetof(struct pv_cpu_state, cr0) == 24, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, gs_base) == 56, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, gdt) == 64, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, idt) == 74, "trampoline.S");
_Static_assert(offsetof(struct start_block, far_offset) == 16, "trampoline.S");
_Static_assert(offsetof(struct start_block, gdt_limit) == 22, "trampoline.S");
_Static_assert(offsetof(struct start_block, entry) == 32, "trampoline.S");
