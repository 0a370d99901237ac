#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Count what Linux executes with the layer, with its own pv_ops, and with neither.

  linux_bench.py          boot, compare; build/report/linux-RELEASE.json

Boots the kernels of tools/linux.sh (KERNEL in the environment says of which release) with the programs of tests/linux natively, and on Xen
as a PV dom0 if the kernel can.  On Xen it also counts, from outside, hypercalls and the
page-table writes that Xen emulates.  Exit status: 0 all targets are met; 1 a target is
missed, a boot does not end, or two equal boots differ; 2 wrong arguments; 3 a file or
program is missing.
"""
import argparse
import json
import math
import re
import statistics
import subprocess
from pathlib import Path

import linux_sites
import os
import cli
import judge
import qemu
import report
import vm

KERNELS = ("unhooked", "stock", "ours")
INITRD = "build/linux-bench/initrd"
PROGRAM = "build/linux-bench/init"
# Without norandmaps the number of page tables varies with the addresses.
WORDS = ["norandmaps", "panic=-1", "quiet"]
CONSOLE = {"native": "console=ttyS0", "xenpv": "console=hvc0"}
TIMEOUT = 900
# Of tests/linux/workloads.c, with what they are.
LISTS = {"core": "one thread and small processes",
         "wide": "big and many processes, threads, ranges of all sizes"}
# Enough for a median that no timer tick can move.  More costs log: 2 KiB for each trap.
WATCHED_ROUNDS = 9

TARGET_EACH = {"native": {"core": 1.03, "wide": 1.05}, "xenpv": {"core": 1.00, "wide": None}}
TARGET_MEAN = {"native": {"core": 1.015, "wide": 1.02}, "xenpv": {"core": 0.85, "wide": 1.00}}
BASE = {"native": "unhooked", "xenpv": "stock"}

# xen/include/public/xen.h
HYPERCALLS = {1: "mmu_update", 2: "set_gdt", 3: "stack_switch", 5: "fpu_taskswitch",
              10: "update_descriptor", 13: "multicall", 14: "update_va_mapping",
              15: "set_timer_op", 24: "vcpu_op", 25: "set_segment_base", 26: "mmuext_op",
              29: "sched_op", 32: "event_channel_op"}


def folder_of(kernel):
    return f"{cli.linux()}/{kernel}"


def has_xen(kernel):
    return "CONFIG_XEN_PV=y\n" in Path(folder_of(kernel), ".config").read_text(encoding="utf-8")


def listed(bench, which):
    """The names of one list's workloads."""
    return [name for name, m in bench.items() if m.get("list", "core") == which]


def workloads(envs, which):
    """Those that are compared."""
    return [name for name in listed(envs["native-ours"]["bench"], which) if name not in report.SELF_TESTS]


# Watching from outside

def symbol(path, name):
    out = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    m = re.search(rf"^([0-9a-f]+) \w {name}$", out, re.M)
    if not m:
        raise cli.MissingError(f"{path}: no symbol {name}")
    return int(m[1], 16)


def hypercall_stubs(vmlinux):
    """The first addresses of the functions that contain `syscall` and return.

    A kernel uses this instruction for hypercalls only.  HYPERVISOR_iret, the end of every
    exception, does not return and is not counted.
    """
    entries, entry, seen = set(), None, False
    with subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", vmlinux],
                          stdout=subprocess.PIPE, text=True) as dump:
        for line in dump.stdout:
            if line.endswith(">:\n"):
                entry, seen = int(line.split()[0], 16), False
            elif line.rstrip().endswith("\tsyscall"):
                seen = True
            elif seen and line.rstrip().endswith("\tret"):
                entries.add(entry)
                seen = False
    return sorted(entries)


EXEC = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/")
STOPPED = "Stopped execution of TB chain before "
EXCEPTION = re.compile(r" *\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4}) i=\d cpl=(\d) IP=[0-9a-f]+:([0-9a-f]+)")
REGISTER = re.compile(r"(R[A-Z0-9]{2}) ?=([0-9a-f]{16})")
PAGE_FAULT, GENERAL_PROTECTION = 14, 13
# Page present, write, from the ring that Xen runs its guests in.
FAULT_ON_READ_ONLY = 7


def events(lines, mark, stubs):
    """The trace as ("mark", workload, phase), ("hypercall", nr, count) and ("trap", vector)."""
    pending, regs = None, {}
    for line in lines:
        if line.startswith("R"):
            regs.update((m[1], int(m[2], 16)) for m in REGISTER.finditer(line))
            continue
        is_exec, is_trap = line.startswith("Trace"), "v=" in line and EXCEPTION.match(line)
        # QEMU reports here that it did not execute the block that it had announced.
        if line.startswith(STOPPED):
            pending = None
        if not (is_exec or is_trap):
            continue
        if pending == mark:
            yield "mark", regs["RDI"], regs["RSI"]
        elif pending in stubs:
            yield "hypercall", regs["RAX"], regs["RSI"]
        pending = None
        if is_exec:
            pending = int(EXEC.match(line)[1], 16)
            regs = {}
        elif int(is_trap[1], 16) == GENERAL_PROTECTION and int(is_trap[4], 16) >> 63:
            yield "trap", "emulated_instructions", 1
        elif int(is_trap[1], 16) == PAGE_FAULT and int(is_trap[4], 16) >> 63 and \
                int(is_trap[2], 16) == FAULT_ON_READ_ONLY:
            yield "trap", "emulated_pt_writes", 1


def count_samples(trace, names):
    """{workload: [{event: count} of each sample]}"""
    out = {name: [] for name in names}
    sample = None
    for kind, a, b in trace:
        if kind == "mark":
            if b == 0:
                sample = {}
            elif sample is not None and a < len(names):
                out[names[a]].append(sample)
                sample = None
            continue
        if sample is None:
            continue
        if kind == "trap":
            sample[a] = sample.get(a, 0) + 1
        else:
            what = HYPERCALLS.get(a, f"hypercall_{a}")
            for field, n in (("hypercalls", 1), (what, 1)) + \
                    ((("pt_updates", b),) if what == "mmu_update" else ()):
                sample[field] = sample.get(field, 0) + n
    return out


def watch(kernel, bench):
    """Boot on Xen once more with the trace on; add its counts to each workload."""
    trace = Path("build/log/workloads.trace")
    mark, stubs = symbol(PROGRAM, "mark"), hypercall_stubs(f"{folder_of(kernel)}/vmlinux")
    if not stubs:
        return [f"{folder_of(kernel)}/vmlinux: no hypercall stub found"]
    places = ",".join(f"{at:#x}+1" for at in (mark, *stubs))
    run = boot("xenpv", kernel, "watched", [f"rounds={WATCHED_ROUNDS}", "list=core"],
               ["-d", "exec,cpu,int,nochain", "-dfilter", places, "-D", str(trace)])
    if not judge.verdict(run):
        return judge.explain(run)
    with trace.open(encoding="ascii", errors="replace") as lines:
        counted = count_samples(events(lines, mark, set(stubs)), listed(bench, "core"))
    trace.unlink()
    for name, samples in counted.items():
        if len(samples) != WATCHED_ROUNDS:
            return [f"{name}: {len(samples)} samples in the trace, must be {WATCHED_ROUNDS}"]
        fields = ["hypercalls", "emulated_pt_writes"]
        fields += sorted({f for s in samples for f in s} - set(fields))
        for field in fields:
            n = statistics.median(s.get(field, 0) for s in samples) / bench[name]["per_round"]
            if n or field in ("hypercalls", "emulated_pt_writes"):
                bench[name][field] = int(n) if n == int(n) else n
    return []


# Booting

def boot(where, kernel, tag, words=(), more=()):
    print(f"{where}, {kernel}, {tag}: booting ... ", end="", flush=True)
    run = vm.run(f"workloads-{where}", [CONSOLE[where], *WORDS, *words], image=INITRD,
                 tag=f"{kernel}-{tag}", timeout=TIMEOUT, more=more,
                 parts={"kernel": f"{folder_of(kernel)}/arch/x86/boot/bzImage"})
    print(f"{run['seconds']} s" if run["end"] else f"{run['seconds']} s, NO END MARKER", flush=True)
    return run


def sites(env):
    """The layer counts by op; the total is the sum."""
    total = dict.fromkeys(report.SITE_FORMS, 0)
    for forms in env["site_ops"].values():
        for form, n in forms.items():
            total[form] += n
    return total


def measure(where, kernel):
    """(environment's object of the report, [errors])"""
    first = boot(where, kernel, "first")
    if not judge.verdict(first):
        return None, judge.explain(first)
    again = boot(where, kernel, "again")
    wrong = judge.explain(again)
    if again["data"].get("bench") != first["data"].get("bench"):
        wrong.append("two boots give different figures")
    env = report.env_object(first)
    env["kernel"] = kernel
    if kernel != "ours":
        env["backend"] = {"unhooked": "none", "stock": "pv_ops"}[kernel]
    if kernel == "stock":
        env["site_ops"] = linux_sites.count(f"{cli.linux()}/pristine", folder_of(kernel), where)
    if "site_ops" in env:
        env["sites"] = sites(env)
    elif kernel == "ours":
        wrong.append("no list of sites in debugfs")
    if where == "xenpv":
        wrong += watch(kernel, env["bench"])
    return env, wrong


# What it says

def ratio(envs, where, name, of, to):
    values = [envs[f"{where}-{k}"]["bench"][name]["insns"] for k in (of, to)]
    return values[0] / values[1]


def mean(values):
    """The geometric one."""
    return math.exp(statistics.fmean(map(math.log, values)))


def compare(envs, where, which, columns):
    """Print the table of one list; return the missed targets."""
    missed = []
    kernels = [k for k in KERNELS if f"{where}-{k}" in envs]
    names = workloads(envs, which)
    width = max(map(len, names)) + 2
    each, all_of = TARGET_EACH[where][which], TARGET_MEAN[where][which]
    print(f"\n{where}, {LISTS[which]}: executed instructions per operation" +
          (", guest and hypervisor" if where == "xenpv" else "") + "\n")
    print(" " * width + "".join(f"{k:>12}" for k in kernels) +
          "".join(f"{f'{a}/{b}':>17}" for a, b in columns))
    print("-" * (width + 12 * len(kernels) + 17 * len(columns)))
    means = {c: [] for c in columns}

    def cell(column, value, limit):
        if column != ("ours", BASE[where]):
            return f"{value:>12.4f}     "
        if limit is None:
            return f"{value:>12.4f} {'ABOVE' if value > 1 else ''}".ljust(17)
        return f"{value:>12.4f} {'pass' if value <= limit else 'FAIL'}"

    for name in names:
        row = f"{name:{width}}" + "".join(
            f"{report.figure(envs[f'{where}-{k}']['bench'][name]['insns']):>12}" for k in kernels)
        for column in columns:
            value = ratio(envs, where, name, *column)
            means[column].append(value)
            row += cell(column, value, each)
            if column == ("ours", BASE[where]) and each is not None and value > each:
                missed.append(f"{where}: {name}: {value:.4f}, must be at most {each}")
        print(row.rstrip())
    if not columns:
        return missed
    row = f"{'geometric mean':{width + 12 * len(kernels)}}"
    for column in columns:
        value = mean(means[column])
        row += cell(column, value, all_of)
        if column == ("ours", BASE[where]) and value > all_of:
            missed.append(f"{where}: {LISTS[which]}: geometric mean {value:.4f}, must be at most {all_of}")
    print(row.rstrip())
    return missed


def side_by_side():
    """Print the ratios of all releases that were measured, as build/report/linux-RELEASE.json says."""
    docs = {}
    for path in sorted(report.OUT.glob("linux-[0-9]*.json"), key=lambda p: [int(n) for n in re.findall(r"\d+", p.stem)]):
        envs = json.loads(path.read_text(encoding="utf-8")).get("envs", {})
        if all(m in envs for m in ("native-ours", "native-unhooked", "native-stock")) and \
                all("list" in m for m in envs["native-ours"]["bench"].values()):
            docs[path.stem.removeprefix("linux-")] = envs
    columns = [(release, where, of) for where, of in (("native", "stock"), ("native", "ours"), ("xenpv", "ours"))
               for release in docs if f"{where}-ours" in docs[release]]
    if len(docs) < 2:
        return
    print("\nreleases side by side: native/unhooked of stock and ours; on Xen ours/stock\n")
    width = 2 + max(len(n) for envs in docs.values() for n in envs["native-ours"]["bench"])
    heads = [f"{where} {of} {release}" for release, where, of in columns]
    print(" " * width + "".join(f"{head:>20}" for head in heads))
    print("-" * (width + 20 * len(heads)))
    for which in LISTS:
        names = list(dict.fromkeys(n for envs in docs.values() for n in workloads(envs, which)))
        values = {c: {n: ratio(docs[c[0]], c[1], n, c[2], BASE[c[1]]) for n in names
                      if n in docs[c[0]][f"{c[1]}-ours"]["bench"]} for c in columns}
        for name in names:
            print(f"{name:{width}}" + "".join(
                f"{values[c][name]:>20.4f}" if name in values[c] else f"{'-':>20}" for c in columns))
        print(f"{'geometric mean':{width}}" + "".join(f"{mean(values[c].values()):>20.4f}" for c in columns) + "\n")


def compare_traps(envs):
    """Print hypercalls and emulated writes on Xen; return the missed targets."""
    names = workloads(envs, "core")
    kernels = [k for k in KERNELS if f"xenpv-{k}" in envs]
    width = max(map(len, names)) + 2
    print("\nxenpv: hypercalls per operation, and page-table writes that Xen emulates\n")
    print(" " * width + "".join(f"{k:>10}{'emulated':>10}" for k in kernels) + "  which")
    print("-" * (width + 20 * len(kernels) + 7))
    for name in names:
        row, which = f"{name:{width}}", []
        for kernel in kernels:
            m = envs[f"xenpv-{kernel}"]["bench"][name]
            row += f"{report.figure(m.get('hypercalls')):>10}{report.figure(m.get('emulated_pt_writes')):>10}"
            names = [f for f in m if f in HYPERCALLS.values() or f.startswith("hypercall_")]
            which.append(f"{kernel}: " + (", ".join(f"{f} {report.figure(m[f])}" for f in names) or "none"))
        print(f"{row}  {'; '.join(which)}")
    bench, missed = envs["xenpv-ours"]["bench"], []
    m = bench["mprotect_256"]
    if m["hypercalls"] - m.get("mmuext_op", 0) > 2:
        missed.append(f"xenpv: mprotect_256: {m['hypercalls']} hypercalls, must be at most 2 and the flush")
    m = bench["mmap_munmap_64"]
    if m["emulated_pt_writes"]:
        missed.append(f"xenpv: mmap_munmap_64: {m['emulated_pt_writes']} emulated page-table writes, must be 0")
    return missed


FORMS = {"inline": "inline", "call": "call", "jump": "call", "nop": "nop"}


def compare_sites(envs):
    """Print the form of the sites of each op, beside those of Linux's own."""
    columns = [n for n in envs if "site_ops" in envs[n]]
    print("\ncall sites by op after patching: inline / call / NOP\n")
    print(" " * 26 + "".join(f"{n:>22}" for n in columns))
    print("-" * (26 + 22 * len(columns)))
    ops = sorted({op for n in columns for op in envs[n]["site_ops"]})
    total = {n: dict.fromkeys(("inline", "call", "nop"), 0) for n in columns}
    for op in [*ops, "all"]:
        row = f"{op:26}"
        for name in columns:
            forms = dict.fromkeys(("inline", "call", "nop"), 0)
            for form, n in envs[name]["site_ops"].get(op, {}).items():
                if form in FORMS:
                    forms[FORMS[form]] += n
                    total[name][FORMS[form]] += n
            if op == "all":
                forms = total[name]
            row += f"{' / '.join(str(n) for n in forms.values()) if any(forms.values()) else '-':>22}"
        print(row)


def main(argv):
    parser = cli.Parser(prog="linux_bench.py", description=__doc__,
                       formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    os.chdir(cli.TOP)
    for kernel in KERNELS:
        if not Path(folder_of(kernel), "arch/x86/boot/bzImage").is_file():
            raise cli.MissingError(f"{folder_of(kernel)}: not built; `tools/linux.sh build {kernel}` does")
    doc = {"image_sha256": qemu.sha256(INITRD) if Path(INITRD).is_file() else None,
           "qemu": qemu.version(), "envs": {}}
    wrong, missed = [], []
    for where, kernels in (("native", KERNELS), ("xenpv", ("stock", "ours"))):
        for kernel in kernels:
            if where == "xenpv" and not has_xen(kernel):
                missed.append(f"xenpv: {kernel} is built without Xen PV")
                continue
            env, problems = measure(where, kernel)
            wrong += [f"{where}, {kernel}: {line}" for line in problems]
            if env:
                doc["envs"][f"{where}-{kernel}"] = env
    wrong += report.validate(doc)
    path = report.save(report.OUT / f"{Path(cli.linux()).name}.json", json.dumps(doc, indent=1) + "\n")
    envs = doc["envs"]
    if not wrong:
        for which in LISTS:
            missed += compare(envs, "native", which, [("stock", "unhooked"), ("ours", "unhooked")])
            if "xenpv-ours" in envs:
                missed += compare(envs, "xenpv", which, [("ours", "stock")])
        if "xenpv-ours" in envs:
            missed += compare_traps(envs)
        compare_sites(envs)
        side_by_side()
    print(f"\nraw results: {path}")
    return report.finish("bench", wrong + [f"target missed: {line}" for line in missed])


if __name__ == "__main__":
    cli.guard(main, "linux_bench.py")
