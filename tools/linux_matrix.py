#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Boot one Linux kernel in every row of tests/linux/envs.toml: the matrix.

  linux_matrix.py list               the rows
  linux_matrix.py demo               boot all, print what each chose, and the matrix
  linux_matrix.py run ROW [WORD...]  boot one; WORDs are for the kernel's command line
  linux_matrix.py tap ROW...         boot each and assert every cell, as TAP for prove

The kernel is the one of tools/linux.sh; KERNEL and TREE in the environment say which Linux
(tools/release.sh).  --variant stock has Linux's own paravirt_ops; --variant mm, debug and
others are the configurations of tools/linux-configs.sh.  tools/linux-guest.sh makes the user
space.  --rows A,B names other rows for demo.

A row must pass the same selftests as the stock kernel of the same configuration in the same
row.  The stock kernel's results are kept in the folder guest/results of that Linux, by the
hashes of what was booted.  If it dies in a selftest, it is booted again without that test,
and the test is not compared.  With STOCK_CONFIGS=no in the environment tap compares no configuration.

Every boot leaves build/log/linux-RELEASE-ROW[~TAG].log and .json.  demo and tap leave what
was asserted in build/report/linux-RELEASE/ROW[~VARIANT].json, demo also
build/report/linux-RELEASE-matrix.json.  Exit status: 0 all good; 1 a row does not end, or an
assertion fails; 2 wrong arguments; 3 a file or program is missing; 4 all good, but no
stock kernel's run to compare with.
"""
import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path

import cli
import environments
import guestlog
import judge
import qemu
import report

TABLE = cli.TOP / "tests/linux/envs.toml"
# Other configurations.
CONFIGS = environments.load(TABLE)["config"]
CONFIG_WORDS = ["PARTS=security,module,stress,user,selftests,mm,reread,roots,features,oom,hotplug", "secretmem.enable=1"]
LIMIT = 200
# The stock kernel that has the same configuration.
STOCK = {"ours": "stock", **{name: f"{name}-stock" for name in CONFIGS}}
VARIANTS = list(dict.fromkeys(["ours", "stock", "hard", "clang", "fault", *(name for pair in STOCK.items() for name in pair)]))
ALL_PARTS = ("security", "module", "stress", "user", "selftests", "hotplug", "suspend")
SECURITY = ("files", "stray", "wx")
# Parts that pass if the same tests pass on the stock kernel.
SELFTESTS = ("selftests", "mm", "drivers")
MORE_PARTS = ("bench", "drivers", "faults", "features", "kexec", "locks", "planted", "mm", "oom", "platform", "reread", "roots")
TIMEOUT = 480
EXIT_ERROR = 4
# After so many selftests that kill the stock kernel, no other is tried.
DEATHS = 3
END_SIGN = b"\npvops-linux: end"
TEST = re.compile(r"@test (\w+)/(\S+) (PASS|FAIL|SKIP|TIMEOUT)(?: (.*))?$")
RUN = re.compile(r"@run (\w+/\S+)$")
NUMBER = re.compile(r"\b(0x)?[0-9a-f]*[0-9][0-9a-f.]*\b")
# What differs in a complaint between boots, and between a tree that is built elsewhere and one that is not.
COMPLAINT_NOISE = re.compile(r"^\[ *[0-9.]+\] |(?<= )\.\./[\w.-]+/")
TOTAL = re.compile(r"pvops-linux: (\w+): pass (\d+) fail (\d+) skip (\d+) timeout (\d+)$")
WORDS = ("PASS", "FAIL", "SKIP", "TIMEOUT")
# Forms of a patched site, and of a site that is left indirect or has failed.
FORMS = report.SITE_FORMS


# What the guest says

def parse(raw):
    """Read a serial log.  Returns a dict:

    tests     {part/name: (result, why, [diagnosis])}
    running   name of the selftest that has begun and has no result, or None
    totals    {part: {result: count}}, the guest's own
    data      what the "@pvops" lines say, as one object
    user, end booleans: user space was reached; the end marker was seen
    log       all other lines
    problems  one line for each contradiction
    tail      the last lines, Xen's included
    """
    raw = guestlog.NOISE.sub("", raw)
    out = {"tests": {}, "running": None, "totals": {}, "data": {}, "user": False, "end": False, "log": [],
           "problems": [], "tail": raw.rstrip("\n").split("\n")[-guestlog.TAIL_LINES:]}
    problems, last = out["problems"], None
    for line in map(str.strip, guestlog.XEN_LINE.sub("", raw + "\n").split("\n")):
        if line.startswith("@pvops "):
            guestlog.parse_data(out, line)
        elif line.startswith("@test "):
            m = TEST.match(line)
            if not m or f"{m[1]}/{m[2]}" in out["tests"]:
                problems.append(f"{'second' if m else 'unreadable'} result: {line}")
                continue
            last, out["running"] = [], None
            out["tests"][f"{m[1]}/{m[2]}"] = (m[3], m[4] or "", last)
        elif m := RUN.match(line):
            out["running"] = m[1]
        elif m := TOTAL.match(line):
            out["totals"][m[1]] = dict(zip(WORDS, map(int, m.groups()[1:])))
            if out["totals"][m[1]] != count(out["tests"], m[1]):
                problems.append(f"{m[1]}: the guest's totals are not those of its lines: {line}")
        elif line == "pvops-linux: user space reached":
            out["user"] = True
        elif line == "pvops-linux: end":
            out["end"] = True
        elif line.startswith("# ") and last is not None:
            last.append(line[2:])
        elif line:
            out["log"].append(line)
    return out


def count(tests, part):
    """{result: how many} of one part, or of all."""
    rows = [t[0] for name, t in tests.items() if not part or name.startswith(f"{part}/")]
    return {word: rows.count(word) for word in WORDS}


def passed(run):
    """Names of the selftests that passed."""
    return {name for name, t in run["tests"].items()
            if name.split("/")[0] in SELFTESTS and t[0] == "PASS"}


# One boot

def image_of(variant):
    return f"{cli.linux()}/{variant}/arch/x86/boot/bzImage"


def rows_of(name, variant):
    rows = environments.env_rows(name, TABLE)
    rows["parts"] = {p: f.replace("{variant}", variant).replace("{linux}", cli.linux()) for p, f in rows["parts"].items()}
    return rows


def parts_asked(words):
    """The parts that the words name."""
    asked = [w.removeprefix("PARTS=") for w in words if w.startswith("PARTS=")]
    return [p for p in asked[-1].split(",") if p != "none"] if asked else list(ALL_PARTS)


def run(name, variant, words=(), tag="", timeout=None, count=False, host=""):
    """Boot once; count: under -icount; host: words for the kernel of a host that runs the guest.
    Returns parse()'s dict, and

    row, variant, words, image_sha256, parts {name: sha256}, seconds, log_file
    died      the kernel did not end, and not because of the time limit
    """
    rows = rows_of(name, variant)
    rows["count"] = count
    if host:
        at = rows["boot"].index("-append") + 1
        rows["boot"] = [*rows["boot"][:at], f"{rows['boot'][at]} {host}", *rows["boot"][at + 1:]]
    image = image_of(variant)
    if not Path(image).is_file():
        raise cli.MissingError(f"{image}: no such kernel; `tools/linux.sh {how_to_build(variant)}` makes it")
    for path in rows["parts"].values():
        if "/guest/" in path and not Path(path).is_file():
            raise cli.MissingError(f"{path}: not there; `tools/linux-guest.sh {variant}` makes it")
    qemu.check_parts(rows)
    log = Path("build/log") / f"{Path(cli.linux()).name}-{name}{'~' + tag if tag else ''}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    cmdline = " ".join([*rows["words"], *words])
    packed = qemu.pack(rows, image, cmdline, log.with_suffix(".cpio"))
    args = qemu.command(rows, image, cmdline, packed)
    timeout = timeout or rows.get("timeout", TIMEOUT) * slower(variant)
    how, status, said, seconds = qemu.boot(args, rows, log, timeout, END_SIGN)
    if packed:
        packed.unlink()
    result = parse(log.read_text(encoding="utf-8", errors="replace"))
    problems = result["problems"]
    if how == "stays":
        problems.append(f"the guest ended, but the machine was still on {qemu.POWEROFF_SECONDS} s later")
    elif not result["end"]:
        problems.insert(0, f"no end marker: {judge.no_end(how, status, said, timeout)}; "
                           f"last lines of {log} below")
    else:
        problems += [f"{part}: no totals of this part" for part in parts_asked(words)
                     if part not in result["totals"]]
    result.update(row=name, variant=variant, words=list(words),
                  died=not result["end"] and how != "timeout", image_sha256=qemu.sha256(image),
                  parts={p: qemu.sha256(f) for p, f in rows["parts"].items()},
                  seconds=seconds, log_file=str(log))
    log.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def how_to_build(variant):
    """Words for tools/linux.sh."""
    return f"build {variant}" if variant in ("ours", "stock") else f"config {variant.removesuffix('-stock')}"


def slower(variant):
    """How many times longer a row of this kernel may take."""
    return CONFIGS.get(variant.removesuffix("-stock"), {}).get("slower", 1)


def words_of(name, variant):
    """What this kernel's rows add to the command line."""
    keys = CONFIGS.get(variant.removesuffix("-stock"))
    if not keys:
        return []
    if "words" in keys:
        return [*keys["words"], f"LIMIT={LIMIT * slower(variant)}"]
    # Xen PV and VMI exclude page-table isolation.
    pti = [] if environments.env_rows(name, TABLE)["backend"] in ("xen", "vmi") else ["pti=on"]
    return [*CONFIG_WORDS, f"LIMIT={LIMIT * slower(variant)}", *pti]


def stock_missing(name, variant):
    """Why the stock kernel cannot be booted in this row, or None."""
    for file in (image_of(variant), *rows_of(name, variant)["parts"].values()):
        if not Path(file).is_file():
            return (f"{file}: not there; `tools/linux.sh {how_to_build(variant)}` and "
                    f"`tools/linux-guest.sh {variant}` make what is needed")
    return None


def sound(result):
    """Did the boot end without problems?"""
    return result["end"] and not result["problems"]


def without_killers(boot):
    """Call boot([WORD...]) until the kernel does not die in a selftest, each time without the
    selftests that have killed it.  Return the last result, with their names as `killers`."""
    killers = []
    while True:
        result = boot([f"WITHOUT={','.join(killers)}"] if killers else [])
        result["killers"] = list(killers)
        if not result["died"] or not result["running"] or len(killers) == DEATHS:
            return result
        killers.append(result["running"])


def stock(name, variant):
    """The run of the stock kernel @variant in this row: a kept one, or a new boot."""
    rows = rows_of(name, variant)
    words = words_of(name, variant)
    asked = [part for part in SELFTESTS if part in parts_asked(words)]
    words = [w for w in words if not w.startswith("PARTS=")] + [f"PARTS={','.join(asked)}"]
    files = [image_of(variant), *rows["parts"].values()]
    if missing := stock_missing(name, variant):
        raise cli.MissingError(missing)
    key = hashlib.sha256(json.dumps([rows, words, [qemu.sha256(f) for f in files]]).encode()).hexdigest()
    kept = Path(cli.linux()) / "guest/results" / f"{name}-{key[:16]}.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    result = without_killers(lambda more: run(name, variant, words + more, tag=variant))
    # Do not keep a run that did not end, or with a test over its time limit, as on a
    # busy machine: the next comparison tries again.
    if sound(result) and not result["killers"] and not count(result["tests"], None)["TIMEOUT"]:
        report.save(kept, json.dumps(result, indent=1) + "\n")
    return result


# What must hold

def asserts(result, reference=None):
    """[(holds, assertion, [why not])] for one row; holds is None if the environment is broken.

    reference is the stock kernel's run to compare selftests with, or None.
    """
    data, tests = result["data"], result["tests"]
    parts = parts_asked(result["words"])
    out = [(result["user"], "user space is reached", []),
           (result["end"] and not result["problems"], "the guest comes to its end, and the machine goes off",
            result["problems"] + ([] if result["end"] else [f"  | {t}" for t in result["tail"]])),
           _assert_quiet(data, reference if "drivers" in parts else None)]
    rows = environments.env_rows(result["row"], TABLE)
    out.append((data.get("cpus") == rows["cpus"], f"the kernel runs {rows['cpus']} CPU(s)",
                [f"is {data.get('cpus')}"]))
    if "platform" in rows:
        out.append((rows["platform"] in data.get("platform", ""), f"Linux finds {rows['platform']}",
                    [f"is {data.get('platform')}"]))
    if result["variant"] not in STOCK.values():
        out += _assert_layer(result, parts)
    for part in parts:
        names = [n for n in tests if n.startswith(f"{part}/")]
        if part in SELFTESTS:
            continue
        bad = [line for n in names if tests[n][0] in ("FAIL", "TIMEOUT") for line in explain(n, tests[n])]
        out.append((names and not bad, f"{part}: {', '.join(n.split('/')[1] for n in names) or 'nothing ran'}",
                    bad))
    if "features" in parts and tests:
        # The balloon is Xen's.
        want = [] if rows["backend"] == "xen" else ["features/balloon"]
        skipped = [n for n in tests if n.startswith("features/") and tests[n][0] == "SKIP"]
        out.append((skipped == want, f"features: left out: {' '.join(want) or 'nothing'}",
                    [line for n in skipped for line in explain(n, tests[n])]))
    for part in [p for p in parts if p in SELFTESTS]:
        passes = count(tests, part)["PASS"]
        out.append((passes, f"{part}: {passes} of {sum(count(tests, part).values())} pass", ["none does"]))
    if "pti=on" in rows["words"] + result["words"]:
        out.append((data.get("user", {}).get("pti"), "page tables are isolated", []))
    if "user" in parts:
        levels = rows.get("levels", 4)
        out.append((data.get("user", {}).get("levels") == levels, f"page tables have {levels} levels",
                    [f"is {data.get('user', {}).get('levels')}"]))
    if "faults" in parts:
        out += _assert_faults(data)
    if reference is not None and set(SELFTESTS) & set(parts):
        out += _assert_same(result, reference)
    return out


def complaint_kind(line):
    """A line of the kernel's log without its time, its numbers and the way to the source."""
    return NUMBER.sub("N", COMPLAINT_NOISE.sub("", line))


def _assert_quiet(data, reference):
    """No complaint of the kernel; a driver's that the stock kernel has, too, is no fault."""
    allowed = {complaint_kind(line) for line in reference["data"].get("complaints", [])} if reference else set()
    new = [line for line in data.get("complaints", []) if complaint_kind(line) not in allowed]
    return not new, "the kernel logs no warning" + (" that stock does not" if allowed else ""), new


def _assert_layer(result, parts):
    """Assertions on the layer's own data."""
    data, tests = result["data"], result["tests"]
    expected = environments.env_rows(result["row"], TABLE)["backend"]
    out = [(data.get("backend") == expected, f"{expected} is chosen", [f"is {data.get('backend')}"]),
           (data.get("detected"), "the log has the lines of detection", []),
           (not data.get("refused"), "nothing is refused", data.get("refused", []))]
    where = [("the kernel's sites", data.get("sites", {}))]
    if "module" in parts:
        loads = data.get("module", {})
        where += [(f"the module's sites at the {which} load", loads.get(f"{which}_load", {})) for which in ("first", "last")]
    if "drivers" in parts:
        where.append(("the drivers' sites", data.get("drivers", {}).get("sites", {})))
    for title, sites in where:
        patched = sum(sites.get(form, 0) for form in ("inline", "call", "nop", "jump"))
        out.append((patched and sites.get("indirect") == 0 and sites.get("failed") == 0,
                    f"{title} are patched, none is left indirect", [f"is {json.dumps(sites)}"]))
    if "security" in parts:
        ran = [n for n in SECURITY if tests.get(f"security/{n}", ("",))[0] in ("PASS", "FAIL")]
        out.append((ran == list(SECURITY), f"all security tests ran: {', '.join(ran) or 'nothing'}", []))
    return out


def _assert_faults(data):
    """Faults and interrupts came at the critical places, and each fault is accounted for."""
    faults, storm, refusals = data.get("faults", {}), data.get("storm", {}), data.get("refusals", {})
    said = [f"faults {json.dumps(faults)}"]
    out = [(faults.get("injected"), f"{faults.get('injected')} of {faults.get('calls')} hypercalls failed on purpose",
            said),
           (faults.get("injected") == faults.get("reported"), "as many faults are reported as were injected", said),
           (faults.get("other") == 0, f"the hypervisor refused {faults.get('followed')} call(s) that followed a fault, "
            "and no others", faults.get("unexplained", [])),
           (faults.get("reported", -1) + faults.get("followed", 0) == faults.get("lines"),
            "each refusal is a line of the log", said),
           (faults.get("named") == faults.get("lines"), "each line has an op and a caller", said),
           (sum(sum(errors.values()) for errors in refusals.values()) == faults.get("named"),
            f"ops: {', '.join(refusals)}", said),
           (faults.get("lost") == 0, "no update is lost", said)]
    for event, where in (("timer", "open"), ("timer", "waiting"), ("ipi", "open"), ("nmi", "open"), ("nmi", "waiting"),
                         ("nmi", "flushing")):
        counts = storm.get(event, {})
        out.append((counts.get(where), f"{counts.get(where)} of {counts.get('all')} {event} came on top of a batch, "
                    f"{where}", [json.dumps(storm)]))
    out.append((storm.get("wrong") == 0, "updates of interrupt handlers took effect at once, and in order",
                [json.dumps(storm)]))
    return out


def killed(reference):
    """The tests that killed the stock kernel, as words; "" for none."""
    names = reference["killers"]
    return f"which died in {' and in '.join(names)}" if names else ""


def _assert_same(result, reference):
    if not sound(reference):
        return [(None, " ".join(filter(None, ["the stock kernel,", killed(reference) and f"{killed(reference)},",
                                              "has selftests to compare with"])), reference["problems"])]
    ours, theirs = passed(result) - set(reference["killers"]), passed(reference)
    why = [f"{n}: passes, but not on the stock kernel" for n in sorted(ours - theirs)]
    for name in sorted(theirs - ours):
        why += [f"{name}: passes on the stock kernel"]
        why += explain(name, result["tests"].get(name, ("FAIL", "was not run", [])))
    tail = f", {killed(reference)}: not compared" if killed(reference) else ""
    return [(ours == theirs and theirs, f"selftests: the same {len(theirs)} pass on the stock kernel{tail}", why)]


def explain(name, test):
    word, why, diagnosis = test
    return [f"{word} {name}{': ' + why if why else ''}", *(f"  {d}" for d in diagnosis)]


# Text

def cells(result):
    """One row of the matrix, as texts."""
    data, tests = result["data"], result["tests"]
    sites = data.get("sites", {})
    total = count(tests, None)
    bad = total["FAIL"] + total["TIMEOUT"]
    # A backend that could run here has a score: "xen: Xen PV, 64-bit (score 1000)".
    able = [line.split(":")[0] for line in data.get("detected", []) if "(score" in line]
    module, loads = tests.get("module/loads", ("-", ""))[:2]
    return [result["row"], "+".join(able) or "-", data.get("backend", "-"),
            *(report.figure(sites.get(form)) for form in FORMS[:4]),
            report.figure(sites["indirect"] + sites["failed"]) if sites else "-",
            "yes" if result["user"] else "NO",
            {"PASS": f"{loads} times", "-": "-" if "module" not in parts_asked(result["words"]) else "NO"}.get(
                module, "NO"),
            f"{total['PASS']}" + (f", {bad} not" if bad else ""),
            "yes" if result["end"] else "NO"]


HEAD = ["row", "detected", "chosen", "inline", "call", "nop", "jump", "left", "user", "module", "tests", "end"]


def matrix(results):
    table = [HEAD, *map(cells, results)]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEAD))]
    lines = ["  ".join(cell.rjust(w) if 2 < i < 8 else cell.ljust(w)
                       for i, (cell, w) in enumerate(zip(row, widths))).rstrip() for row in table]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines) + "\n"


def block(result):
    """Text: what one row detected, chose and did."""
    data, sites = result["data"], result["data"].get("sites")
    parts = [f"{part} " + ", ".join(f"{n} {word.lower()}" for word, n in total.items() if n)
             for part, total in result["totals"].items()]
    not_passed = [line for name, t in result["tests"].items() if t[0] in ("FAIL", "TIMEOUT")
                  for line in explain(name, t)[:1]]
    return "\n".join([
        f"{result['row']}: {environments.env_rows(result['row'], TABLE)['title']}",
        *report.wrap("kernel", [f"Linux {data.get('kernel', '?')}, {data.get('cpus', '?')} CPU(s), says "
                                f"it runs on {data.get('platform', '?')}"]),
        *(report.wrap("detected", data["detected"]) if "detected" in data else []),
        *(report.wrap("chosen", [data["backend"]]) if "backend" in data else []),
        *(report.wrap("refused", data.get("refused")) if sites else []),
        *(report.wrap("sites", ["inline {inline}, direct call {call}, nop {nop}, jump {jump}, left indirect "
                                "{indirect}, failed {failed}; outline {outline}".format(**sites)]) if sites else []),
        *report.wrap("tests", ["; ".join(parts)]),
        *report.wrap("", not_passed)[:len(not_passed)],
    ]) + "\n"


# Kept results

def keep(result, judged):
    """Keep what a row came to, for tools/carry.py and tools/cover.py."""
    data, tests = result["data"], count(result["tests"], None)
    doc = {key: result[key] for key in ("row", "variant", "image_sha256", "seconds")}
    doc |= {"kernel": data.get("kernel"), "backend": data.get("backend"), "cpus": data.get("cpus"), "sites": data.get("sites", {}),
            "tests": tests, "holds": sum(bool(good) for good, _, _ in judged),
            "not": [line for good, what, why in judged if not good for line in (f"{what}{' (ERROR)' if good is None else ''}", *why)],
            "failed": sum(not good for good, _, _ in judged)}
    name = result["row"] + ("" if result["variant"] == "ours" else f"~{result['variant']}")
    return report.save(report.OUT / Path(cli.linux()).name / f"{name}.json", json.dumps(doc, indent=1) + "\n")


# Commands

def default_rows():
    return [name for name, rows in environments.envs(TABLE).items() if "off" not in rows]


def baselines(references):
    """Lines below the matrix: rows whose stock kernel died."""
    lines = []
    for name, ref in references.items():
        if ref["killers"] or not sound(ref):
            how = killed(ref) or "which came to no sound end"
            rest = "the others are compared" if sound(ref) else "nothing is compared"
            lines.append(f"ERROR in row {name}: the stock kernel, {how}: {rest} (see {ref['log_file']})")
    return lines


def verdict(what, wrong, errors):
    """The last lines of a command, and its exit status."""
    if wrong or not errors:
        return report.finish(what, wrong + errors)
    sys.stdout.flush()
    print(*errors, f"{what}: ERROR, not of this kernel", sep="\n", file=sys.stderr)
    return EXIT_ERROR


def demo(names, variant):
    results, references, wrong, errors = [], {}, [], []
    missing = STOCK.get(variant) and next(filter(None, (stock_missing(n, STOCK[variant]) for n in names)), None)
    compare = variant in STOCK and not missing
    for name in names:
        print(f"{name}: booting ... ", end="", flush=True)
        result = run(name, variant, words_of(name, variant), tag=variant)
        print(f"{result['seconds']} s" + ("" if result["end"] else ", NO END MARKER"), flush=True)
        results.append(result)
        if compare and result["end"]:
            references[name] = stock(name, STOCK[variant])
        judged = asserts(result, references.get(name))
        keep(result, judged)
        for good, what, why in judged:
            lines = [f"{name}: NOT: {what}", *(f"{name}:   {w}" for w in why)]
            if good is None:
                errors += lines
            elif not good:
                wrong += lines
    hashes = {r["image_sha256"] for r in results}
    if len(hashes) != 1:
        wrong.append("the rows booted different images")
    print(f"\none bzImage ({variant}), sha256 {' '.join(hashes)}\n")
    for result in results:
        print(block(result))
    print("\n".join([matrix(results), *baselines(references)]))
    print("left: sites left indirect, or not patched.  tests: all parts; the x86 selftests are "
          + ("compared with\nthe stock kernel's in the same row." if compare else "compared with\nnothing"
             + (f": {missing}" if missing else ".")))
    doc = {"variant": variant, "image_sha256": results[0]["image_sha256"], "qemu": qemu.version(),
           "rows": {r["row"]: {key: r[key] for key in ("data", "tests", "totals", "user", "end", "seconds", "parts")}
                    for r in results},
           "killers_of_stock": {name: ref["killers"] for name, ref in references.items() if ref["killers"]}}
    out = report.OUT / f"{Path(cli.linux()).name}-matrix.json"
    print(f"raw results: {report.save(out, json.dumps(doc, indent=1) + chr(10))}")
    return verdict("demo", wrong, errors)


def tap(names, variant):
    nr, failed = 0, 0
    alone = variant in CONFIGS and os.environ.get("STOCK_CONFIGS") == "no"
    for name in names:
        result = run(name, variant, words_of(name, variant), tag="tap" if variant == "ours" else f"{variant}-tap")
        if alone:
            nr += 1
            print(f"ok {nr} - {name}: selftests: the same pass on the stock kernel # SKIP STOCK_CONFIGS=no")
        reference = stock(name, STOCK[variant]) if variant in STOCK and not alone else None
        judged = asserts(result, reference)
        keep(result, judged)
        for good, what, why in judged:
            nr += 1
            failed += not good
            print(f"{'ok' if good else 'not ok'} {nr} - {name}: {what}{' # ERROR' if good is None else ''}", flush=True)
            if not good:
                for line in why:
                    print(f"#   {line}", file=sys.stderr)
    print(f"1..{nr}")
    return cli.EXIT_FAILED if failed else 0


def main(argv):
    parser = cli.Parser(prog="linux_matrix.py", description=__doc__,
                       formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    sub.add_parser("list")
    for what in ("demo", "run", "tap"):
        p = sub.add_parser(what)
        p.add_argument("--variant", default="ours", choices=VARIANTS)
        if what == "demo":
            p.add_argument("--rows", metavar="A,B")
        else:
            p.add_argument("row", metavar="ROW", nargs="+" if what == "tap" else None)
        if what == "run":
            p.add_argument("words", nargs="*", metavar="WORD")
            p.add_argument("--timeout", type=float, metavar="SECONDS")
    args = parser.parse_args(argv)
    os.chdir(cli.TOP)
    if args.what == "list":
        for name, rows in environments.envs(TABLE).items():
            print(f"{name:12} {rows['title']}" + (f" (off: {rows['off']})" if "off" in rows else ""))
        return 0
    if args.what == "demo":
        names = args.rows.split(",") if args.rows else default_rows()
        for name in names:
            environments.env_rows(name, TABLE)
        return demo(names, args.variant)
    if args.what == "tap":
        for name in args.row:
            environments.env_rows(name, TABLE)
        return tap(args.row, args.variant)
    environments.env_rows(args.row, TABLE)
    unknown = [p for p in parts_asked(args.words) if p not in ALL_PARTS + MORE_PARTS]
    if unknown:
        raise cli.UsageError(f"PARTS={unknown[0]}: no such part; there are: {' '.join(ALL_PARTS + MORE_PARTS)} none")
    result = run(args.row, args.variant, args.words, args.variant, args.timeout)
    print(block(result))
    wrong = [line for good, what, why in asserts(result) if not good for line in (f"NOT: {what}", *why)]
    return report.finish(args.row, wrong)


if __name__ == "__main__":
    cli.guard(main, "linux_matrix.py")
