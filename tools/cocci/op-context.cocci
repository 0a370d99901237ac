// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// An op called where its contract ("Context:") does not allow it, as far as that
// can be seen: in noinstr code, in what handles an NMI, behind irq_disable.
// Files: pvops backends tests/guest patches/linux

@initialize:python@
@@
import glob
import re

context = {}
for path in glob.glob("include/pvops/ops/*.h"):
    for text, op in re.findall(r"/\*\*\n((?:(?!\*/).)*)\*/\nPV_OP\(\w+, (\w+),", open(path).read(), re.S):
        text = re.sub(r"\s*\n \*\s*", " ", text)
        context[op] = re.search(r"Context: (.*?) Clobbers:", text)[1]
for op, text in context.items():
    other = re.match(r"as (\w+)[.;,]", text)
    if other and other[1] in context:
        context[op] = context[other[1]]

def op_of(function):
    m = re.fullmatch(r"pv_(?:outline_)?(\w+)", function)
    return m and m[1] if m and m[1] in context else None

def is_noinstr(place):
    """Does the definition say so?  spatch takes the word for a macro."""
    text = "\n".join(open(place.file).read().split("\n")[:int(place.line)])
    heads = re.findall(rf"^(?=[A-Za-z_])([^;{{}}()]*?)\b{place.current_element}\(", text, re.M)
    return heads and re.search(r"\bnoinstr\b", heads[-1])

def told(place, op, where):
    print(f"{place.file}:{place.line}: {place.current_element}: {op} is called {where}, "
          f"and wants: {context[op].split('.')[0]}")

@call@
identifier f =~ "^pv_";
position place;
@@
f@place(...)

@script:python@
f << call.f;
place << call.place;
@@
op = op_of(str(f))
if op and "noinstr" not in context[op] and is_noinstr(place[0]):
    told(place[0], op, "in noinstr code")
elif op and re.search(r"(not|but) NMI", context[op]) and re.search(r"(^|_)nmi$|nmi_handler", place[0].current_element):
    told(place[0], op, "in what handles NMIs")

@masked exists@
identifier f =~ "^pv_";
position place;
@@
pv_irq_disable()
... when != pv_irq_enable()
    when != pv_restore_fl(...)
    when != pv_safe_halt()
f@place(...)

@script:python@
f << masked.f;
place << masked.place;
@@
op = op_of(str(f))
if op and re.search(r"process context|interrupts on\b", context[op]) and "interrupts masked" not in context[op]:
    told(place[0], op, "after irq_disable")
