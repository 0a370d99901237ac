#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The tests of tests/vm and tests/linux, for prove.

  rows.py list FOLDER [NAME...]  paths of the tests of a folder: the named ones, or all except
                                 configurations with the key `off`
  rows.py PATH                   run one test

A test is a file NAME.t of the folder, or a row of the folder's envs.toml: an environment, or
another build or configuration in some environments.  A row has a path without a file:

  prove -e tools/rows.py tests/vm/contract-xenpv
  prove -j2 -e tools/rows.py $(tools/rows.py list tests/vm)

The list begins with what takes long.  Exit status: that of the test; 2 wrong arguments.
"""
import os
import sys
from pathlib import Path

import cli
import environments


def _vm_rows(table, envs):
    """{name: (environment, command)}"""
    rows = {f"contract-{env}": (env, ["vm.py", "tap", env]) for env, keys in envs.items() if "off" not in keys}
    for build, keys in table["build"].items():
        for env in keys["envs"]:
            rows[f"contract-{env}-{build}"] = (env, ["vm.py", "tap", "--image", keys["image"], "--tag", build, env])
    return {name: (env, command + envs[env].get("suite", ["test=all"])) for name, (env, command) in rows.items()}


def _linux_rows(_, envs):
    return {env: (env, ["linux_matrix.py", "tap", env]) for env, keys in envs.items() if "off" not in keys}


def _configurations(table):
    """{name: command}, the slowest first: each boots several environments."""
    configs = sorted(table.get("config", {}).items(), key=lambda item: -item[1]["slower"])
    return {name: ["linux_matrix.py", "tap", "--variant", name, *keys["envs"]] for name, keys in configs}


ROWS = {"tests/vm": _vm_rows, "tests/linux": _linux_rows}


def _takes_long(keys):
    """To sort by: time limits, then guests inside a host, then many CPUs."""
    return keys.get("timeout", 0), "inner" in keys, keys["cpus"]


def tests(folder):
    """{path: command}, in the order of the list."""
    if folder not in ROWS:
        raise cli.UsageError(f"{folder}: no folder with rows; there are: {' '.join(ROWS)}")
    where = cli.TOP / folder
    table, envs = environments.load(where / "envs.toml"), environments.envs(where / "envs.toml")
    rows = ROWS[folder](table, envs)
    slow_first = sorted(rows, key=lambda name: _takes_long(envs[rows[name][0]]), reverse=True)
    # Most files boot several machines.
    files = {file.stem: [] for file in sorted(where.glob("*.t"))}
    commands = {**_configurations(table), **files, **{name: rows[name][1] for name in slow_first}}
    if twice := files.keys() & (rows.keys() | table.get("config", {}).keys()):
        raise cli.UsageError(f"{folder}: a file and a row have the same name: {' '.join(sorted(twice))}")
    return {f"{folder}/{name}{'' if command else '.t'}": command for name, command in commands.items()}


def chosen(folder, names):
    """The paths of the named tests, in the order of the list; of all that are not off without names."""
    paths = {Path(path).stem: path for path in tests(folder)}
    off = {name for name, keys in environments.load(cli.TOP / folder / "envs.toml").get("config", {}).items() if "off" in keys}
    if unknown := [name for name in names if name not in paths]:
        raise cli.UsageError(f"{' '.join(unknown)}: no such row of {folder}; there are: {' '.join(sorted(paths))}")
    return [path for name, path in paths.items() if (name in names if names else name not in off)]


def main(argv):
    if argv[:1] == ["--help"]:
        print(__doc__.strip())
        return 0
    if argv[:1] == ["list"] and len(argv) > 1:
        print(*chosen(argv[1].rstrip("/"), argv[2:]), sep="\n")
        return 0
    if len(argv) != 1:
        raise cli.UsageError("expected 'list FOLDER' or one path (--help tells more)")
    if Path(argv[0]).is_file():
        os.execv(argv[0], argv)
    path = Path(argv[0].removesuffix(".t"))
    folder = str(path.parent)
    program, *args = tests(folder)[chosen(folder, [path.name])[0]]
    os.chdir(cli.TOP)
    os.execv(sys.executable, [sys.executable, f"tools/{program}", *args])


if __name__ == "__main__":
    cli.guard(main, "rows.py")
