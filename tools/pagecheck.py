#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compare the pages with the sources.  Prints one line for each error.

  pagecheck.py [--root DIR]

* docs/choosing-a-backend.md has every refusal of the sources, and no other.
* Each file, and each function of a file, that docs/architecture.md names exists.
* The layer includes only the headers that architecture.md allows.
* No line of a Markdown page has more than 100 columns.
* Every public header begins with a sentence that says what it is.

Exit status: 0 no error; 1 an error; 2 wrong arguments.
"""
import argparse
import re
import sys
from pathlib import Path

WIDTH = 100
REFUSALS = "docs/choosing-a-backend.md"
WALKS = "docs/architecture.md"

TEXT = r'"((?:[^"\\]|\\.)*)"'
START, PATCH, PLATFORM = (f"patches/linux/arch/x86/kernel/pvops_{part}.c" for part in ("start", "patch", "platform"))
# Where a refusal is made: files, and how it looks there.
SOURCES = (
    (("pvops/*.c",), r"pv_add_line\(refused,\s*" + TEXT),
    (("pvops/*.c",), r"pv_port_panic\(" + TEXT),
    (("pvops/*.c", "include/pvops/backend.h", "backends/*/*.c", START, PATCH, PLATFORM,
      "patches/linux/arch/x86/xen/pvops.c"),
     r"\bwhy = " + TEXT),
    (("backends/*/backend.c", "backends/*/detect.c", "backends/*/rom.c", START),
     r"return " + TEXT),
    (("backends/*/*.c",), r"refuse\(at, " + TEXT),
    # A line of the log, and then the start has failed.
    (("backends/*/*.c",), r"pv_port_log\(\s*" + TEXT + r"[^;]*;\s*(?:return (?:-|error|false)|else\b)"),
)
# Lines of other failures that look the same: of a clock, of a CPU's start, of an op, of a table.
NOT_OF_A_CHOICE = re.compile(r"pvops: (native: |start_cpu|send_ipi|xen: (CPU|page))")


def read(path):
    return path.read_text(encoding="utf-8")


# Refusals

def same(text):
    """A refusal without what varies in it."""
    text = re.sub(r"(?:0x)?%(?:l*[a-z])|<[^>]*>", "<>", text)
    return re.sub(r"\s*<>(?:[\s.]*<>)*\s*", "<>", text)


def made(root):
    """{refusal: (text, where)} of the sources."""
    out = {}
    for patterns, look in SOURCES:
        for path in sorted(p for pattern in patterns for p in root.glob(pattern)):
            source = read(path)
            for m in re.finditer(look, source):
                if not NOT_OF_A_CHOICE.match(m[1]):
                    line = source.count("\n", 0, m.start()) + 1
                    out.setdefault(same(m[1]), (m[1], f"{path.relative_to(root)}:{line}"))
    return out


def told(page):
    """{refusal: (text, line)} of the page: what its list items begin with, below "Refusals"."""
    out = {}
    before, found, rest = page.partition("\n## Refusals\n")
    if not found:
        return out
    first = before.count("\n") + 3
    rest = rest.split("\n## ")[0]
    for item in re.finditer(r"^\* (.*\n(?:  .*\n)*)", rest, re.M):
        words = re.sub(r"\s+", " ", item[1])
        while m := re.match(r"`([^`]+)`(, )?", words):
            out[same(m[1])] = (m[1], first + rest.count("\n", 0, item.start()))
            words = words[m.end():] if m[2] else ""
    return out


def refusals(root):
    sources, page = made(root), told(read(root / REFUSALS))
    return [f"{REFUSALS}: lacks the refusal of {where}: {text}"
            for key, (text, where) in sources.items() if key not in page] + \
        [f"{REFUSALS}:{line}: no source refuses so: {text}"
         for key, (text, line) in page.items() if key not in sources]


# Files and functions

# `file`, or `file`: `function()`, `function()`.
NAMED = re.compile(r"`([\w./-]+/[\w.-]*|[\w-]+\.\w+)`(?:: ((?:`\w+\(\)`(?:, )?)+))?")


def architecture(root):
    bad, page = [], re.sub(r"\n +", " ", read(root / WALKS))
    named = list(NAMED.finditer(page))
    if not any(m[2] for m in named):
        return [f"{WALKS}: names no function"]
    for m in named:
        path = root / m[1]
        if not path.exists():
            bad.append(f"{WALKS}: {m[1]}: no such file")
            continue
        for name in re.findall(r"`(\w+)\(\)`", m[2] or ""):
            if not defines(read(path), name):
                bad.append(f"{WALKS}: {m[1]} has no {name}()")
    return bad


def defines(source, name):
    """Does the file make this function, or a macro or an op of this name?"""
    return re.search(rf"^(?:\w[\w *]*[ *])?{name}\([^;{{]*\)\s*\{{|^#define {name}\(|^PV_OP\(\w+, {name},|^def {name}\(",
                     source, re.M) is not None


# Folders of the layer, and what may stand between angle brackets there.
OWN = r"pvops/(ops/)?\w+\.h"
MAY_INCLUDE = (("include/pvops/*.h", r"pvops_port\.h"), ("include/pvops/ops/*.h", r"(?!)"), ("pvops/*.[chS]", OWN),
               ("backends/*/*.[chS]", rf"{OWN}|(xen|linux)/[\w/-]+\.h"))


def includes(root):
    bad = []
    for pattern, angles in MAY_INCLUDE:
        for path in sorted(root.glob(pattern)):
            for nr, line in enumerate(read(path).splitlines(), 1):
                if not (m := re.match(r'#\s*include\s+([<"])([^>"]+)', line)):
                    continue
                own = path.parent / m[2]
                if not (re.fullmatch(angles, m[2]) if m[1] == "<" else own.exists() and ".." not in m[2]):
                    bad.append(f"{path.relative_to(root)}:{nr}: must not include {m[2]} ({WALKS})")
    return bad


# Form

def pages(root):
    """Markdown, but not what is built: other targets write there meanwhile, so it is not entered."""
    folders = [p for p in root.iterdir() if p.is_dir() and p.name not in ("build", ".git")]
    return sorted([*root.glob("*.md"), *(p for folder in folders for p in folder.rglob("*.md"))])


def width(root):
    """Output of programs stays as wide as it is: between fences, or indented below an empty line."""
    bad = []
    for path in pages(root):
        fenced = indented = False
        before = ""
        for nr, line in enumerate(read(path).splitlines(), 1):
            fenced ^= line.startswith("```")
            indented = line.startswith("    ") and (indented or not before.strip())
            before = line
            if len(line) > WIDTH and not fenced and not indented:
                bad.append(f"{path.relative_to(root)}:{nr}: {len(line)} columns, more than {WIDTH}")
    return bad


# A comment right behind the licence; a "DOC:" comment has a title and an empty line before its text.
FIRST = re.compile(r"/\* SPDX-[^\n]*\*/\n/\*(?:\*\n \* DOC: \w[^\n]*\n \*\n|(?!\*))(.*?)\*/", re.S)
SENTENCE = re.compile(r"[\w<][^.]*? \S[^.]*? \S(?:[^.]|\.\S)*?\.(?:\s|$)")


def headers(root):
    bad = []
    for path in sorted(root.glob("include/pvops/**/*.h")):
        comment = FIRST.match(read(path))
        if not comment or not SENTENCE.match(re.sub(r"\n \* ?", "\n", comment[1]).strip(" *\n")):
            bad.append(f"{path.relative_to(root)}: does not begin with a sentence that says what it is")
    return bad


def main(argv):
    parser = argparse.ArgumentParser(prog="pagecheck.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, metavar="DIR")
    root = parser.parse_args(argv).root
    bad = [line for check in (refusals, architecture, includes, width, headers) for line in check(root)]
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
