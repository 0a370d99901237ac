#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Option ROMs with one fault each: one line names it, and the boot goes on natively.

The ROMs are tests/vmi/rom's; the lines are backends/vmi's.
"""
import re

from vmtest import Tap, boot

# Refused for the bytes of the image: detection's reason.
LOOKED_AT = {
    "truncated": "PCI header tells another length",
    "checksum": "bad checksum",
    "offset": "no PCI header inside the image",
    "api2": "API version is not 64",
    "api4": "API version is not 64",
    "slot": "VMI_Init is not a jump into the image",
    "licence": "licence not GPL compatible",
}
# Refused for an answer of its own code.
ASKED = {
    "entry": "call 30: entry outside the image",
    "type": "call 30: unknown relocation type",
    "garbage": "call 0: relocation has reserved bits set",
    "calls": "call 33: answered, but not all calls that go with it",
    "init": "VMI_Init failed",
}
# Refused for what its own code does.  Addresses are in the image.
TRIED = {
    "selfwrite": r"GetRelocation stores to its own code, from 0x[0-9a-f]+ to 0x[0-9a-f]+",
    "selfinit": r"VMI_Init stores to its own code, from 0x[0-9a-f]+ to 0x[0-9a-f]+",
    "undefined": r"GetRelocation: exception 6 at 0x[0-9a-f]+, address 0x0",
}
WORDS = ["test=none", "bench=none"]


def about_roms(run):
    """Lines that complain about a ROM."""
    return [r for r in run["log"] if "option ROM at 0x" in r and
            ("not used: " in r or "detected: vmi: no: " in r)]


tap = Tap()
for fault, why in {**LOOKED_AT, **ASKED}.items():
    run = boot(tap, "vmi", WORDS, f"fault-{fault}", count=False,
               parts={"rom": f"build/vmi/rom-{fault}.bin"})
    tap.equal(run["data"].get("backend"), "native", f"{fault}: boot goes on natively")
    lines = about_roms(run)
    tap.ok(len(lines) == 1 and lines[0].endswith(": " + why), f"{fault}: one line: {why}",
           *(lines or ["no such line"]))

for fault, why in TRIED.items():
    run = boot(tap, "vmi", WORDS, f"fault-{fault}", count=False,
               parts={"rom": f"build/vmi/rom-{fault}.bin"})
    tap.equal(run["data"].get("backend"), "native", f"{fault}: boot goes on natively")
    lines = about_roms(run)
    tap.ok(len(lines) == 1 and re.search(f": {why}$", lines[0]), f"{fault}: one line: {why}",
           *(lines or ["no such line"]))

for fault, why in ("checksum", LOOKED_AT["checksum"]), ("garbage", ASKED["garbage"]), \
        ("init", ASKED["init"]), ("selfwrite", None):
    run = boot(tap, "vmi-two", WORDS, f"fault-{fault}", count=False,
               parts={"first": f"build/vmi/rom-{fault}.bin"})
    tap.equal(run["data"].get("backend"), "vmi", f"{fault}, then a good ROM: the good ROM is used")
    lines = about_roms(run)
    tap.ok(len(lines) == 1 and (not why or lines[0].endswith(": " + why)), f"{fault}, then a good ROM: one line",
           *(lines or ["no such line"]))
tap.done()
