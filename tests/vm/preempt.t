#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A kernel that preempts its own code (tests/guest/preempt.c): the test runner moves between
two CPUs at interrupts and behind random instructions, in ops and in batches.  The contract
suite passes, also with failing hypercalls, and it fails if the layer does not disable
preemption.
"""
from vmtest import Tap, judge, vm

IMAGE = "build/preempt/guest.elf"
OPS = ("test=set_pte:set_pmd:set_pud:set_p4d:modify_prot:pgd:alloc_release_pte:table_cache:"
       "batch:batch_nested:batch_overflow:batch_drains:batch_preempted")
# Rare enough that no second try fails, although the other CPU makes hypercalls meanwhile.
EVERY = {"xenpv-smp2": 2000, "vmimon-smp2": 100}

tap = Tap()


def boot(env, tag, *words):
    return vm.run(env, ["bench=none", *words], image=IMAGE, tag=tag, count=False)


for env in "xenpv-smp2", "vmimon-smp2":
    run = boot(env, "preempt")
    tap.ok(judge.verdict(run), f"{env}: the contract suite passes", *judge.explain(run))
    moves = run["data"].get("preempt", {})
    tap.ok(moves.get("moves", 0) >= 400 and moves["in_batch"] >= 40 and moves["steps"] >= 5000,
           f"{env}: the task moved, in batches, too", str(moves))
    print(f"# {env}: {moves}", flush=True)

    run = boot(env, "preempt-faults", OPS, f"fault={EVERY[env]},3")
    faults = run["data"].get("faults", {})
    tap.ok(judge.verdict(run), f"{env}: with failing hypercalls the suite passes", *judge.explain(run))
    tap.ok(faults.get("injected", 0) >= 3 and faults["reported"] == faults["injected"],
           f"{env}: each fault is reported", str(faults))
    tap.equal(faults.get("other"), 0, f"{env}: there is no other refusal")
    tap.empty([line for line in run["log"] if "; second try: " in line and not line.endswith("good")],
              f"{env}: no update is lost")

    # Where the task moves is chance, so three are tried.
    for seed in 1, 2, 3:
        run = boot(env, "preempt-planted", OPS, f"preempt={seed}", "plant=hooks")
        if not judge.verdict(run):
            break
    tap.ok(not judge.verdict(run), f"{env}: without the layer's calls the suite fails, in run {seed}")
tap.done()
