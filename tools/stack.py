#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The stack that the layer needs, in bytes: by function, by op, and at start.

  stack.py FOLDER            a table, one line for each backend
  stack.py FOLDER --check    compare with the bounds in include/pvops/port.h
  stack.py FOLDER --frames   every function, largest frame first

FOLDER has the objects of core and backends, each with the call graph that gcc writes with
-fcallgraph-info=su.  The graph has no sites: the ops that a function uses are read from its
object (section .pv_sites).  An op stands for the chosen backend's implementation, or for
native's.  The stack of the port's functions is not counted.

Exit status: 0 all is within the bounds; 1 a bound is exceeded, or a call cannot be followed.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from elf import STT_FUNC, Elf  # noqa: E402
import struct  # noqa: E402

TOP = Path(__file__).resolve().parents[1]
SHT_RELA = 4
R_64, R_PC32, R_32S = 1, 2, 11

NODE = re.compile(r'node: { title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes \((static|dynamic,bounded|dynamic)\)')
EDGE = re.compile(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^"]*)"')
BOUND = re.compile(r"^#define (PV_STACK_\w+)\s+(\d+)$", re.M)

# The depth of a function that calls itself.
RECURSION = {"verify": 2}
# Targets of a call through a pointer, by the function that contains it.  An int: bytes.
# A ROM's code: backends/vmi/ABI.md, section 5 and VMI_Init.
ROM, ROM_INIT = 512, 2048
POINTERS = {
    "pvops/batch.c:submit": r"(pvxen|pvvmi)_submit$",
    "pv_detect_all": r".*detect$",
    "pv_init": r".*(hook init)$",
    "pv_cpu_init": r".*(hook cpu_init)$",
    "pv_cpu_exit": r".*(hook cpu_exit)$",
    "pv_late_init": r".*(hook late_init)$",
    "pvnative_time_setup": r".*(hook tsc_khz)$",
    "find_edge": r"(pit|hpet|cmos)_(start|read|stop)$",
    "pvnative_calibrate_tsc": r"(pit|hpet|cmos)_(start|read|stop)$",
    # Functions of the kernel.
    "pv_cpuid_scan": 0,
    "is_range": 0,
    "pv_note": r".*(hook note)$",
    "pv_print": r".*(hook note)$",
    "add_exception": r".*(hook needs)$",
    "parted_by": r".*(hook serves)$",
    "may_be_own": r".*(hook serves)$",
}
HOOKS = ("name", "title", "detect", "init", "cpu_init", "cpu_exit", "late_init", "hypercalls", "tables_kept",
         "lock_waits", "null_hypercall", "tsc_khz", "note", "needs", "serves")
STARTS = ("pv_init", "pv_init_native", "pv_cpu_init", "pv_cpu_exit", "pv_patch", "pv_late_init", "pv_print",
          "pv_module_patch", "pv_repatch", "pv_override", "pv_provide", "pv_preview")
# Assembly that an op leads to is counted by its pushes: backends/native/trampoline.S
# and the stubs in asm() push less than this.
ASSEMBLY = 64


class Cannot(Exception):
    """A call cannot be followed."""


def plain(title):
    """A function's name in the source."""
    return re.sub(r"\.(part|isra|constprop|cold)\..*$", "", title.rsplit(":", 1)[-1])


def ops():
    names = []
    for table in ("irq", "cpu", "mmu", "time", "smp", "lock"):
        text = (TOP / f"include/pvops/ops/{table}.h").read_text(encoding="utf-8")
        names += re.findall(r"^PV_OP\(\w+, (\w+),", text, re.M)
    return names


class Layer:
    """All functions of core and backends: their stack, and what they call."""

    def __init__(self, folder):
        self.names = ops()
        self.size, self.folder_of = {}, {}
        self.calls, self.sites = defaultdict(set), defaultdict(set)
        self.pointer_calls = defaultdict(set)
        self.hooks, self.taken = defaultdict(dict), defaultdict(set)
        graphs = sorted(Path(folder).rglob("*.ci"))
        if not graphs:
            raise Cannot(f"{folder}: no *.ci there; make unit builds them")
        for graph in graphs:
            self.read(graph, graph.relative_to(folder).with_suffix(".c"))

    def read(self, graph, source):
        text = graph.read_text(encoding="utf-8")
        backend = source.parts[1] if source.parts[0] == "backends" else None
        local = {}
        for title, size, kind in NODE.findall(text):
            self.size[title], self.folder_of[title] = int(size), backend
            local[title.rsplit(":", 1)[-1]] = title
            if kind == "dynamic":
                raise Cannot(f"{source}: {plain(title)} has a frame without a bound")
        for caller, callee, where in EDGE.findall(text):
            if callee == "__indirect_call":
                self.pointer_calls[caller].add(where)
            else:
                self.calls[caller].add(callee)
        self.read_object(Elf(graph.with_suffix(".o")), local, backend)

    def read_object(self, elf, local, backend):
        functions = {(s.section, s.value): s for s in elf.symbols if s.type == STT_FUNC and s.size}

        def at(section, addr):
            return next((s for (sec, value), s in functions.items()
                         if sec == section and value <= addr < value + s.size), None)

        symbols = elf.symbols
        for rela in (s for s in elf.sections if s.type == SHT_RELA):
            target = next(s for s in elf.sections if f".rela{s.name}" == rela.name)
            for where in range(rela.offset, rela.offset + rela.size, rela.entsize):
                offset, info, addend = struct.unpack_from("<QQq", elf.data, where)
                symbol, kind = symbols[info >> 32], info & 0xffffffff
                if target.name == ".pv_sites":
                    user = at(symbol.section, symbol.value + addend)
                    op, = struct.unpack_from("<H", elf.data, target.offset + offset + 4)
                    if user:
                        self.sites[local.get(user.name, user.name)].add(self.names[op])
                elif kind in (R_64, R_32S) and not target.name.startswith(".debug"):
                    function = functions.get((symbol.section, symbol.value + addend)) if symbol.section else symbol
                    if function and function.name:
                        self.take(elf, target, offset, local.get(function.name, function.name), backend)

    def take(self, elf, target, offset, title, backend):
        """A function's address is kept at an offset of a section: a descriptor's hook, or an op's."""
        index = elf.sections.index(target)
        holder = next((s for s in elf.symbols if s.section == index and s.size == 8 * (len(HOOKS) + 7) and
                       s.value <= offset < s.value + s.size), None)
        if holder:
            nr = (offset - holder.value) // 8
            if nr < len(HOOKS):
                self.hooks[backend].setdefault(HOOKS[nr], set()).add(title)
        else:
            self.taken[backend].add(title)

    def implementations(self, op, backend):
        """An op's functions where this backend is chosen."""
        found = {t for t in self.size if self.folder_of[t] in (backend, "native") and
                 re.fullmatch(rf"pv\w+?_{op}", plain(t))}
        return found or {f"pvnative_fn_{op}"}

    def through_pointer(self, title, backend):
        """Bytes that a call through a pointer takes, and the functions it may lead to."""
        name, places = plain(title), self.pointer_calls[title]
        if places and all("backends/vmi/internal.h" in p or re.match(r"backends/vmi/(cpu|mmu)\.c", p) for p in places):
            return ROM, set()
        for key, leads in POINTERS.items():
            if key not in (title, name):
                continue
            if isinstance(leads, int):
                return leads, set()
            hook = re.search(r"\(hook (\w+)\)", leads)
            if hook:
                return 0, {t for b in {backend, "native"} for t in self.hooks[b].get(hook[1], ())}
            return 0, {t for t in self.size if re.match(leads, plain(t))}
        raise Cannot(f"{name} calls through a pointer ({', '.join(sorted(places))}): "
                     f"say where to in POINTERS of tools/stack.py")

    def deepest(self, title, backend, above=(), known=None):
        """Bytes from this function down, and the chain of functions."""
        known = {} if known is None else known
        if title in known:
            return known[title]
        if title not in self.size:
            return (0 if plain(title).startswith("pv_port_") else ASSEMBLY), [plain(title)]
        if title in above:
            raise Cannot(f"{' -> '.join(map(plain, above[above.index(title):]))} -> {plain(title)}: a cycle of calls")
        own, best = self.size[title], (0, [])
        callees = set(self.calls[title])
        if title in callees:
            if plain(title) not in RECURSION:
                raise Cannot(f"{plain(title)} calls itself: add its depth to RECURSION in tools/stack.py")
            own *= RECURSION[plain(title)]
            callees.discard(title)
        for op in self.sites[title]:
            callees |= self.implementations(op, backend)
        if self.pointer_calls[title]:
            extra, more = self.through_pointer(title, backend)
            callees |= more
            best = max(best, (extra, ["a ROM"] if extra else []))
        if plain(title) in ("pvvmi_call_guarded",):
            best = max(best, (ROM_INIT, ["a ROM"]))
        for callee in sorted(callees):
            best = max(best, self.deepest(callee, backend, (*above, title), known), key=lambda x: x[0])
        known[title] = own + best[0], [f"{plain(title)} {own}", *best[1]]
        return known[title]

    def backends(self):
        return sorted({b for b in self.folder_of.values() if b})

    def of_ops(self, backend):
        """The deepest op of a backend."""
        hooks = {t for rows in self.hooks.values() for h in rows.values() for t in h}
        found = {t for op in self.names for t in self.implementations(op, backend) if self.folder_of.get(t) == backend}
        found |= (self.taken[backend] - hooks) & set(self.size)
        known = {}
        return max((self.deepest(t, backend, (), known) for t in sorted(found)), key=lambda x: x[0], default=(0, []))

    def of_start(self, backend):
        known = {}
        return max((self.deepest(t, backend, (), known) for t in STARTS if t in self.size),
                   key=lambda x: x[0], default=(0, []))


def main(args):
    if not 1 <= len(args) <= 2 or args[1:] not in ([], ["--check"], ["--frames"]):
        sys.exit(__doc__)
    bounds = {k: int(v) for k, v in BOUND.findall((TOP / "include/pvops/port.h").read_text(encoding="utf-8"))}
    try:
        layer = Layer(args[0])
        if "--frames" in args:
            for title, size in sorted(layer.size.items(), key=lambda x: -x[1]):
                print(f"{size:6} {title}")
            return 0
        wrong = [f"{plain(t)}: a frame of {n} bytes, PV_STACK_FRAME is {bounds['PV_STACK_FRAME']}"
                 for t, n in sorted(layer.size.items()) if n > bounds["PV_STACK_FRAME"]]
        for backend in layer.backends():
            for what, bound, (size, chain) in (("op", "PV_STACK_OP", layer.of_ops(backend)),
                                               ("start", "PV_STACK_START", layer.of_start(backend))):
                print(f"{backend:8} {what:6} {size:5}  {' > '.join(chain)}")
                if size > bounds[bound]:
                    wrong.append(f"{backend}: {what}: {size} bytes, {bound} is {bounds[bound]}: {' > '.join(chain)}")
    except Cannot as err:
        print(f"stack.py: {err}", file=sys.stderr)
        return 1
    for line in wrong if "--check" in args else []:
        print(f"stack.py: {line}", file=sys.stderr)
    return 1 if wrong and "--check" in args else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
