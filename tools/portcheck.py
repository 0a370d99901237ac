#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Compile core and every backend against a port, and say what the port lacks.

  portcheck.py DIR             DIR: pvops_port.h, C and assembly files, flags, *.lds
  portcheck.py DIR --needs     which function each part of the layer needs, as Markdown
  portcheck.py DIR --image FILE
                               link them by the port's script: FILE, if nothing is missing

`flags` has the compiler's flags, one a line; a path in it is relative to DIR.  A port that
is part of a kernel has the linker script elsewhere: then only its symbols are not checked.

Exit status: 0 nothing is missing; 1 something is missing or of the wrong type; 2 wrong
arguments, or DIR is no port.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
HEADERS = ("port.h", "pvops.h", "call.h", "batch.h", "inject.h", "pvclock.h")

# (a flag that does it, ...): why one of them is needed.
FLAGS = {
    ("-mno-red-zone",): "a site calls on the stack of the code around it, and an interrupt uses it",
    ("-mgeneral-regs-only", "-mno-sse"): "vector registers belong to user mode; no site saves them",
    ("-mcmodel=kernel", "-mcmodel=small"): "assembly names variables by 32-bit addresses",
    ("-fno-pic", "-fno-pie"): "sites and inline bytes have no relative addresses of data",
    ("-std=gnu11", "-std=gnu17", "-std=gnu2x", "-std=gnu23"): "headers use asm, typeof and _Static_assert",
    ("-ffreestanding", "-fno-builtin"): "there is no C library",
    ("-fno-stack-protector",): "part of the layer runs before the canary is there",
}

TYPES = {"u8": (1, False), "u16": (2, False), "u32": (4, False), "u64": (8, False), "s8": (1, True),
         "s16": (2, True), "s32": (4, True), "s64": (8, True), "size_t": (8, False), "bool": (1, False)}
XEN_TYPES = {"uint8_t": (1, False), "uint16_t": (2, False), "uint32_t": (4, False), "uint64_t": (8, False)}

# What may be left out has a default in types.h.
MACROS = ("PV_PERCPU_DECLARE", "PV_PERCPU_DEFINE", "PV_PERCPU_PTR", "PV_PERCPU_PTR_OF", "PV_PERCPU_ASM", "PV_EXTABLE",
          "PV_GDT_LDT", "PV_GDT_TLS", "PV_GDT_WRITABLE", "PV_MSR_MAY_FAULT", "PV_KERNEL_CS", "PV_KERNEL_DS",
          "PV_USER_CS", "PV_USER_DS", "PV_VECTOR_TIMER", "PV_VECTOR_IPI", "PV_IPI_COUNT", "PV_VECTOR_EVENT",
          "PV_MAX_CPUS", "PV_CALLER", "__force", "__bitwise", "__always_inline")
# Macros or functions, inline in pvops_port.h.
INLINE = ("pv_port_virt_to_pfn", "pv_port_pfn_to_virt", "pv_port_this_cpu", "pv_port_in_interrupt")
# Assembly sees these.
CONSTANTS = ("PV_KERNEL_CS", "PV_KERNEL_DS", "PV_USER_CS", "PV_USER_DS", "PV_MAX_CPUS")
SCRIPT = ("__pv_text_start", "__pv_text_end", "__pv_sites_start", "__pv_sites_end", "__pv_backends_start",
          "__pv_backends_end")

CONFLICT = re.compile(r"error: conflicting types for '(\w+)'; have '([^']*)'")
PREVIOUS = re.compile(r"note: previous declaration of '(\w+)' with type '([^']*)'")
TYPE = re.compile(r"error: unknown type name '(\w+)'|error: '(\w+)' undeclared")


class NoPort(Exception):
    """What was given is no port."""


def run(*args):
    return subprocess.run([str(a) for a in args], text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=os.environ | {"LC_ALL": "C"})


def layer():
    """{part: [source]} of core and backends."""
    out = {"core": sorted(TOP.glob("pvops/*.c"))}
    for folder in sorted(p for p in (TOP / "backends").iterdir() if p.is_dir()):
        out[f"backend {folder.name}"] = sorted([*folder.glob("*.c"), *folder.glob("*.S")])
    return out


class Port:
    """A port, what is wrong with it, and what was made of it."""

    def __init__(self, folder, cc="gcc"):
        self.folder, self.cc = Path(folder).resolve(), cc
        self.wrong = []
        self.broken, self.broken_layer = [], False
        if not (self.folder / "pvops_port.h").is_file():
            raise NoPort(f"{folder}: no pvops_port.h in it")
        if not (self.folder / "flags").is_file():
            raise NoPort(f"{folder}: no file named flags in it")
        self.flags = self.read_flags()
        self.sources = sorted([*self.folder.glob("*.c"), *self.folder.glob("*.S")])
        self.scripts = sorted(self.folder.glob("*.lds"))
        self.build = TOP / "build/port-check" / self.digest()
        self.build.mkdir(parents=True, exist_ok=True)

    def read_flags(self):
        lines = (self.folder / "flags").read_text(encoding="utf-8").splitlines()
        flags = [word for line in lines for word in line.split("#")[0].split()]
        for i, flag in enumerate(flags):
            if flag.startswith("-I"):
                flags[i] = f"-I{self.folder / flag[2:]}"
        return [*flags, f"-I{self.folder}", f"-I{TOP}/include"]

    def digest(self):
        """Of all that objects of the layer are made of."""
        made = hashlib.sha256(repr(self.flags).replace(str(self.folder), "PORT").encode())
        headers = [*self.folder.glob("*.h"), *TOP.glob("include/**/*.h")]
        for path in sorted([*headers, *TOP.glob("pvops/*"), *TOP.glob("backends/*/*.[chS]")]):
            made.update(path.read_bytes())
        return made.hexdigest()[:16]

    def tell(self, who, what):
        self.wrong.append(f"{who}: {what}")

    def try_compile(self, text, *more):
        """What gcc says of a piece of C."""
        probe = self.build / f"probe-{hashlib.sha256(text.encode()).hexdigest()[:8]}.c"
        probe.write_text(text, encoding="utf-8")
        return run(self.cc, *self.flags, *more, "-fsyntax-only", "-fmax-errors=0", probe)

    def check_flags(self):
        for does, why in FLAGS.items():
            if not set(does) & set(self.flags):
                self.tell("flags", f"{' or '.join(does)} is missing: {why}")

    def check_types(self, who, types):
        """Undefined ones, then those that are something else."""
        text = "#include <pvops_port.h>\n"
        said = self.try_compile(text + "".join(f"extern {t} a_{t};\n" for t in types)).stderr
        undefined = {m[1] or m[2] for m in TYPE.finditer(said)} & set(types)
        right = "".join(f'_Static_assert(sizeof({n}) == {size} && (({n})-1 < ({n})1) == {int(signed)}, "<{n}>");\n'
                        for n, (size, signed) in types.items() if n not in undefined)
        wrong = set(re.findall(r'static assertion failed: "<(\w+)>"', self.try_compile(text + right).stderr))
        for name, (size, signed) in types.items():
            if name in undefined:
                self.tell(who, f"needs type {name}: not defined in pvops_port.h")
            elif name in wrong:
                self.tell(who, f"type {name}: not {'a signed' if signed else 'an unsigned'} type of {8 * size} bits")

    def check_macros(self):
        asked = "".join(f"#ifndef {m}\nmissing {m}\n#endif\n" for m in MACROS)
        probe = self.build / "macros.c"
        probe.write_text(f"#include <pvops_port.h>\n{asked}", encoding="utf-8")
        said = run(self.cc, *self.flags, "-E", "-P", probe)
        missing = re.findall(r"^missing (\w+)", said.stdout, re.M)
        # __force and its like are nothing where they are defined.
        for name in [*missing, *("__force",) * said.stdout.count("missing \n")]:
            self.tell(self.who_uses(name), f"needs {name}: not defined in pvops_port.h")
        inline = "".join(f"#ifdef {m}\nhas {m[3:]}\n#endif\n" for m in INLINE)
        probe.write_text(f"#include <pvops_port.h>\n{inline}", encoding="utf-8")
        has = run(self.cc, *self.flags, "-E", "-P", probe).stdout
        for name in INLINE:
            if f"has {name[3:]}" not in has and not re.search(rf"\b{name}\s*\(", has):
                self.tell(self.who_uses(name), f"needs {name}: not defined in pvops_port.h")
        probe = self.build / "constants.S"
        probe.write_text("#include <pvops_port.h>\n" + "".join(f".if {c} < 0\n.endif\n" for c in CONSTANTS),
                         encoding="utf-8")
        said = run(self.cc, *self.flags, "-D__ASSEMBLY__", "-c", "-o", "/dev/null", probe)
        lines = [x for x in said.stderr.splitlines() if "rror: " in x]
        for line in lines:
            at = re.search(r"constants\.S:(\d+): ", line)
            self.tell("assembly", f"{CONSTANTS[(int(at[1]) - 2) // 2]}: no number with __ASSEMBLY__ defined" if at else
                      f"pvops_port.h cannot be included with __ASSEMBLY__: {line.split('rror: ')[1]}")
            if not at:
                break

    @staticmethod
    def who_uses(name):
        """The part of the layer that names something."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        for part, sources in layer().items():
            if any(word.search(p.read_text(encoding="utf-8"))
                   for s in sources[:1] for p in [*sources, *s.parent.glob("*.h")]):
                return part
        return "headers"

    def check_headers(self):
        """Public headers are clean for whoever includes them."""
        said = self.try_compile("".join(f"#include <pvops/{h}>\n" for h in HEADERS), "-Wall", "-Wextra", "-Wpedantic",
                                "-Werror")
        for line in [x for x in said.stderr.splitlines() if " error: " in x][:5]:
            self.tell("headers", line.replace(f"{TOP}/", ""))

    def compile(self, source, *more):
        """An object of the layer or of the port, and what gcc said."""
        own = source.is_relative_to(self.folder)
        name = source.relative_to(self.folder if own else TOP)
        to = self.build / ("port" if own else "layer") / f"{name}.o"
        if to.exists() and not own:
            return to, ""
        to.parent.mkdir(parents=True, exist_ok=True)
        asm = ["-D__ASSEMBLY__"] if source.suffix == ".S" else list(more)
        said = run(self.cc, *self.flags, *asm, "-c", "-o", to, source)
        return (to if not said.returncode else None), said.stderr

    def compile_layer(self):
        """{part: [object]}"""
        parts = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for part, sources in layer().items():
                parts[part] = []
                for source, (made, said) in zip(sources, pool.map(self.compile, sources)):
                    if made:
                        parts[part].append(made)
                        continue
                    line = next((x for x in said.splitlines() if "error:" in x), said.strip().split("\n")[0])
                    self.tell(part, f"{source.relative_to(TOP)} does not compile: {line.replace(f'{TOP}/', '')}")
                    self.broken_layer = True
        return parts

    def compile_port(self):
        """Its objects; what the contract has otherwise is told."""
        objects = []
        for source in self.sources:
            made, said = self.compile(source, "-include", "pvops/port.h", "-Wmissing-prototypes")
            objects += [made] if made else []
            if made:
                continue
            previous = dict(PREVIOUS.findall(said))
            conflicts = {m[1]: m[2] for m in CONFLICT.finditer(said)}
            for name, has in conflicts.items():
                self.tell(name, f"defined as '{has}' in {source.name}, the contract has '{previous.get(name, '?')}'")
            if conflicts:
                # Under other names, so that the file's other functions are seen.
                text = source.read_text(encoding="utf-8")
                for name in conflicts:
                    text = re.sub(rf"\b{name}\b", f"wrong_{name}", text)
                renamed = self.build / "port" / source.name
                renamed.write_text(text, encoding="utf-8")
                made, said = self.compile(renamed, "-I", source.parent)
                objects += [made] if made else []
            # The assembler writes it with a capital letter.
            others = [x for x in said.splitlines() if "rror:" in x and not CONFLICT.search(x)]
            if not made:
                line = (others or said.splitlines() or ["no reason given"])[0]
                self.tell(source.name, f"does not compile: {line.replace(f'{self.folder}/', '')}")
                self.broken.append(source.name)
        return objects

    def symbols(self, objects):
        """Defined ones, {undefined}."""
        defined, undefined = set(), set()
        if objects:
            said = run("nm", *objects)
            if said.returncode:
                self.tell("nm", said.stderr.strip().splitlines()[0].replace(f"{TOP}/", ""))
            for line in said.stdout.splitlines():
                words = line.split()
                if len(words) >= 2 and words[-2] in "Uw":
                    undefined.add(words[-1])
                elif len(words) == 3 and words[1] in "TtDdBbRrAaVWC":
                    defined.add(words[2])
        return defined, undefined

    def check_functions(self, parts, objects):
        """Whatever a part needs of the port is defined there, or in a file that does not compile."""
        all_layer = self.symbols([o for made in parts.values() for o in made])[0]
        of_port = self.symbols(objects)[0]
        wrong_type = {line.split(":")[0] for line in self.wrong}
        needs, of_kernel = {}, set()
        for part, made in parts.items():
            needed = self.symbols(made)[1] - all_layer
            needs[part] = sorted(n for n in needed if n.startswith("pv_port_"))
            for name in needs[part]:
                if name not in of_port and name not in wrong_type and not self.broken:
                    self.tell(part, f"needs {name}: not defined")
            if not self.broken_layer:
                of_kernel |= {n for n in needed - of_port if not n.startswith(("pv_port_", "__pv_", "_GLOBAL_"))}
        return needs, of_kernel

    def check_script(self, parts, objects, to=None):
        """With a linker script all of it is one image, which to is to be."""
        everything = [o for made in parts.values() for o in made] + objects
        if len(self.scripts) != 1:
            if to:
                self.tell("image", "a port with one linker script can be linked, and this one is none")
            return "not checked: no linker script here" if not self.scripts else "not checked: several"
        if self.broken:
            return f"not checked, because {self.broken[0]} does not compile"
        image = self.build / "image.elf"
        unresolved = [] if to else ["--unresolved-symbols=ignore-all"]
        said = run("ld", "-nostdlib", "-static", "--no-warn-rwx-segments", *unresolved, "-z",
                   "noexecstack", "-T", self.scripts[0], "-o", image, *everything)
        already = len(self.wrong)
        if said.returncode:
            lines = said.stderr.strip().splitlines()
            self.tell(self.scripts[0].name, next((x for x in lines if "undefined" in x), f"ld: {lines[0]}"))
        else:
            defined = self.symbols([image])[0]
        if self.wrong[already:]:
            return "wrong"
        for name in SCRIPT:
            if name not in defined:
                self.tell("core", f"needs {name}: not in {self.scripts[0].name}")
        if to and not self.wrong:
            shutil.copy(image, to)
        return "all symbols"


def table(needs):
    """Functions by parts, for docs/porting.md."""
    parts = list(needs)
    yield f"| function | {' | '.join(p.removeprefix('backend ') for p in parts)} |"
    yield f"|---|{'---|' * len(parts)}"
    for name in sorted({n for names in needs.values() for n in names}):
        yield f"| `{name}` | {' | '.join('x' if name in needs[p] else '' for p in parts)} |"


def main(args):
    to = args[2] if args[1:2] == ["--image"] and len(args) == 3 else None
    if not args or not to and args[1:] not in ([], ["--needs"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        port = Port(args[0])
    except NoPort as err:
        print(f"port-check: {err}", file=sys.stderr)
        return 2
    port.check_flags()
    port.check_types("headers", TYPES)
    port.check_types("backend xen", XEN_TYPES)
    port.check_macros()
    # Without what the headers need nothing compiles, and each file would say so.
    parts, objects, needs, of_kernel, script = {}, [], {}, set(), "not checked"
    if not [line for line in port.wrong if not line.startswith("flags:")]:
        port.check_headers()
        parts, objects = port.compile_layer(), port.compile_port()
        needs, of_kernel = port.check_functions(parts, objects)
        script = port.check_script(parts, objects, to)
    if "--needs" in args:
        print("\n".join(table(needs)))
    else:
        for part, names in needs.items():
            good = not port.broken and not any(line.startswith(f"{part}:") for line in port.wrong)
            print(f"{part:16} {len(parts[part]):2} files, {len(names):2} functions of the port"
                  f"{': all there' if good else ''}")
        if of_kernel:
            print(f"of the kernel    {' '.join(sorted(of_kernel))}")
        print(f"linker script    {script}")
    for line in port.wrong:
        print(line, file=sys.stderr if "--needs" in args else sys.stdout)
    if "--needs" not in args:
        nr = len(port.wrong)
        print(f"port-check: {args[0]}: " + (f"{nr} thing{'s are' if nr > 1 else ' is'} missing or wrong" if nr else
                                            f"good: core and {len(parts) - 1} backends{f', {to}' if to else ''}"))
    return 1 if port.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
