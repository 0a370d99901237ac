#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""docs/porting.md: the template boots and names its first stub; tools/vm.py boots the image
of another kernel."""
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from vmtest import TOP, Tap, cli

STUB = "is a stub: its contract is in include/pvops/port.h"

tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    image = Path(folder) / "port.elf"
    done = subprocess.run([TOP / "tools/portcheck.py", TOP / "ports/template", "--image", image],
                          text=True, capture_output=True, check=False)
    tap.ok(done.returncode == 0, "the template links to an image", done.stdout, done.stderr)

    def run(end, *more):
        """Boot it by the command of the page: status, lines."""
        told = subprocess.run([TOP / "tools/vm.py", "run", "native", "--image", image, "--end", end, "--tag", "port",
                               *more], text=True, capture_output=True, check=False)
        return told.returncode, told.stdout.splitlines() + told.stderr.splitlines()

    status, said = run(STUB)
    log = (TOP / "build/log/native~port.log").read_text(encoding="utf-8", errors="replace")
    tap.ok(status == 0, "vm.py run --end: the image prints the given text", *said)
    tap.ok(f"port: pv_port_log {STUB}" in log or f"port: pv_port_format {STUB}" in log,
           "the console names the first stub", log)
    status, said = run("never said", "--timeout", "5")
    tap.ok(status == cli.EXIT_FAILED and any("'never said' is not in build/log/native~port.log: killed after 5.0 s" in x
                                             for x in said), "without the text the run fails, and says why", *said)

    # A vm.py that is terminated leaves no QEMU behind.
    log = TOP / "build/log/native~port-term.log"
    log.unlink(missing_ok=True)
    with subprocess.Popen([TOP / "tools/vm.py", "run", "native", "--image", image, "--end", "never said", "--tag",
                           "port-term"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proc:
        while proc.poll() is None and not (log.exists() and log.stat().st_size):
            time.sleep(0.1)
        children = Path(f"/proc/{proc.pid}/task/{proc.pid}/children").read_text(encoding="ascii").split()
        proc.terminate()
        proc.wait()
        left = [c for c in children if Path(f"/proc/{c}").exists()]
        tap.ok(children and not left, "vm.py that is terminated leaves no QEMU behind", str(children), str(left))
        for child in left:
            os.kill(int(child), signal.SIGKILL)
tap.done()
