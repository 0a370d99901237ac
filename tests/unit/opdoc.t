#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-opdoc: the op reference page is current, says what the backends do, and
its generator notices what it must notice.  Each fault is planted in a copy of the
sources, which is built if the fault is in code."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "opdoc.py"
PROGRAM = ROOT / "build" / "optables" / "optables"
IRQ = "include/pvops/ops/irq.h"

results = []


def opdoc(*args):
    run = subprocess.run([sys.executable, str(TOOL), *map(str, args)], capture_output=True,
                         text=True, check=False)
    return run.returncode, run.stderr


def copy(tmp):
    """The sources, and what is built of them, no older than they are."""
    root = pathlib.Path(tempfile.mkdtemp(dir=tmp)) / "tree"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "corpus", "build", "patches"))
    shutil.copytree(PROGRAM.parent, root / "build" / "optables")
    return root


def build(root):
    """optables of a copy; what make says is part of what the tool says."""
    run = subprocess.run(["make", "-s", "-C", root, "build/optables/optables"], capture_output=True,
                         text=True, check=False)
    assert not run.returncode, run.stdout + run.stderr


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def ok(good, name, detail=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good and detail:
        print("# " + detail.strip().replace("\n", "\n# "))


def refused(root, name, want):
    """One line, exit status 1, and no page."""
    page = root / "ops.md"
    status, said = opdoc("--root", root, page)
    good = status == 1 and len(said.splitlines()) == 1 and all(w in said for w in want)
    ok(good and not page.exists(), name, f"status {status}, said: {said}")


def planted(tmp, name, path, old, new, want):
    """A fault in a contract."""
    root = pathlib.Path(tempfile.mkdtemp(dir=tmp))
    shutil.copytree(ROOT / "include", root / "include")
    edit(root / path, old, new)
    refused(root, name, want)


def built(tmp, path, old, new):
    """A copy with a change in the code, built."""
    root = copy(tmp)
    edit(root / path, old, new)
    build(root)
    return root


def section(text, op):
    return text.split(f"\n### {op}\n")[1].split("\n### ")[0].split("\n## ")[0]


def said_of(text, op, backend):
    """What the page says of an op in a backend, on one line."""
    found = re.search(rf"^- \*\*In {backend}:\*\* (.*(?:\n  .*)*)", section(text, op), re.M)
    return re.sub(r"\n  ", " ", found.group(1)) if found else "native"


# What each backend does, by another reading of its code: one of each kind.
KNOWN = (
    ("irq_disable", "native", "inline `cli`"),
    ("set_pte", "native", "the code compiled in line"),
    ("adjust_exception_frame", "native", "nothing (NOP)"),
    ("irq_disable", "xen", "inline `movb $0x1, %gs:pvxen_vcpu_info+1`; required"),
    ("upcall", "xenhvm", "call `pvxen_hvm_upcall`; required"),
    ("read_cr4", "vmi", "call the ROM's GetCR4; native without GetCR4"),
    ("iret", "vmi", "jump the ROM's IRET; required; native without IRET and the interrupt calls; "
                    "not required with flag NATIVE_IF"),
    ("wbinvd", "vmi", "call `pvvmi_wbinvd`; native without WBINVD; nothing (NOP) where WBINVD is NOP"),
    ("write_cr3", "vmi", "call `pvvmi_write_cr3`; native without both SetCR3 and SetPxELong"),
    ("io_delay", "kvm", "nothing (NOP); native without `KVM_FEATURE_NOP_IO_DELAY`"),
    ("flush_tlb_multi", "kvm", "call `pvkvm_flush_tlb_multi`; native without "
                               "`KVM_FEATURE_STEAL_TIME` or `KVM_FEATURE_PV_TLB_FLUSH` or with "
                               "dedicated vCPUs"),
    ("clock_read", "kvm", "call `pvkvm_clock_read`; native without both `KVM_FEATURE_CLOCKSOURCE` "
                          "and `KVM_FEATURE_CLOCKSOURCE2`"),
    ("set_pte", "kvm", "native"),
    ("upcall", "hyperv", "call `pvhyperv_upcall`; native without `HV_PRIV_APIC` or `HV_HINT_APIC_MSR`"),
    ("stop_cpu", "hyperv", "call `pvhyperv_stop_cpu`"),
    ("stolen_time", "vmware", "call `pvvmware_stolen_time`; native without a TSC frequency or "
                              "stolen time"),
)


def main():
    tmp = tempfile.mkdtemp()
    try:
        status, said = opdoc("--check", ROOT / "docs" / "ops.md")
        ok(status == 0, "docs/ops.md is current", said)

        root = copy(tmp)
        page = root / "ops.md"
        status, said = opdoc("--root", root, page)
        ok(status == 0 and page.stat().st_size > 10000, "page is written", said)
        ok(opdoc("--root", root, "--check", page)[0] == 0, "the written page is current")
        text = page.read_text(encoding="utf-8")
        wide = [line for line in text.splitlines() if len(line) > 100]
        ok(not wide, "no line has more than 100 columns", "\n".join(wide))
        for op, backend, want in KNOWN:
            found = said_of(text, op, backend)
            ok(found == want, f"{op} in {backend}: {want}", found)
        listed = subprocess.run([TOOL, "--root", root, "--list"], capture_output=True, text=True,
                                check=False).stdout.splitlines()
        ok(len(listed) == 7 * text.count("\n### ") and
           "cpu\tio_delay\tkvm\tnothing (NOP); native without `KVM_FEATURE_NOP_IO_DELAY`" in listed,
           "--list has a line for each op in each backend", "\n".join(listed[:3]))
        headers = (ROOT / "include/pvops/ops").glob("*.h")
        names = [line.split(",")[1].strip() for header in headers
                 for line in header.read_text(encoding="utf-8").splitlines()
                 if line.startswith("PV_OP(")]
        ok(len(names) > 80 and all(f"\n### {name}\n" in text for name in names),
           "every op has a section")
        ok("- **Goes with:** [lock_wait](#lock_wait)" in section(text, "lock_kick") and
           "- **Goes with:** [lock_kick](#lock_kick)" in section(text, "lock_wait"), "both of a pair name the other")

        page.write_text(text.replace("rax", "rbx", 1), encoding="utf-8")
        status, said = opdoc("--root", root, "--check", page)
        ok(status == 1 and "stale" in said and len(said.splitlines()) == 1,
           "changed page is stale", said)
        page.write_text(text, encoding="utf-8")
        edit(root / IRQ, "Native: STI (", "Native: STI, (")
        ok(opdoc("--root", root, "--check", page)[0] == 1, "changed contract makes it stale")
        page.unlink()
        ok(opdoc("--root", root, "--check", page)[0] == 1, "missing page is stale")
        ok(opdoc()[0] != 0, "a call without a file is an error")

        planted(tmp, "contract without Native", IRQ, " * Native: PUSH %rdi; POPF.\n", "",
                ("restore_fl", "Native"))
        planted(tmp, "contract without Context", IRQ, " * Context: any; pure function", " * any",
                ("irqs_disabled_flags", "Context"))
        planted(tmp, "contract without Clobbers", IRQ, " * Clobbers: rax (the result), flags.\n",
                "", ("save_fl", "Clobbers"))
        planted(tmp, "contract without Batch", IRQ, " * Batch: no.\n", "", ("save_fl", "Batch"))
        planted(tmp, "contract without Default", IRQ,
                " * Default: native.\n */\nPV_OP(irq, irqs_disabled_flags", " */\nPV_OP(irq, irqs_disabled_flags",
                ("irqs_disabled_flags", "Default"))
        planted(tmp, "PV_TOGETHER with an unknown op", IRQ, "PV_TOGETHER(irq_disable, save_fl)",
                "PV_TOGETHER(irq_disable, save_flags)", ("ops/irq.h:", "save_flags", "no such op"))
        planted(tmp, "field without words", IRQ, " * Batch: no.\n", " * Batch:\n",
                ("save_fl", "Batch"))
        planted(tmp, "contract without summary", IRQ, " * halt - stop", " * stop", ("halt",))
        planted(tmp, "summary of another op", IRQ, " * halt - stop", " * hlt - stop", ("halt",))
        planted(tmp, "op without contract", IRQ, "PV_OP(irq, save_fl",
                "PV_OP(irq, naked, CALL6, C, void, 0, (), naked)\nPV_OP(irq, save_fl",
                ("no summary",))
        planted(tmp, "wrong number of arguments", IRQ, "void, 1, (u32, vector), upcall",
                "void, 2, (u32, vector), upcall", ("upcall", "2 arguments"))
        planted(tmp, "an op that is defined twice", IRQ, "PV_OP(irq, halt, CALL6, C, void, 0, (), halt)",
                "PV_OP(irq, save_fl, CALL6, C, void, 0, (), halt)", ("save_fl",))

        root = built(tmp, "backends/native/backend.c", "\t.clts = ", "\t/* left out */ //")
        refused(root, "an op that native leaves out", ("clts", "native has no implementation"))
        root = built(tmp, "backends/vmware/backend.c", '.name = "vmware"', '.name = "toy"')
        refused(root, "a backend for which there is no machine", ("toy", "no machine"))
        root = built(tmp, "backends/vmware/detect.c", "? VMWARE_SCORE :", "? PV_SCORE_NONE :")
        refused(root, "a backend that does not run on its machine", ("vmware: no VMware by CPUID",))
        root = built(tmp, "backends/kvm/backend.c", "\tpvkvm_fill_time();", "\t__builtin_trap();")
        refused(root, "a backend that ends the process", ("kvm", "ended the process"))
        root = built(tmp, "backends/kvm/smp.c", "lock_wait, pvkvm_lock_wait)",
                     "lock_wait, (void *)((u64)pvkvm_lock_wait + 1))")
        refused(root, "a function that has no name", ("lock_wait", "kvm", "no function begins"))
        root = built(tmp, "backends/native/backend.c", 'LEAF(clts, "clts");', 'LEAF(clts, "jmp .+2");')
        refused(root, "inline code that branches", ("inline code with", "jmp"))

        # The tables are filled when a backend starts: the page follows the code.
        root = built(tmp, "backends/kvm/host_written.c", "if (pvkvm_has(KVM_FEATURE_PV_EOI))",
                     "if (pvkvm_has(KVM_FEATURE_PV_UNHALT))")
        status, said = opdoc("--root", root, "--check", root / "docs/ops.md")
        ok(status == 1 and "stale" in said, "another condition makes the page stale", said)
        opdoc("--root", root, root / "ops.md")
        found = said_of((root / "ops.md").read_text(encoding="utf-8"), "upcall", "kvm")
        ok(found == "call `pvkvm_upcall`; native without `KVM_FEATURE_PV_UNHALT`",
           "and the new one stands there", found)

        root = copy(tmp)
        edit(root / IRQ, "PV_OP(irq, halt, CALL6, C, void, 0, (), halt)",
             "PV_OP(irq, halt, CALL6, C, void, 0, (), halt)\n\n/**\n * more - one more\n"
             " * Native: n\n * Context: c\n * Clobbers: c\n * Batch: b\n * Default: d\n */\n"
             "PV_OP(irq, more, CALL6, C, void, 0, (), more)")
        refused(root, "a program of another catalogue", ("more", "another catalogue"))
        (root / "build/optables/optables").unlink()
        refused(root, "no program", ("build/optables/optables", "make docs"))
    finally:
        shutil.rmtree(tmp)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
