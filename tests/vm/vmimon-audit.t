#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The monitor's table of sensitive instructions that the guest executed itself: each is in
tests/vmi/monitor/allow.txt, and each line there is used.  Without one of its lines the judge
fails.
"""
import subprocess
import tempfile
from pathlib import Path

from vmtest import Tap, TOP, boot

AUDIT = TOP / "tests/vmi/monitor/audit.py"
ALLOW = TOP / "tests/vmi/monitor/allow.txt"


def judge(log, allow=ALLOW):
    done = subprocess.run([AUDIT, "--strict", "--image", TOP / "build/guest.elf", "--allow", allow, log],
                          capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


tap = Tap()
run = boot(tap, "vmimon-smp2", ["test=all"], "audit")
log = TOP / run["log_file"]
status, said = judge(log)
tap.ok(status == 0, "every row of the audit is allowed, every allowance is used", *said)
with tempfile.TemporaryDirectory() as folder:
    fewer = Path(folder) / "allow.txt"
    rows = ALLOW.read_text(encoding="utf-8").splitlines(keepends=True)
    fewer.write_text("".join(r for r in rows if not r.startswith("out:3f8")), encoding="utf-8")
    status, said = judge(log, fewer)
    tap.ok(status == 1 and any("3f8" in line for line in said), "a row that is not allowed fails", *said)
    fewer.write_text("".join(rows) + "wbinvd\tnobody\tnever happens\n", encoding="utf-8")
    tap.ok(judge(log, fewer)[0] == 1, "an allowance that nothing uses fails")
tap.done()
