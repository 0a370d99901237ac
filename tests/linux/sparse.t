#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""sparse reports nothing on Linux with pvops that it does not report on stock Linux, and finds
mixed-up address types.

Needs the builds ours and stock of tools/linux.sh.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

import cli  # noqa: E402

LINUX = cli.linux()
OURS = ["-C", f"{LINUX}/ours"]
STOCK = ["-C", f"{LINUX}/pristine", f"O={TOP}/{LINUX}/stock"]
WORD = re.compile(r"(\S+?)((?::\d+)+): ((?:warning|error): .*)")

# Kbuild's checker, for one file with a line changed.
PLANT = r"""#!/bin/sh
for file; do :; done
sed '{edit}' "$file" >{copy}
exec sparse "$@" -I"$(dirname "$file")" {copy}
"""

tap = Tap()


def kmake(where, *words):
    run = subprocess.run(["make", "-j2", *where, "C=2", *words], cwd=TOP, text=True, capture_output=True, check=False)
    if run.returncode:
        tap.ok(False, f"make {' '.join((*where, *words))}", *run.stderr.splitlines()[-5:])
    return (run.stdout + run.stderr).splitlines()


def said(lines):
    """{(file within the tree, text)}, and the number of checked files."""
    out = set()
    for line in lines:
        m = WORD.fullmatch(line)
        if m:
            out.add((re.sub(r"^.*/pristine/|^\./", "", m[1]), m[3]))
    return out, sum(line.startswith("  CHECK ") for line in lines)


ours, looked = said(kmake(OURS, "arch/x86/"))
stock, _ = said(kmake(STOCK, "arch/x86/"))
tap.ok(looked > 200 and stock, f"sparse checked {looked} files")
tap.empty([f"{file}: {text}" for file, text in sorted(ours - stock)], "no warning is new against stock")

for file, edit, what in (
        ("arch/x86/kernel/pvops_pgtable.c", r"s/pv_pfn(page_to_pfn(page))/page_to_pfn(page)/", "a number as PFN"),
        ("arch/x86/kernel/pvops_port.c", r"s/return pv_pfn(/return pv_mfn(/", "an MFN as PFN"),
        ("arch/x86/pvops/xen/tables.c", r"s/pv_mfn_to_maddr(pvxen_mfn(pfn))/pv_mfn_to_maddr(pfn)/", "a PFN as MFN"),
        ("arch/x86/pvops/native/mmu.c", r"s/(__force u64)//", "an entry as a number"),
        ("arch/x86/xen/pvops.c", r"$a u64 pvops_planted(pv_pte_t pte); u64 pvops_planted(pv_pte_t pte) { return pte >> 12; }",
         "an entry shifted"),
):
    with tempfile.TemporaryDirectory() as folder:
        checker = Path(folder) / "check"
        checker.write_text(PLANT.format(edit=edit, copy=f"{folder}/planted.c"))
        checker.chmod(0o755)
        found = [line for line in kmake(OURS, f"CHECK={checker}", file[:-1] + "o")
                 if "/planted.c:" in line and re.search(r"warning: (incorrect type|restricted)|error: ", line)]
        tap.ok(found, f"sparse finds in {os.path.basename(file)}: {what}", *found)
tap.done()
