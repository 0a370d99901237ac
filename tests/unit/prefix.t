#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-prefix: every line of the core and of the backends begins with the layer's
name, as port.h promises to ports, and once."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALL = re.compile(r"pv_port_log\(\s*\"((?:[^\"\\]|\\.)*)")


def wrong(text):
    return [m[1] for m in CALL.finditer(text) if not m[1].startswith("pvops: ") or "pvops: " in m[1][7:]]


files = sorted([*ROOT.glob("pvops/*.c"), *ROOT.glob("backends/*/*.[ch]")])
bad, seen = [], 0
for path in files:
    source = path.read_text(encoding="utf-8")
    seen += len(CALL.findall(source))
    bad += [f"{path.relative_to(ROOT)}: {line}" for line in wrong(source)]
cases = [
    (seen > 50 and not bad, f"{seen} lines have the prefix once", bad),
    (wrong('pv_port_log("xen: %d", 1); pv_port_log(\n\t"pvops: pvops: x");') == ["xen: %d", "pvops: pvops: x"],
     "and others would be found", []),
]
for nr, (good, name, why) in enumerate(cases, 1):
    print(f"{'ok' if good else 'not ok'} {nr} - {name}")
    for line in why:
        print(f"# {line}")
print(f"1..{len(cases)}")
sys.exit(0 if all(c[0] for c in cases) else 1)
