#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Disassembly of the sites of a running Xen PV guest."""
import re

from vmtest import Patched, Tap, boot

# op: the instruction at its sites
ONE = {
    "irq_disable": re.compile(r"movb\s+\$0x1,%gs:"),
    "read_cr2": re.compile(r"mov\s+%gs:\S+,%rax$"),
}

tap = Tap()
text = Patched(boot(tap, "xenpv", ["test=none", "bench=none", "dump=sites"], "sites", count=False))
text.check(tap)
for op, shape in ONE.items():
    sites = text.inline(op)
    tap.ok(sites, f"{op}: is used somewhere")
    tap.empty([str(s) for s in sites if len(s.insns) != 1 or not shape.match(s.insns[0])],
              f"{op}: one instruction, nothing else, at {len(sites)} sites")
tap.done()
