#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The Hyper-V interface beside KVM's own, with few features, with a refused call, and with
another clock: the choice, the use, and the log lines.
"""
from vmtest import Tap, boot

WORK = "send_ipi:send_ipi_mask:flush_tlb_multi:irq_disable:set_timer:" \
    "restore_fl:irq_enable:upcall:safe_halt:batch_drains"
LITTLE = "not used: remote TLB flush (not recommended), IPI (not recommended), " \
    "sparse VP sets (not recommended), lazy EOI (no privilege), synthetic timer (no privilege), " \
    "TSC frequency (no privilege), reset (no privilege), crash report (not offered)"

# env, words, tag, backend chosen, lines that must be in the log, number of lines with "refused".
CASES = (
    ("kvm-hyperv", [], "auto", "kvm", ["detected: kvm: KVM (score 100)",
                                       "detected: hyperv: Hyper-V interface (score 50)"], 0),
    ("kvm-hyperv", ["pvops=kvm"], "kvm", "kvm", [], 0),
    ("kvm-hyperv", ["pvops=hyperv"], "hyperv", "hyperv", ["hyperv: uses remote TLB flush, IPI, "], 0),
    ("hyperv", ["pvops=kvm"], "nokvm", "hyperv",
     ["detected: hyperv: Hyper-V interface (score 97)", "refused: pvops=kvm: "], 1),
    # The timer counts another clock than the one of deadlines.
    ("hyperv", ["pvops=hyperv,-clock_read"], "noclock", "hyperv", ["hyperv: uses "], 0),
    ("hyperv-few", [], "few", "hyperv", ["hyperv: uses reference clock", f"hyperv: {LITTLE}"], 0),
    ("hyperv-refuse", [], "refuse", "hyperv",
     ["send_ipi refused: error -3, ",
      "hyperv: call 0xb refused 8 times in a row, last status 3; native code replaces it"], 9),
)

tap = Tap()
for env, words, tag, backend, lines, refusals in CASES:
    run = boot(tap, env, [*words, f"test={WORK}", "bench=none"], f"hyperv-{tag}")
    what = f"{env} {' '.join(words) or 'auto'}"
    tap.equal(run["data"].get("backend"), backend, f"{what}: {backend} is chosen")
    log = [r for r in run["log"] if "pvops: " in r]
    for line in lines:
        tap.ok(any(f"pvops: {line}" in r for r in log), f"{what}: {line}", *log)
    tap.equal(sum(" refused" in r for r in log), refusals, f"{what}: {refusals} refusals are logged")
    tap.equal(run["totals"]["pass"], WORK.count(":") + 1, f"{what}: every op does its work")
tap.done()
