#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""unpack.py BZIMAGE FILE: write the ELF kernel inside a bzImage to FILE, and its functions
to FILE.map, in the form of System.map, from the kernel's own kallsyms tables.

Sources: Documentation/arch/x86/boot.rst (header, payload); scripts/kallsyms.c of
Linux 6.1 (order and form of the tables).
"""
import bisect
import gzip
import lzma
import struct
import sys
from pathlib import Path


class BadImage(Exception):
    pass


def payload(data):
    if len(data) < 0x264 or data[0x202:0x206] != b"HdrS":
        raise BadImage("no bzImage: no boot header")
    version, = struct.unpack_from("<H", data, 0x206)
    if version < 0x208:
        raise BadImage(f"boot protocol {version:#x} does not say where the kernel is")
    setup = (data[0x1F1] or 4) + 1
    offset, length = struct.unpack_from("<II", data, 0x248)
    packed = data[setup * 512 + offset:setup * 512 + offset + length]
    if len(packed) != length:
        raise BadImage("the kernel is beyond the end of the file")
    # Linux puts the unpacked size behind XZ data; gzip data end with it anyway.
    if packed.startswith(b"\x1f\x8b"):
        out = gzip.decompress(packed)
    elif packed.startswith(b"\xfd7zXZ\0"):
        out = lzma.LZMADecompressor().decompress(packed)
    else:
        raise BadImage(f"unknown compression of the kernel (it starts with {packed[:4].hex()})")
    if not out.startswith(b"\x7fELF"):
        raise BadImage("the unpacked kernel is no ELF file")
    return out


def align(value):
    return value + 7 & ~7


def kallsyms(data):
    """[(address, kind, name)], or None if the image has no such tables.

    In order, each at a multiple of 8: offsets (s32), relative base (u64), number
    (u32), names, markers (u32: where each 256th name begins), in later versions
    three bytes a symbol, tokens (strings), index of tokens (u16).
    """
    digits = b"".join(b"%d\0" % n for n in range(10))
    at = -1
    while (at := data.find(digits, at + 1)) >= 0:
        found = _tables(data, at)
        if found:
            return found
    return None


def _tables(data, digits):
    # There are 256 tokens; numbers 48 to 57 are the digits.
    end = digits
    for _ in range(256 - 48):
        end = data.find(b"\0", end) + 1
        if not end:
            return None
    index = align(end)
    offsets = struct.unpack_from("<256H", data, index)
    start = digits - offsets[48]
    if offsets[0] or start % 8 or any(a >= b for a, b in zip(offsets, offsets[1:])):
        return None
    tokens = [data[start + o:data.find(b"\0", start + o)].decode("latin-1") for o in offsets]

    for seqs in (3, 0):
        for number in range(256, 1 << 19):
            markers = start - align(seqs * number) - align(4 * (-(-number // 256)))
            if markers < 0:
                break
            first = struct.unpack_from("<2I", data, markers)
            if first[0] or not 256 < first[1] < 1 << 16:
                continue
            found = _names(data, tokens, markers, number)
            if found:
                return found
    return None


def _names(data, tokens, markers, number):
    """The symbols, if the markers confirm this number of them."""
    marks = struct.unpack_from(f"<{-(-number // 256)}I", data, markers)
    if any(a >= b for a, b in zip(marks, marks[1:])):
        return None
    # The names end where the markers begin; the last block is up to 256 of them.
    for names in range((markers - marks[-1]) & ~7, max(markers - marks[-1] - 16384, 16), -8):
        if struct.unpack_from("<I", data, names - 8)[0] != number:
            continue
        out, pos = [], names
        for nr in range(number):
            if nr % 256 == 0 and marks[nr // 256] != pos - names:
                break
            length = data[pos]
            pos += 1
            if length & 0x80:
                length = length & 0x7F | data[pos] << 7
                pos += 1
            out.append("".join(tokens[c] for c in data[pos:pos + length]))
            pos += length
        if len(out) != number or align(pos) != markers:
            continue
        base, = struct.unpack_from("<Q", data, names - 16)
        values = struct.unpack_from(f"<{number}i", data, names - 16 - align(4 * number))
        return [(base - 1 - v if v < 0 else v, name[0], name[1:]) for v, name in zip(values, out)]
    return None


def main():
    if len(sys.argv) != 3:
        print("usage: unpack.py BZIMAGE FILE", file=sys.stderr)
        return 2
    try:
        image = payload(Path(sys.argv[1]).read_bytes())
    except (OSError, BadImage, lzma.LZMAError, EOFError) as err:
        print(f"unpack.py: {sys.argv[1]}: {err}", file=sys.stderr)
        return 3
    Path(sys.argv[2]).write_bytes(image)
    symbols = kallsyms(image)
    if symbols is None:
        print(f"unpack.py: {sys.argv[1]}: no kallsyms tables: functions have no names", file=sys.stderr)
        return 0
    symbols.sort(key=lambda s: s[0])
    first = bisect.bisect_left([s[0] for s in symbols], 1 << 63)
    Path(sys.argv[2] + ".map").write_text("".join(f"{a:016x} {k} {n}\n" for a, k, n in symbols[first:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
