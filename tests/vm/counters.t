#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Bounds that the project promises, from the guest's own counters."""
from vmtest import Tap, boot

MAX_INSNS_PER_SITE = 72


def leaves(tree, path=""):
    """(path, measurement) for every {"insns": ...} below."""
    if isinstance(tree, dict):
        if "insns" in tree:
            yield path, tree
        else:
            for key, value in tree.items():
                yield from leaves(value, f"{path}.{key}" if path else key)


tap = Tap()
runs = {env: boot(tap, env, ["test=none", "bench=demo"], "counters")["data"]
        for env in ("native", "xenpv", "vmi", "vmimon")}
for env, data in runs.items():
    sites = data.get("sites", {})
    tap.ok(0 < data.get("patch_insns_per_site", 0) <= MAX_INSNS_PER_SITE,
           f"{env}: at most {MAX_INSNS_PER_SITE} instructions to patch a site",
           f"is {data.get('patch_insns_per_site')}")
    tap.equal(data.get("patch_serialisations"), 1, f"{env}: one serialisation for the pass")
    tap.ok(sites.get("failed") == 0 and sites.get("indirect") == 0,
           f"{env}: every site patched, none indirect", str(sites))
    bench = data.get("bench", {})
    tap.equal(bench.get("idle", {}).get("insns"), 0, f"{env}: doing nothing measures as 0")
    tap.equal(bench.get("nop_sled_100", {}).get("insns"), 100, f"{env}: 100 NOPs measure as 100")
    tap.ok(data.get("ops"), f"{env}: ops are measured")

called = [f"{path}: {m}" for key in ("ops", "bench")
          for path, m in leaves(runs["native"].get(key, {})) if m.get("hypercalls")]
tap.empty(called, "native: no hypercall anywhere")
for env in ("xenpv", "vmi", "vmimon"):
    protect = runs[env].get("bench", {}).get("protect_256", {})
    tap.ok(0 < protect.get("hypercalls", 0) <= 2 + protect.get("flush", 0) and protect.get("flush", 9) <= 1,
           f"{env}: protecting 256 pages is at most 2 hypercalls and the flush", str(protect))
for op in ("save_fl", "restore_fl", "irq_disable", "irq_enable"):
    for env in ("xenpv", "vmimon"):
        tap.equal(runs[env].get("ops", {}).get(op, {}).get("hypercalls"), 0, f"{env}: {op} makes no hypercall")
tap.done()
