# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For tools/carry.py: build a tree with the carried series, audit the kernel, boot it.

What goes wrong is an answer, and no error of the tool.
"""
import json
import os
import subprocess
import time
from collections import Counter
from pathlib import Path

import cli

ROWS = ("native", "dom0")
# Lines of errors that are worth reading in a report.
ERRORS = 40
AUDIT = "build/audit/audit"
LISTS = "tools/audit"
XEN = "build/xen/xen"


def environment(work, patches):
    """What tools/release.sh and tools/linux.sh are told: the series, and whose configuration and
    lists to take.  That is the new release, if it has a series, or the old one."""
    release = work.short()
    if not (cli.TOP / f"patches/linux-{release}/series").is_file():
        release = work.state["from"]
    return {**os.environ, "KERNEL": release, "TREE": os.path.abspath(work.state["tree"]), "SERIES": str(patches)}


def run(env, *command):
    """Run a step; its output is the user's to see.  (exit status, lines of standard error)"""
    done = subprocess.run(command, cwd=cli.TOP, env=env, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
    return done.returncode, [line for line in done.stderr.split("\n") if line.strip()]


def build(env):
    """{"good", "step", "errors", "seconds"}: configure and build, and the user space of the rows."""
    begin = time.monotonic()
    for step in (("tools/linux.sh",), ("tools/linux-guest.sh", "ours"), ("make", "-s", "--no-print-directory", AUDIT, XEN)):
        status, said = run(env, *step)
        if status:
            return {"good": False, "step": " ".join(step), "errors": (said or [f"exit status {status}"])[:ERRORS],
                    "seconds": round(time.monotonic() - begin)}
    return {"good": True, "step": None, "errors": [], "seconds": round(time.monotonic() - begin)}


def audit(env, folder, release):
    """What the audit finds in the kernel that no list allows: {"list", "left": [{instruction, function, count}], "why"}."""
    names = [f"{LISTS}/allow-linux-{r}.txt" for r in (release, env["KERNEL"])]
    names = [name for name in names if (cli.TOP / name).is_file()][:1]
    lists = [word for name in (f"{LISTS}/allow-linux.txt", *names) for word in ("--allow", name)]
    done = subprocess.run([AUDIT, "--json", "--unused-ok", *lists, f"{folder}/ours/vmlinux"], cwd=cli.TOP, capture_output=True, text=True)
    out = {"list": names[0] if names else None, "left": [], "why": None}
    try:
        found = json.loads(done.stdout)["found"]
    except (ValueError, KeyError):
        return {**out, "why": done.stderr.strip() or f"the audit says nothing; exit status {done.returncode}"}
    left = Counter((one["instruction"], one["function"]) for one in found if one["covered"] == "left")
    out["left"] = [{"instruction": i, "function": f, "count": n} for (i, f), n in sorted(left.items())]
    return out


def boot(env, folder):
    """{row: {"holds", "failed", "not", "seconds"}}: the rows, as tools/linux_matrix.py judges them."""
    results = cli.TOP / "build/report" / Path(folder).name
    for row in ROWS:
        (results / f"{row}.json").unlink(missing_ok=True)
    said = run(env, "tools/linux_matrix.py", "demo", "--rows", ",".join(ROWS))[1]
    out = {}
    for row in ROWS:
        path = results / f"{row}.json"
        if path.is_file():
            kept = json.loads(path.read_text())
            out[row] = {key: kept[key] for key in ("holds", "failed", "not", "seconds")}
        else:
            out[row] = {"holds": 0, "failed": 1, "not": [f"no result: {said[-1] if said else 'no reason was given'}"], "seconds": 0}
    return out


def try_all(work, patches):
    """Build, audit and boot what is carried.  {"build", "audit", "rows"}"""
    env = environment(work, patches)
    folder = f"build/linux-{work.state['release']}"
    out = {"build": build(env), "audit": None, "rows": {}}
    if out["build"]["good"]:
        out["audit"] = audit(env, folder, work.short())
        out["rows"] = boot(env, folder)
    return out
