# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For tools/carry.py: what differs between two source trees beside the edits.

Members of Linux's own tables, from its headers; instructions, from its table of opcodes; and
what each rule of a semantic patch changes.
"""
import hashlib
import json
import re
from pathlib import Path

import cli
import semantic

COCCI = cli.TOP / "patches/cocci"
TABLES = ("arch/x86/include/asm/paravirt_types.h", "arch/x86/include/asm/paravirt-spinlock.h")
MEMBER = re.compile(r"\(\*(\w+)\)\s*\(|struct paravirt_callee_save\s+(\w+)\s*;")
GROUP = re.compile(r"struct pv_(\w+)_ops\s*\{(.*?)\n\}", re.DOTALL)

OPCODES = "arch/x86/lib/x86-opcode-map.txt"
OPCODE = re.compile(r"[0-9a-f]+: (?!escape|Grp)(.*)")
# A vector instruction: its name begins with v or k, or only a VEX, EVEX or XOP prefix makes it.
VECTOR = re.compile(r"[vk][a-z0-9]|.*\((v|v1|ev|es|evo|xop)\)")
VECTOR_TABLE = re.compile(r"Table: (EVEX|XOP)|GrpTable: GrpXOP")
AUDIT = cli.TOP / "tools/audit/sensitive.c"
KNOWN = re.compile(r'NAME\((\w+), "|\{ "(\w+)", (?:0x|0,)')


# Linux's tables

def members(tree):
    """{group.member} of Linux's own tables."""
    found = set()
    for name in TABLES:
        path = Path(tree) / name
        if not path.is_file():
            continue
        for group, body in GROUP.findall(path.read_text(encoding="utf-8")):
            body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
            found |= {f"{group}.{a or b}" for a, b in MEMBER.findall(body)}
    return found


# Instructions

def opcodes(tree):
    """The instructions that are not of the vector units, from Linux's table of opcodes: {(name, other
    name or size, ...)}; None: no such table."""
    path = Path(tree) / OPCODES
    if not path.is_file():
        return None
    found, vector = set(), False
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith(("Table:", "GrpTable:")):
            vector = bool(VECTOR_TABLE.match(line))
        elif not vector and (said := OPCODE.match(line)):
            for one in said[1].split("|"):
                if one.strip() and "(Prefix)" not in one and not VECTOR.match(one.strip()):
                    found.add(tuple(one.split()[0].lower().split("/")))
    return found


def audited():
    """The instructions that the audit looks for."""
    return {(a or b).lower() for a, b in KNOWN.findall(AUDIT.read_text(encoding="utf-8"))}


def instructions(source, tree):
    """What is new in the tree's table of opcodes: {"known": [...], "unknown": [...]} to the audit; None: no table."""
    old, new = opcodes(source), opcodes(tree)
    if old is None or new is None:
        return None
    known = audited()
    came = {names[0] for names in new} - {name for names in old for name in names}
    return {"known": sorted(came & known), "unknown": sorted(came - known)}


# Semantic patches

def patches():
    return sorted(COCCI.glob("*.cocci"))


def semantic_effects(tree, texts, kept=None):
    """semantic.effects() of all semantic patches.  kept: a file that keeps the answer, for a tree that does not change."""
    key = hashlib.sha256()
    for part in (*(path.read_bytes() for path in patches()), json.dumps([str(tree), texts], sort_keys=True).encode(),
                 Path(semantic.__file__).read_bytes()):
        key.update(hashlib.sha256(part).digest())
    if kept and kept.is_file():
        said = json.loads(kept.read_text())
        if said["key"] == key.hexdigest():
            return said["effects"]
    try:
        effects = semantic.effects(patches(), tree, texts)
    except semantic.Failed as err:
        raise cli.MissingError(str(err)) from err
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"key": key.hexdigest(), "effects": effects}) + "\n")
    return effects


def semantic_rows(before, here):
    """[{patch, line, rule, before {file: places}, here {file: places}}], one for each rule."""
    return [{"patch": path.name, "line": rule.line, "rule": rule.title, "before": old, "here": new}
            for path in patches()
            for rule, old, new in zip(semantic.rules(path), before[path.name], here[path.name])]
