#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Faults under load (tests/guest/load.c, include/pvops/inject.h): two CPUs change page
tables while interrupts, NMIs, IPIs, remote flushes and patching hit them, and every
Nth hypercall fails.  No update is lost, each fault is reported, and updates that are lost
on purpose are found.

$FAULT_SECONDS is the length of each load (default 4; `make faults`: 60).  $SEED selects what
it does and which entries of lists fail (default 7).
"""
import errno
import os
import re

from vmtest import Tap, elf, judge, qemu, vm

SECONDS = int(os.environ.get("FAULT_SECONDS", "4"))
SEED = int(os.environ.get("SEED", "7"))
IMAGE = "build/fault/guest.elf"
REFUSED = re.compile(r"pvops: (\w+) refused: error (-\d+), entry 0x[0-9a-f]+, value 0x[0-9a-f]+, "
                     r"caller 0x([0-9a-f]+); second try: (.*)$")
# Errors that each hypervisor can return (inject.c of the backends): Xen's errno.h; ABI.md section 5.
ERRORS = {"xenpv-smp2": {errno.EPERM, errno.ENOENT, errno.ESRCH, errno.ENOMEM, errno.EACCES, errno.EFAULT, errno.EBUSY,
                         errno.EEXIST, errno.EINVAL, errno.ENOSPC, errno.ENOSYS, errno.ETIME, errno.EOPNOTSUPP},
          "vmimon-smp2": {errno.EPERM, errno.ENOENT, errno.EBUSY, errno.EINVAL}}
QUIET = ["test=none", "bench=none"]

tap = Tap()


def load(env, words, tag, image=IMAGE):
    """Run a load: SECONDS, or longer until all events have happened."""
    return vm.run(env, [*QUIET, *words], image=image, tag=tag, count=False,
                  timeout=qemu.TIMEOUT + 60 * SECONDS)


def functions():
    """[(start, name)] of the image, sorted."""
    return sorted((s.value, s.name) for s in elf.Elf(IMAGE).symbols if s.value >> 32)


def check_hits(name, data, native):
    """Each kind of event came to each CPU, and at the critical places."""
    cpus = data.get("load", {}).get("cpus", [])
    tap.equal(len(cpus), 2, f"{name}: two CPUs under load")
    wanted = ["steps", "forks", "maps", "protects", "writes", "faults", "switches", "verified",
              "timers", "nmis", "ipis", "calls"]
    tap.empty([f"CPU {nr}: no {w}: {cpu}" for nr, cpu in enumerate(cpus) for w in wanted
               if not cpu[w]], f"{name}: each CPU did each step and took each kind of event")
    # Nothing is queued natively.
    inside = [sum(cpu[w] for cpu in cpus) for w in ("timers_in_batch", "nmis_in_batch")]
    tap.ok(native or all(inside), f"{name}: timer interrupts and NMIs came inside batches",
           f"{inside[0]} and {inside[1]}")
    tap.ok(data["load"]["repatches"] and data["load"]["processes"],
           f"{name}: sites were patched again, processes ran", str(data["load"]))
    tap.ok(data["load"]["seconds"] >= SECONDS, f"{name}: the load ran {SECONDS} s")


def refusals(run):
    return [m.groups() for line in run["log"] if (m := REFUSED.match(line))]


def check_reports(name, run):
    """Each fault is reported with op and caller, and no update is lost by it."""
    data, seen = run["data"], refusals(run)
    faults = data.get("faults", {})
    tap.ok(faults.get("injected", 0) > 10, f"{name}: faults were injected", str(faults))
    tap.equal(faults.get("reported"), faults.get("injected"),
              f"{name}: as many faults are reported as injected")
    tap.equal(len(seen), data["load"]["refused"], f"{name}: each refusal has its line")
    tap.equal(data["load"]["lost"], 0, f"{name}: no update is lost")
    names = functions()
    unknown = [s for s in seen if not names[0][0] <= int(s[2], 16) <= names[-1][0]]
    tap.empty(unknown, f"{name}: each caller lies in a function")
    tap.empty([s for s in seen if s[3] != "good"], f"{name}: each second try is good")
    tap.ok(faults.get("other") == 0, f"{name}: the hypervisor itself refused only what came with a fault",
           *[line for line in run["log"] if "was not injected" in line])
    tap.empty([s for s in seen if -int(s[1]) not in ERRORS[name]], f"{name}: each error is one of the hypervisor's")
    errors = {op: sorted({-int(s[1]) for s in seen if s[0] == op}) for op in sorted({s[0] for s in seen})}
    print(f"# {name}: {faults}", *(f"#   {op}: {' '.join(map(str, nrs))}" for op, nrs in errors.items()),
          sep="\n", flush=True)


for env, words in (("native-smp2", []), ("xenpv-smp2", [f"fault=40,{SEED}"]),
                   ("vmimon-smp2", [f"fault=40,{SEED}"])):
    run = load(env, [f"load={SECONDS},{SEED}", *words], "faults")
    if tap.ok(judge.verdict(run), f"{env}: page tables match the shadow, and nothing hangs",
              *judge.explain(run)):
        check_hits(env, run["data"], not words)
        if words:
            check_reports(env, run)

# Updates lost on purpose are found: silent losses, and refusals that stay.
# Three are tried: the load may undo one before it can be seen.
def missed(run):
    return run["totals"]["fail"] == 1 and any(line.startswith("load: CPU") for line in run["log"])


for env in "xenpv-smp2", "vmimon-smp2":
    dropped = []
    for seed in 3, 4, 5:
        run = load(env, ["load=30", f"fault=60,{seed},drop"], "faults-drop")
        dropped.append(run["data"].get("faults", {}).get("dropped"))
        if missed(run):
            break
    tap.equal(dropped, [1] * len(dropped), f"{env}: one update was dropped")
    tap.ok(missed(run), f"{env}: the load notices the dropped update, by run {len(dropped)}", *run["tail"][-5:])
# The guest may die of a loss that it depends on: three are tried.
for seed in 1, 2, 3:
    run = load("xenpv-smp2", ["load=30", f"fault=60,{seed},twice"], "faults-twice")
    if missed(run):
        break
data = run["data"]
tap.ok(data.get("load", {}).get("lost", 0) > 0, "refused twice: counted as lost", *run["tail"][-5:])
tap.equal(data.get("faults", {}).get("reported"), data.get("faults", {}).get("injected"),
          "refused twice: both tries are reported")
tap.ok(any(re.fullmatch(r"error -\d+, lost", s[3]) for s in refusals(run)),
       "refused twice: the line says lost")
tap.ok(missed(run), f"refused twice: the load notices the lost update, by run {seed}", *run["tail"][-5:])

# Bad input, and an image without fault injection.
for words, image, why in (
        (["fault=4x"], IMAGE, "fault=4x: expected N[,SEED[,once|twice|drop]]"),
        (["fault=4"], vm.IMAGE, "fault=: this image has no fault injection; use build/fault/guest.elf"),
        (["load=0"], vm.IMAGE, "load=: expected SECONDS[,SEED], both above 0")):
    run = load("native", words, "faults-bad", image)
    tap.ok(not run["end"] and any(why in line for line in run["log"]), f"{words[0]}: {why}",
           *run["tail"][-3:])
tap.empty([s.name for s in elf.Elf(vm.IMAGE).symbols if "inject" in s.name and s.value >> 32],
          "the ordinary image has no fault injection")
tap.done()
