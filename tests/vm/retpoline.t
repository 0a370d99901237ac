#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A retpoline build has no bare indirect branch (Spectre v2): neither in the image as compiled,
which runs before patching, nor in executable memory after it, with a VMI ROM's copy.  One far
branch remains, in the start of a CPU: others cannot train the prediction of far branches.
"""
import re
import sys
from pathlib import Path

from vmtest import INDIRECT, RETPOLINE, TOP, Tap, boot, elf, instructions, vm

IMAGE = "build/retpoline/guest.elf"
FAR = re.compile(r"(\S+ )*l(call|jmp)")
ENVS = ("native", "xenpv", "vmi")
TEXT = re.compile(r"^(?:\(d\d+\) )?@text ([0-9a-f]+) ([0-9a-f]{128})\r?$", re.M)


def branches(args):
    return [f"{addr:#x}: {text}" for addr, _, text in instructions(args) if INDIRECT.match(text)]


def in_blob(name, data, addr, mode="i386:x86-64"):
    path = Path(f"build/log/{name}.bin")
    path.write_bytes(data)
    return branches(["-D", "-b", "binary", f"-m{mode}", f"--adjust-vma={addr:#x}", str(path)])


def live(log):
    """{address: bytes} of pieces that are executable."""
    pieces = {}
    for addr, text in TEXT.findall(log):
        addr = int(addr, 16)
        for start in pieces:
            if start + len(pieces[start]) == addr:
                pieces[start] += bytes.fromhex(text)
                break
        else:
            pieces[addr] = bytes.fromhex(text)
    return pieces


tap = Tap()
image = elf.Elf(TOP / IMAGE)
start, end = image.named["__pv_text_start"], image.named["__pv_text_end"]

# As compiled.
tap.ok(len(branches(["-d", "-j", ".text", vm.IMAGE])) > 1000, "an ordinary image has many indirect branches")
tap.empty(branches(["-d", "-j", ".text", IMAGE]), "the compiled text has no indirect branch")
names = ["pvnative_trampoline", "pvnative_trampoline_long", "pvnative_trampoline_gdt"]
first, middle, last = (image.named[n] for n in names)
found = in_blob("trampoline16", image.bytes_at(first, middle - first), 0, "i8086")
tap.ok(len(found) == 1 and FAR.search(found[0]), "16-bit start code of CPUs: one indirect branch, a far one", *found)
tap.empty(in_blob("trampoline64", image.bytes_at(middle, last - middle), 0), "64-bit start code of CPUs: no indirect branch")

# The retpolines themselves.
thunks = [image.named["pv_retpolines"] + 32 * nr for nr in range(next(
    s.size for s in image.symbols if s.name == "pv_slots") // 8)]
thunks += [s.value for s in image.symbols if s.name.startswith("__x86_indirect_thunk_")]
tap.empty([f"{t:#x}: {image.bytes_at(t, 24).hex()}" for t in thunks
           if image.bytes_at(t, 12) != RETPOLINE or b"\xc3\xcc" not in image.bytes_at(t + 12, 12)],
          f"{len(thunks)} retpolines catch speculation")

for env in sys.argv[1:] or ENVS:
    run = boot(tap, env, ["dump=text", "plant=branch", "test=none", "bench=none"], "retpoline", image=IMAGE,
               count=False)
    tap.equal([run["data"].get("sites", {}).get(k) for k in ("indirect", "failed")], [0, 0], f"{env}: all sites are patched")
    pieces = live((TOP / run["log_file"]).read_text(errors="replace"))
    text = b"".join(data[max(start - at, 0):end - at] for at, data in sorted(pieces.items())
                    if at <= start and end <= at + len(data))
    if not tap.equal(len(text), end - start, f"{env}: the dump has the whole text"):
        continue
    # Written into the image, so that the disassembler can start again at each symbol.
    data = bytearray(image.data)
    at = image.offset(start, len(text))
    tap.ok(data[at:at + len(text)] != text, f"{env}: the dumped text is not the compiled text")
    data[at:at + len(text)] = text
    path = Path(f"build/log/{env}~retpoline.elf")
    path.write_bytes(data)
    planted = image.named["planted_branch"]
    found = branches(["-d", "-j", ".text", str(path)])
    tap.equal(found, [f"{planted:#x}: call   *%rax"], f"{env}: the text has no indirect branch but the planted one")
    rest = {at: d for at, d in pieces.items() if not at <= start < at + len(d)}
    tap.empty([f for at, d in rest.items() for f in in_blob(f"{env}~code", d, at)],
              f"{env}: no indirect branch in {sum(map(len, rest.values()))} other executable bytes")
    tap.equal(bool(rest), env == "vmi", f"{env}: {'the copy of the ROM is executable' if env == 'vmi' else 'no other bytes are executable'}")
tap.done()
