#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""List compile commands for editors: reads the output of `make -Bn`, writes JSON.

  make -Bn build/guest.elf unit-build | tools/compile_commands.py >compile_commands.json
"""
import json
import shlex
import sys
from pathlib import Path

out = []
for line in sys.stdin.read().replace("\\\n", " ").splitlines():
    words = shlex.split(line.strip()) if " -c " in line else []
    if len(words) > 3 and words[0] in ("gcc", "clang") and "-c" in words and Path(words[-1]).is_file():
        out.append({"directory": str(Path.cwd()), "file": words[-1], "arguments": words})
if not out:
    sys.exit("compile_commands.py: make -Bn compiles nothing")
print(json.dumps(out, indent=1))
