#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each analyser finds its marked line, and the list of false findings is applied."""
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


def analyze(*args, top=TOP):
    run = subprocess.run([sys.executable, top / "tools/analyze.py", *args], text=True, capture_output=True, check=False)
    return run.returncode, run.stdout.splitlines(), run.stderr.splitlines()


bad = HERE / "analyze.bad.c"
status, out, err = analyze(str(bad))
tap.equal(status, 1, "a file with findings: exit status 1")
for nr, line in enumerate(bad.read_text().splitlines(), 1):
    marked = re.search(r"/\* ([\w-]+) \*/", line)
    if marked:
        tap.ok(any(f"analyze.bad.c:{nr}: " in said and f" [{marked[1]}: " in said for said in out),
               f"{marked[1]} finds line {nr}", *out, *err)
status, out, err = analyze(str(HERE / "analyze.good.c"))
tap.ok(status == 0 and "good" in out[-1], "correct code has no findings", *out, *err)

with tempfile.TemporaryDirectory() as folder:
    copy = Path(folder)
    for name in ("pvops", "backends", "tests/guest"):
        (copy / name).mkdir(parents=True)
    (copy / "tools").mkdir()
    shutil.copy(TOP / "tools/analyze.py", copy / "tools")
    shutil.copy(bad, copy / "pvops/known.c")
    rows = copy / "tools/analyze.txt"
    rows.write_text("gcc analyzer-possible-null-dereference pvops/*.c /'p'/ there is memory\n"
                    "clang-tidy clang-analyzer-core.DivideZero pvops/known.c /zero/ never with 5\n"
                    "cppcheck arrayIndexOutOfBounds pvops/known.c /entry/ the frame is larger\n"
                    "cppcheck zerodiv pvops/*.c /zero/ the same\n"
                    "gcc aggressive-loop-optimizations pvops/known.c /iteration 4/ the same\n"
                    "gcc analyzer-malloc-leak pvops/known.c /'p'/ it is freed\n")
    status, out, err = analyze(top=copy)
    tap.ok(status == 1 and len(out) == 1 and "analyze.txt:6: unused line" in out[0],
           "what the list has is not told, what nothing needs is", *out, *err)
    rows.write_text("gcc analyzer-malloc-leak pvops/known.c\n")
    status, out, err = analyze(top=copy)
    tap.ok(status == 3 and len(err) == 1 and "analyze.txt:1: expected TOOL" in err[0], "a line without a reason is an error", *out, *err)
    (copy / "pvops/known.c").write_text("int broken(\n")
    rows.write_text("")
    status, out, err = analyze(top=copy)
    tap.ok(status == 3 and len(err) == 1 and "pvops/known.c" in err[0], "a file that does not compile is an error", *out, *err)
tap.equal(analyze("--help")[0], 0, "--help: exit status 0")
tap.done()
