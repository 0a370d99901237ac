/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * VMware's "backdoor": a magic number and a command in registers, and an instruction
 * that calls the hypervisor.  Sources: Linux 6.1,
 * arch/x86/kernel/cpu/vmware.c and arch/x86/include/asm/vmware.h; VMware's
 * "Mechanisms to determine if software is running in a VMware virtual machine"
 * (knowledge base 1009458).  No code of theirs is here.
 */
#ifndef VMWARE_INTERFACE_H
#define VMWARE_INTERFACE_H

/* Leaf 0x40000010 ECX: the instruction that calls; neither: the I/O port. */
#define VMWARE_VMMCALL		(1U << 0)
#define VMWARE_VMCALL		(1U << 1)

#define VMWARE_PORT		0x5658
#define VMWARE_MAGIC		0x564d5868
#define VMWARE_NONE		~0U

#define VMWARE_CMD_VERSION	10
#define VMWARE_CMD_HZ		45
#define VMWARE_CMD_STEAL	91
/* Results of VMWARE_CMD_STEAL. */
#define VMWARE_STEAL_ON		1
#define VMWARE_STEAL_UNKNOWN	VMWARE_NONE

#endif
