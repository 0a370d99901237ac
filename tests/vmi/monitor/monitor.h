/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The monitor: one virtual CPU on each CPU, guest memory at an offset in the
 * machine's.  README.md tells how the parts work together.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include "cpu.h"
#include "vmcb.h"

#define CPUS_MAX	4	/* virtual ones */

/* The machine's own vectors. */
#define HOST_TIMER	0xe0
#define HOST_KICK	0xe1
#define HOST_LINES	0x30		/* and the line of its I/O APIC */
#define HOST_SPURIOUS	0xff

struct rom_shared;

/* --- the virtual CPU --- */

/* Numbers of the registers in instructions. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum vcpu_state {
	VCPU_OFF,		/* was never started */
	VCPU_RUNS,
	VCPU_INIT,		/* INIT received: waits for a start */
};

/* From an NMI until the next IRET has been executed there comes no other. */
enum nmi_mask {
	NMI_OPEN,
	NMI_MASKED,		/* IRET is intercepted */
	NMI_IRET		/* and this one was let go */
};

/* Interrupts, as the APIC's LVT says, at a TSC value; ~0 is never. */
struct alarm {
	u64 deadline;
	u64 period;		/* 0: once */
};

#define ALARMS		3	/* local APIC, VMI real, VMI available */
#define ALARM_APIC	0
#define ALARM_VMI	1

struct apic {
	u64 irr[4], isr[4];	/* irr: set by any CPU */
	u32 offered;		/* vector in V_IRQ, 0: none */
	u32 id, tpr, ldr, dfr, spurious, icr_low, icr_high;
	u32 lvt_timer, lvt_other[5];
	u32 initial, divide;
};

struct vcpu {
	u64 regs[16];		/* RAX and RSP live in the VMCB; svm.S uses the rest */
	struct vmcb *vmcb;
	u32 id;
	volatile u32 state;
	volatile u32 wish;	/* 1: INIT, 2: start, from another CPU */
	u32 start_page;		/* start-up IPI's vector */
	volatile bool nmi;	/* pending: set by any CPU */
	enum nmi_mask nmi_mask;
	u64 nmi_iret;		/* where the IRET stands that unmasks */
	bool has_start_state;	/* VMI: begins there, not in real mode */
	bool halted;
	bool masked_halt;	/* VMI: no interrupt ends it */
	u32 host_apic_id;
	struct apic apic;
	struct alarm alarms[ALARMS];
	u64 armed;		/* deadline of the machine's timer */
	u64 *npt;
	struct rom_shared *shared;	/* this CPU's part of the ROM's memory */
	u64 exits[EXIT_MAX];
	u64 calls[74];		/* VMMCALLs by number */
	u64 private_calls[8];
};

extern struct vcpu vcpus[CPUS_MAX];
extern u32 cpu_count;
extern u64 tsc_hz;
/* TSC ticks per tick of the local APIC's timer and the reverse, times 2^32. */
extern u64 tsc_per_apic, apic_per_tsc;

u64 get_reg(const struct vcpu *v, u32 nr);
void set_reg(struct vcpu *v, u32 nr, u64 val);
void vcpu_reset(struct vcpu *v);
void vcpu_run(struct vcpu *v) __attribute__((noreturn));
void vcpu_kick(struct vcpu *v);

/* svm.S: run until #VMEXIT. */
void vcpu_enter(struct vcpu *v, u64 vmcb);

/* Lines of the machine that the guest has. */
#define LINE_PIT	2
#define LINE_COM1	4

/* --- called from assembly --- */

struct multiboot;

void main(const struct multiboot *info) __attribute__((noreturn));
void cpu_main(u32 nr) __attribute__((noreturn));
void host_dies(const u64 *frame) __attribute__((noreturn));

/* --- exits.c --- */

#define VECTOR_NMI	2
#define VECTOR_BP	3
#define VECTOR_DF	8
#define VECTOR_NP	11
#define VECTOR_GP	13
#define VECTOR_UD	6
#define VECTOR_PF	14

void handle_exit(struct vcpu *v);
void inject(struct vcpu *v, u32 vector, bool has_error, u32 error);

/* --- run.c --- */

void guest_dies(struct vcpu *v, const char *why) __attribute__((noreturn));
/* Let the machine's interrupts in: timer, kicks, lines. */
void take_interrupts(struct vcpu *v);
/* Masked: no interrupt ends it. */
void halt(struct vcpu *v, bool masked);

/* --- state.c --- */

/* As an instruction of 1, 2, 4 or 8 bytes writes it; no AH to DH. */
void set_reg_sized(struct vcpu *v, u32 nr, u64 val, u32 size);
void write_cr(struct vcpu *v, u32 nr, u64 val);
u64 read_cr(struct vcpu *v, u32 nr);
void write_dr(struct vcpu *v, u32 nr, u64 val);
u64 read_dr(struct vcpu *v, u32 nr);
bool read_msr(struct vcpu *v, u32 nr, u64 *val);
bool write_msr(struct vcpu *v, u32 nr, u64 val);
/* False: not possible. */
bool load_tr(struct vcpu *v, u32 selector);
bool load_ldt(struct vcpu *v, u32 selector);
bool store_table(struct vcpu *v, u64 va, const struct segment *table, u32 bytes);
bool load_table(struct vcpu *v, u64 va, struct segment *table, u32 bytes);
void flush_page(struct vcpu *v, u64 va);
void flush_tlb(struct vcpu *v);
void do_cpuid(struct vcpu *v, u32 leaf);

/* --- decode.c --- */

struct insn {
	u32 length;
	u32 opcode;		/* two-byte opcodes: 0x100 + second byte */
	u32 size;		/* of the operand: 1, 2, 4, 8 */
	u32 reg, rm;		/* of ModRM, with REX */
	bool memory;		/* rm is an address: linear */
	u64 linear;
	u64 immediate;
};

/* Fetch and decode the instruction at the guest's RIP; false: cannot be read. */
bool decode(struct vcpu *v, struct insn *insn);
void skip(struct vcpu *v, u32 length);
/* What RIP points at through the guest's tables; ~0: nothing. */
u64 virt_to_phys(struct vcpu *v, u64 va);
bool read_virt(struct vcpu *v, u64 va, void *to, size_t bytes);
bool write_virt(struct vcpu *v, u64 va, const void *from, size_t bytes);

/* --- apic.c, ioapic.c, io.c, vmi*.c --- */

void apic_reset(struct vcpu *v);
u32 apic_read(struct vcpu *v, u32 reg);
void apic_write(struct vcpu *v, u32 reg, u32 val);
void apic_raise(struct vcpu *v, u32 vector);
/* Highest vector that may interrupt now; 0: none. */
u32 apic_next(struct vcpu *v);
/* The CPU has taken it. */
void apic_take(struct vcpu *v, u32 vector);
void apic_before_entry(struct vcpu *v);
void apic_after_exit(struct vcpu *v);
void alarms_check(struct vcpu *v);
void alarm_set(struct vcpu *v, u32 nr, u64 deadline, u64 period);
/* A message: bits 10-0 as in ICR; to those that the destination names. */
void apic_deliver(u32 command, u32 destination, bool logical);

void ioapic_setup(void);
u32 ioapic_read(u32 offset);
void ioapic_write(u32 offset, u32 val);
extern u64 lines_raised;
void lines_check(void);

#define KEYBOARD	0x64
#define RESET		0xfe
#define ACPI_EVENTS	0x600		/* PM1a event block; control is behind it */
#define ACPI_CONTROL	0x604
#define ACPI_TIMER	0x608

bool io_is_direct(u16 port);

u32 io_in(u16 port, u32 size);
void io_out(struct vcpu *v, u16 port, u32 size, u32 val);

/* True after VMI_Init: rules of paravirtual mode hold on every CPU. */
extern bool paravirtual;

#define VMMCALL_BYTES	3

void vmi_call(struct vcpu *v);
void vmi_before_entry(struct vcpu *v);
/* False: not here, but at the next IRET. */
bool vmi_nmi(struct vcpu *v);
void vmi_exception(struct vcpu *v, u32 vector, bool has_error, u32 error);
void vmi_take_start_state(struct vcpu *v);
void vmi_reset(struct vcpu *v);
u64 vmi_syscall_entry(struct vcpu *v, u64 lstar);
void rom_install(bool counting);

/* --- report.c --- */

u64 traps(const struct vcpu *v);
/* The machine goes off, or is reset, as the guest's would. */
void shut_down(struct vcpu *v, const char *why, bool off) __attribute__((noreturn));

/* --- npt.c, loader.c --- */

/* Physical layout of the machine and of the guest. */
#define GUEST_BASE	0x4000000UL	/* the guest's frame 0 is here */
#define APIC_BASE	0xfee00000UL
#define IOAPIC_BASE	0xfec00000UL
#define ROM_BASE	0xc8000UL
#define FIRMWARE	0xe0000UL	/* ACPI, start info */

extern u64 guest_bytes;

u64 *npt_create(void);
/* Make a page of guest-physical memory another page on one virtual CPU. */
void npt_replace(struct vcpu *v, u64 gpa, void *page);
/* Host address of guest-physical memory, NULL: not RAM, or crosses its end. */
void *guest_phys(struct vcpu *v, u64 gpa, size_t bytes);
struct boot_file {
	const u8 *start;
	size_t bytes;
};

/* Bytes of the initrd: 0, there is none. */
void load_guest(const struct boot_file *image, const struct boot_file *initrd,
		const char *cmdline);
/* Where CPU 0 begins, and what it finds in which register. */
extern u64 guest_entry, guest_info;
extern u32 guest_info_reg;

/* --- audit.c --- */

void audit(struct vcpu *v, const char *insn, s64 argument);
void audit_report(void);

/* --- lib.c --- */

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *why) __attribute__((noreturn));
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int c, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t text_length(const char *text);
/* Zeroed, never freed. */
void *page_alloc(u32 pages);
void lock_take(volatile u8 *lock);
void lock_release(volatile u8 *lock);

#endif
