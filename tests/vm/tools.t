#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Tests of the tools, with recorded serial logs (data/) and stand-ins for QEMU."""
import contextlib
import copy
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from vmtest import CALL, DIRECT, INDIRECT, NOP, TOP, Tap, cli, elf, environments, guestlog, judge, qemu, vm

import linux_bench  # from tools/, whose path vmtest has set
import report

DATA = TOP / "tests/vm/data"
tap = Tap()


def tool(*args, **env):
    """Run a tool; returns (status, standard output, lines of standard error)."""
    run = subprocess.run([sys.executable, TOP / "tools" / args[0], *args[1:]], cwd=TOP, text=True,
                         capture_output=True, env={**os.environ, **env}, check=False)
    return run.returncode, run.stdout, run.stderr.splitlines()


def log(name):
    return vm.replay("native", ["test=all"], str(DATA / f"{name}.log"))


# A sound log

run = log("good")
tap.empty(run["problems"], "good: no problem")
tap.equal(run["totals"], {"pass": 2, "fail": 0, "skip": 1, "error": 0}, "good: totals")
tap.ok(judge.verdict(run), "good: verdict")
tap.equal(run["tests"][1], {"nr": 2, "name": "test-native-stolen_time", "result": "skip",
                            "why": "no hypervisor", "diag": ["native has nothing to steal"]},
          "good: a skipped test has its reason and the lines before it")
tap.equal(run["data"]["ops"]["irq_disable"], {"insns": 1, "hypercalls": 0}, "good: dotted path")
tap.equal(len(run["data"]["detected"]), 2, "good: list")
tap.equal(run["data"]["bench"]["array"]["256"]["per_entry"], 100, "good: series")
tap.equal(run["sites"][0][1:3], ["irq_disable", "inline"], "good: site")
tap.ok("pvops: chosen: native (bare machine), 90 of 90 ops its own" in run["log"], "good: kernel log")
tap.equal(tool("vm.py", "parse", str(DATA / "good.log"))[0], 0, "good: parse exits 0")

run = vm.replay("xenpv", [], str(DATA / "xen-mixed.log"))
tap.ok(judge.verdict(run), "Xen's lines in the middle of the guest's do no harm", *judge.explain(run))
tap.equal([t["name"] for t in run["tests"]], ["test-xenpv-save_fl", "test-xenpv-set_pte"],
          "the torn name is whole")
tap.equal(run["data"]["ops"]["set_pte"]["insns"], 7, "the torn data are whole")
tap.ok(any("Hardware Dom0" in line for line in run["tail"]), "the last lines are Xen's too")

domu = guestlog.parse("(XEN) d1 lives\n(d1) KTAP version 1\n(d1) 1..1\n(d1) ok 1 - test-xenpvh-save_fl\n"
                "(d1) @pvops backend \"native\"\n(d1) pvops-guest: end: pass 1 fail 0 skip 0 error 0\n")
tap.ok(not domu["problems"] and domu["totals"]["pass"] == 1 and domu["data"] == {"backend": "native"},
       "a domU's lines in Xen's log are the guest's", *domu["problems"])

# Logs with one problem each

for name, problem in (
        ("no-marker", "no end marker: QEMU exited with status 0, the machine was reset"),
        ("bad-json", 'bad JSON (Expecting \',\' delimiter: line 1 column 11 (char 10)): @pvops ops.irq'),
        ("nan", "bad JSON (NaN is not JSON)"),
        ("no-path", "unreadable data line: @pvops back..end"),
        ("duplicate-data", "data backend: given twice"),
        ("duplicate-test", "test-native-save_fl: reported twice"),
        ("plan", "plan of 4 tests, 3 reported"),
        ("totals", "the end marker counts 3 pass, 0 fail, 1 skip, 0 error, the lines say 2 pass"),
        ("wrong-name", "test-xenpv-set_pte: is not named test-native-..."),
):
    run = log(name)
    tap.ok(len(run["problems"]) == 1 and run["problems"][0].startswith(problem),
           f"{name}: {problem.split(' (')[0]}", *run["problems"])
    tap.ok(not judge.verdict(run), f"{name}: verdict")
    status, out, err = tool("vm.py", "tap", "native", "--log", str(DATA / f"{name}.log"))
    tap.ok(status == 1 and "not ok" in out and f"# {run['problems'][0]}" in err,
           f"{name}: tap fails and says why", str(status), out, *err)

tap.ok(any("unreadable result" in p for p in log("todo")["problems"]), "a TODO is no result here")
run = log("failures")
tap.equal(run["totals"], {"pass": 0, "fail": 1, "skip": 1, "error": 1}, "a failure is no error")
tap.ok(judge.explain(run)[:3] == ["FAIL test-native-save_fl", "  tests/x.c:1: flags (got 0x0, want 0x1)",
                               "ERROR test-native-set_pte: out of memory"],
       "failures are explained", *judge.explain(run))
status, out, err = tool("vm.py", "tap", "native-smp2", "--log", str(DATA / "failures.log"))
tap.ok(status == 1 and "not ok 1 - test-native-save_fl~smp2\n" in out
       and "ok 2 - test-native-stolen_time~smp2 # SKIP no hypervisor\n" in out
       and "not ok 3 - test-native-set_pte~smp2 # ERROR out of memory\n" in out, "TAP of failures", out)
run = log("no-marker")
tap.equal(judge.explain(run)[1], "last line of the guest: pvops: panic: page fault at 0x0",
          "a crash shows the guest's last line")
tap.equal(guestlog.parse("")["problems"], [], "an empty log can be parsed")
tap.equal(guestlog.parse("ok 1 - x\r")["totals"]["pass"], 1, "a log without a last newline can be parsed")
tap.equal(guestlog.parse("1..1\n1..1\n")["problems"], ["second plan: 1..1"], "two plans are a problem")
end = "pvops-guest: end: pass 0 fail 0 skip 0 error 0\n"
tap.equal(guestlog.parse("1..0\n" + end + end)["problems"], ["second end marker"], "two end markers are a problem: the guest rebooted")
tap.equal(guestlog.parse('@pvops a 1\n@pvops a.b 2\n')["problems"], ["data a.b: a is a value already"],
          "a value has no parts")

# Checks from outside: a line of the log, and how QEMU ended

def outside(env, *lines, how="off", data=""):
    """Judge a run with these tests and this end: {test: result}, diagnostics."""
    text = "".join(f"{line}\n" for line in lines)
    count = sum(line.startswith("ok") for line in lines)
    result = guestlog.parse(f"1..{count}\n{text}pvops-guest: end: pass {count} fail 0 skip 0 error 0\n{data}")
    judge.judge(result, environments.env_rows(env), how, 0, "", 1)
    tap.equal(result["totals"], {v: sum(t["result"] == v for t in result["tests"]) for v in guestlog.VERDICTS},
              f"{env}: totals are those of the tests")
    return {t["name"].split("-")[2]: t["result"] for t in result["tests"]}, result["tests"]


LINE = "# console_write wrote this line"
WROTE, WENT = (f"ok 1 - test-native-{op} # OUTSIDE" for op in ("console_write", "shutdown"))
for what, lines, verdict in (("once and whole", [LINE, WROTE], "pass"), ("missing", [WROTE], "fail"),
                             ("twice", [LINE, LINE, WROTE], "fail"), ("in two", [LINE[:15], LINE[15:], WROTE], "fail"),
                             ("with more", [LINE + "x", WROTE], "fail")):
    tap.equal(outside("native", *lines)[0], {"console_write": verdict}, f"console_write's line is {what}: {verdict}")
for how, verdict in (("off", "pass"), ("down", "pass"), ("exit", "fail"), ("stays", "fail"), ("timeout", "fail")):
    tap.equal(outside("native", WENT, how=how)[0], {"shutdown": verdict}, f"shutdown: {how}: {verdict}")
for said, verdict in (("poweroff", "pass"), ("reset", "fail"), ("crash", "fail"), ("", "fail")):
    data = f'@pvops ended "{said}"\n' if said else ""
    tap.equal(outside("kvm", WENT.replace("native", "kvm"), data=data)[0], {"shutdown": verdict},
              f"shutdown in a host that says '{said}': {verdict}")
got, tests = outside("native", "ok 1 - test-native-save_fl # OUTSIDE")
tap.ok(got == {"save_fl": "fail"} and "nobody looks" in tests[0]["diag"][0], "a test marked OUTSIDE that judge.py does not know fails")

# Skips of the whole suite

with tempfile.TemporaryDirectory() as folder:
    rows = Path(folder) / "skips.toml"
    rows.write_text('[[skip]]\nwhy = "no hypervisor"\ntests = ["stolen_time", "gone"]\nin = ["native"]\n'
                    '[[skip]]\nwhy = "not X"\ntests = ["save_fl"]\nbut = ["native", "x-*"]\n')
    tap.equal([environments.expected_skips(env, rows) for env in ("native", "x-smp2", "x")],
              [{"stolen_time": "no hypervisor", "gone": "no hypervisor"}, {}, {"save_fl": "not X"}],
              "skips: rows select environments by pattern")
    tap.equal(judge.wrong_skips(log("good"), rows), ["gone: skips.toml expects that it is skipped (no hypervisor), and it "
                                                  "is no test"], "skips: a test that is gone")
    rows.write_text('[[skip]]\nwhy = "no hypervisor"\ntests = ["stolen_time"]\nin = ["native"]\n')
    tap.empty(judge.wrong_skips(log("good"), rows), "skips: an expected skip is no failure")
    rows.write_text('[[skip]]\nwhy = "no hypervisor"\ntests = ["save_fl"]\nin = ["native"]\n')
    tap.equal(judge.wrong_skips(log("good"), rows),
              ["test-native-stolen_time: skipped, which skips.toml does not expect: no hypervisor",
               "save_fl: skips.toml expects that it is skipped (no hypervisor), and it is pass"],
              "skips: an unexpected skip fails, and a missing one, too")
    rows.write_text('[[skip]]\nwhy = "another reason"\ntests = ["stolen_time"]\nin = ["native"]\n')
    tap.equal(len(judge.wrong_skips(log("good"), rows)), 1, "skips: a skip for another reason fails")
status, out, err = tool("vm.py", "tap", "native", "test=all", "--log", str(DATA / "good.log"))
tap.ok(status == 1 and "skips-what-it-should\n" in out and any("stolen_time: skipped, which" in line for line in err),
       "tap of the whole suite fails for a skip", str(status), out, *err)
tap.equal(tool("vm.py", "tap", "native", "--log", str(DATA / "good.log"))[0], 0, "tap of some tests does not fail for a skip")
tap.empty([f"{test}: no such test" for env in environments.envs() for test in environments.expected_skips(env)
           if not any(f"TEST({test})" in path.read_text() for path in (TOP / "tests/guest/contract").glob("*.c"))],
          "skips.toml names only tests that exist")

# Wrong arguments and missing parts: one line, the right status

NO_FILE = str(DATA / "absent.log")
for args, status, env in (
        (("vm.py",), 2, {}),
        (("vm.py", "fly"), 2, {}),
        (("vm.py", "run"), 2, {}),
        (("vm.py", "run", "nosuch"), 2, {}),
        (("vm.py", "run", "native", "--nosuch"), 2, {}),
        (("vm.py", "run", "native", "--timeout", "soon"), 2, {}),
        (("vm.py", "run", "native", "--timeout", "0"), 2, {}),
        (("vm.py", "run", "native", "--tag", "../x"), 2, {}),
        (("vm.py", "run", "xenpv", "--image", "a b"), 2, {}),
        (("vm.py", "run", "native", "--image", NO_FILE), 3, {}),
        (("vm.py", "run", "native"), 3, {"PVOPS_QEMU": "/nonexistent/qemu"}),
        (("vm.py", "tap", "native", "--log", NO_FILE), 2, {}),
        (("vm.py", "parse", NO_FILE), 2, {}),
        (("report.py",), 2, {}),
        (("report.py", "demo", "--envs", "native,nosuch"), 2, {}),
        (("report.py", "check", NO_FILE), 2, {}),
        (("report.py", "check", str(DATA / "good.log")), 1, {}),
        (("linux_bench.py", "--nosuch"), 2, {}),
):
    is_, _, err = tool(*args, **env)
    tap.ok(is_ == status and len(err) == 1, f"{' '.join(a.split('/')[-1] for a in args)}: one line, status {status}",
           f"status {is_}", *err)

# Packages, which make looks for first

with tempfile.TemporaryDirectory() as folder:
    for name, does in (("dpkg-query", "exit 1"), ("id", "echo 1000"), ("sudo", "exit 1")):
        (Path(folder) / name).write_text(f"#!/bin/sh\n{does}\n")
        (Path(folder) / name).chmod(0o755)
    bare = {name: val for name, val in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    for words, stops in (("docs-check", True), ("docs-check GUEST=linux", True), ("-j2 docs-check", True),
                         ("-n docs-check", False), ("help", False)):
        run = subprocess.run(["make", *words.split()], cwd=TOP, text=True, capture_output=True, check=False,
                             env={**bare, "PATH": f"{folder}:{os.environ['PATH']}"})
        said = "setup: packages are missing: gcc" in run.stderr and "run: make deps" in run.stderr
        tap.ok(said == stops and (run.returncode != 0) == stops,
               f"make {words}: {'names missing packages and stops' if stops else 'does not look for packages'}",
               f"status {run.returncode}", *run.stderr.splitlines())

# QEMU's command line

xen = qemu.command(environments.env_rows("xenpv"), "build/guest.elf", "pvops=xen,-lock test=none")
tap.equal(xen[-1], "build/guest.elf pvops=xen,,-lock test=none", "-initrd: commas are doubled")
tap.equal(qemu.command(environments.env_rows("native"), "x", "pvops=native,-a")[-1], "pvops=native,-a",
          "-append: commas are not doubled")
tap.ok("-icount" in xen and "-seed" in xen, "an environment that counts has -icount and -seed")
smp = qemu.command(environments.env_rows("xenpv-smp2"), "x", "")
tap.ok("-icount" in smp and smp[smp.index("-smp") + 1] == "2" and "-cpu" in smp, "an environment with 2 CPUs can count, too")
smp = qemu.command({**environments.env_rows("xenpv-smp2"), "count": False}, "x", "")
tap.ok("-icount" not in smp, "without counting there is no -icount")

# The archive of a guest inside a host

with tempfile.TemporaryDirectory() as folder:
    parts = {name: Path(folder) / name for name in ("host", "kernel", "image", "rom")}
    for name, path in parts.items():
        path.write_bytes(name.encode() * 3)
    packed = qemu.pack({"parts": {n: str(p) for n, p in parts.items() if n != "image"},
                      "inner": ["-kernel", "{image}", "-append", "a=b {cmdline}", "-r", "{rom}"]},
                     str(parts["image"]), "pvops=kvm,-smp", Path(folder) / "packed")
    data = packed.read_bytes()
    tap.ok(data.startswith(b"hosthosthost070701"), "pack: the host's archive comes first")
    packed.write_bytes(data[12:])
    listed = subprocess.run(["cpio", "-i", "--quiet", "--to-stdout", "guest/args"], cwd=folder,
                            stdin=packed.open("rb"), capture_output=True, text=True, check=False)
    tap.equal(listed.stdout, "-kernel\n/guest/image\n-append\na=b pvops=kvm,-smp\n-r\n/guest/rom\n",
              "pack: the inner QEMU's arguments, with paths inside the host")
    listed = subprocess.run(["cpio", "-t", "--quiet"], stdin=packed.open("rb"), capture_output=True,
                            text=True, check=False)
    tap.equal(listed.stdout.split(), ["guest/args", "guest/image", "guest/rom"],
              "pack: only the files that are named")
    tap.equal(qemu.pack(environments.env_rows("native"), "x", "", Path(folder) / "none"), "", "pack: an environment without a host packs nothing")

# Boots, with a script for QEMU

with tempfile.TemporaryDirectory() as folder:
    def fake(script):
        """Boot a stand-in for QEMU; returns vm.run()'s dict."""
        program = Path(folder) / "qemu"
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        os.environ["PVOPS_QEMU"] = str(program)
        image = Path(folder) / "image"
        image.write_text("not really")
        os.environ["IMAGE"] = str(image)
        return vm.run("xenpv", ["test=none"], str(image), tag="tools", timeout=1)

    rows = environments.envs()["xenpv"]
    hypervisor = Path(folder) / "xen"
    hypervisor.write_text("not really either")
    real = environments.env_rows
    environments.env_rows = lambda name: {**rows, "parts": {"xen": str(hypervisor)}}
    qemu.POWEROFF_SECONDS = 0.5
    run = fake(f"echo 1..0; echo '{end.strip()}'")
    tap.equal(run["ended"], "reset", "QEMU that ends without a reason was reset")
    run = fake(f"echo 1..0; echo '{end.strip()}'; echo 'qemu_system_shutdown_request reason=7' >&2")
    tap.equal(run["ended"], "reset", "QEMU that ends for another reason was reset")
    run = fake(f"echo 1..0; echo '{end.strip()}'; echo 'qemu_system_shutdown_request reason=6' >&2")
    tap.equal(run["ended"], "poweroff", "QEMU that ends by a power-off was switched off")
    tap.ok(judge.verdict(run) and len(run["image_sha256"]) == 64 and len(run["parts"]["xen"]) == 64,
           "a run that ends", *judge.explain(run))
    run = fake("echo hello; echo 'cannot run' >&2; exit 7")
    tap.ok(run["problems"][0].startswith("no end marker: QEMU exited with status 7: cannot run"),
           "QEMU's own error is shown", *run["problems"])
    tap.ok("killed after 1 s" in fake("exec sleep 60")["problems"][0], "a guest that hangs is killed")
    run = fake(f"echo 1..0; echo '{end.strip()}'; exec sleep 60")
    tap.ok(len(run["problems"]) == 1 and "still on" in run["problems"][0], "a machine that stays on is a problem",
           *run["problems"])
    run = fake(f"echo 1..0; echo '{end.strip()}'; echo '(XEN) Hardware Dom0 halted: halting machine'; exec sleep 60")
    tap.ok(judge.verdict(run), "Xen's halt is power off", *run["problems"])
    run = fake("echo '(XEN) Reboot in five seconds...'; exec sleep 60")
    tap.ok("the hypervisor gave up" in run["problems"][0], "a dead hypervisor ends the run",
           *run["problems"])
    count = Path(folder) / "image.count"
    no_timer = f"echo x >>$IMAGE.count; [ $(wc -l <$IMAGE.count) -gt TRIES ] || {{ echo \"(XEN) IO-APIC + timer doesn't work!\"; exit 1; }}; echo 1..0; echo '{end.strip()}'"
    run = fake(no_timer.replace("TRIES", "2"))
    tap.ok(run["ended"] == "reset" and not run["problems"], "a Xen that saw no timer tick is booted again",
           *run["problems"])
    count.unlink()
    run = fake(no_timer.replace("TRIES", "9"))
    tap.equal((bool(run["problems"]), count.read_text().count("x")), (True, qemu.TIMER_TRIES), "a Xen that never sees a timer tick is a problem")
    run = fake(f"echo changed >$IMAGE; echo 1..0; echo '{end.strip()}'")
    tap.ok(len(run["problems"]) == 1 and "changed while it ran" in run["problems"][0],
           "an image that changes is noticed", *run["problems"])
    hypervisor.unlink()
    try:
        fake("")
        tap.ok(False, "a missing part is named")
    except cli.MissingError as err:
        tap.ok("fetches it" in str(err), "a missing part is named", str(err))
    environments.env_rows = real
    os.environ.pop("PVOPS_QEMU")

# Reports

recorded = log("good")
recorded["parts"] = {}
native = report.env_object(recorded)
good = {"image_sha256": "0" * 64, "qemu": "QEMU 7", "envs": {
    "native": native, "xenpv": {**copy.deepcopy(native), "backend": "xen"}}}
tap.empty(report.validate(good), "a sound report has no problem")


def broken(change):
    doc = copy.deepcopy(good)
    change(doc["envs"]["native"])
    return report.validate(doc)


for name, change, line in (
        ("self-test", lambda e: e["bench"]["nop_sled_100"].update(insns=101), "self-test bench.nop_sled_100: 101"),
        ("no self-test", lambda e: e["bench"].pop("idle"), "self-test bench.idle: None"),
        ("indirect", lambda e: e["sites"].update(indirect=2), "sites.indirect: 2 sites"),
        ("failed", lambda e: e["sites"].update(failed=1), "sites.failed: 1 sites"),
        ("test failed", lambda e: e["contract"].update(fail=1), "contract.fail: 1 tests"),
        ("test broken", lambda e: e["contract"].update(error=1), "contract.error: 1 tests"),
        ("no tests", lambda e: e["contract"].update({"pass": 0}), "contract.pass: no test"),
        ("missing", lambda e: e.pop("ops"), "ops: missing"),
        ("unknown", lambda e: e.update(opps={}), "opps: unknown field"),
        ("empty", lambda e: e.update(ops={}), "ops: is empty"),
        ("form", lambda e: e["sites"].pop("nop"), "sites.nop: is not a whole number"),
        ("negative", lambda e: e["ops"]["set_pte"].update(insns=-1), "ops.set_pte.insns: is not a number"),
        ("text", lambda e: e["ops"].update(set_pte="2"), "ops.set_pte: is not a measurement"),
        ("no reason", lambda e: e["ops"]["set_pte"].update(insns=None), "ops.set_pte: not measured, and no"),
        ("no per_entry", lambda e: e["bench"]["array"]["256"].pop("per_entry"), "bench.array.256: of a series"),
        ("wrong per_entry", lambda e: e["bench"]["array"]["256"].update(insns=100),
         "bench.array.256: 100 instructions are not 256 times 100"),
        ("no name of a list", lambda e: e["ops"]["set_pte"].update(list=2), "ops.set_pte.list: is not a text"),
        ("cost", lambda e: e.update(patch_insns_per_site="50"), "patch_insns_per_site: is not a number"),
):
    bad = broken(change)
    tap.ok(len(bad) == 1 and bad[0].startswith("native: " + line), f"report: {name} is found", *bad)
listed = copy.deepcopy(good)
listed["envs"]["native"]["bench"]["nop_sled_100"]["list"] = "core"
tap.empty(report.validate(listed), "a measurement may belong to a list")
tap.ok(report.validate([]) and report.validate({"envs": {"native": 1}, "image_sha256": "", "qemu": ""}),
       "report: a report that is no object is found")
text = report.table(good)
tap.ok(max(map(len, text.splitlines())) <= report.WIDTH, "the table fits the page", text)
tap.ok(any(r.split() == ["array.256", "/entry", "100", "-", "100", "-"] for r in text.splitlines()),
       "a series is shown per entry", text)
tap.ok(report.markdown(good).count("| set_pte | 2.5 | 0 | 2.5 | 0 |") == 1, "the page has the same rows")
absent = copy.deepcopy(good)
for doc in absent["envs"].values():
    doc["ops"]["halt"] = {"insns": None, "hypercalls": None, "why": "ends the CPU"}
tap.empty(report.validate(absent), "a figure may be missing for a reason")
tap.ok("because\n  ends the CPU: halt\n" in report.table(absent)
       and "because ends the CPU: halt\n" in report.markdown(absent), "the reason is shown")
tap.equal(report.series_of(good)["array"]["native"], [(1, 300), (256, 100)], "a series is the points of a curve")
tap.equal((report.figure(1234567), report.figure(2.5), report.figure(3.0), report.figure(None)),
          ("1,234,567", "2.5", "3", "-"), "figures have separators, and '-' where none is")
linux = copy.deepcopy(good)
for doc in linux["envs"].values():
    for field in ("ops", "sites", "patch_insns_per_site", "patch_serialisations"):
        del doc[field]
tap.ok(any("sites: missing" in line for line in report.validate(linux)), "a report of the mini guest needs sites")
for doc in linux["envs"].values():
    doc.update(kernel="unhooked", site_ops={"set_pte": {"call": 2}})
tap.empty(report.validate(linux), "a report of Linux needs no sites")
linux["envs"]["native"]["site_ops"]["set_pte"]["cal"] = 1
tap.equal(report.validate(linux), ["native: site_ops.set_pte.cal: unknown form"], "an unknown form of a site is found")

# A sample of workload 1, and in it: a hypercall of two entries that QEMU announced
# twice, an emulated write; a fault of user space, and what comes after, do not count.
REGS = "RAX={:016x} RBX={:016x} RCX={:016x} RDX={:016x}\nRSI={:016x} RDI={:016x} RBP={:016x} RSP={:016x}\n"


def executed(at, rax=0, rsi=0, rdi=0):
    return f"Trace 0: 0x7f00 [00000000/{at:016x}/0040c0b3/ff000000] \n" + REGS.format(rax, 0, 0, 0, rsi, rdi, 0, 0)


def fault(error, at):
    return f"    12: v=0e e={error:04x} i=0 cpl=3 IP=e033:{at:016x} pc={at:016x} SP=e02b:0 CR2=0\n" + REGS.format(*[9] * 8)


trace = (executed(0x401000, rdi=1) + executed(0xffffffff81000000, rax=1, rsi=2) +
         "Stopped execution of TB chain before 0x7f00 [ffffffff81000000] \n" +
         executed(0xffffffff81000000, rax=1, rsi=2) + fault(7, 0xffffffff81000100) + fault(6, 0x402000) +
         executed(0x401000, rdi=1, rsi=1) + executed(0xffffffff81000000, rax=1, rsi=2))
tap.equal(linux_bench.count_samples(linux_bench.events(trace.splitlines(True), 0x401000, {0xffffffff81000000}),
                                    ["a", "b"]),
          {"a": [], "b": [{"hypercalls": 1, "mmu_update": 1, "pt_updates": 2, "emulated_pt_writes": 1}]},
          "a trace gives hypercalls, updates and emulated writes of each sample")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "doc.json"
    path.write_text(json.dumps(good))
    tap.equal(tool("report.py", "check", str(path))[0], 0, "report.py check: sound, 0")
    path.write_text(json.dumps({**good, "more": 1}))
    tap.equal(tool("report.py", "check", str(path))[0], 1, "report.py check: not sound, 1")

# Whole commands, on recorded boots

def command(what, logs):
    """Run report.demo() or .bench() on {env: log}; returns (status, everything said)."""
    def recorded(name, words, **_):
        base = name.removesuffix("-smp2")
        text = (DATA / f"{logs[base]}.log").read_text()
        if name != base:
            pair = '@pvops bench.ipi_round_trip {"insns":368.00,"hypercalls":1.00}\n'
            text = text.replace("pvops-guest: end:", pair + "pvops-guest: end:")
        path = Path(folder) / f"{name}.log"
        path.write_text(text.replace("native", "xenpv").replace('backend "xenpv"', 'backend "xen"')
                        if base == "xenpv" else text)
        return {**vm.replay(name, words, str(path)), "image_sha256": "0" * 64, "parts": {}}

    said, real = io.StringIO(), vm.run
    vm.run = recorded
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return what(list(logs)), said.getvalue()
    finally:
        vm.run = real


with tempfile.TemporaryDirectory() as folder:
    report.OUT = Path(folder) / "report"
    status, said = command(report.demo, {"native": "good", "xenpv": "good"})
    tap.ok(status == 0 and said.endswith("demo: good\n"), "demo: exits 0", said)
    tap.ok(all(w in said for w in ("one image, sha256 000", "left indirect 0", "2 pass, 0 fail, 1 skip",
                                   "  chosen     native (bare machine)", "demo.json")), "demo: shows image, choice, sites, tests and file", said)
    tap.ok(max(map(len, said.splitlines())) <= report.WIDTH, "demo: fits the page", said)
    one = (report.OUT / "demo.json").read_bytes()
    command(report.demo, {"native": "good", "xenpv": "good"})
    tap.equal((report.OUT / "demo.json").read_bytes(), one, "demo: two runs write the same report")
    for name in ("failures", "no-marker", "bad-json", "duplicate-data", "totals"):
        status, said = command(report.demo, {"native": "good", "xenpv": name})
        tap.ok(status == 1 and said.endswith("demo: FAILED\n"), f"demo: {name}: exits 1", said)
    status, said = command(report.bench, {"native": "good", "xenpv": "good"})
    tap.ok(status == 0 and all((report.OUT / f"bench{e}").stat().st_size for e in (".json", ".md", ".svg", "-dark.svg")),
           "bench: exits 0 and writes its four files", said)

# How the disassembly tests classify instructions

for text, kinds in (("call   *0x10(%rip)", {INDIRECT, CALL}), ("jmp    *%rax", {INDIRECT}),
                    ("notrack jmp *%rax", {INDIRECT}), ("ljmpl  *0x70", {INDIRECT}), ("call   0x1000", {CALL, DIRECT}),
                    ("data16 call 0x1000", {CALL, DIRECT}), ("jne    0x20", {DIRECT}),
                    ("nopl   0x0(%rax)", {NOP}), ("xchg   %ax,%ax", {NOP}), ("cli", set()),
                    ("cs nopw 0x0(%rax,%rax,1)", {NOP}), ("mov    %gs:0x10,%rax", set())):
    tap.equal({k for k in (INDIRECT, CALL, DIRECT, NOP) if k.match(text)}, kinds, f"'{text}'")
try:
    elf.Elf(DATA / "good.log")
    tap.ok(False, "a file that is no ELF is refused")
except ValueError as err:
    tap.ok("not a 64-bit" in str(err), "a file that is no ELF is refused")
tap.done()
