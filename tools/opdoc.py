#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Write the op reference page, docs/ops.md.

    tools/opdoc.py docs/ops.md             write it (also: --output FILE)
    tools/opdoc.py --check docs/ops.md     fail if it is not what would be written

The page comes from the catalogue's contract comments (include/pvops/ops/) and
from the tables in backends/*/*.c.  An op whose contract lacks a field, or that
the native backend leaves out, is an error: one line, exit status 1.
"""
import argparse
import pathlib
import re
import sys

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
    raise Problem(f"no end of: {text[at:at + 40]!r}")


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
                raise Problem(f"{op.where}: {op.name}: {current} stands twice")
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


def strip_comments(text):
    """Blank out comments, keep line numbers."""
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def asm_text(expression):
    """Assembler text of a PV_CODE: C strings joined, macros by name."""
    words = []
    for part in re.findall(r'"((?:[^"\\]|\\.)*)"|(\w+)', expression):
        words.append("%gs:" if part[1] == "PV_PERCPU_ASM" else part[0] or part[1])
    text = "".join(words).replace("\\n", ";").replace("\\t", " ").replace("%%", "%")
    return re.sub(r"\s*;[\s;]*", "; ", re.sub(r"[ \t]+", " ", text)).strip("; ")


def read_codes(text, codes):
    """Inline bytes by name: PV_CODE(), or a macro of the file around it."""
    makers = {"PV_CODE": lambda name: name}
    for match in re.finditer(r"^#define (\w+)\((\w+), (\w+)\)[ \t]*\\\n(?:[^\n]*\\\n)*?"
                             r"\s*PV_CODE\((\w+)##(\w+), (\w+)\)", text, re.M):
        maker, name, body, prefix, joined, used = match.groups()
        if joined == name and used == body:
            makers[maker] = lambda n, p=prefix: p + n
    for match in re.finditer(r"^(\w+)\(", text, re.M):
        if match.group(1) in makers:
            args, _ = call_args(text, match.start())
            codes[makers[match.group(1)](args[0])] = asm_text(", ".join(args[1:]))


def read_folder(folder, root, ops):
    """The backends of a folder: [(name, {op: text} or None without any table)].

    There are as many as descriptors, each with the tables that it names; in a
    folder without a descriptor, all tables are those of one backend.
    """
    codes, texts = {}, []
    for path in sorted(folder.glob("*.[ch]")):
        text = strip_comments(path.read_text(encoding="utf-8"))
        texts.append((path.relative_to(root), text))
        read_codes(text, codes)
    tables = {}
    for shown, text in texts:
        for match in re.finditer(r"struct pv_(\w+)_impls (\w+) = \{(.*?)^\};", text, re.M | re.S):
            kind, variable, body = match.groups()
            made = tables[variable] = {}
            for entry in re.finditer(r"\.(\w+)\s*=\s*(\w+)", body):
                name, how = entry.groups()
                where = f"{shown}:{line_of(text, match.start(3) + entry.start())}"
                if name not in ops or ops[name].table != kind:
                    raise Problem(f"{where}: {name}: no such op in table {kind}")
                if how not in ("PV_FN", "PV_INLINE", "PV_EMPTY"):
                    raise Problem(f"{where}: {name}: neither PV_FN, PV_INLINE nor PV_EMPTY")
                if name in made:
                    raise Problem(f"{where}: {name}: stands twice")
                args, _ = call_args(body, entry.start())
                made[name] = describe(where, ops[name], how, args, codes)
    owners = {}
    for _, text in texts:
        for match in re.finditer(r"struct pv_backend [\w ]+ = \{(.*?)^\};", text, re.M | re.S):
            name = re.search(r"\.name\s*=\s*\"(\w+)\"", match.group(1)).group(1)
            owners[name] = re.findall(r"&(\w+)", match.group(1))
    backends = []
    for name, own in (owners or {folder.name: tables}).items():
        made = [tables[variable] for variable in own if variable in tables]
        backends.append((name, {op: text for table in made for op, text in table.items()}
                         if made else None))
    return backends


def describe(where, op, how, args, codes):
    """One entry of a table in words."""
    if how == "PV_INLINE":
        if args[1] not in codes:
            raise Problem(f"{where}: {op.name}: no PV_CODE({args[1]}, ...) in this backend")
        what = f"inline `{codes[args[1]]}`"
    elif how == "PV_EMPTY":
        what = "nothing (NOP)"
        if op.site == "JUMP6":
            what = f"jump to `{args[0]}`"
    elif "PV_IMPL_IN_LINE" in args[-1] and op.site == "BRANCH":
        what = "the code compiled in line"
    else:
        what = f"{'jump to' if op.site == 'JUMP6' else 'call'} `{args[0]}`"
    if "PV_IMPL_REQUIRED" in args[-1]:
        what += "; required"
    return what


def anchor_list(ops):
    return ", ".join(f"[{op.name}](#{op.name})" for op in ops)


def op_section(op, backends):
    kind, size = SITES[op.site]
    use = {"ASM6": f"PV_ASM_CALL {op.name}", "JUMP6": f"PV_ASM_JUMP {op.name}"}.get(
        op.site, f"{op.result} pv_{op.name}({', '.join(op.args) or 'void'})")
    lines = [
        f"### {op.name}", "",
        op.summary[0].upper() + op.summary[1:] + ("" if op.summary[-1] in ".?" else "."), "",
        f"    {use}", "",
    ]
    for field, text in op.fields.items():
        lines.append(f"- **{field}:** {text}")
    if op.together:
        lines.append("- **Goes with:** " + ", ".join(f"[{o}](#{o})" for o in op.together))
    lines.append(f"- **Site:** {kind}, {size} bytes; convention {CONVENTIONS[op.convention]}")
    lines.append(f"- **Test:** `test-<env>-{op.test}`")
    for name, made in backends:
        what = made.get(op.name, "native") if made is not None else "has no tables yet"
        lines.append(f"- **In {name}:** {what}")
    return lines + [""]


def page(tables, backends):
    count = sum(len(ops) for _, _, ops in tables)
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->",
        "<!-- Generated by tools/opdoc.py from include/pvops/ops/ and backends/; "
        "run `make docs`, do not edit. -->", "",
        "# Ops", "",
        f"All {count} operations of the catalogue: what each one means, where it may be used, "
        "and what", "each backend puts at its sites.  `include/pvops/catalogue.h` explains the "
        "columns; \"required\"", "means that `pvops=<backend>,-<op>` is refused, and so it is for one of two ops that go",
        "with each other and that the backend both has, unless the other is left out, too.", "",
        "| Table | Ops |", "|---|---|",
    ]
    for name, _, ops in tables:
        lines.append(f"| [{name}](#table-{name}) | {anchor_list(ops)} |")
    lines.append("")
    for name, heading, ops in tables:
        lines += [f"## Table {name}", ""]
        if heading:
            lines += [heading[0].upper() + heading[1:], ""]
        for op in ops:
            lines += op_section(op, backends)
    return "\n".join(lines).rstrip("\n") + "\n"


def make_page(root):
    tables = read_catalogue(root)
    ops = {op.name: op for _, _, table in tables for op in table}
    if not ops:
        raise Problem("include/pvops/catalogue.h: no ops")
    backends = []
    folders = root / "backends"
    names = sorted(p.name for p in folders.iterdir() if p.is_dir()) if folders.is_dir() else []
    # Native first: the others are read against it.
    for name in sorted(names, key=lambda n: (n != "native", n)):
        backends += read_folder(folders / name, root, ops)
    for name, made in backends:
        if name == "native" and made is not None:
            for op in ops.values():
                if op.name not in made:
                    raise Problem(f"{op.where}: {op.name}: in no table of backends/native")
    return page(tables, backends)


def main():
    parser = argparse.ArgumentParser(description="op reference page from the catalogue")
    parser.add_argument("file", nargs="?", help="write the page here")
    parser.add_argument("--output", metavar="FILE", help="the same")
    parser.add_argument("--check", metavar="FILE", help="fail if FILE is not current")
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent,
                        type=pathlib.Path, help="tree to read (default: this one)")
    args = parser.parse_args()
    target = args.check or args.output or args.file
    if not target:
        parser.error("which file?")
    try:
        text = make_page(args.root)
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
