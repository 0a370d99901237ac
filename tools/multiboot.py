#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""multiboot.py ELF FILE: write the guest image with a Multiboot header in front.

QEMU for i386, which serves Xen's HVM guests, reads no 64-bit ELF.  The header (Multiboot
Specification 0.6.96, section 3.1) has the address fields, which make a loader copy the file
without a look at its format.  The image's own bytes do not change.
"""
import struct
import sys
from pathlib import Path

import elf

MAGIC, ADDRESSES = 0x1BADB002, 1 << 16
PT_LOAD = 1
PAGE = 4096


def wrapped(image):
    phoff, = struct.unpack_from("<Q", image.data, 0x20)
    entsize, number = struct.unpack_from("<HH", image.data, 0x36)
    rows = [struct.unpack_from("<IIQQQQQQ", image.data, phoff + i * entsize) for i in range(number)]
    loads = [(offset, virt, paddr, filesz, memsz)
             for kind, _, offset, virt, paddr, filesz, memsz, _ in rows if kind == PT_LOAD]
    offset, virt, start = loads[0][:3]
    for seg in loads:
        if seg[2] - seg[0] != start - offset:
            raise ValueError(f"the segment at {seg[1]:#x} has another distance in the file than in memory")
    last = loads[-1]
    end, bss_end = last[2] + last[3], last[2] + last[4]
    entry = image.named["multiboot_start"] - (virt - start)
    # One page in front of the image: the header, at a page's start.
    header = struct.pack("<8I", MAGIC, ADDRESSES, -(MAGIC + ADDRESSES) & 0xFFFFFFFF,
                         start - PAGE, start - PAGE, end, bss_end, entry)
    return header.ljust(PAGE, b"\0") + image.data[offset:offset + end - start]


def main():
    if len(sys.argv) != 3:
        print("usage: multiboot.py ELF FILE", file=sys.stderr)
        return 2
    try:
        data = wrapped(elf.Elf(sys.argv[1]))
    except (OSError, ValueError, KeyError) as err:
        print(f"multiboot.py: {sys.argv[1]}: {err}", file=sys.stderr)
        return 1
    Path(sys.argv[2]).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
