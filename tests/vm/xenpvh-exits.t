#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Exits to the hypervisor per call of another CPU and per remote TLB flush, with the backend
and without.  QEMU counts: it logs each VMEXIT of its emulated SVM with exit code, details
and instruction pointer.
"""
import collections
import re

from vmtest import TOP, Tap, boot, elf, vm

ROUND = 16  # of tests/guest/bench.c
MARK_PORT = 0xE9
# AMD APM vol. 2, appendix C, and the port in EXITINFO1 of an IOIO exit (section 15.10.2).
IOIO = 0x7B
CODES = {0x60: "INTR", 0x64: "VINTR", 0x72: "CPUID", 0x77: "PAUSE", 0x78: "HLT", IOIO: "IOIO",
         0x7C: "MSR", 0x81: "VMMCALL", 0x400: "NPF"}
VMEXIT = re.compile(r"vmexit\(([0-9a-f]+), ([0-9a-f]+), [0-9a-f]+, ([0-9a-f]+)\)")
# No code is at this address: only the VMEXIT lines are wanted.
QEMU = ["-d", "in_asm", "-dfilter", "0x1+1", "-D"]

# env: operation: (most exits with the backend, fewest without).  A CPU that sleeps has one
# more exit, by HLT.
BOUNDS = {"xenpvh-smp2": {
    "ipi_round_trip": (3.5, 4.5), "remote_flush": (1.5, 4.5),
    "ipi_round_trip_busy": (3.5, 4.5), "remote_flush_busy": (2.5, 4.5),
}}


def exits(tap, env, choice):
    """{what: {code: count}} between the guest's marks."""
    log = TOP / f"build/log/{env}~exits-{choice}.vmexit"
    run = boot(tap, env, [f"pvops={choice}", "test=none", "bench=smp", "marks=on"],
               f"exits-{choice}", more=[*QEMU, str(log)])
    # A guest without a console prints by the same port.
    printer = next(s for s in elf.Elf(vm.IMAGE).symbols if s.name == "pv_port_native_console")
    parts, inside = [], False
    with log.open(errors="replace") as lines:
        for code, info, at in (map(lambda n: int(n, 16), m.groups())
                               for m in map(VMEXIT.match, lines) if m):
            if code == IOIO and info >> 16 == MARK_PORT:
                if printer.value <= at < printer.value + printer.size:
                    continue
                inside = not inside
                parts += [collections.Counter()] if inside else []
            elif inside:
                parts[-1][CODES.get(code, f"{code:#x}")] += 1
    log.unlink()
    names = sorted(run["data"].get("marks", {}).items(), key=lambda item: item[1])
    tap.equal(len(parts), len(names), f"{env} pvops={choice}: every measurement is marked")
    return {name: part for (name, _), part in zip(names, parts)}


tap = Tap()
for name, bounds in BOUNDS.items():
    runs = {choice: exits(tap, name, choice) for choice in ("auto", "native")}
    for what, (most, least) in bounds.items():
        ours, native = (runs[choice].get(what, {}) for choice in ("auto", "native"))
        each, other = sum(ours.values()) / ROUND, sum(native.values()) / ROUND
        tap.ok(0 < each < most and other > least,
               f"{name}: {what}: {each:.1f} exits, natively {other:.1f}",
               f"backend {dict(ours)}, at most {most}", f"native {dict(native)}, at least {least}")
        print(f"# {what}: {dict(ours)}, natively {dict(native)}", flush=True)
tap.done()
