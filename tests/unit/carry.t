#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""tools/carry.py on small trees: what it says of each hunk, of semantic patches, of instructions and
of what it builds and boots; where it stops, how it goes on, and the series that it saves.

tools/linux.sh, tools/linux-guest.sh, tools/linux_matrix.py and the audit are stand-ins."""
import json
import os
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


# Semantic patches: one for all that use the table, one for named files.
COCCI = {
    "0001-use.cocci": """// Subject: use

@@
symbol pv_ops;
expression f;
identifier group, member;
@@
- pv_ops.group.member = f
+ paravirt_set(group, member, f)
""",
    "0002-named.cocci": """// Subject: named
//
// Files: arch/x86/kernel/one.c arch/x86/kernel/two.c
// Files: arch/x86/kernel/nowhere.c drivers/use.c

@@ @@
 stays(void)
 {
-old_call();
+new_call();
 ...
 }

@@
identifier f =~ "^went$";
@@
 f(void)
 {
+guard();
 ...
 }

@@ @@
-new_call();
+newest_call();

@@
expression f;
@@
-paravirt_set(cpu, a, f)
+paravirt_choose(a, f)
"""}
# In the new tree the second rule of the second patch finds nothing, and the first patch one place less.
CODE = {
    "arch/x86/kernel/one.c": ("int stays(void)\n{\n\told_call();\n\treturn 0;\n}\n",) * 2,
    "arch/x86/kernel/two.c": ("int went(void)\n{\n\treturn 0;\n}\n", "int renamed(void)\n{\n\treturn 0;\n}\n"),
    "drivers/use.c": ("void u(void)\n{\n\tpv_ops.cpu.a = x;\n\tif (y)\n\t\tz();\n\tpv_ops.cpu.b = x;\n}\n",
                      "void u(void)\n{\n\tpv_ops.cpu.a = x;\n\tif (y)\n\t\tz();\n}\n"),
    "arch/x86/xen/irq.c": ("void i(void)\n{\n\tpv_ops.irq.a = x;\n}\n",) * 2,
    "arch/x86/lib/x86-opcode-map.txt": (
        "Table: 2-byte opcode (0x0f)\n30: WRMSR\nEndTable\n",
        "Table: 2-byte opcode (0x0f)\n30: WRMSR | WRNEW/D (F2)\n31: LKGS Ew (F2) | vnew Vx (66) | TNEW Vt (F3),(v1)\nd5: REX9 (Prefix)\n"
        "32: Grp99\n33: escape # more\nEndTable\nTable: EVEX map 4\n00: EVNEW Eb\nEndTable\n"),
}

# Say what they are told, and do what $FAKE says.
STAND_INS = {
    "tools/linux.sh": """#!/bin/sh
echo "linux.sh $* KERNEL=$KERNEL TREE=$TREE SERIES=$SERIES" >>told
case $FAKE in broken) echo "a.c:1: error: no such thing" >&2; exit 1 ;; esac
mkdir -p build/linux-6.1.10/ours
""",
    "tools/linux-guest.sh": '#!/bin/sh\necho "linux-guest.sh $*" >>told\n',
    "tools/linux_matrix.py": """#!/bin/sh
echo "linux_matrix.py $*" >>told
row='{"holds": 5, "failed": 0, "not": [], "seconds": 3}'
bad='{"holds": 4, "failed": 1, "not": ["native is chosen", "is None"], "seconds": 3}'
for folder in build/report/linux-6.1.10 build/report/linux-6.12.3; do
	mkdir -p $folder
	echo "$row" >$folder/native.json
	case $FAKE in
	bad-row) echo "$bad" >$folder/dom0.json ;;
	no-row) echo "qemu: not here" >&2; exit 3 ;;
	*) echo "$row" >$folder/dom0.json ;;
	esac
done
""",
    "build/audit/audit": """#!/bin/sh
echo "audit $*" >>told
case $FAKE in no-audit) echo "audit: cannot be read" >&2; exit 3 ;; esac
lines='{"instruction": "wrmsr", "function": "known", "covered": "list"}'
new='{"instruction": "rdmsr", "function": "f", "covered": "left"}'
case $FAKE in finds) lines="$lines, $new, $new" ;; esac
echo "{\\"found\\": [$lines]}"
""",
}


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
    for name, texts in CODE.items():
        for folder, text in zip((old, new), texts):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    series = where / "patches/linux-6.1"
    series.mkdir(parents=True)
    for name, text in COCCI.items():
        (where / "patches/cocci").mkdir(exist_ok=True)
        (where / "patches/cocci" / name).write_text(text, encoding="utf-8")
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


def point_release(where, old):
    """The old source, with another number and a line in the way of nothing."""
    point = where / "point"
    shutil.copytree(old, point, ignore=shutil.ignore_patterns(".git"))
    (point / "Makefile").write_text(MAKEFILE.format(6, 1, 10), encoding="utf-8")
    write(point, a=["new first line", *OLD])
    return point


tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    where = Path(folder)
    (where / "tools").mkdir()
    (where / "tools/audit").mkdir()
    for name in ("carry.py", "carry_build.py", "carry_look.py", "carry_report.py", "semantic.py", "cli.py", "release.sh",
                 "audit/sensitive.c"):
        shutil.copy(TOP / "tools" / name, where / "tools" / name)
    for name, text in STAND_INS.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text, encoding="utf-8")
        (where / name).chmod(0o755)
    (where / "Makefile").write_text("build/%:\n\t@mkdir -p $(@D); touch $@\n", encoding="utf-8")
    old, new, _ = trees(where)
    before = {path: path.read_bytes() for path in new.rglob("*") if path.is_file()}

    def carry(*words, fake=""):
        run = subprocess.run([sys.executable, "tools/carry.py", *map(str, words)], cwd=where, capture_output=True, text=True,
                             env={**os.environ, "FAKE": fake})
        return run.returncode, run.stdout, run.stderr.strip().splitlines()

    def report(release="6.12.3"):
        return json.loads((where / f"build/report/carry-{release}.json").read_text())

    def decide(what, release="6.12.3"):
        return [one["text"] for one in report(release)["decide"] if one["what"] == what]

    again = ("--from", "6.1", "--source", old, "--no-build", new)
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
    tap.equal([line.split(" hunk")[0] for line in decide("conflict")], ["0001 a", "0002 gone"], "conflicts are to be decided")
    tap.equal(decide("without effect"), ["0001 a hunk 3: `line 34, in both`"], "so are hunks without effect")
    tap.equal((decide("member new"), decide("member gone")), (["cpu.came"], ["cpu.went"]), "and members")
    tap.equal(decide("rule without effect"),
              ["0002-named.cocci:14 `went(void)` changes nothing; in 6.1: arch/x86/kernel/two.c (1)"], "and a rule that finds nothing any more")
    tap.equal(decide("rule with less effect"),
              ["0001-use.cocci:3 `pv_ops.group.member = f`; in 6.1: drivers/use.c (2); here: drivers/use.c (1)"],
              "and a rule that finds less")
    tap.equal([(row["line"], row["here"]) for row in report()["semantic"] if row["patch"] == "0002-named.cocci"],
              [(6, {"arch/x86/kernel/one.c": 1}), (14, {}), (23, {"arch/x86/kernel/one.c": 1}), (27, {"drivers/use.c": 1})],
              "each rule runs on what those before it have left")
    tap.equal(report()["semantic"][0]["before"], {"drivers/use.c": 2}, "a patch without names leaves Xen PV's own files alone")
    tap.ok("| 0002-named.cocci | 4 | 4; 4; 3 | 3; 3; 2 |" in out, "the page counts rules with effect, places and files", out)
    tap.equal(report()["instructions"], {"known": ["lkgs"], "unknown": ["wrnew"]},
              "new instructions, of which the audit knows one; none of the vector units, no prefix")
    tap.equal(len(decide("instructions")), 1, "those that it does not know are to be decided")
    tap.equal(out.split("\n## ")[-1].split("\n")[0], "What a person must decide", "the page ends with what a person must decide")
    tap.equal((report()["build"], "Not built: 0001-first.patch waits for a person." in out), (None, True), "nothing is built")
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
    tap.equal(decide("conflict"), [], "and what was made by hand is decided")
    tap.equal({path: path.read_bytes() for path in new.rglob("*") if path.is_file()}, before, "the tree itself is not changed")
    status, _, err = carry(*(word for word in again if word != "--no-build"))
    tap.equal((status, err, (where / "told").read_text().split("\n")[0]),
              (0, [], f"linux.sh  KERNEL=6.1 TREE={new} SERIES=build/carry/6.12.3/patches"),
              "it is built then, with the configuration of the old release, because the new one has no series")
    (where / "told").unlink()
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
            (("--from", "6.12", "--source", new, new), "begun with", "other work in the same place"),
            (("--from", "6.1", "--source", old, new), "patches/linux-6.1 has changed since", "a series that has changed since")):
        if "changed since" in want:
            with (where / "patches/linux-6.1/0001-first.patch").open("a") as patch:
                patch.write("\n")
        words = ("--no-build", *words)
        status, _, err = carry(*words)
        tap.ok(status in (2, 3) and len(err) == 1 and want in err[0], f"{what}: one line", str(status), *err)

    # A point release: all is clean, so it is built.
    point = point_release(where, old)
    again = ("--from", "6.1", "--source", old, point)
    status, out, err = carry(*again)
    tap.equal((status, err, report("6.1.10")["counts"]["clean"]), (0, [], 6), "of a point release all hunks are clean")
    tap.equal(report("6.1.10")["decide"], [], "a person must decide nothing")
    tap.ok(out.endswith("## What a person must decide\n\nNothing.\n"), "and the page says so", out)
    work = where / "build/carry/6.1.10"
    tap.equal(sorted(p.name for p in (work / "tree").iterdir() if p.name != ".git"), ["a", "b", "gone"],
              "only the files of the patches are copied")
    told = [line for line in (where / "told").read_text().splitlines()]
    tap.equal(told, [f"linux.sh  KERNEL=6.1 TREE={point} SERIES=build/carry/6.1.10/patches", "linux-guest.sh ours",
                     "audit --json --unused-ok --allow tools/audit/allow-linux.txt build/linux-6.1.10/ours/vmlinux",
                     "linux_matrix.py demo --rows native,dom0"], "it is built, audited and booted, with the carried series")
    tap.ok("| native | 5 | 0 | 3 |" in out and "| dom0 | 5 | 0 | 3 |" in out, "the page has the rows", out)
    applied = where / "applied"
    shutil.copytree(point, applied)
    for name in (work / "patches/series").read_text().split():
        subprocess.run(["patch", "-d", applied, "-p1", "-s", "--fuzz=0", "-i", work / "patches" / name], check=True)
    tap.equal((applied / "a").read_text(), (work / "tree/a").read_text(), "the series applies to the point release")
    (where / "tools/audit/allow-linux-6.1.txt").touch()
    for fake, want, lines, what in (
            ("broken", 1, {"build": ["tools/linux.sh: a.c:1: error: no such thing"]}, "a compile error"),
            ("bad-row", 1, {"row": ["dom0: NOT: native is chosen", "dom0: NOT: is None"]}, "a row that fails"),
            ("no-row", 1, {"row": ["dom0: NOT: no result: qemu: not here"]}, "a row without a result"),
            ("finds", 0, {"audit": ["rdmsr in f (2): no site, and on no list"]}, "an instruction that no list has"),
            ("no-audit", 0, {"audit": ["audit: cannot be read"]}, "an audit that fails")):
        status, out, err = carry(*again, fake=fake)
        tap.equal((status, {one["what"]: decide(one["what"], "6.1.10") for one in report("6.1.10")["decide"]}, err), (want, lines, []),
                  f"{what} is to be decided")
    tap.equal(report("6.1.10")["audit"]["list"], "tools/audit/allow-linux-6.1.txt", "the list of the old release serves the new one")
    series = {path.name: path.read_bytes() for path in (work / "patches").iterdir()}
    git(point, "init", "-q")
    git(point, "add", "-A")
    git(point, "commit", "-q", "-m", "point")
    tap.equal((carry("--no-build", *again)[::2], {path.name: path.read_bytes() for path in (work / "patches").iterdir()}),
              ((0, []), series), "a git checkout gives the same series")
tap.done()
