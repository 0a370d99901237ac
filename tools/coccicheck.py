#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Run Coccinelle rules on our own code: coccicheck.py [RULE FILE...]

Without arguments every rule of tools/cocci runs on the folders that it names;
tools/cocci/allow.txt lists the allowed findings.  With arguments one rule runs on the
files, without the list.  Prints one line for each finding and for each unused line of the
list.  Exit status: 0 none; 1 some; 2 wrong arguments; 3 a rule or the list cannot be read.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
RULES = TOP / "tools/cocci"
FOUND = re.compile(r"(\S+?):(\d+): (\w+): (.*)")


def fail(text):
    print(f"coccicheck: {text}", file=sys.stderr)
    sys.exit(3)


def files_of(rule):
    m = re.search(r"^// Files: (.+)$", rule.read_text(), re.M)
    if not m:
        fail(f"{rule.name}: no line '// Files: FOLDER...'")
    found = []
    for folder in m[1].split():
        if not (TOP / folder).is_dir():
            fail(f"{rule.name}: {folder}: no such folder")
        found += sorted((TOP / folder).rglob("*.[ch]"))
    return [str(f.relative_to(TOP)) for f in found]


def findings(rule, files):
    """[(file, line, function, text)]"""
    run = subprocess.run(["spatch", "--very-quiet", "--no-includes", "--sp-file", rule, *files],
                         cwd=TOP, text=True, capture_output=True, check=False)
    if run.returncode:
        fail(f"{rule.name}: spatch: {(run.stderr.strip().splitlines() or ['?'])[-1]}")
    found = set()
    for line in run.stdout.splitlines():
        m = FOUND.fullmatch(line)
        if not m:
            fail(f"{rule.name}: unreadable: {line}")
        found.add((m[1], int(m[2]), m[3], m[4]))
    return sorted(found)


def read_list():
    out = {}
    for nr, line in enumerate((RULES / "allow.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 3)
        if len(words) < 4:
            fail(f"allow.txt:{nr}: expected RULE FILE FUNCTION REASON: {line}")
        out[tuple(words[:3])] = nr
    return out


def main(argv):
    if len(argv) == 1 or argv[:1] == ["--help"]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if argv:
        rule = RULES / f"{argv[0]}.cocci"
        if not rule.is_file():
            fail(f"{argv[0]}: no such rule")
        found = findings(rule, [os.path.abspath(f) for f in argv[1:]])
        for file, line, function, text in found:
            print(f"{argv[0]}: {file}:{line}: {function}: {text}")
        return 1 if found else 0
    allowed, used, bad, count = read_list(), set(), 0, 0
    for rule in sorted(RULES.glob("*.cocci")):
        files = files_of(rule)
        count += len(files)
        for file, line, function, text in findings(rule, files):
            key = (rule.stem, file, function)
            used.add(key)
            if key not in allowed:
                print(f"{rule.stem}: {file}:{line}: {function}: {text}")
                bad += 1
    for key in sorted(set(allowed) - used):
        print(f"allow.txt:{allowed[key]}: unused line: {' '.join(key)}")
        bad += 1
    if not bad:
        print(f"coccicheck: good, {len(list(RULES.glob('*.cocci')))} rules, {count} checks of files, {len(used)} allowed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
