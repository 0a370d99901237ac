# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Count which call sites of each of Linux's own pv_ops become inline code, calls or NOPs.
Sites in start-up code, which is freed after boot, are left out.

The tables of a vmlinux file are read, by the rules of paravirt_patch() and
apply_alternatives(): an empty op becomes NOPs, any other op a call.  Then, on the bare
machine only, an alternative for "not Xen PV" puts the instruction itself there.
"""
import re
import struct
import subprocess
from pathlib import Path

import elf

HEADER = "arch/x86/include/asm/paravirt_types.h"
GROUPS = ("cpu", "irq", "mmu", "lock")
PARA_SITE, ALTERNATIVE = struct.Struct("<QBB6x"), struct.Struct("<iiHBB")
NOT_XEN_PV = 8 * 32 + 16 | 1 << 15
MEMBER = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(|struct paravirt_callee_save (\w+);|struct (pv_lazy_ops) \w+;")


def op_names(source, objects):
    """[(group, op)] in the order of struct paravirt_patch_template."""
    text = Path(source, HEADER).read_text(encoding="utf-8")
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


def implementations(image, names, where):
    """The function of each op: as linked in pv_ops, or as Xen PV sets it."""
    out = list(pointers(image, "pv_ops", len(names)))
    if where == "xenpv":
        for group in ("cpu", "irq", "mmu"):
            mine = [nr for nr, (g, _) in enumerate(names) if g == group]
            # These are typeof(pv_ops); Linux copies only the group's own part of each.
            whole = pointers(image, f"xen_{group}_ops", len(names))
            for nr in mine:
                # Linux sets these when vcpu_info is in its place.
                out[nr] = image.named.get(f"xen_{names[nr][1]}_direct", whole[nr])
    return out


def count(source, objects, where):
    """{op: {form: sites}}"""
    image, names = elf.Elf(f"{objects}/vmlinux"), op_names(source, objects)
    inline = {at + row[0]: row[4] for at, row in table(image, ".altinstructions", ALTERNATIVE)
              if row[2] == NOT_XEN_PV}
    nop = image.named.get("_paravirt_nop", image.named.get("paravirt_nop"))
    functions = implementations(image, names, where)
    freed = range(image.named["__init_begin"], image.named["__init_end"])
    out = {}
    for _, (site, op, _) in table(image, ".parainstructions", PARA_SITE):
        # The layer's debugfs leaves them out, too.
        if site in freed:
            continue
        form = "nop" if functions[op] == nop else "call"
        if where == "native" and site in inline:
            form = "inline" if inline[site] else "nop"
        forms = out.setdefault(names[op][1], {})
        forms[form] = forms.get(form, 0) + 1
    return dict(sorted(out.items()))
