#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-version: the header agrees with VERSION; a stale or bad one is refused."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check(version=None, *args):
    """version.sh in a copy, with another VERSION: (status, output)."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        for name in ("VERSION", "tools/version.sh", "include/pvops/version.h"):
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, where / name)
        if version is not None:
            (where / "VERSION").write_text(version + "\n", encoding="utf-8")
        for mode in args:
            run = subprocess.run([where / "tools/version.sh", *mode], text=True, capture_output=True, check=False)
        return run.returncode, run.stderr


STALE = "include/pvops/version.h: stale, VERSION says 99.0.0: make docs\n"
cases = [
    ("version.h is current", check(None, ["--check"]), (0, "")),
    ("another VERSION makes version.h stale", check("99.0.0", ["--check"]), (1, STALE)),
    ("version.sh makes version.h current", check("99.0.0", [], ["--check"]), (0, "")),
    ("VERSION has three numbers", check("1.2", []), (1, "VERSION: '1.2' is not MAJOR.MINOR.PATCH\n")),
]
for nr, (name, is_, want) in enumerate(cases, 1):
    print(f"{'ok' if is_ == want else 'not ok'} {nr} - {name}")
    if is_ != want:
        print(f"# is {is_}, not {want}")
print(f"1..{len(cases)}")
sys.exit(any(is_ != want for _, is_, want in cases))
