#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""pvops_bench.ko measures every op, or prints why not, and its self-tests pass."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402
import opdoc  # noqa: E402

tap = Tap()
for row in ("native", "dom0"):
    result = matrix.run(row, "ours", ["PARTS=bench"], "bench", count=True)
    data = result["data"]
    ops, bench = data.get("ops", {}), data.get("bench", {})
    tap.ok(result["end"] and not result["problems"], f"{row}: the module runs", *result["problems"])
    tap.equal(bench.get("idle", {}).get("insns"), 0, f"{row}: doing nothing measures as 0")
    tap.equal(bench.get("nop_sled_100", {}).get("insns"), 100, f"{row}: 100 NOPs measure as 100")
    names = {op.name for _, _, ops_of in opdoc.read_catalogue(TOP) for op in ops_of}
    tap.empty(sorted(names - set(ops)), f"{row}: each of {len(names)} ops has an entry")
    tap.empty(sorted(n for n, m in ops.items() if m.get("insns") is None and not m.get("why")),
              f"{row}: each op that is not measured has a reason")
    measured = [n for n, m in ops.items() if m.get("insns") is not None]
    tap.ok(len(measured) * 2 > len(names), f"{row}: {len(measured)} ops are measured")
tap.done()
