// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Beyond the contract: the ROM has served every VMI call that the guest has made,
 * and the sites of the mask ops lead directly into the ROM's own code.
 */
#include "../guest.h"
#include "../../../backends/vmi/internal.h"

#define TIMES	7

static bool possible(void)
{
	if (!text_equal(pv_backend()->name, "vmi")) {
		test_skip("not VMI");
		return false;
	}
	if (!pvvmi_rom_counters()) {
		test_skip("the ROM does not count");
		return false;
	}
	pv_set_timer(~0ULL);
	return true;
}

static void use_breakpoint(void)
{
	asm volatile("int3");
}

static bool ignore(struct regs *regs)
{
	return regs->vector == VECTOR_BP;
}

static u64 sink;

#define USE(name, statement)	static void use_##name(void) { statement; }
USE(read_cr0, sink = pv_read_cr0())
USE(read_cr2, sink = pv_read_cr2())
USE(read_cr3, sink = pv_read_cr3())
USE(read_cr4, sink = pv_read_cr4())
USE(store_tr, sink = pv_store_tr())
USE(irq_enable, pv_irq_enable())
USE(irq_disable, pv_irq_disable(); pv_irq_disable(); pv_irq_enable())
USE(save_fl, sink = (__force u64)pv_save_fl())
USE(restore_fl, pv_restore_fl(pv_save_fl()))

/* Ops whose sites lead directly into the ROM, so only the ROM can count them. */
static const struct {
	enum pv_op op;
	u32 call;
	u32 calls;
	void (*use)(void);
} direct[] = {
	{ PV_OP_read_cr0, VMI_GET_CR0, 1, use_read_cr0 },
	{ PV_OP_read_cr2, VMI_GET_CR2, 1, use_read_cr2 },
	{ PV_OP_read_cr3, VMI_GET_CR3, 1, use_read_cr3 },
	{ PV_OP_read_cr4, VMI_GET_CR4, 1, use_read_cr4 },
	{ PV_OP_store_tr, VMI_GET_TR, 1, use_store_tr },
	{ PV_OP_irq_enable, VMI_ENABLE_INTERRUPTS, 1, use_irq_enable },
	{ PV_OP_irq_disable, VMI_DISABLE_INTERRUPTS, 2, use_irq_disable },
	{ PV_OP_save_fl, VMI_GET_INTERRUPT_MASK, 1, use_save_fl },
	{ PV_OP_restore_fl, VMI_SET_INTERRUPT_MASK, 1, use_restore_fl },
	{ PV_OP_iret, VMI_IRET, 1, use_breakpoint },
};

TEST(vmi_direct)
{
	u32 i, n;

	if (!possible())
		return;
	trap_hook = ignore;
	for (i = 0; i < sizeof(direct) / sizeof(direct[0]); i++) {
		u64 before = pvvmi_rom_count(direct[i].call), after;

		for (n = 0; n < TIMES; n++)
			direct[i].use();
		after = pvvmi_rom_count(direct[i].call);
		if (pv_impl_is_native(direct[i].op))
			EXPECT_EQ(after - before, 0);
		else
			EXPECT_EQ(after - before, TIMES * direct[i].calls);
	}
	trap_hook = NULL;
}

static u64 linear_flags(unsigned long va)
{
	return pv_pte_val(*pv_port_linear_pte(pv_port_virt_to_pfn(va))) &
	       (PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_NX);
}

/* The copy's code is not writable, its data not executable. */
TEST(vmi_wx)
{
	unsigned long code = (unsigned long)pv_impl_of(PV_OP_read_cr0)->fn;

	if (!possible())
		return;
	if (pv_impl_is_native(PV_OP_read_cr0)) {
		test_skip("no address inside the ROM is known");
		return;
	}
	EXPECT_EQ(linear_flags(code), PV_PTE_PRESENT);
	EXPECT_EQ(linear_flags(pvvmi_rom_counters()), PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_NX);
}

/* Is a call made only where the guest counts it? */
static bool counted(u32 nr)
{
	u32 i;

	for (i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		if (direct[i].call == nr)
			return false;
	return true;
}

TEST(vmi_counts)
{
	u32 nr, seen = 0;

	if (!possible())
		return;
	/* Uses of many calls: descriptors, tables, flushes, switches, alarms. */
	EXPECT_EQ(proc_wait(proc_start(USER_FORK, 0)), 0);
	EXPECT_EQ(proc_wait(proc_start(USER_MEMORY, 0)), 0);
	pv_wbinvd();
	pv_set_timer(~0ULL);
	for (nr = 0; nr < VMI_CALLS; nr++) {
		u64 ours = pv_backend()->hypercalls(nr), rom = pvvmi_rom_count(nr);

		seen += rom != 0;
		/* The ROM also counts the calls of other CPUs. */
		if (counted(nr) && (cpus_online == 1 || rom < ours) && rom != ours) {
			print("# call %u\n", nr);
			EXPECT_EQ(rom, ours);
		}
	}
	EXPECT(seen > 10);
}

/* 256 entries are queued without a trap, and flushed by one trap. */
TEST(vmi_batch)
{
	struct mm mm;
	u64 before, traps, calls;
	pv_pte_t *ptep;
	u32 i;

	if (!text_equal(pv_backend()->name, "vmi")) {
		test_skip("not VMI");
		return;
	}
	if (pv_impl_is_native(PV_OP_set_pte)) {
		test_skip("page tables are native");
		return;
	}
	if (!batches()) {
		test_skip("an op that must drain is native, so nothing is queued");
		return;
	}
	if (!mm_create(&mm)) {
		test_error("no memory for an address space");
		return;
	}
	ptep = vm_walk(mm.root, 0x40000000, true, &mm);
	before = pv_backend()->hypercalls(~0U);
	calls = pv_backend()->hypercalls(VMI_SET_PXE_LONG);
	pv_batch_enter(PV_BATCH_MMU);
	for (i = 0; i < 256; i++)
		pv_set_pte(ptep + i, pv_make_pte(0x1000));
	pv_batch_leave(PV_BATCH_MMU);
	traps = pv_backend()->hypercalls(~0U) - before;
	EXPECT_EQ(pv_backend()->hypercalls(VMI_SET_PXE_LONG) - calls, 256);
	EXPECT_EQ(traps, 1);
	EXPECT_EQ(pv_pte_val(ptep[255]), 0x1000);
	mm_destroy(&mm);
}
