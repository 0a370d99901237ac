#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The bare machine's clock, with each clock to measure it by.  Test clock_read finds a wrong
frequency.  A CPU gets its timer as soon as possible; if it is not possible, a line says why.
"""
from vmtest import Tap, boot, vm

WORK = "test=clock_read:set_timer:wall_clock"
MICROVM = ["-machine", "microvm,pit=off,rtc=off"]

# environment, words, more for QEMU, tag, line
MEASURED = (
    ("native", [WORK], (), "pit", "measured by the PIT"),
    ("native-nopit", [WORK], (), "hpet", "measured by the HPET"),
    ("microvm", [WORK], (), "cmos", "measured by the CMOS clock"),
    ("microvm", ["test=none"], MICROVM, "none", "4000000 kHz assumed, so the clock is wrong"),
)

tap = Tap()
for env, words, more, tag, line in MEASURED:
    run = boot(tap, env, [*words, "bench=none"], f"clock-{tag}", more=more)
    said = [r for r in run["log"] if "native: TSC: " in r]
    tap.ok(len(said) == 1 and line in said[0], f"{env} {tag}: one line: {line}", *said)

# With -icount QEMU's TSC has 1 GHz.
for khz in 980000, 1020000:
    run = vm.run("native", [f"tsc_khz={khz}", "test=clock_read", "bench=none"], tag=f"clock-{khz}")
    tap.equal((bool(run["end"]), run["totals"]["fail"]), (True, 1), f"a TSC taken for {khz} kHz fails clock_read")

run = boot(tap, "native-smp2", ["test=start_cpu", "bench=none"], "clock-max", more=("-cpu", "max"))
tap.ok(any("start_cpu: CR4 bit 0x1000" in r for r in run["log"]), "a CPU starts on five levels of tables")

run = boot(tap, "native-smp2", ["early=start_cpu", "test=none", "bench=none"], "clock-early")
said = [r for r in run["log"] if "start_cpu 1: " in r]
tap.ok(len(said) == 1 and "pv_late_init() was not called" in said[0], "start_cpu too early says so", *said)
tap.done()
