#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the guest cannot see itself: console_write's bytes arrive, whole and in
order, and shutdown ends the machine (QEMU exits by itself, behind the end marker).
"""
from vmtest import Tap, boot

LINE = "console_write wrote this line"

tap = Tap()
for env in ("native", "xenpv", "xenpvh", "vmi", "vmimon"):
    run = boot(tap, env, ["test=console_write:shutdown"], "console", count=False)
    seen = [line for line in run["log"] if LINE in line]
    tap.ok(len(seen) == 1 and seen[0].lstrip("# ") == LINE, f"{env}: the line is there, once and whole", *seen)
    tap.equal(run["totals"]["pass"], 2, f"{env}: both tests passed")
    tap.ok(run["end"] and not run["problems"], f"{env}: the machine went off by itself", *run["problems"])

# Larger than the ring between a PVH guest and its console's reader.
run = boot(tap, "xenpvh", ["test=xenhvm_console"], "ring", count=False)
want = [f"console line {nr:02} " for nr in range(40)]
seen = [line for line in run["log"] if line.startswith("console line ")]
tap.equal([line[:len(want[0])] for line in seen], want, "xenpvh: what does not fit at once comes, in order")
tap.equal({len(line) for line in seen}, {61}, "xenpvh: and whole")
tap.done()
