// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Beyond the contract: what the host does with the memory it was given.  A
 * preempted CPU flushes its TLB before it runs again, time that it waits is
 * counted, and pv_cpu_exit() takes all memory back.
 */
#include "../guest.h"
#include "../../../backends/kvm/internal.h"

#define VA		0x40000000UL
#define MS		1000000ULL
#define FLAGS_RW	(PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_ACCESSED | PV_PTE_DIRTY)
#define ROUNDS		12

static const struct pv_cpumask second = { { 2 } };

static bool possible(u32 cpus)
{
	if (!text_equal(pv_backend()->name, "kvm"))
		test_skip("not KVM");
	else if (cpus_online < cpus)
		test_skip("needs a second CPU");
	else
		return true;
	return false;
}

static bool grows(volatile u64 *count)
{
	u64 from = *count, end = pv_clock_read() + 5000 * MS;

	while (*count == from && pv_clock_read() < end)
		asm volatile("pause");
	return *count != from;
}

/* CPU 1 reads without end, and may never see less than what was flushed for. */
static volatile u64 flushed, reads, stale;

static void read_on(void)
{
	u64 least = __atomic_load_n(&flushed, __ATOMIC_ACQUIRE);

	if (*(volatile u64 *)VA < least)
		stale++;
	reads++;
}

static void use_root(void *arg)
{
	pv_write_cr3((u64)arg);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void map_number(pv_pte_t *ptep, pv_pfn_t pfn, u64 number)
{
	*(volatile u64 *)pv_port_pfn_to_virt(pfn) = number;
	pv_set_pte(ptep, pv_make_pte(pv_pfn_nr(pfn) << PV_PAGE_SHIFT | FLAGS_RW));
}

TEST(kvm_flush)
{
	pv_pfn_t page[2];
	u64 home = pv_read_cr3(), nr;
	pv_pte_t *ptep;
	struct mm mm;
	u32 asked = 0;

	if (!possible(2))
		return;
	if (!pvkvm_mmu_impls.flush_tlb_multi.fn) {
		test_skip("the host offers no TLB flush");
		return;
	}
	page[0] = page_alloc();
	page[1] = page_alloc();
	if (page[0] == PV_PFN_NONE || page[1] == PV_PFN_NONE || !mm_create(&mm)) {
		test_error("no memory");
		return;
	}
	ptep = vm_walk(mm.root, VA, true, &mm);
	map_number(ptep, page[0], 1);
	flushed = 1;
	stale = 0;
	pv_port_call_cpus(&second, use_root, (void *)(pv_pfn_nr(mm.root) << PV_PAGE_SHIFT));
	cpu_idle_work = read_on;
	cpu_wake(1);
	for (nr = 2; nr < ROUNDS; nr++) {
		EXPECT(grows(&reads));
		map_number(ptep, page[nr & 1], nr);
		pv_flush_tlb_multi(&second, VA, VA + PAGE);
		asked += *(volatile u8 *)pvkvm_preempted(1) ==
			 (KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB);
		__atomic_store_n(&flushed, nr, __ATOMIC_RELEASE);
	}
	EXPECT(grows(&reads));
	EXPECT_EQ(stale, 0);
	cpu_idle_work = NULL;
	/* Held, it is not inside of what it did. */
	pv_port_hold_cpus(nothing, NULL);
	pv_port_call_cpus(&second, use_root, (void *)home);
	pv_set_pte(ptep, pv_make_pte(0));
	mm_destroy(&mm);
	page_put(page[0]);
	page_put(page[1]);
	if (!asked)
		test_skip("CPU 1 was never preempted");
}

static void spin(void)
{
	asm volatile("pause");
}

TEST(kvm_stolen)
{
	u64 before, end;
	bool waited = false;

	if (!possible(2))
		return;
	before = pv_stolen_time(1);
	cpu_idle_work = spin;
	cpu_wake(1);
	end = pv_clock_read() + 40 * MS;
	while (pv_clock_read() < end)
		waited |= pv_vcpu_is_preempted(1);
	cpu_idle_work = NULL;
	cpu_wake(1);
	if (!waited || pv_impl_is_native(PV_OP_stolen_time))
		test_skip("CPU 1 was never preempted");
	else
		EXPECT(pv_stolen_time(1) > before);
}

static u64 msrs[3];

static void read_msrs(void)
{
	msrs[0] = pv_read_msr(MSR_KVM_SYSTEM_TIME_NEW);
	msrs[1] = pv_read_msr(MSR_KVM_STEAL_TIME);
	msrs[2] = pv_read_msr(MSR_KVM_PV_EOI_EN);
}

/* Only interfaces that are used are set up, none of an op that is left to native. */
static void expect_used(void)
{
	EXPECT_EQ(msrs[0] & 1, pv_impl_is_own(PV_OP_clock_read));
	EXPECT_EQ(msrs[1] & 1, pv_impl_is_own(PV_OP_stolen_time) ||
		  pv_impl_is_own(PV_OP_vcpu_is_preempted) ||
		  pv_impl_is_own(PV_OP_flush_tlb_multi) ||
		  (pvkvm_yields && pv_impl_is_own(PV_OP_send_ipi_mask)));
	EXPECT_EQ(msrs[2] & 1, pv_impl_is_own(PV_OP_upcall));
}

static void leave_host(void *arg)
{
	(void)arg;
	pv_cpu_exit();
	read_msrs();
}

static void join_host(void *arg)
{
	(void)arg;
	pv_cpu_init(pv_port_this_cpu());
	read_msrs();
}

static void check_exit(u32 cpu)
{
	const struct pv_cpumask one = { { 1ULL << cpu } };
	u64 before = pv_clock_read();
	u32 i;

	if (cpu)
		pv_port_call_cpus(&one, leave_host, NULL);
	else
		leave_host(NULL);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(msrs[i], 0);
	/* Still a clock. */
	EXPECT(pv_clock_read() >= before);
	EXPECT_EQ(pv_vcpu_is_preempted(cpu), 0);
	if (cpu)
		pv_port_call_cpus(&one, join_host, NULL);
	else
		join_host(NULL);
	expect_used();
	EXPECT(pv_clock_read() >= before);
}

TEST(kvm_exit)
{
	if (!possible(1))
		return;
	if (!pvkvm_has(KVM_FEATURE_CLOCKSOURCE2) || !pvkvm_has(KVM_FEATURE_STEAL_TIME) ||
	    !pvkvm_has(KVM_FEATURE_PV_EOI)) {
		test_skip("the host lacks one of the three");
		return;
	}
	read_msrs();
	expect_used();
	check_exit(0);
	if (cpus_online > 1)
		check_exit(1);
}
