#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-catalogue, built with another catalogue: an op added at the start, and one
at the end, of each table, and a table of the kernel's.  Only the header of the table is
edited."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = ("irq", "cpu", "mmu", "time", "smp", "lock")
PROGRAM = "unit/test-host-catalogue"

results = []


def op(table, name):
    return f"PV_OP({table}, {name}, CALL6, C, void, 1, (u32, nr), {name})\n"


def edit(path, table, where):
    text = path.read_text(encoding="utf-8")
    if where == "start":
        text, edits = re.subn(r"(/\* Catalogue, table .*?\*/\n)", rf"\1{op(table, 'first_' + table)}", text)
        assert edits == 1, path
    else:
        text += op(table, f"last_{table}")
    path.write_text(text, encoding="utf-8")


def build_and_run(tmp, name, tables, kernel):
    include = tmp / "include"
    shutil.copytree(ROOT / "include", include)
    for table, where in tables:
        edit(include / f"pvops/ops/{table}.h", table, where)
    more = ""
    if kernel:
        (include / "extension.h").write_text(op("kernel", "one") + op("kernel", "two") +
                                             "PV_TOGETHER(one, two)\n", encoding="utf-8")
        more = "-DPV_CATALOGUE_EXTENSION='<extension.h>'"
    program = tmp / PROGRAM
    run = subprocess.run(["make", "-s", "-C", ROOT, f"B={tmp}", f"unit_include={include}",
                          f"unit_more={more}", program],
                         capture_output=True, text=True, check=False)
    if not run.returncode:
        run = subprocess.run([program], capture_output=True, text=True, check=False)
    results.append(not run.returncode)
    print(f"{'ok' if results[-1] else 'not ok'} {len(results)} - {name}")
    if not results[-1]:
        print("# " + (run.stdout + run.stderr)[-3000:].strip().replace("\n", "\n# "))


for title, added, extension in (
        ("one more op at the start of each table", [(t, "start") for t in TABLES], False),
        ("one more op at the end of each table, and a kernel's table", [(t, "end") for t in TABLES], True)):
    with tempfile.TemporaryDirectory() as folder:
        build_and_run(pathlib.Path(folder), title, added, extension)
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
