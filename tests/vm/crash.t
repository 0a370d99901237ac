#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""After a fault in the kernel the guest prints registers and the reason, and the machine goes
down without an end marker."""
from vmtest import Tap, vm

tap = Tap()
for env in ("native", "xenpv", "xenpvh"):
    run = vm.run(env, ["test=none", "crash=fault"], tag="crash", count=False)
    log = "\n".join(run["log"])
    tap.ok("vector 14 error 0x2 cr2 0x1230" in log or "vector 14 error 0x6 cr2 0x1230" in log,
           f"{env}: the fault is named", log[-600:])
    tap.ok(all(f"{reg} " in log for reg in ("rip", "rsp", "rax", "r15")), f"{env}: registers are dumped")
    tap.ok("panic: exception in the kernel" in log, f"{env}: the panic line gives the reason")
    tap.ok(not run["end"], f"{env}: the log has no end marker")
    tap.ok(not any("killed after" in line for line in run["problems"]), f"{env}: the machine went down",
           *run["problems"])
tap.done()
