#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""docs/demo.md shows what the demo prints: hash, counts and figures.  A page that differs fails.

The page is for Debian 12's gcc; another gcc makes another image.
"""
import io
import subprocess
import tempfile
from contextlib import redirect_stderr
from unittest.mock import patch

from vmtest import TOP, Tap

import demopage  # from tools/, whose path vmtest has set
import report

GCC = "12.2.0"


def check(text, said, status=0):
    """demopage's answer to a page with this text, when the demo prints @said."""
    def demo(_):
        print(said)
        return status
    told = io.StringIO()
    with tempfile.NamedTemporaryFile("w+") as file, patch.object(report, "demo", demo), redirect_stderr(told):
        file.write(text)
        file.flush()
        return demopage.main(["--check", file.name]), told.getvalue()


tap = Tap()
gcc = subprocess.run(["gcc", "-dumpfullversion"], text=True, capture_output=True, check=True).stdout.strip()
if gcc == GCC:
    told = io.StringIO()
    with redirect_stderr(told):
        status = demopage.main(["--check", str(TOP / "docs/demo.md")])
    tap.ok(status == 0, "docs/demo.md is what make demo prints", *told.getvalue().splitlines())
else:
    tap.ok(True, f"docs/demo.md is what make demo prints # SKIP gcc {gcc}, not {GCC}")

SAID = ("native: booting ... 1.7 s, 99 tests passed\n\none image, sha256 ab\n\nExecuted instructions:\n"
        "set_pte  2\niret  1,234.5  -")
good = demopage.page(SAID)
tap.ok("1.7" not in good and "99 tests" in good, "seconds are left out, counts are not", good)
tap.equal(check(good, SAID.replace("1.7", "3.9")), (0, ""), "another duration is no difference")
tap.equal(check(good, SAID.replace("1,234.5", "1,240")), (0, ""), "a close figure is no difference")
for old, new in (("99 tests", "98 tests"), ("sha256 ab", "sha256 cd"), ("set_pte  2", "set_pte  3"),
                 ("1,234.5", "1,270"), ("1,234.5", "-")):
    status, why = check(good, SAID.replace(old, new))
    tap.ok(status == 1 and new in why and "make demo-page" in why, f"{new} instead of {old} is a difference", *why.splitlines())
tap.equal(check(good, SAID, 1)[0], 1, "a demo that fails is a failure")
tap.done()
