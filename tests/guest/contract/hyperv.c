// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The Hyper-V backend beyond its ops' contracts: it makes the calls that it reports
 * and no others, each form works, and after an exit nothing is in use.
 */
#include "../guest.h"
#include "../../../backends/hyperv/internal.h"

#define TEST_IPI	(PV_VECTOR_IPI + 1)
#define MS		1000000ULL
#define VA		0x40000000UL

static bool is_hyperv(void)
{
	if (text_equal(pv_backend()->name, "hyperv"))
		return true;
	test_skip("not Hyper-V's interface");
	return false;
}

static volatile u64 received[PV_MAX_CPUS];

static void count_ipi(u32 vector)
{
	if (vector == TEST_IPI)
		received[pv_port_this_cpu()]++;
}

static bool arrives(u32 cpu, u64 want)
{
	u64 end = pv_clock_read() + 5000 * MS;

	while (received[cpu] != want && pv_clock_read() < end)
		asm volatile("pause");
	return received[cpu] == want;
}

/* An op makes a call once or never, as the boot block says. */
TEST(hyperv_calls)
{
	static const struct pv_cpumask self = { { 1 } }, both = { { 3 } };
	u64 calls, want = cpus_online > 1 && pvhyperv_uses(HV_USE_FLUSH);

	if (!is_hyperv())
		return;
	calls = hypercalls();
	pv_clock_read();
	pv_set_timer(~0ULL);
	pv_flush_tlb_multi(&self, VA, VA + PAGE);
	EXPECT_EQ(hypercalls(), calls);

	/* A list, and all entries; the native flush is an IPI, which may be a call. */
	if (pvhyperv_uses(HV_USE_FLUSH)) {
		calls = pv_backend()->hypercalls(HVCALL_FLUSH_LIST);
		pv_flush_tlb_multi(&both, VA, VA + 32 * PAGE);
		EXPECT_EQ(pv_backend()->hypercalls(HVCALL_FLUSH_LIST), calls + want);
		calls = pv_backend()->hypercalls(HVCALL_FLUSH_SPACE);
		pv_flush_tlb_multi(&both, VA, VA + 33 * PAGE);
		pv_flush_tlb_multi(&both, 0, 0);
		EXPECT_EQ(pv_backend()->hypercalls(HVCALL_FLUSH_SPACE), calls + 2 * want);
	}

	received[0] = 0;
	interrupt_hook = count_ipi;
	calls = hypercalls();
	want = pvhyperv_uses(HV_USE_IPI) && !pv_impl_is_native(PV_OP_send_ipi);
	pv_send_ipi(0, TEST_IPI);
	EXPECT(arrives(0, 1));
	EXPECT_EQ(hypercalls(), calls + want);
	interrupt_hook = NULL;
}

/* As with a VP index of 64 or more: only sets, and no call for an empty mask. */
TEST(hyperv_wide)
{
	static const struct pv_cpumask self = { { 1 } }, both = { { 3 } }, none = { { 0 } };
	bool wide = pvhyperv_wide;
	u64 calls, want = cpus_online > 1;

	if (!is_hyperv())
		return;
	if (!pvhyperv_uses(HV_USE_FLUSH) || !pvhyperv_uses(HV_USE_IPI) ||
	    !pvhyperv_uses(HV_USE_EX) || pv_impl_is_native(PV_OP_send_ipi)) {
		test_skip("needs all forms of flush and IPI");
		return;
	}
	pvhyperv_wide = true;
	calls = hypercalls();
	pv_flush_tlb_multi(&self, VA, VA + PAGE);
	pv_flush_tlb_multi(&self, 0, 0);
	pv_flush_tlb_multi(&none, VA, VA + PAGE);
	pv_send_ipi_mask(&none, TEST_IPI);
	EXPECT_EQ(hypercalls(), calls);
	pv_flush_tlb_multi(&both, VA, VA + PAGE);
	EXPECT_EQ(hypercalls(), calls + want);
	calls = pv_backend()->hypercalls(HVCALL_FLUSH_SPACE_EX);
	pv_flush_tlb_multi(&both, 0, 0);
	EXPECT_EQ(pv_backend()->hypercalls(HVCALL_FLUSH_SPACE_EX), calls + want);
	received[0] = 0;
	interrupt_hook = count_ipi;
	calls = pv_backend()->hypercalls(HVCALL_SEND_IPI_EX);
	pv_send_ipi(0, TEST_IPI);
	EXPECT(arrives(0, 1));
	EXPECT_EQ(pv_backend()->hypercalls(HVCALL_SEND_IPI_EX), calls + 1);
	interrupt_hook = NULL;
	pvhyperv_wide = wide;
}

/* A single refusal (of a vector that nobody may send) is reported, and ends no use. */
TEST(hyperv_refused)
{
	static const struct pv_cpumask self = { { 1 } };
	u32 errors = pv_batch_error_count();
	u64 calls;

	if (!is_hyperv())
		return;
	if (!pvhyperv_uses(HV_USE_IPI) || pv_impl_is_native(PV_OP_send_ipi)) {
		test_skip("needs the IPI call");
		return;
	}
	EXPECT(!pvhyperv_ipi(&self, 1, false, PV_OP_send_ipi, (unsigned long)test_hyperv_refused));
	EXPECT_EQ(pv_batch_error_count(), errors + 1);
	calls = hypercalls();
	received[0] = 0;
	interrupt_hook = count_ipi;
	pv_send_ipi(0, TEST_IPI);
	EXPECT(arrives(0, 1));
	EXPECT_EQ(hypercalls(), calls + 1);
	interrupt_hook = NULL;
}

static volatile u64 *word;
static volatile u64 seen;
static pv_pfn_t space;

static void read_word(void *arg)
{
	u64 home = pv_read_cr3();

	(void)arg;
	pv_write_cr3(pv_pfn_nr(space) << PV_PAGE_SHIFT);
	seen = *word;
	pv_write_cr3(home);
}

/* A flush of few pages and of all, by mask and by set: each is accepted and works. */
static void each_form(struct mm *mm)
{
	static const struct pv_cpumask second = { { 2 } };
	pv_pte_t *ptep = vm_walk(mm->root, VA, false, mm);
	pv_pfn_t pages[2];
	u32 form, i;

	for (i = 0; i < 2; i++) {
		pages[i] = page_alloc();
		*(u64 *)pv_port_pfn_to_virt(pages[i]) = 100 + i;
	}
	for (form = 0; form < 4; form++) {
		bool ex = form & 1;
		u64 end = form & 2 ? 0 : VA + PAGE;
		u32 nr = ex ? (end ? HVCALL_FLUSH_LIST_EX : HVCALL_FLUSH_SPACE_EX) :
			      (end ? HVCALL_FLUSH_LIST : HVCALL_FLUSH_SPACE);
		u64 calls = pv_backend()->hypercalls(nr);

		for (i = 0; i < 2; i++) {
			pv_set_pte(ptep, pv_make_pte(pv_pfn_nr(pages[i]) << PV_PAGE_SHIFT |
						     PV_PTE_PRESENT | PV_PTE_ACCESSED));
			EXPECT(pvhyperv_flush(&second, VA, end, ex, 0));
			pv_port_call_cpus(&second, read_word, NULL);
			EXPECT_EQ(seen, 100 + i);
		}
		EXPECT_EQ(pv_backend()->hypercalls(nr), calls + 2);
	}
	pv_set_pte(ptep, pv_make_pte(0));
	pv_flush_tlb_multi(&second, 0, 0);
	for (i = 0; i < 2; i++)
		page_put(pages[i]);
}

TEST(hyperv_forms)
{
	static const struct pv_cpumask both = { { 3 } };
	struct mm mm;
	u32 ex;

	if (!is_hyperv())
		return;
	if (cpus_online < 2 || !pvhyperv_uses(HV_USE_FLUSH) || !pvhyperv_uses(HV_USE_IPI) || !pvhyperv_uses(HV_USE_EX)) {
		test_skip("needs a second CPU, and all forms of flush and IPI");
		return;
	}
	interrupt_hook = count_ipi;
	received[0] = received[1] = 0;
	for (ex = 0; ex < 2; ex++) {
		EXPECT(pvhyperv_ipi(&both, TEST_IPI, ex, PV_OP_send_ipi_mask, 0));
		EXPECT(arrives(0, ex + 1));
		EXPECT(arrives(1, ex + 1));
	}
	interrupt_hook = NULL;

	if (!mm_create(&mm) || !mm_map(&mm, VA, 1, true)) {
		test_error("no memory for an address space");
		return;
	}
	/* The page-table pages stay. */
	mm_unmap(&mm, VA, 1);
	word = (volatile u64 *)VA;
	space = mm.root;
	each_form(&mm);
	mm_destroy(&mm);
}

/* Between exit and init the hypervisor writes to no memory of the guest. */
static void expect_registers(bool on)
{
	if (pvhyperv.privileges & HV_PRIV_APIC)
		EXPECT_EQ(pv_read_msr(HV_MSR_VP_ASSIST) & HV_VP_ASSIST_ENABLE,
			  on && pv_impl_is_own(PV_OP_upcall));
	if (pvhyperv.privileges & HV_PRIV_REF_TSC)
		EXPECT_EQ(pv_read_msr(HV_MSR_REF_TSC) & HV_REF_TSC_ENABLE,
			  on && (pv_impl_is_own(PV_OP_clock_read) || pv_impl_is_own(PV_OP_set_timer)));
	if (pvhyperv.privileges & HV_PRIV_SYNTIMER)
		EXPECT_EQ(pv_read_msr(HV_MSR_STIMER0_CONFIG) != 0,
			  on && pv_impl_is_own(PV_OP_set_timer));
	EXPECT_EQ(pv_read_msr(HV_MSR_HYPERCALL) & HV_HYPERCALL_ENABLE, on);
	EXPECT_EQ(pv_read_msr(HV_MSR_GUEST_OS_ID) != 0, on);
}

static void expect_ops_work(void)
{
	u64 before = trap_count[PV_VECTOR_TIMER], now = pv_clock_read(), end = now + 5000 * MS;

	received[0] = 0;
	interrupt_hook = count_ipi;
	pv_send_ipi(0, TEST_IPI);
	EXPECT(arrives(0, 1));
	interrupt_hook = NULL;
	pv_set_timer(now + 2 * MS);
	while (trap_count[PV_VECTOR_TIMER] == before && pv_clock_read() < end)
		asm volatile("pause");
	EXPECT(trap_count[PV_VECTOR_TIMER] > before);
	EXPECT(pv_clock_read() >= now + 2 * MS);
}

TEST(hyperv_given_back)
{
	u64 before = pv_clock_read(), calls;

	if (!is_hyperv())
		return;
	expect_registers(true);
	pv_cpu_exit();
	expect_registers(false);
	calls = hypercalls();
	expect_ops_work();
	EXPECT_EQ(hypercalls(), calls);
	EXPECT(pv_clock_read() > before);
	before = pv_clock_read();
	pv_cpu_init(0);
	expect_registers(true);
	expect_ops_work();
	EXPECT(pv_clock_read() > before);
}
