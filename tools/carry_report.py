# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""For tools/carry.py: the report of one carry, and what it leaves to a person."""
import json
from collections import Counter

import cli

REPORTS = cli.TOP / "build/report"
WORDS = ("clean", "moved", "conflict", "without effect")
LEFT = 20


def short(files):
    """{file: places} as words."""
    return ", ".join(f"{name} ({n})" for name, n in sorted(files.items())) or "nothing"


def _hunks(doc):
    """A patch that a person has put in is decided."""
    by_hand = {patch["patch"] for patch in doc["patches"] if patch["how"] == "by hand"}
    for row in doc["hunks"]:
        if row["status"] in ("conflict", "without effect") and row["patch"] not in by_hand:
            yield row["status"], f"{row['patch'][:4]} {row['file']} hunk {row['hunk']}: `{row['edit']}`"


def _rules(doc):
    for row in doc["semantic"]:
        what = f"{row['patch']}:{row['line']} `{row['rule']}`"
        if row["before"] and not row["here"]:
            yield "rule without effect", f"{what} changes nothing; in {doc['from']}: {short(row['before'])}"
            continue
        less = {name: n for name, n in row["before"].items() if row["here"].get(name, 0) < n}
        if less:
            yield "rule with less effect", f"{what}; in {doc['from']}: {short(less)}; here: " + \
                short({name: row["here"][name] for name in less if name in row["here"]})


def _instructions(doc):
    if doc["instructions"] is None:
        yield "instructions", "there is no table of opcodes to compare"
    elif doc["instructions"]["unknown"]:
        yield "instructions", "new in Linux's table of opcodes, and not known to the audit; which are sensitive? " + \
            ", ".join(doc["instructions"]["unknown"])
    audit = doc["audit"]
    if audit and audit["why"]:
        yield "audit", audit["why"]
    elif audit:
        for one in audit["left"][:LEFT]:
            yield "audit", f"{one['instruction']} in {one['function']} ({one['count']}): no site, and on no list"
        if len(audit["left"]) > LEFT:
            yield "audit", f"and {len(audit['left']) - LEFT} others (the JSON file has all)"


def _built(doc):
    if doc["build"] and not doc["build"]["good"]:
        for line in doc["build"]["errors"]:
            yield "build", f"{doc['build']['step']}: {line}"
    for name, row in doc["rows"].items():
        for line in row["not"]:
            yield "row", f"{name}: NOT: {line}"


def decisions(doc):
    """[{"what", "text"}]: what a person must decide."""
    out = list(_hunks(doc)) + list(_rules(doc))
    for word in ("new", "gone"):
        out += [(f"member {word}", name) for name in doc["members"][word]]
    out += [*_instructions(doc), *_built(doc)]
    return [{"what": what, "text": text} for what, text in out]


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def _semantic(doc):
    """One line for each semantic patch."""
    rows = []
    for patch in dict.fromkeys(row["patch"] for row in doc["semantic"]):
        mine = [row for row in doc["semantic"] if row["patch"] == patch]
        rows.append((patch, len(mine), *(f"{sum(bool(row[side]) for row in mine)}; {sum(sum(row[side].values()) for row in mine)}; "
                                         f"{len({name for row in mine for name in row[side]})}" for side in ("before", "here"))))
    return table(("semantic patch", "rules", f"in {doc['from']}: rules with effect; places; files", "here"), rows)


def markdown(doc):
    counts = Counter(row["status"] for row in doc["hunks"])
    by_hand = [patch["patch"] for patch in doc["patches"] if patch["how"] == "by hand"]
    out = ["<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->", f"# The series for {doc['from']}, carried to Linux {doc['to']}", "",
           *table(("hunks", *WORDS), [(len(doc["hunks"]), *(counts[word] for word in WORDS))]),
           f"{len(doc['patches'])} of {doc['all']} patches are in; by hand: {', '.join(by_hand) or 'none'}."]
    if doc["open"]:
        out.append(f"Open: {doc['open']}.")
    out += ["", *_semantic(doc)]
    for word in ("new", "gone"):
        out += [f"Members of Linux's own tables that are {word}: {', '.join(doc['members'][word]) or 'none'}.", ""]
    if doc["instructions"] and doc["instructions"]["known"]:
        out += [f"New instructions that the audit knows: {', '.join(doc['instructions']['known'])}.", ""]
    out += [*_outcome(doc), "", f"Seconds: {', '.join(f'{key} {n}' for key, n in doc['seconds'].items())}.", "",
            "## What a person must decide", ""]
    out += [f"* {one['what']}: {one['text']}" for one in doc["decide"]] or ["Nothing."]
    return "\n".join(out) + "\n"


def _outcome(doc):
    """What was built and booted."""
    build, audit = doc["build"], doc["audit"]
    if build is None:
        return [f"Not built: {doc['why_not_built']}."]
    if not build["good"]:
        return [f"Built: no; `{build['step']}` fails."]
    left = sum(one["count"] for one in audit["left"])
    return [f"Built: yes. Audit, with {audit['list'] or 'no list of a release'}: {left} left.", "",
            *table(("row", "assertions that hold", "do not", "seconds"),
                   [(name, row["holds"], row["failed"], row["seconds"]) for name, row in doc["rows"].items()])[:-1]]


def passes(doc):
    """Nothing of what was built and booted is wrong."""
    return (not doc["build"] or doc["build"]["good"]) and not any(row["failed"] for row in doc["rows"].values())


def write(doc):
    """Write both files; the page."""
    doc["counts"] = {word: sum(row["status"] == word for row in doc["hunks"]) for word in WORDS}
    doc["decide"] = decisions(doc)
    REPORTS.mkdir(parents=True, exist_ok=True)
    page = markdown(doc)
    (REPORTS / f"carry-{doc['to']}.json").write_text(json.dumps(doc, indent=1) + "\n")
    (REPORTS / f"carry-{doc['to']}.md").write_text(page)
    return page
