#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Disassembly of the sites of a running Xen PVH guest: ops that the hardware virtualizes are
the bare instructions.
"""
from vmtest import CALL, Patched, Tap, boot

BARE = ("save_fl irq_disable irq_enable read_cr2 read_cr3 write_cr3 pte_val make_pte set_pte "
        "flush_tlb_one read_msr write_msr safe_halt").split()
CALLS = "clock_read set_timer send_ipi_mask flush_tlb_multi".split()

tap = Tap()
text = Patched(boot(tap, "xenpvh", ["test=none", "bench=none", "dump=sites"], "sites", count=False))
text.check(tap)
for op in BARE + CALLS:
    sites = text.inline(op)
    tap.ok(sites, f"{op}: is used somewhere")
    tap.empty([str(s) for s in sites if any(map(CALL.match, s.insns)) != (op in CALLS)],
              f"{op}: {'a direct call' if op in CALLS else 'no call'} at {len(sites)} sites")
tap.done()
