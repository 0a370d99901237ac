#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-report: the comparison of two reports, and the picture of one.

The test makes the reports, in the shape of tests/bench/README.md.  For texts of the picture
it assumes the greatest width.
"""
import contextlib
import copy
import io
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap, cli  # noqa: E402

import chart  # noqa: E402, from tools/, whose path vmtest has set
import report  # noqa: E402

tap = Tap()
folder = tempfile.TemporaryDirectory()


def insns(value, calls=0):
    return {"insns": value, "hypercalls": calls}


def write(name, doc):
    path = Path(folder.name) / name
    path.write_text(doc if isinstance(doc, str) else json.dumps(doc), encoding="utf-8")
    return str(path)


def compare(*args):
    """Exit status, standard output, standard error of the tool, as cli.guard() makes them."""
    said, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            status = report.main(["compare", *args])
    except cli.UsageError as err:
        status, error = err.status, f"report.py: {err}\n"
    except SystemExit as err:
        status = err.code
    return status, said.getvalue(), error


def env(**ops):
    return {"backend": "x", "patch_insns_per_site": 60.0, "ops": ops,
            "bench": {"idle": insns(0), "batch": {"1": {"insns": 20, "per_entry": 20}, "4": {"insns": 40, "per_entry": 10}}}}


one = {"image_sha256": "0" * 64, "qemu": "q", "envs": {
    "native": env(set_pte=insns(2), clts=insns(1), halt={"insns": None, "why": "ends the CPU"}),
    "xenpv": env(set_pte=insns(1000, 1), clts=insns(5, 1), halt={"insns": None, "why": "ends the CPU"})}}


def other(**changes):
    """A copy with changes: env__op: (instructions, hypercalls)."""
    doc = copy.deepcopy(one)
    for name, (value, calls) in changes.items():
        where, op = name.split("__")
        doc["envs"][where]["ops"][op] = insns(value, calls)
    return doc


# Compare

a = write("a.json", one)
tap.equal(compare(a, a), (0, "compare: 0 figures differ, 0 worse by more than 0 %, 0 in one report only\n", ""),
          "compare: a report does not differ from itself")
b = write("b.json", other(xenpv__set_pte=(1040, 1), native__set_pte=(1, 0), xenpv__clts=(5, 2)))
status, said, error = compare(a, b)
rows = [line.split() for line in said.splitlines()]
tap.equal((status, rows, error), (1, [
    ["environment", "operation", "unit", "A", "B", "change"],
    ["xenpv", "ops.clts", "hypercalls", "1", "2", "+100.0", "%", "WORSE"],
    ["xenpv", "ops.set_pte", "insns", "1,000", "1,040", "+4.0", "%", "WORSE"],
    ["native", "ops.set_pte", "insns", "2", "1", "-50.0", "%"], [],
    "compare: 3 figures differ, 2 worse by more than 0 %, 0 in one report only".split()], ""),
    "compare: a row for each figure that differs, the worst first, exit status 1")
tap.equal(compare(b, a, "--threshold", "99")[0], 1, "compare: the other way round native is worse by 100 %")
tap.equal(compare(b, a, "--threshold", "100")[0], 0, "compare: exactly the threshold is not worse")
c = write("c.json", other(xenpv__set_pte=(1040, 1)))
for given, want in (("3.9", 1), ("4", 0), ("50", 0)):
    tap.equal(compare(a, c, "--threshold", given)[0], want, f"compare: 4 % more, threshold {given}: exit status {want}")
tap.equal(compare(c, a)[0], 0, "compare: a report that is only better: exit status 0")
zero = write("zero.json", other(native__clts=(0, 0)))
status, said, _ = compare(zero, a, "--threshold", "1000000")
tap.ok(status == 1 and "new WORSE" in said, "compare: a rise from 0 is worse by any threshold", said)
worse = copy.deepcopy(one)
worse["envs"]["native"]["bench"]["batch"]["4"] = {"insns": 80, "per_entry": 20}
worse["envs"]["native"]["patch_insns_per_site"] = 61.0
status, said, _ = compare(a, write("batch.json", worse))
tap.ok(status == 1 and "bench.batch.4 /entry" in said and "patch_insns_per_site" in said,
       "compare: batches by entry, and the cost of patching", said)
less = copy.deepcopy(one)
del less["envs"]["xenpv"]
del less["envs"]["native"]["ops"]["clts"]
less["envs"]["native"]["ops"]["halt"] = insns(7)
status, said, _ = compare(a, write("less.json", less))
tap.ok(status == 0 and "only in A: native: ops.clts\n" in said and "only in A: xenpv: ops.set_pte\n" in said
       and "measured only in B: native: ops.halt\n" in said, "compare: a figure that one report lacks is listed, and not worse", said)
linux = {"image_sha256": "0" * 64, "qemu": "q", "envs": {
    "native-ours": {"kernel": "ours", "backend": "native", "bench": {"getpid": {"insns": 500, "mean": 501.2, "rounds": 9}}}}}
slower = copy.deepcopy(linux)
slower["envs"]["native-ours"]["bench"]["getpid"]["insns"] = 510
status, said, _ = compare(write("linux.json", linux), write("slower.json", slower), "--threshold", "1")
tap.ok(status == 1 and ["native-ours", "bench.getpid", "insns", "500", "510", "+2.0", "%", "WORSE"]
       in [line.split() for line in said.splitlines()], "compare: a slower Linux is worse", said)

none = Path(folder.name) / "none.json"
for args, want, name in (
        ((a, str(none)), f"{none}: No such file or directory", "a file that is not there"),
        ((a, folder.name), f"{folder.name}: Is a directory", "a folder"),
        ((write("text.json", "hello"), a), "text.json: not JSON: Expecting value", "a file that is not JSON"),
        ((a, write("list.json", [])), "list.json: no report: envs: missing or not an object", "a file that is not a report"),
        ((a, write("env.json", {"envs": {"x": 1}})), "env.json: no report: x.ops: is not an object", "an environment that is not an object"),
        ((a, write("bad.json", other(native__clts=("7", 0)))), "bad.json: no report: native.ops.clts.insns: is not a number",
         "a figure that is not a number"),
        ((a, write("mini.json", linux)), "have no figure in common", "reports of different guests"),
        ((a,), "B.json", "one file"),
        ((a, b, "--threshold", "much"), "much: not a percentage from 0 on", "a threshold that is no number"),
        ((a, b, "--threshold", "-1"), "-1", "a threshold below 0"),
        ((a, b, "--threshold", "nan"), "nan: not a percentage from 0 on", "a threshold that is not a number")):
    status, said, error = compare(*args)
    tap.ok(status == 2 and not said and error.count("\n") == 1 and error.startswith("report.py: ") and want in error,
           f"compare: {name}: one line, 2", error)
said = compare("--help")[1]
tap.ok("--threshold PERCENT" in said and "Exit status" in said, "compare --help explains --threshold and the exit status", said)

# Picture

NAMES = ("native", "xenpv", "vmi", "vmimon", "xenpvh", "kvm", "hyperv")


def big():
    """A report with as many operations as a real one, and the longest names and figures."""
    doc = {"image_sha256": "0" * 64, "qemu": "q", "envs": {}}
    for nr, name in enumerate(NAMES):
        ops = {f"an_operation_of_long_name_{i}": insns(1 if not nr else (i + 7) ** (nr % 5 + 1)) for i in range(60)}
        ops |= {"always_nine": insns(9), "native_has_none": insns(0 if not nr else 12), "tick": insns(1000 + nr * 0.5),
                "twin_of_one": insns(3 + nr), "twin_of_other": insns(3 + nr),
                "not_native": insns(500) if nr else {"insns": None, "why": "no hypervisor"}}
        if name == "kvm":
            del ops["an_operation_of_long_name_3"]
        many = {str(2 ** k): {"insns": 1, "per_entry": 7 + 90 / 2 ** k + (0 if nr in (0, 4, 5, 6) else nr * 0.01)} for k in range(9)}
        doc["envs"][name] = {"ops": ops, "bench": {"idle": insns(0), "nop_sled_100": insns(100), "batch": many,
                                                    "same_batch": {"1": {"insns": 1, "per_entry": 3}, "2": {"insns": 2, "per_entry": 1}}}}
    return doc


def check_picture(doc, title):
    for dark in (False, True):
        made = report.picture(doc, dark)
        what = f"{title}, {'dark' if dark else 'light'}"
        root = ET.fromstring(made.svg())
        size = (int(root.get("width")), int(root.get("height")))
        tap.ok(size[0] == 1200 and size[1] == made.height, f"{what}: 1200 wide", size)
        boxes = [(chart.box(t), t.text) for t in made.texts if t.size < 18]
        outside = [t for (l, top, r, bottom), t in boxes if l < 0 or top < 0 or r > 1200 or bottom > made.height]
        tap.empty(outside, f"{what}: every label is inside")
        over = [f"{t} / {u}" for (p, t), (q, u) in combinations(boxes, 2)
                if p[0] < q[2] and q[0] < p[2] and p[1] < q[3] and q[1] < p[3]]
        tap.empty(over, f"{what}: no label lies over another")
        small = [t.text for t in made.texts if t.size < 11]
        tap.empty(small, f"{what}: no label is smaller than 11")
        said = " ".join(t.text for t in made.texts).replace(",", " ").split()
        for name, cells in ((n, c) for k, n, c in report.table_rows(doc) if "/entry" not in n and n not in report.SELF_TESTS):
            native = cells["native"][0]
            differs = any(c[0] is not None and (native is None or abs(c[0] - native) >= 0.005 * native and c[0] != native)
                          for c in cells.values())
            if differs != (name in said):
                tap.ok(False, f"{what}: {name}: {'is missing' if differs else 'is shown, but differs nowhere'}")
    return made


made = check_picture(big(), "picture")
texts = [t.text for t in made.texts]
tap.equal(texts[texts.index("twin_of_one,") + 1], "twin_of_other", "operations that cost the same everywhere are one row")
tap.ok("+12" in texts and "500" in texts and "-" in texts, "figures that native lacks are shown; '-' stands for not measured")
tap.ok("same_batch" not in texts and "batch" in texts, "a batch that costs the same everywhere is left out")
labels = [t.text for t in made.texts if t.kind.startswith("#")]
tap.equal(sorted(labels), ["kvm, hyperv", "native, xenpvh,", "vmi", "vmimon", "xenpv"], "equal curves are one line")
tap.equal(sum('stroke-width="2"' in shape for shape in made.shapes), 4, "the chart has no other lines")
check_picture({"envs": {n: {"ops": {"clts": insns(1)}, "bench": {}} for n in ("native", "xenpv")}}, "nothing differs")
check_picture({"envs": {"native": {"ops": {"clts": insns(1)}, "bench": {}}}}, "native alone")
for native, value, want in ((2, 2, None), (2, 4, "×2.00"), (1000, 1004, None), (1000, 1006, "×1.01"), (2, 1, "×0.50"),
                            (1, 616.8, "×617"), (1, 12345, "×12k"), (1, 2.5e6, "×2.5M"), (1, 3e10, "×30G"), (0, 0, None), (0, 577.6, "+578"), (None, 334, "334"), (1, None, "-")):
    got = chart.cell(native, value)
    tap.equal(got and got.text, want, f"cell: native {native}, here {value}: {want}")
tap.ok(chart.cell(2, 4).weight > 0 > chart.cell(2, 1).weight, "cell: a higher and a lower cost have different colours")
path = write("picture.json", big())
run = subprocess.run([TOP / "tools/report.py", "chart", path], text=True, capture_output=True, check=False)
drawn = [Path(folder.name, f"bench{d}.svg").read_text(encoding="utf-8") for d in ("", "-dark")]
tap.ok(run.returncode == 0 and chart.LIGHT.paper in drawn[0] and chart.DARK.paper in drawn[1], "chart: draws a light and a dark picture", run.stderr)
folder.cleanup()
tap.done()
