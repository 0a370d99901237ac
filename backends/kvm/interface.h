/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * KVM's guest interface as its own header gives it: the distribution's
 * (linux-libc-dev), or Linux's own in Linux.  What it leaves out, with its source.
 */
#ifndef KVM_INTERFACE_H
#define KVM_INTERFACE_H

#include <pvops/types.h>
#include <linux/kvm_para.h>

/* Documentation/virt/kvm/x86/cpuid.rst, msr.rst: MSR_KVM_SYSTEM_TIME_NEW; bit 0. */
#define KVM_CLOCK_ENABLED	1ULL

/*
 * KVM_HC_SEND_IPI, hypercalls.rst: this many APIC ids from the lowest on, and an
 * ICR value whose bits 10..8 say how to deliver (SDM vol. 3A figure 11-12).
 */
#define PVKVM_IPI_SPAN		128U
#define PVKVM_ICR_FIXED		0x000U

#endif
