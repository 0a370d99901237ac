#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Exits per remote TLB flush and IPI with the backend and with native ops, as the host counts
them.  The guest takes back all memory from the host.
"""
from vmtest import Tap, counted

# Operations in a phase, tests/guest/bench.c.
ROUND = 16
# MSRs of shared memory: clock, stolen time, end of interrupt.
SHARED = {"4b564d01", "4b564d03", "4b564d04"}

tap = Tap()
ours, kvm = counted(tap, "kvm-smp2", ["test=start_cpu:kvm_exit", "bench=smp"], "exits")
_, native = counted(tap, "kvm-smp2", ["test=none", "bench=smp", "pvops=native"], "exits-native")


def made(phase):
    """The guest's exits, without those for interrupts of the host."""
    return sum(n for reason, n in phase.items() if reason not in ("interrupt", "vintr"))


for name in ("ipi_round_trip", "remote_flush", "ipi_round_trip_busy", "remote_flush_busy"):
    if not tap.ok(kvm.get(name) is not None and native.get(name) is not None, f"{name}: its exits are counted"):
        continue
    print(f"# {name}: kvm {kvm[name]}, native {native[name]}")
    tap.ok(native[name].get("npf", 0) >= 3 * ROUND, f"{name}: native: three or more APIC accesses each")
    tap.equal(kvm[name].get("npf", 0), 0, f"{name}: kvm: no APIC access")
    tap.ok(made(kvm[name]) <= made(native[name]) / 2, f"{name}: kvm: at most half of native's exits")
# A target that sleeps needs an interrupt each; one that is preempted flushes by itself.
tap.equal(kvm["remote_flush"].get("hypercall"), ROUND, "flush of a sleeping CPU: one hypercall")
tap.ok(made(kvm["remote_flush_busy"]) <= ROUND / 4, "flush of a preempted CPU: at most one exit in four flushes",
       str(kvm["remote_flush_busy"]))

# CPU 1 stops itself; CPU 0 switches the machine off.
msrs = ours["data"].get("msrs", [])
vcpus = sorted({row["vcpu"] for row in msrs})
tap.equal(len(vcpus), 2, "both vCPUs share memory")
for vcpu in vcpus:
    written = [row for row in msrs if row["vcpu"] == vcpu and row["msr"] in SHARED]
    off = [i for i, row in enumerate(written) if row["value"] == "0x0"]
    tap.equal({written[i]["msr"] for i in off}, SHARED, f"vCPU {vcpu}: each shared area is taken back")
last = {row["msr"]: row["value"] for row in msrs if row["vcpu"] == vcpus[0] and row["msr"] in SHARED}
tap.equal(set(last.values()), {"0x0"}, "the CPU that switches off shares nothing at the end")
tap.done()
