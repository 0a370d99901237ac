#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Xen that shows Hyper-V's leaves first (viridian): Xen wins, and Hyper-V can be named."""
from vmtest import Tap, boot

# words, tag, backend chosen, tests that are run
CASES = (
    ([], "auto", "xenhvm", "clock_read:send_ipi:set_timer"),
    (["pvops=hyperv"], "hyperv", "hyperv", "clock_read:send_ipi:hyperv_calls:hyperv_given_back"),
    (["pvops=kvm"], "kvm", "xenhvm", "none"),
)
LEAVES = ('pvops: detected: CPUID 0x40000000: hypervisor "Microsoft Hv", interface Hv#1',
          'pvops: detected: CPUID 0x40000100: hypervisor "XenVMMXenVMM"')

tap = Tap()
for words, tag, backend, tests in CASES:
    run = boot(tap, "xenhvm-viridian", [*words, f"test={tests}", "bench=none"], f"select-{tag}", count=False)
    what = " ".join(words) or "nothing asked for"
    tap.equal(run["data"].get("backend"), backend, f"{what}: chosen: {backend}")
    for line in LEAVES:
        tap.ok(line in run["log"], f"{what}: {line}", *run["log"])
tap.ok(any(line.startswith("pvops: refused: pvops=kvm: no KVM signature") for line in run["log"]),
       "pvops=kvm is refused with the reason", *run["log"])
tap.done()
