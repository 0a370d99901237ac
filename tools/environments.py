# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The environments (tests/vm/envs.toml, tests/linux/envs.toml), and what tests skip in them."""
import fnmatch
import tomllib

from cli import TOP, UsageError

TABLE = TOP / "tests/vm/envs.toml"
SKIPS = TOP / "tests/vm/skips.toml"


def load(file=TABLE):
    """The whole table."""
    with file.open("rb") as f:
        return tomllib.load(f)


def envs(file=TABLE):
    """The environments: {name: keys}, with `base` resolved."""
    table, out = load(file), {}
    for name, rows in table["env"].items():
        rows = {**out[rows["base"]], **rows} if "base" in rows else dict(rows)
        rows["qemu"], rows["count_args"] = table["qemu"]["args"], table["count"]["args"]
        out[name] = rows
    return out


def env_rows(name, file=TABLE):
    table = envs(file)
    if name not in table:
        raise UsageError(f"unknown environment '{name}'; there are: {' '.join(table)}")
    return table[name]


def expected_skips(env, file=SKIPS):
    """{test: reason} of the tests that the whole suite skips in an environment."""
    with file.open("rb") as f:
        table = tomllib.load(f)["skip"]
    return {test: row["why"] for row in table for test in row["tests"]
            if any(fnmatch.fnmatchcase(env, p) for p in row.get("in", row.get("but"))) == ("in" in row)}
