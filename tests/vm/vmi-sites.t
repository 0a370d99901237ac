#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Disassembly of the sites under VMI: no indirect branch; the ops of the interrupt mask are
direct calls of the ROM's own code.
"""
import struct

from vmtest import Patched, Tap, boot

MASK_OPS = ("save_fl", "restore_fl", "irq_disable", "irq_enable", "iret")
CS_PREFIX, CALL, JUMP = 0x2E, 0xE8, 0xE9

tap = Tap()
patched = Patched(boot(tap, "vmi", ["test=none", "bench=none", "dump=sites"], "sites", count=False))
patched.check(tap)
text_end = patched.image.named["__pv_text_end"]
for op in MASK_OPS:
    sites, bad, targets = patched.inline(op), [], set()
    for s in sites:
        branch = JUMP if op == "iret" else CALL
        if s.text[0] != CS_PREFIX or s.text[1] != branch:
            bad.append(str(s))
            continue
        targets.add(s.addr + 6 + struct.unpack("<i", s.text[2:6])[0])
    tap.empty(bad, f"{op}: {len(sites)} direct {'jumps' if op == 'iret' else 'calls'}")
    tap.ok(sites and len(targets) == 1 and min(targets) >= text_end,
           f"{op}: all to one place, outside kernel text", *map(hex, targets))
tap.done()
