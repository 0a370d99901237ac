#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test-host-opdoc: the op reference page is current, and its generator notices
what it must notice.  Each fault is planted in a copy of the sources."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "opdoc.py"
IRQ = "include/pvops/ops/irq.h"

results = []


def opdoc(*args):
    run = subprocess.run([sys.executable, str(TOOL), *map(str, args)], capture_output=True,
                         text=True, check=False)
    return run.returncode, run.stderr


def copy(tmp, backends=True):
    root = pathlib.Path(tempfile.mkdtemp(dir=tmp))
    shutil.copytree(ROOT / "include", root / "include")
    if backends and (ROOT / "backends").is_dir():
        shutil.copytree(ROOT / "backends", root / "backends")
    return root


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def ok(good, name, detail=""):
    results.append(good)
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")
    if not good and detail:
        print("# " + detail.strip().replace("\n", "\n# "))


def planted(tmp, name, path, old, new, want, backends=True):
    """A fault in one file is one line and exit status 1."""
    root = copy(tmp, backends)
    edit(root / path, old, new)
    status, said = opdoc("--root", root, "--output", root / "ops.md")
    good = status == 1 and len(said.splitlines()) == 1 and all(w in said for w in want)
    ok(good and not (root / "ops.md").exists(), name, f"status {status}, said: {said}")


def own_backend(tmp, name, table, want_status, want):
    """A backend of one file; native has none, which is allowed."""
    root = copy(tmp, False)
    (root / "backends" / "toy").mkdir(parents=True)
    (root / "backends" / "toy" / "toy.c").write_text(table, encoding="utf-8")
    status, said = opdoc("--root", root, "--output", root / "ops.md")
    text = (root / "ops.md").read_text(encoding="utf-8") if not status else said
    ok(status == want_status and all(w in text for w in want), name, said or text[-400:])


TOY = '''
#define LEAF(name, text) \\
	PV_CODE(toy_##name, text); \\
	asm(text)
LEAF(halt, "hlt; nop");
PV_CODE(code_cli, "movb $1, " PV_PERCPU_ASM "mask\\n\\tnop");
/* .irq_enable = PV_FN(not_me, 0), */
static const struct pv_irq_impls toy = {
	.irq_disable = PV_INLINE(toy_disable, code_cli, PV_IMPL_REQUIRED),
	.irq_enable = PV_FN(toy_enable,
			    PV_IMPL_REQUIRED),
	.halt = PV_INLINE(toy_fn, toy_halt, 0),
	.safe_halt = PV_EMPTY(toy_nothing, 0),
};
'''


def main():
    tmp = tempfile.mkdtemp()
    try:
        status, said = opdoc("--check", ROOT / "docs" / "ops.md")
        ok(status == 0, "docs/ops.md is current", said)

        root = copy(tmp)
        page = root / "ops.md"
        status, said = opdoc("--root", root, page)
        ok(status == 0 and page.stat().st_size > 10000, "page is written", said)
        ok(opdoc("--root", root, "--check", page)[0] == 0, "what was written is current")
        text = page.read_text(encoding="utf-8")
        headers = (ROOT / "include/pvops/ops").glob("*.h")
        names = [line.split(",")[1].strip() for header in headers
                 for line in header.read_text(encoding="utf-8").splitlines()
                 if line.startswith("PV_OP(")]
        ok(len(names) > 80 and all(f"\n### {name}\n" in text for name in names),
           "every op has a section")
        ok("- **Goes with:** [lock_wait](#lock_wait)" in text and
           "- **Goes with:** [lock_kick](#lock_kick)" in text, "both of a pair name the other")

        page.write_text(text.replace("rax", "rbx", 1), encoding="utf-8")
        status, said = opdoc("--root", root, "--check", page)
        ok(status == 1 and "stale" in said and len(said.splitlines()) == 1,
           "changed page is stale", said)
        page.write_text(text, encoding="utf-8")
        edit(root / IRQ, "Native: STI (", "Native: STI, (")
        ok(opdoc("--root", root, "--check", page)[0] == 1, "changed contract makes it stale")
        page.unlink()
        ok(opdoc("--root", root, "--check", page)[0] == 1, "missing page is stale")
        ok(opdoc()[0] != 0, "no file named is an error")

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
        planted(tmp, "goes with an op that is none", IRQ, "PV_TOGETHER(irq_disable, save_fl)",
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
        planted(tmp, "op twice", IRQ, "PV_OP(irq, halt, CALL6, C, void, 0, (), halt)",
                "PV_OP(irq, save_fl, CALL6, C, void, 0, (), halt)", ("save_fl",))

        if list((ROOT / "backends" / "native").glob("*.c")):
            native = "backends/native/backend.c"
            planted(tmp, "op in no native table", native,
                    "\t.clts = ", "\t/* left out */ //", ("clts", "no table"))
            planted(tmp, "entry in the wrong table", native,
                    "\t.clock_read = ", "\t.clts = ", ("clts", "no such op in table time"))
        else:
            for name in ("op in no native table", "entry in the wrong table"):
                ok(True, f"{name} # SKIP no native backend")

        own_backend(tmp, "forms of a table are understood", TOY, 0,
                    ("In toy:** inline `movb $1, %gs:mask; nop`; required",
                     "In toy:** call `toy_enable`; required", "In toy:** inline `hlt; nop`",
                     "In toy:** nothing (NOP)", "In toy:** native"))
        own_backend(tmp, "inline code that is nowhere",
                    TOY.replace("PV_CODE(code_cli", "PV_CODE(code_sti"), 1, ("code_cli",))
        own_backend(tmp, "unknown form of entry",
                    TOY.replace("PV_EMPTY(", "PV_MAGIC("), 1, ("safe_halt",))
        own_backend(tmp, "unknown op in a table",
                    TOY.replace(".safe_halt", ".safe_holt"), 1, ("safe_holt",))
        own_backend(tmp, "backend without tables yet", "int x;\n", 0, ("has no tables yet",))
    finally:
        shutil.rmtree(tmp)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
