// SPDX-License-Identifier: GPL-2.0-only
/*
 * Linux's side of the pvops contract (pvops/port.h), except the functions that
 * change text (pvops_patch.c).
 */
#define pr_fmt(fmt) fmt

#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/reboot.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/fixmap.h>
#include <asm/paravirt.h>
#include <asm/pgalloc.h>
#include <asm/segment.h>
#include <asm/set_memory.h>
#include <asm/tsc.h>

#include <pvops/port.h>
#include <pvops/pvops.h>

static_assert(PV_KERNEL_CS == __KERNEL_CS);
static_assert(PV_KERNEL_DS == __KERNEL_DS);
static_assert(PV_USER_CS == __USER_CS);
static_assert(PV_USER_DS == __USER_DS);
static_assert(PV_GDT_LDT == GDT_ENTRY_LDT);
static_assert(PV_GDT_TLS == GDT_ENTRY_TLS_MIN);
static_assert(PVOPS_PREEMPT_COUNT_OFFSET == 8);
static_assert(sizeof(struct pv_dtr) == sizeof(struct desc_ptr));
static_assert(sizeof(struct pv_gate) == sizeof(gate_desc));
static_assert(offsetof(struct pv_tss, sp0) ==
	      offsetof(struct x86_hw_tss, sp0));

/*
 * Refusals can be logged anywhere, even under the scheduler's locks, so the
 * console is written later.  Early in boot it is written at once, because
 * nobody would do it later.
 */
void pv_port_log(const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	if (system_state < SYSTEM_SCHEDULING)
		pr_info("%pV\n", &vaf);
	else
		printk_deferred(KERN_INFO "%pV\n", &vaf);
	va_end(args);
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(out, size, fmt, args);
	va_end(args);
	return length;
}

void pv_port_panic(const char *why)
{
	panic("%s", why);
}

/* Executable code in the kernel's data (pv_port_code_area()). */
unsigned long pvops_code_start __ro_after_init, pvops_code_bytes __ro_after_init;

/*
 * The kernel's data is executable until mark_rodata_ro().  A change of page
 * tables needs interrupts enabled; the ops are still native here.
 */
bool pv_port_code_area(const void *start, size_t bytes)
{
	unsigned long at = (unsigned long)start;
	int error;

	raw_local_irq_enable();
	if (bytes)
		error = set_memory_ro(at, bytes >> PAGE_SHIFT);
	else
		error = set_memory_rw(at, pvops_code_bytes >> PAGE_SHIFT);
	raw_local_irq_disable();
	if (error) {
		pr_err("pvops: cannot change the protection of %ps: error %d\n",
		       start, error);
		return false;
	}
	pvops_code_start = at;
	pvops_code_bytes = bytes;
	return true;
}

/*
 * Makes data not executable, except the code area.  The area must be executable
 * all the time, because these calls use it.
 */
void pvops_protect_data(unsigned long start, unsigned long end)
{
	unsigned long code = pvops_code_start, bytes = pvops_code_bytes;

	if (!bytes) {
		set_memory_nx(start, (end - start) >> PAGE_SHIFT);
		return;
	}
	set_memory_nx(start, (code - start) >> PAGE_SHIFT);
	set_memory_nx(code + bytes, (end - code - bytes) >> PAGE_SHIFT);
}

/* Is this address the IRETQ of the iret op, in the hypervisor's code? */
noinstr bool pvops_is_iret(unsigned long ip)
{
	return ip - pvops_code_start < pvops_code_bytes &&
	       *(const u16 *)ip == 0xcf48;
}

void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg),
		       void *arg)
{
	u32 cpu;

	for_each_online_cpu(cpu)
		if (cpu < PV_MAX_CPUS && cpu != smp_processor_id() &&
		    mask->word[cpu / 64] & 1ULL << cpu % 64)
			smp_call_function_single(cpu, fn, arg, 1);
}

unsigned long pvops_percpu_offset(u32 cpu)
{
#ifdef CONFIG_SMP
	return per_cpu_offset(cpu);
#else
	return 0;
#endif
}

u64 *pvops_gdt_rw(const u64 *gdt)
{
	return (u64 *)get_cpu_gdt_rw(raw_smp_processor_id());
}

u32 pv_port_this_cpu(void)
{
	return raw_smp_processor_id();
}

pv_pfn_t pv_port_alloc_page(void)
{
	unsigned long page = get_zeroed_page(GFP_PGTABLE_KERNEL);

	return page ? pv_pfn(__pa(page) >> PAGE_SHIFT) : PV_PFN_NONE;
}

void pv_port_free_page(pv_pfn_t pfn)
{
	free_page((unsigned long)__va(pv_pfn_nr(pfn) << PAGE_SHIFT));
}

/* Not for the first root: it is in use before there are page structures. */
u64 *pv_port_page_word(pv_pfn_t pfn)
{
	if (pfn == pv_port_kernel_root())
		return NULL;
	return (u64 *)&pfn_to_page(pv_pfn_nr(pfn))->mapping;
}

pv_pfn_t pv_port_kernel_root(void)
{
	return pv_pfn(__pa(swapper_pg_dir) >> PAGE_SHIFT);
}

pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn)
{
	unsigned int level;
	pte_t *ptep;

	ptep = lookup_address((unsigned long)__va(pv_pfn_nr(pfn) << PAGE_SHIFT),
			      &level);
	return level == PG_LEVEL_4K ? (pv_pte_t *)ptep : NULL;
}

pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va)
{
	unsigned int level;

	if (index >= __end_of_fixed_addresses)
		return NULL;
	*va = __fix_to_virt(index);
	return (pv_pte_t *)lookup_address(*va, &level);
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	void __iomem *mapping;

	mapping = flags & PV_MAP_UNCACHED ?
		  ioremap(pv_maddr_nr(maddr), bytes) :
		  ioremap_cache(pv_maddr_nr(maddr), bytes);
	if (!mapping)
		pr_err("pvops: cannot map %zu bytes\n", bytes);
	return (__force void *)mapping;
}

u32 pv_port_tsc_khz(void)
{
	return tsc_khz;
}

u32 pv_port_apic_id(u32 cpu)
{
	return cpu < nr_cpu_ids ? per_cpu(x86_cpu_to_apicid, cpu) : ~0U;
}

/* Only for ops that Linux does not use. */

void pv_port_interrupt(u32 vector)
{
	WARN_ONCE(1, "pvops: unexpected upcall, vector 0x%x\n", vector);
}

pv_pfn_t pv_port_low_page(void)
{
	return PV_PFN_NONE;
}

void pv_port_native_console(const char *text, size_t bytes)
{
	pr_info("%.*s", (int)bytes, text);
}

void pv_port_native_shutdown(enum pv_shutdown_reason reason)
{
	if (reason == PV_SHUTDOWN_POWEROFF)
		machine_power_off();
	emergency_restart();
	unreachable();
}
