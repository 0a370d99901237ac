#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The first of a machine's CPUs runs no guest: QEMU can take nested paging away from it
or leave it on (tests/vmi/monitor/README.md).  So a machine of two has one for the guest.
"""
from vmtest import Tap, judge, vm

tap = Tap()
for cpus in 1, 2:
    run = vm.run("vmimon-smp2", ["test=none", "bench=none"], tag=f"first-{cpus + 1}", more=["-smp", str(cpus + 1)])
    tap.ok(judge.verdict(run) and any(f"vmi-monitor: {cpus} CPUs" in line for line in run["log"]),
           f"vmimon: of {cpus + 1} CPUs the guest has {cpus}", *judge.explain(run))
tap.done()
