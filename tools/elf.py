# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Read the parts of a 64-bit little-endian ELF image that the tests need: sections,
symbols, notes, bytes at an address, and the site records (include/pvops/site.h).
"""
import struct
from collections import namedtuple
from pathlib import Path

Section = namedtuple("Section", "name type flags addr offset size link entsize")
Symbol = namedtuple("Symbol", "name type section value size")
Note = namedtuple("Note", "name type desc")
Site = namedtuple("Site", "addr op len kind outline record")

SHT_SYMTAB, SHT_NOTE, SHT_NOBITS = 2, 7, 8
STT_FUNC = 2
SITE_SIZE = 8
KINDS = ("call", "jump", "branch")
KIND_MASK, OUTLINE = 0x0F, 0x10


class Elf:
    def __init__(self, path):
        self.data = Path(path).read_bytes()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
        shoff, = struct.unpack_from("<Q", self.data, 0x28)
        entsize, number, strings = struct.unpack_from("<HHH", self.data, 0x3A)
        rows = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * entsize)
                for i in range(number)]
        self.sections = [Section(self._string(rows[strings][4] + r[0]), r[1], r[2], r[3],
                                 r[4], r[5], r[6], r[9]) for r in rows]
        self.symbols = self._symbols()
        self.named = {s.name: s.value for s in self.symbols if s.name}

    def _string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def _symbols(self):
        out = []
        for table in (s for s in self.sections if s.type == SHT_SYMTAB):
            names = self.sections[table.link].offset
            for at in range(table.offset, table.offset + table.size, table.entsize):
                name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
                out.append(Symbol(self._string(names + name), info & 15, section, value, size))
        return out

    def offset(self, addr, size):
        """File offset of [addr, addr + size)."""
        for s in self.sections:
            if s.addr and s.type != SHT_NOBITS and s.addr <= addr and addr + size <= s.addr + s.size:
                return s.offset + addr - s.addr
        raise ValueError(f"{addr:#x}: not in the image")

    def bytes_at(self, addr, size):
        at = self.offset(addr, size)
        return self.data[at:at + size]

    def notes(self):
        out = []
        for s in (s for s in self.sections if s.type == SHT_NOTE):
            at = s.offset
            while at < s.offset + s.size:
                namesz, descsz, kind = struct.unpack_from("<III", self.data, at)
                name = at + 12
                desc = name + (namesz + 3 & ~3)
                out.append(Note(self.data[name:name + namesz].rstrip(b"\0").decode(), kind,
                                self.data[desc:desc + descsz]))
                at = desc + (descsz + 3 & ~3)
        return out

    def sites(self):
        """All site records, in the table's order."""
        start, end = self.named["__pv_sites_start"], self.named["__pv_sites_end"]
        out = []
        for record in range(start, end - SITE_SIZE + 1, SITE_SIZE):
            rel, op, size, kind = struct.unpack("<iHBB", self.bytes_at(record, SITE_SIZE))
            out.append(Site(record + rel, op, size, kind & KIND_MASK, bool(kind & OUTLINE), record))
        return out
