#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""pvops= on Linux's command line is honoured, or refused in one line, and Linux goes on.  Linux
also runs with per-CPU areas, which hold GDTs and batches, outside of the linear map."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

# row, words, tag, backend chosen, how the one "refused" line begins (None: no line)
CASES = (
    ("native", "pvops=xen", "absent", "native", "pvops=xen: "),
    ("native", "pvops=native,-nosuch", "nopart", "native", "-nosuch: no such table or op"),
    ("vmi", "pvops=native", "native", "native", None),
    ("vmi", "pvops=vmi,-irq", "noirq", "vmi", None),
    ("dom0", "pvops=native", "native", "xen", "pvops=native: "),
    ("dom0", "pvops=xen,-mmu", "nommu", "xen", "-mmu: xen cannot run with native "),
    ("dom0-smp2", "percpu_alloc=page", "percpu", "xen", None),
)

tap = Tap()
for row, words, tag, backend, refused in CASES:
    result = matrix.run(row, "ours", [words, "PARTS=stress,user", "STRESS=1"], f"select-{tag}")
    data, sites, name = result["data"], result["data"].get("sites", {}), f"{row} {words}"
    tap.ok(result["end"] and not result["problems"], f"{name}: Linux runs to its end", *result["problems"])
    tap.equal(data.get("backend"), backend, f"{name}: {backend} is chosen")
    tap.ok(sites and sites["indirect"] == sites["failed"] == 0, f"{name}: all sites are patched", str(sites))
    for test in "stress/stress", "user/all":
        tap.equal(result["tests"].get(test, ("not run",))[0], "PASS", f"{name}: {test} passes")
    tap.empty([n for n, test in result["tests"].items() if n.startswith("user/") and test[0] == "FAIL"],
              f"{name}: no user program harms the kernel")
    lines = data.get("refused", [])
    if refused is None:
        tap.empty(lines, f"{name}: nothing refused")
    else:
        tap.ok(len(lines) == 1 and lines[0].startswith(refused), f"{name}: refused: {refused}...",
               *(lines or ["no such line"]))
tap.done()
