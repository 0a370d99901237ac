#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""pvops= words with VMI and without."""
from vmtest import Tap, boot

# env, words, tag, backend chosen, what is refused (None: nothing), tests that are run
CASES = (
    ("native", "pvops=vmi", "vmi-absent", "native", "pvops=vmi: no VMI option ROM", "none"),
    ("vmi", "pvops=native", "vmi-native", "native", None, "processes:repatch"),
    ("vmi", "pvops=vmi,-mmu", "vmi-nommu", "vmi", None, "all"),
    ("vmi", "pvops=vmi,-irq", "vmi-noirq", "vmi", None, "all"),
    ("vmi", "pvops=vmi,-time", "vmi-notime", "vmi", None, "all"),
    ("vmi", "pvops=vmi,-cpu", "vmi-nocpu", "vmi", None, "all"),
    ("vmi", "pvops=vmi,-smp", "vmi-nosmp", "vmi", None, "all"),
    ("vmi", "pvops=vmi,-end_context_switch", "vmi-half", "vmi",
     "-end_context_switch: goes with start_context_switch", "all"),
    ("vmi", "pvops=vmi,-clock_read", "vmi-noclock", "vmi", None, "all"),
)

tap = Tap()
for env, words, tag, backend, refused, tests in CASES:
    run = boot(tap, env, [words, f"test={tests}", "bench=none"], tag)
    tap.equal(run["data"].get("backend"), backend, f"{env} {words}: chosen: {backend}")
    tap.equal(run["data"].get("refused", []), [refused] if refused else [],
              f"{env} {words}: refused: {refused or 'nothing'}")
tap.done()
