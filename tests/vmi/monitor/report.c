// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The end: reports the guest's calls and traps, then powers the machine off. */
#include "monitor.h"
#include "rom.h"

static const char *const call_names[74] = {
	"CPUID", "WRMSR", "RDMSR", "SetGDT", "SetLDT", "SetIDT", "SetTR", "GetGDT", "GetLDT",
	"GetIDT", "GetTR", "WriteGDTEntry", "WriteLDTEntry", "WriteIDTEntry",
	"UpdateKernelStack", "SetCR0", "SetCR2", "SetCR3", "SetCR4", "GetCR0", "GetCR2",
	"GetCR3", "GetCR4", "WBINVD", "SetDR", "GetDR", "RDPMC", "RDTSC", "CLTS",
	"EnableInterrupts", "DisableInterrupts", "GetInterruptMask", "SetInterruptMask", "IRET",
	"SYSEXIT", "Halt", "Reboot", "Shutdown", "SetPxE", "SetPxELong", "UpdatePxE",
	"UpdatePxELong", "MachineToPhysical", "PhysicalToMachine", "AllocatePage",
	"ReleasePage", "InvalPage", "FlushTLB", "SetLinearMapping",
	[61] = "SetIOPLMask", "SetInitialAPState", "APICWrite", "APICRead", "IODelay",
	"GetCycleFrequency", "GetCycleCounter", "SetAlarm", "CancelAlarm", "GetWallclockTime",
	"WallclockUpdated", "SetCallbacks", "SetLazyMode"
};

static const char *const private_names[] = {
	"init", "pending", "null", "traps", "count"
};

static const char *exit_name(u32 code)
{
	switch (code) {
	case EXIT_CR_READ ... EXIT_CR_READ + 15:
		return "cr_read";
	case EXIT_CR_WRITE ... EXIT_CR_WRITE + 15:
		return "cr_write";
	case EXIT_DR_READ ... EXIT_DR_READ + 15:
		return "dr_read";
	case EXIT_DR_WRITE ... EXIT_DR_WRITE + 15:
		return "dr_write";
	case EXIT_EXCEPTION ... EXIT_EXCEPTION + 31:
		return "exception";
	case EXIT_IRET:
		return "iret";
	case EXIT_SWINT:
		return "int";
	case EXIT_INTR:
		return "interrupt";
	case EXIT_VINTR:
		return "interrupt_window";
	case EXIT_IDTR_READ ... EXIT_TR_WRITE:
		return "descriptor_table";
	case EXIT_CPUID:
		return "cpuid";
	case EXIT_HLT:
		return "hlt";
	case EXIT_INVLPG:
		return "invlpg";
	case EXIT_IOIO:
		return "port";
	case EXIT_MSR:
		return "msr";
	case EXIT_VMMCALL:
		return "vmmcall";
	case EXIT_NPF:
		return "apic_page";
	}
	return "other";
}

/* Returns the number of exits that the guest caused itself: all but interrupts. */
u64 traps(const struct vcpu *v)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < EXIT_MAX; i++)
		if (i != EXIT_INTR && i != EXIT_NMI && i != EXIT_VINTR)
			sum += v->exits[i];
	return sum;
}

static void report_traps(void)
{
	u64 sum;
	u32 code, cpu;

	print("vmi-monitor: traps begin\n");
	for (code = 0; code < EXIT_MAX; code++) {
		for (cpu = 0, sum = 0; cpu < cpu_count; cpu++)
			sum += vcpus[cpu].exits[code];
		if (sum)
			print("@trap %s:%x %lu\n", exit_name(code), code, sum);
	}
	for (code = 0; code < ARRAY_SIZE(vcpus[0].calls); code++) {
		for (cpu = 0, sum = 0; cpu < cpu_count; cpu++)
			sum += vcpus[cpu].calls[code];
		if (sum)
			print("@vmicall %u %s %lu\n", code, code < 74 && call_names[code] ?
			      call_names[code] : "?", sum);
	}
	for (code = 0; code < ARRAY_SIZE(private_names); code++) {
		for (cpu = 0, sum = 0; cpu < cpu_count; cpu++)
			sum += vcpus[cpu].private_calls[code];
		if (sum)
			print("@vmicall %u %s %lu\n", CALL_INIT + code, private_names[code], sum);
	}
	print("vmi-monitor: traps end\n");
}

void shut_down(struct vcpu *v, const char *why, bool off)
{
	static volatile u8 once;

	/* Never released, so that only one CPU reports. */
	lock_take(&once);
	print("vmi-monitor: %s, by cpu %u\n", why, v->id);
	audit_report();
	report_traps();
	print("vmi-monitor: end\n");
	for (;;) {
		if (off)
			outw(ACPI_CONTROL, 0x2000);
		else
			outb(KEYBOARD, RESET);
		asm volatile("hlt");
	}
}
