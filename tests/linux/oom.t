#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Memory runs out by page tables and by processes, as dom0 and on the bare machine: the load is killed, and the machine
works afterwards (oom.c).  Row mm does the same in a memory group, which its configuration has.

OOM_ROWS (dom0-smp2,native) is taken from the environment.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

tap = Tap()
for row in os.environ.get("OOM_ROWS", "dom0-smp2,native").split(","):
    result = matrix.run(row, "ours", ["PARTS=oom"], "oom", matrix.TIMEOUT * 2)
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{row}: {what}", *why)
tap.done()
