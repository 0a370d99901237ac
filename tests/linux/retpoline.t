#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Linux with retpolines: sites as compiled execute no bare indirect branch.  Needs
the builds hard (make linux CONFIG=hard) and ours.  objtool --retpoline checks the
other code; tools/linux_matrix.py checks in each boot that no site stays as compiled.
"""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import RETPOLINE, TOP, Tap  # noqa: E402

import cli  # noqa: E402
import elf  # noqa: E402

LINUX = TOP / cli.linux()
HARD, BARE = LINUX / "hard/vmlinux", LINUX / "ours/vmlinux"
CS_PREFIX, RETPOLINE_BYTES = 0x2E, 32
OPCODES = {elf.KINDS.index("call"): 0xE8, elf.KINDS.index("jump"): 0xE9}
# The slot's target becomes the return address.
PUSH, POP = bytes.fromhex("ff35"), bytes.fromhex("8f0424")


def bare(image):
    """Sites that do not call, or jump to, their op's retpoline."""
    table = image.named.get("pv_retpolines", 0)
    out = []
    for site in image.sites():
        if site.kind not in OPCODES:
            continue
        prefix, opcode, rel = struct.unpack("<BBi", image.bytes_at(site.addr, 6))
        if (prefix, opcode) != (CS_PREFIX, OPCODES[site.kind]) or \
           site.addr + 6 + rel != table + RETPOLINE_BYTES * site.op:
            out.append(f"{site.addr:#x}: op {site.op}: {image.bytes_at(site.addr, 6).hex()}")
    return out


def unlike(image):
    """Retpolines that do not lead to their op's slot, or allow speculation."""
    slots = next(s for s in image.symbols if s.name == "pv_slots")
    returns = image.named["__x86_return_thunk"]
    out = []
    for nr in range(slots.size // 8):
        at = image.named["pv_retpolines"] + RETPOLINE_BYTES * nr
        code = image.bytes_at(at, RETPOLINE_BYTES)
        slot, = struct.unpack_from("<i", code, 14)
        to, = struct.unpack_from("<i", code, 22)
        if not code.startswith(RETPOLINE + PUSH) or code[18:21] != POP or \
           at + 18 + slot != slots.value + 8 * nr or code[21] != 0xE9 or at + 26 + to != returns:
            out.append(f"{at:#x}: {code.hex()}")
    return out


tap = Tap()
image = elf.Elf(HARD)
sites = [s for s in image.sites() if s.kind in OPCODES]
tap.ok(len(sites) > 500, f"the kernel has more than 500 call and jump sites: {len(sites)}")
tap.empty(bare(image), "each site is compiled as a direct branch to its op's retpoline")
tap.empty(unlike(image), "each retpoline returns to the target of its op's slot")

# One site and one retpoline that lead to their neighbour's target.
planted = elf.Elf(HARD)
planted.data = bytearray(planted.data)
planted.data[planted.offset(sites[0].addr + 2, 1)] ^= RETPOLINE_BYTES
planted.data[planted.offset(planted.named["pv_retpolines"] + 14, 1)] ^= 8
tap.equal([len(bare(planted)), len(unlike(planted))], [1, 1], "a site and a retpoline that lead elsewhere are found")
other = elf.Elf(BARE)
tap.equal(len(bare(other)), len([s for s in other.sites() if s.kind in OPCODES]),
          "in a kernel without retpolines no site is a branch to one")
tap.done()
