// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A port of which nothing is done yet: it compiles, and links with every backend.
 *
 * The contract of each function stands under its name in include/pvops/port.h.  A
 * function that is still a stub stops the kernel with its name on the console: boot,
 * write the function that is named, boot again.  The few that are not stubs have an
 * answer that the contract allows, and say which.
 */
#include <stdarg.h>

#include <pvops/batch.h>
#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>

#define STUB()	stub(__func__)

unsigned long percpu_self __attribute__((section(".percpu.first")));
PV_PERCPU_DEFINE(u32, percpu_cpu);
unsigned long percpu_base[PV_MAX_CPUS];

/* --- console of the bare machine, without interrupts: enough to name a stub --- */

#define COM1		0x3f8
#define COM1_STATUS	(COM1 + 5)
#define STATUS_EMPTY	0x20

static void outb(u16 port, u8 val)
{
	asm volatile("outb %0, %1" : : "a" (val), "Nd" (port));
}

static u8 inb(u16 port)
{
	u8 val;

	asm volatile("inb %1, %0" : "=a" (val) : "Nd" (port));
	return val;
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		while (!(inb(COM1_STATUS) & STATUS_EMPTY))
			;
		outb(COM1, (u8)*text);
	}
}

/* A domain of Xen's has no serial port: once ops work, the console is one of them. */
static bool ops_work;

static void say(const char *text)
{
	size_t bytes = 0;

	if (!ops_work) {
		put_text(text);
		return;
	}
	while (text[bytes])
		bytes++;
	pv_console_write(text, bytes);
}

static __attribute__((noreturn)) void stub(const char *name)
{
	say("port: ");
	say(name);
	say(" is a stub: its contract is in include/pvops/port.h\r\n");
	for (;;)
		asm volatile("cli; hlt");
}

/* Used where a backend has a console, or leaves it to native. */
void pv_port_native_console(const char *text, size_t bytes)
{
	char one[2] = "";

	for (; bytes--; text++) {
		one[0] = *text;
		put_text(one);
	}
}

void pv_port_native_shutdown(enum pv_shutdown_reason reason)
{
	(void)reason;
	STUB();
}

/* --- log: what the kernel's printf does, with %llx, %p and %%; say() is its output --- */

void pv_port_log(const char *fmt, ...)
{
	(void)fmt;
	STUB();
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	(void)out;
	(void)size;
	(void)fmt;
	STUB();
}

/* Final as it is; a kernel may want to print more. */
void pv_port_panic(const char *why)
{
	say("panic: ");
	say(why);
	say("\r\n");
	for (;;)
		asm volatile("cli; hlt");
}

/* --- patching: text writable, interrupts and NMIs held; one serialisation at the end --- */

long pv_port_text_begin(unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	STUB();
}

void pv_port_text_end(unsigned long start, unsigned long end)
{
	(void)start;
	(void)end;
	STUB();
}

/* --- other CPUs --- */

/* Final for one CPU, which holds all others by being alone. */
int pv_port_hold_cpus(int (*fn)(void *arg), void *arg)
{
	if (PV_MAX_CPUS > 1)
		STUB();
	return fn(arg);
}

void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg)
{
	(void)mask;
	(void)fn;
	(void)arg;
	STUB();
}

/* "There is none": no CPU is started, and none gets an IPI. */
u32 pv_port_apic_id(u32 cpu)
{
	(void)cpu;
	return ~0U;
}

/* "The kernel has none": start_cpu() says so, natively. */
pv_pfn_t pv_port_low_page(void)
{
	return PV_PFN_NONE;
}

/* --- interrupts: PV_VECTOR_TIMER, IPIs, devices --- */

void pv_port_interrupt(u32 vector)
{
	(void)vector;
	STUB();
}

/* --- memory --- */

pv_pfn_t pv_port_alloc_page(void)
{
	STUB();
}

void pv_port_free_page(pv_pfn_t pfn)
{
	(void)pfn;
	STUB();
}

/* Only backend xen uses it. */
u64 *pv_port_page_word(pv_pfn_t pfn)
{
	(void)pfn;
	STUB();
}

pv_pfn_t pv_port_kernel_root(void)
{
	STUB();
}

/* "Nothing": user mode sees none of the kernel where it has a root of its own. */
void pv_port_user_root(u64 *root)
{
	(void)root;
}

pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn)
{
	(void)pfn;
	STUB();
}

/* "An index that does not exist": set_fixmap() then maps nothing, and says so. */
pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va)
{
	(void)index;
	(void)va;
	return NULL;
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	(void)maddr;
	(void)bytes;
	(void)flags;
	STUB();
}

/* "There is none": the kernel has no devices' memory under Xen PV, nor another domain's. */
u64 pv_port_foreign_pfn(u64 mfn)
{
	(void)mfn;
	return ~0ULL;
}

u64 pv_port_foreign_mfn(u64 pfn)
{
	(void)pfn;
	return ~0ULL;
}

/* "It cannot": a VMI ROM, or Hyper-V's hypercalls, are not used. */
bool pv_port_code_area(const void *start, size_t bytes)
{
	(void)start;
	if (bytes)
		pv_port_log("port: no area for code that a hypervisor supplies");
	return false;
}

/* "The kernel does not know": native measures. */
u32 pv_port_tsc_khz(void)
{
	return 0;
}

/* --- start --- */

static void read_cpuid(struct pv_cpuid *regs)
{
	pv_native_cpuid(regs);
}

/* Called by entry.S on the boot CPU, in ring 0, with GS base set. */
void __attribute__((noreturn)) port_start(unsigned long area, unsigned long info)
{
	static struct pv_platform platform = { .cpuid = read_cpuid };

	percpu_base[0] = area;
	platform.hvm_start_info = (const void *)(KERNEL_BASE + info);
	platform.option_roms = (const u8 *)(KERNEL_BASE + 0xc0000);
	pv_init(&platform, "");
	pv_cpu_init(0);
	ops_work = true;
	/* GDT, IDT, memory: by ops from here on. */
	if (pv_patch() < 0)
		pv_port_panic("sites are not patched");
	pv_late_init();
	pv_print();
	pv_shutdown(PV_SHUTDOWN_POWEROFF);
	pv_port_panic("the machine did not switch off");
}

/* For entry.S. */
void __attribute__((noreturn)) port_stub(const char *name);
void __attribute__((noreturn)) port_stub(const char *name)
{
	stub(name);
}
