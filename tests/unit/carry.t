#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""tools/carry.py on two small trees: what it says of each hunk, where it stops, how it goes on,
and the series that it saves."""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

MAKEFILE = "VERSION = {}\nPATCHLEVEL = {}\nSUBLEVEL = {}\n"
TYPES = "struct pv_cpu_ops {{\n\tvoid (*{})(void);\n\tstruct paravirt_callee_save same;\n}} x;\n"


# Four edits: one whose surroundings stay, one whose surroundings change, one that the new tree
# has, and one whose own line the new tree has changed.
OLD = [f"line {nr}" for nr in range(1, 61)]


def changed(**lines):
    """OLD with other texts in the place of some lines: l5="a" or l5="a|b"."""
    return [text for nr, line in enumerate(OLD, 1) for text in lines.get(f"l{nr}", line).split("|")]


EDITED = changed(l5="line 5|added clean", l20="line 20|added moved", l34="line 34, in both", l50="line 50, ours")
NEW = ["new first line", *changed(l18="line 18, new", l34="line 34, in both", l50="line 50, theirs")]


def diff(folder, name):
    run = subprocess.run(["git", "-C", folder, "diff", "--no-color", "HEAD", "--", name], capture_output=True, text=True, check=True)
    return "".join(line for line in run.stdout.splitlines(True) if not line.startswith("index "))


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True, capture_output=True)


def write(folder, **files):
    for name, lines in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n" if isinstance(lines, list) else lines, encoding="utf-8")


def trees(where):
    """The old source, the new one, and a series for the old one."""
    old, new = where / "old", where / "new"
    types = "arch__x86__include__asm__paravirt_types_h"
    write(old, Makefile=MAKEFILE.format(6, 1, 9), a=OLD, gone=["one", "two", "three"], b=OLD)
    write(new, Makefile=MAKEFILE.format(6, 12, 3), a=NEW, b=OLD)
    for folder, member in ((old, "went"), (new, "came")):
        path = folder / "arch/x86/include/asm/paravirt_types.h"
        path.parent.mkdir(parents=True)
        path.write_text(TYPES.format(member), encoding="utf-8")
    series = where / "patches/linux-6.1"
    series.mkdir(parents=True)
    git(old, "init", "-q")
    git(old, "add", "-A")
    git(old, "commit", "-q", "-m", "old")
    for name, changes in (("0001-first.patch", {"a": EDITED}), ("0002-second.patch", {"b": ["first", *OLD], "gone": ["one", "2", "three"]})):
        write(old, **changes)
        text = "".join(diff(old, file) for file in changes)
        (series / name).write_text(f"From 0\nSubject: [PATCH] {name}\n\nWhy.\n---\n stat\n\n{text}-- \n2.39\n\n", encoding="utf-8")
        git(old, "commit", "-q", "-a", "-m", name)
    git(old, "checkout", "-q", "HEAD~2")
    (series / "series").write_text("0001-first.patch\n0002-second.patch\n", encoding="utf-8")
    return old, new, types


tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    where = Path(folder)
    (where / "tools").mkdir()
    for name in ("carry.py", "cli.py", "release.sh"):
        shutil.copy(TOP / "tools" / name, where / "tools")
    old, new, _ = trees(where)
    before = {path: path.read_bytes() for path in new.rglob("*") if path.is_file()}

    def carry(*words):
        run = subprocess.run([sys.executable, "tools/carry.py", *map(str, words)], cwd=where, capture_output=True, text=True)
        return run.returncode, run.stdout, run.stderr.strip().splitlines()

    def report():
        return json.loads((where / "build/report/carry-6.12.3.json").read_text())

    again = ("--from", "6.1", "--source", old, new)
    status, out, err = carry(*again)
    tree, saved = where / "build/carry/6.12.3/tree", where / "patches/linux-6.12"
    tap.equal((status, err[0].split(" ", 2)[1]), (1, "0001-first.patch"), "it stops at the first patch with a conflict")
    said = {row["edit"]: row["status"] for row in report()["hunks"]}
    tap.equal(said["added clean"], "clean", "a hunk whose surroundings are there is clean")
    tap.equal(said["added moved"], "moved", "a hunk whose surroundings differ is moved")
    tap.equal(said["line 34, in both"], "without effect", "a hunk that the tree has is without effect")
    tap.equal(said["line 50, ours"], "conflict", "a hunk whose line differs is a conflict")
    tap.equal(said["2"], "conflict", "a hunk of a file that is gone is a conflict")
    tap.equal(report()["members"], {"new": ["cpu.came"], "gone": ["cpu.went"]}, "members of tables that are new and gone")
    tap.ok("line 50, ours" in out and "0001" in out, "the page says where a person must decide", out)
    tap.equal(report()["counts"]["conflict"], 2, "it counts them")
    tap.equal(carry("--save", where / "build/carry/6.12.3")[0], 3, "an open patch cannot be saved")
    tap.equal(saved.exists(), False, "and nothing is written")
    status, _, err = carry(*again)
    tap.equal((status, [line.strip() for line in err[1:]]), (1, ["a"]), "with marks it does not go on, and names the file")
    lines = [line for line in (tree / "a").read_text().split("\n")]
    begin, end = ([line[:7] for line in lines].index(mark) for mark in ("<<<<<<<", ">>>>>>>"))
    (tree / "a").write_text("\n".join([*lines[:begin], "line 50, ours and theirs", *lines[end + 1:]]))
    status, _, err = carry(*again)
    tap.equal((status, [line.strip() for line in err[1:]]), (1, ["gone.rejected"]), "the file that is gone must be decided, too")
    (tree / "gone.rejected").unlink()
    (tree / "elsewhere").write_text("2\n")
    status, out, _ = carry(*again)
    tap.equal(status, 0, "then all patches are in")
    tap.equal([d["how"] for d in report()["patches"]], ["by hand", "by hand"], "the report says which were made by hand")
    tap.equal({path: path.read_bytes() for path in new.rglob("*") if path.is_file()}, before, "the tree itself is not changed")
    tap.equal(carry("--save", where / "build/carry/6.12.3")[0], 0, "the series is saved")
    names = (saved / "series").read_text().split()
    clean = where / "clean"
    shutil.copytree(new, clean)
    for name in names:
        done = subprocess.run(["patch", "-d", clean, "-p1", "-s", "--fuzz=0", "-i", saved / name], capture_output=True, text=True)
        tap.equal((done.returncode, done.stdout), (0, ""), f"{name} applies to the new source, without fuzz")
    tap.equal((clean / "a").read_text(), (tree / "a").read_text(), "and gives what was carried")
    tap.ok("Subject: [PATCH] 0001-first.patch\n\nWhy.\n---" in (saved / names[0]).read_text(), "a patch keeps its message")
    for words, want, what in (
            (("--from", "5.4", "--source", old, new), "--from 5.4: no series for it; there are: 6.1 6.12", "a release without a series"),
            (("--from", "6.1", "--source", new, new), "hunk 1 of a does not apply", "the wrong source"),
            (("--from", "6.1", "--source", old, where), "no Linux source", "a tree that is none"),
            (("--from", "6.12", "--source", new, new), "begun with", "other work in the same place")):
        status, _, err = carry(*words)
        tap.ok(status in (2, 3) and len(err) == 1 and want in err[0], f"{what}: one line", str(status), *err)
tap.done()
