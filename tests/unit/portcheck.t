#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-portcheck: the template is a complete port, and tools/portcheck.py names each thing
that a port lacks in one line.  docs/porting.md is right about flags and functions."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

TEMPLATE = TOP / "ports/template"


def check(folder, *more):
    done = subprocess.run([TOP / "tools/portcheck.py", folder, *more], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def changed(*edits):
    """portcheck's result for a copy of the template with (file, pattern, text) replaced."""
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "port"
        shutil.copytree(TEMPLATE, port)
        for name, pattern, text in edits:
            old = (port / name).read_text(encoding="utf-8")
            new = re.sub(pattern, text, old, count=1, flags=re.S | re.M)
            assert new != old, f"{name}: no {pattern}"
            (port / name).write_text(new, encoding="utf-8")
        return check(port)


def told(tap, what, lines, *edits):
    """portcheck prints exactly these lines, and their number."""
    status, said, _ = changed(*edits)
    found = [x for x in said if re.match(r"[\w .]+: ", x) and not x.startswith("port-check: ")]
    nr = f"{len(lines)} thing{'s are' if len(lines) > 1 else ' is'} missing or wrong"
    tap.ok((status, found) == (1, lines) and said[-1].endswith(nr), f"{what}: {lines[0]}", *said)


tap = Tap()
status, said, err = check(TEMPLATE)
backends = sorted(p.name for p in (TOP / "backends").iterdir() if p.is_dir())
tap.ok(status == 0, "the template is a whole port", *said, *err)
tap.ok(said[-1] == f"port-check: {TEMPLATE}: good: core and {len(backends)} backends", "its last line says good", *said)
tap.equal(sorted(x.split()[1] for x in said if x.startswith("backend")), backends, "each backend is checked")

# docs/porting.md.
page = (TOP / "docs/porting.md").read_text(encoding="utf-8")
public = "".join(p.read_text(encoding="utf-8") for p in TOP.glob("include/pvops/**/*.h"))
table = check(TEMPLATE, "--needs")[1]
tap.ok(len(table) > 20 and "\n".join(table) in page, "the page has the table of functions that --needs writes", *table)
flags = {w for x in (TEMPLATE / "flags").read_text(encoding="utf-8").splitlines() for w in x.split("#")[0].split()}
rows = re.findall(r"^\| (`-[^|]*) \|", page, re.M)
tap.equal({w for row in rows for w in re.findall(r"`([^`]+)`", row)} - {"-D__ASSEMBLY__"}, flags - {"-O2", "-I."},
          "the page's table of flags has the template's flags")
ops = set(re.findall(r"^PV_OP\(\w+, (\w+),", public, re.M))
tap.empty([n for n in sorted(set(re.findall(r"\bpv_\w+|\bPV_\w+", page)))
           if n.removeprefix("pv_") not in ops and not re.search(rf"\b{n}\b", public)], "a public header has each name on the page")
tap.empty([f"{n} {v}" for n, v in re.findall(r"^#define (PV_STACK_\w+)\s+(\d+)", public, re.M) if f"({v})" not in page],
          "the page has the bounds of the stack")
tap.empty([n for n in re.findall(r"`((?:ports|tests|tools|include|backends)/[\w./]+)`", page) if not (TOP / n).exists()],
          "each file that the page names exists")
script = (TEMPLATE / "port.lds").read_text(encoding="utf-8")
tap.empty([n for n in re.findall(r"__pv_\w+ = ", script) if n not in page], "the page's linker snippet has the template's symbols")

status, said, _ = changed(("pvops_port.h", r"^#define __bitwise", "#undef offsetof\n#define __bitwise"))
tap.ok(status == 0, "a kernel may have no offsetof", *said)

# A port with the template's header and flags has the template's objects of the layer.
told(tap, "a missing function", ["backend xen: needs pv_port_linear_pte: not defined"],
     ("port.c", r"^pv_pte_t \*pv_port_linear_pte.*?^}\n", ""))
told(tap, "a missing assembly entry", ["backend xen: needs pv_port_syscall_hwframe: not defined"],
     ("entry.S", r"^\t.globl\tpv_port_syscall_hwframe\npv_port_syscall_hwframe:\n", ""))
told(tap, "a wrong type",
     ["pv_port_tsc_khz: defined as 'u64(void)' in port.c, the contract has 'u32(void)'"],
     ("port.c", r"^u32 pv_port_tsc_khz", "u64 pv_port_tsc_khz"))
told(tap, "a script without a symbol", ["core: needs __pv_text_end: not in port.lds"],
     ("port.lds", r"__pv_text_end = \.;", ""))
told(tap, "a file of C that does not compile",
     ["port.c: does not compile: port.c:10:10: fatal error: nosuch.h: No such file or directory"],
     ("port.c", r"^#include <stdarg.h>", "#include <nosuch.h>"))
told(tap, "a file of assembly that does not compile",
     ["entry.S: does not compile: entry.S:8: Error: no such instruction: `nosuch'"],
     ("entry.S", r"^#include <pvops/site.h>", "nosuch"))
told(tap, "a missing flag",
     ["flags: -mno-red-zone is missing: a site calls on the stack of the code around it, and an interrupt uses it",
      "headers: needs type s64: not defined in pvops_port.h"],
     ("flags", r"^-mno-red-zone\n", ""), ("pvops_port.h", r"^typedef int64_t s64;\n", ""))
told(tap, "a type of another width",
     ["headers: type u32: not an unsigned type of 32 bits"],
     ("pvops_port.h", r"^typedef uint32_t u32;", "typedef uint16_t u32;"))
told(tap, "a missing macro",
     ["backend native: needs PV_GDT_LDT: not defined in pvops_port.h",
      "backend xen: needs PV_USER_CS: not defined in pvops_port.h",
      "assembly: PV_USER_CS: no number with __ASSEMBLY__ defined"],
     ("pvops_port.h", r"^#define PV_USER_CS.*?\n", ""), ("pvops_port.h", r"^#define PV_GDT_LDT.*?\n", ""))

with tempfile.TemporaryDirectory() as folder:
    to = Path(folder) / "port.elf"
    status, said, err = check(TEMPLATE, "--image", to)
    tap.ok(status == 0 and to.read_bytes()[:4] == b"\x7fELF" and said[-1].endswith(f" backends, {to}"),
           "--image links the template", *said, *err)
    tap.equal(check(TEMPLATE, "--image")[0], 2, "--image without a file is a wrong argument")
for folder, line in ((TOP / "docs", "no pvops_port.h in it"), (TOP / "tests/guest/include", "no file named flags in it")):
    tap.equal(check(folder), (2, [], [f"port-check: {folder}: {line}"]), f"no port: {line}")
tap.done()
