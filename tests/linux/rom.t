#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""An option ROM's code runs only if the user has named VMI and nothing forbids it.  Otherwise
one line gives the reason, and Linux runs natively."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

# kernel, row, words, tag, the reason; all rows except vmi-unnamed have pvops=vmi
CASES = (
    ("ours", "vmi-unnamed", [], "unnamed", "not asked for: pvops=vmi"),
    ("mm", "vmi", ["lockdown=integrity"], "lockdown", "the kernel is locked down"),
    ("mm", "vmi", ["pti=on"], "pti", "page table isolation is on"),
    ("up", "vmi", [], "absent", "no such backend"),
    ("ours", "vmi-la57", [], "la57", "page tables have five levels (CR4.LA57 is set)"),
)

tap = Tap()
for variant, row, words, tag, why in CASES:
    result = matrix.run(row, variant, [*words, "PARTS=user"], f"rom-{tag}")
    data, name = result["data"], f"{variant}, {row} {' '.join(words)}"
    tap.ok(result["end"] and not result["problems"], f"{name}: Linux runs to its end", *result["problems"])
    tap.equal(data.get("backend"), "native", f"{name}: it runs natively")
    tap.equal(data.get("refused", []), [] if row == "vmi-unnamed" else [f"pvops=vmi: {why}"],
              f"{name}: the log has the expected refusal, or none")
    tap.equal([line for line in data.get("detected", []) if line.startswith("vmi: ")],
              [] if variant == "up" else [f"vmi: no: {why}"], f"{name}: detection gives the reason")
    tap.equal(data.get("user", {}).get("levels"), 5 if row == "vmi-la57" else 4, f"{name}: levels of page tables")
    tap.equal(result["tests"].get("user/all", ("not run",))[0], "PASS", f"{name}: no user program harms the kernel")
# The same machine, and four levels.
data = matrix.run("vmi-la57", "ours", ["no5lvl", "PARTS=user"], "rom-no5lvl")["data"]
tap.equal(data.get("backend"), "vmi", "no5lvl: the ROM is used")
tap.equal(data.get("refused", []), [], "no5lvl: nothing is refused")
tap.equal(data.get("user", {}).get("levels"), 4, "no5lvl: levels of page tables")
tap.done()
