# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Read a serial log of the mini guest."""
import json
import re

TAIL_LINES = 30

# Xen writes to the same serial line, also in the middle of a line of the guest.
XEN_LINE = re.compile(r"\(XEN\)[^\n]*\n")
# The lines of a domU without a console are in Xen's log.
XEN_DOMU = re.compile(r"^\(d\d+\) ", re.M)
NOISE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|c)|\r|\0")
PLAN = re.compile(r"1\.\.(\d+)$")
RESULT = re.compile(r"(ok|not ok)\s+(\d+)(?:\s+-)?\s+(\S+)(?:\s+#\s*(\w+)\b\s*(.*))?$")
END = re.compile(r"pvops-guest: end: pass (\d+) fail (\d+) skip (\d+) error (\d+)$")
PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\[\])?$")
VERDICTS = ("pass", "fail", "skip", "error")


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


def _put(data, path, value):
    """Store value at a dotted path; return an error, or None."""
    append = path.endswith("[]")
    *parents, leaf = path.removesuffix("[]").split(".")
    for key in parents:
        data = data.setdefault(key, {})
        if not isinstance(data, dict):
            return f"{path}: {key} is a value already"
    if append:
        rows = data.setdefault(leaf, [])
        if not isinstance(rows, list):
            return f"{path}: {leaf} is a value already"
        rows.append(value)
        return None
    if leaf in data:
        return f"{path}: given twice"
    data[leaf] = value
    return None


def _verdict(word, directive):
    if word == "ok":
        return {None: "pass", "OUTSIDE": "pass", "SKIP": "skip"}.get(directive)
    return {None: "fail", "ERROR": "error"}.get(directive)


def parse(raw):
    """Read a serial log.  Returns a dict:

    tests     [{nr, name, result, why, diag}], result is one of VERDICTS; outside if
              the guest leaves it to judge_outside()
    totals    {pass, fail, skip, error}, counted here
    plan      N of "1..N", or None
    end       the guest's own totals from its end marker, or None
    data      what the "@pvops" lines say, as one object
    sites     the "@site" lines, split into words
    log       all other lines of the guest, diagnostics included
    problems  one line for each contradiction
    tail      the last lines, Xen's included
    """
    raw = NOISE.sub("", raw)
    out = {"tests": [], "plan": None, "end": None, "data": {}, "sites": [], "log": [],
           "problems": [], "tail": raw.rstrip("\n").split("\n")[-TAIL_LINES:]}
    problems = out["problems"]
    diag = []
    raw = XEN_LINE.sub("", raw if raw.endswith("\n") else raw + "\n")
    for line in XEN_DOMU.sub("", raw).split("\n"):
        line = line.strip()
        if not line:
            continue
        if line.startswith("@pvops "):
            parse_data(out, line)
        elif line.startswith("@site "):
            out["sites"].append(line.split()[1:])
        elif line.startswith(("ok ", "not ok ")):
            _parse_result(out, line, diag)
            diag = []
        elif m := PLAN.match(line):
            if out["plan"] is not None:
                problems.append(f"second plan: {line}")
            out["plan"] = int(m[1])
        elif m := END.match(line):
            if out["end"] is not None:
                problems.append("second end marker")
            out["end"] = dict(zip(VERDICTS, map(int, m.groups())))
        elif line.startswith("KTAP version"):
            diag = []
        else:
            out["log"].append(line.lstrip("# "))
            if line.startswith("#"):
                diag.append(line.lstrip("# "))
    out["totals"] = {v: sum(t["result"] == v for t in out["tests"]) for v in VERDICTS}
    if out["end"]:
        if out["end"] != out["totals"]:
            problems.append(f"the end marker counts {counts(out['end'])}, "
                            f"the lines say {counts(out['totals'])}")
        if out["plan"] is None and out["tests"]:
            problems.append("tests without a plan line")
        elif out["plan"] is not None and out["plan"] != len(out["tests"]):
            problems.append(f"plan of {out['plan']} tests, {len(out['tests'])} reported")
    return out


def counts(totals):
    return ", ".join(f"{totals[v]} {v}" for v in VERDICTS)


def parse_data(out, line):
    words = line.split(None, 2)
    if len(words) != 3 or not PATH.match(words[1]):
        out["problems"].append(f"unreadable data line: {line}")
        return
    try:
        value = json.loads(words[2], parse_constant=_no_constant)
    except ValueError as err:
        out["problems"].append(f"bad JSON ({err}): {line}")
        return
    if wrong := _put(out["data"], words[1], value):
        out["problems"].append(f"data {wrong}")


def _parse_result(out, line, diag):
    m = RESULT.match(line)
    verdict = m and _verdict(m[1], m[4])
    if not verdict:
        out["problems"].append(f"unreadable result line: {line}")
        return
    if any(t["name"] == m[3] for t in out["tests"]):
        out["problems"].append(f"{m[3]}: reported twice")
    if int(m[2]) != len(out["tests"]) + 1:
        out["problems"].append(f"{m[3]}: has number {m[2]}, is number {len(out['tests']) + 1}")
    out["tests"].append({"nr": int(m[2]), "name": m[3], "result": verdict,
                         "why": m[5] or "", "diag": diag})
    if m[4] == "OUTSIDE":
        out["tests"][-1]["outside"] = True
