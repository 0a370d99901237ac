#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Find uses of pv_ops and pv_ops_lock that the conversion has left: pv_ops_left.py TREE

They are Linux's own tables, which do not exist with CONFIG_PVOPS.  So no code that is
compiled with CONFIG_PVOPS may name them; arch/x86 and drivers are searched.  Prints one
line for each use.  pv_ops_left.py FILE... searches these files instead.
"""
import os
import re
import subprocess
import sys
import tempfile

import cli

# Compiled only without CONFIG_PVOPS (arch/x86/kernel/Makefile).
STOCK = {"arch/x86/kernel/paravirt.c"}
PARTS = ("arch/x86", "drivers")
KNOWN = ("-DCONFIG_PVOPS=1", "-DCONFIG_PARAVIRT_XXL=1", "-DCONFIG_X86_64=1", "-UCONFIG_X86_32")
TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def unifdef(tree, where):
    """Build Linux's own tool from the tree; return its path."""
    tool = os.path.join(where, "unifdef")
    subprocess.run(["gcc", "-O1", "-w", "-o", tool, os.path.join(tree, "scripts/unifdef.c")], check=True)
    return tool


def left(tool, path):
    """Number and text of each line that names pv_ops outside of comments and strings."""
    # -b leaves empty lines in the place of removed ones, which keeps the numbers.  Status 1:
    # unifdef has removed something.
    run = subprocess.run([tool, "-b", *KNOWN, path], capture_output=True, text=True)
    if run.returncode > 1:
        sys.exit(f"pv_ops_left: {path}: {run.stderr.strip()}")
    code = TEXT.sub(lambda m: "\n" * m.group().count("\n"), run.stdout)
    return [(nr, line.strip()) for nr, line in enumerate(code.split("\n"), 1)
            if re.search(r"\bpv_ops(_lock)?\b", line)]


def sources(tree):
    found = subprocess.run(["grep", "-rlwE", "--include=*.[chS]", "pv_ops(_lock)?", *PARTS],
                           cwd=tree, capture_output=True, text=True)
    if found.returncode > 1:
        sys.exit(f"pv_ops_left: {tree}: {found.stderr.strip()}")
    return sorted(set(found.stdout.split()) - STOCK)


def main(args):
    if not args:
        sys.exit(__doc__.strip())
    tree = args[0] if os.path.isdir(args[0]) else os.environ.get("LINUX") or f"{cli.linux()}/ours"
    if not os.path.exists(os.path.join(tree, "scripts/unifdef.c")):
        sys.exit(f"pv_ops_left: {tree}: no Linux tree (scripts/unifdef.c is missing)")
    if tree == args[0]:
        paths = [os.path.join(tree, name) for name in sources(tree)]
    else:
        paths = args
    bad = 0
    with tempfile.TemporaryDirectory() as where:
        tool = unifdef(tree, where)
        for path in paths:
            for nr, line in left(tool, path):
                print(f"{path}:{nr}: pv_ops is left: {line}")
                bad += 1
    if bad:
        sys.exit(f"pv_ops_left: {bad} uses of pv_ops are left")
    print(f"pv_ops_left: good, {len(paths)} files name pv_ops and none uses it")


main(sys.argv[1:])
