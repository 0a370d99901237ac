#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write the op reference page, docs/ops.md.

    tools/opdoc.py docs/ops.md             write it
    tools/opdoc.py --check docs/ops.md     fail if it is not current
    tools/opdoc.py --list                  a line per op and backend

The page comes from the catalogue's contract comments (include/pvops/ops/), and
from the choices of the backends at run time, which tools/optables prints.  `make docs`
builds that first.  An op whose contract lacks a field, or whose implementation
cannot be read, is an error: one line, exit status 1.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import textwrap

from elf import STT_FUNC, Elf

FIELDS = ("Native", "Context", "Clobbers", "Batch", "Default")
SITES = {
    "CALL6": ("call", 6), "CALL9": ("call", 9), "BRANCH": ("branch, and a call behind it", 7),
    "ASM6": ("call, assembly only", 6), "JUMP6": ("jump, assembly only", 6),
}
CONVENTIONS = {
    "C": "C (caller-saved registers, flags, memory)",
    "ASM": "ASM (rax and flags)",
}


class Problem(Exception):
    """Something the sources lack; its text is the one line."""


class Op:
    """One op: its catalogue line and its contract."""

    def __init__(self, name, line, path):
        self.name = name
        self.where = f"{path}:{line}"
        self.table = self.site = self.convention = self.result = self.test = ""
        self.args = []
        self.together = []
        self.summary = ""
        self.fields = {}


def split_args(text):
    """Split at commas outside of parentheses and strings."""
    parts, depth, start, quoted = [], 0, 0, False
    for i, c in enumerate(text):
        if c == '"' and text[i - 1:i] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and not depth:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return parts


def call_args(text, at):
    """Arguments of the call whose '(' is at or after @at, and its end."""
    start = text.index("(", at)
    depth, quoted = 0, False
    for i in range(start, len(text)):
        c = text[i]
        if c == '"' and text[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and c == "(":
            depth += 1
        elif not quoted and c == ")":
            depth -= 1
            if not depth:
                return split_args(text[start + 1:i]), i + 1
    raise Problem(f"unterminated: {text[at:at + 40]!r}")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def read_comment(op, comment):
    """Summary and fields of a contract comment."""
    lines = [re.sub(r"^ \*(/$)? ?", "", line) for line in comment.split("\n")]
    current = None
    head = []
    for line in lines:
        field = re.match(r"([A-Z][A-Za-z ]*): *(.*)", line)
        if field:
            current = field.group(1)
            if current in op.fields:
                raise Problem(f"{op.where}: {op.name}: {current} appears twice")
            op.fields[current] = field.group(2).strip()
        elif current:
            op.fields[current] = (op.fields[current] + " " + line.strip()).strip()
        else:
            head.append(line.strip())
    summary = re.match(r"(\w+) - (.+)", " ".join(h for h in head if h))
    if not summary or summary.group(1) != op.name:
        raise Problem(f"{op.where}: {op.name}: no summary line \"{op.name} - ...\"")
    op.summary = summary.group(2)
    for field in FIELDS:
        if not op.fields.get(field):
            raise Problem(f"{op.where}: {op.name}: the contract has no \"{field}:\"")


def read_table(path, shown):
    """The ops of one catalogue header, and its heading."""
    text = path.read_text(encoding="utf-8")
    heading = re.search(r"/\* Catalogue, table \"\w+\": (.*?) ?\*/", text)
    ops = []
    last_end = 0
    for match in re.finditer(r"^PV_OP\(", text, re.M):
        args, end = call_args(text, match.start())
        if len(args) != 8:
            raise Problem(f"{shown}:{line_of(text, match.start())}: PV_OP takes 8 arguments")
        op = Op(args[1], line_of(text, match.start()), shown)
        op.table, op.site, op.convention, op.result = args[0], args[2], args[3], args[4]
        op.test = args[7]
        pairs = split_args(args[6][1:-1]) if args[6] != "()" else []
        op.args = [f"{pairs[i]} {pairs[i + 1]}".replace("* ", "*")
                   for i in range(0, len(pairs), 2)]
        if len(op.args) != int(args[5]):
            raise Problem(f"{op.where}: {op.name}: {args[5]} arguments announced, "
                          f"{len(op.args)} given")
        if op.site not in SITES or op.convention not in CONVENTIONS:
            raise Problem(f"{op.where}: {op.name}: unknown site class or convention")
        comment = re.search(r"/\*\*\n((?:(?!\*/).)*?)\n? \*/\s*\Z",
                            text[last_end:match.start()], re.S)
        if not comment:
            raise Problem(f"{op.where}: {op.name}: no contract above it")
        read_comment(op, comment.group(1))
        ops.append(op)
        last_end = end
    return (heading.group(1) if heading else ""), ops


def read_catalogue(root):
    """All tables in catalogue order: (name, heading, ops)."""
    folder = root / "include" / "pvops"
    catalogue = (folder / "catalogue.h").read_text(encoding="utf-8")
    tables, seen = [], {}
    for name in re.findall(r'^#include "(ops/\w+\.h)"', catalogue, re.M):
        heading, ops = read_table(folder / name, f"include/pvops/{name}")
        for op in ops:
            if op.name in seen:
                raise Problem(f"{op.where}: {op.name}: also at {seen[op.name]}")
            seen[op.name] = op.where
        tables.append((pathlib.Path(name).stem, heading, ops))
    read_pairs(folder, {op.name: op for _, _, ops in tables for op in ops})
    return tables


def read_pairs(folder, ops):
    """Which ops go with which (PV_TOGETHER)."""
    for path in sorted((folder / "ops").glob("*.h")):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"^PV_TOGETHER\((\w+), (\w+)\)$", text, re.M):
            for name, other in (match.groups(), match.groups()[::-1]):
                if name not in ops:
                    raise Problem(f"include/pvops/ops/{path.name}:{line_of(text, match.start())}: "
                                  f"{name}: no such op")
                ops[name].together.append(other)


class Machines:
    """What optables says: the backends in link order, and what each op is in each."""

    def __init__(self, program, ops):
        self.program = program
        self.ops = ops
        self.backends = []      # [(name, title, machine)]
        self.base = {}          # backend: {op: choice}
        self.changed = {}       # (backend, op): [(changes, choice)]
        self.refused = {}       # backend: [(changes, why)]
        for line in self._run([str(program)]).splitlines():
            self._read(json.loads(line))
        try:
            self.symbols = Elf(program).symbols
        except (OSError, ValueError) as err:
            raise Problem(f"{program}: {err}") from err
        self.functions = {s.value: s.name for s in sorted(self.symbols, reverse=True)
                          if s.name and s.type == STT_FUNC}
        self.codes = self._disassemble()

    def _run(self, words):
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError as err:
            raise Problem(f"{words[0]}: {err.strerror}; make docs builds it") from err
        if done.returncode:
            raise Problem((done.stderr.strip().splitlines() or [f"{words[0]}: failed"])[-1])
        return done.stdout

    def _read(self, said):
        name = said["backend"]
        if "refused" in said:
            self.refused.setdefault(name, []).append((said["changes"], said["refused"]))
        elif "machine" in said:
            self.backends.append((name, said["title"], said["machine"]))
            self.base[name] = said["ops"]
            for op in {*self.ops, *said["ops"]}:
                if op not in self.ops or op not in said["ops"]:
                    raise Problem(f"{op}: in {name} no implementation of it is known: "
                                  f"{self.program} is of another catalogue")
        else:
            for op, choice in said["ops"].items():
                self.changed.setdefault((name, op), []).append((said["changes"], choice))

    def _choices(self):
        for ops in self.base.values():
            yield from ops.values()
        for changes in self.changed.values():
            yield from (choice for _, choice in changes)

    def _disassemble(self):
        """{start: text} of all inline code."""
        spans = {tuple(c["code"]) for c in self._choices() if "code" in c}
        said = self._run(["objdump", "-D", "-j", ".rodata", "--no-show-raw-insn",
                          f"--start-address={min(s for s, _ in spans)}",
                          f"--stop-address={max(e for _, e in spans)}", str(self.program)])
        insns = {int(m[1], 16): m[2] for m in
                 re.finditer(r"^ *([0-9a-f]+):\t(.*?)\s*$", said, re.M)}
        return {start: "; ".join(self._instruction(insns[at]) for at in sorted(insns)
                                 if start <= at < end) for start, end in spans}

    def _instruction(self, text):
        text = re.sub(r"\s*#.*", "", re.sub(r"\s+", " ", text)).strip()
        if text.startswith(("call", "j", "(bad)")):
            raise Problem(f"inline code with \"{text}\"")
        text = re.sub(r",(?![^(]*\))", ", ", text)
        return re.sub(r"0x[0-9a-f]+", lambda m: self._address(m[0]), text)

    def _address(self, text):
        """A variable's name and the offset in it; other numbers stay."""
        value = int(text, 16)
        for symbol in self.symbols:
            if symbol.name and symbol.value <= value < symbol.value + symbol.size:
                offset = value - symbol.value
                return f"{symbol.name}+{offset}" if offset else symbol.name
        return text

    def describe(self, backend, op, choice):
        """One implementation in words."""
        form = choice["form"]
        if form == "native":
            return "native"
        if form == "in line":
            text = "the code compiled in line"
        elif form == "nop":
            text = "nothing (NOP)"
        elif form == "inline":
            text = f"inline `{self.codes[choice['code'][0]]}`"
        elif "rom" in choice:
            text = f"{form} the ROM's {choice['rom']}"
        elif choice["fn"] in self.functions:
            text = f"{form} `{self.functions[choice['fn']]}`"
        else:
            raise Problem(f"{op}: {backend} has it at {choice['fn']:#x}, where no function begins")
        return text + ("; required" if choice.get("required") else "")

    def conditions(self, backend, op):
        """[what it is otherwise, when]."""
        base = self.base[backend][op]
        groups = {}
        for changes, choice in self.changed.get((backend, op), []):
            what = self.describe(backend, op, choice)
            if {**base, "required": 0} == {**choice, "required": 0}:
                what = "required" if choice.get("required") else "not required"
            groups.setdefault(what, []).append(changes)
        return [f"{what} {when(changes)}" for what, changes in groups.items()]

    def entry(self, backend, op):
        """All that is said of an op in a backend."""
        return "; ".join([self.describe(backend, op, self.base[backend][op]),
                          *self.conditions(backend, op)])

    def cell(self, backend, op):
        """The same for a table."""
        choice = self.base[backend][op]
        text = {"native": "", "in line": "compiled"}.get(choice["form"], choice["form"])
        return text + ("!" if choice.get("required") else "") + \
            ("*" if (backend, op) in self.changed else "")


def when(changes):
    """Several changes, any of which will do: "without A, B or C, on D, or without both E and F"."""
    without = [c[0].removeprefix("without ") for c in changes
               if len(c) == 1 and c[0].startswith("without ")]
    out = ["without " + listed(without, "or")] if without else []
    out += [c[0] for c in changes if len(c) == 1 and not c[0].startswith("without ")]
    for one, *other in (c for c in changes if len(c) > 1):
        words = [w.removeprefix("without ") for w in (one, *other)]
        both = len({one[:8], "without ", *(w[:8] for w in other)}) == 1
        out.append(f"without both {listed(words, 'and')}" if both else listed([one, *other], "and"))
    return listed(out, "or") if len(out) < 3 else ", ".join(out[:-1]) + ", or " + out[-1]


def listed(words, last):
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else words[0]


WIDTH = 100


def wrap(text, first="", rest=None):
    """Lines of the page: code stays whole, and no line begins as a list or a heading would."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"`[^`]*`", lambda m: m[0].replace(" ", "\0"), text)
    text = re.sub(r" ([-+*>#]|\d+[.)])(?= )", r"\0\1", text)
    lines = textwrap.wrap(text, WIDTH, initial_indent=first, break_long_words=False,
                          break_on_hyphens=False,
                          subsequent_indent=" " * len(first) if rest is None else rest)
    return [line.replace("\0", " ") for line in lines]


def prose(text):
    """A contract's text: what Markdown would take for its own is marked."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<*])", r"\\\1", p) for p in parts)


def anchor_list(ops):
    return ", ".join(f"[{op.name}](#{op.name})" for op in ops)


def prototype(op):
    """How the op is written, as indented code."""
    use = {"ASM6": f"PV_CALL_OP {op.name}", "JUMP6": f"PV_JUMP_OP {op.name}"}.get(op.site)
    if use:
        return ["    " + use]
    head = f"    {op.result} pv_{op.name}("
    return textwrap.wrap(f"{', '.join(op.args) or 'void'})", WIDTH, initial_indent=head,
                         subsequent_indent=" " * len(head), break_long_words=False)


def op_section(op, machines):
    kind, size = SITES[op.site]
    summary = op.summary[0].upper() + op.summary[1:] + ("" if op.summary[-1] in ".?" else ".")
    lines = [f"### {op.name}", "", *wrap(prose(summary)), "", *prototype(op), ""]
    for field, text in op.fields.items():
        lines += wrap(f"**{field}:** {prose(text)}", "- ")
    if op.together:
        lines += wrap("**Goes with:** " + ", ".join(f"[{o}](#{o})" for o in op.together), "- ")
    lines += wrap(f"**Site:** {kind}, {size} bytes; convention {CONVENTIONS[op.convention]}", "- ")
    lines += wrap(f"**Test:** `test-<env>-{op.test}`", "- ")
    native = []
    for name, _, _ in machines.backends:
        entry = machines.entry(name, op.name)
        if entry == "native":
            native.append(name)
        else:
            lines += wrap(f"**In {name}:** {entry}", "- ")
    if native:
        lines += wrap(f"**Native in:** {', '.join(native)}", "- ")
    return lines + [""]


def overview(ops, machines):
    """A table: what each backend does with each op of one of the catalogue's."""
    names = [name for name, _, _ in machines.backends]
    rows = [["Op", *names]] + [[op.name, *(machines.cell(n, op.name) for n in names)] for op in ops]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in rows] + [""]


def own(machines, name):
    return sum(choice["form"] != "native" for choice in machines.base[name].values())


def backend_list(machines):
    out = []
    for name, title, machine in machines.backends:
        text = f"**{name}**: {title}. {own(machines, name)} of {len(machines.ops)} ops are its own. " \
               f"Read on {machine}."
        for changes, why in machines.refused.get(name, []):
            text += f" It refuses to run {when([changes])}: {why}."
        out += wrap(text, "- ")
    return out + [""]


INTRO = """\
This page is a reference for porters of kernels and authors of backends. For each of the {count}
operations of the catalogue it says what the op means, where a kernel may use it, and what each
backend puts at its sites. The tables: {tables}.

## How to read it

The contracts come from `include/pvops/ops/`. `include/pvops/catalogue.h` explains site, convention
and test. The program `tools/optables/` reads the implementations from the backends. It starts each
backend on a machine that offers every feature, and prints the implementation that the core chooses
for each op. Then it removes each feature and each pair of features, and prints what changes.

The tables have one column for each backend:

- `inline`: the implementation itself stands at the site.
- `compiled`: the compiler has put the native code there, behind a NOP.
- `nop`: the op is empty; the site is a NOP.
- `call`, `jump`: a direct call of the backend's function, or a direct jump to it.
- nothing: the backend leaves the op to native.
- `!`: required. The layer refuses `pvops=<backend>,-<op>`.
- `*`: depends on what the hypervisor offers. The section of the op says on what.

Some ops go with another op. If the backend has both, the layer leaves either both to native or
none.

In a section, "native without X" means: the op is native if the hypervisor does not offer X. The
names come from the headers of the interfaces: `KVM_FEATURE_*`
([interface.h](../backends/kvm/interface.h)) and `HV_*`
([interface.h](../backends/hyperv/interface.h)), and from the calls of a VMI ROM
([ABI.md](../backends/vmi/ABI.md)).

## Backends
"""


def page(tables, machines):
    count = sum(len(ops) for _, _, ops in tables)
    links = listed([f"[{name}](#table-{name})" for name, _, _ in tables], "and")
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->",
        "<!-- Generated by tools/opdoc.py from include/pvops/ops/ and the backends; "
        "run `make docs`,", "do not edit. -->", "", "# Ops", "",
    ]
    paragraphs = INTRO.format(count=count, tables=links).rstrip("\n").split("\n\n")
    for paragraph in paragraphs:
        if paragraph.startswith("- "):
            lines += [paragraph, ""]
        else:
            lines += [*wrap(paragraph), ""]
    lines += backend_list(machines)
    for name, heading, ops in tables:
        lines += [f"## Table {name}", ""]
        if heading:
            lines += [*wrap(prose(heading[0].upper() + heading[1:])), ""]
        lines += overview(ops, machines)
        lines += [*wrap(f"Sections: {anchor_list(ops)}."), ""]
        for op in ops:
            lines += op_section(op, machines)
    return "\n".join(lines).rstrip("\n") + "\n"


def listing(tables, machines):
    """A line per op and backend: table, op, backend, what."""
    return "".join(f"{name}\t{op.name}\t{backend}\t{machines.entry(backend, op.name)}\n"
                   for name, _, ops in tables for op in ops
                   for backend, _, _ in machines.backends)


def read_all(root, program):
    tables = read_catalogue(root)
    ops = {op.name: op for _, _, table in tables for op in table}
    if not ops:
        raise Problem("include/pvops/catalogue.h: no ops")
    return tables, Machines(program, ops)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", help="write the page here")
    parser.add_argument("--check", metavar="FILE", help="fail if FILE is not current")
    parser.add_argument("--list", action="store_true",
                        help="print a line per op and backend: table, op, backend, implementation")
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent,
                        type=pathlib.Path, help="tree to read (default: this one)")
    parser.add_argument("--program", type=pathlib.Path,
                        help="optables of that tree (default: its build/optables/optables)")
    args = parser.parse_args()
    target = args.check or args.file
    if not target and not args.list:
        parser.error("which file?")
    try:
        tables, machines = read_all(args.root,
                                    args.program or args.root / "build/optables/optables")
        if args.list:
            sys.stdout.write(listing(tables, machines))
            return 0
        text = page(tables, machines)
        if args.check:
            path = pathlib.Path(target)
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                raise Problem(f"{target}: stale; run make docs")
        else:
            pathlib.Path(target).write_text(text, encoding="utf-8")
    except (Problem, OSError) as problem:
        print(f"opdoc: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
