// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * load=SECONDS[,SEED]: every CPU makes, copies, changes and destroys address spaces
 * as fast as it can.  Meanwhile timer interrupts, IPIs, remote TLB flushes and NMIs hit
 * it anywhere, sites are patched back and forth, and (fault=, inject.h) hypercalls fail.
 *
 * A shadow copy, which only this file reads and writes, has the expected state of each
 * page.  A step fails the test if the page tables, the contents of a page or the
 * permitted accesses differ from the shadow.  So the test finds a lost update, no matter
 * where it was lost.
 */
#include "guest.h"
#include <pvops/inject.h>
#include "../../backends/xen/internal.h"

#define MSR_FS_BASE	0xc0000100
#define MS		1000000ULL

/* Address spaces of a CPU; their pages cross the end of a table. */
#define SPACES		4
#define PAGES		256
#define FIRST_VA	(USER_HEAP + (2UL << 20) - PAGES / 2 * PAGE)
#define NONE		(~0U)

/* A page. */
#define PRESENT		1
#define WRITABLE	2

struct space {
	struct mm mm;
	bool used;
	u8 state[PAGES];
	u64 stamp[PAGES];
};

struct load {
	struct space space[SPACES];
	u32 at;			/* the current one, or NONE */
	u64 random;
	volatile u64 steps;
	volatile u32 step;	/* the current step */
	volatile bool active;
	/* The interrupt handler's own table. */
	struct mm handler_mm;
	pv_pte_t *handler_ptes;
	pv_pfn_t handler_page;
	/* Counts of events on this CPU, and of those inside a batch. */
	u64 timers, timers_in_batch, nmis, nmis_in_batch, ipis, calls;
	u64 forks, maps, protects, writes, faults, switches, verified;
};

static struct load loads[PV_MAX_CPUS];
static volatile bool stop;
static volatile u32 running;
static u64 repatches, processes, restarts;
static bool stopped_wrong;

/* False while that CPU is in user mode, where only hypervisors give an NMI a stack. */
static volatile bool nmi_wanted[PV_MAX_CPUS];
static volatile bool nmis_off;
/* Number of senders that have read these two and have not sent yet. */
static volatile u32 nmi_senders;
static u64 nmis_sent;
static volatile u32 *apic;

static struct load *mine(void)
{
	return &loads[pv_port_this_cpu()];
}

static u64 rnd(struct load *load, u64 below)
{
	u64 x = load->random;

	/* Marsaglia's xorshift. */
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	load->random = x;
	return x % below;
}

static void wrong(const char *what, u64 va, u64 got, u64 want)
{
	const struct load *load = mine();

	if (!stop)
		print("# load: CPU %u, step %lu (%u), page 0x%lx: %s\n", pv_port_this_cpu(),
		      (unsigned long)load->steps, load->step, (unsigned long)va, what);
	test_fail(__FILE__, __LINE__, what, got, want);
	stopped_wrong = true;
	stop = true;
#ifdef PV_PORT_INJECT
	/* No more faults: the test must be able to end. */
	pv_inject_arm("0");
#endif
}

static u64 page_va(u32 nr)
{
	return FIRST_VA + nr * PAGE;
}

/* --- touching pages --- */

/* Returns false if the page cannot be written. */
static bool try_write(u64 va, u64 val)
{
	u64 done;

	asm volatile("xor %k0, %k0\n"
		     "1: mov %2, (%1)\n\t"
		     "mov $1, %k0\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : "=&r" (done) : "r" (va), "r" (val) : "memory", "cc");
	return done;
}

static bool try_read(u64 va, u64 *val)
{
	u64 done;

	asm volatile("xor %k0, %k0\n"
		     "1: mov (%2), %1\n\t"
		     "mov $1, %k0\n"
		     "2:\n\t"
		     PV_EXTABLE(1b, 2b)
		     : "=&r" (done), "=&r" (*val) : "r" (va) : "memory", "cc");
	return done;
}

static bool load_trap(struct regs *regs)
{
	struct load *load = mine();

	if (!load->active || regs->cs & 3 || regs->vector != VECTOR_PF)
		return false;
	if (load->at != NONE && mm_fault(&load->space[load->at].mm, pv_read_cr2(), regs->error))
		return true;
	load->faults++;
	return trap_fixup(regs);
}

/* --- the shadow against the tables --- */

static bool is_xen(void)
{
	return text_equal(pv_backend()->name, "xen");
}

/* On Xen user mode has a root of its own, which must have the same entries. */
static void verify_user_root(const struct space *space)
{
	const u64 *root = pv_port_pfn_to_virt(space->mm.root), *user;
	pv_pfn_t pfn;
	u32 nr;

	if (!is_xen())
		return;
	if (!pvxen_user_root_pfn(space->mm.root, &pfn)) {
		wrong("no user root", 0, 0, pv_pfn_nr(space->mm.root));
		return;
	}
	user = pv_port_pfn_to_virt(pfn);
	for (nr = 0; nr < PV_TABLE_ENTRIES / 2; nr++)
		if ((root[nr] ^ user[nr]) & (PV_FRAME_MASK | PV_PTE_PRESENT | PV_PTE_RW))
			wrong("lost update: user root", nr, user[nr], root[nr]);
}

/* Text is writable only for patching. */
static void verify_text(void)
{
	extern u8 __pv_text_start[], __pv_text_end[];
	u64 va;

	for (va = (unsigned long)__pv_text_start; va < (unsigned long)__pv_text_end; va += PAGE) {
		u64 val = pv_pte_val(*vm_walk(boot_info.root, va, false, NULL));

		if (val & PV_PTE_RW)
			wrong("lost update: text is writable", va, val, 0);
	}
}

static void verify(struct load *load, struct space *space)
{
	u32 nr;

	verify_user_root(space);
	for (nr = 0; nr < PAGES && !stop; nr++) {
		pv_pte_t *ptep = vm_walk(space->mm.root, page_va(nr), false, &space->mm);
		u64 val = ptep ? pv_pte_val(*(volatile pv_pte_t *)ptep) : 0;
		u8 state = space->state[nr];
		const u64 *page;

		if (!(val & PV_PTE_PRESENT) != !(state & PRESENT)) {
			wrong("lost update: presence", page_va(nr), val, state);
			return;
		}
		if (!(state & PRESENT))
			continue;
		if (!(val & (PV_PTE_RW | PTE_COW)) != !(state & WRITABLE)) {
			wrong("lost update: permissions", page_va(nr), val, state);
			return;
		}
		if (val & PV_PTE_RW && page_refs(pv_pfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT)) > 1) {
			wrong("lost update: shared and writable", page_va(nr), val, state);
			return;
		}
		page = pv_port_pfn_to_virt(pv_pfn((val & PV_FRAME_MASK) >> PV_PAGE_SHIFT));
		if (page[0] != space->stamp[nr] || page[511] != space->stamp[nr]) {
			wrong("contents", page_va(nr), page[0], space->stamp[nr]);
			return;
		}
		load->verified++;
	}
}

/* Checks the tables by the processor's own accesses. */
static void touch(struct load *load, struct space *space, u32 nr)
{
	u8 state = space->state[nr];
	u64 val = 0, new = load->random | 1;
	bool got;

	got = try_read(page_va(nr), &val);
	if (got != (bool)(state & PRESENT))
		wrong("lost update: can be read?", page_va(nr), got, state);
	else if (got && val != space->stamp[nr])
		wrong("contents, as read", page_va(nr), val, space->stamp[nr]);
	if (stop)
		return;
	got = try_write(page_va(nr), new);
	if (got != (bool)(state & WRITABLE)) {
		wrong("lost update: can be written?", page_va(nr), got, state);
		return;
	}
	if (!got)
		return;
	if (!try_write(page_va(nr) + PAGE - 8, new))
		wrong("lost update: a page that could be written cannot", page_va(nr), 0, 1);
	space->stamp[nr] = new;
	load->writes++;
}

/* --- steps --- */

static void arm(struct load *load)
{
	pv_set_timer(pv_clock_read() + 200000 + rnd(load, 3 * MS));
}

/* Arms the timer so that it often interrupts the next step. */
static void arm_soon(struct load *load)
{
	pv_set_timer(pv_clock_read() + 1000 + rnd(load, 100000));
}

static struct space *here(struct load *load)
{
	return load->at == NONE ? NULL : &load->space[load->at];
}

static u32 range(struct load *load, u32 *first)
{
	u32 count = (u32)rnd(load, 3) ? 1 + (u32)rnd(load, 12) : 1 + (u32)rnd(load, PAGES);

	*first = (u32)rnd(load, PAGES);
	return *first + count > PAGES ? PAGES - *first : count;
}

/* Switches like the scheduler, in one batch, and checks that all of it is done. */
static void step_switch(struct load *load, u32 to)
{
	u64 root = pv_pfn_nr(to == NONE ? kernel_mm.root : load->space[to].mm.root) << PV_PAGE_SHIFT;
	u64 tls[3] = { 0x00cff3000000ffffULL | rnd(load, 1 << 16) << 16, 0, 0 };
	u64 fs = USER_HEAP + rnd(load, 1 << 20) * 8;
	pv_flags_t flags = pv_save_fl();

	pv_irq_disable();
	pv_start_context_switch();
	pv_load_sp0(PV_PERCPU_PTR(percpu_tss), current_proc->stack_top);
	pv_load_tls(this_gdt(), tls);
	pv_write_msr(MSR_FS_BASE, fs);
	pv_write_cr3(root);
	pv_end_context_switch();
	load->at = to;
	pv_restore_fl(flags);
	if (pv_read_cr3() != root)
		wrong("lost update: CR3", 0, pv_read_cr3(), root);
	if (pv_read_msr(MSR_FS_BASE) != fs)
		wrong("lost update: FS base", 0, pv_read_msr(MSR_FS_BASE), fs);
	/* The processor sets the accessed bit. */
	if ((this_gdt()[PV_GDT_TLS] ^ tls[0]) & ~(1ULL << 40))
		wrong("lost update: TLS descriptor", 0, this_gdt()[PV_GDT_TLS], tls[0]);
	load->switches++;
}

static void step_new(struct load *load, u32 nr)
{
	struct space *space = &load->space[nr];

	memset(space, 0, sizeof(*space));
	space->used = mm_create(&space->mm);
	if (!space->used)
		wrong("an address space could not be made", 0, 0, 0);
}

static void step_exit(struct load *load, u32 nr)
{
	struct space *space = &load->space[nr];

	verify(load, space);
	if (load->at == nr)
		step_switch(load, NONE);
	mm_destroy(&space->mm);
	space->used = false;
}

static void step_fork(struct load *load, u32 from, u32 to)
{
	struct space *parent = &load->space[from], *child = &load->space[to];

	arm_soon(load);
	if (!mm_copy(&child->mm, &parent->mm)) {
		wrong("an address space could not be copied", 0, 0, 0);
		return;
	}
	memcpy(child->state, parent->state, sizeof(child->state));
	memcpy(child->stamp, parent->stamp, sizeof(child->stamp));
	child->used = true;
	load->forks++;
	verify(load, parent);
	verify(load, child);
}

static void step_map(struct load *load, struct space *space)
{
	u32 first, count = range(load, &first), nr, end;
	bool writable = rnd(load, 4);

	arm_soon(load);
	for (nr = first; nr < first + count; nr = end + 1) {
		for (end = nr; end < first + count && !(space->state[end] & PRESENT); end++) {
			space->state[end] = writable ? PRESENT | WRITABLE : PRESENT;
			space->stamp[end] = 0;
		}
		if (end > nr && !mm_map(&space->mm, page_va(nr), end - nr, writable))
			wrong("pages could not be mapped", page_va(nr), 0, end - nr);
	}
	verify(load, space);
	load->maps++;
}

static void step_unmap(struct load *load, struct space *space)
{
	u32 first, count = range(load, &first);

	mm_unmap(&space->mm, page_va(first), count);
	memset(space->state + first, 0, count);
	verify(load, space);
}

/* Has a fault on another page in the middle of the batch. */
static void step_protect(struct load *load, struct space *space)
{
	u32 first, count = range(load, &first), nr, other = (u32)rnd(load, PAGES);
	bool writable = rnd(load, 2);

	arm_soon(load);
	pv_batch_enter(PV_BATCH_MMU);
	mm_protect(&space->mm, page_va(first), count, writable);
	if (other < first || other >= first + count)
		touch(load, space, other);
	pv_batch_leave(PV_BATCH_MMU);
	for (nr = first; nr < first + count; nr++)
		if (space->state[nr] & PRESENT)
			space->state[nr] = writable ? PRESENT | WRITABLE : PRESENT;
	verify(load, space);
	load->protects++;
}

static void note_call(void *arg)
{
	(void)arg;
	mine()->calls++;
}

/* Disturbs batches of other CPUs, and this CPU's batch if one is open. */
static void step_disturb(struct load *load)
{
	const struct pv_cpumask all = { { (1ULL << cpus_online) - 1 } };
	u32 cpu = (u32)rnd(load, cpus_online);
	u64 va = page_va((u32)rnd(load, PAGES));

	switch (rnd(load, 4)) {
	case 0:
		pv_flush_tlb_multi(&all, va, va + PAGE);
		break;
	case 1:
		pv_flush_tlb_multi(&all, FIRST_VA, FIRST_VA + PAGES * PAGE);
		break;
	case 2:
		pv_send_ipi(cpu, PV_VECTOR_IPI + 1);
		break;
	case 3:
		pv_port_call_cpus(&all, note_call, NULL);
		break;
	}
}

/* Other ops that make hypercalls; most of their effects cannot be read back. */
static void step_others(struct load *load)
{
	static u8 word[PV_MAX_CPUS];
	u32 cpu = pv_port_this_cpu();
	u64 maddr = pv_pfn_nr(load->handler_page) << PV_PAGE_SHIFT, va, val = 0;
	pv_pte_t pte = pv_make_pte(maddr | PV_PTE_PRESENT);

	switch (rnd(load, 7)) {
	case 0:
		pv_set_iopl(0);
		break;
	case 1:
		pv_load_gs_index(0);
		break;
	case 2: {
		const struct pv_gate gate = idt[20];

		pv_write_idt_entry(idt, 20, &gate);
		break;
	}
	case 3:
		pv_write_cr0(pv_read_cr0() | 1 << 3);
		pv_clts();
		break;
	case 4:
		/* A kick before the wait is not lost. */
		word[cpu] = 1;
		pv_lock_kick(cpu);
		pv_lock_wait(&word[cpu], 1);
		break;
	case 5:
		/* Each CPU has its own fixed address. */
		pv_port_fixmap_pte(cpu, &va);
		*(volatile u64 *)pv_port_pfn_to_virt(load->handler_page) = load->random;
		pv_set_fixmap(cpu, (__force pv_maddr_t)((__force u64)pte & PV_FRAME_MASK),
			      PV_PTE_PRESENT | PV_PTE_ACCESSED | PV_PTE_NX);
		if (!try_read(va, &val) ||
		    val != *(volatile u64 *)pv_port_pfn_to_virt(load->handler_page))
			wrong("lost update: fixed address", va, val, load->random);
		pv_set_fixmap(cpu, (__force pv_maddr_t)0, 0);
		if (try_read(va, &val))
			wrong("lost update: fixed address still there", va, val, 0);
		break;
	default:
		pv_flush_tlb_kernel();
	}
}

/* --- NMIs --- */

static void send_nmi(u32 cpu)
{
	pv_flags_t flags;

	__atomic_add_fetch(&nmi_senders, 1, __ATOMIC_SEQ_CST);
	if (nmis_off) {
		/* Not now. */
	} else if (is_xen()) {
		EXPECT_EQ(pvxen_vcpu_op(VCPUOP_send_nmi, cpu, NULL), 0);
		__atomic_add_fetch(&nmis_sent, 1, __ATOMIC_RELAXED);
	} else if (apic && nmi_wanted[cpu]) {
		flags = pv_save_fl();
		pv_irq_disable();
		/* Interrupt command, high and low: delivery mode 4, assert. */
		apic[0x310 / 4] = pv_port_apic_id(cpu) << 24;
		apic[0x300 / 4] = 0x4400;
		pv_restore_fl(flags);
		__atomic_add_fetch(&nmis_sent, 1, __ATOMIC_RELAXED);
	}
	__atomic_sub_fetch(&nmi_senders, 1, __ATOMIC_SEQ_CST);
}

/* Waits until NMIs that are under way have arrived; no more are sent. */
static void nmis_settle(void)
{
	u64 end;

	while (nmi_senders)
		asm volatile("pause");
	for (end = pv_clock_read() + 2 * MS; pv_clock_read() < end;)
		asm volatile("pause");
}

static bool in_batch(void)
{
	const struct pv_batch *batch = PV_PERCPU_PTR(pv_batch_this_cpu);

	return batch->used > batch->flushed;
}

static void load_nmi(void)
{
	struct load *load = mine();

	load->nmis++;
	load->nmis_in_batch += in_batch();
}

/* --- interrupts --- */


/* Updates of a handler take effect at once. */
static void handler_updates(struct load *load)
{
	u64 val = pv_pfn_nr(load->handler_page) << PV_PAGE_SHIFT | PV_PTE_PRESENT | PV_PTE_USER;
	u32 nr = (u32)(load->timers % PV_TABLE_ENTRIES);

	pv_set_pte(&load->handler_ptes[nr], pv_make_pte(val));
	if ((pv_pte_val(load->handler_ptes[nr]) ^ val) & (PV_FRAME_MASK | PV_PTE_PRESENT))
		wrong("lost update: of an interrupt handler", nr,
		      pv_pte_val(load->handler_ptes[nr]), val);
	pv_set_pte(&load->handler_ptes[nr], pv_make_pte(0));
	if (pv_pte_val(load->handler_ptes[nr]) & PV_PTE_PRESENT)
		wrong("lost update: of an interrupt handler", nr,
		      pv_pte_val(load->handler_ptes[nr]), 0);
}

#define HANGS_NS	(20000 * MS)

/* Each CPU watches the others. */
static void watch(void)
{
	static u64 steps[PV_MAX_CPUS][PV_MAX_CPUS], since[PV_MAX_CPUS][PV_MAX_CPUS];
	u64 now = pv_clock_read();
	u32 self = pv_port_this_cpu(), cpu;

	for (cpu = 0; cpu < cpus_online; cpu++) {
		if (steps[self][cpu] != loads[cpu].steps || !loads[cpu].active) {
			steps[self][cpu] = loads[cpu].steps;
			since[self][cpu] = now;
		} else if (now - since[self][cpu] > HANGS_NS) {
			print("# load: CPU %u: step %lu (%u) does not end\n", cpu,
			      (unsigned long)loads[cpu].steps, loads[cpu].step);
			pv_port_panic("load: a CPU hangs");
		}
	}
}

static void load_interrupt(u32 vector)
{
	struct load *load = mine();

	if (vector == PV_VECTOR_IPI + 1)
		load->ipis++;
	if (vector != PV_VECTOR_TIMER || !load->active)
		return;
	load->timers++;
	load->timers_in_batch += PV_PERCPU_PTR(pv_batch_this_cpu)->used != 0;
	handler_updates(load);
	send_nmi((u32)rnd(load, cpus_online));
	watch();
	if (!stop)
		arm(load);
}

/* --- only CPU 0 --- */

static int to_compiled(void *arg)
{
	(void)arg;
	return pv_repatch(true);
}

static int to_chosen(void *arg)
{
	(void)arg;
	return pv_repatch(false);
}

/* Sites are in their compiled form; work goes on with them. */
static bool compiled;

static void step_repatch(void)
{
	/* Entry and exit of NMIs have sites, too: no NMI while these change. */
	nmis_off = true;
	nmis_settle();
	if (pv_port_hold_cpus(compiled ? to_chosen : to_compiled, NULL))
		wrong("sites could not be patched", 0, 0, 0);
	verify_text();
	nmis_off = false;
	compiled = !compiled;
	repatches++;
}

/*
 * Real processes: user mode, fork, copy on write, exit.  Not with sites as compiled,
 * where SWAPGS is a call: at SYSCALL the stack is still the user's.
 */
static void step_process(struct load *load)
{
	bool which = rnd(load, 2);

	if (compiled)
		step_repatch();
	step_switch(load, NONE);
	load->active = false;
	pv_set_timer(~0ULL);
	nmi_wanted[0] = false;
	nmis_settle();
	if (proc_wait(proc_start(which ? USER_FORK : USER_MEMORY, 0)))
		wrong("a process found its memory changed", 0, which, 0);
	nmi_wanted[0] = true;
	load->active = true;
	processes++;
	arm(load);
}

/* --- the loop --- */

static void step(struct load *load)
{
	u32 nr = (u32)rnd(load, SPACES), other = (u32)rnd(load, SPACES);
	struct space *space = here(load);

	load->step = (u32)rnd(load, 100);
	if (!load->space[nr].used) {
		step_new(load, nr);
	} else if (load->step < 5) {
		step_exit(load, nr);
	} else if (load->step < 12) {
		if (other != nr && !load->space[other].used)
			step_fork(load, nr, other);
		else if (other != nr)
			step_exit(load, other);
	} else if (!space || load->step < 20) {
		step_switch(load, nr);
	} else if (load->step < 35) {
		step_map(load, space);
	} else if (load->step < 43) {
		step_unmap(load, space);
	} else if (load->step < 60) {
		step_protect(load, space);
	} else if (load->step < 85) {
		touch(load, space, (u32)rnd(load, PAGES));
	} else if (load->step < 90) {
		step_disturb(load);
	} else if (load->step < 94) {
		step_others(load);
	} else if (load->step < 96) {
		send_nmi((u32)rnd(load, cpus_online));
	} else {
		verify(load, space);
	}
	load->steps++;
}

static void begin(struct load *load)
{
	load->at = NONE;
	if (!mm_create(&load->handler_mm)) {
		wrong("no memory", 0, 0, 0);
		return;
	}
	load->handler_page = page_alloc();
	load->handler_ptes = vm_walk(load->handler_mm.root, USER_HEAP, true, &load->handler_mm);
	load->active = true;
	nmi_wanted[pv_port_this_cpu()] = true;
	arm(load);
}

static void finish(struct load *load)
{
	u32 nr;

	nmi_wanted[pv_port_this_cpu()] = false;
	load->active = false;
	pv_set_timer(~0ULL);
	step_switch(load, NONE);
	/* Wrong tables cannot be freed. */
	if (stopped_wrong)
		return;
	for (nr = 0; nr < SPACES; nr++)
		if (load->space[nr].used) {
			verify(load, &load->space[nr]);
			mm_destroy(&load->space[nr].mm);
		}
	mm_destroy(&load->handler_mm);
	page_put(load->handler_page);
}

/* After the load: each CPU stops and starts again, with its full setup. */
#define RESTARTS	12

static void restart_cpus(void)
{
	struct pv_cpu_state state;
	u32 cpu, times;

	for (cpu = 1; cpu < cpus_online; cpu++)
		for (times = 0; times < RESTARTS && !stopped_wrong; times++) {
			u64 calls = loads[cpu].calls;
			struct pv_cpumask mask = { { 1ULL << cpu } };

			cpu_stop(cpu);
			cpu_make_state(cpu, &state);
			if (cpu_start(cpu, &state)) {
				wrong("a CPU does not start again", 0, cpu, times);
				return;
			}
			pv_port_call_cpus(&mask, note_call, NULL);
			if (loads[cpu].calls != calls + 1)
				wrong("a CPU that started again is deaf", 0, cpu, times);
			restarts++;
		}
}

static void other_cpu(void)
{
	struct load *load = mine();

	if (stop)
		return;
	__atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
	begin(load);
	while (!stop) {
		step(load);
		cpu_hold_point();
	}
	finish(load);
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
}

/* Has every kind of step and event occurred?  A slow machine may need longer. */
static bool complete(void)
{
	bool native = pv_impl_is_native(PV_OP_set_pte);
	u64 timers = 0, nmis = 0;
	u32 cpu;

	for (cpu = 0; cpu < cpus_online; cpu++) {
		const struct load *l = &loads[cpu];

		if (!l->forks || !l->protects || !l->writes || !l->verified || !l->nmis ||
		    !l->ipis || !l->calls)
			return false;
		timers += l->timers_in_batch;
		nmis += l->nmis_in_batch;
	}
	return processes && repatches && (native || (timers && nmis));
}

static void report(u64 ns)
{
	u32 cpu;

	for (cpu = 0; cpu < cpus_online; cpu++) {
		const struct load *l = &loads[cpu];

#define N(word)	(unsigned long)l->word
		DATA("load.cpus[]", "{\"steps\":%lu,\"forks\":%lu,\"maps\":%lu,\"protects\":%lu,\"writes\":%lu,\"faults\":%lu,\"switches\":%lu,\"verified\":%lu,\"timers\":%lu,\"timers_in_batch\":%lu,\"nmis\":%lu,\"nmis_in_batch\":%lu,\"ipis\":%lu,\"calls\":%lu}",
		     N(steps), N(forks), N(maps), N(protects), N(writes), N(faults), N(switches),
		     N(verified), N(timers), N(timers_in_batch), N(nmis), N(nmis_in_batch),
		     N(ipis), N(calls));
	}
	DATA("load.seconds", "%lu", (unsigned long)(ns / (1000 * MS)));
	DATA("load.repatches", "%lu", (unsigned long)repatches);
	DATA("load.processes", "%lu", (unsigned long)processes);
	DATA("load.restarts", "%lu", (unsigned long)restarts);
	DATA("load.nmis_sent", "%lu", (unsigned long)nmis_sent);
	DATA("load.refused", "%u", pv_batch_error_count());
	DATA("load.lost", "%u", pv_batch_lost_count());
}

static u64 number(const char **text)
{
	u64 val = 0;

	while (**text >= '0' && **text <= '9')
		val = val * 10 + (u64)(*(*text)++ - '0');
	return val;
}

static void settings(u64 *seconds, u64 *seed)
{
	size_t len;
	const char *text = cmdline_value("load=", &len), *end = text + len;

	*seconds = number(&text);
	*seed = 1;
	if (*text == ',') {
		text++;
		*seed = number(&text);
	}
	if (text != end || !*seconds || !*seed)
		pv_port_panic("load=: expected SECONDS[,SEED], both above 0");
}

void load_run(void)
{
	struct load *load = &loads[0];
	u64 seconds, seed, start, now, said, next;
	u32 cpu;

	settings(&seconds, &seed);
	if (!is_xen())
		apic = pv_port_map_phys((__force pv_maddr_t)0xfee00000, PAGE,
					PV_PTE_RW | PV_PTE_NX | PV_MAP_UNCACHED);
	for (cpu = 0; cpu < cpus_online; cpu++)
		loads[cpu].random = seed * 0x9e3779b97f4a7c15ULL + cpu;
	trap_hook = load_trap;
	nmi_hook = load_nmi;
	interrupt_hook = load_interrupt;
	start = pv_clock_read();
	said = start;
	next = start;
	begin(load);
	cpu_idle_work = other_cpu;
	for (cpu = 1; cpu < cpus_online; cpu++)
		cpu_wake(cpu);
	while (!stop) {
		step(load);
		now = pv_clock_read();
		if (now >= next) {
			next = now + 20 * MS + rnd(load, 100 * MS);
			switch (rnd(load, 3)) {
			case 0:
				step_process(load);
				break;
			case 1:
				pv_table_cache((u32)rnd(load, 65));
				break;
			default:
				step_repatch();
			}
		}
		if (now - said >= 5000 * MS) {
			said = now;
			print("# load: %lu s, %lu and %lu steps, %u refused\n",
			      (unsigned long)((now - start) / (1000 * MS)),
			      (unsigned long)load->steps, (unsigned long)loads[1].steps,
			      pv_batch_error_count());
		}
		if (now - start >= seconds * 1000 * MS &&
		    (complete() || now - start >= 10 * seconds * 1000 * MS))
			stop = true;
	}
	if (compiled)
		step_repatch();
	cpu_idle_work = NULL;
	finish(load);
	for (said = pv_clock_read(); running && pv_clock_read() - said < HANGS_NS;)
		asm volatile("pause");
	if (running)
		pv_port_panic("load: a CPU does not finish");
	restart_cpus();
	interrupt_hook = NULL;
	nmi_hook = NULL;
	trap_hook = NULL;
	pv_table_cache(64);
	report(pv_clock_read() - start);
}
