# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Count which call sites of each of Linux's own pv_ops become inline code, calls or NOPs.
Sites in start-up code, which is freed after boot, are left out.

The tables of a vmlinux file are read, by the rules of paravirt_patch() and
apply_alternatives(): an empty op becomes NOPs, any other op a call.  Then, on the bare
machine only, an alternative for "not Xen PV" puts the instruction itself there.  Since 6.8
there is no paravirt_patch(): a call through the table is an alternative, too.
"""
import re
import struct
import subprocess
from pathlib import Path

import elf

# Since 7.0 the ops of locks are a table of their own, in a header of its own.
HEADERS = ("arch/x86/include/asm/paravirt_types.h", "arch/x86/include/asm/paravirt-spinlock.h")
GROUPS = ("cpu", "irq", "mmu", "lock")
PARA_SITE, ALTERNATIVE = struct.Struct("<QBB6x"), struct.Struct("<iiHBB")
NOT_XEN_PV = 8 * 32 + 16 | 1 << 15
# Since 6.3; the flags of an alternative, beside the feature.
FLAGGED_ALTERNATIVE, FLAG_NOT, FLAG_DIRECT_CALL = struct.Struct("<iiHHBB"), 1, 2
# call *disp32(%rip)
CALL_THROUGH = b"\xff\x15"
MEMBER = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(|struct paravirt_callee_save (\w+);|struct (pv_lazy_ops) \w+;")


def op_names(source, objects):
    """[(group, op)] in the order of struct paravirt_patch_template."""
    text = "".join(path.read_text(encoding="utf-8") for path in (Path(source, name) for name in HEADERS) if path.is_file())
    text = re.sub(r"^#include.*$", "", text, flags=re.M)
    out = []
    for group in GROUPS:
        body = re.search(rf"^struct pv_{group}_ops {{.*?^}}", text, re.M | re.S)[0]
        body = subprocess.run(["gcc", "-E", "-P", "-include", f"{objects}/include/generated/autoconf.h", "-"],
                              input=body, capture_output=True, text=True, check=True).stdout
        for pointer, callee, lazy in MEMBER.findall(body):
            out += [(group, f"lazy_mode.{w}") for w in ("enter", "leave", "flush")] if lazy \
                else [(group, pointer or callee)]
    return out


def table(image, name, entry):
    section = next(s for s in image.sections if s.name == name)
    data = image.bytes_at(section.addr, section.size)
    return [(section.addr + at, entry.unpack_from(data, at))
            for at in range(0, len(data) - entry.size + 1, entry.size)]


def pointers(image, symbol, count):
    return struct.unpack(f"<{count}Q", image.bytes_at(image.named[symbol], 8 * count))


# How Xen PV sets an op since 7.0: there are no tables of its own.
SETS = re.compile(r"pv_ops\.(\w+)\.(\w+)(?:\.func)?\s*=\s*(?:PV_CALLEE_SAVE\()?(\w+)")
XEN_PV = ("enlighten_pv.c", "irq.c", "mmu_pv.c")


def tables_of(image, names):
    """[(symbol, number of the first op)] of Linux's tables."""
    out = [("pv_ops", 0)]
    if "pv_ops_lock" in image.named:
        out.append(("pv_ops_lock", [group for group, _ in names].index("lock")))
    return out


def implementations(source, image, names, where):
    """The function of each op: as linked in pv_ops, or as Xen PV sets it."""
    out, tables = [], tables_of(image, names)
    for symbol, first in reversed(tables):
        out = list(pointers(image, symbol, len(names) - first - len(out))) + out
    if where != "xenpv":
        return out
    if "xen_cpu_ops" not in image.named:
        for name in XEN_PV:
            text = Path(source, "arch/x86/xen", name).read_text(encoding="utf-8")
            for group, op, function in SETS.findall(text):
                if (group, op) in names:
                    # A function that only takes part in the comparison with the empty one.
                    out[names.index((group, op))] = image.named.get(function, function)
        return out
    for group in ("cpu", "irq", "mmu"):
        mine = [nr for nr, (g, _) in enumerate(names) if g == group]
        # These are typeof(pv_ops); Linux copies only the group's own part of each.
        whole = pointers(image, f"xen_{group}_ops", len(names))
        for nr in mine:
            # Linux sets these when vcpu_info is in its place.
            out[nr] = image.named.get(f"xen_{names[nr][1]}_direct", whole[nr])
    return out


def paravirt_sites(image, names):
    """[(address, number of the op)], and {address: bytes of the instruction itself} of the inline ones."""
    sections = {section.name for section in image.sections}
    if ".parainstructions" in sections:
        inline = {at + row[0]: row[4] for at, row in table(image, ".altinstructions", ALTERNATIVE)
                  if row[2] == NOT_XEN_PV}
        return [(row[0], row[1]) for _, row in table(image, ".parainstructions", PARA_SITE)], inline
    found, inline = [], {}
    for at, (offset, _, feature, flags, _, size) in table(image, ".altinstructions", FLAGGED_ALTERNATIVE):
        site = at + offset
        if feature == NOT_XEN_PV & 0x7fff and flags == FLAG_NOT:
            inline[site] = size
        if flags != FLAG_DIRECT_CALL or image.bytes_at(site, 2) != CALL_THROUGH:
            continue
        slot = site + 6 + struct.unpack("<i", image.bytes_at(site + 2, 4))[0]
        for symbol, first in tables_of(image, names):
            op = (slot - image.named[symbol]) // 8 + first
            if 0 <= slot - image.named[symbol] < 8 * (len(names) - first):
                found.append((site, op))
                break
    return found, inline


def count(source, objects, where):
    """{op: {form: sites}}"""
    image, names = elf.Elf(f"{objects}/vmlinux"), op_names(source, objects)
    sites, inline = paravirt_sites(image, names)
    nop = image.named.get("_paravirt_nop", image.named.get("paravirt_nop", image.named.get("nop_func")))
    functions = implementations(source, image, names, where)
    freed = range(image.named["__init_begin"], image.named["__init_end"])
    out = {}
    for site, op in sites:
        # The layer's debugfs leaves them out, too.
        if site in freed:
            continue
        form = "nop" if functions[op] == nop else "call"
        if where == "native" and site in inline:
            form = "inline" if inline[site] else "nop"
        forms = out.setdefault(names[op][1], {})
        forms[form] = forms.get(form, 0) + 1
    return dict(sorted(out.items()))
