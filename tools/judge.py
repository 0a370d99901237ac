# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Judge a boot: tests that need a look from outside, skipped tests, the end of the machine."""
import qemu
from environments import SKIPS, expected_skips


def _wrote_once(result):
    line = "console_write wrote this line"
    seen = [text for text in result["log"] if line in text]
    return None if seen == [line] else f"'{line}' is to be there once and whole: {seen}"


def _went_off(result):
    return None if result["ended"] == "poweroff" else \
        f"the guest's machine was to go off, and did: {result['ended']}"


# Checks from outside, by the op in the test's name; each returns an error, or None.
OUTSIDE = {"console_write": _wrote_once, "shutdown": _went_off}


def judge_outside(result):
    """Fail the tests that the guest leaves to this side, unless their check succeeds."""
    for test in result["tests"]:
        if test.get("outside"):
            see = OUTSIDE.get(test["name"].split("-", 2)[2], lambda _: "nobody looks at it from outside")
            if why := see(result):
                test["result"] = "fail"
                test["diag"] = [*test["diag"], why]
                result["totals"]["pass"] -= 1
                result["totals"]["fail"] += 1


def wrong_skips(result, file=SKIPS):
    """Lines: tests of a whole suite that are skipped unexpectedly, or not skipped as expected."""
    want = expected_skips(result["env"], file)
    there = {t["name"].split("-", 2)[2]: t for t in result["tests"]}
    lines = [f"{t['name']}: skipped, which {file.name} does not expect: {t['why']}" for name, t in there.items()
             if t["result"] == "skip" and want.get(name) != t["why"]]
    return lines + [f"{name}: {file.name} expects that it is skipped ({why}), and it is "
                    f"{there[name]['result'] if name in there else 'no test'}" for name, why in want.items()
                    if name not in there or there[name]["result"] != "skip"]


def no_end(how, status, said, timeout):
    """Why there is no end marker, as far as it is visible from outside."""
    why = {"timeout": f"killed after {timeout} s", "dead": "the hypervisor gave up",
           "off": "the machine went off"}.get(
        how, f"QEMU exited with status {status}" + ("" if status else ", the machine was reset"))
    return f"{why}: {said.splitlines()[-1]}" if how == "exit" and said else why


def judge(result, rows, how, status, said, timeout):
    """Add the problems of the boot as a whole, and the results of checks from outside."""
    problems = result["problems"]
    # A host reports how its guest ended; the machine's own end is the host's.
    ended = {"off": "poweroff", "down": "poweroff", "exit": "reset", "dead": "reset"}.get(how, how)
    result["ended"] = result["data"].pop("ended", "nobody knows how") if rows.get("inner") else ended
    judge_outside(result)
    if how == "stays":
        problems.append(f"the guest ended, but the machine was still on {qemu.POWEROFF_SECONDS} s later")
    elif result["end"] and how == "dead" and "end=" not in result["cmdline"]:
        problems.append("the guest ended, and then the hypervisor gave up")
    elif not result["end"]:
        problems.insert(0, f"no end marker: {no_end(how, status, said, timeout)}; "
                           f"last lines of {result['log_file']} below")
    wrong = [t["name"] for t in result["tests"] if not t["name"].startswith(f"test-{rows['name']}-")]
    if wrong:
        problems.append(f"{wrong[0]}: is not named test-{rows['name']}-...")


def verdict(result):
    """True if nothing failed."""
    return bool(result["end"]) and not result["problems"] and \
        not result["totals"]["fail"] and not result["totals"]["error"]


def explain(result):
    """What failed, as lines."""
    lines = []
    for test in result["tests"]:
        if test["result"] in ("fail", "error"):
            why = f": {test['why']}" if test["why"] else ""
            lines.append(f"{test['result'].upper()} {test['name']}{why}")
            lines += [f"  {d}" for d in test["diag"]]
    lines += result["problems"]
    if not result["end"]:
        lines += [f"last line of the guest: {line}" for line in result["log"][-1:]]
        lines += [f"  | {line}" for line in result["tail"]]
    return lines
