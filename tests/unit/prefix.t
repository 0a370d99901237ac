#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-prefix: names say whose they are.

A line of the log begins with the layer's name, as port.h promises to ports, and once.  A
symbol that other files see begins with "pv_" in the core, and with "pv<folder>_" in a
backend; so does the function of an op, which other files find in a table.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As `make unit` builds them.
OBJECTS = ROOT / "build/stack"
FLAGS = ["-std=gnu11", "-ffreestanding", "-O2", "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only",
         "-fno-pic", "-fno-stack-protector", "-DPV_PORT_INJECT", f"-I{ROOT}/include", f"-I{ROOT}/tests/guest/include"]
CALL = re.compile(r"pv_port_log\(\s*\"((?:[^\"\\]|\\.)*)")
# An entry of a table: .op = PV_FN(function, ...).
OP = re.compile(r"\.\w+ = PV_(?:FN|INLINE|EMPTY)\(\s*(\w+)")


def wrong(text):
    return [m[1] for m in CALL.finditer(text) if not m[1].startswith("pvops: ") or "pvops: " in m[1][7:]]


def prefix(source):
    """Of what this file exports."""
    return "pv_" if source.parts[0] == "pvops" else f"pv{source.parts[1]}_"


def exported(*objects):
    said = subprocess.run(["nm", "-g", "--defined-only", *objects], capture_output=True, text=True, check=True)
    return re.findall(r"^[0-9a-f]+ \w (\S+)$", said.stdout, re.M)


def foreign(names, start):
    return [name for name in names if not name.startswith(start) and not name == start[:-1]]


files = sorted([*ROOT.glob("pvops/*.c"), *ROOT.glob("backends/*/*.[ch]")])
bad, seen = [], 0
for path in files:
    source = path.read_text(encoding="utf-8")
    seen += len(CALL.findall(source))
    bad += [f"{path.relative_to(ROOT)}: {line}" for line in wrong(source)]

# Other names than they should have: symbols, functions of ops.
strange, of_ops, symbols, missing = [], [], 0, []
with tempfile.TemporaryDirectory() as tmp:
    for path in sorted([*ROOT.glob("pvops/*.c"), *ROOT.glob("backends/*/*.c"), *ROOT.glob("backends/*/*.S")]):
        source = path.relative_to(ROOT)
        made = OBJECTS / source.with_suffix(".o")
        # These are empty, or assembly, and not among the others.
        if path.name == "inject.c" or path.suffix == ".S":
            made = pathlib.Path(tmp) / "one.o"
            more = ["-D__ASSEMBLY__"] if path.suffix == ".S" else []
            subprocess.run(["gcc", *FLAGS, *more, "-c", "-o", made, path], check=True)
        if not made.exists():
            missing.append(str(source))
            continue
        names = exported(made)
        symbols += len(names)
        strange += [f"{source}: {name}" for name in foreign(names, prefix(source))]
        found = OP.findall(path.read_text(encoding="utf-8"))
        of_ops += [f"{source}: {name}" for name in foreign(found, prefix(source))
                   if not re.match(r"PV|function$", name)]
    planted = pathlib.Path(tmp) / "planted.c"
    planted.write_text("int pvxen_good, xen_bad; static int own; int *pvxen_user(void) { return &own; }\n",
                       encoding="utf-8")
    subprocess.run(["gcc", "-c", "-o", f"{tmp}/planted.o", planted], check=True)
    told = foreign(exported(f"{tmp}/planted.o"), "pvxen_")

cases = [
    (seen > 50 and not bad, f"{seen} log lines have the prefix pvops: once", bad),
    (wrong('pv_port_log("xen: %d", 1); pv_port_log(\n\t"pvops: pvops: x");') == ["xen: %d", "pvops: pvops: x"],
     "a name or line with a wrong prefix is found", []),
    (symbols > 250 and not strange + missing, f"{symbols} symbols have their folder's prefix",
     [*strange, *(f"{name}: no object; make unit builds them" for name in missing)]),
    (not of_ops, "the functions of ops have their folder's prefix", of_ops),
    (told == ["xen_bad"], "a name or line with a wrong prefix is found", told),
]
for nr, (good, name, why) in enumerate(cases, 1):
    print(f"{'ok' if good else 'not ok'} {nr} - {name}")
    for line in why:
        print(f"# {line}")
print(f"1..{len(cases)}")
sys.exit(0 if all(c[0] for c in cases) else 1)
