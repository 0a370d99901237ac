#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Disassembly of the sites of a running native guest: hot ops are the bare instructions, and
the far sides of branch sites are unreachable.
"""
from vmtest import CALL, INDIRECT, NOP, Patched, Tap, boot

HOT = ("save_fl irq_disable irq_enable read_cr2 read_cr3 write_cr3 pte_val make_pte set_pte "
       "read_msr write_msr").split()

tap = Tap()
text = Patched(boot(tap, "native", ["test=none", "bench=none", "dump=sites"], "sites", count=False))
text.check(tap)
for op in HOT:
    sites = text.inline(op)
    tap.ok(sites, f"{op}: is used somewhere")
    tap.empty([str(s) for s in sites
               if any(CALL.match(i) or INDIRECT.match(i) or "jmp" in i for i in s.insns)],
              f"{op}: no call and no jump at {len(sites)} sites")
branches = [s for s in text.sites if s.record.kind == 2]
tap.empty([str(s) for s in branches if len(s.insns) != 1 or not NOP.match(s.insns[0])],
          f"{len(branches)} branch sites are one NOP each")
tap.equal({s.op for s in text.sites if s.outline} - {s.op for s in branches}, set(),
          "outline sites belong to ops that have branch sites")

# No path leads to the far sides while the branch sites are NOPs.
seen, escapes = text.reached()
tap.empty(escapes, "no jump that the analysis cannot follow")
# The compiler may give a far side a copy of what follows it, sites included.
far, _ = text.reached(s.addr for s in text.sites if s.outline)
tap.empty([str(s) for s in text.sites if not s.outline and s.addr not in seen | far],
          "the analysis reaches every other site, or it is behind a far side")
tap.empty([str(s) for s in text.sites if s.outline and s.addr in seen],
          f"{sum(s.outline for s in text.sites)} outline sites cannot be reached")
tap.done()
