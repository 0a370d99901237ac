// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Beyond the contract: hypercalls, stolen time and the console ring of the backend
 * for Xen's hardware-virtualized guests.
 */
#include "../guest.h"

#define VA		0x40000000UL
#define MS		1000000ULL

static bool possible(u32 cpus)
{
	if (!text_equal(pv_backend()->name, "xenhvm"))
		test_skip("not Xen PVH or HVM");
	else if (cpus_online < cpus)
		test_skip("needs a second CPU");
	else
		return true;
	return false;
}

/* One hypercall for any number of CPUs and pages; none for only this CPU. */
TEST(xenhvm_flush)
{
	static const struct pv_cpumask self = { { 1 } }, both = { { 3 } };
	u64 before;

	if (!possible(2))
		return;
	before = hypercalls();
	pv_flush_tlb_multi(&both, VA, VA + PAGE);
	EXPECT_EQ(hypercalls() - before, 1);
	before = hypercalls();
	pv_flush_tlb_multi(&both, 0, 0);
	EXPECT_EQ(hypercalls() - before, 1);
	before = hypercalls();
	pv_flush_tlb_multi(&self, VA, VA + PAGE);
	EXPECT_EQ(hypercalls() - before, 0);
}

/* Xen counts a CPU that stopped itself as offline; that time is not stolen. */
TEST(xenhvm_stopped)
{
	struct pv_cpu_state state;
	u64 stolen, end;

	if (!possible(2))
		return;
	if (pv_impl_is_native(PV_OP_stop_cpu)) {
		test_skip("a CPU that native stops is offline to Xen without its own wish");
		return;
	}
	stolen = pv_stolen_time(1);
	cpu_stop(1);
	end = pv_clock_read() + 30 * MS;
	while (pv_clock_read() < end)
		asm volatile("pause");
	cpu_make_state(1, &state);
	EXPECT_EQ(cpu_start(1, &state), 0);
	EXPECT(cpu_is_online(1));
	EXPECT(pv_stolen_time(1) - stolen < 10 * MS);
}

#define LINES	40
#define LINE	64

/* Writes more than the ring holds in one call; tests/vm/outside.t checks the output. */
TEST(xenhvm_console)
{
	static char text[LINES * LINE];
	u32 line, i;

	if (!possible(1))
		return;
	if (pv_impl_is_native(PV_OP_console_write)) {
		test_skip("the console is left to native");
		return;
	}
	for (line = 0; line < LINES; line++) {
		char *at = text + line * LINE;
		int used = pv_port_format(at, LINE, "# console line %02u ", line);

		for (i = (u32)used; i < LINE - 1; i++)
			at[i] = (char)('a' + i % 26);
		at[LINE - 1] = '\n';
	}
	pv_console_write(text, sizeof(text));
}
