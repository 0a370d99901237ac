#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""tools/rows.py: every environment is a test, a name that is not there is one error."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap, environments  # noqa: E402

import rows  # noqa: E402

tap = Tap()


def run(*args, top=TOP):
    done = subprocess.run([top / "tools/rows.py", *args], cwd=top, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


for folder, row in (("tests/vm", "contract-{}"), ("tests/linux", "{}")):
    status, listed, _ = run("list", folder)
    envs = environments.envs(TOP / folder / "envs.toml")
    want = [f"{folder}/{row.format(env)}" for env, keys in envs.items() if "off" not in keys]
    want += [str(file.relative_to(TOP)) for file in (TOP / folder).glob("*.t")]
    tap.equal(status, 0, f"{folder}: the list is printed")
    tap.empty([path for path in want if path not in listed], f"{folder}: the list has each environment and each file")
    tap.empty([env for env, keys in envs.items() if "off" in keys and f"{folder}/{row.format(env)}" in listed],
              f"{folder}: the list has no environment that is off")
    tap.equal(len(listed), len(set(listed)), f"{folder}: the list has each row once")
    status, listed, said = run("list", folder, "tools", "nosuch")
    tap.ok(status == 2 and not listed and len(said) == 1 and said[0].startswith(f"rows.py: nosuch: no such row of {folder}; "),
           f"{folder}: a row that is not there is one error", *said)

everything = run("list", "tests/linux")[1]
tap.ok("tests/linux/cloud" in everything and "tests/linux/debian" not in everything,
       "a configuration that is off is not among all", *everything)
tap.equal(run("list", "tests/linux", "debian")[1], ["tests/linux/debian"], "but can be named")
tap.equal(run("list", "tests/linux", "native", "tools", "mm")[1], ["tests/linux/mm", "tests/linux/tools.t", "tests/linux/native"],
          "named rows only: configurations first, then files, then environments")
tap.equal(rows.tests("tests/vm")["tests/vm/contract-vmi-retpoline"],
          ["vm.py", "tap", "--image", "build/retpoline/guest.elf", "--tag", "retpoline", "vmi", "test=all"],
          "a row of another build boots that image")
tap.ok("bench=none" in rows.tests("tests/vm")["tests/vm/contract-native-smp72"], "a row passes its own words to the guest")
for args in ((), ("list",), ("list", "tests/unit"), ("tests/vm/contract-nosuch.t",), ("nosuch.t",)):
    status, _, said = run(*args)
    tap.ok(status == 2 and len(said) == 1, f"rows.py {' '.join(args)}: one error", *said)

with tempfile.TemporaryDirectory() as folder:
    copy = Path(folder)
    (copy / "tests/vm").mkdir(parents=True)
    (copy / "tools").mkdir()
    for name in ("rows.py", "vm.py", "cli.py", "environments.py", "guestlog.py", "judge.py", "qemu.py"):
        shutil.copy(TOP / "tools" / name, copy / "tools")
    table = (TOP / "tests/vm/envs.toml").read_text(encoding="utf-8")
    (copy / "tests/vm/envs.toml").write_text(table + '\n[env.new]\nbase = "native"\n', encoding="utf-8")
    tap.ok("tests/vm/contract-new" in run("list", "tests/vm", top=copy)[1], "a new environment is a new test")
    (copy / "tests/vm/own.t").write_text("#!/bin/sh\necho ok 1\necho 1..1\n", encoding="utf-8")
    (copy / "tests/vm/own.t").chmod(0o755)
    tap.equal(run("tests/vm/own.t", top=copy)[1], ["ok 1", "1..1"], "a file is run as it is")
    status, said, why = run("tests/vm/contract-new.t", top=copy)
    tap.ok(status == 3 and why == ["vm.py: build/guest.elf: no such image; `make guest` builds it"],
           "a row runs its command, with or without .t", *said, *why)
    (copy / "tests/vm/contract-new.t").write_text("", encoding="utf-8")
    status, _, said = run("list", "tests/vm", top=copy)
    tap.ok(status == 2 and len(said) == 1 and "have the same name: contract-new" in said[0], "a file with a row's name is one error",
           *said)
tap.done()
