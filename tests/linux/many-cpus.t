#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Forty CPUs, on the bare machine and as dom0: sets of CPUs, remote flushes, CPUs that go."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

tap = Tap()
# Not hotplug as dom0: a process or two die of SIGSEGV in half the runs, of the stock kernel, too.
for row, parts in ("native-smp40", "module,stress,hotplug"), ("dom0-smp40", "module,stress"):
    result = matrix.run(row, "ours", [f"PARTS={parts}", "LOADS=3", "STRESS=2", "LIMIT=600"], "many")
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{row}: {what}", *why)
tap.done()
