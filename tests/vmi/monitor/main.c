// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Start of the monitor: memory, clocks, CPUs, the guest's image. */
#include "monitor.h"
#include "rom.h"
#include "../clocks.h"

struct vcpu vcpus[CPUS_MAX];
u32 cpu_count;
u64 tsc_hz;
u64 tsc_per_apic, apic_per_tsc;

/* Multiboot 0.6.96 section 3.3. */
struct multiboot {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
};

struct module {
	u32 start, end, cmdline, reserved;
};

extern u32 cpus_arrived;
extern const u8 start_code[], start_code_end[];
extern const u64 host_exceptions[20];
extern void host_interrupt(void), host_spurious(void);
extern const u8 host_lines[24][16];

#define START_PAGE	0x7000UL

/* Set when CPU 0 has put the guest into memory. */
static bool guest_loaded;

static u8 msr_map[0x2000] __attribute__((aligned(4096)));
static u8 io_map[0x3000] __attribute__((aligned(4096)));

/* --- the machine --- */

static struct { u16 low, sel, type, mid; u32 high, zero; } idt[256] __attribute__((aligned(16)));

static void gate(u32 vector, u64 handler)
{
	idt[vector].low = (u16)handler;
	idt[vector].sel = 0x10;
	idt[vector].type = 0x8e00;
	idt[vector].mid = (u16)(handler >> 16);
	idt[vector].high = (u32)(handler >> 32);
}

static void interrupts_setup(void)
{
	const struct { u16 limit; u64 base; } __attribute__((packed)) idtr = {
		sizeof(idt) - 1, (u64)idt
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(host_exceptions); i++)
		gate(i, host_exceptions[i]);
	for (i = 0; i < ARRAY_SIZE(host_lines); i++)
		gate(HOST_LINES + i, (u64)host_lines[i]);
	gate(HOST_TIMER, (u64)host_interrupt);
	gate(HOST_KICK, (u64)host_interrupt);
	gate(HOST_SPURIOUS, (u64)host_spurious);
	asm volatile("lidt %0" : : "m" (idtr));
	host_apic_write(0xf0, 0x100 | HOST_SPURIOUS);
	host_apic_write(0x80, 0);
	host_apic_write(0x3e0, 0xb);		/* divide by 1 */
	host_apic_write(0x320, HOST_TIMER);	/* one-shot */
}

void host_dies(const u64 *frame)
{
	print("vmi-monitor: exception %lu in the monitor, error 0x%lx, at 0x%lx\n",
	      frame[0], frame[1], frame[2]);
	panic("a bug of the monitor");
}

static void timer_restart(void)
{
	host_apic_write(0x380, ~0U);
}

static u32 timer_count(void)
{
	return host_apic_read(0x390);
}

static void clocks_setup(void)
{
	tsc_hz = measure_tsc();
	if (tsc_hz)
		apic_per_tsc = measure_apic(tsc_hz, timer_restart, timer_count);
	host_apic_write(0x380, 0);
	if (!tsc_hz || !apic_per_tsc)
		panic("a clock does not count");
	tsc_per_apic = ~0ULL / apic_per_tsc;
}

static void delay_ms(u32 ms)
{
	u64 end = rdtsc() + tsc_hz / 1000 * ms;

	while (rdtsc() < end)
		asm volatile("pause");
}

/*
 * Reads the number of CPUs from QEMU's firmware configuration device, item 5.
 *
 * If there are several, the first runs no guest.  QEMU 7.2's FXRSTOR on any CPU clears a
 * flag of the first CPU, and not by an atomic instruction (cpu_clear_ignne()).  The same
 * word has the flag that the first CPU walks nested tables (HF2_NPT_MASK).  So the first
 * CPU would sometimes run the guest without nested tables, or the monitor with them, which
 * ends in a triple fault.
 */
static u32 machine_cpus(void)
{
	u32 count;

	outw(0x510, 5);
	count = inb(0x511);
	count |= (u32)inb(0x511) << 8;
	return count > CPUS_MAX + 1 ? CPUS_MAX + 1 : count ? count : 1;
}

static void other_cpus_start(u32 want)
{
	u32 i;

	memcpy((void *)START_PAGE, start_code, (size_t)(start_code_end - start_code));
	host_apic_write(0x300, 0xc4500);	/* INIT to all others */
	delay_ms(10);
	host_apic_write(0x300, 0xc4600 | START_PAGE >> 12);
	for (i = 0; i < 100 && __atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE) < want; i++)
		delay_ms(1);
	if (cpu_count < want)
		print("vmi-monitor: %u of %u CPUs came up\n", cpu_count, want);
}

static void svm_setup(struct vcpu *v)
{
	u32 eax = 0x8000000a, ebx, ecx, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	if (!(edx & 1) || (rdmsr(MSR_VM_CR) & 0x10))
		panic("the CPU has no SVM with nested paging");
	wrmsr(MSR_VM_HSAVE_PA, (u64)page_alloc(1));
	v->host_apic_id = host_apic_read(0x20) >> 24;
	/* From here on GIF holds interrupts; the monitor lets them in while it waits. */
	asm volatile("clgi; sti" : : : "memory");
}

/* --- virtual CPUs --- */

static void vmcb_setup(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;

	c->cr_read = 0xffff;
	c->cr_write = 0xffff & ~(1U << 8);	/* CR8 is the virtual TPR */
	c->cr_read &= ~(1U << 8);
	c->dr_read = 0xffff;
	c->dr_write = 0xffff;
	c->intercept = ICPT_INTR | ICPT_NMI | ICPT_INIT | ICPT_IDTR_READ | ICPT_GDTR_READ |
		       ICPT_LDTR_READ | ICPT_TR_READ | ICPT_IDTR_WRITE | ICPT_GDTR_WRITE |
		       ICPT_LDTR_WRITE | ICPT_TR_WRITE | ICPT_RDPMC | ICPT_CPUID | ICPT_INVD |
		       ICPT_HLT | ICPT_INVLPG | ICPT_INVLPGA | ICPT_IOIO | ICPT_MSR |
		       ICPT_SHUTDOWN;
	c->intercept2 = ICPT2_VMRUN | ICPT2_VMMCALL | ICPT2_VMLOAD | ICPT2_VMSAVE | ICPT2_STGI |
			ICPT2_CLGI | ICPT2_SKINIT | ICPT2_WBINVD | ICPT2_MONITOR | ICPT2_MWAIT |
			ICPT2_XSETBV;
	c->iopm = (u64)io_map;
	c->msrpm = (u64)msr_map;
	c->asid = 1;
	c->np_enable = 1;
	c->n_cr3 = (u64)v->npt;
	c->int_ctl = V_INTR_MASKING | V_IGN_TPR | V_INTR_PRIO;
}

static void set_segment(struct segment *s, u16 selector, u64 base, u32 limit, u16 attrib)
{
	*s = (struct segment){ selector, attrib, limit, base };
}

/* Resets as INIT and a start-up IPI do; CPU 0 starts by the image's boot protocol. */
void vcpu_reset(struct vcpu *v)
{
	struct vmcb *c = v->vmcb;
	struct segment *const data[] = { &c->es, &c->ss, &c->ds, &c->fs, &c->gs };
	bool pvh = v->id == 0 && v->state == VCPU_OFF;
	u32 i;

	memset(v->regs, 0, sizeof(v->regs));
	memset(&c->es, 0, sizeof(*c) - 0x400);
	for (i = 0; i < ARRAY_SIZE(data); i++)
		set_segment(data[i], pvh ? 0x10 : 0, 0, pvh ? ~0U : 0xffff,
			    pvh ? SEG_DATA32 : SEG_DATA16);
	set_segment(&c->cs, pvh ? 0x8 : (u16)(v->start_page << 8), pvh ? 0 : v->start_page << 12,
		    pvh ? ~0U : 0xffff, pvh ? SEG_CODE32 : SEG_CODE16);
	set_segment(&c->tr, 0, 0, pvh ? 0x67 : 0xffff, SEG_TSS_BUSY);
	set_segment(&c->ldtr, 0, 0, 0xffff, SEG_LDT);
	set_segment(&c->gdtr, 0, 0, 0xffff, 0);
	set_segment(&c->idtr, 0, 0, 0xffff, 0);
	c->efer = EFER_SVME;
	c->cr0 = CR0_ET | (pvh ? CR0_PE : 0);
	c->dr6 = 0xffff0ff0;
	c->dr7 = 0x400;
	c->rflags = 2;
	c->rip = pvh ? guest_entry : 0;
	c->pat = 0x0007040600070406ULL;
	c->int_shadow = 0;
	c->event_inj = 0;
	c->intercept &= ~ICPT_IRET;
	v->nmi = false;
	v->nmi_mask = NMI_OPEN;
	if (pvh)
		v->regs[guest_info_reg] = guest_info;
	v->halted = v->masked_halt = false;
	apic_reset(v);
	if (paravirtual)
		vmi_reset(v);
	if (v->has_start_state)
		vmi_take_start_state(v);
	vmload(c);
	flush_tlb(v);
	v->state = VCPU_RUNS;
}

static void vcpu_create(struct vcpu *v)
{
	v->vmcb = page_alloc(1);
	v->shared = page_alloc(ROM_SHARED_PAGES);
	v->npt = npt_create();
	v->armed = ~0ULL;
	vmcb_setup(v);
	apic_reset(v);
}

static void __attribute__((noreturn)) idle(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* Entry of other CPUs of the machine, on a stack of their own; @nr is 1 for the first. */
void cpu_main(u32 nr)
{
	static volatile u8 lock;
	u32 id = nr - 1;
	struct vcpu *v = &vcpus[id];

	if (id >= CPUS_MAX)
		idle();
	lock_take(&lock);
	v->id = v->apic.id = id;
	interrupts_setup();
	svm_setup(v);
	vcpu_create(v);
	lock_release(&lock);
	__atomic_add_fetch(&cpu_count, 1, __ATOMIC_SEQ_CST);
	if (!id) {
		while (!__atomic_load_n(&guest_loaded, __ATOMIC_ACQUIRE))
			asm volatile("pause");
		vcpu_reset(v);
	}
	vcpu_run(v);
}

/* Returns the words of "path words". */
static const char *after_path(const char *text)
{
	while (*text && *text != ' ')
		text++;
	while (*text == ' ')
		text++;
	return text;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = text_length(word);

	for (; *text; text = after_path(text))
		if (!memcmp(text, word, n) && (text[n] == ' ' || !text[n]))
			return true;
	return false;
}

static struct boot_file file_of(const struct module *module)
{
	if (module->end < module->start)
		panic("the guest's image or initrd ends before it begins");
	/* The monitor's own pages are above. */
	if (module->end > GUEST_BASE / 2)
		panic("the guest's image or initrd is too large");
	return (struct boot_file){ (const u8 *)(u64)module->start, module->end - module->start };
}

void main(const struct multiboot *info)
{
	const struct module *module = (void *)(u64)info->mods_addr;
	struct boot_file image, initrd = { NULL, 0 };
	u64 end = 0x100000 + ((u64)info->mem_upper << 10);
	struct vcpu *v = &vcpus[0];
	u32 cpus = machine_cpus(), port;

	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	if (!(info->flags & 8) || !info->mods_count)
		panic("no guest: -initrd \"IMAGE COMMAND LINE[,INITRD]\" is missing");
	if (end < GUEST_BASE + (32UL << 20))
		panic("too little memory: give the machine 128 MiB at least");
	guest_bytes = (end - GUEST_BASE) & ~0x1fffffUL;
	memset(msr_map, 0xff, sizeof(msr_map));
	memset(io_map, 0xff, sizeof(io_map));
	for (port = 0; port < 0x10000; port++)
		if (io_is_direct((u16)port))
			io_map[port / 8] &= (u8)~(1U << port % 8);

	interrupts_setup();
	ioapic_setup();
	clocks_setup();
	if (cpus == 1) {
		svm_setup(v);
		vcpu_create(v);
		cpu_count = 1;
	} else {
		other_cpus_start(cpus - 1);
	}
	rom_install(has_word((const char *)(u64)info->cmdline, "count"));
	image = file_of(&module[0]);
	if (info->mods_count > 1)
		initrd = file_of(&module[1]);
	load_guest(&image, &initrd, after_path((const char *)(u64)module->cmdline));
	print("vmi-monitor: %u CPUs, %lu MiB for the guest\n", cpu_count, guest_bytes >> 20);
	if (cpus > 1) {
		__atomic_store_n(&guest_loaded, true, __ATOMIC_RELEASE);
		idle();
	}
	vcpu_reset(v);
	vcpu_run(v);
}
