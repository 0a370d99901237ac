#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Page-table isolation: a user process can set up state with which its return to user mode
fails, while entry code runs on the user's page tables.  It must only get a signal."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

tap = Tap()
for row in "native", "native-smp2", "kvm":
    result = matrix.run(row, "mm", ["pti=on", "PARTS=user,stress", "STRESS=1"], "pti")
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{row} pti=on: {what}", *why)
    tap.empty([name for name, test in result["tests"].items() if test[0] == "SKIP"], f"{row} pti=on: nothing is skipped")
tap.done()
