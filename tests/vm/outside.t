#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Checks from outside of the guest: how the machine ends for each reason of pv_shutdown(), that
a console takes more text than it has room for, and that WBINVD is executed.  (tools/judge.py
checks in each run that console_write's line arrives and that shutdown is a power-off.)
"""
import re

from vmtest import TOP, Tap, boot, elf, vm

tap = Tap()
for env, crash in (("native", "reset"), ("xenpv", "reset"), ("xenpvh", "crash"), ("vmi", "reset"),
                   ("vmimon", "reset")):
    for reason, ended in (("poweroff", "poweroff"), ("reboot", "reset"), ("crash", crash)):
        run = boot(tap, env, ["test=console_write:shutdown" if reason == "poweroff" else "test=none",
                              "bench=none", f"end={reason}"], f"end-{reason}", count=False)
        tap.equal(run["ended"], ended, f"{env}: end={reason}: {ended}")

# Larger than the console ring of a PVH guest.
run = boot(tap, "xenpvh", ["test=xenhvm_console", "bench=none"], "ring", count=False)
want = [f"console line {nr:02} " for nr in range(40)]
seen = [line for line in run["log"] if line.startswith("console line ")]
tap.equal([line[:len(want[0])] for line in seen], want, "xenpvh: lines that overflow the console ring arrive in order")
tap.equal({len(line) for line in seen}, {61}, "xenpvh: these lines arrive complete")

# The instruction traps to the monitor, which reports its address.
run = boot(tap, "vmimon", ["pvops=native", "test=wbinvd", "bench=none"], "wbinvd", count=False)
op = next(s for s in elf.Elf(vm.IMAGE).symbols if s.name == "test_wbinvd")
rows = re.findall(r"@audit wbinvd ([0-9a-f]+) (\d+)", (TOP / run["log_file"]).read_text(errors="replace"))
tap.empty([at for at, _ in rows if not op.value <= int(at, 16) < op.value + op.size],
          "native on the monitor: only the test of wbinvd executes WBINVD")
tap.equal(sum(int(count) for _, count in rows), 3, "native on the monitor: each call of wbinvd executes WBINVD")
tap.done()
