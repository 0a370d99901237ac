// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Boot in the order of include/pvops/port.h; then tests, then power off. */
#include "guest.h"
#include <pvops/inject.h>

extern u8 __pv_text_start[], __pv_text_end[], rodata_end[], kernel_end[];

static u64 patch_insns;
static u32 patch_serialisations;

static void report_sites(void)
{
	const struct pv_stats *stats = &pv_kernel_sites()->stats;
	u32 tenths = (u32)(patch_insns * 10 / (stats->total ? stats->total : 1));
	const char *text;
	u32 i;

	DATA("backend", "\"%s\"", pv_backend()->name);
	for (i = 0; (text = pv_detected(i)); i++) {
		/* Quotes would end the JSON string. */
		char line[200];
		u32 n;

		for (n = 0; n < sizeof(line) - 1 && text[n]; n++)
			line[n] = text[n] == '"' || text[n] == '\\' ? '\'' : text[n];
		line[n] = '\0';
		DATA("detected[]", "\"%s\"", line);
	}
	for (i = 0; (text = pv_refused(i)); i++)
		DATA("refused[]", "\"%s\"", text);
	DATA("sites", "{\"inline\":%u,\"call\":%u,\"nop\":%u,\"jump\":%u,\"indirect\":%u,\"failed\":%u,\"outline\":%u}",
	     stats->form[PV_FORM_INLINE], stats->form[PV_FORM_CALL], stats->form[PV_FORM_NOP],
	     stats->form[PV_FORM_JUMP], stats->form[PV_FORM_INDIRECT], stats->failed,
	     stats->outline);
	DATA("patch_insns", "%lu", (unsigned long)patch_insns);
	DATA("patch_serialisations", "%u", patch_serialisations);
	DATA("patch_insns_per_site", "%u.%u", tenths / 10, tenths % 10);
}

/* dump=sites: the text of every site, for the disassembly test. */
static void dump_sites(void)
{
	struct pv_site_report report;
	u32 nr, i;

	for (nr = 0; pv_site_inspect(pv_kernel_sites(), nr, &report); nr++) {
		const u8 *text = (const u8 *)report.addr;

		print("@site %lx %s %s %u ", report.addr, report.op ? report.op->name : "?",
		      pv_form_text(report.form), report.outline);
		for (i = 0; i < pv_kernel_sites()->start[nr].len; i++)
			print("%02x", text[i]);
		print("\n");
	}
}

/* Is it text, or code that a hypervisor has supplied? */
static bool is_executable(unsigned long addr)
{
	const pv_pte_t *ptep;
	u64 val;

	if (addr < KERNEL_BASE || (addr - KERNEL_BASE) >> PV_PAGE_SHIFT >= boot_info.mapped_end)
		return false;
	ptep = vm_walk(boot_info.root, addr, false, NULL);
	val = ptep ? pv_pte_val(*ptep) : 0;
	return (val & PV_PTE_PRESENT) && !(val & PV_PTE_NX);
}

static void dump_words(const void *start, const void *end)
{
	const unsigned long *word;

	for (word = start; word < (const unsigned long *)end; word++)
		if (is_executable(*word))
			print("@pointer %lx %lx\n", (unsigned long)word, *word);
}

/*
 * dump=pointers: every writable word that points to code, for the test of pointers
 * that a stray write could redirect.  plant=pointer adds one.
 */
static void dump_pointers(void)
{
	static void (*volatile planted)(void);

	if (cmdline_is("plant=", "pointer"))
		planted = guest_main;
	if (planted)
		pv_port_log("planted 0x%lx", (unsigned long)planted);
	dump_words(rodata_end, kernel_end);
}

/*
 * dump=own: the backend's own ops, the required ones of them, and the pairs that go
 * together, for the test of every "-<op>".
 */
static void dump_own(void)
{
	static const struct {
		enum pv_op op, other;
	} pairs[] = {
#define PV_OP(table, name, site, conv, ret, n, args, test)
#define PV_TOGETHER(name, other)	{ PV_OP_##name, PV_OP_##other },
#include <pvops/catalogue.h>
	};
	u32 i;

	for (i = 0; i < PV_OP_COUNT; i++)
		if (pv_impl_is_own(i))
			DATA("own[]", "{\"op\":\"%s\",\"required\":%u}", pv_op_info[i].name,
			     !!(pv_impl_of(i)->flags & PV_IMPL_REQUIRED));
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pv_impl_is_own(pairs[i].op) && pv_impl_is_own(pairs[i].other))
			DATA("pairs[]", "[\"%s\",\"%s\"]", pv_op_info[pairs[i].op].name,
			     pv_op_info[pairs[i].other].name);
}

#define DUMP_LINE	64

static void dump_page(const u8 *page)
{
	char line[2 * DUMP_LINE + 1];
	u32 at, i;

	for (at = 0; at < PV_PAGE_SIZE; at += DUMP_LINE) {
		for (i = 0; i < DUMP_LINE; i++) {
			line[2 * i] = "0123456789abcdef"[page[at + i] >> 4];
			line[2 * i + 1] = "0123456789abcdef"[page[at + i] & 15];
		}
		line[2 * i] = '\0';
		print("@text %lx %s\n", (unsigned long)(page + at), line);
	}
}

static __attribute__((noinline)) void planted_branch(void)
{
	asm volatile("nop; nop");
}

/*
 * dump=text: every executable page of the kernel's memory, for the test of indirect
 * branches.  plant=branch puts one into the text.
 */
static void dump_text(void)
{
	unsigned long va, end = KERNEL_BASE + (boot_info.mapped_end << PV_PAGE_SHIFT);

	if (cmdline_is("plant=", "branch")) {
		u8 *text = (u8 *)planted_branch;
		long alias = pv_port_text_begin((unsigned long)text, (unsigned long)text + 2);

		text[alias] = 0xff;
		text[alias + 1] = 0xd0;
		pv_port_text_end((unsigned long)text, (unsigned long)text + 2);
	} else {
		planted_branch();
	}
	for (va = KERNEL_BASE; va < end; va += PV_PAGE_SIZE)
		if (is_executable(va))
			dump_page((const u8 *)va);
}

/* fault=N[,SEED[,HOW]]: from here on hypercalls fail (inject.h). */
static void arm_faults(void)
{
	size_t len;
	const char *text = cmdline_value("fault=", &len);

	if (!text)
		return;
#ifdef PV_PORT_INJECT
	if (!pv_inject_arm(text))
		pv_port_panic("fault=");
#else
	pv_port_panic("fault=: this image has no fault injection; use build/fault/guest.elf");
#endif
}

void report_faults(void)
{
#ifdef PV_PORT_INJECT
	struct pv_inject_counts counts;

	pv_inject_arm("0");
	pv_inject_read(&counts);
	DATA("faults", "{\"calls\":%lu,\"injected\":%lu,\"reported\":%lu,\"followed\":%lu,\"other\":%lu,\"dropped\":%lu}",
	     (unsigned long)counts.calls, (unsigned long)counts.injected,
	     (unsigned long)counts.reported, (unsigned long)counts.followed,
	     (unsigned long)counts.other, (unsigned long)counts.dropped);
#endif
}

/* early=start_cpu: a call that comes too early is refused with a reason. */
static void start_too_early(void)
{
	struct pv_cpu_state state;

	boot_info.apic_id[1] = 1;
	boot_info.cpu_count = 2;
	cpu_make_state(1, &state);
	pv_start_cpu(1, &state);
	boot_info.cpu_count = 1;
}

void guest_main(void)
{
	u32 serialised;
	u64 start;

	pv_init(&boot_info.platform, boot_info.cmdline);
	pv_cpu_init(0);
	if (boot_info.wrong)
		pv_port_panic(boot_info.wrong);
	traps_setup();
	cpu_setup(0);
	vm_setup();

	serialised = text_serialisations;
	start = pv_rdtsc();
	if (pv_patch() < 0)
		pv_port_panic("sites not patched");
	patch_insns = pv_rdtsc() - start;
	patch_serialisations = text_serialisations - serialised;
	vm_protect_kernel();
	if (cmdline_is("early=", "start_cpu"))
		start_too_early();
	pv_late_init();
	pv_print();

	proc_setup();
	pv_irq_enable();
	cpus_start();
	report_sites();
	if (cmdline_is("dump=", "sites"))
		dump_sites();
	if (cmdline_is("dump=", "own"))
		dump_own();
	if (cmdline_is("dump=", "pointers"))
		dump_pointers();
	if (cmdline_is("dump=", "text"))
		dump_text();
	/* For the test of the register dump and of the shutdown after it. */
	if (cmdline_is("crash=", "fault"))
		*(volatile u64 *)0x1230 = 0;

	arm_faults();
	tests_run();
	/* For the test of each reason of a shutdown. */
	if (cmdline_is("end=", "reboot"))
		pv_shutdown(PV_SHUTDOWN_REBOOT);
	if (cmdline_is("end=", "crash"))
		pv_shutdown(PV_SHUTDOWN_CRASH);
	pv_shutdown(PV_SHUTDOWN_POWEROFF);
	pv_port_panic("the machine did not switch off");
}
