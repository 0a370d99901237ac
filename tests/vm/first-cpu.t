#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The machine's first CPU runs no guest, because QEMU can switch its nested paging off or on
(tests/vmi/monitor/README.md).  So the guest has one CPU of two.
"""
from vmtest import Tap, judge, vm

tap = Tap()
for cpus in 1, 2:
    run = vm.run("vmimon-smp2", ["test=none", "bench=none"], tag=f"first-{cpus + 1}", more=["-smp", str(cpus + 1)])
    tap.ok(judge.verdict(run) and any(f"vmi-monitor: {cpus} CPUs" in line for line in run["log"]),
           f"vmimon: of {cpus + 1} CPUs the guest has {cpus}", *judge.explain(run))
tap.done()
