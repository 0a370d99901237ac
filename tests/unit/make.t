#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The Makefile itself: which targets install packages, and which only name the command; the
list of `make help`.  dpkg and apt are stand-ins: each case names the missing packages, and
nothing can be installed, so that no target gets further than its packages."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

COMMANDS = {
    "id": 'echo "${USER_ID:-0}"',
    "sudo": "exit 1",
    "dpkg-query": 'for name; do :; done; case " $MISSING " in *" $name "*) ;; *) echo installed ;; esac',
    "apt-cache": "",
    "apt-get": 'echo "$*" >>"$ASKED"; exit 100',
}
APT = "as root: apt-get install --no-install-recommends "

tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    bins, asked = Path(folder) / "bin", Path(folder) / "asked"
    bins.mkdir()
    for command, text in COMMANDS.items():
        (bins / command).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (bins / command).chmod(0o755)

    def make(words, missing="", user="0"):
        """Exit status, lines of setup.sh, packages that apt was asked to install, standard output."""
        asked.unlink(missing_ok=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("MFLAGS", "GUEST")}
        env |= {"PATH": f"{bins}:{env['PATH']}", "ASKED": str(asked), "MISSING": missing, "USER_ID": user}
        done = subprocess.run(["make", f"B={folder}/build", *words], cwd=TOP, env=env, text=True, capture_output=True, check=False)
        said = [line for line in done.stderr.splitlines() if line.startswith("setup: ")]
        apt = asked.read_text(encoding="utf-8") if asked.exists() else ""
        return done.returncode, said, sorted(set(re.findall(r"recommends (.*)", apt))), done.stdout

    for words in (["unit"], ["fuzz"], ["bench"], ["vm"], ["docs-check"], ["guest", "sparse"], ["analyze"]):
        status, said, apt, _ = make(words, "gcc sparse")
        tap.equal((status > 0, said, apt), (True, ["setup: packages are missing: gcc sparse; run: make deps"], []),
                  f"make {' '.join(words)}: names the one command, installs nothing")
    for words in (["linux"], ["series"], ["series-check"], ["bench", "GUEST=linux"], ["faults", "GUEST=linux"]):
        status, said, apt, _ = make(words, "flex")
        tap.equal((status > 0, said, apt), (True, ["setup: packages are missing: flex; run: make deps GUEST=linux"], []),
                  f"make {' '.join(words)}: names the command for Linux's packages")
    tap.equal(make(["build/no-such"], "gcc")[1:3], ([], []), "a target that is a file: make does not check packages")
    for words, missing in ((["deps"], "gcc"), (["demo"], "gcc"), (["check"], "gcc"), (["unit", "check"], "gcc"),
                           (["deps", "GUEST=linux"], "flex"), (["demo", "GUEST=linux"], "flex"), (["check", "GUEST=linux"], "flex")):
        status, said, apt, _ = make(words, missing)
        tap.equal((status > 0, said, apt), (True, [f"setup: installing {missing}", f"setup: could not install {missing}"], [missing]),
                  f"make {' '.join(words)}: installs")
        status, said, apt, _ = make(words, missing, "1000")
        tap.equal((status > 0, said, apt), (True, [f"setup: packages are missing; {APT}{missing}"], []),
                  f"make {' '.join(words)}: without root and sudo, the one apt line")
    tap.equal(make(["deps"], "flex")[:3], (0, [], []), "make deps does not need Linux's packages")
    tap.equal(make(["deps"])[3], "deps: all there\n", "make deps says that nothing is missing")
    tap.equal(make(["-n", "deps"], "gcc")[1:3], ([], []), "make -n installs nothing")

    compiler = Path(folder) / "compiler"
    compiler.write_text('#!/bin/sh\necho "flags: $MAKEFLAGS"\n', encoding="utf-8")
    compiler.chmod(0o755)
    program = f"{folder}/build/linux-bench/init"
    tap.ok("flags: \n" in make([program, f"CC={compiler}"])[3], "make hands no flags of its own to the makes that tools call")

    status, said, apt, text = make(["help"], "gcc")
    tap.equal((status, said, apt), (0, [], []), "make help needs no package")
    tap.equal(make([], "gcc")[3], text, "make alone is make help")
    tap.empty([line for line in text.splitlines() if len(line) > 100], "make help: no line over 100 columns")
    groups = re.findall(r"^(\w[\w ]*)\n", text, re.M)
    tap.equal(groups, ["Start here", "Tests", "Measurements", "Build", "Variables"], "make help has its five groups")
    files = [TOP / "Makefile", *TOP.glob("tests/*/build.mk"), *TOP.glob("tests/vmi/*/build.mk"), *TOP.glob("tools/*/build.mk")]
    rules = "".join(path.read_text(encoding="utf-8") for path in files)
    listed = re.findall(r"^  make ([a-z-]+) {2,}\S", text, re.M)
    tap.equal(sorted(listed), sorted(re.findall(r"^([a-z][a-z-]*):.*## ", rules, re.M)), "make help lists each target with a text")
    missing = [name for name in re.findall(r"make ([a-z][a-z-]+)", (TOP / "README.md").read_text(encoding="utf-8")) if name not in listed]
    tap.empty(missing, "make help lists each target that README names")
    used = rules + "".join(path.read_text(encoding="utf-8") for pattern in ("tools/*.sh", "tools/*.py", "tests/*/*.t")
                           for path in TOP.glob(pattern))
    variables = re.findall(r"^  ([A-Z_]+)=", text.split("Variables\n")[1], re.M)
    tap.ok({"GUEST", "CONFIG", "ROWS", "SEED", "FAULT_SECONDS", "FUZZ_RUNS", "HOST_KERNEL", "KERNEL", "TREE", "SELECT", "IMAGE"} <= set(variables),
           "make help: the variables", *variables)
    tap.empty([v for v in variables if not re.search(rf'\$[({{]+{v}\b|environ.*"{v}"|^{v} [:?]?=', used, re.M)],
              "make help: every variable is read somewhere")
    configs = re.search(r'^config_names="(.*)"', (TOP / "tools/linux-configs.sh").read_text(encoding="utf-8"), re.M)[1]
    tap.ok(configs in text, "make help names each configuration of Linux", configs)
for words in (["windows"], ["linux", "linux"], ["--check", "x"]):
    done = subprocess.run(["tools/setup.sh", *words], cwd=TOP, text=True, capture_output=True, check=False)
    tap.equal((done.returncode, done.stderr), (2, "usage: setup.sh [--check] [linux]\n"), f"setup.sh {' '.join(words)}: usage")
tap.done()
