/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Recorded machines: the words of their CPUID leaves.
 *
 * KVM, Hyper-V's and VMware's interface, Xen: seen in tests/vm/envs.toml's rows.
 */
#ifndef RECORDED_H
#define RECORDED_H

#include <pvops/backend.h>

struct recorded_leaf {
	u32 nr;
	struct pv_cpuid regs;
};

#define REGS(a, b, c, d)	{ a, b, c, d }
#define TEXT(t)	((u32)(t)[0] | (u32)(t)[1] << 8 | (u32)(t)[2] << 16 | (u32)(t)[3] << 24)
#define NAME(max, b, c, d)	REGS(max, TEXT(b), TEXT(c), TEXT(d))
#define AMD	{ 0, NAME(0x10, "Auth", "cAMD", "enti") }
#define INTEL	{ 0, NAME(0x21, "Genu", "ntel", "ineI") }
#define GUEST	{ 1, REGS(0, 0, 1U << 31, 0) }
#define KVM_AT(base)	{ (base), NAME((base) + 1, "KVMK", "VMKV", "M\0\0\0") }, \
			{ (base) + 1, REGS(0x01007afb, 0, 0, 0) }
#define HYPERV_AT(max)	{ 0x40000000, NAME(max, "Micr", "osof", "t Hv") }, \
			{ 0x40000001, REGS(0x31237648, 0, 0, 0) }
#define XEN_AT(base)	{ (base), NAME((base) + 5, "XenV", "MMXe", "nVMM") }
#define VMWARE		{ 0x40000000, NAME(0x40000010, "VMwa", "reVM", "ware") }

#endif
