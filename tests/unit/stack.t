#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-stack: core and backends take no more stack than include/pvops/port.h says,
and tools/stack.py follows sites, calls through pointers, and rings of calls."""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

FLAGS = ["-std=gnu11", "-ffreestanding", "-O2", "-mcmodel=kernel", "-mno-red-zone", "-mgeneral-regs-only",
         "-fno-pic", "-fno-stack-protector", f"-I{TOP}/include", f"-I{TOP}/tests/guest/include", "-fcallgraph-info=su"]
# A backend that needs too much stack, in each possible way; {body} is native's op halt.
SOURCE = """
#include <pvops/call.h>
#include <pvops/port.h>
#include <pvops/pvops.h>
void more(void);
void sink(char *where);
void pvnative_fn_halt(void) __attribute__((noinline));
{more}
void pvnative_fn_halt(void) {{ {body} }}
void pvnative_fn_wbinvd(void) {{ char room[600]; sink(room); }}
void pvnative_fn_clts(void) {{ char room[600]; sink(room); pv_wbinvd(); }}
static struct pv_cpu_impls table = {{ .wbinvd = PV_FN(pvnative_fn_wbinvd, 0), .clts = PV_FN(pvnative_fn_clts, 0) }};
static struct pv_irq_impls irq = {{ .halt = PV_FN(pvnative_fn_halt, 0) }};
static struct pv_backend planted = {{ .name = "planted", .cpu = &table, .irq = &irq }};
PV_BACKEND(planted);
"""


def stack(*args):
    done = subprocess.run([TOP / "tools/stack.py", *args], text=True, capture_output=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def planted(body, more=""):
    """The output of tools/stack.py for a backend "native" with this op."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "backends/native/planted.c"
        source.parent.mkdir(parents=True)
        source.write_text(SOURCE.format(body=body, more=more), encoding="utf-8")
        subprocess.run(["gcc", *FLAGS, "-c", "-o", source.with_suffix(".o"), source], check=True)
        status, _, told = stack(folder, "--check")
        return status, " ".join(told)


tap = Tap()
status, said, told = stack(TOP / "build/stack", "--check")
tap.ok(status == 0, "core and backends keep to the bounds of port.h", *told)
backends = {p.name for p in (TOP / "backends").iterdir() if p.is_dir()}
tap.equal({line.split()[0] for line in said}, backends, "each backend is measured")
tap.ok(all(int(line.split()[2]) > 0 for line in said), "each backend needs some stack", *said)

status, line = planted("char room[700]; sink(room);")
tap.ok(status == 1 and "pvnative_fn_halt: a frame of 7" in line, "a large frame is reported", line)
status, line = planted("char room[200]; sink(room); pv_clts(); sink(room);")
tap.ok(status == 1 and "pvnative_fn_halt" in line and "pvnative_fn_clts" in line and "pvnative_fn_wbinvd" in line,
       "a chain through two sites is followed", line)
status, line = planted("more();", "static void (*to)(void); void more(void) { to(); sink(0); }")
tap.ok(status == 1 and "calls through a pointer" in line and "POINTERS" in line, "a call through an unknown pointer is reported", line)
status, line = planted("more(); sink(0);", "void __attribute__((noinline)) more(void) { pvnative_fn_halt(); sink(0); }")
tap.ok(status == 1 and "a cycle of calls" in line, "a cycle of calls is reported", line)
status, line = planted("sink(0);", "void more(void) { char room[pvnative_fn_halt == more ? 1 : 900]; sink(room); }\n"
                       "void grow(unsigned long n) { char room[n]; sink(room); }")
tap.ok(status == 1 and "grow has a frame without a bound" in line, "a frame without a bound is reported", line)
with tempfile.TemporaryDirectory() as folder:
    tap.equal(stack(folder), (1, [], [f"stack.py: {folder}: no *.ci there; make unit builds them"]),
              "a folder without graphs is reported")
tap.done()
