#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A kernel starts itself again by kexec: the second one must choose and patch as the first."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

tap = Tap()
for row in "native", "kvm":
    result = matrix.run(row, "mm", ["PARTS=kexec"], "kexec")
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{row}: {what}", *why)
    boots = Path(result["log_file"]).read_text(errors="replace").count("Linux version ")
    tap.equal(boots, 2, f"{row}: two kernels started")
tap.done()
