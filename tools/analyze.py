#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Static analysers on our own C: analyze.py [FILE...]

Runs gcc -fanalyzer, clang-tidy (CHECKS) and cppcheck on core, backends and mini guest, or on
FILEs.  tools/analyze.txt lists the findings that are false, each with a reason; an unused
line is an error.  Exit status: 0 no finding; 1 a finding; 3 a tool is missing, or the list
cannot be read.
"""
import concurrent.futures
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LIST = TOP / "tools/analyze.txt"
# The flags of tests/guest/build.mk, without those that clang-tidy's clang does not know.
FLAGS = ["-std=gnu11", "-ffreestanding", "-O2", "-mcmodel=kernel", "-mno-red-zone", "-mno-sse", "-mno-mmx",
         "-fno-stack-protector", "-fno-pic", "-fno-strict-aliasing", "-fno-common", "-Iinclude", "-Itests/guest/include"]
# Not checked: memcmp() as a condition, products that cannot overflow, memcpy_s().
CHECKS = ("-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,"
          "-bugprone-macro-parentheses,-bugprone-suspicious-string-compare,-bugprone-narrowing-conversions,"
          "-bugprone-implicit-widening-of-multiplication-result,"
          "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling")
FOUND = re.compile(r"(\S+?):(\d+):\d+: (?:warning|error|performance|portability|style): (.*) \[(?:-W)?([\w.,-]+)\]$")


def fail(text):
    print(f"analyze: {text}", file=sys.stderr)
    sys.exit(3)


def run(command):
    try:
        return subprocess.run(command, cwd=TOP, text=True, capture_output=True, check=False,
                              env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        fail(f"{command[0]} is not there")


def cppcheck(file):
    """cppcheck on preprocessed text: its own preprocessor does not know ## with __VA_ARGS__."""
    text = run(["gcc", *FLAGS, "-E", file]).stdout
    with tempfile.NamedTemporaryFile("w", suffix=".i") as copy:
        # Line marks of system headers in the middle of a line make cppcheck count wrong.
        copy.write(re.sub(r'^(# \d+ "[^"]*").*', r"\1", text, flags=re.M))
        copy.flush()
        return run(["cppcheck", "--quiet", "--language=c", "--std=c11", "--platform=unix64",
                    "--enable=warning,performance,portability", "--inline-suppr",
                    "--template={file}:{line}:{column}: {severity}: {message} [{id}]", "--template-location=",
                    copy.name])


def look(file):
    """{(tool, check, file, line, text)} of one source file, and of headers in it."""
    gcc = run(["gcc", *FLAGS, "-fanalyzer", "-c", "-o", os.devnull, file])
    tidy = run(["clang-tidy", "--quiet", f"--checks={CHECKS}", "--header-filter=(pvops|backends|tests)/.*", file,
                "--", *FLAGS])
    out = set()
    for tool, text in (("gcc", gcc.stderr), ("clang-tidy", tidy.stdout), ("cppcheck", cppcheck(file).stderr)):
        for line in text.splitlines():
            # gcc writes "[CWE-476]" before its own name of the check.
            m = FOUND.fullmatch(re.sub(r" \[CWE-\d+\]", "", line))
            if m:
                out.add((tool, m[4].split(",")[0], os.path.relpath(os.path.join(TOP, m[1]), TOP), int(m[2]), m[3]))
    if gcc.returncode:
        fail(f"{file}: gcc: {gcc.stderr.strip().splitlines()[-1]}")
    return out


def read_list():
    out = []
    for nr, line in enumerate(LIST.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        m = re.fullmatch(r"(\S+) (\S+) (\S+) /(.+?)/ (.+)", line)
        if not m:
            fail(f"analyze.txt:{nr}: expected TOOL CHECK FILE /TEXT/ REASON: {line}")
        out.append((nr, m[1], m[2], m[3], re.compile(m[4])))
    return out


def main(argv):
    if argv[:1] == ["--help"]:
        print(__doc__.strip())
        return 0
    files = [os.path.abspath(f) for f in argv]
    if not files:
        files = sorted(str(f.relative_to(TOP)) for folder in ("pvops", "backends", "tests/guest")
                       for f in (TOP / folder).rglob("*.c"))
    found = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for some in pool.map(look, files):
            found |= some
    allowed, used, bad = read_list(), set(), 0
    for tool, check, file, line, text in sorted(found):
        lines = {nr for nr, *key, what in allowed if key[:2] == [tool, check] and fnmatch.fnmatch(file, key[2]) and what.search(text)}
        used |= lines
        if not lines:
            print(f"{file}:{line}: {text} [{tool}: {check}]")
            bad += 1
    for nr, *key, _ in allowed:
        if nr not in used and not argv:
            print(f"analyze.txt:{nr}: unused line: {' '.join(key)}")
            bad += 1
    if not bad:
        print(f"analyze: good, {len(files)} files, {len(used)} lines of the list used")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
