#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Carry the edits of one Linux release to another source tree.

  carry.py --from RELEASE --source DIR [--no-build] TREE   merge, build, boot, report
  carry.py --save WORK                                     write patches/linux-RELEASE from WORK

TREE is an unpacked source or a git checkout; it is never changed.  DIR is the unmodified
source of RELEASE, for which patches/linux-RELEASE was made.  Each hunk of each patch is
merged three ways: the source of RELEASE, the same with the hunk, and TREE.  The report says
for each hunk what became of it:

  clean           its lines and the three around them are in TREE
  moved           lines around it differ; the merge has put it there
  conflict        a person must put it there
  without effect  TREE has the lines already

It also says what each rule of the semantic patches changes in either source, which members of
Linux's own tables and which instructions in Linux's table of opcodes are new or gone, and ends
with what a person must decide.  The report is build/report/carry-RELEASE.{md,json} with the
release of TREE.

If all hunks are in, they are written as a series, build/carry/RELEASE/patches, a kernel is
built of TREE with it, audited, and booted in the rows native and dom0.  --no-build leaves
this out.

If a hunk is in conflict, the edits are put into a copy of TREE, build/carry/RELEASE/tree, a git
repository with one commit for each patch.  It stops before the first patch with a conflict:
the files have marks, and nothing of that patch is committed.  Edit them there, and run the
same command again: it commits, and goes on.  For a file that TREE does not have, there is a
file NAME.rejected with the lines; delete it when they are in their new place.  --save writes
what is committed as a series; it refuses while a patch is open.

Exit status: 0 all patches are in, and the kernel was built and has passed; 1 a conflict waits
for a person, or the kernel does not build or pass; 2 wrong arguments; 3 a file or program is
missing.
"""
import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import carry_build
import carry_look
import carry_report
import cli

WORK = cli.TOP / "build/carry"
PATCHES = cli.TOP / "patches"
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
MARKS = ("<<<<<<< ", "||||||| ", "=======", ">>>>>>> ")


def release_of(tree):
    """The release that a tree's Makefile names, such as 6.12.117."""
    makefile = Path(tree) / "Makefile"
    if not makefile.is_file():
        raise cli.MissingError(f"{tree}: no Linux source: it has no Makefile")
    said = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)$", makefile.read_text(), re.M))
    if len(said) != 3:
        raise cli.MissingError(f"{makefile}: no Linux source: VERSION, PATCHLEVEL and SUBLEVEL are not all there")
    return "{VERSION}.{PATCHLEVEL}.{SUBLEVEL}".format(**said)


# Patches

class Hunk:
    def __init__(self, start, old, new):
        self.start, self.old, self.new = start, old, new

    def title(self):
        """The first line that is added, or taken out."""
        added = [line for line in self.new if line not in self.old] or self.old
        return next((line.strip() for line in added if line.strip()), "")


def head(path):
    """The message of a patch file."""
    return path.read_text(encoding="utf-8").partition("\n---\n")[0]


def parse(path):
    """A patch file: {file: [Hunk]}."""
    rest = path.read_text(encoding="utf-8").partition("\n---\n")[2]
    files, hunks, left = {}, None, [0, 0]
    for line in rest.split("\n"):
        if not any(left):
            if line.startswith("--- a/"):
                hunks = files.setdefault(line[6:], [])
            elif line.startswith("--- /dev/null"):
                raise cli.MissingError(f"{path}: adds a file; new files belong to patches/linux")
            elif m := HUNK.match(line):
                left = [int(m[2] or 1), int(m[4] or 1)]
                hunks.append(Hunk(int(m[3]), [], []))
            continue
        text = line[1:]
        if line[:1] in ("-", " ", ""):
            hunks[-1].old.append(text)
            left[0] -= 1
        if line[:1] in ("+", " ", ""):
            hunks[-1].new.append(text)
            left[1] -= 1
    if not files:
        raise cli.MissingError(f"{path}: no patch")
    return files


def series(release):
    folder = PATCHES / f"linux-{release}"
    if not (folder / "series").is_file():
        there = sorted(p.name.removeprefix("linux-") for p in PATCHES.glob("linux-*"))
        raise cli.UsageError(f"--from {release}: no series for it; there are: {' '.join(there)}")
    return [(folder / name).resolve() for name in (folder / "series").read_text().split()]


# Merging

def merge(current, base, edited, labels):
    """git merge-file: text, and how many conflicts."""
    with tempfile.TemporaryDirectory() as where:
        names = []
        for name, lines in zip(("current", "base", "edited"), (current, base, edited)):
            names.append(Path(where) / name)
            names[-1].write_text("\n".join(lines), encoding="utf-8")
        run = subprocess.run(["git", "merge-file", "-p", "-q", "--diff3", *(x for label in labels for x in ("-L", label)),
                              *map(str, names)], capture_output=True, text=True, encoding="utf-8")
    if run.returncode > 127:
        raise cli.MissingError(f"git merge-file: {run.stderr.strip()}")
    return run.stdout.split("\n"), run.returncode


def contains(lines, part):
    return any(lines[i:i + len(part)] == part for i in range(len(lines) - len(part) + 1))


class Carrier:
    """What the files of both sides contain, as far as the patches are in."""

    def __init__(self, source, tree):
        self.source, self.tree = Path(source), Path(tree)
        self.base, self.current = {}, {}

    @staticmethod
    def read(side, root, name):
        if name not in side:
            path = root / name
            side[name] = path.read_text(encoding="utf-8").split("\n") if path.is_file() else None
        return side[name]

    def patch(self, path):
        """Put one patch in.  Returns a list of dicts, one for each hunk, and {file: text with marks}."""
        said, marked = [], {}
        for name, hunks in parse(path).items():
            base = self.read(self.base, self.source, name)
            if base is None:
                raise cli.MissingError(f"{path.name}: {self.source}/{name}: not there, so this is not the source of the series")
            current = shown = self.read(self.current, self.tree, name)
            for nr, hunk in enumerate(hunks, 1):
                at = hunk.start - 1
                if base[at:at + len(hunk.old)] != hunk.old:
                    raise cli.MissingError(f"{path.name}: hunk {nr} of {name} does not apply to {self.source}: "
                                           "this is not the source of the series")
                edited = base[:at] + hunk.new + base[at + len(hunk.old):]
                if current is None:
                    word = "conflict"
                else:
                    labels = ("here", "before the edit", path.name)
                    merged, conflicts = merge(current, base, edited, labels)
                    if conflicts:
                        word = "conflict"
                        shown = merge(shown, base, edited, labels)[0]
                    else:
                        word = "without effect" if merged == current else \
                            "clean" if contains(current, hunk.old) else "moved"
                        current = merged
                        shown = merge(shown, base, edited, labels)[0] if shown is not merged else merged
                said.append({"file": name, "hunk": nr, "status": word, "edit": hunk.title()})
                base = edited
            self.base[name] = base
            self.current[name] = current
            if current is None:
                marked[f"{name}.rejected"] = [MARKS[0] + "not in this tree; delete this file when the edit is done elsewhere",
                                              *(line for h in hunks for line in (*h.new, MARKS[2])), MARKS[3] + path.name, ""]
            elif any(s["status"] == "conflict" for s in said if s["file"] == name):
                marked[name] = shown
        return said, marked


# The work tree

class Work:
    def __init__(self, folder):
        self.folder = folder
        self.tree = folder / "tree"
        self.file = folder / "state.json"

    def git(self, *args, **more):
        run = subprocess.run(["git", "-C", str(self.tree), "-c", "user.name=carry", "-c", "user.email=carry@localhost",
                              "-c", "commit.gpgsign=false", *args], capture_output=True, text=True, encoding="utf-8", **more)
        if run.returncode:
            raise cli.MissingError(f"git {args[0]} in {self.tree}: {run.stderr.strip()}")
        return run.stdout

    def begin(self, tree, release, key, names=None):
        """Copy the tree, or only these files of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.tree.mkdir(parents=True)
        if names is None:
            print(f"  COPY    {self.tree} (takes a minute)", flush=True)
        if (Path(tree) / ".git").exists():
            self.unpack(tree, names)
        elif names is None:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{tree}/.", str(self.tree)], check=True)
        else:
            for name in names:
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(tree) / name, self.tree / name)
        self.git("init", "-q")
        self.git("config", "gc.auto", "0")
        self.git("config", "core.compression", "0")
        self.git("add", "-A", "-f", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "base")
        self.git("tag", "base")
        self.state = {"tree": str(tree), "from": release, "release": self.folder.name, "series": key, "whole": names is None,
                      "done": [], "open": None}
        self.save()

    def unpack(self, tree, names):
        """The last commit of a checkout."""
        archive = subprocess.Popen(["git", "-C", str(tree), "archive", "HEAD", *(names or [])], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", str(self.tree)], stdin=archive.stdout, check=True)
        if archive.wait():
            raise cli.MissingError(f"{tree}: git archive fails")

    def short(self):
        """The release without the number of the point release."""
        return ".".join(self.state["release"].split(".")[:2])

    def load(self):
        """Read what is there; is anything?"""
        if self.file.is_file():
            self.state = json.loads(self.file.read_text())
        return self.file.is_file()

    def save(self):
        self.file.write_text(json.dumps(self.state, indent=1) + "\n")

    def write(self, name, lines):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")

    def commit(self, path, how):
        self.git("add", "-A", ".")
        self.git("commit", "-q", "--allow-empty", "-m", path.name)
        self.state["done"].append({"patch": path.name, "how": how})
        self.state["open"] = None
        self.save()

    def marks(self):
        """Files that still have marks of a conflict."""
        names = self.git("diff", "--name-only", "HEAD").split() + self.git("ls-files", "-o", "--exclude-standard").split()
        return [n for n in names if (self.tree / n).is_file() and
                any(line.startswith(MARKS[0]) or line.startswith(MARKS[3])
                    for line in (self.tree / n).read_text(encoding="utf-8", errors="replace").split("\n"))]

    def committed(self):
        """{file: text} of all files that differ from the tree; None: it is gone."""
        there = set(self.git("ls-tree", "-r", "--name-only", "HEAD").split())
        return {name: self.git("show", f"HEAD:{name}") if name in there else None
                for name in self.git("diff", "--name-only", "base", "HEAD").split()}


def go_on(work, patches, source):
    """Commit patch after patch.  Returns the names of the files that wait for a person."""
    if work.state["open"]:
        marks = work.marks()
        if marks:
            return marks
        work.commit(Path(work.state["open"]), "by hand")
    while len(work.state["done"]) < len(patches):
        path = patches[len(work.state["done"])]
        # The work tree has all earlier patches, by hand or not; so has the other side.
        carrier = Carrier(source, work.tree)
        for earlier in patches[:len(work.state["done"])]:
            for name, hunks in parse(earlier).items():
                lines = carrier.read(carrier.base, carrier.source, name)
                for hunk in hunks:
                    lines = lines[:hunk.start - 1] + hunk.new + lines[hunk.start - 1 + len(hunk.old):]
                carrier.base[name] = lines
        said, marked = carrier.patch(path)
        for name in {s["file"] for s in said if carrier.current[s["file"]] is not None}:
            work.write(name, carrier.current[name])
        for name, lines in marked.items():
            work.write(name, lines)
        if marked:
            work.state["open"] = path.name
            work.save()
            return sorted(marked)
        work.commit(path, "merged")
    return []


# The report

def attempt(patches, source, tree):
    """Try all patches without a work tree; a hunk in conflict is left out for those that follow."""
    carrier, rows = Carrier(source, tree), []
    for path in patches:
        said, _ = carrier.patch(path)
        rows += [{"patch": path.name, **one} for one in said]
    return carrier, rows


def texts(side):
    return {name: None if lines is None else "\n".join(lines) for name, lines in side.items()}


def look(work, carrier, release):
    """What differs beside the edits."""
    source, tree = carrier.source, carrier.tree
    before = carry_look.semantic_effects(source, texts(carrier.base), WORK / f"semantic-{release}.json")
    here = carry_look.semantic_effects(tree, texts(carrier.current) | work.committed())
    old, new = carry_look.members(source), carry_look.members(tree)
    return {"semantic": carry_look.semantic_rows(before, here),
            "members": {"new": sorted(new - old), "gone": sorted(old - new)},
            "instructions": carry_look.instructions(source, tree)}


# Saving

def write_series(work, out):
    """Write the commits as a series."""
    out.mkdir(parents=True, exist_ok=True)
    # What a person wrote into a series that is there stays.
    heads = {p.name: head(p) for p in (*series(work.state["from"]), *out.glob("*.patch"))}
    commits = work.git("rev-list", "--reverse", "base..HEAD").split()
    names = []
    for commit in commits:
        name = work.git("log", "-1", "--format=%s", commit).strip()
        diff = work.git("diff", "--no-ext-diff", f"{commit}~", commit)
        if not diff:
            continue
        if name not in heads:
            raise cli.MissingError(f"{work.tree}: commit {commit[:12]} '{name}': no patch of the series has this name")
        stat = work.git("diff", "--stat=80", f"{commit}~", commit)
        diff = "\n".join(re.sub(r"^(@@ .* @@).*", r"\1", line) for line in diff.split("\n") if not line.startswith("index "))
        (out / name).write_text(f"{heads[name]}\n---\n{stat}\n{diff}-- \n2.39\n\n", encoding="utf-8")
        names.append(name)
    (out / "series").write_text("\n".join(names) + "\n")
    for old in set(out.glob("*.patch")) - {out / n for n in names}:
        old.unlink()
    return names


def save(work):
    if work.state["open"]:
        raise cli.MissingError(f"{work.tree}: {work.state['open']} is not finished; run the same command as before")
    out = PATCHES / f"linux-{work.short()}"
    print(f"carry: {len(write_series(work, out))} patches in {out.relative_to(cli.TOP)}")


def carry(args):
    begin = time.monotonic()
    patches = series(args.release)
    key = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in patches)).hexdigest()
    work = Work(WORK / release_of(args.tree))
    begun = work.load() and work.state["whole"]
    if begun and (work.state["tree"], work.state["from"]) != (str(args.tree), args.release):
        raise cli.UsageError(f"{work.folder}: begun with {work.state['tree']} from {work.state['from']}; "
                             "finish that, or remove the folder")
    if begun and work.state["series"] != key:
        raise cli.UsageError(f"{work.folder}: patches/linux-{args.release} has changed since it was begun; remove the folder")
    carrier, rows = attempt(patches, args.source, args.tree)
    if not begun:
        # Without a conflict nobody edits there, so the files of the patches are enough.
        whole = any(row["status"] == "conflict" for row in rows)
        work.begin(args.tree, args.release, key, None if whole else sorted(carrier.current))
    wait = go_on(work, patches, args.source)
    doc = {"from": args.release, "to": work.state["release"], "hunks": rows, "all": len(patches), "patches": work.state["done"],
           "open": work.state["open"], "seconds": {"merge": round(time.monotonic() - begin)}}
    begin = time.monotonic()
    doc |= look(work, carrier, args.release)
    doc["seconds"]["semantic patches"] = round(time.monotonic() - begin)
    doc |= {"build": None, "audit": None, "rows": {},
            "why_not_built": f"{work.state['open']} waits for a person" if wait else "it was not asked for"}
    page = carry_report.write(doc)
    if not wait:
        write_series(work, work.folder / "patches")
    if args.build and not wait:
        begin = time.monotonic()
        doc |= {**carry_build.try_all(work, (work.folder / "patches").relative_to(cli.TOP)), "why_not_built": None}
        doc["seconds"]["build and boot"] = round(time.monotonic() - begin)
        page = carry_report.write(doc)
    print(page, end="")
    if wait:
        print(f"carry: {work.state['open']} waits for a person, in {work.tree}:", *wait, sep="\n  ", file=sys.stderr)
    return cli.EXIT_FAILED if wait or not carry_report.passes(doc) else 0


def main(argv):
    parser = cli.Parser(prog="carry.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="release", metavar="RELEASE")
    parser.add_argument("--source", metavar="DIR")
    parser.add_argument("--no-build", dest="build", action="store_false")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("tree", metavar="TREE")
    args = parser.parse_args(argv)
    if args.save:
        work = Work(Path(args.tree))
        if not work.load():
            raise cli.MissingError(f"{work.folder}: nothing was carried there")
        save(work)
        return 0
    if not args.release or not args.source:
        raise cli.UsageError("--from RELEASE and --source DIR are needed")
    return carry(args)


if __name__ == "__main__":
    cli.guard(main, "carry.py")
