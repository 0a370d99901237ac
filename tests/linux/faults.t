#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Faults under load (README.md): hypercalls fail, NMIs and interrupts come into batches, the
kernel is patched again and modules come and go, while a load compares its memory with a
shadow copy.  Then updates are lost on purpose, and the load must find each.

The environment sets FAULT_SECONDS (12), FAULT_ROWS (dom0-smp2,vmimon-smp2) and SEED (1).
The kernel preempts itself.  Without what keeps a task on its CPU, tasks that are moved from CPU
to CPU by tests/linux/module find losses.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

# Every Nth hypercall of a CPU fails; N by the backend of the row.
EVERY = {"xen": 97, "vmi": 47}

seconds = int(os.environ.get("FAULT_SECONDS", "12"))
seed = int(os.environ.get("SEED", "1"))
tap = Tap()
for row in os.environ.get("FAULT_ROWS", "dom0-smp2,vmimon-smp2").split(","):
    backend = matrix.environments.env_rows(row, matrix.TABLE)["backend"]
    for part, words in (("faults", [f"FAULTS={seconds}", f"SEED={seed}", f"pvops_fault={EVERY[backend]},{seed}",
                                    "log_buf_len=8M"]),
                        ("planted", [])):
        result = matrix.run(row, "fault", [f"PARTS={part}", "preempt=full", *words], part, matrix.TIMEOUT + 8 * seconds)
        for good, what, why in matrix.asserts(result):
            tap.ok(good, f"{row}: {what}", *why)
        for name, test in result["tests"].items():
            print(f"# {row}: {name}: {test[0]} {test[1]}", *test[2][-1:], flush=True)
        if part == "faults":
            print(f"# {row}: {result['data'].get('faults')}, {result['seconds']} s", flush=True)
        else:
            dropped = result["data"].get("planted", {}).get("dropped")
            tap.equal(dropped, 15, f"{row}: 15 updates were lost on purpose")
    result = matrix.run(row, "fault", ["PARTS=module", "preempt=full"], "preempt")
    for good, what, why in matrix.asserts(result):
        tap.ok(good, f"{row}: {what}", *why)
    # What is lost can be anything's, a program's or the kernel's, so that this boot may not end.
    result = matrix.run(row, "fault", ["PARTS=module", "preempt=full", "pvops_preempt=off"], "preempt-off", 90)
    lost = [what for good, what, _ in matrix.asserts(result) if not good]
    tap.ok(lost, f"{row}: without what keeps a task on its CPU, updates are lost: not {', nor '.join(lost)}")
tap.done()
