#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Unusual pvops= words: each is honoured, or refused in one line, and the boot goes on.

The lines are the core's (pvops/select.c).
"""
from leave import leave
from vmtest import Tap, boot

# env, words, tag, backend chosen, how the one "refused" line begins (None: no
# line).  Log lines are stripped: one that ends in a blank here needs a reason after it.
CASES = (
    ("native", "pvops=nosuch", "unknown", "native", "pvops=nosuch: no such backend"),
    ("native", "pvops=xen", "absent", "native", "pvops=xen: "),
    ("native", "pvops=", "empty", "native", "pvops=: empty name"),
    ("native", "pvops=native,-nosuch", "nopart", "native", "-nosuch: no such table or op"),
    ("native", "pvops=auto", "auto", "native", None),
    ("xenpv", "pvops=native", "native", "xen", "pvops=native: "),
    ("xenpvh", "pvops=native", "native", "native", None),
    ("xenpvh", "pvops=xen", "pv", "xenhvm", "pvops=xen: "),
)

# Tables of a backend that are left to native, or refused: env, backend, tables, the refused
# ones.  The contract suite runs with each.
TABLES = (
    ("xenpv", "xen", "irq cpu mmu time smp", "irq cpu mmu time smp"),
    ("xenpv", "xen", "lock", ""),
    ("xenpvh", "xenhvm", "irq mmu time smp", "irq time smp"),
    ("xenpvh", "xenhvm", "lock", ""),
)

tap = Tap()
for env, words, tag, backend, refused in CASES:
    run = boot(tap, env, [words, "test=none", "bench=none"], f"select-{tag}", count=False)
    chosen = [r for r in run["log"] if "pvops: chosen: " in r]
    lines = [r.split("pvops: refused: ")[1] for r in run["log"] if "pvops: refused: " in r]
    tap.ok(len(chosen) == 1 and f"chosen: {backend} " in chosen[0],
           f"{env} {words}: chosen: {backend}", *chosen)
    tap.equal(run["data"].get("backend"), backend, f"{env} {words}: the data say so too")
    if refused is None:
        tap.empty(lines, f"{env} {words}: nothing refused")
    else:
        tap.ok(len(lines) == 1 and lines[0].startswith(refused),
               f"{env} {words}: refused: {refused}...", *(lines or ["no such line"]))
    tap.equal(len(run["data"].get("refused", [])), len(lines), f"{env} {words}: the data say it too")
for env, backend, tables, refused in TABLES:
    leave(tap, env, backend, tables.split(),
          {table: f"{backend} cannot run with native " for table in refused.split()})
leave(tap, "xenpv", "xen", ["stolen_time", "vcpu_is_preempted"], {}, tests="xen_run_states:stolen_time")
# QEMU then repeats the highest basic leaf (EAX 0) for missing leaves: that is no hypervisor's.
run = boot(tap, "native", ["test=detection", "bench=none"], "select-leaves", count=False,
           more=("-cpu", "max,level=0x1f", "-smp", "2,dies=2,cores=1,threads=1"))
tap.equal([line for line in run["data"].get("detected", []) if line.startswith("CPUID")],
          ["CPUID 0x40000000: hypervisor 'TCGTCGTCGTCG' (QEMU TCG), no interface"],
          "leaves that do not exist are no hypervisors")
# One op of a pair.
leave(tap, "xenpv", "xen", ["lock_kick"], {"lock_kick": "goes with lock_wait"})
tap.done()
