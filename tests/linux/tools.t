#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""tools/linux_matrix.py finds each error in a guest's lines."""
import contextlib
import copy
import io
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

SITES = '{"inline": 5, "call": 4, "nop": 3, "jump": 0, "indirect": 0, "failed": 0, "outline": 9}'
GOOD = f"""(XEN) a line of another
pvops-linux: user space reached
@pvops kernel "6.1"
@pvops cpus 1
@pvops backend "native"
@pvops detected[] "native: bare instructions (score 1)"
@pvops detected[] "xen: no: no Xen PV start of day"
@pvops sites {SITES}
@pvops module.first_load {SITES}
@pvops module.last_load {SITES}
@test security/files PASS
@test security/stray PASS
@test security/wx PASS
pvops-linux: security: pass 3 fail 0 skip 0 timeout 0
@test module/checks PASS
@test module/loads PASS 100
pvops-linux: module: pass 2 fail 0 skip 0 timeout 0
# some rounds
@test stress/stress PASS
pvops-linux: stress: pass 1 fail 0 skip 0 timeout 0
@test user/levels PASS
@pvops user.levels 4
@pvops user.pti false
@test user/all PASS
@test user/sigreturn_cs_data PASS
pvops-linux: user: pass 3 fail 0 skip 0 timeout 0
@test selftests/one PASS
@test selftests/two FAIL exit status 1
# what two said
pvops-linux: selftests: pass 1 fail 1 skip 0 timeout 0
@test hotplug/cpu1 SKIP one CPU
pvops-linux: hotplug: pass 0 fail 0 skip 1 timeout 0
@test suspend/restore SKIP no program saves this machine
pvops-linux: suspend: pass 0 fail 0 skip 1 timeout 0
pvops-linux: end
"""

FAULTS = f"""{GOOD.split("@pvops module")[0]}@test faults/shadow PASS
pvops-linux: faults: pass 1 fail 0 skip 0 timeout 0
@pvops faults.calls 700
@pvops faults.injected 7
@pvops faults.reported 7
@pvops faults.followed 1
@pvops faults.other 0
@pvops faults.lost 0
@pvops faults.lines 8
@pvops faults.named 8
@pvops refusals.set_pte.22 5
@pvops refusals.set_pmd.1 3
@pvops storm.timer {{"all": 9, "open": 3, "waiting": 2, "flushing": 0}}
@pvops storm.ipi {{"all": 9, "open": 3, "waiting": 2, "flushing": 0}}
@pvops storm.nmi {{"all": 9, "open": 3, "waiting": 2, "flushing": 1}}
@pvops storm.wrong 0
pvops-linux: end
"""

tap = Tap()


def run(text=GOOD, variant="ours", words=()):
    result = matrix.parse(text)
    return {**result, "row": "native", "variant": variant, "words": list(words), "killers": [],
            "died": not result["end"], "log_file": "log"}


def wrong(result, reference=None):
    return [what for good, what, _ in matrix.asserts(result, reference) if not good]


good = run()
tap.empty(good["problems"], "a sound log: no problem")
tap.empty(wrong(good), "a sound log: everything holds")
tap.empty(wrong(good, run(variant="stock")), "a sound log: the same selftests pass on stock")
tap.equal(matrix.cells(good), ["native", "native", "native", "5", "4", "3", "0", "0", "yes", "100 times",
                               "10, 1 not", "yes"], "a sound log: its cells")
tap.equal(good["tests"]["selftests/two"], ("FAIL", "exit status 1", ["what two said"]), "a test's reason is kept")
tap.equal(matrix.cells(run(GOOD.split("@pvops backend")[0]))[1:], ["-", "-", "-", "-", "-", "-", "-", "yes", "NO",
                                                                   "0", "NO"], "a crash: its cells")

# Old text, new text; the beginning of the one assertion that then fails.
for old, new, what in (
        ("user space reached", "", "user space"),
        ("pvops-linux: end", "pvops-linux: en", "the guest comes to its end"),
        ("cpus 1", "cpus 2", "the kernel runs 1 CPU"),
        ('backend "native"', 'backend "xen"', "native is chosen"),
        ("@pvops kernel", '@pvops refused[] "x"\n@pvops kernel', "nothing is refused"),
        ("@pvops kernel", '@pvops complaints[] "WARNING: x"\n@pvops kernel', "the kernel logs no warning"),
        (f"@pvops sites {SITES}", SITES.replace('"indirect": 0', '"indirect": 1').join(("@pvops sites ", "")),
         "the kernel's sites are patched"),
        (f"last_load {SITES}", "last_load " + SITES.replace('"failed": 0', '"failed": 1'),
         "the module's sites at the last load"),
        (f"@pvops module.first_load {SITES}\n", "", "the module's sites at the first load"),
        ("loads PASS 100\npvops-linux: module: pass 2 fail 0",
         "loads FAIL x\npvops-linux: module: pass 1 fail 1", "module:"),
        ("security/wx PASS\npvops-linux: security: pass 3 fail 0 skip 0",
         "security/wx SKIP x\npvops-linux: security: pass 2 fail 0 skip 1", "all security tests ran"),
        ("security/wx PASS\npvops-linux: security: pass 3 fail 0",
         "security/wx FAIL x\npvops-linux: security: pass 2 fail 1", "security:"),
        ("stress/stress PASS\npvops-linux: stress: pass 1 fail 0 skip 0 timeout 0",
         "stress/stress TIMEOUT x\npvops-linux: stress: pass 0 fail 0 skip 0 timeout 1", "stress:"),
        ("user/sigreturn_cs_data PASS\npvops-linux: user: pass 3 fail 0",
         "user/sigreturn_cs_data FAIL signal 0\npvops-linux: user: pass 2 fail 1", "user:"),
        ("user.levels 4", "user.levels 5", "page tables have 4 levels"),
        ("@pvops user.levels 4\n", "", "page tables have 4 levels"),
        ("stress: pass 1", "stress: pass 2", "the guest comes to its end"),
        ("@test stress/stress PASS", "@test stress/stress GOOD", "the guest comes to its end"),
        ("@test stress/stress PASS", "@test module/checks PASS", "the guest comes to its end"),
        ("@pvops cpus 1", "@pvops cpus 1\n@pvops cpus 1", "the guest comes to its end"),
        ("selftests/one PASS", "selftests/one PASS\n@test selftests/three PASS", "the guest comes to its end"),
):
    first = old.split("\n")[0]
    tap.ok(old in GOOD, f"the sound log has '{first}'")
    tap.ok(any(line.startswith(what) for line in wrong(run(GOOD.replace(old, new)))), f"a changed log fails: {what}",
           *wrong(run(GOOD.replace(old, new))))

OURS = "[   17.972772] WARNING: CPU: 0 PID: 741 at ../tree/arch/x86/kernel/fpu/core.c:451 kernel_fpu_begin_mask+0xb1/0xd0"
THEIRS = "[    5.850906] WARNING: CPU: 0 PID: 151 at arch/x86/kernel/fpu/core.c:451 kernel_fpu_begin_mask+0xb1/0xd0"
tap.equal(matrix.complaint_kind(OURS), matrix.complaint_kind(THEIRS), "a driver's complaint that the stock kernel has, too")
tap.ok(matrix.complaint_kind(OURS) != matrix.complaint_kind(THEIRS.replace("fpu", "mm")), "another file's is another")

isolated = GOOD.replace("user.pti false", "user.pti true")
tap.empty(wrong(run(isolated, words=["pti=on"])), "page table isolation: everything holds")
tap.equal(wrong(run(words=["pti=on"])), ["page tables are isolated"], "found: page tables that are not isolated")

tap.empty(wrong(run(FAULTS, words=["PARTS=faults"])), "faults under load: everything holds")
for old, new, what in (
        ("injected 7", "injected 0", "as many faults"),
        ("injected 7", "injected 0", "0 of 700 hypercalls failed"),
        ("reported 7", "reported 6", "as many faults"),
        ("lines 8", "lines 9", "each refusal is a line"),
        ("followed 1", "followed 0", "each refusal is a line"),
        ("other 0", "other 1", "the hypervisor refused 1 call"),
        ("named 8", "named 7", "each line has an op"),
        ("@pvops refusals.set_pmd.1 3\n", "", "ops: set_pte"),
        ("lost 0", "lost 1", "no update is lost"),
        ("@pvops faults.lost 0\n", "", "no update is lost"),
        ('"flushing": 1', '"flushing": 0', "0 of 9 nmi"),
        ('storm.timer {"all": 9, "open": 3', 'storm.timer {"all": 9, "open": 0', "0 of 9 timer"),
        ("storm.wrong 0", "storm.wrong 1", "updates of interrupt handlers"),
        ("shadow PASS\npvops-linux: faults: pass 1 fail 0", "shadow FAIL x\npvops-linux: faults: pass 0 fail 1",
         "faults:"),
):
    tap.ok(old in FAULTS, f"the sound log of faults has '{old.splitlines()[0]}'")
    lines = wrong(run(FAULTS.replace(old, new), words=["PARTS=faults"]))
    tap.ok(any(line.startswith(what) for line in lines), f"a changed log fails: {what}", *lines)

other = copy.deepcopy(good)
other["tests"]["selftests/two"] = ("PASS", "", [])
tap.equal(len(wrong(good, other)), 1, "found: a selftest that passes on stock only")
tap.equal(len(wrong(other, good)), 1, "found: a selftest that does not pass on stock")

# A stock kernel dies in test two, then in three, then not; or again, or outside of a test.
TWO, THREE = (f"{GOOD.split('@test selftests/two')[0]}@run selftests/{name}\nRIP: 0\n" for name in ("two", "three"))


def deaths(*logs):
    """The result of these boots of a stock kernel, and the tests that each left out."""
    asked = []
    result = matrix.without_killers(lambda more: asked.append(more) or run(logs[len(asked) - 1], "stock"))
    return result, asked


good["tests"]["selftests/three"] = ("PASS", "", [])
ref, asked = deaths(TWO, THREE, GOOD)
tap.equal(asked, [[], ["WITHOUT=selftests/two"], ["WITHOUT=selftests/two,selftests/three"]],
          "a dead stock kernel is tried again without the test that ran, and again")
tap.equal(ref["killers"], ["selftests/two", "selftests/three"], "the result names the two tests")
tap.equal([what for _, what, _ in matrix.asserts(good, ref)][-1],
          "selftests: the same 1 pass on the stock kernel, which died in selftests/two and in selftests/three: "
          "not compared", "the other tests are compared, and the line names the two")
tap.empty(wrong(good, ref), "our kernel does not fail for it")
tap.equal(matrix.baselines({"native": ref, "vmi": {**good, "killers": []}}),
          ["ERROR in row native: the stock kernel, which died in selftests/two and in selftests/three: "
           "the others are compared (see log)"], "the matrix names the dead stock kernel")
tap.equal(len(wrong(other, {**ref, "tests": {}})), 1, "found: nothing is left to compare")
del good["tests"]["selftests/three"]

boot_log = GOOD.split("@test selftests")[0]
for logs, tries, what in (((boot_log,), 1, "outside of a test"), ((TWO,) * 4, 4, "again and again")):
    ref, asked = deaths(*logs)
    tap.equal(len(asked), tries, f"a stock kernel that dies {what}: {tries} boot(s)")
    tap.equal([ok for ok, _, _ in matrix.asserts(good, ref) if not ok], [None], "the dead stock kernel is an error, and nothing fails")
    tap.equal(len(matrix.baselines({"native": ref})), 1, "the matrix names the dead stock kernel")
slow = {**run(TWO, "stock"), "died": False}
tap.equal(matrix.without_killers(lambda more: dict(slow))["killers"], [], "a boot that runs out of time blames no test")
tap.equal(matrix.parse(f"{TWO}@test selftests/two FAIL x\n")["running"], None,
          "a test with a result is not running")
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    verdicts = [matrix.verdict("demo", *lines) for lines in (([], []), ([], ["x"]), (["x"], []), (["x"], ["x"]))]
tap.equal(verdicts, [0, 4, 1, 1], "exit status: 0 good, 4 for an error alone, else 1")

# The guest's side: it announces each selftest that runs, and no other.
init = (TOP / "tests/linux/init").read_text(encoding="utf-8")
functions = init[init.index("# Some CPUs add"):init.index("# Most take")]
for without, status, said in (("", 0, "@run selftests/two"), ("selftests/twofold", 0, "@run selftests/two"),
                              ("mm/x,selftests/two", 1, "@test selftests/two SKIP not asked for")):
    script = f'{functions}\nresult() {{ echo "@test $*"; }}\nWITHOUT={without}\nbegin selftests/two'
    done = subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=False)
    tap.equal((done.returncode, done.stdout.strip()), (status, said), f"init: WITHOUT={without}")

for args, words in ((["run", "nowhere"], "unknown environment 'nowhere'"),
                    (["run", "native", "PARTS=nothing"], "PARTS=nothing: no such part"),
                    (["demo", "--rows", "native,x"], "unknown environment 'x'"),
                    (["tap"], "required: ROW")):
    done = subprocess.run([sys.executable, TOP / "tools/linux_matrix.py", *args], text=True, capture_output=True,
                          check=False)
    said = done.stderr.splitlines()
    tap.ok(done.returncode == 2 and len(said) == 1 and words in said[0], f"linux_matrix.py {' '.join(args)}: one line",
           *said)
tap.done()
