#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The images do not depend on the folder: a copy of the tree elsewhere, built by the same
rules and compilers, gives the same bytes.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from vmtest import TOP, Tap, qemu

SOURCES = ("Makefile", "include", "pvops", "backends", "tests/types.h", "tests/guest", "tests/vmi")
IMAGES = ("build/guest.elf", "build/clang/guest.elf", "build/vmi/monitor.elf", "build/clang/vmi/monitor.elf")

tap = Tap()
bare = {name: val for name, val in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
with tempfile.TemporaryDirectory() as folder:
    other = Path(folder) / "a-folder/of-quite-another-name"
    for name in SOURCES:
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy2
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        copy(TOP / name, other / name)
    run = subprocess.run(["make", *IMAGES], cwd=other, env=bare, text=True, capture_output=True, check=False)
    tap.ok(run.returncode == 0, "a copy of the tree builds", *run.stderr.splitlines())
    for image in IMAGES:
        built = other / image
        if tap.ok(built.is_file() and (TOP / image).is_file(), f"{image}: is built in both"):
            tap.equal(qemu.sha256(built), qemu.sha256(TOP / image), f"{image}: is the same")
            tap.ok(str(folder).encode() not in built.read_bytes(), f"{image}: does not name its folder")
tap.done()
