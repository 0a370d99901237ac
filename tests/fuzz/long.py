#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Long runs of fuzz targets, and a report.

usage: long.py [--build DIR] [--runs N] [--seconds N] [--jobs N] TARGET[:BYTES]...

BYTES is the greatest length of an input (512).  Runs each target's program, --jobs at a time,
from its seeds and the inputs that earlier runs have found.  Writes DIR/report/fuzz.json (other
targets keep their rows) and DIR/report/fuzz.md, and prints that table.  Exit status 1: an
input failed; it is DIR/fuzz/crash-TARGET-*.
"""
import argparse
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import time

COLUMNS = ("target", "runs", "seconds", "exec/s", "edges", "features", "corpus", "crashes")


def run(target, args):
    target, _, most = target.partition(":")
    fuzz = args.build / "fuzz"
    found = fuzz / "corpus" / target
    found.mkdir(parents=True, exist_ok=True)
    seeds = pathlib.Path("tests/fuzz/corpus") / target
    log = fuzz / f"{target}-long.log"
    # One minute, because a run can wait on a busy machine.
    command = ["nice", "-n", "10", fuzz / f"test-host-fuzz-{target}", f"-runs={args.runs}",
               f"-max_total_time={args.seconds}", f"-max_len={most or 512}", "-timeout=60",
               "-print_final_stats=1", f"-artifact_prefix={fuzz}/crash-{target}-", found, seeds]
    start = time.monotonic()
    with log.open("w") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
    seconds = time.monotonic() - start
    return target, read(log.read_text(errors="replace"), seconds, status)


def read(text, seconds, status):
    """The last state that libFuzzer has printed."""
    states = re.findall(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/", text, re.M)
    last = states[-1] if states else (0, 0, 0, 0)
    executed = re.search(r"number_of_executed_units: (\d+)", text)
    runs = int(executed.group(1) if executed else last[0])
    return {"runs": runs, "seconds": round(seconds), "exec/s": round(runs / max(seconds, 1)),
            "edges": int(last[1]), "features": int(last[2]), "corpus": int(last[3]),
            "crashes": int(status != 0)}


def table(results):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for target, result in results.items():
        lines.append("| " + " | ".join([target] + [f"{result[c]:,}" for c in COLUMNS[1:]]) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--runs", type=int, default=10000000)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("target", nargs="+")
    args = parser.parse_args()

    report = args.build / "report"
    report.mkdir(parents=True, exist_ok=True)
    path = report / "fuzz.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    bad = False
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, t, args) for t in args.target]):
            target, result = future.result()
            bad |= result["crashes"] > 0
            # Another long.py may have finished meanwhile.
            results = json.loads(path.read_text()) if path.exists() else {}
            results[target] = result
            path.write_text(json.dumps(results, indent=1) + "\n")
            print(f"  FUZZ    {target}: {result['runs']:,} runs in {result['seconds']} s"
                  + (": an input breaks something" if result["crashes"] else ""), flush=True)
    (report / "fuzz.md").write_text(table(results))
    print(table(results), end="")
    return bad


if __name__ == "__main__":
    sys.exit(main())
