#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Two runs of the same measurement give the same figures, to the instruction."""
from vmtest import Tap, boot

tap = Tap()
for env in ("native", "xenpv", "vmi", "vmimon"):
    one, two = (boot(tap, env, ["test=none", "bench=demo"], f"repeat{n}")["data"] for n in (1, 2))
    differ = [f"{key}: {one.get(key)} / {two.get(key)}" for key in {**one, **two}
              if one.get(key) != two.get(key)]
    tap.ok(one and not differ, f"{env}: both runs give the same data", *differ)
    tap.ok(one.get("ops") and one.get("bench"), f"{env}: both runs have figures")
tap.done()
