# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Shared code of the tests: TAP, boots, disassembly of dumped sites."""
import re
import struct
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))
import cli  # noqa: E402
import elf  # noqa: E402
import environments  # noqa: E402
import guestlog  # noqa: E402,F401
import judge  # noqa: E402
import qemu  # noqa: E402,F401
import vm  # noqa: E402


class Tap:
    """Counts and prints; done() prints the plan and exits."""

    def __init__(self):
        self.nr = self.bad = 0

    def ok(self, good, name, *why):
        """One assertion; if it fails, the first twenty lines of @why are shown."""
        self.nr += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.nr} - {name}", flush=True)
        if not good:
            for line in why[:20]:
                print(f"#   {line}", file=sys.stderr)
        return bool(good)

    def equal(self, is_, want, name):
        return self.ok(is_ == want, name, f"is   {is_!r}", f"want {want!r}")

    def empty(self, bad, name):
        """Assert that a list of errors is empty."""
        return self.ok(not bad, name, *bad)

    def done(self):
        print(f"1..{self.nr}")
        sys.exit(1 if self.bad else 0)


def boot(tap, env, words, tag, **how):
    """Boot, and assert that the guest comes to its end without a failure."""
    try:
        result = vm.run(env, words, tag=tag, **how)
    except (cli.MissingError, cli.UsageError) as err:
        print(f"Bail out! {err}")
        sys.exit(err.status)
    tap.ok(judge.verdict(result), f"{env} '{' '.join(words)}' runs to its end", *judge.explain(result))
    return result


def counted(tap, env, words, tag, **how):
    """Boot in a host that counts exits.  Return the result, and {phase: {reason: exits}} for the
    phases that the guest names (bench=smp)."""
    row = environments.env_rows(env)["boot"]
    host = row[row.index("-append") + 1] + " EXITS=1"
    result = boot(tap, env, [*words, "marks=on"], tag, more=("-append", host), **how)
    by_mark = {row.pop("mark"): row for row in result["data"].get("exits", [])}
    return result, {name: by_mark.get(nr) for name, nr in result["data"].get("marks", {}).items()}


# Disassembly

NOP = re.compile(r"(data16 |cs |ds |es |rex\S* )*(nop|xchg\s+%ax,%ax)")
# The first bytes of a retpoline: a call over the loop (PAUSE, LFENCE) that catches
# speculation.
RETPOLINE = bytes.fromhex("e807000000" "f390" "0faee8" "ebf9")
INDIRECT = re.compile(r"(\S+ )*(l?call|l?jmp)[lq]?\s+\*")
CALL = re.compile(r"(\S+ )*l?callq?\b")
DIRECT = re.compile(r"(?:\S+ )*(callq?|jmpq?|j\w+|loop\w*)\s+(?:0x)?([0-9a-f]+)\b")

SWITCH = re.compile(r"jmp\s+\*(-?0x[0-9a-f]+)\(,%r\w+,8\)")
TAIL_CALL = re.compile(r"jmp\s+\*%r")
# Takes the address of an instruction, for a jump by other means, such as IRET.
TAKEN = re.compile(r"(?:lea\s+\S+\(%rip\),\S+\s+#\s+(?:0x)?|(?:mov|push)\w*\s+\$0x)([0-9a-f]+)")
RETURN = re.compile(r"(\S+ )*(l?ret|iret|sysret)")
PATH_END = re.compile(r"(\S+ )*(l?jmp|l?ret|iret|sysret|ud2)")

LINE = re.compile(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$")


def instructions(args):
    """[(address, length, text)] from objdump."""
    out = subprocess.run(["objdump", "-w", *args], capture_output=True, text=True, check=True)
    rows = []
    for m in filter(None, map(LINE.match, out.stdout.splitlines())):
        text = re.sub(r"\s*<[^>]*>", "", m[3] or "(bad)").strip()
        rows.append((int(m[1], 16), len(m[2].split()), text))
    return rows


class DumpedSite:
    """One @site line beside its record."""

    def __init__(self, row, record, names):
        self.addr, self.op, self.form = int(row[0], 16), row[1], row[2]
        self.outline = row[3] == "1"
        self.text = bytes.fromhex("".join(row[4:]))[:record.len]
        self.record = record
        self.known = self.addr == record.addr and len(self.text) == record.len and \
            self.outline == record.outline and self.op in names
        self.insns = []

    def __str__(self):
        return f"{self.addr:#x} {self.op} ({self.form}{', outline' if self.outline else ''}): " + \
            "; ".join(self.insns)


class Patched:
    """The image as patched in one environment, from a run with dump=sites."""

    SLOT = 64  # the disassembler is in step again after so many bytes

    def __init__(self, result):
        self.image = elf.Elf(vm.IMAGE)
        records = self.image.sites()
        rows = result["sites"]
        self.complete = len(rows) == len(records) and all(len(r) >= 5 for r in rows)
        # An op id must have one name.
        ids = {}
        for row, record in zip(rows, records):
            ids.setdefault(row[1], set()).add(record.op)
        names = {name for name, ops in ids.items() if len(ops) == 1}
        self.sites = [DumpedSite(r, s, names) for r, s in zip(rows, records)] \
            if self.complete else []
        self.env = result["env"]
        self.torn = []
        if self.complete:
            self._decode()

    def _decode(self):
        blob = b"".join(s.text.ljust(self.SLOT, b"\xcc") for s in self.sites)
        path = Path(f"build/log/{self.env}~sites.bin")
        path.write_bytes(blob)
        ends = {}
        for addr, size, text in instructions(["-D", "-b", "binary", "-mi386:x86-64", str(path)]):
            nr, at = divmod(addr, self.SLOT)
            if nr < len(self.sites) and at < len(self.sites[nr].text):
                self.sites[nr].insns.append(text)
                ends[nr] = at + size
        # An instruction beyond the end of the site is torn, or none.
        self.torn = [str(s) for i, s in enumerate(self.sites)
                     if ends.get(i) != len(s.text) or "(bad)" in s.insns]

    def inline(self, op):
        """Sites of an op, without far sides."""
        return [s for s in self.sites if s.op == op and not s.outline]

    def check(self, tap):
        """Assertions for every backend; ends the test if the dump is not complete."""
        if not tap.ok(self.complete, "the dump has every site of the image"):
            tap.done()
        tap.empty([str(s) for s in self.sites if not s.known], "the dump agrees with the records")
        tap.empty(self.torn, "every site decodes to whole instructions")
        tap.empty([str(s) for s in self.sites if any(map(INDIRECT.match, s.insns))],
                  "no indirect branch is left at any site")

    def flow(self):
        """The patched text: {address: (length, text)}."""
        data = bytearray(self.image.data)
        for s in self.sites:
            at = self.image.offset(s.addr, len(s.text))
            data[at:at + len(s.text)] = s.text
        path = Path(f"build/log/{self.env}~sites.elf")
        path.write_bytes(data)
        return {a: (n, t) for a, n, t in instructions(["-d", "-j", ".text", str(path)])}

    def _switch(self, table, code):
        """Targets in a switch statement's table; words behind it that look like targets are harmless."""
        targets = []
        while (target := struct.unpack("<Q", self.image.bytes_at(table, 8))[0]) in code:
            targets.append(target)
            table += 8
        return targets

    def _walk(self, code, starts, returning):
        """Follow control flow; return (addresses, does it return?, jumps to unknown targets).

        A path ends at a call of a function that does not return (a panic).
        """
        todo, seen, returns, escapes = list(starts), set(), False, []
        while todo:
            at = todo.pop()
            while at in code and at not in seen:
                seen.add(at)
                size, text = code[at]
                if m := TAKEN.match(text):
                    todo.append(int(m[1], 16))
                if m := DIRECT.match(text):
                    target = int(m[2], 16)
                    if not CALL.match(text):
                        todo.append(target)
                    elif target in code and target not in returning:
                        break
                elif m := SWITCH.search(text):
                    todo += self._switch(int(m[1], 16) % 2 ** 64, code)
                elif INDIRECT.match(text) and "jmp" in text and not TAIL_CALL.search(text):
                    escapes.append(f"{at:#x}: {text}")
                returns |= bool(RETURN.match(text) or TAIL_CALL.search(text))
                if PATH_END.match(text):
                    break
                at += size
        return seen, returns, escapes

    def reached(self, more_starts=()):
        """Addresses that control flow can reach from the start of every function and from
        @more_starts.

        The walk follows direct jumps, the next instruction, tables of switch statements, and
        taken addresses of instructions.  Cold parts, which the compiler splits off and names,
        are no starts.  A jump through a register counts as a tail call.  Other jumps through
        memory have unknown targets: the second value lists them.
        """
        code = self.flow()
        starts = {s.value for s in self.image.symbols
                  if s.value in code and ".cold" not in s.name and not s.name.startswith(".")}
        starts |= {int(m[2], 16) for _, text in code.values()
                   if CALL.match(text) and (m := DIRECT.match(text))} & code.keys()
        starts |= set(more_starts)
        returning, grows = set(), True
        while grows:
            more = {s for s in starts - returning if self._walk(code, [s], returning)[1]}
            grows = bool(more)
            returning |= more
        seen, _, escapes = self._walk(code, starts, returning)
        return seen, escapes
