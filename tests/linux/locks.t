#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Locks in an overcommitted guest: a Xen domU with four CPUs on a machine with two, where a CPU
that has the lock, or is next, often does not run.  Ours, the stock kernel of the same
configuration, and ours with nopvspin: executed instructions, of all CPUs and Xen, and
hypercalls per lock.  Natively the release of a lock must call nothing.  The raw results are in
build/report/linux-locks.json.
"""
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402
import report  # noqa: E402

ROW = "domu-overcommit"
# Fewer would be over before Xen's scheduler has taken a CPU away.  Without PV locks nearly each
# hand-over waits for it.
RUNS = {"ours": ("mm", 20000, []), "stock": ("mm-stock", 20000, []), "nopvspin": ("mm", 2000, ["nopvspin"])}
WAITS = ("pv_wait_node", "pv_wait_head", "pv_wait_again")
KICKS = ("pv_kick_unlock", "pv_kick_wake")

tap = Tap()
found = {}
for name, (variant, rounds, words) in RUNS.items():
    result = matrix.run(ROW, variant, ["PARTS=locks", f"ROUNDS={rounds}", *words], name, 1800, count=True)
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{name}: {what}", *why)
    data = result["data"].get("locks", {})
    taken = data.get("rounds", 0)
    tap.equal(taken, 4 * rounds, f"{name}: each of 4 CPUs takes the lock {rounds} times")
    taken = taken or 1
    found[name] = {"instructions": data.get("ticks", 0) / taken, "waits": sum(data.get(w, 0) for w in WAITS) / taken,
                   "kicks": sum(data.get(k, 0) for k in KICKS) / taken, "raw": data}
    print("# {:9} {:10,.0f} instructions, {:.3f} waits, {:.3f} kicks per lock".format(name, *list(found[name].values())[:3]),
          flush=True)

# One instruction and a NOP in the place of the call.
result = matrix.run("native-smp2", "mm", ["PARTS=locks"], "locks")
for good, what, why in matrix.asserts(result):
    tap.ok(good, f"native: {what}", *why)
release = dict(re.findall(r"(\w+)=(\d+)", result["data"].get("locks", {}).get("release", "")))
tap.ok(int(release.get("inline", 0)) and not sum(int(n) for form, n in release.items() if form not in ("inline", "outline")),
       f"native: each release of a lock is in line: {release}")

report.save(report.OUT / "linux-locks.json", json.dumps(found, indent=1) + "\n")
ours, stock, spinning = (found[name] for name in RUNS)
tap.ok(ours["waits"] and ours["kicks"] and stock["waits"], "waiting CPUs give way, and are kicked")
tap.ok(not spinning["waits"] and not spinning["kicks"], "not with nopvspin")
tap.ok(ours["instructions"] <= 1.05 * stock["instructions"], "a lock costs no more than the stock kernel's")
tap.ok(ours["waits"] + ours["kicks"] <= 1.05 * (stock["waits"] + stock["kicks"]), "nor more hypercalls")
tap.ok(2 * ours["instructions"] < spinning["instructions"], "and less than half of what spinning costs")
tap.done()
