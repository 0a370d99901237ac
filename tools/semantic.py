#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find rules of a semantic patch that change nothing.

  semantic.py [--release RELEASE] RULES.cocci FILE...

spatch is silent about a rule that matches nowhere, so an edit could get lost when Linux
changes.  This runs each rule alone on the files, and prints a line for each that changes none
of them.  A line '// Releases: 6.1 6.12' in front of a rule says that it is for these only;
with another RELEASE the rule is not run.

Exit status: 0 each rule changes something; 1 some do not; 2 wrong arguments; 3 a file or
program is missing, or spatch fails.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cli

RELEASES = re.compile(r"// Releases: (.+)")


def rules(path):
    """[(number of the first line, text, releases or None)]"""
    found, releases, declarations = [], None, False
    for nr, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if m := RELEASES.fullmatch(line):
            releases = m[1].split()
        elif line.startswith("@") and not declarations:
            if not line.startswith("@@"):
                raise cli.MissingError(f"{path}:{nr}: a rule with a name cannot be run alone")
            found.append((nr, [line], releases))
            releases, declarations = None, line == "@@"
        elif found:
            found[-1][1].append(line)
            declarations = declarations and not line.startswith("@@")
    if not found:
        raise cli.MissingError(f"{path}: no rule")
    return [(nr, "\n".join(lines) + "\n", only) for nr, lines, only in found]


def changes(text, files):
    with tempfile.NamedTemporaryFile("w", suffix=".cocci", encoding="utf-8") as rule:
        rule.write(text)
        rule.flush()
        run = subprocess.run(["spatch", "--very-quiet", "--sp-file", rule.name, *files],
                             text=True, capture_output=True, check=False)
    if run.returncode:
        raise cli.MissingError(f"spatch: {(run.stderr.strip().splitlines() or ['?'])[-1]}")
    return bool(run.stdout.strip())


def main(argv):
    parser = cli.Parser(prog="semantic.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", metavar="RELEASE")
    parser.add_argument("rules", metavar="RULES.cocci", type=Path)
    parser.add_argument("files", metavar="FILE", nargs="+")
    args = parser.parse_args(argv)
    if not args.rules.is_file():
        raise cli.MissingError(f"{args.rules}: not there")
    lost = 0
    for nr, text, only in rules(args.rules):
        if only and args.release and args.release not in only:
            continue
        if not changes(text, args.files):
            print(f"{args.rules}:{nr}: this rule changes nothing", file=sys.stderr)
            lost += 1
    return cli.EXIT_FAILED if lost else 0


if __name__ == "__main__":
    cli.guard(main, "semantic.py")
