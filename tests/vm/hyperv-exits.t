#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Exits per remote TLB flush and IPI with the Hyper-V interface and with native ops, as the
host counts them.  The guest takes back all pages from the hypervisor, and reports a crash.
"""
from vmtest import Tap, counted, environments, vm

# Operations in a phase, tests/guest/bench.c.
ROUND = 16
# Registers that make the hypervisor write to the guest: hypercall page, TSC page, VP assist.
SHARED = {"40000001", "40000021", "40000073"}
ENABLE = 1

tap = Tap()
ours, calls = counted(tap, "hyperv-smp2", ["test=start_cpu:hyperv_given_back", "bench=smp"], "exits")
_, native = counted(tap, "hyperv-smp2", ["test=none", "bench=smp", "pvops=native"], "exits-native")


def made(phase):
    """The guest's exits, without those for interrupts of the host."""
    return sum(n for reason, n in phase.items() if reason not in ("interrupt", "vintr"))


for name in ("ipi_round_trip", "remote_flush", "ipi_round_trip_busy", "remote_flush_busy"):
    if not tap.ok(calls.get(name) is not None and native.get(name) is not None, f"{name}: its exits are counted"):
        continue
    print(f"# {name}: hyperv {calls[name]}, native {native[name]}")
    tap.ok(native[name].get("npf", 0) >= 3 * ROUND, f"{name}: native: three or more APIC accesses each")
    tap.equal(calls[name].get("npf", 0), 0, f"{name}: hyperv: no APIC access, also not for the end of interrupt")
    tap.equal(calls[name].get("hypercall"), ROUND, f"{name}: hyperv: one hypercall each")
for name in ("remote_flush", "remote_flush_busy"):
    tap.equal(made(calls.get(name) or {}), ROUND, f"{name}: hyperv: no other exit on any CPU")
tap.ok(0 < made(calls.get("ipi_round_trip") or {}) <= 2 * ROUND,
       "ipi_round_trip: hyperv: at most two exits each, the call and the target's halt")

# CPU 1 stops itself, and is started again; CPU 0 switches the machine off.
msrs = [row for row in ours["data"].get("msrs", []) if row["msr"] in SHARED]
vcpus = sorted({row["vcpu"] for row in msrs})
if tap.equal(len(vcpus), 2, "both vCPUs share pages"):
    first, second = ([(row["msr"], int(row["value"], 16) & ENABLE) for row in msrs if row["vcpu"] == v]
                     for v in vcpus)
    tap.equal({msr for msr, on in first if on}, SHARED, "the boot CPU shares all pages")
    tap.equal({msr: on for msr, on in first if on == dict(first)[msr]}, dict.fromkeys(SHARED, 0),
              "the boot CPU takes all pages back before it switches off")
    tap.equal([on for _, on in second], [1, 0, 1], "the other CPU shares its page, takes it back, shares it again")

# The hypervisor switches the machine off: no end marker, and nothing given back.
row = environments.env_rows("hyperv")["boot"]
crash = vm.run("hyperv", ["test=none", "crash=fault"], tag="crash",
               more=("-append", row[row.index("-append") + 1] + " EXITS=1"))
told = [(r["msr"], int(r["value"], 16)) for r in crash["data"].get("msrs", [])]
tap.ok("panic: exception in the kernel" in crash["log"], "a fault in the kernel is a panic", *crash["problems"])
tap.equal(told[-3:-2] + told[-1:], [("40000100", int.from_bytes(b"pvops", "little")), ("40000105", 1 << 63)],
          "the panic is reported to the hypervisor, with the kernel's name")
tap.done()
