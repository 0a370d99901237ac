#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Boot the guest in each environment and put the results side by side.

  report.py demo           tests and the short measurement; one table
  report.py bench          tests and the full measurement; table and chart
  report.py check FILE     check the shape of a report (tests/bench/README.md)
  report.py compare A B    the differences from report A to report B (compare --help)
  report.py chart FILE     draw bench.svg and bench-dark.svg of a report, beside it

--envs A,B names other environments of tests/vm/envs.toml.  Writes
build/report/{demo,bench}.json, and bench.md, bench.svg and bench-dark.svg.  Exit
status: 0 all good; 1 a test failed, an environment did not end, a site was not
patched, a figure is missing or a self-test is wrong; 2 wrong arguments; 3 a file or
program is missing.
"""
import argparse
import json
import os
import re
import sys
import textwrap
from pathlib import Path

import chart
import cli
import environments
import guestlog
import judge
import qemu
import vm

ENVS = ("native", "xenpv", "vmi", "vmimon", "xenpvh", "kvm", "hyperv")
OUT = Path("build/report")
WIDTH = 100
SITE_FORMS = ("inline", "call", "nop", "jump", "indirect", "failed", "outline")
# Self-tests: the figures of an empty and of a known measurement.
SELF_TESTS = {"idle": 0, "nop_sled_100": 100}

NUMBER, COUNT, TEXT = "a number", "a whole number", "text"
TEXTS, TREE = "a list of texts", "an object"
# Field of an environment: (type, required).  GUEST: required for the mini guest only,
# not for Linux.
GUEST = "guest"
FIELDS = {
    "kernel": (TEXT, False),
    "backend": (TEXT, True),
    "detected": (TEXTS, True),
    "refused": (TEXTS, True),
    "sites": (TREE, GUEST),
    "site_ops": (TREE, False),
    "patch_insns": (COUNT, False),
    "patch_insns_per_site": (NUMBER, GUEST),
    "patch_serialisations": (COUNT, GUEST),
    "contract": (TREE, True),
    "ops": (TREE, GUEST),
    "bench": (TREE, True),
    "parts": (TREE, False),
}


# The document

def is_a(value, kind):
    if kind in (NUMBER, COUNT):
        types = int if kind == COUNT else (int, float)
        return isinstance(value, types) and not isinstance(value, bool) and value >= 0
    if kind == TEXTS:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, {TEXT: str, TREE: dict}[kind])


def is_measurement(value):
    return isinstance(value, dict) and "insns" in value


def is_series(value):
    """{"1": {...}, "2": {...}, ...}: measurements by size."""
    return isinstance(value, dict) and value and all(k.isdigit() for k in value) and \
        all(map(is_measurement, value.values()))


def flatten(tree, path=""):
    """[(dotted path, measurement)], in the guest's order."""
    out = []
    for key, value in tree.items():
        name = f"{path}.{key}" if path else key
        if is_measurement(value):
            out.append((name, value))
        elif isinstance(value, dict):
            out += flatten(value, name)
    return out


def _bad_measurement(m, path, size):
    """Errors of one measurement, or of one in a series, as lines."""
    if m["insns"] is None:
        return [] if is_a(m.get("why", None), TEXT) else [f"{path}: not measured, and no \"why\""]
    bad = [f"{path}.{k}: is not a number" for k, v in m.items() if k != "list" and not is_a(v, NUMBER)]
    if not is_a(m.get("list", ""), TEXT):
        bad.append(f"{path}.list: is not a text")
    if bad or size is None:
        return bad
    if "per_entry" not in m:
        return [f"{path}: of a series, and has no per_entry"]
    # Rounded by the guest to hundredths.
    if abs(m["insns"] - m["per_entry"] * size) > 0.01 * size:
        return [f"{path}: {m['insns']} instructions are not {size} times {m['per_entry']}"]
    return []


def _bad_tree(tree, path, size=None):
    """Errors of measurements, as lines."""
    if is_measurement(tree):
        return _bad_measurement(tree, path, size)
    if not isinstance(tree, dict) or not tree:
        return [f"{path}: is not a measurement"]
    series = is_series(tree)
    return [line for k, v in tree.items()
            for line in _bad_tree(v, f"{path}.{k}", int(k) if series else None)]


def validate_env(env):
    """Errors of one environment's object, as lines."""
    bad = [f"{key}: unknown field" for key in env if key not in FIELDS]
    for key, (kind, required) in FIELDS.items():
        if key not in env:
            bad += [f"{key}: missing"] if required is True or \
                required == GUEST and "kernel" not in env else []
        elif not is_a(env[key], kind):
            bad.append(f"{key}: is not {kind}")
    if bad:
        return bad
    for key, names in (("sites", SITE_FORMS), ("contract", guestlog.VERDICTS)):
        if key not in env:
            continue
        bad += [f"{key}.{n}: is not {COUNT}" for n in names if not is_a(env[key].get(n), COUNT)]
        bad += [f"{key}.{n}: unknown field" for n in env[key] if n not in names]
    for op, forms in env.get("site_ops", {}).items():
        bad += [f"site_ops.{op}.{f}: is not {COUNT}" for f, n in forms.items() if not is_a(n, COUNT)]
        bad += [f"site_ops.{op}.{f}: unknown form" for f in forms if f not in SITE_FORMS]
    for key in ("ops", "bench"):
        if key in env:
            bad += _bad_tree(env[key], key) if env[key] else [f"{key}: is empty"]
    if bad:
        return bad
    for name, want in SELF_TESTS.items():
        is_ = env["bench"].get(name, {}).get("insns")
        if is_ != want:
            bad.append(f"self-test bench.{name}: {is_} instructions, must be {want}; "
                       "no figure here can be trusted")
    for form in ("indirect", "failed"):
        if env.get("sites", {}).get(form):
            bad.append(f"sites.{form}: {env['sites'][form]} sites, must be 0")
    for word in ("fail", "error"):
        if env["contract"][word]:
            bad.append(f"contract.{word}: {env['contract'][word]} tests, must be 0")
    if not env["contract"]["pass"]:
        bad.append("contract.pass: no test passed")
    return bad


def validate(doc):
    """Errors of a report, as lines."""
    if not isinstance(doc, dict) or not isinstance(doc.get("envs"), dict) or not doc["envs"]:
        return ["envs: missing or not an object"]
    bad = []
    if not re.fullmatch(r"[0-9a-f]{64}", str(doc.get("image_sha256"))):
        bad.append("image_sha256: is not 64 hex digits")
    if not is_a(doc.get("qemu"), TEXT):
        bad.append(f"qemu: is not {TEXT}")
    bad += [f"{key}: unknown field" for key in doc if key not in ("image_sha256", "qemu", "envs")]
    for name, env in doc["envs"].items():
        bad += [f"{name}: {line}" for line in
                (validate_env(env) if isinstance(env, dict) else ["is not an object"])]
    return bad


def env_object(run):
    """An environment's object of the report, from a run."""
    env = {"backend": None, "detected": [], "refused": [], **run["data"]}
    said = env.get("contract")
    if said is not None and said != run["totals"]:
        run["problems"].append(f"the guest counts {said}, its lines say {run['totals']}")
    env["contract"] = run["totals"]
    if run["parts"]:
        env["parts"] = run["parts"]
    return {key: env[key] for key in sorted(env, key=_field_order)}


def _field_order(key):
    return list(FIELDS).index(key) if key in FIELDS else len(FIELDS)


# Booting

def collect(names, words):
    """Boot each environment; return (document, {name: run}, [errors])."""
    doc = {"image_sha256": None, "qemu": qemu.version(), "envs": {}}
    runs, wrong = {}, []
    for name in names:
        print(f"{name}: booting ... ", end="", flush=True)
        tag = next(w.removeprefix("bench=") for w in words if w.startswith("bench="))
        run = vm.run(name, words, tag=tag)
        totals = run["totals"]
        text = f"{run['seconds']} s, {totals['pass']} tests passed"
        for word, says in (("skip", "skipped"), ("fail", "FAILED"), ("error", "in ERROR")):
            text += f", {totals[word]} {says}" if totals[word] else ""
        print(text if run["end"] else f"{text}, then NO END MARKER", flush=True)
        runs[name], doc["envs"][name] = run, env_object(run)
        wrong += [f"{name}: {line}" for line in judge.explain(run)]
        expected = environments.env_rows(name)["backend"]
        if run["end"] and run["data"].get("backend") != expected:
            wrong.append(f"{name}: chose {run['data'].get('backend')}, not {expected}")
        if doc["image_sha256"] not in (None, run["image_sha256"]):
            wrong.append(f"{name}: booted another image than the others")
        doc["image_sha256"] = run["image_sha256"]
    for line in validate(doc):
        name = line.split(":")[0]
        # The crash is reported; figures that are missing because of it are not.
        if name not in runs or runs[name]["end"]:
            wrong.append(line)
    return doc, runs, wrong


def save(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# Text

def figure(value):
    """A number as text: 1,234 or 1,234.5; None is "-"."""
    if not is_a(value, NUMBER):
        return "-"
    return f"{value:,.1f}" if value != int(value) else f"{int(value):,}"


def wrap(label, lines):
    """label and its lines, cut to the page's width."""
    out = []
    for i, line in enumerate(lines or ["none"]):
        room = WIDTH - 13
        line = line if len(line) <= room else line[:room - 3] + "..."
        out.append(f"  {label if not i else '':10} {line}")
    return out


def block(name, env, run):
    """Text: what one environment detected, chose and did."""
    sites = {form: env.get("sites", {}).get(form, "?") for form in SITE_FORMS}
    chosen = [r.split("pvops: chosen: ")[1] for r in run["log"] if "pvops: chosen: " in r]
    totals = env["contract"]
    return "\n".join([
        f"{name}: {environments.env_rows(name)['title']}",
        *wrap("detected", env["detected"]),
        *wrap("chosen", chosen or [str(env["backend"])]),
        *wrap("refused", env["refused"]),
        *wrap("sites", ["inline {inline}, direct call {call}, nop {nop}, jump {jump}, "
                        "left indirect {indirect}, failed {failed}; outline {outline}".format(**sites)]),
        *wrap("patching", [f"{figure(env.get('patch_insns_per_site'))} instructions per site, "
                           f"serialised {figure(env.get('patch_serialisations'))} time(s)"]),
        *wrap("contract", [", ".join(f"{totals[v]} {v}" for v in guestlog.VERDICTS)]),
    ]) + "\n"


def table_rows(doc):
    """[(name, {env: (insns, hypercalls)})] over all environments, ops first.

    Series give a row per size, with instructions per entry.
    """
    rows = {}
    for key in ("ops", "bench"):
        for env, body in doc["envs"].items():
            for path, m in flatten(body.get(key, {})):
                per_entry = "per_entry" in m
                name = path + (" /entry" if per_entry else "")
                rows.setdefault((key, name), {})[env] = (
                    m["per_entry"] if per_entry else m["insns"], m.get("hypercalls"))
    return [(key, name, cells) for (key, name), cells in rows.items()]


def not_measured(doc):
    """Why figures are missing: {why: [names]}."""
    out = {}
    for body in doc["envs"].values():
        for key in ("ops", "bench"):
            for path, m in flatten(body.get(key, {})):
                if m["insns"] is None and path not in out.setdefault(m.get("why", "?"), []):
                    out[m.get("why", "?")].append(path)
    return out


def table(doc):
    """The one table, as text."""
    names = list(doc["envs"])
    rows = table_rows(doc)
    insns, calls = 11, 6
    column = insns + calls
    width = max([len(name) + 1 for _, name, _ in rows] + [20])
    line = "-" * (width + column * len(names))
    out = ["Executed instructions (guest and hypervisor) and hypercalls per operation:", "",
           " " * width + "".join(f"{name:>{column}}" for name in names),
           "operation".ljust(width) + f"{'insns':>{insns}}{'calls':>{calls}}" * len(names), line]
    before = None
    for key, name, cells in rows:
        if before not in (None, key):
            out.append(line)
        before = key
        out.append(name.ljust(width) + "".join(
            f"{figure(cells.get(env, (None, None))[0]):>{insns}}"
            f"{figure(cells.get(env, (None, None))[1]):>{calls}}" for env in names))
    if reasons := not_measured(doc):
        out += ["", "-: not measured, because"]
        for why, what in reasons.items():
            out += textwrap.wrap(f"{why}: {', '.join(what)}", WIDTH, initial_indent="  ",
                                 subsequent_indent="    ")
    return "\n".join(out) + "\n"


def markdown(doc):
    """bench.md: the same, for a page."""
    names = list(doc["envs"])
    out = ["<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->",
           "# pvops: measured path lengths", "",
           "Executed instructions, guest and hypervisor together, counted by the emulator; not time.",
           f"Image sha256 `{doc['image_sha256']}`. {doc['qemu']}.", "",
           "| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    facts = [("backend", lambda e: e["backend"])]
    facts += [(f"sites: {f}", lambda e, f=f: figure(e.get("sites", {}).get(f))) for f in SITE_FORMS]
    facts += [("instructions to patch a site", lambda e: figure(e.get("patch_insns_per_site"))),
              ("serialisations per pass", lambda e: figure(e.get("patch_serialisations")))]
    facts += [(f"contract: {v}", lambda e, v=v: figure(e["contract"][v])) for v in guestlog.VERDICTS]
    for label, get in facts:
        out.append(f"| {label} | " + " | ".join(str(get(doc["envs"][n])) for n in names) + " |")
    out += ["", "| operation | " + " | ".join(f"{n} insns | {n} hypercalls" for n in names) + " |",
            "|---|" + "---:|---:|" * len(names)]
    for _, name, cells in table_rows(doc):
        out.append(f"| {name} | " + " | ".join(
            f"{figure(a)} | {figure(b)}" for a, b in (cells.get(n, (None, None)) for n in names)) + " |")
    out += ["", *(f"- not measured, because {why}: {', '.join(what)}"
                  for why, what in not_measured(doc).items())]
    return "\n".join(out) + "\n"


# Chart

def series_of(doc):
    """{batch: {env: [(size, per entry)]}} of every series in the report."""
    out = {}

    def walk(env, tree, path):
        for key, value in tree.items():
            name = f"{path}.{key}" if path else key
            if is_series(value):
                points = [(int(k), m["per_entry"]) for k, m in value.items() if m.get("per_entry")]
                if points:
                    out.setdefault(name, {})[env] = sorted(points)
            elif isinstance(value, dict) and not is_measurement(value):
                walk(env, value, name)

    for env, body in doc["envs"].items():
        walk(env, body.get("bench", {}), "")
    return out


def picture(doc, dark):
    """What differs from native (tools/chart.py)."""
    rows = [(name, {env: c[0] for env, c in cells.items() if c[0] is not None})
            for _, name, cells in table_rows(doc) if "/entry" not in name and name not in SELF_TESTS]
    return chart.draw(rows, series_of(doc), list(doc["envs"]), dark)


def save_charts(doc, folder):
    return [save(folder / f"bench{'-dark' if dark else ''}.svg", picture(doc, dark).svg())
            for dark in (False, True)]


def draw(path):
    for name in save_charts(read_report(path), Path(path).parent):
        print(name)
    return 0


# Commands

def finish(what, wrong):
    if not wrong:
        print(f"{what}: good")
        return 0
    sys.stdout.flush()
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{what}: FAILED", file=sys.stderr)
    return cli.EXIT_FAILED


def demo(names):
    doc, runs, wrong = collect(names, ["test=all", "bench=demo"])
    path = save(OUT / "demo.json", json.dumps(doc, indent=1) + "\n")
    print(f"\none image, sha256 {doc['image_sha256']}\n")
    for name, run in runs.items():
        print(block(name, doc["envs"][name], run))
    print(table(doc))
    print(f"raw results: {path}")
    return finish("demo", wrong)


def add_two_cpus(doc, names):
    """Add figures that need a second CPU, from the smp2 variant; return errors."""
    wrong = []
    for name in names:
        pair = f"{name}-smp2"
        if pair not in environments.envs():
            continue
        print(f"{pair}: booting ... ", end="", flush=True)
        run = vm.run(pair, ["test=none", "bench=smp"], tag="bench")
        print(f"{run['seconds']} s", flush=True)
        wrong += [f"{pair}: {line}" for line in judge.explain(run)]
        figure = run["data"].get("bench", {}).get("ipi_round_trip")
        if not figure:
            wrong.append(f"{pair}: no ipi_round_trip")
        else:
            doc["envs"][name]["bench"]["ipi_round_trip"] = figure
    return wrong


def bench(names):
    doc, _, wrong = collect(names, ["test=all", "bench=full"])
    wrong += add_two_cpus(doc, names)
    paths = [save(OUT / "bench.json", json.dumps(doc, indent=1) + "\n"),
             save(OUT / "bench.md", markdown(doc)), *save_charts(doc, OUT)]
    print("\n" + table(doc))
    for path in paths:
        print(path)
    return finish("bench", wrong)


def read_report(path):
    """Read a report that another run wrote; an unsound one is a wrong argument."""
    try:
        doc = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise cli.UsageError(f"{path}: {err.strerror}") from err
    except ValueError as err:
        raise cli.UsageError(f"{path}: not JSON: {err}") from err
    if bad := _bad_shape(doc):
        raise cli.UsageError(f"{path}: {bad}")
    return doc


def _bad_shape(doc):
    """Why the figures cannot be read, or None.  Other errors do not prevent a comparison."""
    envs = doc.get("envs") if isinstance(doc, dict) else None
    if not isinstance(envs, dict) or not envs:
        return "no report: envs: missing or not an object"
    for name, env in envs.items():
        for key in ("ops", "bench"):
            if not isinstance(env, dict) or not isinstance(env.get(key, {}), dict):
                return f"no report: {name}.{key}: is not an object"
        for key in ("ops", "bench"):
            for path, m in flatten(env.get(key, {})):
                for field in ("insns", "hypercalls", "per_entry"):
                    if m.get(field) is not None and not is_a(m[field], NUMBER):
                        return f"no report: {name}.{key}.{path}.{field}: is not a number"
    return None


# The field of an environment that is compared, besides the measurements.
FACTS = {"patch_insns_per_site": lambda env: env.get("patch_insns_per_site")}


def figures_of(doc):
    """{(env, operation, "insns" or "hypercalls"): number or None}."""
    out = {}
    for name, env in doc["envs"].items():
        for key in ("ops", "bench"):
            for path, m in flatten(env.get(key, {})):
                entry = "per_entry" in m
                row = f"{key}.{path}" + (" /entry" if entry else "")
                out[name, row, "insns"] = m["per_entry"] if entry else m["insns"]
                if "hypercalls" in m:
                    out[name, row, "hypercalls"] = m["hypercalls"]
        for fact, get in FACTS.items():
            if get(env) is not None:
                out[name, fact, "insns"] = get(env)
    return out


def change_of(before, after):
    """The increase in percent; infinite from 0 on."""
    if before == after:
        return 0.0
    return (after - before) * 100 / before if before else float("inf")


def differences(one, other):
    """([(env, operation, unit, before, after, percent)], the worst first; [what only one has])."""
    before, after = figures_of(one), figures_of(other)
    lone = [f"only in {which}: {env}: {row}" for which, has, lacks in
            (("A", before, after), ("B", after, before))
            for env, row, unit in has if unit == "insns" and (env, row, unit) not in lacks]
    rows = []
    for (env, row, unit), was in before.items():
        now = after.get((env, row, unit), was)
        if was is None or now is None:
            if was is not now:
                lone.append(f"measured only in {'B' if was is None else 'A'}: {env}: {row}")
        elif was != now:
            rows.append((env, row, unit, was, now, change_of(was, now)))
    return sorted(rows, key=lambda r: (-r[5], r[:3])), lone


def percent(value):
    return "new" if value == float("inf") else f"{value:+.1f} %"


def compare(paths, threshold):
    """Exit status 0: nothing is worse by more than @threshold percent; else 1."""
    docs = [read_report(path) for path in paths]
    if not figures_of(docs[0]).keys() & figures_of(docs[1]).keys():
        raise cli.UsageError(f"{paths[0]} and {paths[1]} have no figure in common")
    rows, lone = differences(*docs)
    width = max([len(row[1]) for row in rows] + [9])
    if rows:
        print(f"{'environment':14}{'operation':{width}}  {'unit':10}{'A':>13}{'B':>13}{'change':>12}")
    for env, row, unit, was, now, by in rows:
        print(f"{env:14}{row:{width}}  {unit:10}{figure(was):>13}{figure(now):>13}{percent(by):>12}"
              + (" WORSE" if by > threshold else ""))
    if lone:
        print("\n".join(["", *lone] if rows else lone))
    worse = sum(row[5] > threshold for row in rows)
    print(("\n" if rows or lone else "") + f"compare: {len(rows)} figures differ, {worse} worse by more than "
          f"{threshold:g} %, {len(lone)} in one report only")
    return cli.EXIT_FAILED if worse else 0


COMPARE_HELP = """\
Compare two reports of `make bench`, `make demo` or `make bench GUEST=linux`: two versions on
one machine, or one version on two machines.  A is the earlier one.  Every figure that differs
is a row, the worst first: executed instructions and hypercalls of each operation (of a batch:
per entry), and instructions to patch a site.  More is worse.  Figures that only one report
has are listed, and do not count as worse.

Exit status: 0 no figure is worse by more than the threshold; 1 a figure is; 2 wrong
arguments, or a file that cannot be read or is no report; one line names it and says why."""


def threshold(text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: not a percentage from 0 on")
    return value


def check(path):
    try:
        doc = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as err:
        raise cli.UsageError(f"{path}: {err.strerror}") from err
    except ValueError as err:
        print(f"{path}: not JSON: {err}", file=sys.stderr)
        return cli.EXIT_FAILED
    return finish(path, validate(doc))


def main(argv):
    parser = cli.Parser(prog="report.py", description=__doc__,
                       formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    for what in ("demo", "bench"):
        sub.add_parser(what).add_argument("--envs", default=",".join(ENVS), metavar="A,B")
    sub.add_parser("check").add_argument("file", metavar="FILE")
    sub.add_parser("chart").add_argument("file", metavar="FILE")
    two = sub.add_parser("compare", description=COMPARE_HELP,
                         formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("A.json", "B.json"):
        two.add_argument(name[0].lower(), metavar=name)
    two.add_argument("--threshold", type=threshold, default=0.0, metavar="PERCENT",
                     help="an increase up to PERCENT is not worse (default: 0)")
    args = parser.parse_args(argv)
    if args.what == "check":
        return check(args.file)
    if args.what == "chart":
        return draw(args.file)
    if args.what == "compare":
        return compare([args.a, args.b], args.threshold)
    names = args.envs.split(",")
    for name in names:
        environments.env_rows(name)
    os.chdir(cli.TOP)
    return demo(names) if args.what == "demo" else bench(names)


if __name__ == "__main__":
    cli.guard(main, "report.py")
