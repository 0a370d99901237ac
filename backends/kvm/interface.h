/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * KVM's guest interface, from its own header: the distribution's (linux-libc-dev), or
 * Linux's own in Linux.  Values that the header lacks are here, with their source.
 */
#ifndef KVM_INTERFACE_H
#define KVM_INTERFACE_H

#include <pvops/types.h>
#include <linux/kvm_para.h>

/* Documentation/virt/kvm/x86/cpuid.rst, msr.rst: MSR_KVM_SYSTEM_TIME_NEW, bit 0. */
#define KVM_CLOCK_ENABLED	1ULL

/*
 * KVM_HC_SEND_IPI, hypercalls.rst: a call names APIC ids in a span of this size, from
 * the lowest one on; bits 10..8 of its ICR value are the delivery mode (SDM vol. 3A
 * figure 11-12).
 */
#define PVKVM_IPI_SPAN		128U
#define PVKVM_ICR_FIXED		0x000U

#endif
