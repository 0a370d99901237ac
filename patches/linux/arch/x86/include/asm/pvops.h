/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of <asm/paravirt.h> for the rest of Linux, made of the ops of
 * the pvops catalogue (pvops/catalogue.h).
 *
 * If Linux's own native code does more than the bare instruction (PTI's second
 * root table, exception tables of MSR access, mitigations), that code is in
 * line behind the op's branch site.
 *
 * Functions are macros if they need types that are not defined yet when this
 * file is first included.
 */
#ifndef _ASM_X86_PVOPS_H
#define _ASM_X86_PVOPS_H

#include <asm/pvops_types.h>

#ifdef __ASSEMBLY__

#ifdef CONFIG_DEBUG_ENTRY
#include <pvops/site.h>
/* Users test X86_EFLAGS_IF, which a token need not contain. */
#define SAVE_FLAGS							\
	PV_CALL_OP save_fl;						\
	pushq	%rdi;							\
	movq	%rax, %rdi;						\
	PV_CALL_OP irqs_disabled_flags;					\
	popq	%rdi;							\
	xorl	$1, %eax;						\
	shll	$X86_EFLAGS_IF_BIT, %eax
#endif

#else /* !__ASSEMBLY__ */

#include <linux/bug.h>
#include <linux/types.h>
#include <linux/cpumask.h>
#include <linux/linkage.h>
#include <linux/static_call_types.h>
#include <asm/asm.h>
#include <asm/desc_defs.h>
#include <asm/frame.h>
#include <asm/ibt.h>
#include <asm/nospec-branch.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>

#include <pvops/call.h>

struct mm_struct;
struct mmu_gather;
struct task_struct;
struct vm_area_struct;
struct flush_tlb_info;
struct module;

/* Start-up and patching: pvops_start.c, pvops_patch.c, pvops_port.c */
void pvops_early_init(void);
struct start_info;
void pvops_early_init_xen(const struct start_info *start_info);
void pvops_prepare_pvh(void);
void xen_prepare_pvh(void);
void pvops_patch_kernel(void);
void pvops_cpu_init(void);
void pvops_protect_data(unsigned long start, unsigned long end);
bool pvops_is_iret(unsigned long ip);
int pvops_patch_module(struct module *mod, void *sites, unsigned long size);
void pvops_forget_module(struct module *mod);
int pvops_patch_again(void);
struct insn;
unsigned long pvops_probe_far_side(const struct insn *insn);
struct pv_site_report;
void pvops_each_site(void (*fn)(const struct pv_site_report *site, void *arg),
		     void *arg);

void default_banner(void);

/* The hypervisor's code; entry_64.S compares with it. */
extern unsigned long pvops_code_start, pvops_code_bytes;

/*
 * A branch site whose far side is in the same asm statement.  With asm goto,
 * the compiler may place the far side between the site and the native code
 * (with -Os it does), and then native code must jump.  The far side is at the
 * end of the site's own section, whichever that is: .init.text goes with its far
 * sides, and no function's section can be that of the far sides.
 */
#define PVOPS_BRANCH							\
	"771: .byte 0xe9\n\t.long 772f - . - 4\n\t"			\
	".byte 0x66, 0x90\n\t" PV_RECORD(7, 2)
#define PVOPS_FAR	"773:\n.subsection 1\n772:\n"
#define PVOPS_FAR_END	"jmp 773b\n.previous\n"

/*
 * An op that does nothing natively.  Unlike a call site, it clobbers no
 * registers on native.
 */
#define PVOPS_UNLESS_NATIVE(op, ...)					\
do {									\
	if (unlikely(pv_replaced_##op()))				\
		pv_outline_##op(__VA_ARGS__);				\
} while (0)

#include <asm/pvops_irq.h>
#include <asm/pvops_cpu.h>
#include <asm/pvops_msr.h>
#include <asm/pvops_mmu.h>
#include <asm/pvops_time.h>

#ifdef ASM_FUNC_ALIGN
#define PVOPS_ASM_FUNC_ALIGN	ASM_FUNC_ALIGN "\n"
#else
#define PVOPS_ASM_FUNC_ALIGN
#endif

/*
 * Makes a function from a C function that preserves all registers but RAX, as
 * convention ASM requires.
 */
#define __PV_CALLEE_SAVE_REGS_THUNK(func, section)			\
	extern typeof(func) __raw_callee_save_##func;			\
									\
	asm(".pushsection " section ", \"ax\"\n"			\
	    ".globl __raw_callee_save_" #func "\n"			\
	    ".type __raw_callee_save_" #func ", @function\n"		\
	    PVOPS_ASM_FUNC_ALIGN					\
	    "__raw_callee_save_" #func ":\n"				\
	    ASM_ENDBR FRAME_BEGIN					\
	    "push %rcx; push %rdx; push %rsi; push %rdi\n"		\
	    "push %r8; push %r9; push %r10; push %r11\n"		\
	    "call " #func "\n"						\
	    "pop %r11; pop %r10; pop %r9; pop %r8\n"			\
	    "pop %rdi; pop %rsi; pop %rdx; pop %rcx\n"			\
	    FRAME_END ASM_RET						\
	    ".size __raw_callee_save_" #func ", . - __raw_callee_save_" #func "\n" \
	    ".popsection")
#define PV_CALLEE_SAVE_REGS_THUNK(func)					\
	__PV_CALLEE_SAVE_REGS_THUNK(func, ".text")
#define PV_CALLEE_SAVE(func)		(__raw_callee_save_##func)
#define __PV_IS_CALLEE_SAVE(func)	(func)

void native_pv_lock_init(void);

#ifdef CONFIG_PARAVIRT_SPINLOCKS
void paravirt_set_cap(void);
#elif !defined(PVOPS_SPLIT_HEADERS)
static inline void paravirt_set_cap(void) { }
#endif

#include <asm/pvops_set.h>

#ifndef PVOPS_SPLIT_HEADERS
#include <asm/pvops_lock.h>
#endif

#endif /* __ASSEMBLY__ */
#endif /* _ASM_X86_PVOPS_H */
