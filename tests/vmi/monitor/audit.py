#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Judge the monitor's table of sensitive instructions against allow.txt.

usage: audit.py [--image ELF] [--allow FILE] [--strict] LOG

LOG is the serial output of a run under the monitor ("-": standard input).
Every row must be allowed: allow.txt names instruction and function, with a reason; an
instruction may be a pattern (cpuid:40*).  Exit status: 1 if rows are not allowed, which are
listed, or, with --strict, if allowances are unused; 2 if the log has no table.
"""
import argparse
import bisect
import fnmatch
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNEL_BASE = 0xffffffff80000000  # tests/guest/guest.lds
USER_TEXT = 0x400000              # tests/guest/guest.h

ROW = re.compile(r"@audit (\S+) ([0-9a-f]+) (\d+)\s*$")
BEGIN, END = "vmi-monitor: audit begin", "vmi-monitor: audit end"


class Symbols:
    """Functions of the image: address -> name."""

    def __init__(self, image):
        out = subprocess.run(["nm", "-n", image], capture_output=True, text=True, check=True)
        rows = [line.split() for line in out.stdout.splitlines()]
        rows = [(int(r[0], 16), r[1], r[2]) for r in rows if len(r) == 3]
        self.by_name = {name: addr for addr, _, name in rows}
        # The user image is in a data section: its functions are of any kind.
        user = (self.by_name["user_image_start"], self.by_name["user_image_end"])
        code = [(addr, name) for addr, kind, name in rows
                if kind in "tTwW" or (user[0] <= addr < user[1] and name != "user_image_start")]
        self.start = [addr for addr, _ in code]
        self.name = [name for _, name in code]

    def function(self, rip, user):
        """Name of the function at an address as the guest uses it."""
        if user:
            rip += self.by_name["user_image_start"] - USER_TEXT
        elif rip < KERNEL_BASE:
            rip += KERNEL_BASE  # before paging: physical
        at = bisect.bisect_right(self.start, rip) - 1
        # Copies and cold parts that the compiler makes count as the function.
        return re.sub(r"\.(cold|part|isra|constprop).*", "", self.name[at]) if at >= 0 else "?"


def read_allow(path):
    """{(instruction, function): reason}; every line must have all three."""
    allowed = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3:
            sys.exit(f"{path}:{number}: an allowance needs instruction, function and reason")
        if tuple(parts[:2]) in allowed:
            sys.exit(f"{path}:{number}: listed twice")
        allowed[tuple(parts[:2])] = parts[2]
    return allowed


def read_table(text):
    """[(instruction, rip, count)], or None if the log has no whole table."""
    lines = [line.strip() for line in text.splitlines()]
    if BEGIN not in lines or END not in lines:
        return None
    body = lines[lines.index(BEGIN) + 1:lines.index(END)]
    rows = [ROW.match(line) for line in body]
    if None in rows:
        return None
    return [(m[1], int(m[2], 16), int(m[3])) for m in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="build/guest.elf")
    parser.add_argument("--allow", default=str(HERE / "allow.txt"))
    parser.add_argument("--strict", action="store_true", help="unused allowances fail too")
    parser.add_argument("log")
    args = parser.parse_args()

    data = sys.stdin.buffer.read() if args.log == "-" else Path(args.log).read_bytes()
    rows = read_table(data.decode("latin-1"))
    if rows is None:
        print("audit: the log has no whole table")
        return 2
    symbols = Symbols(args.image)
    allowed = read_allow(args.allow)
    used, bad = {}, 0
    for insn, rip, count in sorted(rows, key=lambda r: r[1]):
        function = symbols.function(rip, insn.startswith("user."))
        keys = [k for k in allowed if k[1] == function and fnmatch.fnmatchcase(insn, k[0])]
        for key in keys:
            used[key] = used.get(key, 0) + count
        if not keys:
            bad += 1
            print(f"audit: not allowed: {insn} in {function} at {rip:#x}, {count} times")
    for key, reason in allowed.items():
        if key in used:
            print(f"audit: allowed: {key[0]} in {key[1]}, {used[key]} times: {reason}")
        else:
            print(f"audit: unused: {key[0]} in {key[1]}")
    print(f"audit: {len(rows)} rows, {bad} not allowed, {len(allowed) - len(used)} unused")
    return 1 if bad or (args.strict and len(used) < len(allowed)) else 0


if __name__ == "__main__":
    sys.exit(main())
