# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Boots with parts left to native ("-<part>")."""
from vmtest import boot

# The kernel's command line has room for about this many.
AT_ONCE = 20


def lines_of(run):
    return [r.split("pvops: refused: ")[1] for r in run["log"] if "pvops: refused: " in r]


def leave(tap, env, backend, parts, refused, tests="all", timeout=None):
    """Boot @backend without @parts.  @refused: {part: how its line goes on}; the others must be
    honoured.  The contract suite must pass."""
    words = ",".join([f"pvops={backend}", *(f"-{p}" for p in parts)])
    how = {"timeout": timeout} if timeout else {}
    run = boot(tap, env, [words, f"test={tests}", "bench=none"], f"leave-{'-'.join(parts)[:60]}",
               **how)
    tap.equal(run["data"].get("backend"), backend, f"{env} {words}: {backend} is chosen")
    said = lines_of(run)
    tap.equal(len(said), len(refused), f"{env} {words}: {len(refused)} refusals")
    for part, why in refused.items():
        tap.ok(any(line.startswith(f"-{part}: {why}") for line in said),
               f"{env}: -{part}: {why}...", *said)
    return run


def component(op, pairs):
    """An op, its partners, their partners, and so on."""
    found, todo = {op}, [op]
    while todo:
        at = todo.pop()
        for pair in pairs:
            if at in pair:
                other = pair[pair[0] == at]
                if other not in found:
                    found.add(other)
                    todo.append(other)
    return found


def partners(op, pairs):
    return {other for pair in pairs if op in pair for other in pair} - {op}


def chunks(ops, pairs):
    """Lists of at most AT_ONCE ops, without partners in one list."""
    rows = []
    for op in ops:
        row = next((r for r in rows if len(r) < AT_ONCE and not partners(op, pairs) & set(r)), None)
        if row is None:
            row = []
            rows.append(row)
        row.append(op)
    return rows


def every_op(tap, env, backend):
    """Each op that a backend has, left to native: required ones and halves of a pair
    are refused, many in one boot; the others, and whole groups, are tried one by one."""
    run = boot(tap, env, [f"pvops={backend}", "test=none", "dump=own"], "leave-own")
    own = {row["op"]: row["required"] for row in run["data"]["own"]}
    pairs = run["data"].get("pairs", [])
    required = [op for op, must in own.items() if must]
    halves = [op for op in own if op not in required and partners(op, pairs)]
    for row in chunks(required, pairs):
        leave(tap, env, backend, row, {op: f"{backend} cannot run with native {op}" for op in row})
    for row in chunks(halves, pairs):
        leave(tap, env, backend, row, {op: "goes with " for op in row})
    for op in own:
        if op not in required and op not in halves:
            leave(tap, env, backend, [op], {})
    done = set()
    for op in halves:
        group = component(op, pairs)
        if op in done or group & set(required):
            continue
        done |= group
        leave(tap, env, backend, sorted(group), {})
