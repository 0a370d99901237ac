#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""finish.py IN OUT: make an option ROM of a linked image: lengths and checksum."""
import sys

BLOCK = 512

with open(sys.argv[1], "rb") as f:
    rom = bytearray(f.read())
# One byte for the checksum, in the last block.
rom += bytes(-(len(rom) + 1) % BLOCK + 1)
blocks = len(rom) // BLOCK
if blocks > 127:
    sys.exit(f"{len(rom)} bytes are too many")
rom[2] = blocks
pci = rom.index(b"PCIR")
rom[pci + 16:pci + 18] = blocks.to_bytes(2, "little")
rom[-1] = -sum(rom) % 256
with open(sys.argv[2], "wb") as f:
    f.write(rom)
