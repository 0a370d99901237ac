#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-pagecheck: the pages are what the sources are, and tools/pagecheck.py notices what
it must notice.  Each fault is planted in a copy of the tree."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools/pagecheck.py"
sys.path.insert(0, str(TOOL.parent))
import pagecheck  # noqa: E402

PAGE, WALKS = "docs/choosing-a-backend.md", "docs/architecture.md"

results = []


def ok(good, name, detail=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good:
        print("# " + detail.strip().replace("\n", "\n# "))


def check(root):
    run = subprocess.run([sys.executable, TOOL, "--root", root], text=True, capture_output=True, check=False)
    return run.returncode, run.stderr


def planted(root, name, path, old, new, *want):
    """One fault in one file: exit status 1, and a line for each of @want, which it has."""
    before = (root / path).read_text(encoding="utf-8")
    assert old in before, f"{old!r} is not in {path}"
    (root / path).write_text(before.replace(old, new, 1), encoding="utf-8")
    status, said = check(root)
    (root / path).write_text(before, encoding="utf-8")
    lines = said.splitlines()
    ok(status == 1 and len(lines) == len(want) and all(map(str.__contains__, lines, want)), name,
       f"status {status}, said: {said}")


def main():
    status, said = check(ROOT)
    ok(status == 0 and not said, "all pages are good", said)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "build", "corpus", "__pycache__"))

        lost = "no source refuses so: "
        planted(root, "a refusal that changed", "backends/kvm/detect.c", "offers nothing that helps", "offers too little",
                "lacks the refusal of backends/kvm/detect.c", lost + "KVM offers nothing that helps")
        planted(root, "a refusal of a part that changed", "pvops/exceptions.c", '"-%s: too many', '"-%s: far too many',
                "lacks the refusal of pvops/exceptions.c", lost + "-<part>: too many exceptions")
        planted(root, "a start that fails with another line", "backends/vmware/backend.c", "hypercall does not", "call does not",
                "lacks the refusal of backends/vmware/backend.c", lost + "pvops: vmware: the hypercall does not")
        planted(root, "a refusal that is not on the page", PAGE, "* `no VMware by CPUID`:", "* no VMware:",
                "lacks the refusal of backends/vmware/detect.c")
        planted(root, "a refusal that no source has", PAGE, "### vmware\n\n", "### vmware\n\n* `never so`: x\n",
                PAGE + ":")

        planted(root, "a file that is not there", WALKS, "`pvops/cpuid.c`", "`pvops/leaves.c`",
                WALKS + ": pvops/leaves.c: no such file")
        planted(root, "a function that is renamed", "pvops/apply.c", "bool patch_branch(", "bool patch_branches(",
                WALKS + ": pvops/apply.c has no patch_branch()")
        planted(root, "a function that is only called", WALKS, "`pv_print()`", "`pv_port_log()`",
                WALKS + ": pvops/report.c has no pv_port_log()")

        planted(root, "a core that knows a backend", "pvops/plan.c", '#include "internal.h"',
                '#include "internal.h"\n#include "../backends/xen/internal.h"',
                ": must not include ../backends/xen/internal.h")
        planted(root, "a backend that knows a kernel", "backends/kvm/smp.c", '#include "internal.h"',
                '#include "internal.h"\n#include <guest.h>', ": must not include guest.h")

        planted(root, "a long line", "README.md", "# pvops\n", "# pvops\n" + 101 * "x" + "\n",
                "README.md:3: 101 columns, more than 100")
        planted(root, "a long line of a list", "README.md", "# pvops\n", "# pvops\n\n* x\n    " + 97 * "x" + "\n",
                "README.md:5: 101 columns, more than 100")
        planted(root, "a long line of a generated page", "docs/ops.md", "# Ops\n", "# Ops\n" + 101 * "x" + "\n",
                "docs/ops.md:6: 101 columns, more than 100")
        lacks = ": does not begin with a sentence that says what it is"
        for name, path, old, new in (
                ("a header without a comment", "ops/irq.h",
                 '/* Catalogue, table "irq": interrupt masking, waiting, delivery. */', ""),
                ("a header with a title alone", "version.h", " * Generated from VERSION by `make docs`.\n", ""),
                ("a header with a word alone", "ops/irq.h",
                 '/* Catalogue, table "irq": interrupt masking, waiting, delivery. */', "/* Interrupts. */"),
                ("a header that begins with a contract", "version.h", "DOC: The layer's version", "PV_VERSION - the version")):
            planted(root, name, f"include/pvops/{path}", old, new, f"include/pvops/{path}{lacks}")

        page = root / "README.md"
        page.write_text(page.read_text(encoding="utf-8") + "\n    " + 200 * "x" + "\n```\n" + 200 * "x" + "\n```\n",
                        encoding="utf-8")
        ok(check(root) == (0, ""), "output of programs may have longer lines", check(root)[1])

        (root / "build").mkdir()
        entered, scandir = [], os.scandir

        def watched(path="."):
            entered.append(Path(path).name)
            return scandir(path)

        os.scandir = watched
        names = [path.name for path in pagecheck.pages(root)]
        os.scandir = scandir
        ok("build" not in entered and "backends" in entered and "README.md" in names,
           "a folder that other targets write to meanwhile is not entered", " ".join(entered))
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
