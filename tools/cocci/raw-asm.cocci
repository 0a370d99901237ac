// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// An instruction in inline assembly that an op stands for, or that traps or lies in a
// deprivileged kernel: outside of backends.
// Files: pvops tests/guest patches/linux

@initialize:python@
@@
import re

STRING = r'"(?:\\.|[^"\\\n])*"'
ASM = re.compile(r"\b(?:asm|__asm__)\b(?:\s+(?:volatile|__volatile__|inline|goto))*\s*\(")
WORD = re.compile(r"""(?x)
	(?:cli|sti|hlt|clts|invd|wbinvd|wbnoinvd|invlpg|invpcid|rdmsr|wrmsr|rdpmc|rdtscp?|cpuid|swapgs|xsetbv|
	m?wait|monitor|vmm?call|pushf[wq]?|popf[wq]?|iret[dq]?|sysret[lq]?|sysexit[lq]?|[sl][gi]dt[lq]?|[sl]ldt|
	str|ltr|[sl]msw|lar|lsl|ver[rw]|in[bwl]?|out[bwl]?|ins[bwl]|outs[bwl]|l(?:jmp|call|ret)[lq]?)\b
	| mov[a-z]*\b.*%%?(?:[cd]r\d|[cdefgs]s\b(?!:))""")

def instructions(text, start):
    """(offset, instruction) of the statement's text, which ends at the first ":" or ")"."""
    at = start
    while True:
        m = re.compile(rf"\s*(?:({STRING})|(\w+))").match(text, at)
        if not m:
            return
        for line in re.split(r"\\n|;", m[1][1:-1] if m[1] else ""):
            words = line.replace("\\t", " ").strip()
            yield m.start(1), re.sub(r"^(?:\w+:\s*|lock\s+|rep\w*\s+)*", "", words)
        at = m.end()

def function_at(lines, nr):
    for line in reversed(lines[:nr]):
        names = [name for name in re.findall(r"(\w+)\(", line) if name not in ("asm", "__asm__", "__attribute__")]
        if names and not line[0].isspace():
            return names[0]
    return "file"

@script:python@
@@
for path in cocci.files():
    text = open(path).read()
    code = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
    code = code.replace("\\\n", " \n")
    lines = code.splitlines()
    for statement in ASM.finditer(code):
        for at, words in instructions(code, statement.end()):
            if WORD.match(words):
                nr = code.count("\n", 0, at) + 1
                print(f"{path}:{nr}: {function_at(lines, nr)}: in inline assembly: {words}")
