#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Boot the guest image in one environment and read what it says.

  vm.py list                    the environments of tests/vm/envs.toml
  vm.py run ENV [WORD...]       boot; WORDs are the guest's command line
  vm.py run ENV --image FILE --end TEXT
                                boot another kernel's image, until it says TEXT
  vm.py tap ENV [WORD...]       boot; the guest's KTAP as TAP, for prove
  vm.py parse FILE              a recorded serial log, as JSON

Every boot leaves build/log/ENV[~TAG].log (the serial line as it came) and
.json (the same, parsed).  Exit status: 0 all passed; 1 a test failed, or the
guest did not reach its end, or said something that cannot be read; 2 wrong
arguments; 3 something is missing here (image, QEMU, Xen).

$PVOPS_QEMU names another QEMU.
"""
import argparse
import fnmatch
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TABLE = TOP / "tests/vm/envs.toml"
SKIPS = TOP / "tests/vm/skips.toml"
IMAGE = "build/guest.elf"
# It ends what hangs, and nothing else: ten times what the slowest boot takes alone.
TIMEOUT = 1200
TAIL_LINES = 30
# How long a guest that has said "end" may take to power the machine off; the same.
POWEROFF_SECONDS = 120
END_SIGN = b"\npvops-guest: end: "

EXIT_FAILED, EXIT_USAGE, EXIT_MISSING = 1, 2, 3


class UsageError(Exception):
    """Wrong arguments."""
    status = EXIT_USAGE


class MissingError(Exception):
    """This machine, or the build, lacks something."""
    status = EXIT_MISSING


# What the guest says

# Xen writes to the same line, with no regard for where the guest's line is.
XEN_LINE = re.compile(r"\(XEN\)[^\n]*\n")
# A domU without a console of its own has its lines in Xen's log.
XEN_DOMU = re.compile(r"^\(d\d+\) ", re.M)
NOISE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|c)|\r|\0")
PLAN = re.compile(r"1\.\.(\d+)$")
RESULT = re.compile(r"(ok|not ok)\s+(\d+)(?:\s+-)?\s+(\S+)(?:\s+#\s*(\w+)\b\s*(.*))?$")
END = re.compile(r"pvops-guest: end: pass (\d+) fail (\d+) skip (\d+) error (\d+)$")
PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(\[\])?$")
VERDICTS = ("pass", "fail", "skip", "error")
# How a machine ends, in QEMU's words: SHUTDOWN_CAUSE_GUEST_SHUTDOWN of qapi/run-state.json.
# A reset is no such request.
TRACED = "qemu_system_shutdown_request"
POWER_OFF = re.compile(TRACED + r" reason=6$", re.M)


def _no_constant(text):
    raise ValueError(f"{text} is not JSON")


def _put(data, path, value):
    """Store value at a dotted path; returns what is wrong, or None."""
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
    problems  one line for each thing that cannot be so
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
            problems.append(f"the end marker counts {_counts(out['end'])}, "
                            f"the lines say {_counts(out['totals'])}")
        if out["plan"] is None and out["tests"]:
            problems.append("tests without a plan line")
        elif out["plan"] is not None and out["plan"] != len(out["tests"]):
            problems.append(f"plan of {out['plan']} tests, {len(out['tests'])} reported")
    return out


def _counts(totals):
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


# Environments

def envs(file=TABLE):
    """The table: {name: rows}, with `base` resolved."""
    with file.open("rb") as f:
        table = tomllib.load(f)
    out = {}
    for name, rows in table["env"].items():
        rows = {**out[rows["base"]], **rows} if "base" in rows else dict(rows)
        rows["qemu"], rows["count_args"] = table["qemu"]["args"], table["count"]["args"]
        out[name] = rows
    return out


def env_rows(name, file=TABLE):
    table = envs(file)
    if name not in table:
        raise UsageError(f"unknown environment '{name}'; there are: {' '.join(table)}")
    return table[name]


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def qemu_program():
    name = os.environ.get("PVOPS_QEMU", "qemu-system-x86_64")
    if not shutil.which(name):
        raise MissingError(f"no {name} here (package qemu-system-x86; tools/setup.sh installs it)")
    return name


def qemu_version():
    out = subprocess.run([qemu_program(), "--version"], capture_output=True, text=True, check=False)
    return (out.stdout.splitlines() or ["unknown"])[0]


def _fill(args, values):
    return [re.sub(r"\{(\w+)\}", lambda m: values[m[1]], arg) for arg in args]


def check_name(image):
    if any(c in str(image) for c in ", "):
        raise UsageError(f"{image}: a comma or blank in the image's path cannot be given to QEMU")


def command(rows, image, cmdline, packed=""):
    """QEMU's argument list for one boot; packed: what pack() wrote."""
    check_name(image)
    values = {"image": str(image), "cmdline": cmdline, "words": cmdline.replace(",", ",,"),
              "module": f"{image} {cmdline}".strip().replace(",", ",,"), "inner": str(packed),
              **rows.get("parts", {})}
    args = [qemu_program(), *rows["qemu"], "-trace", f"enable={TRACED}"]
    if "cpu" in rows:
        args += ["-cpu", rows["cpu"]]
    if rows["cpus"] > 1:
        args += ["-smp", str(rows["cpus"] + rows.get("spare", 0))]
    if rows["count"]:
        args += rows["count_args"]
    return args + _fill(rows["boot"], values)


def _member(name, data, ino):
    """A file in an archive of the kind that Linux takes as initrd ("newc")."""
    size, name = len(data), name.encode() + b"\0"
    fields = (ino, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    return b"".join(part + bytes(-len(part) % 4) for part in (head, data))


def pack(rows, image, cmdline, file):
    """Write the initrd of an environment whose guest runs inside a host: the
    part `host`, and behind it what `inner` names, in /guest, with `inner`
    itself in /guest/args.  Returns its path; "" without `inner`."""
    if not rows.get("inner"):
        return ""
    if "\n" in cmdline:
        raise UsageError("a command line is one line")
    files = {"image": image, **rows["parts"]}
    args = _fill(rows["inner"], {**{f: f"/guest/{f}" for f in files}, "cmdline": cmdline})
    names = [f for f in files if any(f"{{{f}}}" in arg for arg in rows["inner"])]
    members = {"guest/args": "".join(f"{arg}\n" for arg in args).encode(),
               **{f"guest/{f}": Path(files[f]).read_bytes() for f in names}}
    with file.open("wb") as out:
        with open(rows["parts"]["host"], "rb") as host:
            shutil.copyfileobj(host, out)
        for ino, (name, data) in enumerate(members.items(), 1):
            out.write(_member(name, data, ino))
        out.write(_member("TRAILER!!!", b"", 0))
    return file


# One boot

def _wait(proc, log, rows, timeout, end):
    """Until QEMU ends, or there is no use waiting: "exit", "timeout", "dead", "down", "stays"."""
    start = time.monotonic()
    ended = None
    stops = dead = [("dead", s.encode()) for s in rows.get("dead", [])]
    downs = [("down", s.encode()) for s in rows.get("down", [])]
    while True:
        try:
            proc.wait(0.05)
            return "exit"
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        text = log.read_bytes()
        if end in text:
            ended = ended or now
            stops = downs + dead
        for word, sign in stops:
            if sign in text:
                time.sleep(0.1)
                return word
        if ended and now - ended > POWEROFF_SECONDS:
            return "stays"
        if now - start > timeout:
            return "timeout"


def boot(args, rows, log, timeout, end=END_SIGN):
    """Run QEMU with its serial line in log; returns (how it ended, status, what QEMU said,
    seconds).  How: "off" if the machine was switched off, "exit" otherwise (it was reset),
    or what _wait() says."""
    start = time.monotonic()
    with log.open("wb") as out:
        proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
        try:
            how = _wait(proc, log, rows, timeout, end)
        finally:
            proc.kill()
            said = proc.communicate()[1].decode(errors="replace")
    if how == "exit" and POWER_OFF.search(said):
        how = "off"
    said = "\n".join(line for line in said.splitlines() if TRACED not in line).strip()
    return how, proc.returncode, said, round(time.monotonic() - start, 1)


def check_parts(rows):
    for part, path in rows.get("parts", {}).items():
        if not Path(path).is_file():
            raise MissingError(f"{path}: no {part} here; `make {path}` fetches it")


def run(name, words=(), image=None, tag="", timeout=TIMEOUT, count=None, parts=None, more=(),
        inner=(), end=""):
    """Boot once, maybe with other files for parts and more arguments for QEMU, or for
    the one inside a host.  With end another kernel's image: that text is its end marker,
    and then the machine is stopped.  Returns parse()'s dict, and

    env, cmdline, command, image_sha256, parts {name: sha256}, seconds, log_file,
    ended: "poweroff", "reset" or "timeout", ...; of a guest inside a host what that says;
    problems also tells how the boot itself went wrong.
    """
    os.chdir(TOP)
    rows = env_rows(name)
    if count is not None:
        rows["count"] = count
    if parts:
        rows["parts"] = {**rows["parts"], **parts}
    image = image or IMAGE
    cmdline = " ".join(words)
    check_name(image)
    if not Path(image).is_file():
        raise MissingError(f"{image}: no such image; `make guest` builds it")
    check_parts(rows)
    before = sha256(image)
    log = Path("build/log") / f"{name}{'~' + tag if tag else ''}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    rows["inner"] = rows.get("inner", []) + list(inner)
    packed = pack(rows, image, cmdline, log.with_suffix(".cpio"))
    args = command(rows, image, cmdline, packed) + list(more)
    if end:
        rows["down"] = [end]
    how, status, said, seconds = boot(args, rows, log, timeout, end.encode() or END_SIGN)
    if packed:
        packed.unlink()
    result = parse(log.read_text(encoding="utf-8", errors="replace"))
    result.update(env=name, cmdline=cmdline, command=args, image_sha256=before,
                  parts={p: sha256(f) for p, f in rows.get("parts", {}).items()},
                  seconds=seconds, log_file=str(log))
    if end:
        _judge_end(result, end, log, how, status, said, timeout)
    else:
        _judge(result, rows, how, status, said, timeout)
    if sha256(image) != before:
        result["problems"].append(f"{image}: changed while it ran")
    log.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _wrote_once(result):
    line = "console_write wrote this line"
    seen = [text for text in result["log"] if line in text]
    return None if seen == [line] else f"'{line}' is to be there once and whole: {seen}"


def _went_off(result):
    return None if result["ended"] == "poweroff" else \
        f"the guest's machine was to go off, and did: {result['ended']}"


# What a test cannot see from inside, by the op in its name: None, or what is wrong.
OUTSIDE = {"console_write": _wrote_once, "shutdown": _went_off}


def judge_outside(result):
    """Tests that the guest leaves to us fail without the evidence."""
    for test in result["tests"]:
        if test.get("outside"):
            see = OUTSIDE.get(test["name"].split("-", 2)[2], lambda _: "nobody looks at it from outside")
            if why := see(result):
                test["result"] = "fail"
                test["diag"] = [*test["diag"], why]
                result["totals"]["pass"] -= 1
                result["totals"]["fail"] += 1


def expected_skips(env, file=SKIPS):
    """{test: why} of the whole suite in an environment."""
    with file.open("rb") as f:
        table = tomllib.load(f)["skip"]
    return {test: row["why"] for row in table for test in row["tests"]
            if any(fnmatch.fnmatchcase(env, p) for p in row.get("in", row.get("but"))) == ("in" in row)}


def wrong_skips(result, file=SKIPS):
    """What a run of the whole suite skips, and should not, or the other way round: lines."""
    want = expected_skips(result["env"], file)
    there = {t["name"].split("-", 2)[2]: t for t in result["tests"]}
    lines = [f"{t['name']}: skipped, which {file.name} does not expect: {t['why']}" for name, t in there.items()
             if t["result"] == "skip" and want.get(name) != t["why"]]
    return lines + [f"{name}: {file.name} expects that it is skipped ({why}), and it is "
                    f"{there[name]['result'] if name in there else 'no test'}" for name, why in want.items()
                    if name not in there or there[name]["result"] != "skip"]


def no_end(how, status, said, timeout):
    """Why there is no end marker, as far as can be told from outside."""
    why = {"timeout": f"killed after {timeout} s", "dead": "the hypervisor gave up",
           "off": "the machine went off"}.get(
        how, f"QEMU exited with status {status}" + ("" if status else ", the machine was reset"))
    return f"{why}: {said.splitlines()[-1]}" if how == "exit" and said else why


def _judge(result, rows, how, status, said, timeout):
    """Add what was wrong with the boot as a whole, and what only shows from here."""
    problems = result["problems"]
    # A host tells how its guest ended, and then ends itself.
    ended = {"off": "poweroff", "down": "poweroff", "exit": "reset", "dead": "reset"}.get(how, how)
    result["ended"] = result["data"].pop("ended", "nobody knows how") if rows.get("inner") else ended
    judge_outside(result)
    if how == "stays":
        problems.append(f"the guest ended, but the machine was still on {POWEROFF_SECONDS} s later")
    elif result["end"] and how == "dead" and "end=" not in result["cmdline"]:
        problems.append("the guest ended, and then the hypervisor gave up")
    elif not result["end"]:
        problems.insert(0, f"no end marker: {no_end(how, status, said, timeout)}; "
                           f"last lines of {result['log_file']} below")
    wrong = [t["name"] for t in result["tests"] if not t["name"].startswith(f"test-{rows['name']}-")]
    if wrong:
        problems.append(f"{wrong[0]}: is not named test-{rows['name']}-...")


def _judge_end(result, end, log, how, status, said, timeout):
    """As _judge(), for another kernel's image: it said its end text, or it did not."""
    result["ended"] = how
    if end.encode() in log.read_bytes():
        result["end"] = result["totals"]
    else:
        result["problems"].insert(0, f"'{end}' is not in {log}: {no_end(how, status, said, timeout)}")


def verdict(result):
    """True if nothing failed."""
    return bool(result["end"]) and not result["problems"] and \
        not result["totals"]["fail"] and not result["totals"]["error"]


def explain(result):
    """What failed, as lines."""
    lines = []
    for test in result["tests"]:
        if test["result"] in ("fail", "error"):
            why = f": {test['why']}" if test["why"] else ""
            lines.append(f"{test['result'].upper()} {test['name']}{why}")
            lines += [f"  {d}" for d in test["diag"]]
    lines += result["problems"]
    if not result["end"]:
        lines += [f"last line of the guest: {line}" for line in result["log"][-1:]]
        lines += [f"  | {line}" for line in result["tail"]]
    return lines


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
    skips = wrong_skips(result) if "test=all" in words and result["end"] else []
    say(not skips, f"{name}-skips-what-it-should")
    for line in result["problems"] + skips + ([] if result["end"] else result["tail"]):
        print(f"# {line}", file=sys.stderr)
    wanted = "test=none" not in words
    say(not wanted or result["totals"]["pass"], f"{name}-some-test-passed")
    print(f"1..{nr}")
    good = verdict(result) and not skips and (not wanted or result["totals"]["pass"])
    return 0 if good else EXIT_FAILED


class Parser(argparse.ArgumentParser):
    """One line about a wrong argument, not a page."""

    def error(self, message):
        raise UsageError(f"{message} (--help tells more)")


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
        p.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS")
        p.add_argument("--log", metavar="FILE", help="read this serial log instead of booting")
        if what == "run":
            p.add_argument("--json", action="store_true", help="print everything as JSON")
            p.add_argument("--end", default="", metavar="TEXT",
                           help="what the serial line has when another kernel's image has run")
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
        return parse(Path(path).read_text(encoding="utf-8", errors="replace"))
    except OSError as err:
        raise UsageError(f"{path}: {err.strerror}") from err


def replay(env, words, path):
    """As run(), from a recorded log."""
    result = read_log(path)
    result.update(env=env, cmdline=" ".join(words), log_file=path, seconds=0)
    _judge(result, env_rows(env), "exit", 0, "", 0)
    return result


def main(argv):
    args = arguments(argv)
    if args.what == "list":
        for name, rows in envs().items():
            print(f"{name:12} {rows['title']}")
        return 0
    if args.what == "parse":
        result = read_log(args.file)
        print(json.dumps(result, indent=1))
        return 0 if verdict(result) else EXIT_FAILED
    rows = env_rows(args.env)
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
        print(f"{args.env}: {result['seconds']} s, {_counts(result['totals'])}; {result['log_file']}")
        for line in explain(result):
            print(f"{args.env}: {line}")
    return 0 if verdict(result) else EXIT_FAILED


def guard(entry, name):
    """Run a tool's main(); errors that are the user's to mend are one line."""
    # As an exception, so that what it started ends with it: a QEMU left behind runs for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(entry(sys.argv[1:]))
    except (UsageError, MissingError) as err:
        print(f"{name}: {err}", file=sys.stderr)
        sys.exit(err.status)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    guard(main, "vm.py")
