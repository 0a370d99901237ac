# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""QEMU: its command line, what it boots, and how a boot ends."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cli import MissingError, UsageError

# For guests that hang.  Ten times the time of the slowest boot on an idle machine.
TIMEOUT = 1200
# For guests that do not power off after their end marker; chosen likewise.
POWEROFF_SECONDS = 120
END_SIGN = b"\npvops-guest: end: "
# QEMU's trace event of a power-off: SHUTDOWN_CAUSE_GUEST_SHUTDOWN of qapi/run-state.json.
# A reset does not cause it.
TRACED = "qemu_system_shutdown_request"
POWER_OFF = re.compile(TRACED + r" reason=6$", re.M)

# Xen, arch/x86/io_apic.c, check_timer().
NO_TIMER = b"IO-APIC + timer doesn't work"
TIMER_TRIES = 3


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def program():
    name = os.environ.get("PVOPS_QEMU", "qemu-system-x86_64")
    if not shutil.which(name):
        raise MissingError(f"no {name} here (package qemu-system-x86; tools/setup.sh installs it)")
    return name


def version():
    out = subprocess.run([program(), "--version"], capture_output=True, text=True, check=False)
    return (out.stdout.splitlines() or ["unknown"])[0]


def _fill(args, values):
    return [re.sub(r"\{(\w+)\}", lambda m: values[m[1]], arg) for arg in args]


def check_name(image):
    if any(c in str(image) for c in ", "):
        raise UsageError(f"{image}: QEMU takes no comma or blank in the image's path")


def command(rows, image, cmdline, packed=""):
    """QEMU's argument list for one boot; packed: what pack() wrote."""
    check_name(image)
    values = {"image": str(image), "cmdline": cmdline, "words": cmdline.replace(",", ",,"),
              "module": f"{image} {cmdline}".strip().replace(",", ",,"), "inner": str(packed),
              **rows.get("parts", {})}
    args = [program(), *rows["qemu"], "-trace", f"enable={TRACED}"]
    if "cpu" in rows:
        args += ["-cpu", rows["cpu"]]
    if rows["cpus"] > 1:
        args += ["-smp", str(rows["cpus"] + rows.get("spare", 0))]
    if rows["count"]:
        args += rows["count_args"]
    return args + _fill(rows["boot"], values)


def _member(name, data, ino):
    """A file in an archive of format "newc", which Linux takes as initrd."""
    size, name = len(data), name.encode() + b"\0"
    fields = (ino, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    return b"".join(part + bytes(-len(part) % 4) for part in (head, data))


def pack(rows, image, cmdline, file):
    """Write the initrd of an environment whose guest runs inside a host: the part `host`,
    then the files that `inner` names, in /guest, and `inner` itself as /guest/args.
    Return its path; "" without `inner`."""
    if not rows.get("inner"):
        return ""
    if "\n" in cmdline:
        raise UsageError("the command line must be one line")
    files = {"image": image, **rows["parts"]}
    args = _fill(rows["inner"], {**{f: f"/guest/{f}" for f in files}, "cmdline": cmdline})
    names = [f for f in files if any(f"{{{f}}}" in arg for arg in rows["inner"])]
    members = {"guest/args": "".join(f"{arg}\n" for arg in args).encode(),
               **{f"guest/{f}": Path(files[f]).read_bytes() for f in names}}
    with file.open("wb") as out:
        with open(rows["parts"]["host"], "rb") as host:
            shutil.copyfileobj(host, out)
        for ino, (name, data) in enumerate(members.items(), 1):
            out.write(_member(name, data, ino))
        out.write(_member("TRAILER!!!", b"", 0))
    return file


def _wait(proc, log, rows, timeout, end):
    """Wait for QEMU's end, or for a reason to stop it; return which: "exit" (QEMU ended),
    "timeout", "dead", "down" (envs.toml), "stays" (on after the end marker)."""
    start = time.monotonic()
    ended = None
    stops = dead = [("dead", s.encode()) for s in rows.get("dead", [])]
    downs = [("down", s.encode()) for s in rows.get("down", [])]
    while True:
        try:
            proc.wait(0.05)
            return "exit"
        except subprocess.TimeoutExpired:
            pass
        now = time.monotonic()
        text = log.read_bytes()
        if end in text:
            ended = ended or now
            stops = downs + dead
        for word, sign in stops:
            if sign in text:
                time.sleep(0.1)
                return word
        if ended and now - ended > POWEROFF_SECONDS:
            return "stays"
        if now - start > timeout:
            return "timeout"


def boot(args, rows, log, timeout, end=END_SIGN):
    """Boot as _boot_once(), again if a Xen below the guest did not see its timer tick: it counts
    the ticks of a moment, in which a busy machine may not run it at all."""
    for tries in range(TIMER_TRIES):
        result = _boot_once(args, rows, log, timeout, end)
        if NO_TIMER not in log.read_bytes():
            break
        if tries < TIMER_TRIES - 1:
            print(f"# {log}: Xen saw no timer tick, booted again", file=sys.stderr)
    return result


def _boot_once(args, rows, log, timeout, end):
    """Run QEMU with its serial line in log; return (how it ended, status, QEMU's messages,
    seconds).  How it ended: as _wait() says, but "off" instead of "exit" after a power-off;
    "exit" remains for a reset."""
    start = time.monotonic()
    with log.open("wb") as out:
        proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
        try:
            how = _wait(proc, log, rows, timeout, end)
        finally:
            proc.kill()
            said = proc.communicate()[1].decode(errors="replace")
    if how == "exit" and POWER_OFF.search(said):
        how = "off"
    said = "\n".join(line for line in said.splitlines() if TRACED not in line).strip()
    return how, proc.returncode, said, round(time.monotonic() - start, 1)


def check_parts(rows):
    for part, path in rows.get("parts", {}).items():
        if not Path(path).is_file():
            raise MissingError(f"{path}: no {part} here; `make {path}` fetches it")
