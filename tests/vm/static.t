#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The site table of each image as built, before anything is patched: 8 bytes a
record, and every record describes the text it points to (include/pvops/site.h).
"""
import struct
import sys
from pathlib import Path

from vmtest import TOP, Tap, elf, vm

MIN_LEN, MAX_LEN, BRANCH_LEN = 6, 15, 7


def wrong(image, site, ops, slots, retpolines):
    """Why a record is wrong, or None."""
    if site.op >= ops:
        return f"op {site.op} of {ops}"
    if not MIN_LEN <= site.len <= MAX_LEN:
        return f"{site.len} bytes"
    if not image.named["__pv_text_start"] <= site.addr <= image.named["__pv_text_end"] - site.len:
        return "outside the text"
    text = image.bytes_at(site.addr, site.len)
    if site.kind >= len(elf.KINDS):
        return f"kind {site.kind}"
    if elf.KINDS[site.kind] == "branch":
        if text[0] != 0xE9 or text[5:] != b"\x66\x90" or site.len != BRANCH_LEN:
            return f"not a branch: {text.hex()}"
        return None
    first = (b"\x2e\xe8", b"\x2e\xe9") if retpolines else (b"\xff\x15", b"\xff\x25")
    if text[:2] != first[site.kind]:
        return f"not as a {elf.KINDS[site.kind]} is compiled: {text.hex()}"
    through = site.addr + 6 + struct.unpack("<i", text[2:6])[0]
    own = retpolines + 32 * site.op if retpolines else slots + 8 * site.op
    if through != own:
        return f"goes through {through:#x}, not the op's {own:#x}"
    return None


def check(tap, path):
    if not tap.ok(Path(path).is_file(), f"{path}: is built"):
        return
    image = elf.Elf(path)
    start, end = image.named["__pv_sites_start"], image.named["__pv_sites_end"]
    sites = image.sites()
    tap.ok(len(sites) > 50 and (end - start) % elf.SITE_SIZE == 0,
           f"{path}: whole records of {elf.SITE_SIZE} bytes", f"{end - start} bytes, {len(sites)} sites")
    table = next(s for s in image.symbols if s.name == "pv_slots")
    retpolines = image.named.get("pv_retpolines")
    bad = [(s, wrong(image, s, table.size // 8, table.value, retpolines)) for s in sites]
    tap.empty([f"record {s.record:#x}, site {s.addr:#x}: {why}" for s, why in bad if why],
              f"{path}: every record describes its text")
    order = sorted(sites, key=lambda s: s.addr)
    tap.empty([f"{a.addr:#x} and {b.addr:#x}" for a, b in zip(order, order[1:])
               if a.addr + a.len > b.addr], f"{path}: no two sites overlap")


tap = Tap()
for built in sys.argv[1:] or (TOP / vm.IMAGE, TOP / "build/clang/guest.elf",
                              TOP / "build/retpoline/guest.elf"):
    check(tap, built)
tap.done()
