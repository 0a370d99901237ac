#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""tools/cover.py: the cover letter of a series, with tables of the reports that are there.

git itself writes the letter of a small repository.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

ROW = {"row": "native", "variant": "ours", "image_sha256": hashlib.sha256(b"kernel").hexdigest(), "seconds": 3, "kernel": "6.1.192",
       "backend": "native", "cpus": 1, "sites": {"inline": 1400, "call": 10, "nop": 20, "jump": 3, "indirect": 0, "outline": 900},
       "tests": {"PASS": 71, "FAIL": 0, "SKIP": 1, "TIMEOUT": 0}, "holds": 31, "not": [], "failed": 0}
BENCH = {"envs": {f"{where}-{kernel}": {"bench": {"idle": {"insns": 0}, "a": {"insns": a}, "b": {"insns": 100}}}
                  for where, kernel, a in (("native", "unhooked", 100), ("native", "ours", 121), ("native", "stock", 144),
                                           ("xenpv", "stock", 100), ("xenpv", "ours", 64))}}


def project(where):
    """What the tool needs of the project."""
    shutil.copytree(TOP / "tools", where / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (where / "patches/linux-6.1").mkdir(parents=True)
    (where / "patches/linux-6.1/series").touch()
    (where / "tests").symlink_to(TOP / "tests")
    shutil.copy(TOP / "patches/cover.txt", where / "patches")


def git(folder, *words):
    env = {**os.environ, "GIT_COMMITTER_DATE": "Sat, 21 Nov 2026 03:00:00 +0000"}
    return subprocess.run(["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True, capture_output=True,
                          text=True, env=env).stdout


def letter(folder, out):
    """Two patches and the letter, as tools/series.sh has them made."""
    git(folder, "init", "-q")
    for nr in range(3):
        (folder / f"file{nr}").write_text(f"{nr}\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", f"x86: commit {nr}")
    git(folder, "format-patch", "-q", "--zero-commit", "--cover-letter", "-o", str(out), "HEAD~2")


def save(path, doc):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(doc) if isinstance(doc, dict) else doc, encoding="utf-8")


tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    where, out = Path(folder) / "project", Path(folder) / "out"
    project(where)
    (Path(folder) / "git").mkdir()

    def cover():
        """(status, lines, the letter)"""
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(Path(folder) / "git")
        (Path(folder) / "git").mkdir()
        letter(Path(folder) / "git", out)
        run = subprocess.run([sys.executable, where / "tools/cover.py", out / "0000-cover-letter.patch"], capture_output=True, text=True,
                             env={**os.environ, "KERNEL": "6.1", "TREE": ""})
        path = out / "cover-letter.txt"
        return run.returncode, (run.stdout + run.stderr).splitlines(), path.read_text() if path.is_file() else ""

    status, said, text = cover()
    tap.equal((status, said), (0, ["series: no report of rows: run make check GUEST=linux KERNEL=6.1",
                                   "series: no report of the measurement: run make bench GUEST=linux KERNEL=6.1"]),
              "without reports it says which commands make them")
    tap.ok("\nrow " not in text and "geometric mean" not in text, "and has no table", text)
    tap.ok("Subject: [PATCH 0/2] x86/pvops: One paravirtualization layer" in text and "This series for Linux 6.1 adds" in text and
           "***" not in text, "it has a subject and a text, with the release", text)
    tap.ok("  x86: commit 2\n" in text and "2 files changed, 2 insertions(+)" in text and "create mode" not in text,
           "it lists the patches, and counts lines", text)
    tap.equal(sorted(path.name for path in out.iterdir()), ["0001-x86-commit-1.patch", "0002-x86-commit-2.patch", "cover-letter.txt"],
              "its name is none that git am would take")
    again = Path(folder) / "again"
    shutil.copytree(Path(folder) / "git", again)
    git(again, "reset", "-q", "--hard", "HEAD~2")
    git(again, "am", "-q", *map(str, sorted(out.glob("*.patch"))))
    tap.equal((again / "file2").read_text(), "2\n", "git am takes *.patch")

    reports = where / "build/report"
    save(reports / "linux-6.1/native.json", ROW)
    save(reports / "linux-6.1/dom0~mm.json", {**ROW, "row": "dom0", "variant": "mm", "backend": "xen", "holds": 30, "failed": 1,
                                              "not": ["xen is chosen", "is native"]})
    save(reports / "linux-6.1.json", BENCH)
    status, said, text = cover()
    tap.equal((status, said), (0, []), "with both reports nothing is missing")
    tap.ok("native    native      1    31 of 31     71  1,433\ndom0, mm  xen         1    30 of 31     71  1,433\n" in text,
           "each row has its results, configurations last", text)
    tap.ok("\ndom0, mm: NOT: xen is chosen\ndom0, mm: NOT: is native\n" in text, "what does not hold is said", text)
    tap.ok("list core, 2: one thread" in text and "native  this series / no paravirtualization         1.1000\n" in text and
           "xenpv   this series / Linux's own pv_ops            0.8000\n" in text, "the means are geometric ones", text)
    tap.ok(all(len(line) < 76 for line in text.split("\n") if not line.startswith(("Subject", "From"))), "lines are short",
           *(line for line in text.split("\n") if len(line) > 75))

    kernel = where / "build/linux-6.1/ours/arch/x86/boot/bzImage"
    save(kernel, "kernel")
    os.utime(kernel, (1, 1))
    tap.equal(cover()[1], [], "the kernel that is built is the one that was booted")
    save(kernel, "another kernel")
    os.utime(kernel)
    os.utime(reports / "linux-6.1.json", (1, 1))
    status, said, text = cover()
    tap.equal((status, said), (0, ["series: build/report/linux-6.1/native.json: has booted another kernel than the one that is built; left out",
                                   "series: build/report/linux-6.1.json: is older than the kernel that is built; left out: "
                                   "run make bench GUEST=linux KERNEL=6.1"]), "results of another kernel are left out, and named")
    tap.ok("\nnative  " not in text and "\ndom0, mm  " in text, "others stay", text)
    save(reports / "linux-6.1.json", "{")
    os.utime(kernel, (1, 1))
    status, said, _ = cover()
    tap.ok(status == 3 and len(said) == 1 and "build/report/linux-6.1.json: no report: " in said[0], "a broken report: one line", *said)
tap.done()
