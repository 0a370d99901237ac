#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each rule of tools/cocci finds the marked lines of one file, and nothing in another; the list
of exceptions is applied."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "tests/vm"))
from vmtest import Tap  # noqa: E402

tap = Tap()


def check(*args, top=TOP):
    run = subprocess.run([sys.executable, top / "tools/coccicheck.py", *args], text=True, capture_output=True, check=False)
    return run.returncode, run.stdout.splitlines(), run.stderr.splitlines()


rules = sorted(f.stem for f in (TOP / "tools/cocci").glob("*.cocci"))
tap.ok(rules, "tools/cocci has rules")
for rule in rules:
    bad = HERE / f"{rule}.bad.c"
    marked = [nr for nr, line in enumerate(bad.read_text().splitlines(), 1) if "/* found */" in line]
    status, out, err = check(rule, str(bad))
    tap.ok(status == 1 and [int(re.search(r"\.bad\.c:(\d+):", line)[1]) for line in out] == marked,
           f"{rule}: finds the {len(marked)} marked lines", *out, *err)
    status, out, err = check(rule, str(HERE / f"{rule}.good.c"))
    tap.ok(status == 0 and not out, f"{rule}: correct code has no findings", *out, *err)

with tempfile.TemporaryDirectory() as folder:
    copy = Path(folder)
    for name in ("tools", "include", "pvops", "backends", "tests/guest", "patches/linux"):
        shutil.copytree(TOP / name, copy / name)
    status, out, err = check(top=copy)
    tap.ok(status == 0, "our own code: each finding is allowed", *out, *err)
    allow = copy / "tools/cocci/allow.txt"
    rows = allow.read_text()
    allow.write_text(rows.replace("native-use tests/guest/start.c bare_cpuid", "native-use tests/guest/start.c other"))
    status, out, _ = check(top=copy)
    tap.ok(status == 1 and len(out) == 2 and "bare_cpuid:" in out[0] and "unused line" in out[1],
           "a line of the list for another function: the finding and the line are told", *out)
    allow.write_text("native-use tests/guest/start.c\n")
    status, _, err = check(top=copy)
    tap.ok(status == 3 and len(err) == 1 and "expected RULE FILE FUNCTION REASON" in err[0], "a line without a reason: one line", *err)
for args, want in ((("nosuch", "x.c"), 3), (("--help",), 2), (("native-use",), 2)):
    status, _, err = check(*args)
    tap.equal(status, want, f"coccicheck {' '.join(args)}: status {want}")
tap.done()
