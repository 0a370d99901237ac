// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* CPU masks in the hypervisor's numbering: TLFS, Virtual Processors, VP sets. */
#include "internal.h"

/* Returns the next CPU of a mask, from @cpu on, or PV_MAX_CPUS. */
static u32 next(const struct pv_cpumask *cpus, u32 cpu)
{
	while (cpu < PV_MAX_CPUS) {
		u64 rest = cpus->word[cpu / 64] >> cpu % 64;

		if (rest) {
			cpu += (u32)__builtin_ctzll(rest);
			return cpu < PV_MAX_CPUS ? cpu : PV_MAX_CPUS;
		}
		cpu = (cpu / 64 + 1) * 64;
	}
	return PV_MAX_CPUS;
}

#define for_each(cpu, cpus)	\
	for (cpu = next(cpus, 0); cpu < PV_MAX_CPUS; cpu = next(cpus, cpu + 1))

bool pvhyperv_nobody(const struct pv_cpumask *cpus, const u32 *vp)
{
	u32 cpu;

	for_each(cpu, cpus)
		if (vp[cpu] != HV_VP_UNKNOWN)
			return false;
	return true;
}

u64 pvhyperv_vp_mask(const struct pv_cpumask *cpus, const u32 *vp)
{
	u64 vps = 0;
	u32 cpu;

	for_each(cpu, cpus)
		if (vp[cpu] != HV_VP_UNKNOWN)
			vps |= 1ULL << vp[cpu];
	return vps;
}

static u32 ones(u64 word)
{
	u32 count = 0;

	for (; word; word &= word - 1)
		count++;
	return count;
}

u32 pvhyperv_vp_set(const struct pv_cpumask *cpus, const u32 *vp, u64 *out)
{
	u64 valid = 0, *bank = out + 2;
	u32 cpu, i, banks;

	for_each(cpu, cpus)
		if (vp[cpu] != HV_VP_UNKNOWN)
			valid |= 1ULL << vp[cpu] / HV_SET_BANK;
	banks = ones(valid);
	for (i = 0; i < banks; i++)
		bank[i] = 0;
	/* The set contains only the valid banks, in order. */
	for_each(cpu, cpus)
		if (vp[cpu] != HV_VP_UNKNOWN)
			bank[ones(valid & ((1ULL << vp[cpu] / HV_SET_BANK) - 1))] |=
				1ULL << vp[cpu] % HV_SET_BANK;
	out[0] = HV_SET_SPARSE;
	out[1] = valid;
	return banks;
}
