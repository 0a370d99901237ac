#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""pvops= words on KVM, on hosts with fewer features, and on one that imitates another."""
from vmtest import Tap, boot

HYPERV = "hv-relaxed,hv-vpindex,hv-time"

# words, more for the inner -cpu, tag, backend chosen, tests that are run, how
# lines of the log begin
CASES = (
    (["pvops=native"], "", "native", "native", "processes:set_timer:clock_read", []),
    (["pvops=xen"], "", "xen", "kvm", "none", ["pvops: refused: pvops=xen: no Xen PV start of day"]),
    # Each table by the contract suite; two in one boot if they have little in common.
    (["pvops=kvm,-smp"], "", "nosmp", "kvm", "all", []),
    (["pvops=kvm,-time"], "", "notime", "kvm", "all", []),
    (["pvops=kvm,-irq,-mmu"], "", "noirq", "kvm", "all", []),
    (["pvops=kvm,-cpu,-lock"], "", "nolock", "kvm", "all", []),
    # kvm_exit: the guest registers nothing for ops that are left to native.
    (["pvops=kvm,-clock_read"], "", "noclockread", "kvm", "clock_read:set_timer:wall_clock:kvm_exit", []),
    (["pvops=kvm,-lock_kick"], "", "half", "kvm", "lock_wait_kick",
     ["pvops: refused: -lock_kick: goes with lock_wait"]),
    ([], "-kvm-steal-time", "nosteal", "kvm", "stolen_time:vcpu_is_preempted:flush_tlb_multi",
     ["pvops: kvm: does not offer: steal-time"]),
    ([], "-kvmclock", "noclock", "kvm", "clock_read:set_timer:wall_clock",
     ["pvops: kvm: does not offer: clock"]),
    ([], "-kvm-pv-eoi,-kvm-pv-ipi,-kvm-pv-unhalt", "less", "kvm", "send_ipi:lock_wait_kick",
     ["pvops: kvm: does not offer: pv-eoi pv-unhalt pv-ipi"]),
    ([], "kvm-hint-dedicated=on", "dedicated", "kvm", "flush_tlb_multi:lock_wait_kick",
     ["pvops: kvm: vCPUs are dedicated: TLB flush and lock waiting stay native"]),
    ([], "-kvm", "none", "native", "none", ["pvops: detected: kvm: no: no KVM signature in CPUID"]),
    (["pvops=kvm"], HYPERV, "hyperv", "kvm", "clock_read:send_ipi:kvm_exit",
     ['pvops: detected: CPUID 0x40000000: hypervisor "Microsoft Hv"',
      'pvops: detected: CPUID 0x40000100: hypervisor "KVMKVMKVM"',
      "pvops: kvm: leaves at 0x40000100"]),
    # With both interfaces the real hypervisor wins.
    ([], HYPERV, "hyperv-auto", "kvm", "none", ["pvops: kvm: leaves at 0x40000100"]),
)

tap = Tap()
for words, cpu, tag, backend, tests, lines in CASES:
    inner = ("-cpu", f"host,{cpu}") if cpu else ()
    what = " ".join([*words, cpu])
    run = boot(tap, "kvm", [*words, f"test={tests}"], f"select-{tag}", count=False, inner=inner)
    tap.equal(run["data"].get("backend"), backend, f"{what}: chosen: {backend}")
    if "pvops=kvm,-time" in words:
        tap.ok(any("native: TSC: " in said and " kHz by KVM" in said for said in run["log"]),
               f"{what}: the TSC's frequency is the one of KVM's clock", *run["log"])
    for line in lines:
        tap.ok(any(said.startswith(line) for said in run["log"]), f"{what}: {line}", *run["log"])
tap.done()
