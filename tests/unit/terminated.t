#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A tool that is terminated ends its QEMU, also if the signal comes twice, as from timeout(1)."""
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

# The second signal comes when the first has been taken, and before QEMU is killed.
TOOL = """
import os, signal, subprocess, sys
from pathlib import Path
sys.path.insert(0, "tools")
import cli, qemu
kill = subprocess.Popen.kill
def twice(proc):
    os.kill(os.getpid(), signal.SIGTERM)
    kill(proc)
subprocess.Popen.kill = twice
wait = qemu._wait
def said(*args):
    print("waits", flush=True)
    return wait(*args)
qemu._wait = said
log = Path(sys.argv[1])
cli.guard(lambda argv: qemu.boot(["sleep", "1000"], {}, log, 1000), "tool")
"""


def child_of(pid):
    """The process that it has started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0])


tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    tool = subprocess.Popen([sys.executable, "-c", TOOL, f"{folder}/log"], cwd=TOP, stdout=subprocess.PIPE)
    tool.stdout.readline()
    qemu = child_of(tool.pid)
    tool.send_signal(signal.SIGTERM)
    tap.equal(tool.wait(), 143, "the tool ends with status 143")
    try:
        os.kill(qemu, signal.SIGKILL)
        alive = True
    except ProcessLookupError:
        alive = False
    tap.ok(not alive, "what it has started has ended, too")
tap.done()
