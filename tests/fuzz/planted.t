#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each fuzz target finds planted bugs: in a copy of the tree one line of the tested code is
changed, and a run from the seeds must end with a crash.  A seed or some thousand runs find
each; SECONDS is for a busy machine.

`make fuzz` must have built the targets; unchanged objects come from there.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SECONDS = 60
FOLDERS = ("pvops", "backends", "include", "tests", "tools")

# Target, file, original line, planted line.
PLANTS = (
    ("plan", "pvops/plan.c", "if (spare - 1 < 3 && takes_prefix(impl->code)) {", "if (spare - 1 < 3 || takes_prefix(impl->code)) {"),
    ("cmdline", "pvops/detect.c", "candidates[nr].score > high) {", "candidates[nr].score >= high) {"),
    ("cmdline", "pvops/exceptions.c", "pv_op_is_left(pair->op) != pv_op_is_left(pair->other) &&", "false &&"),
    ("cmdline", "pvops/option.c", "quoted ^= *p == '\"';", "quoted = false;"),
    ("sites", "pvops/apply.c", "addr < set->text_end && len <= set->text_end - addr", "addr + len <= set->text_end + 1"),
    ("module", "pvops/apply.c", "if (__builtin_expect(addr - gone_start < gone, 0)) {",
     "if (__builtin_expect(addr - gone_start >= gone, 0)) {"),
    ("vmi", "backends/vmi/rom.c", "if (rom->bytes > available)", "if (rom->bytes > available + 512)"),
    ("cpuid", "pvops/cpuid.c", "if (!platform->hypervisor)", "if (0)"),
    ("cpuid", "pvops/cpuid.c", 'if (!regs.eax && pv_cpuid_same(range->name, "KVMKVMKVM"))', "if (!regs.eax)"),
    ("hypercall", "backends/xen/multicall.c", "if (done >= count)", "if (0)"),
    ("hypercall", "pvops/batch.c", "req += done + 1;", "req += done + 2;"),
    ("hypercall", "backends/xen/tables.c", "if ((long)entry[0].result >= 0 && (long)entry[i + 1].result >= 0)",
     "if ((long)entry[i + 1].result >= 0)"),
    ("hypercall", "backends/xen/mmu.c", "(void *)mask->word);", "(void *)mask->word[0]);"),
    ("xenstart", "backends/xen/backend.c", "if (pv_pfn_nr(own) >= pages)", "if (pv_pfn_nr(own) > pages + 64)"),
    ("clock", "backends/hyperv/time.c", "} while (page->sequence != sequence);", "} while (0);"),
    ("boot", "tests/guest/start.c", "return bytes && bytes <= reach(address) ?", "return bytes && reach(address) ?"),
    ("vmcall", "backends/kvm/smp.c", "if (result >= 0)", "if (result >= -38)"),
    ("vmcall", "backends/hyperv/hypercall.c", "if (!status && HV_REPS_DONE(result) == reps)",
     "if (!status || HV_REPS_DONE(result) == reps)"),
    ("vmcall", "backends/hyperv/hypercall.c", "pvhyperv_phys(pvhyperv_input())", "(u64)pvhyperv_input()"),
    ("vmcall", "backends/hyperv/hypercall.c", "if (++counts->in_a_row[nr] < HV_REFUSALS)", "if (0)"),
    ("vmcall", "backends/hyperv/mmu.c", "if (pvhyperv_nobody(mask, pvhyperv_vp_index))", "if (!ex && pvhyperv_nobody(mask, pvhyperv_vp_index))"),
    ("romcall", "backends/vmi/mmu.c", "*done = first + (u32)result.type;", "*done = (u32)result.type + 1;"),
    ("monitor", "tests/vmi/monitor/loader.c", "ph->p_filesz > ph->p_memsz)", "0)"),
    ("elf", "tools/audit/audit.c", "if (r->start < s->addr || r->end > s->addr + s->bytes)", "if (r->start < s->addr)"),
)


def copy_tree(at):
    """Links to all files; the folders are its own."""
    for folder in FOLDERS:
        shutil.copytree(TOP / folder, at / folder, copy_function=os.symlink)
    shutil.copytree(TOP / "build/fuzz", at / "build/fuzz", copy_function=os.symlink,
                    ignore=shutil.ignore_patterns("corpus", "crash-*", "*.log"))
    os.symlink(TOP / "Makefile", at / "Makefile")


def plant(target, name, old, new):
    """None, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        copy_tree(at)
        text = (TOP / name).read_text()
        if text.count(old) != 1:
            return f"{name} has not one line: {old}"
        (at / name).unlink()
        (at / name).write_text(text.replace(old, new))
        # Files are links to the real ones: remove those that make writes again.
        for built in (at / "build/fuzz").rglob("*"):
            if built.name in (Path(name).stem + ".o", Path(name).stem + ".d", f"{target}.o", f"{target}.d",
                              f"test-host-fuzz-{target}"):
                built.unlink()
        program = f"build/fuzz/test-host-fuzz-{target}"
        make = subprocess.run(["make", "-s", program], cwd=at, capture_output=True, text=True)
        if make.returncode:
            return make.stderr
        (at / "found").mkdir()
        run = subprocess.run([at / program, f"-max_total_time={SECONDS}", "-max_len=512", "-timeout=60", "-seed=1",
                              "-artifact_prefix=./", "found", TOP / "tests/fuzz/corpus" / target],
                             cwd=at, capture_output=True, text=True, errors="replace")
        if not run.returncode or not list(at.glob("crash-*")):
            return f"not found in {SECONDS} s\n" + run.stderr[-300:]
        return None


def main():
    print(f"1..{len(PLANTS)}")
    failed = 0
    with ThreadPoolExecutor(2) as pool:
        for nr, (row, wrong) in enumerate(zip(PLANTS, pool.map(lambda row: plant(*row), PLANTS)), 1):
            failed += wrong is not None
            print(f"{'not ' if wrong else ''}ok {nr} - {row[0]} finds what is planted in {row[1]}: {row[3]}",
                  flush=True)
            for line in (wrong or "").splitlines():
                print(f"# {line}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
