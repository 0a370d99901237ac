#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Boot the guest image in one environment and read its output.

  vm.py list                    the environments of tests/vm/envs.toml
  vm.py run ENV [WORD...]       boot; WORDs are the guest's command line
  vm.py run ENV --image FILE --end TEXT
                                boot another kernel's image, until it prints TEXT
  vm.py tap ENV [WORD...]       boot; the guest's KTAP as TAP, for prove
  vm.py parse FILE              a recorded serial log, as JSON

Every boot leaves build/log/ENV[~TAG].log (the serial line as it came) and
.json (the same, parsed).  Exit status: 0 all passed; 1 a test failed, or the
guest did not reach its end, or printed an unreadable line; 2 wrong
arguments; 3 something is missing here (image, QEMU, Xen).

$PVOPS_QEMU names another QEMU.
"""
import argparse
import json
import os
import re
import sys
from pathlib import Path

import environments
import guestlog
import judge
import qemu
from cli import EXIT_FAILED, TOP, MissingError, Parser, UsageError, guard

IMAGE = "build/guest.elf"


# One boot

def run(name, words=(), image=None, tag="", timeout=qemu.TIMEOUT, count=None, parts=None, more=(),
        inner=(), end=""):
    """Boot once, maybe with other files for parts and more arguments for QEMU, or for
    the one inside a host.  With end the image is another kernel's: that text is its end
    marker, and stops the machine.  Returns guestlog.parse()'s dict, and

    env, cmdline, command, image_sha256, parts {name: sha256}, seconds, log_file,
    ended: "poweroff", "reset" or "timeout", ...; of a guest inside a host what that says;
    problems also tells how the boot itself went wrong.
    """
    os.chdir(TOP)
    rows = environments.env_rows(name)
    if count is not None:
        rows["count"] = count
    if parts:
        rows["parts"] = {**rows["parts"], **parts}
    image = image or IMAGE
    cmdline = " ".join(words)
    qemu.check_name(image)
    if not Path(image).is_file():
        raise MissingError(f"{image}: no such image; `make guest` builds it")
    qemu.check_parts(rows)
    before = qemu.sha256(image)
    log = Path("build/log") / f"{name}{'~' + tag if tag else ''}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    rows["inner"] = rows.get("inner", []) + list(inner)
    packed = qemu.pack(rows, image, cmdline, log.with_suffix(".cpio"))
    args = qemu.command(rows, image, cmdline, packed) + list(more)
    if end:
        rows["down"] = [end]
    how, status, said, seconds = qemu.boot(args, rows, log, timeout, end.encode() or qemu.END_SIGN)
    if packed:
        packed.unlink()
    result = guestlog.parse(log.read_text(encoding="utf-8", errors="replace"))
    result.update(env=name, cmdline=cmdline, command=args, image_sha256=before,
                  parts={p: qemu.sha256(f) for p, f in rows.get("parts", {}).items()},
                  seconds=seconds, log_file=str(log))
    if end:
        judge.judge_end(result, end, log, how, status, said, timeout)
    else:
        judge.judge(result, rows, how, status, said, timeout)
    if qemu.sha256(image) != before:
        result["problems"].append(f"{image}: changed while it ran")
    log.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    return result


# Commands

def tap(result, variant=""):
    """Print a run as TAP; returns the exit status."""
    suffix = f"~{variant}" if variant else ""
    nr = 0

    def say(good, name, directive=""):
        nonlocal nr
        nr += 1
        print(f"{'ok' if good else 'not ok'} {nr} - {name}{suffix}{directive}")

    for test in result["tests"]:
        bad = test["result"] in ("fail", "error")
        why = test["why"].replace("#", "")
        word = test["result"].upper()
        say(not bad, test["name"], f" # {word} {why}".rstrip() if word in ("SKIP", "ERROR") else "")
        for line in test["diag"]:
            print(f"# {line}", file=sys.stderr if bad else sys.stdout, flush=True)
    name = f"test-{result['env'].split('-')[0]}"
    say(result["end"], f"{name}-reaches-its-end")
    say(not result["problems"], f"{name}-serial-log-is-sound")
    words = result["cmdline"].split()
    skips = judge.wrong_skips(result) if "test=all" in words and result["end"] else []
    say(not skips, f"{name}-skips-what-it-should")
    for line in result["problems"] + skips + ([] if result["end"] else result["tail"]):
        print(f"# {line}", file=sys.stderr)
    wanted = "test=none" not in words
    say(not wanted or result["totals"]["pass"], f"{name}-some-test-passed")
    print(f"1..{nr}")
    good = judge.verdict(result) and not skips and (not wanted or result["totals"]["pass"])
    return 0 if good else EXIT_FAILED


def arguments(argv):
    parser = Parser(prog="vm.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="what", required=True, metavar="COMMAND")
    sub.add_parser("list")
    for what in ("run", "tap"):
        p = sub.add_parser(what)
        p.add_argument("env", metavar="ENV")
        p.add_argument("words", nargs="*", metavar="WORD")
        p.add_argument("--image", default=IMAGE)
        p.add_argument("--tag", default="", help="for the name of the log files")
        p.add_argument("--timeout", type=float, default=qemu.TIMEOUT, metavar="SECONDS")
        p.add_argument("--log", metavar="FILE", help="read this serial log instead of booting")
        if what == "run":
            p.add_argument("--json", action="store_true", help="print everything as JSON")
            p.add_argument("--end", default="", metavar="TEXT",
                           help="end marker of another kernel's image: a text on the serial line")
    p = sub.add_parser("parse")
    p.add_argument("file", metavar="FILE")
    args = parser.parse_args(argv)
    if getattr(args, "timeout", 1) <= 0:
        raise UsageError("--timeout: must be above 0")
    if not re.fullmatch(r"[A-Za-z0-9_.=-]*", getattr(args, "tag", "")):
        raise UsageError(f"--tag: '{args.tag}' cannot be part of a file name")
    return args


def read_log(path):
    try:
        return guestlog.parse(Path(path).read_text(encoding="utf-8", errors="replace"))
    except OSError as err:
        raise UsageError(f"{path}: {err.strerror}") from err


def replay(env, words, path):
    """As run(), from a recorded log."""
    result = read_log(path)
    result.update(env=env, cmdline=" ".join(words), log_file=path, seconds=0)
    judge.judge(result, environments.env_rows(env), "exit", 0, "", 0)
    return result


def main(argv):
    args = arguments(argv)
    if args.what == "list":
        for name, rows in environments.envs().items():
            print(f"{name:12} {rows['title']}")
        return 0
    if args.what == "parse":
        result = read_log(args.file)
        print(json.dumps(result, indent=1))
        return 0 if judge.verdict(result) else EXIT_FAILED
    rows = environments.env_rows(args.env)
    if args.log:
        result = replay(args.env, args.words, args.log)
    else:
        result = run(args.env, args.words, args.image, args.tag, args.timeout,
                     end=getattr(args, "end", ""))
    if args.what == "tap":
        return tap(result, rows.get("variant", ""))
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{args.env}: {result['seconds']} s, {guestlog.counts(result['totals'])}; {result['log_file']}")
        for line in judge.explain(result):
            print(f"{args.env}: {line}")
    return 0 if judge.verdict(result) else EXIT_FAILED


if __name__ == "__main__":
    guard(main, "vm.py")
