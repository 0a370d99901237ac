#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Complete the cover letter of a series: cover.py LETTER

LETTER is what `git format-patch --cover-letter` has written, with the list of patches and the
statistics.  cover-letter.txt, in the same folder and in its place, has the subject and the text
of patches/cover.txt, and tables of the reports:

  build/report/linux-RELEASE/*.json   the rows, by make check GUEST=linux
  build/report/linux-RELEASE.json     executed instructions, by make bench GUEST=linux

A report that is not there is named in one line, and its table is left out.  So is a row that
has booted another kernel than the one that is built, and a measurement that is older than it.
KERNEL and TREE in the environment say which Linux (tools/release.sh).  Exit status: 0 done; 2
wrong arguments; 3 a file is missing, or cannot be read.
"""
import json
import os
import re
import sys
from pathlib import Path

import cli
import linux_bench
import qemu
import report

TEXT = Path("patches/cover.txt")
SUBJECT, BLURB = "*** SUBJECT HERE ***", "*** BLURB HERE ***"
FILES = re.compile(r"^ (create|delete) mode .*\n", re.M)
MEANS = (("native", "stock", "unhooked", "Linux's own pv_ops", "no paravirtualization"),
         ("native", "ours", "unhooked", "this series", "no paravirtualization"),
         ("xenpv", "ours", "stock", "this series", "Linux's own pv_ops"))


def read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as err:
        raise cli.MissingError(f"{path}: no report: {err}") from err


def columns(rows):
    """Lines of a table; texts stand left, numbers right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) if i > 1 else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


# Rows

def image(variant):
    """A kernel that is built, or None."""
    path = Path(cli.linux()) / variant / "arch/x86/boot/bzImage"
    return path if path.is_file() else None


def rows(folder):
    """(lines, [what is left out])"""
    kept, out = [], []
    for path in sorted(folder.glob("*.json")):
        row = read(path)
        built = image(row["variant"])
        if not built or qemu.sha256(built) == row["image_sha256"]:
            kept.append(row)
        else:
            out.append(f"{path}: has booted another kernel than the one that is built; left out")
    if not kept:
        return [], [*out, f"no report of rows: run {make('check')}"]
    kept.sort(key=lambda row: (row["variant"] != "ours", row["variant"], row["row"]))
    names = [row["row"] + ("" if row["variant"] == "ours" else f", {row['variant']}") for row in kept]
    table = [("row", "backend", "CPUs", "assertions", "tests", "sites")]
    table += [(name, str(row["backend"]), str(row["cpus"]), f"{row['holds']} of {row['holds'] + row['failed']}",
               str(row["tests"]["PASS"]), report.figure(sum(row["sites"].get(form, 0) for form in report.SITE_FORMS[:4])))
              for name, row in zip(names, kept)]
    kernels = sorted({str(row["kernel"]) for row in kept})
    lines = [f"Rows, of Linux {', '.join(kernels)}: assertions that hold, tests in the guest that", "pass, and patched sites. "
             "A name behind the row is that of a", "configuration.", "", *columns(table)]
    bad = [f"{name}: NOT: {line}" for name, row in zip(names, kept) for line in row["not"]]
    return [*lines, *(["", *bad] if bad else [])], out


# Measurement

def means(path):
    """(lines, [what is missing])"""
    if not path.is_file():
        return [], [f"no report of the measurement: run {make('bench')}"]
    built = image("ours")
    if built and path.stat().st_mtime < built.stat().st_mtime:
        return [], [f"{path}: is older than the kernel that is built; left out: run {make('bench')}"]
    envs = read(path)["envs"]
    lists = {which: names for which in linux_bench.LISTS if (names := linux_bench.workloads(envs, which))}
    table = [("", "", *lists)]
    for where, of, to, one, other in MEANS:
        if {f"{where}-{of}", f"{where}-{to}"} <= envs.keys():
            table.append((where, f"{one} / {other}",
                          *(f"{linux_bench.mean(linux_bench.ratio(envs, where, name, of, to) for name in names):.4f}"
                            for names in lists.values())))
    return ["Executed instructions, the hypervisor's included: geometric means.",
            *(f"list {which}, {len(names)}: {linux_bench.LISTS[which]}" for which, names in lists.items()), "", *columns(table)], []


def make(target):
    tree = f" TREE={os.environ['TREE']}" if os.environ.get("TREE") else ""
    return f"make {target} GUEST=linux KERNEL={cli.linux('')}{tree}"


def letter(text, said, tables):
    """The letter with its subject, text and tables."""
    lines = [line for line in said.split("\n") if not line.startswith("#")]
    subject, blurb = lines[0], "\n".join(lines[1:]).strip()
    for mark in (SUBJECT, BLURB):
        if mark not in text:
            raise cli.MissingError(f"the letter has no '{mark}': git format-patch --cover-letter did not write it")
    blurb = "\n\n".join([blurb, *("\n".join(lines) for lines in tables if lines)])
    return FILES.sub("", text.replace(SUBJECT, subject).replace(BLURB, blurb))


def main(argv):
    if argv[:1] == ["--help"]:
        print(__doc__.strip())
        return 0
    if len(argv) != 1:
        raise cli.UsageError("expected one file, the letter (--help tells more)")
    path = Path(argv[0]).resolve()
    os.chdir(cli.TOP)
    if not path.is_file():
        raise cli.MissingError(f"{path}: not there")
    name = Path(cli.linux()).name
    row_lines, missing = rows(report.OUT / name)
    mean_lines, more = means(report.OUT / f"{name}.json")
    said = TEXT.read_text(encoding="utf-8").replace("{release}", cli.linux(""))
    text = letter(path.read_text(encoding="utf-8"), said, [row_lines, mean_lines])
    (path.parent / "cover-letter.txt").write_text(text, encoding="utf-8")
    path.unlink()
    for line in missing + more:
        print(f"series: {line}")
    return 0


if __name__ == "__main__":
    cli.guard(main, "cover.py")
