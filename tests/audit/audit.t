#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The audit finds planted instructions, those in alternatives, and those that the monitor has
seen executed.  It names the error of a bad image or list.
"""
import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap, boot, elf  # noqa: E402

AUDIT = TOP / "build/audit/audit"
UNPACK = TOP / "tools/audit/unpack.py"
GUEST = TOP / "build/guest.elf"
LIST = TOP / "tools/audit/allow-guest.txt"
LAYER = ("--layer", TOP / "tools/audit/allow-layer.txt")
USER_TEXT = 0x400000    # tests/guest/guest.h
KERNEL_BASE = 0xffffffff80000000

# Instruction of each kind, and its name.
PLANTED = (
    ("cli", "cli"), ("sti", "sti"), ("pushfq", "pushf"), ("popfq", "popf"), ("sgdt (%rax)", "sgdt"),
    ("sidt (%rax)", "sidt"), ("sldt %ax", "sldt"), ("str %ax", "str"), ("smsw %ax", "smsw"),
    ("lar %ax, %eax", "lar"), ("lsl %ax, %eax", "lsl"), ("verr %ax", "verr"), ("verw %ax", "verw"),
    ("lgdt (%rax)", "lgdt"), ("lidt (%rax)", "lidt"), ("lldt %ax", "lldt"), ("ltr %ax", "ltr"),
    ("lmsw %ax", "lmsw"), ("clts", "clts"), ("hlt", "hlt"), ("invlpg (%rax)", "invlpg"), ("wbinvd", "wbinvd"),
    ("rdmsr", "rdmsr"), ("wrmsr", "wrmsr"), ("mov %cr2, %rax", "mov_from_cr2"), ("mov %rax, %cr3", "mov_to_cr3"),
    ("mov %rax, %db7", "mov_to_dr"), ("mov %eax, %ds", "mov_to_ds"), ("mov %fs, %eax", "mov_from_fs"),
    ("pop %gs", "mov_to_gs"), ("iretq", "iret"), ("lretq", "ret_far"), ("ljmp *(%rax)", "jmp_far"),
    ("lcall *(%rax)", "call_far"), ("swapgs", "swapgs"), ("sysretq", "sysret"), ("cpuid", "cpuid"),
    ("inb %dx, %al", "in"), ("outb %al, $0x80", "out"), ("xsetbv", "xsetbv"), ("monitor", "monitor"),
    ("mwait", "mwait"), ("wrgsbase %rax", "wrgsbase"), ("stac", "stac"), ("wbnoinvd", "wbinvd"),
    (".byte 0x0f, 0x01, 0xfe", "invlpgb"), (".byte 0x0f, 0x01, 0xff", "tlbsync"),
    (".byte 0xf2, 0x0f, 0x00, 0xf7", "lkgs"), (".byte 0xf2, 0x41, 0x0f, 0x00, 0xf0", "lkgs"), (".byte 0x0f, 0x01, 0xc6", "wrmsrns"),
    (".byte 0xf2, 0x0f, 0x01, 0xca", "erets"), (".byte 0xf3, 0x0f, 0x01, 0xca", "eretu"),
    ("loadiwkey %xmm1, %xmm2", "loadiwkey"), (".byte 0x0f, 0x01, 0xc7", "pbndkb"),
    (".byte 0xf2, 0x0f, 0x01, 0xff", "pvalidate"), (".byte 0x66, 0x0f, 0x01, 0xcc", "tdcall"),
)
ORDINARY = ("mov %eax, %ecx", "push %rax", "pop %rbx", "ret", "lea 8(%rsp), %rax", "syscall", "rdtsc", "nop")

tap = Tap()


def audit(*args):
    """(status, standard output, lines of standard error)"""
    run = subprocess.run([AUDIT, *args], text=True, capture_output=True, check=False)
    return run.returncode, run.stdout, run.stderr.splitlines()


def built(folder, text, name="planted"):
    """An ELF file of assembly text, linked high as a kernel is."""
    source, out = folder / f"{name}.S", folder / name
    source.write_text(text)
    subprocess.run(["gcc", "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-z,noexecstack",
                    "-Wl,-Ttext=0xffffffff81000000", "-Wl,-e,start", "-o", out, source], check=True)
    return out


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    body = "\n".join(f".globl f{nr}\n.type f{nr}, @function\nf{nr}:\t{insn}\n\tret" for nr, (insn, _) in enumerate(PLANTED))
    text = f".text\n.globl start\n.type start, @function\nstart:\n\t{chr(10).join(ORDINARY)}\n{body}\n"
    status, out, err = audit("--json", built(folder, text))
    found = {f["function"]: f["instruction"] for f in json.loads(out)["found"]}
    tap.empty([f"{insn}: {found.get(f'f{nr}')}" for nr, (insn, want) in enumerate(PLANTED) if found.get(f"f{nr}") != want],
              f"{len(PLANTED)} planted instructions are found by name")
    tap.ok(status == 1 and "start" not in found, "ordinary instructions are not found", str(status), str(found.get("start")))
    status, out, _ = audit("--json", "--time", folder / "planted")
    tap.ok(any(f["instruction"] == "rdtsc" for f in json.loads(out)["found"]), "--time finds RDTSC, too")

    # Data in the text must not hide code behind the next symbol.
    status, out, _ = audit(built(folder, ".text\n.globl start\n.type start, @function\nstart: ret\n"
                                 "table: .byte 0x48, 0xb8\n.type f, @function\nf: cli\n ret\n", "data"))
    tap.ok("f+0: cli" in out, "data in front of a function do not hide it", out)

    # An alternative for a site of pv_ops, and one for ordinary text.
    text = """.text
.globl start
.type start, @function
start:
1:	call *(%rax)
	nop
	nop
2:	mov (%rax), %rax
	ret
.section .altinstr_replacement, "ax"
3:	cli
4:	clac
.section .altinstructions, "a"
	.long 1b - ., 3b - .
	.word 1
	.byte 4, 1
	.long 2b - ., 4b - .
	.word 1
	.byte 3, 3
.section .parainstructions, "a"
	.quad 1b
	.byte 0, 4
	.balign 16
"""
    for records, what in ((text, "Linux 6.1"), (text.replace("\t.word 1\n", "\t.word 1, 2\n"), "later ones")):
        status, out, _ = audit("--json", built(folder, records, "alternatives"))
        found = [(f["instruction"], f["function"], f["covered"], f["alternative"]) for f in json.loads(out)["found"]]
        tap.equal(sorted(found), [("clac", "start", "left", True), ("cli", "start", "site", True)],
                  f"a finding in replacement text names the replaced function, with records as in {what}")

    # Lists
    status, out, err = audit(*LAYER, "--allow", LIST, GUEST)
    tap.ok(status == 0, "the mini guest: no finding, and each line of the list is used", out, *err)
    fewer = folder / "fewer.txt"
    rows = LIST.read_text().splitlines(keepends=True)
    fewer.write_text("".join(r for r in rows if "bare_cpuid" not in r))
    status, out, _ = audit(*LAYER, "--allow", fewer, GUEST)
    tap.ok(status == 1 and re.search(r"bare_cpuid\+0x\w+: cpuid \S+\.[ch]:\d+$", out, re.M),
           "a line less: function and source line of what is left", out)
    fewer.write_text("".join(rows) + "wbinvd nobody never\n")
    status, out, _ = audit(*LAYER, "--allow", fewer, GUEST)
    tap.ok(status == 1 and "fewer.txt:" in out and "unused line: wbinvd nobody" in out, "an unused line is a finding", out)
    tap.equal(audit("--unused-ok", *LAYER, "--allow", fewer, GUEST)[0], 0, "--unused-ok: an unused line is no finding")
    fewer.write_text("cli start\n")
    status, _, err = audit(*LAYER, "--allow", fewer, GUEST)
    tap.ok(status == 3 and err == [f"audit: {fewer}:1: expected INSTRUCTION FUNCTION REASON: cli start"],
           "a line without a reason is refused", *err)

    # A third kernel: the layer, some of its backends, and three instructions of its own.
    own = """.text
.globl start
.type start, @function
start: cli
 ret
.type pvnative_fn_wbinvd, @function
pvnative_fn_wbinvd: wbinvd
 ret
.type port_panic, @function
port_panic: hlt
 ret
.data
.globl pv_slots
pv_slots: .quad 0
"""
    third = built(folder, own, "third")
    run = subprocess.run([TOP / "tools/audit/audit.sh", third], text=True, capture_output=True, check=False)
    left = re.findall(r"(\w+)\+\w+: (\w+)", run.stdout)
    tap.equal((run.returncode, left), (1, [("start", "cli"), ("port_panic", "hlt")]),
              "a third kernel sees its own findings, none of the layer's, and no line of the layer's list")
    other = built(folder, own.replace("pv_slots", "pv_ops"), "other")
    run = subprocess.run([TOP / "tools/audit/audit.sh", other], text=True, capture_output=True, check=False)
    tap.ok("pvnative_fn_wbinvd+" in run.stdout, "in a kernel without the layer, functions with the layer's names are findings", run.stdout)
    fewer.write_text("cli start entry\nhlt port_panic the end\nhlt nobody never\n")
    status, out, _ = audit(*LAYER, "--allow", fewer, third)
    tap.ok(status == 1 and re.findall(r"unused line: (.*)", out) == ["hlt nobody"],
           "an unused line of a kernel's own list is a finding, the layer's are none", out)

    # Bad input: one line
    good = GUEST.read_bytes()
    shoff, = struct.unpack_from("<Q", good, 0x28)
    cases = {
        "nothing": (b"", "not an ELF file"),
        "no ELF": (b"MZ" + bytes(100), "not an ELF file"),
        "32 bits": (good[:4] + b"\1" + good[5:], "not for x86-64"),
        "no sections": (good[:0x3c] + b"\0\0" + good[0x3e:], "no section headers"),
        "cut": (good[:4096], "no section headers"),
        "names elsewhere": (good[:0x3e] + b"\xff\xff" + good[0x40:], "section 1: its name: "),
        "section beyond": (good[:shoff + 128 + 24] + struct.pack("<Q", 1 << 60) + good[shoff + 128 + 32:], "section 2: "),
        "section name beyond": (good[:shoff + 64] + b"\xff\xff\xff\x7f" + good[shoff + 68:], "section 1: its name: offset out of range"),
    }
    for what, (data, line) in cases.items():
        bad = folder / "bad"
        bad.write_bytes(data)
        status, _, err = audit(bad)
        tap.ok(status == 3 and len(err) == 1 and line in err[0], f"{what}: one line, status 3", str(status), *err)
    for args in ((), ("--nosuch", GUEST), (GUEST, GUEST), ("--allow",)):
        status, _, err = audit(*args)
        tap.ok(status == 2 and len(err) == 1, f"audit {' '.join(str(a).split('/')[-1] for a in args)}: status 2", *err)
    tap.ok(audit("--help")[0] == 0, "--help")
    for what, data, line in (("no bzImage", b"x" * 1000, "no boot header"),
                             ("packed otherwise", b"\0" * 0x1f1 + b"\1" + b"\0" * 16 + b"HdrS" + b"\x0f\x02"
                              + b"\0" * 0x40 + struct.pack("<II", 0, 8) + b"\0" * 1000, "unknown compression")):
        bad.write_bytes(data)
        run = subprocess.run([UNPACK, bad, folder / "out"], text=True, capture_output=True, check=False)
        tap.ok(run.returncode == 3 and line in run.stderr and run.stderr.count("\n") == 1, f"unpack: {what}: one line",
               run.stderr)

# The audit has found every instruction that ran.
image = elf.Elf(GUEST)
known = {f["address"] for f in json.loads(audit("--json", "--time", GUEST)[1])["found"]}
run = boot(tap, "vmimon-smp2", ["test=all"], "static")
log = (TOP / run["log_file"]).read_text(errors="replace")
rows = re.findall(r"^@audit (\S+) ([0-9a-f]+) (\d+)\s*$", log, re.M)
user = image.named["user_image_start"] - USER_TEXT
missed = []
for what, rip, _ in rows:
    # Plain moves: the monitor stops them for their address.
    if what.startswith("ioapic_"):
        continue
    addr = int(rip, 16)
    if what.startswith("user."):
        addr += user
    elif addr < KERNEL_BASE:
        addr += KERNEL_BASE     # before paging
    if addr not in known:
        missed.append(f"{what} at {rip}")
tap.ok(len(rows) > 20, f"the monitor saw {len(rows)} places", run["log_file"])
tap.empty(missed, "every sensitive instruction that the monitor saw executed is in the list")
tap.done()
