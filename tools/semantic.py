#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The semantic patches for Linux (patches/cocci), on a source tree.

  semantic.py diff [--release RELEASE] PATCH TREE     print what PATCH does to TREE, as a patch
  semantic.py check [--release RELEASE] PATCH FILE... find rules of PATCH that change no FILE

A semantic patch runs on the files that its lines "// Files:" name; if it has none, on those
that use Linux's tables.

spatch is silent about a rule that matches nowhere, so an edit could get lost when Linux
changes.  Each rule must change something, else the patch is refused.  A line "// Releases:
6.1 6.12" in front of a rule says that only these need it.

Exit status: 0 done; 1 a rule changes nothing, or spatch failed; 2 wrong arguments; 3 a file or
program is missing.
"""
import argparse
import difflib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cli

FILES = re.compile(r"^// Files: (.*)$", re.M)
# In front of a rule.
RELEASES = re.compile(r"^// Releases: (.*)\n\Z", re.M)
# Linux's tables, and where they are looked for.
USE = r"pv_ops(_lock)?"
PARTS = ("arch/x86", "drivers")
# Not those that define the tables, and not those whose uses the series leaves out (Xen PV's own).
LEFT_OUT = re.compile(r"arch/x86/(pvops/|include/|kernel/paravirt\.c$|xen/(enlighten_pv|mmu_pv|irq)\.c$)")
# The head of a rule: "@@", declarations, "@@".  Of a rule with a name, the name is the group.
HEAD = re.compile(r"^@([^@\n]*)@(.*?)@@[ \t]*$", re.M | re.S)
PATTERN = re.compile(r'identifier (\w+) =~ "\^?(.*?)\$?"')


class Failed(Exception):
    """spatch did not do it."""


def named(patch):
    """The files that a semantic patch names, or None: it names none."""
    lines = FILES.findall(patch.read_text(encoding="utf-8"))
    return " ".join(lines).split() if lines else None


def files_of(patch, tree, texts=None):
    """The files of a tree that a semantic patch runs on.  texts: {name: text} that differ from the tree's."""
    texts = texts or {}
    names = named(patch)
    if names is not None:
        return [name for name in names if texts.get(name) is not None or (tree / name).is_file()]
    parts = [part for part in PARTS if (tree / part).is_dir()]
    run = subprocess.run(["grep", "-rlwE", "--include=*.[ch]", USE, *parts], cwd=tree, capture_output=True, text=True) if parts else None
    if run and run.returncode > 1:
        raise cli.MissingError(f"{tree}: {run.stderr.strip()}")
    found = set(run.stdout.split() if run else ()) - set(texts)
    found |= {name for name, text in texts.items() if text and name.startswith(PARTS) and name[-2:] in (".c", ".h") and
              re.search(rf"\b{USE}\b", text)}
    return sorted(name for name in found if not LEFT_OUT.match(name))


def spatch(patch, tree, files, *options):
    """Run spatch in a tree; its output."""
    if not files:
        return ""
    try:
        run = subprocess.run(["spatch", "--very-quiet", *options, "--sp-file", str(Path(patch).resolve()), *files], cwd=tree,
                             capture_output=True, text=True, encoding="utf-8")
    except FileNotFoundError as err:
        raise cli.MissingError("spatch is not here: apt-get install coccinelle") from err
    if run.returncode:
        raise Failed(f"{patch}: spatch failed on {tree}: {run.stderr.strip()[-500:]}")
    return run.stdout


# Which rule changes what

class Rule:
    """One rule of a semantic patch: its line, what it looks for, its text, and the releases that need
    it (None: all)."""

    def __init__(self, text, head, end):
        self.line = text.count("\n", 0, head.start()) + 1
        self.title = _title(head[2], text[head.end():end])
        self.text = text[head.start():end]
        only = RELEASES.search(text[:head.start()])
        self.releases = only[1].split() if only else None


def rules(patch):
    """The rules of a semantic patch.  If one has a name, others may depend on it, and all of them
    are one."""
    text = patch.read_text(encoding="utf-8")
    heads = list(HEAD.finditer(text))
    if any(head[1].strip() for head in heads):
        heads = heads[:1]
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [Rule(text, head, end) for head, end in zip(heads, ends)]


def lost(patch, where, files, release):
    """Lines for the rules that change none of the files."""
    out = []
    with tempfile.NamedTemporaryFile("w", suffix=".cocci", encoding="utf-8") as single:
        for rule in rules(patch):
            if rule.releases and release and release not in rule.releases:
                continue
            single.seek(0)
            single.truncate()
            single.write(rule.text)
            single.flush()
            if not spatch(single.name, where, files).strip():
                out.append(f"{patch}:{rule.line}: this rule changes nothing: {rule.title}")
    return out


def _title(declared, body):
    """What a rule looks for: the function, or the first line that it takes out."""
    lines = [line for line in body.split("\n") if line.strip() and not line.startswith(("//", "(", "|", ")"))]
    first = next((line for line in lines if line.startswith((" ", "-"))), "")[1:].strip()
    for name, pattern in PATTERN.findall(declared):
        first = re.sub(rf"\b{name}\b", lambda _, new=pattern: new, first)
    return first.rstrip(";")


def places(before, after):
    """How many places of a text differ."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return sum(line.startswith("@@") for line in lines)


def effects(patches, tree, texts):
    """What each rule changes: {patch's name: [{file: places} for each rule]}.

    The rules run one by one, each on what those before it have left, in a copy of the files.
    texts: {name: text} of files that differ from the tree's; None: is not there.
    """
    out, tree = {}, Path(tree)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        single = where / "rule.cocci"
        for patch in patches:
            files = files_of(patch, tree, texts)
            for name in files:
                copy = where / name
                if copy.is_file():
                    continue
                copy.parent.mkdir(parents=True, exist_ok=True)
                text = texts.get(name)
                copy.write_text((tree / name).read_text(encoding="utf-8") if text is None else text, encoding="utf-8")
            out[patch.name] = [_effect(single, rule.text, where, files) for rule in rules(patch)]
    return out


def _effect(single, rule, where, files):
    single.write_text(rule, encoding="utf-8")
    before = {name: (where / name).read_text(encoding="utf-8") for name in files}
    spatch(single, where, files, "--in-place")
    after = {name: (where / name).read_text(encoding="utf-8") for name in files}
    return {name: places(before[name], after[name]) for name in files if before[name] != after[name]}


def main(argv):
    parser = cli.Parser(prog="semantic.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=("diff", "check"))
    parser.add_argument("--release", metavar="RELEASE")
    parser.add_argument("patch", metavar="PATCH", type=Path)
    parser.add_argument("where", metavar="TREE or FILE", nargs="+")
    args = parser.parse_args(argv)
    if args.do == "diff" and len(args.where) > 1:
        raise cli.UsageError("diff: expected one TREE")
    if not args.patch.is_file():
        raise cli.MissingError(f"{args.patch}: not there")
    tree = Path(args.where[0]) if args.do == "diff" else Path()
    try:
        files = files_of(args.patch, tree) if args.do == "diff" else args.where
        found = lost(args.patch, tree, files, args.release)
        if args.do == "diff" and not found:
            sys.stdout.write(spatch(args.patch, tree, files, "--patch", "."))
    except Failed as err:
        found = [f"semantic.py: {err}"]
    for line in found:
        print(line, file=sys.stderr)
    return cli.EXIT_FAILED if found else 0


if __name__ == "__main__":
    cli.guard(main, "semantic.py")
