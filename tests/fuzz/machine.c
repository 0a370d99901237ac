// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The machine: instructions, memory, and the port of a kernel on it.  machine.h. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <Zydis/Zydis.h>

#include "machine.h"

u32 host_cpu;
bool host_in_interrupt;

jmp_buf machine_way_out;
const char *machine_panic;
u8 machine_pages[MACHINE_PAGES][PV_PAGE_SIZE] __attribute__((aligned(4096)));
bool machine_page_used[MACHINE_PAGES];
static u64 page_word[MACHINE_PAGES];
bool machine_interrupts;
u64 machine_cr[9];
u64 machine_foreign;
bool (*machine_m2p)(u64 mfn, u64 *pfn);

/* --- input --- */

static const u8 *input, *input_end;

u8 input_byte(void)
{
	return input < input_end ? *input++ : 0;
}

u64 input_number(u32 bytes)
{
	u64 number = 0;
	u32 i;

	for (i = 0; i < bytes; i++)
		number |= (u64)input_byte() << 8 * i;
	return number;
}

bool input_left(void)
{
	return input < input_end;
}

u8 answer_byte(void)
{
	return input < input_end ? *--input_end : 0;
}

u64 answer_number(u32 bytes)
{
	u64 number = 0;
	u32 i;

	for (i = 0; i < bytes; i++)
		number |= (u64)answer_byte() << 8 * i;
	return number;
}

s64 answer_status(void)
{
	u8 byte = answer_byte();

	if (byte < 0x80)
		return 0;
	if (byte < 0xf0)
		return -(s64)(1 + byte % 64);
	return (s64)answer_number(8);
}

UNTRACED void machine_read(const void *at, size_t bytes)
{
	const volatile u8 *byte = at;

	while (bytes--)
		(void)*byte++;
}

/* --- instructions --- */

/* Everything is kept but what the target changes in the copy. */
#define THUNK(name)							\
	asm(".text\n.globl machine_" #name "\n"				\
	    ".type machine_" #name ", @function\n"			\
	    "machine_" #name ":\n\t"					\
	    "pushfq\n\tpush %rax\n\tpush %rcx\n\tpush %rdx\n\tpush %rbx\n\tpush %rbp\n\t" \
	    "push %rsi\n\tpush %rdi\n\tpush %r8\n\tpush %r9\n\tpush %r10\n\tpush %r11\n\t" \
	    "push %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"	\
	    "mov %rsp, %rdi\n\tmov %rsp, %rbp\n\tand $-16, %rsp\n\tcld\n\t"	\
	    "call do_" #name "\n\t"					\
	    "mov %rbp, %rsp\n\t"					\
	    "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\t"		\
	    "pop %r11\n\tpop %r10\n\tpop %r9\n\tpop %r8\n\tpop %rdi\n\tpop %rsi\n\t" \
	    "pop %rbp\n\tpop %rbx\n\tpop %rdx\n\tpop %rcx\n\tpop %rax\n\tpopfq\n\tret\n" \
	    ".size machine_" #name ", . - machine_" #name "\n");	\
	void do_##name(struct machine_regs *regs);			\
	void do_##name(struct machine_regs *regs)

THUNK(syscall)
{
	/* A debug build of Xen loses these, and SYSCALL two more. */
	u64 number = regs->rax;

	target_hypercall(regs);
	CHECK(number < 64);
	regs->rcx = regs->r11 = 0x5a5a5a5a5a5a5a5a;
	regs->rdi = regs->rsi = regs->rdx = regs->r10 = 0xdeadbeef00000000;
}

THUNK(vmcall)
{
	target_hypercall(regs);
}

THUNK(rdmsr)
{
	u64 val = target_read_msr((u32)regs->rcx);

	regs->rax = (u32)val;
	regs->rdx = val >> 32;
}

THUNK(wrmsr)
{
	target_write_msr((u32)regs->rcx, (u32)regs->rax | regs->rdx << 32);
}

THUNK(rdtsc)
{
	u64 val = target_rdtsc();

	regs->rax = (u32)val;
	regs->rdx = val >> 32;
}

THUNK(cpu_id)
{
	struct pv_cpuid leaf = { .eax = (u32)regs->rax };

	machine_cpuid(&leaf);
	regs->rax = leaf.eax;
	regs->rbx = leaf.ebx;
	regs->rcx = leaf.ecx;
	regs->rdx = leaf.edx;
}

THUNK(cli)
{
	(void)regs;
	machine_interrupts = false;
}

THUNK(sti)
{
	(void)regs;
	machine_interrupts = true;
}

THUNK(hlt)
{
	(void)regs;
	target_halt();
}

/* --- what faults --- */

struct extable_entry {
	u64 insn, fixup;
};

extern const struct extable_entry extable_start[], extable_end[];

static ZydisDecoder decoder;

static greg_t *gpr(ucontext_t *context, ZydisRegister reg)
{
	static const u8 number[] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
		REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};

	return &context->uc_mcontext.gregs[number[ZydisRegisterGetId(reg)]];
}

static bool fixup(ucontext_t *context, u64 rip)
{
	const struct extable_entry *entry;

	for (entry = extable_start; entry < extable_end; entry++)
		if (entry->insn == rip) {
			context->uc_mcontext.gregs[REG_RIP] = (greg_t)entry->fixup;
			return true;
		}
	return false;
}

static bool is_cr(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       operand->reg.value >= ZYDIS_REGISTER_CR0 && operand->reg.value <= ZYDIS_REGISTER_CR8;
}

/* The machine's 64-bit load from Xen's table of machine frames: mov (base,index,8), reg. */
static bool load_m2p(ucontext_t *context, const ZydisDecodedOperand *operand)
{
	greg_t *to = gpr(context, operand[0].reg.value);
	u64 base, mfn, pfn;

	if (!machine_m2p || operand[1].type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    operand[1].mem.scale != 8)
		return false;
	base = (u64)*gpr(context, operand[1].mem.base);
	mfn = (u64)*gpr(context, operand[1].mem.index);
	if (base != 0xffff800000000000 || !machine_m2p(mfn, &pfn))
		return false;
	*to = (greg_t)pfn;
	return true;
}

/* Privileged instructions that are not worth a macro (pvops_port.h). */
static bool emulate(ucontext_t *context, u64 rip)
{
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction insn;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, (const void *)rip, 15, &insn, operand)))
		return false;
	switch (insn.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
		if (is_cr(&operand[1])) {
			*gpr(context, operand[0].reg.value) =
				(greg_t)machine_cr[operand[1].reg.value - ZYDIS_REGISTER_CR0];
		} else if (is_cr(&operand[0])) {
			u32 nr = operand[0].reg.value - ZYDIS_REGISTER_CR0;

			machine_cr[nr] = (u64)*gpr(context, operand[1].reg.value);
			target_write_cr(nr, machine_cr[nr]);
		} else if (!load_m2p(context, operand)) {
			return false;
		}
		break;
	case ZYDIS_MNEMONIC_IN:
		*gpr(context, ZYDIS_REGISTER_RAX) = (greg_t)answer_number(1);
		break;
	case ZYDIS_MNEMONIC_OUT:
	case ZYDIS_MNEMONIC_INVLPG:
	case ZYDIS_MNEMONIC_LGDT:
	case ZYDIS_MNEMONIC_LIDT:
	case ZYDIS_MNEMONIC_LLDT:
	case ZYDIS_MNEMONIC_LTR:
	case ZYDIS_MNEMONIC_CLTS:
	case ZYDIS_MNEMONIC_WBINVD:
		break;
	default:
		return false;
	}
	context->uc_mcontext.gregs[REG_RIP] = (greg_t)(rip + insn.length);
	return true;
}

extern const u8 __executable_start[], etext[];

static void trap(int signal, siginfo_t *info, void *context)
{
	const greg_t *at = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	u64 rip = (u64)*at;

	if (rip >= (u64)__executable_start && rip < (u64)etext) {
		/* Often two stand together, and a signal takes long. */
		while (emulate(context, (u64)*at))
			;
		if ((u64)*at != rip || fixup(context, rip))
			return;
	}
	fprintf(stderr, "signal %d at 0x%llx, address %p\n", signal, (unsigned long long)rip,
		info->si_addr);
	abort();
}

/* --- state --- */

extern u8 machine_state[], machine_state_end[];
static u8 *kept[MACHINE_KEPT];

/* Red zones and all, which the sanitizer would not like. */
static void copy(void *to, const void *from, size_t bytes)
{
	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (bytes) : : "memory");
}

void machine_keep(u32 nr)
{
	size_t bytes = (size_t)(machine_state_end - machine_state);

	kept[nr] = malloc(bytes);
	copy(kept[nr], machine_state, bytes);
}

void machine_init(void)
{
	struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (mmap((void *)KERNEL_BASE, MACHINE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		abort();
	machine_keep(0);
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (sigaction(SIGSEGV, &action, NULL))
		abort();
}

void machine_reset(u32 nr, const u8 *data, size_t size)
{
	copy(machine_state, kept[nr], (size_t)(machine_state_end - machine_state));
	memset(machine_page_used, 0, sizeof(machine_page_used));
	memset(page_word, 0, sizeof(page_word));
	memset(machine_cr, 0, sizeof(machine_cr));
	machine_interrupts = false;
	machine_panic = NULL;
	machine_foreign = ~0ULL;
	host_cpu = 0;
	host_in_interrupt = false;
	input = data;
	input_end = data + size;
}

void machine_leave(void)
{
	longjmp(machine_way_out, 1);
}

void machine_execute(void *page)
{
	if (mprotect(page, PV_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
}

void machine_execute_state(void)
{
	size_t bytes = (size_t)(machine_state_end - machine_state);

	if (mprotect(machine_state, bytes, PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
}

/* --- CPUID --- */

#define HYPERVISOR	(1U << 31)

static struct machine_leaf leaves[8];

static void set_leaf(u32 index, u32 nr, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	leaves[index] = (struct machine_leaf){ nr, { eax, ebx, ecx, edx } };
}

static void set_name(u32 index, u32 nr, u32 eax, const char *name)
{
	u32 word[3];

	memcpy(word, name, 12);
	set_leaf(index, nr, eax, word[0], word[1], word[2]);
}

/* Everything is offered that there is. */
void machine_set_leaves(enum machine_kind kind)
{
	memset(leaves, 0, sizeof(leaves));
	set_leaf(0, 1, 0, 0, HYPERVISOR, 0);
	switch (kind) {
	case MACHINE_KVM:
		set_name(1, 0x40000000, 0x40000001, "KVMKVMKVM\0\0\0");
		set_leaf(2, 0x40000001, ~0U, 0, 0, 0);
		break;
	case MACHINE_HYPERV:
		set_name(1, 0x40000000, 0x40000004, "Microsoft Hv");
		set_leaf(2, 0x40000001, 0x31237648, 0, 0, 0);
		set_leaf(3, 0x40000003, ~0U, 0, 0, ~0U);
		set_leaf(4, 0x40000004, ~0U, 0, 0, 0);
		break;
	case MACHINE_XENHVM:
		set_name(1, 0x40000000, 0x40000004, "XenVMMXenVMM");
		set_leaf(2, 0x40000001, 4 << 16 | 17, 0, 0, 0);
		break;
	case MACHINE_VMWARE:
		set_name(1, 0x40000000, 0x40000010, "VMwareVMware");
		set_leaf(2, 0x40000010, 0, 0, ~0U, 0);
		break;
	}
}

UNTRACED void machine_cpuid(struct pv_cpuid *regs)
{
	u32 i;

	for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (leaves[i].nr && leaves[i].nr == regs->eax) {
			*regs = leaves[i].regs;
			return;
		}
	memset(regs, 0, sizeof(*regs));
}

/* --- the kernel's port --- */

void pv_port_log(const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	target_log(line);
}

int pv_port_format(char *out, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(out, size, fmt, args);
	va_end(args);
	return len;
}

void pv_port_panic(const char *why)
{
	machine_panic = why;
	machine_leave();
}

/* Text is writable only as long as it must. */
long pv_port_text_begin(unsigned long start, unsigned long end)
{
	start &= ~(PV_PAGE_SIZE - 1);
	if (mprotect((void *)start, end - start, PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
	return 0;
}

void pv_port_text_end(unsigned long start, unsigned long end)
{
	start &= ~(PV_PAGE_SIZE - 1);
	if (mprotect((void *)start, end - start, PROT_READ | PROT_EXEC))
		abort();
}

int pv_port_hold_cpus(int (*fn)(void *arg), void *arg)
{
	return fn(arg);
}

void pv_port_call_cpus(const struct pv_cpumask *mask, void (*fn)(void *arg), void *arg)
{
	u32 self = host_cpu, cpu;

	for (cpu = 0; cpu < PV_MAX_CPUS; cpu++)
		if (cpu != self && mask->word[cpu / 64] >> cpu % 64 & 1) {
			host_cpu = cpu;
			fn(arg);
		}
	host_cpu = self;
}

void pv_port_interrupt(u32 vector)
{
	target_interrupt(vector);
}

u32 machine_page_of(const void *at)
{
	u64 offset = (u64)at - (u64)machine_pages;

	return offset < sizeof(machine_pages) ? (u32)(offset / PV_PAGE_SIZE) : MACHINE_PAGES;
}

pv_pfn_t pv_port_alloc_page(void)
{
	u32 i;

	for (i = 0; i < MACHINE_PAGES && machine_page_used[i]; i++)
		;
	if (i == MACHINE_PAGES)
		return PV_PFN_NONE;
	machine_page_used[i] = true;
	memset(machine_pages[i], 0, PV_PAGE_SIZE);
	return pv_port_virt_to_pfn(machine_pages[i]);
}

void pv_port_free_page(pv_pfn_t pfn)
{
	u32 page = machine_page_of(pv_port_pfn_to_virt(pfn));

	CHECK(page < MACHINE_PAGES && machine_page_used[page]);
	CHECK(!page_word[page]);
	target_page_freed(pfn);
	machine_page_used[page] = false;
}

u64 *pv_port_page_word(pv_pfn_t pfn)
{
	u32 page = machine_page_of(pv_port_pfn_to_virt(pfn));

	return page < MACHINE_PAGES ? &page_word[page] : NULL;
}

u64 pv_port_foreign_pfn(u64 mfn)
{
	if (machine_foreign == ~0ULL)
		return ~0ULL;
	return (mfn ^ machine_foreign) & (PV_FRAME_MASK >> PV_PAGE_SHIFT);
}

u64 pv_port_foreign_mfn(u64 pfn)
{
	return pv_port_foreign_pfn(pfn);
}

static u64 kernel_root[PV_TABLE_ENTRIES] __attribute__((aligned(4096)));
static u64 linear[MACHINE_FRAMES];
static u64 fixmap[4];

pv_pfn_t pv_port_kernel_root(void)
{
	return pv_port_virt_to_pfn(kernel_root);
}

void pv_port_user_root(u64 *root)
{
	(void)root;
}

pv_pte_t *pv_port_linear_pte(pv_pfn_t pfn)
{
	return pv_pfn_nr(pfn) < MACHINE_FRAMES ? (pv_pte_t *)&linear[pv_pfn_nr(pfn)] : NULL;
}

pv_pte_t *pv_port_fixmap_pte(u32 index, u64 *va)
{
	if (index >= 4)
		return NULL;
	*va = 0x7ffff0000000 + index * PV_PAGE_SIZE;
	return (pv_pte_t *)&fixmap[index];
}

void *pv_port_map_phys(pv_maddr_t maddr, size_t bytes, u64 flags)
{
	(void)flags;
	if (bytes > MACHINE_BYTES || pv_maddr_nr(maddr) > MACHINE_BYTES - bytes)
		return NULL;
	return (void *)(KERNEL_BASE + pv_maddr_nr(maddr));
}

bool pv_port_code_area(const void *start, size_t bytes)
{
	(void)start;
	(void)bytes;
	return !(answer_byte() & 0x80);
}

pv_pfn_t pv_port_low_page(void)
{
	return pv_pfn(8);
}

u32 pv_port_tsc_khz(void)
{
	return 1000000;
}

u32 pv_port_apic_id(u32 cpu)
{
	return cpu < PV_MAX_CPUS ? cpu * 2 : ~0U;
}

void pv_port_native_console(const char *text, size_t bytes)
{
	(void)text;
	(void)bytes;
}

void pv_port_native_shutdown(enum pv_shutdown_reason reason)
{
	(void)reason;
	machine_leave();
}

void pv_port_syscall_hwframe(void)
{
	abort();
}

void pv_port_event_entry(void)
{
	abort();
}
