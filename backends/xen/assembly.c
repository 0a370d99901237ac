// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Assembly of the Xen PV backend: the hypercall stub, the ops whose convention preserves
 * all registers but rax, and the entry points that Xen calls.
 *
 * The code is in asm statements, not in a .S file, because the port names its per-CPU
 * variables with a string (PV_PERCPU_ASM).
 */
#include "internal.h"

#define FUNC(name)	".globl " #name "\n.type " #name ", @function\n" #name ":\n\t" PV_ASM_ENDBR
#define END(name)	".size " #name ", . - " #name "\n"
#define ALIAS(name, of)	".globl " #name "\n.set " #name ", " #of "\n"

#define PENDING		XEN_VCPU_INFO
#define MASK		XEN_VCPU_INFO " + 1"
#define CR2		XEN_VCPU_INFO " + 16"
#define P2M_ADDR	XEN_STR(pvxen_p2m_addr) "(%rip)"
#define P2M_SIZE	XEN_STR(pvxen_p2m_size) "(%rip)"

_Static_assert(offsetof(struct vcpu_info, evtchn_upcall_pending) == 0, "PENDING");
_Static_assert(offsetof(struct vcpu_info, evtchn_upcall_mask) == 1, "MASK");
_Static_assert(offsetof(struct vcpu_info, arch.cr2) == 16, "CR2");
_Static_assert(sizeof(struct vcpu_info) == 64, "fits its alignment");

PV_ASM_ODD(pvxen_hypercall);
PV_ASM_ODD(pvxen_iret);
PV_ASM_ODD(pvxen_syscall_entry);
PV_ASM_ODD(pvxen_enter);
PV_ASM_ODD(pvxen_adjust_exception_frame);

/*
 * The hypercall stub.  A hypercall page is not needed: SYSCALL in kernel mode is a
 * hypercall on every 64-bit Xen.
 */
asm(".pushsection .text\n"
	FUNC(pvxen_hypercall)
	"incq " PV_PERCPU_ASM "pvxen_hypercall_count(,%rax,8)\n\t"
	"syscall\n\t"
	PV_ASM_RET "\n"
	END(pvxen_hypercall)
	".popsection\n");

/*
 * The event mask byte is the interrupt state, and the token of save_fl.  If an event is
 * pending after unmasking, any hypercall makes Xen deliver it on its return;
 * xen_version(XENVER_version) is a cheap one without effect.
 */
asm(".pushsection .text\n"
	FUNC(pvxen_save_fl)
	"movzbl " MASK ", %eax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_save_fl)

	FUNC(pvxen_irqs_disabled_flags)
	"mov %edi, %eax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_irqs_disabled_flags)

	FUNC(pvxen_irq_disable)
	"movb $1, " MASK "\n\t"
	PV_ASM_RET "\n"
	END(pvxen_irq_disable)

	FUNC(pvxen_irq_enable)
	"movb $0, " MASK "\n\t"
	"cmpb $0, " PENDING "\n\t"
	"jne pvxen_deliver\n\t"
	PV_ASM_RET "\n"
	END(pvxen_irq_enable)

	FUNC(pvxen_restore_fl)
	"mov %dil, " MASK "\n\t"
	"test %dil, %dil\n\t"
	"jne 1f\n\t"
	"cmpb $0, " PENDING "\n\t"
	"jne pvxen_deliver\n"
	"1:\t" PV_ASM_RET "\n"
	END(pvxen_restore_fl)

	FUNC(pvxen_deliver)
	"push %rcx\n\t"
	"push %r11\n\t"
	"push %rdi\n\t"
	"push %rsi\n\t"
	"mov $" XEN_STR(__HYPERVISOR_xen_version) ", %eax\n\t"
	"xor %edi, %edi\n\t"
	"xor %esi, %esi\n\t"
	"call pvxen_hypercall\n\t"
	"pop %rsi\n\t"
	"pop %rdi\n\t"
	"pop %r11\n\t"
	"pop %rcx\n\t"
	PV_ASM_RET "\n"
	END(pvxen_deliver)
	".popsection\n");

/* Reads of a per-CPU word, and ops that do nothing. */
asm(".pushsection .text\n"
	FUNC(pvxen_read_cr0)
	"mov " PV_PERCPU_ASM "pvxen_cr0, %rax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_read_cr0)

	FUNC(pvxen_read_cr2)
	"mov " CR2 ", %rax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_read_cr2)

	FUNC(pvxen_read_cr3)
	"mov " PV_PERCPU_ASM "pvxen_cr3, %rax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_read_cr3)

	FUNC(pvxen_read_cr4)
	"mov " PV_PERCPU_ASM "pvxen_cr4, %rax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_read_cr4)

	FUNC(pvxen_store_tr)
	"xor %eax, %eax\n\t"
	PV_ASM_RET "\n"
	END(pvxen_store_tr)
	FUNC(pvxen_nothing)
	PV_ASM_RET "\n"
	END(pvxen_nothing)
	".popsection\n");

/*
 * Entry and exit.
 *
 * Xen's frame has rcx and r11 on top of the hardware's frame.  If the op is called
 * (before patching), its return address is on top of them.
 *
 * HYPERVISOR_iret takes rax, r11, rcx, flags on top of the hardware frame and
 * sets the event mask from RFLAGS.IF.
 *
 * A system call arrives with the flat user selectors, which are replaced by the kernel's
 * own for the return.  DF is the user's, because SFMASK has no effect under Xen.
 */
asm(".pushsection .text\n"
	FUNC(pvxen_adjust_exception_frame)
	"mov 8(%rsp), %rcx\n\t"
	"mov 16(%rsp), %r11\n\t"
	"popq 8(%rsp)\n\t"
	"lea 8(%rsp), %rsp\n\t"
	PV_ASM_RET "\n"
	END(pvxen_adjust_exception_frame)

	FUNC(pvxen_iret)
	"pushq $0\n\t"
	"push %rcx\n\t"
	"push %r11\n\t"
	"push %rax\n\t"
	"mov $" XEN_STR(__HYPERVISOR_iret) ", %eax\n\t"
	"incq " PV_PERCPU_ASM "pvxen_hypercall_count(,%rax,8)\n\t"
	"syscall\n\t"
	"ud2\n"
	END(pvxen_iret)

	FUNC(pvxen_syscall_entry)
	"pop %rcx\n\t"
	"pop %r11\n\t"
	"movq $" XEN_STR(PV_USER_CS) ", 8(%rsp)\n\t"
	"movq $" XEN_STR(PV_USER_DS) ", 32(%rsp)\n\t"
	"cld\n\t"
	"jmp pv_port_syscall_hwframe\n"
	END(pvxen_syscall_entry)

	FUNC(pvxen_failsafe_entry)
	"call pvxen_failsafe\n\t"
	"ud2\n"
	END(pvxen_failsafe_entry)

	FUNC(pvxen_enter)
	"mov %rsi, %rsp\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rdx, %rdi\n\t"
	"xor %ebp, %ebp\n\t"
	"cld\n\t"
	PV_ASM_JMP("rax") "\n"
	END(pvxen_enter)
	".popsection\n");

/*
 * Page-table entries.  Machine frames become guest frames by Xen's M2P table, which every
 * guest kernel can read.  If M2P has no page for a frame (holes, MMIO), the load faults,
 * and the exception table treats the frame as foreign.  A frame is the guest's if both
 * translations agree.  M2P alone is not enough: for another domain's frame it gives that
 * domain's PFN, which a page of this guest may have, too.
 *
 * For foreign frames, C code asks the kernel.  The kernel's list may mark an entry in
 * bits 63 and 62 (another domain's page, device memory); these are shifted out.
 */
#define SAVING(what)							\
	"push %rcx\n\tpush %rdx\n\tpush %rsi\n\tpush %rdi\n\t"		\
	"push %r8\n\tpush %r9\n\tpush %r10\n\tpush %r11\n\t"		\
	what								\
	"pop %r11\n\tpop %r10\n\tpop %r9\n\tpop %r8\n\t"			\
	"pop %rdi\n\tpop %rsi\n\tpop %rdx\n\tpop %rcx\n\t"		\
	PV_ASM_RET "\n\t"

_Static_assert(__MACH2PHYS_VIRT_START == 0xffff800000000000, "in the asm below");

asm(".pushsection .text\n"
	FUNC(pvxen_pte_val)
	"mov %rdi, %rax\n\t"
	"test $1, %al\n\t"
	"jz 9f\n\t"
	"push %rcx\n\t"
	"shl $12, %rax\n\t"
	"shr $24, %rax\n\t"
	"movabs $0xffff800000000000, %rcx\n"
	"1:\tmov (%rcx,%rax,8), %rcx\n\t"
	"cmp " P2M_SIZE ", %rcx\n\t"
	"jae 2f\n\t"
	"push %rdx\n\t"
	"mov " P2M_ADDR ", %rdx\n\t"
	"cmp %rax, (%rdx,%rcx,8)\n\t"
	"pop %rdx\n\t"
	"jne 2f\n\t"
	"xor %rcx, %rax\n\t"
	"shl $12, %rax\n\t"
	"xor %rdi, %rax\n\t"
	"pop %rcx\n"
	"9:\t" PV_ASM_RET "\n"
	"2:\tpop %rcx\n\t"
	SAVING("call pvxen_foreign_val\n\t")
	PV_EXTABLE(1b, 2b)
	END(pvxen_pte_val)
	ALIAS(pvxen_pmd_val, pvxen_pte_val)
	ALIAS(pvxen_pud_val, pvxen_pte_val)
	ALIAS(pvxen_p4d_val, pvxen_pte_val)

	FUNC(pvxen_make_pte)
	"mov %rdi, %rax\n\t"
	"test $1, %al\n\t"
	"jz 9f\n\t"
	"shl $12, %rax\n\t"
	"shr $24, %rax\n\t"
	"cmp " P2M_SIZE ", %rax\n\t"
	"jae 2f\n\t"
	"push %rcx\n\t"
	"mov " P2M_ADDR ", %rcx\n\t"
	"mov (%rcx,%rax,8), %rcx\n\t"
	"cmp $-1, %rcx\n\t"
	"je 1f\n\t"
	"xor %rcx, %rax\n\t"
	"shl $12, %rax\n\t"
	"xor %rdi, %rax\n\t"
	"pop %rcx\n"
	"9:\t" PV_ASM_RET "\n"
	"1:\tpop %rcx\n"
	"2:\t" SAVING("call pvxen_foreign_entry\n\t")
	END(pvxen_make_pte)
	ALIAS(pvxen_make_pmd, pvxen_make_pte)
	ALIAS(pvxen_make_pud, pvxen_make_pte)
	ALIAS(pvxen_make_p4d, pvxen_make_pte)
	".popsection\n");
