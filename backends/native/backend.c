// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Native: the bare instruction for every op.  Its tables are full, because every other
 * backend falls back on them.
 */
#include "internal.h"

/*
 * An op of one to three instructions.  One text makes the bytes for the site and, for
 * calls before patching, a function: the same bytes and a RET.
 */
#define LEAF(name, text)						\
	PV_CODE(code_##name, text);					\
	asm(".pushsection .text\n.globl pvnative_fn_" #name "\n"	\
	    ".type pvnative_fn_" #name ", @function\n"			\
	    "pvnative_fn_" #name ":\n\t" PV_ASM_ENDBR text "\n\t" PV_ASM_RET "\n" \
	    ".size pvnative_fn_" #name ", . - pvnative_fn_" #name "\n"	\
	    ".popsection\n")

LEAF(save_fl, "pushfq; pop %rax");
LEAF(restore_fl, "push %rdi; popfq");
LEAF(irqs_disabled_flags, "xor %eax, %eax; bt $9, %rdi; setnc %al");
LEAF(irq_disable, "cli");
LEAF(irq_enable, "sti");
LEAF(halt, "hlt");
LEAF(safe_halt, "sti; hlt");
LEAF(adjust_exception_frame, "");

LEAF(read_cr0, "mov %cr0, %rax");
LEAF(write_cr0, "mov %rdi, %cr0");
LEAF(read_cr2, "mov %cr2, %rax");
LEAF(write_cr2, "mov %rdi, %cr2");
LEAF(read_cr4, "mov %cr4, %rax");
LEAF(write_cr4, "mov %rdi, %cr4");
LEAF(clts, "clts");
LEAF(wbinvd, "wbinvd");
LEAF(load_gdt, "lgdt (%rdi)");
LEAF(load_idt, "lidt (%rdi)");
LEAF(load_tr, "ltr %di");
LEAF(store_tr, "str %eax");
LEAF(load_sp0, "mov %rsi, 4(%rdi)");
LEAF(set_iopl, "");
LEAF(io_delay, "outb %al, $0x80");
LEAF(swapgs, "swapgs");
LEAF(iret, "iretq");
PV_ASM_ODD(pvnative_fn_iret);
LEAF(start_context_switch, "");
LEAF(end_context_switch, "");

LEAF(read_cr3, "mov %cr3, %rax");
LEAF(write_cr3, "mov %rdi, %cr3");
LEAF(pte_val, "mov %rdi, %rax");
LEAF(make_pte, "mov %rdi, %rax");
LEAF(pmd_val, "mov %rdi, %rax");
LEAF(make_pmd, "mov %rdi, %rax");
LEAF(pud_val, "mov %rdi, %rax");
LEAF(make_pud, "mov %rdi, %rax");
LEAF(p4d_val, "mov %rdi, %rax");
LEAF(make_p4d, "mov %rdi, %rax");
LEAF(pgd_activate, "");
LEAF(batch_enter, "");
LEAF(batch_leave, "");
LEAF(batch_flush, "");

LEAF(lock_wait, "pause");
LEAF(lock_kick, "");

/* The native code of branch sites as functions, for their far side. */
#define OUT_OF_LINE(name, ret, n, args)			\
	ret pvnative_fn_##name PV_PROTO##n args		\
	{						\
		return pv_native_##name PV_NAMES##n args;	\
	}

OUT_OF_LINE(cpuid, void, 1, (struct pv_cpuid *, regs))
OUT_OF_LINE(read_msr, u64, 1, (u32, msr))
OUT_OF_LINE(write_msr, void, 2, (u32, msr, u64, val))
OUT_OF_LINE(read_pmc, u64, 1, (u32, counter))
OUT_OF_LINE(rdtsc, u64, 0, ())
OUT_OF_LINE(get_debugreg, u64, 1, (u32, nr))
OUT_OF_LINE(set_debugreg, void, 2, (u32, nr, u64, val))
OUT_OF_LINE(load_tls, void, 2, (u64 *, gdt, const u64 *, tls))
OUT_OF_LINE(write_gdt_entry, void, 4,
	    (u64 *, gdt, u32, index, const u64 *, desc, u32, words))
OUT_OF_LINE(write_ldt_entry, void, 3, (u64 *, ldt, u32, index, u64, desc))
OUT_OF_LINE(write_idt_entry, void, 3,
	    (struct pv_gate *, idt, u32, vector, const struct pv_gate *, gate))
OUT_OF_LINE(flush_tlb_user, void, 0, ())
OUT_OF_LINE(flush_tlb_kernel, void, 0, ())
OUT_OF_LINE(flush_tlb_one, void, 1, (u64, va))
OUT_OF_LINE(set_pte, void, 2, (pv_pte_t *, ptep, pv_pte_t, pte))
OUT_OF_LINE(set_pmd, void, 2, (pv_pmd_t *, pmdp, pv_pmd_t, pmd))
OUT_OF_LINE(set_pud, void, 2, (pv_pud_t *, pudp, pv_pud_t, pud))
OUT_OF_LINE(set_p4d, void, 2, (pv_p4d_t *, p4dp, pv_p4d_t, p4d))
OUT_OF_LINE(ptep_modify_prot_start, pv_pte_t, 1, (pv_pte_t *, ptep))
OUT_OF_LINE(ptep_modify_prot_commit, void, 2, (pv_pte_t *, ptep, pv_pte_t, pte))
OUT_OF_LINE(vcpu_is_preempted, u8, 1, (u32, cpu))

static const struct pv_irq_impls native_irq = {
	.save_fl = PV_INLINE(pvnative_fn_save_fl, code_save_fl, PV_IMPL_BEHIND_BRANCH),
	.restore_fl = PV_INLINE(pvnative_fn_restore_fl, code_restore_fl, PV_IMPL_BEHIND_BRANCH),
	.irqs_disabled_flags = PV_FN(pvnative_fn_irqs_disabled_flags, PV_IMPL_BEHIND_BRANCH),
	.irq_disable = PV_INLINE(pvnative_fn_irq_disable, code_irq_disable, PV_IMPL_BEHIND_BRANCH),
	.irq_enable = PV_INLINE(pvnative_fn_irq_enable, code_irq_enable, PV_IMPL_BEHIND_BRANCH),
	.halt = PV_INLINE(pvnative_fn_halt, code_halt, PV_IMPL_BEHIND_BRANCH),
	.safe_halt = PV_INLINE(pvnative_fn_safe_halt, code_safe_halt, PV_IMPL_BEHIND_BRANCH),
	.upcall = PV_FN(pvnative_fn_upcall, PV_IMPL_BEHIND_BRANCH),
	.adjust_exception_frame = PV_EMPTY(pvnative_fn_adjust_exception_frame,
					   PV_IMPL_BEHIND_BRANCH),
};

static const struct pv_cpu_impls native_cpu = {
	.read_cr0 = PV_INLINE(pvnative_fn_read_cr0, code_read_cr0, PV_IMPL_BEHIND_BRANCH),
	.write_cr0 = PV_INLINE(pvnative_fn_write_cr0, code_write_cr0, PV_IMPL_BEHIND_BRANCH),
	.read_cr2 = PV_INLINE(pvnative_fn_read_cr2, code_read_cr2, PV_IMPL_BEHIND_BRANCH),
	.write_cr2 = PV_INLINE(pvnative_fn_write_cr2, code_write_cr2, PV_IMPL_BEHIND_BRANCH),
	.read_cr4 = PV_INLINE(pvnative_fn_read_cr4, code_read_cr4, PV_IMPL_BEHIND_BRANCH),
	.write_cr4 = PV_INLINE(pvnative_fn_write_cr4, code_write_cr4, PV_IMPL_BEHIND_BRANCH),
	.clts = PV_INLINE(pvnative_fn_clts, code_clts, PV_IMPL_BEHIND_BRANCH),
	.wbinvd = PV_INLINE(pvnative_fn_wbinvd, code_wbinvd, PV_IMPL_BEHIND_BRANCH),
	.cpuid = PV_FN(pvnative_fn_cpuid, PV_IMPL_BEHIND_BRANCH),
	.read_msr = PV_FN(pvnative_fn_read_msr, PV_IMPL_BEHIND_BRANCH),
	.write_msr = PV_FN(pvnative_fn_write_msr, PV_IMPL_BEHIND_BRANCH),
	.read_msr_safe = PV_FN(pvnative_fn_read_msr_safe, PV_IMPL_BEHIND_BRANCH),
	.write_msr_safe = PV_FN(pvnative_fn_write_msr_safe, PV_IMPL_BEHIND_BRANCH),
	.read_pmc = PV_FN(pvnative_fn_read_pmc, PV_IMPL_BEHIND_BRANCH),
	.rdtsc = PV_FN(pvnative_fn_rdtsc, PV_IMPL_BEHIND_BRANCH),
	.get_debugreg = PV_FN(pvnative_fn_get_debugreg, PV_IMPL_BEHIND_BRANCH),
	.set_debugreg = PV_FN(pvnative_fn_set_debugreg, PV_IMPL_BEHIND_BRANCH),
	.load_gdt = PV_INLINE(pvnative_fn_load_gdt, code_load_gdt, PV_IMPL_BEHIND_BRANCH),
	.load_idt = PV_INLINE(pvnative_fn_load_idt, code_load_idt, PV_IMPL_BEHIND_BRANCH),
	.load_tr = PV_INLINE(pvnative_fn_load_tr, code_load_tr, PV_IMPL_BEHIND_BRANCH),
	.store_tr = PV_INLINE(pvnative_fn_store_tr, code_store_tr, PV_IMPL_BEHIND_BRANCH),
	.set_ldt = PV_FN(pvnative_fn_set_ldt, PV_IMPL_BEHIND_BRANCH),
	.load_tls = PV_FN(pvnative_fn_load_tls, PV_IMPL_BEHIND_BRANCH),
	.load_gs_index = PV_FN(pvnative_fn_load_gs_index, PV_IMPL_BEHIND_BRANCH),
	.write_gdt_entry = PV_FN(pvnative_fn_write_gdt_entry, PV_IMPL_BEHIND_BRANCH),
	.write_ldt_entry = PV_FN(pvnative_fn_write_ldt_entry, PV_IMPL_BEHIND_BRANCH),
	.write_idt_entry = PV_FN(pvnative_fn_write_idt_entry, PV_IMPL_BEHIND_BRANCH),
	.load_sp0 = PV_INLINE(pvnative_fn_load_sp0, code_load_sp0, PV_IMPL_BEHIND_BRANCH),
	.set_iopl = PV_EMPTY(pvnative_fn_set_iopl, PV_IMPL_BEHIND_BRANCH),
	.io_delay = PV_INLINE(pvnative_fn_io_delay, code_io_delay, PV_IMPL_BEHIND_BRANCH),
	.swapgs = PV_INLINE(pvnative_fn_swapgs, code_swapgs, PV_IMPL_BEHIND_BRANCH),
	.iret = PV_INLINE(pvnative_fn_iret, code_iret, PV_IMPL_BEHIND_BRANCH),
	.start_context_switch = PV_EMPTY(pvnative_fn_start_context_switch, PV_IMPL_BEHIND_BRANCH),
	.end_context_switch = PV_EMPTY(pvnative_fn_end_context_switch, PV_IMPL_BEHIND_BRANCH),
};

static const struct pv_mmu_impls native_mmu = {
	.read_cr3 = PV_INLINE(pvnative_fn_read_cr3, code_read_cr3, PV_IMPL_BEHIND_BRANCH),
	.write_cr3 = PV_INLINE(pvnative_fn_write_cr3, code_write_cr3, PV_IMPL_BEHIND_BRANCH),
	.flush_tlb_user = PV_FN(pvnative_fn_flush_tlb_user, PV_IMPL_BEHIND_BRANCH),
	.flush_tlb_kernel = PV_FN(pvnative_fn_flush_tlb_kernel, PV_IMPL_BEHIND_BRANCH),
	.flush_tlb_one = PV_FN(pvnative_fn_flush_tlb_one, PV_IMPL_BEHIND_BRANCH),
	.flush_tlb_multi = PV_FN(pvnative_fn_flush_tlb_multi, PV_IMPL_BEHIND_BRANCH),
	.set_pte = PV_FN(pvnative_fn_set_pte, PV_IMPL_BEHIND_BRANCH),
	.set_pmd = PV_FN(pvnative_fn_set_pmd, PV_IMPL_BEHIND_BRANCH),
	.set_pud = PV_FN(pvnative_fn_set_pud, PV_IMPL_BEHIND_BRANCH),
	.set_p4d = PV_FN(pvnative_fn_set_p4d, PV_IMPL_BEHIND_BRANCH),
	.pte_val = PV_FN(pvnative_fn_pte_val, PV_IMPL_BEHIND_BRANCH),
	.make_pte = PV_FN(pvnative_fn_make_pte, PV_IMPL_BEHIND_BRANCH),
	.pmd_val = PV_FN(pvnative_fn_pmd_val, PV_IMPL_BEHIND_BRANCH),
	.make_pmd = PV_FN(pvnative_fn_make_pmd, PV_IMPL_BEHIND_BRANCH),
	.pud_val = PV_FN(pvnative_fn_pud_val, PV_IMPL_BEHIND_BRANCH),
	.make_pud = PV_FN(pvnative_fn_make_pud, PV_IMPL_BEHIND_BRANCH),
	.p4d_val = PV_FN(pvnative_fn_p4d_val, PV_IMPL_BEHIND_BRANCH),
	.make_p4d = PV_FN(pvnative_fn_make_p4d, PV_IMPL_BEHIND_BRANCH),
	.ptep_modify_prot_start = PV_FN(pvnative_fn_ptep_modify_prot_start, PV_IMPL_BEHIND_BRANCH),
	.ptep_modify_prot_commit = PV_FN(pvnative_fn_ptep_modify_prot_commit,
					 PV_IMPL_BEHIND_BRANCH),
	.alloc_pte = PV_FN(pvnative_fn_alloc_pte, PV_IMPL_BEHIND_BRANCH),
	.release_pte = PV_FN(pvnative_fn_release_pte, PV_IMPL_BEHIND_BRANCH),
	.alloc_pmd = PV_FN(pvnative_fn_alloc_pmd, PV_IMPL_BEHIND_BRANCH),
	.release_pmd = PV_FN(pvnative_fn_release_pmd, PV_IMPL_BEHIND_BRANCH),
	.alloc_pud = PV_FN(pvnative_fn_alloc_pud, PV_IMPL_BEHIND_BRANCH),
	.release_pud = PV_FN(pvnative_fn_release_pud, PV_IMPL_BEHIND_BRANCH),
	.alloc_unpinned = PV_FN(pvnative_fn_alloc_unpinned, PV_IMPL_BEHIND_BRANCH),
	.pin_table = PV_FN(pvnative_fn_pin_table, PV_IMPL_BEHIND_BRANCH),
	.unpin_table = PV_FN(pvnative_fn_unpin_table, PV_IMPL_BEHIND_BRANCH),
	.pgd_alloc = PV_FN(pvnative_fn_pgd_alloc, PV_IMPL_BEHIND_BRANCH),
	.pgd_free = PV_FN(pvnative_fn_pgd_free, PV_IMPL_BEHIND_BRANCH),
	.pgd_activate = PV_EMPTY(pvnative_fn_pgd_activate, PV_IMPL_BEHIND_BRANCH),
	.table_cache = PV_FN(pvnative_fn_table_cache, PV_IMPL_BEHIND_BRANCH),
	.set_fixmap = PV_FN(pvnative_fn_set_fixmap, PV_IMPL_BEHIND_BRANCH),
	.batch_enter = PV_EMPTY(pvnative_fn_batch_enter, PV_IMPL_BEHIND_BRANCH),
	.batch_leave = PV_EMPTY(pvnative_fn_batch_leave, PV_IMPL_BEHIND_BRANCH),
	.batch_flush = PV_EMPTY(pvnative_fn_batch_flush, PV_IMPL_BEHIND_BRANCH),
};

static const struct pv_time_impls native_time = {
	.clock_read = PV_FN(pvnative_fn_clock_read, PV_IMPL_BEHIND_BRANCH),
	.wall_clock = PV_FN(pvnative_fn_wall_clock, PV_IMPL_BEHIND_BRANCH),
	.set_timer = PV_FN(pvnative_fn_set_timer, PV_IMPL_BEHIND_BRANCH),
	.stolen_time = PV_FN(pvnative_fn_stolen_time, PV_IMPL_BEHIND_BRANCH),
};

static const struct pv_smp_impls native_smp = {
	.start_cpu = PV_FN(pvnative_fn_start_cpu, PV_IMPL_BEHIND_BRANCH),
	.send_ipi = PV_FN(pvnative_fn_send_ipi, PV_IMPL_BEHIND_BRANCH),
	.send_ipi_mask = PV_FN(pvnative_fn_send_ipi_mask, PV_IMPL_BEHIND_BRANCH),
	.stop_cpu = PV_FN(pvnative_fn_stop_cpu, PV_IMPL_BEHIND_BRANCH),
	.console_write = PV_FN(pvnative_fn_console_write, PV_IMPL_BEHIND_BRANCH),
	.shutdown = PV_FN(pvnative_fn_shutdown, PV_IMPL_BEHIND_BRANCH),
};

static const struct pv_lock_impls native_lock = {
	.lock_wait = PV_INLINE(pvnative_fn_lock_wait, code_lock_wait, PV_IMPL_BEHIND_BRANCH),
	.lock_kick = PV_EMPTY(pvnative_fn_lock_kick, PV_IMPL_BEHIND_BRANCH),
	.vcpu_is_preempted = PV_FN(pvnative_fn_vcpu_is_preempted, PV_IMPL_BEHIND_BRANCH),
};

/* Has the lowest score of all: any backend that can run is better. */
static int detect(const struct pv_platform *platform, const char **why)
{
	if (platform->cpl) {
		*why = "the kernel runs deprivileged, bare instructions would trap or lie";
		return PV_SCORE_NONE;
	}
	if (platform->no_native) {
		*why = platform->no_native;
		return PV_SCORE_NONE;
	}
	return PV_SCORE_FALLBACK;
}

static void cpu_init(u32 cpu)
{
	/* late_init() sets up the boot CPU's APIC, because mapping it needs memory. */
	if (cpu)
		pvnative_apic_cpu_setup();
}

static void late_init(void)
{
	/* Only if needed: calibration takes 10 ms or more. */
	if (pv_impl_is_native(PV_OP_clock_read))
		pvnative_time_setup();
	pvnative_apic_setup();
}

static const struct pv_backend native = {
	.name = "native",
	.title = "bare instructions",
	.detect = detect,
	.cpu_init = cpu_init,
	.late_init = late_init,
	.irq = &native_irq,
	.cpu = &native_cpu,
	.mmu = &native_mmu,
	.time = &native_time,
	.smp = &native_smp,
	.lock = &native_lock,
	.kernel = PV_NATIVE_KERNEL_IMPLS,
};

PV_BACKEND(native);
