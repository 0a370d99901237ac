/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control and debug registers, CPUID, descriptors, context switch.  Part of
 * <asm/pvops.h>.
 */
#ifndef _ASM_X86_PVOPS_CPU_H
#define _ASM_X86_PVOPS_CPU_H

#ifndef PVOPS_SPLIT_HEADERS
/* In line is Linux's own code, whose way to wait is an option. */
void native_io_delay(void);

static inline void paravirt_io_delay(void)
{
	if (unlikely(pv_replaced_io_delay()))
		pv_outline_io_delay();
	else
		native_io_delay();
}

static inline void slow_down_io(void)
{
	paravirt_io_delay();
#ifdef REALLY_SLOW_IO
	paravirt_io_delay();
	paravirt_io_delay();
	paravirt_io_delay();
#endif
}

static __always_inline void wbinvd(void)
{
	pv_wbinvd();
}
#endif

static __always_inline void pvops_outline_cpuid(unsigned int *eax,
						unsigned int *ebx,
						unsigned int *ecx,
						unsigned int *edx)
{
	struct pv_cpuid regs = { .eax = *eax, .ecx = *ecx };

	pv_outline_cpuid(&regs);
	*eax = regs.eax;
	*ebx = regs.ebx;
	*ecx = regs.ecx;
	*edx = regs.edx;
}

/* Linux's own is in a header that those who include this one need not have. */
static __always_inline void pvops_native_cpuid(unsigned int *eax,
					       unsigned int *ebx,
					       unsigned int *ecx,
					       unsigned int *edx)
{
	struct pv_cpuid regs = { .eax = *eax, .ecx = *ecx };

	pv_native_cpuid(&regs);
	*eax = regs.eax;
	*ebx = regs.ebx;
	*ecx = regs.ecx;
	*edx = regs.edx;
}

#define __cpuid(eax, ebx, ecx, edx)					\
do {									\
	if (unlikely(pv_replaced_cpuid()))				\
		pvops_outline_cpuid(eax, ebx, ecx, edx);		\
	else								\
		pvops_native_cpuid(eax, ebx, ecx, edx);			\
} while (0)

/* In line is Linux's own code, which orders accesses to DR7. */
#define get_debugreg(var, reg)						\
	((var) = unlikely(pv_replaced_get_debugreg()) ?			\
		 pv_outline_get_debugreg(reg) : native_get_debugreg(reg))

#define set_debugreg(val, reg)						\
do {									\
	unsigned long _dr = (val);					\
									\
	if (unlikely(pv_replaced_set_debugreg()))			\
		pv_outline_set_debugreg(reg, _dr);			\
	else								\
		native_set_debugreg(reg, _dr);				\
} while (0)

static __always_inline unsigned long read_cr0(void)
{
	return pv_read_cr0();
}

/* In line is Linux's own code, which pins bits. */
void native_write_cr0(unsigned long val);
void native_write_cr4(unsigned long val);

static __always_inline void write_cr0(unsigned long x)
{
	if (unlikely(pv_replaced_write_cr0()))
		pv_outline_write_cr0(x);
	else
		native_write_cr0(x);
}

static __always_inline unsigned long read_cr2(void)
{
	return pv_read_cr2();
}

static __always_inline void write_cr2(unsigned long x)
{
	pv_write_cr2(x);
}

static __always_inline unsigned long __read_cr3(void)
{
	return pv_read_cr3();
}

static __always_inline void write_cr3(unsigned long x)
{
	pv_write_cr3(x);
}

static __always_inline void __write_cr4(unsigned long x)
{
	if (unlikely(pv_replaced_write_cr4()))
		pv_outline_write_cr4(x);
	else
		native_write_cr4(x);
}

/* Descriptors */
static __always_inline void load_gdt(const struct desc_ptr *dtr)
{
	pv_load_gdt((const struct pv_dtr *)dtr);
}

static __always_inline void load_idt(const struct desc_ptr *dtr)
{
	pv_load_idt((const struct pv_dtr *)dtr);
}

#define store_tr(tr)		((tr) = pv_store_tr())

#define load_TLS(t, cpu)						\
do {									\
	struct thread_struct *_t = (t);					\
	unsigned int _cpu = (cpu);					\
									\
	if (unlikely(pv_replaced_load_tls()))				\
		pv_outline_load_tls((u64 *)get_cpu_gdt_rw(_cpu),	\
				    (const u64 *)_t->tls_array);	\
	else								\
		native_load_tls(_t, _cpu);				\
} while (0)

#define load_sp0(sp0)							\
do {									\
	unsigned long _sp0 = (sp0);					\
									\
	if (unlikely(pv_replaced_load_sp0()))				\
		pv_outline_load_sp0((struct pv_tss *)			\
			this_cpu_ptr(&cpu_tss_rw.x86_tss), _sp0);	\
	else								\
		native_load_sp0(_sp0);					\
} while (0)

static __always_inline void write_ldt_entry(struct desc_struct *dt, int entry,
					    const void *desc)
{
	pv_write_ldt_entry((u64 *)dt, entry, *(const u64 *)desc);
}

static __always_inline void write_gdt_entry(struct desc_struct *dt, int entry,
					    void *desc, int type)
{
	pv_write_gdt_entry((u64 *)dt, entry, desc,
			   type == DESC_TSS || type == DESC_LDT ? 2 : 1);
}

static __always_inline void write_idt_entry(gate_desc *dt, int entry,
					    const gate_desc *g)
{
	pv_write_idt_entry((struct pv_gate *)dt, entry,
			   (const struct pv_gate *)g);
}

/*
 * In line is Linux's own code: the mapping of the GDT that the CPU uses is
 * read-only, and an interrupt may come between two SWAPGS.
 */
#define load_TR_desc()							\
do {									\
	if (unlikely(pv_replaced_load_tr()))				\
		pv_outline_load_tr(GDT_ENTRY_TSS * 8);			\
	else								\
		native_load_tr_desc();					\
} while (0)

#define set_ldt(addr, entries)						\
do {									\
	const void *_addr = (addr);					\
	unsigned int _entries = (entries);				\
									\
	if (unlikely(pv_replaced_set_ldt()))				\
		pv_outline_set_ldt((u64 *)_addr, _entries);		\
	else								\
		native_set_ldt(_addr, _entries);			\
} while (0)

#define load_gs_index(gs)						\
do {									\
	unsigned int _gs = (gs);					\
									\
	if (unlikely(pv_replaced_load_gs_index()))			\
		pv_outline_load_gs_index(_gs);				\
	else								\
		native_load_gs_index(_gs);				\
} while (0)

static inline void paravirt_alloc_ldt(struct desc_struct *ldt,
				      unsigned int entries)
{
	PVOPS_UNLESS_NATIVE(alloc_ldt, ldt, entries);
}

static inline void paravirt_free_ldt(struct desc_struct *ldt,
				     unsigned int entries)
{
	PVOPS_UNLESS_NATIVE(free_ldt, ldt, entries);
}

#ifdef CONFIG_X86_IOPL_IOPERM
#define tss_update_io_bitmap()						\
do {									\
	if (unlikely(pv_replaced_update_io_bitmap()))			\
		pv_outline_update_io_bitmap();				\
	else								\
		native_tss_update_io_bitmap();				\
} while (0)

#define tss_invalidate_io_bitmap()					\
do {									\
	if (unlikely(pv_replaced_invalidate_io_bitmap()))		\
		pv_outline_invalidate_io_bitmap();			\
	else								\
		native_tss_invalidate_io_bitmap();			\
} while (0)
#endif

void pvops_start_context_switch(struct task_struct *prev);
void pvops_end_context_switch(struct task_struct *next);

#define  __HAVE_ARCH_START_CONTEXT_SWITCH
static __always_inline void arch_start_context_switch(struct task_struct *prev)
{
	if (unlikely(pv_replaced_start_context_switch()))
		pvops_start_context_switch(prev);
}

static __always_inline void arch_end_context_switch(struct task_struct *next)
{
	if (unlikely(pv_replaced_end_context_switch()))
		pvops_end_context_switch(next);
}

#endif /* _ASM_X86_PVOPS_CPU_H */
