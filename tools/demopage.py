#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write or check the page with the output of `make demo`.

  demopage.py FILE           run the demo, write the page
  demopage.py --check FILE   run the demo, compare it with the page

The page has no seconds.  Texts and counts must be equal.  Measured figures may differ by 2 %:
another version of QEMU or of a host may add some instructions.
Exit status: 0 good; 1 the demo failed, or the page differs; 2 wrong arguments; 3 something is
missing here.
"""
import argparse
import contextlib
import difflib
import io
import os
import re
import sys
from pathlib import Path

import cli
import report

HEAD = """<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->
# What make demo prints

`make demo` boots one ELF natively (QEMU), on Debian 12's Xen as a PV guest, on a VMI option ROM, on
a small VMI hypervisor of ours (AMD SVM), on Xen as a PVH guest, on KVM and on KVM's Hyper-V
interface (the last three inside Debian's kernel as host). It runs the contract suite in each and
shows what each operation costs.

Figures are executed instructions under `-icount shift=0`, guest and hypervisor together; they are
not time ([measuring.md](measuring.md)). The image is the same bytes from any folder; the hash is
that of Debian 12's gcc (`make guest && sha256sum build/guest.elf`). The seconds of each boot are
left out here. `make demo-page` writes this page, and `tests/vm/demo.t` compares it with a new run.

"""
SECONDS = re.compile(r"(booting \.\.\. )\d+\.\d s, ")


NUMBER = re.compile(r"-?[\d,]+(\.\d+)?$")
# Numbers behind the first line, and in lines like the second, are measured.
FIGURES, FIGURE_LINE = "Executed instructions", "instructions per site"
TOLERANCE, LEAST = 0.02, 0.5


def close(old, new):
    """Are two words equal, or two numbers close?"""
    if old == new:
        return True
    if not (NUMBER.match(old) and NUMBER.match(new)):
        return False
    a, b = (float(word.replace(",", "")) for word in (old, new))
    return abs(a - b) <= max(TOLERANCE * abs(a), LEAST)


def differences(old, new):
    """The lines that differ, in the form of diff."""
    measured, lines = False, []
    for line in new:
        measured |= FIGURES in line
        lines.append((line, measured or FIGURE_LINE in line))
    if len(old) == len(lines):
        # A line that is close enough counts as the old one.
        new = [was if figure and len(was.split()) == len(line.split()) and all(map(close, was.split(), line.split()))
               else line for was, (line, figure) in zip(old, lines)]
    return list(difflib.unified_diff(old, new, "the page", "this run", n=0, lineterm=""))


def page(said):
    return HEAD + "".join(f"    {line}".rstrip() + "\n" for line in SECONDS.sub(r"\1", said).splitlines())


def main(argv):
    parser = cli.Parser(prog="demopage.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    path = args.file.resolve()
    os.chdir(cli.TOP)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = report.demo(report.ENVS)
    if status:
        sys.stderr.write(said.getvalue())
        return status
    new = page(said.getvalue())
    if not args.check:
        path.write_text(new, encoding="utf-8")
        return 0
    try:
        old = path.read_text(encoding="utf-8")
    except OSError as err:
        raise cli.UsageError(f"{args.file}: {err.strerror}") from err
    differ = differences(old.splitlines(), new.splitlines())
    for line in differ:
        print(line, file=sys.stderr)
    if differ:
        print(f"{args.file}: is not what make demo prints: make demo-page", file=sys.stderr)
    return cli.EXIT_FAILED if differ else 0


if __name__ == "__main__":
    cli.guard(main, "demopage.py")
