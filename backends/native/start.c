// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Starting a CPU: INIT and SIPI (SDM vol. 3A section 8.4).  The CPU starts in a page
 * below 1 MiB, switches to start tables of the layer, and loads the requested state.
 *
 * The first part is code without paging, which may load only the bits that lead to long
 * mode: the CPU refuses PCIDE outside of long mode, and CET before CR0.WP is set (SDM
 * vol. 3A section 2.5).  pvnative_cpu_entry loads the rest of the state.
 */
#include "internal.h"

#define ICR_INIT		0x4500
#define ICR_STARTUP		0x4600
#define START_TIMEOUT_US	200000

#define CR0_PE_WP_PG		0x80010001
#define CR4_PAE			0x20
/* Can change only while paging is off. */
#define CR4_LA57		0x1000
#define CR4_FIRST		(CR4_PAE | CR4_LA57)
#define EFER_LME		0x100
/* SCE, LME, NXE: entries of the start tables may have bit 63. */
#define EFER_FIRST		0x901
#define PTE_HUGE		0x80

/* Arguments of trampoline.S, at the end of its code. */
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

extern const u8 pvnative_trampoline[], pvnative_trampoline_end[];
extern const u8 pvnative_trampoline_long[], pvnative_trampoline_gdt[], pvnative_trampoline_block[];
extern void pvnative_cpu_entry(void);
/* The new CPU sets it when it executes kernel text. */
extern volatile u32 pvnative_cpu_arrived;

/*
 * Page tables for the switch to long mode: the kernel's upper half, and an identity
 * mapping of the first 2 MiB for the trampoline.  Without LA57 one table less is used.
 */
#define START_TABLES	4
static u64 start_tables[START_TABLES][PV_TABLE_ENTRIES] __attribute__((aligned(4096)));

static u64 table_phys(u32 nr)
{
	return pv_pfn_nr(pv_port_virt_to_pfn(start_tables[nr])) << PV_PAGE_SHIFT;
}

static void build_start_tables(const struct pv_cpu_state *state)
{
	const u64 *root = pv_port_pfn_to_virt(pv_pfn(state->cr3 >> PV_PAGE_SHIFT));
	u32 last = state->cr4 & CR4_LA57 ? START_TABLES - 1 : START_TABLES - 2, i;

	for (i = PV_TABLE_ENTRIES / 2; i < PV_TABLE_ENTRIES; i++)
		start_tables[0][i] = root[i];
	for (i = 0; i < last; i++)
		start_tables[i][0] = table_phys(i + 1) | PV_PTE_PRESENT | PV_PTE_RW;
	start_tables[last][0] = PV_PTE_PRESENT | PV_PTE_RW | PTE_HUGE;
}

static int refuse(u32 cpu, int error, const char *why)
{
	pv_port_log("pvops: start_cpu %u: %s", cpu, why);
	return error;
}

/* Returns the reason why this CPU, or any, cannot be started, or NULL. */
static const char *impossible(u32 apic_id, pv_pfn_t low)
{
	if (!pvnative_apic_ready())
		return "pv_late_init() was not called: the local APIC is not in use";
	if (!pvnative_apic_can_name(apic_id))
		return "its APIC id needs x2APIC mode, which this machine lacks";
	if (low == PV_PFN_NONE)
		return "the kernel has no page to start from (pv_port_low_page)";
	if (pv_pfn_nr(low) >= 0x100)
		return "the page to start from lies beyond 1 MiB (pv_port_low_page)";
	if (table_phys(0) >> 32)
		return "the kernel lies beyond 4 GiB, where no CPU can be started";
	return NULL;
}

static void fill_page(pv_pfn_t low, const struct pv_cpu_state *state)
{
	u32 base = (u32)(pv_pfn_nr(low) << PV_PAGE_SHIFT), i;
	u8 *page = pv_port_pfn_to_virt(low);
	struct start_block *block;

	for (i = 0; i < (u32)(pvnative_trampoline_end - pvnative_trampoline); i++)
		page[i] = pvnative_trampoline[i];
	block = (struct start_block *)(page + (pvnative_trampoline_block - pvnative_trampoline));
	block->cr3 = (u32)table_phys(0);
	block->efer_low = (u32)state->efer & EFER_FIRST;
	block->cr4 = (u32)state->cr4 & CR4_FIRST;
	block->cr0 = (u32)state->cr0;
	block->far_offset = base + (u32)(pvnative_trampoline_long - pvnative_trampoline);
	block->far_selector = 8;
	block->gdt_limit = 15;
	block->gdt_base = base + (u32)(pvnative_trampoline_gdt - pvnative_trampoline);
	block->entry = (unsigned long)pvnative_cpu_entry;
	block->state = (unsigned long)state;
}

int pvnative_fn_start_cpu(u32 cpu, const struct pv_cpu_state *state)
{
	u32 apic_id = cpu < PV_MAX_CPUS ? pv_port_apic_id(cpu) : ~0U;
	pv_pfn_t low = pv_port_low_page();
	u32 waited, page, i;
	const char *why;

	if (apic_id == ~0U)
		return refuse(cpu, -PV_ENOENT, "no such CPU");
	if ((state->cr0 & CR0_PE_WP_PG) != CR0_PE_WP_PG || !(state->cr4 & CR4_PAE) ||
	    !(state->efer & EFER_LME) || !state->rip || !state->rsp)
		return refuse(cpu, -PV_EINVAL, "state is not 64-bit paged kernel mode");
	why = impossible(apic_id, low);
	if (why)
		return refuse(cpu, -PV_EINVAL, why);

	build_start_tables(state);
	fill_page(low, state);
	page = (u32)pv_pfn_nr(low);
	pvnative_cpu_arrived = 0;
	pvnative_apic_send(apic_id, ICR_INIT);
	pvnative_delay_us(10000);
	for (i = 0; i < 2 && !pvnative_cpu_arrived; i++) {
		pvnative_apic_send(apic_id, ICR_STARTUP | page);
		pvnative_delay_us(200);
	}
	for (waited = 0; !pvnative_cpu_arrived && waited < START_TIMEOUT_US; waited += 100)
		pvnative_delay_us(100);
	if (!pvnative_cpu_arrived)
		return refuse(cpu, -PV_ETIMEDOUT, "the CPU did not start in time");
	return 0;
}

/* trampoline.S addresses both structures by numbers. */
_Static_assert(offsetof(struct pv_cpu_state, cr0) == 24, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, efer) == 48, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, gs_base) == 56, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, gdt) == 64, "trampoline.S");
_Static_assert(offsetof(struct pv_cpu_state, idt) == 74, "trampoline.S");
_Static_assert(offsetof(struct start_block, far_offset) == 16, "trampoline.S");
_Static_assert(offsetof(struct start_block, gdt_limit) == 22, "trampoline.S");
_Static_assert(offsetof(struct start_block, entry) == 32, "trampoline.S");
