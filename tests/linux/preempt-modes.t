#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""One image with CONFIG_PREEMPT_DYNAMIC in each of its modes: the word preempt= chooses.
The other rows boot it in the mode voluntary."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

tap = Tap()
for row, modes in (("native-smp2", ["full"]), ("dom0-smp2", ["none", "voluntary", "full"]), ("vmimon-smp2", ["full"])):
    for mode in modes:
        result = matrix.run(row, "ours", [f"preempt={mode}", "PARTS=module,stress", "STRESS=2"], f"preempt-{mode}")
        for good, what, why in matrix.asserts(result):
            tap.ok(good, f"{row} preempt={mode}: {what}", *why)
        tap.ok(any(f"Dynamic Preempt: {mode}" in line for line in result["log"]),
               f"{row} preempt={mode}: the kernel says so")
tap.done()
