// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// A backend's table without an op that it must have: one that goes with another of the
// table (PV_TOGETHER); one whose contract says in "Default:" that a deprivileged kernel
// must replace it, in a backend of that score; any, in the one everybody falls back to.
// Files: backends

@initialize:python@
@@
import glob
import re

ops, pairs = {}, []
for path in glob.glob("include/pvops/ops/*.h"):
    source = open(path).read()
    for op, other in re.findall(r"^PV_TOGETHER\((\w+), (\w+)\)", source, re.M):
        pairs += [(op, other), (other, op)]
    contracts = re.findall(r"/\*\*\n((?:(?!\*/).)*)\*/\nPV_OP\((\w+), (\w+),", source, re.S)
    for text, table, op in contracts:
        text = re.sub(r"\s*\n \*\s*", " ", text)
        ops[op] = table, re.search(r"Default: (.*)", text)[1]
tables, parts, scores, backends = {}, {}, {}, {}

def told(place, name, text):
    print(f"{place.file}:{place.line}: {name}: {text}")

@table@
identifier kind =~ "^pv_[a-z]+_impls$";
identifier array;
position place;
@@
struct kind array@place = { ... };

@script:python@
kind << table.kind;
array << table.array;
place << table.place;
@@
tables.setdefault(str(array), (place[0], str(kind)[3:-6], set()))

@entry@
identifier table.kind, table.array;
identifier op;
initializer what;
@@
struct kind array = { ..., .op = what, ... };

@script:python@
array << table.array;
op << entry.op;
@@
tables[str(array)][2].add(str(op))

@backend@
identifier array;
position place;
@@
struct pv_backend array@place = { ... };

@script:python@
array << backend.array;
place << backend.place;
@@
backends.setdefault(str(array), (place[0], {}))

@part@
identifier backend.array;
identifier member, table_of;
@@
(
struct pv_backend array = { ..., .member = &table_of, ... };
|
struct pv_backend array = { ..., .member = table_of, ... };
)

@script:python@
array << backend.array;
member << part.member;
table_of << part.table_of;
@@
backends[str(array)][1][str(member)] = str(table_of)

@score@
identifier level =~ "^PV_SCORE_(FALLBACK|DEPRIVILEGED)$";
position place;
@@
return level@place;

@script:python@
level << score.level;
place << score.place;
@@
scores[place[0].file, place[0].current_element] = str(level)[9:]

@finalize:python@
@@
for name, (place, kind, has) in sorted(tables.items()):
    missing = sorted({f"{op} ({other})" for op, other in pairs
                      if ops[op][0] == kind and other in has and op not in has})
    if missing:
        told(place, name, f"has not what goes with what it has: {', '.join(missing)}")

for name, (place, members) in sorted(backends.items()):
    level = scores.get((place.file, members.get("detect")))
    for op, (kind, default) in sorted(ops.items()):
        has = tables.get(members.get(kind), (None, kind, ()))[2]
        if op in has:
            continue
        if level == "FALLBACK":
            told(place, name, f"has no {op}, and there is nothing behind it")
        if level == "DEPRIVILEGED" and "a deprivileged kernel must replace it" in default:
            told(place, name, f"has no {op}, and native's traps or lies where it runs")
