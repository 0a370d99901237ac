/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The numbers of profile VM64.  ABI.md is the interface; section numbers are its. */
#ifndef VMI_INTERFACE_H
#define VMI_INTERFACE_H

/* Call numbers, section 5. */
enum pvvmi_call {
	VMI_CPUID = 0,
	VMI_WRMSR = 1,
	VMI_RDMSR = 2,
	VMI_SET_GDT = 3,
	VMI_SET_LDT = 4,
	VMI_SET_IDT = 5,
	VMI_SET_TR = 6,
	VMI_GET_GDT = 7,
	VMI_GET_TR = 10,
	VMI_WRITE_GDT_ENTRY = 11,
	VMI_WRITE_LDT_ENTRY = 12,
	VMI_WRITE_IDT_ENTRY = 13,
	VMI_UPDATE_KERNEL_STACK = 14,
	VMI_SET_CR0 = 15,
	VMI_SET_CR2 = 16,
	VMI_SET_CR3 = 17,
	VMI_SET_CR4 = 18,
	VMI_GET_CR0 = 19,
	VMI_GET_CR2 = 20,
	VMI_GET_CR3 = 21,
	VMI_GET_CR4 = 22,
	VMI_WBINVD = 23,
	VMI_SET_DR = 24,
	VMI_GET_DR = 25,
	VMI_RDPMC = 26,
	VMI_RDTSC = 27,
	VMI_CLTS = 28,
	VMI_ENABLE_INTERRUPTS = 29,
	VMI_DISABLE_INTERRUPTS = 30,
	VMI_GET_INTERRUPT_MASK = 31,
	VMI_SET_INTERRUPT_MASK = 32,
	VMI_IRET = 33,
	VMI_HALT = 35,
	VMI_REBOOT = 36,
	VMI_SHUTDOWN = 37,
	VMI_SET_PXE_LONG = 39,
	VMI_UPDATE_PXE_LONG = 41,
	VMI_ALLOCATE_PAGE = 44,
	VMI_RELEASE_PAGE = 45,
	VMI_INVAL_PAGE = 46,
	VMI_FLUSH_TLB = 47,
	VMI_SET_LINEAR_MAPPING = 48,
	VMI_SET_IOPL_MASK = 61,
	VMI_SET_INITIAL_AP_STATE = 62,
	VMI_APIC_WRITE = 63,
	VMI_APIC_READ = 64,
	VMI_IO_DELAY = 65,
	VMI_GET_CYCLE_FREQUENCY = 66,
	VMI_GET_CYCLE_COUNTER = 67,
	VMI_SET_ALARM = 68,
	VMI_CANCEL_ALARM = 69,
	VMI_GET_WALLCLOCK_TIME = 70,
	VMI_WALLCLOCK_UPDATED = 71,
	VMI_SET_LAZY_MODE = 73,
	VMI_CALLS = 74
};

/* Relocation types, section 4. */
enum pvvmi_type {
	VMI_NONE = 0,
	VMI_CALL_REL = 1,
	VMI_JUMP_REL = 2,
	VMI_NOP = 3
};

/* Header flags, section 2. */
#define VMI_FLAG_RELOCATABLE	0x01
#define VMI_FLAG_RING0		0x02
#define VMI_FLAG_ENDBR		0x04
#define VMI_FLAG_DIRECT_PT	0x08
#define VMI_FLAG_NATIVE_IF	0x10

#define VMI_API_VERSION		(64 << 8)

/* ROMs are in this physical range, at a multiple of the step. */
#define VMI_AREA_START		0xc0000
#define VMI_AREA_BYTES		0x20000
#define VMI_AREA_STEP		0x800

#define VMI_HEADER_BYTES	0x90
#define VMI_SLOT_INIT		0x80
#define VMI_SLOT_GET_RELOC	0x88
#define VMI_MEMORY_MAX		0x40000

/* Status results, section 5. */
#define VMI_EPERM	1
#define VMI_ENOENT	2
#define VMI_EBUSY	16
#define VMI_EINVAL	22
#define VMI_ETIMEDOUT	110

/* Page and entry flags, section 6.2; levels are 1 << (level - 1). */
#define VMI_PT			0x01
#define VMI_PD			0x02
#define VMI_PDP			0x04
#define VMI_PML4		0x08
#define VMI_DEFER		0x20
#define VMI_PAGE_CLONE		0x20
#define VMI_PAGE_ZEROED		0x40

/* Lazy classes, section 6.3. */
#define VMI_LAZY_MMU		0x1
#define VMI_LAZY_CPU		0x2

/* Counters and alarms, section 6.6. */
#define VMI_CYCLES_REAL		0
#define VMI_CYCLES_STOLEN	2
#define VMI_ALARM_LVTT		0x10000

#endif
