#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Writable words that point to code once the kernel has started: a stray write could redirect
them.  Each remaining kind has a reason here, and a planted word is found.  (Contract tests
wx, wx_map and vmi_wx check W^X and read-only tables in every environment.)
"""
import bisect
import re
import sys

from vmtest import TOP, Tap, boot, elf, vm

# Symbol: why a pointer there redirects nothing, or nothing that runs often.
ALLOWED = {
    "boot_stack": "return addresses",
    "recipes": "what the last pass over the sites planned; each pass makes its own",
    "kernel_sites": "where the text begins and ends",
    "pv_batch_this_cpu": "who queued an update, for the report of a refusal; never called",
    "xen_queue": "who queued a hypercall; never called",
    "xen_entry_msrs": "system call MSRs, to be read back: Xen has the entry points itself",
    "memory": "VM64's vCPU area (ABI.md): where system calls go is told there, in memory that both write",
    "answer": "of a VMI ROM; checked, and what is called copied to where it is read-only",
    "code_start": "where code that a hypervisor has supplied begins; never called",
    "boot_info": "how detection executes CPUID: at start only",
}
STT_OBJECT = 1
ENVS = ("native", "xenpv", "vmi", "vmimon", "kvm", "hyperv", "vmware", "xenpvh")


class Symbols:
    def __init__(self, image):
        self.percpu_size, self.percpu = image.named["percpu_size"], image.named["percpu_boot"]
        # Of two names of one address the object's comes last, and is used.
        self.tables = [sorted((s.value, s.type == STT_OBJECT, s.name) for s in image.symbols if s.name and s.section < 0xff00
                              and (s.value < self.percpu_size) == small) for small in (False, True)]

    def name(self, addr):
        """The name of the variable at an address; per-CPU areas are copies of one."""
        offset = addr - self.percpu
        small = 0 <= offset < 4 * self.percpu_size
        table = self.tables[small]
        at = bisect.bisect_right(table, (offset % self.percpu_size if small else addr, True, "~")) - 1
        return re.sub(r"\.\d+$", "", table[at][2])


tap = Tap()
symbols = Symbols(elf.Elf(TOP / vm.IMAGE))
seen = set()
for env in sys.argv[1:] or ENVS:
    run = boot(tap, env, ["dump=pointers", "test=none", "bench=none", "plant=pointer"], "pointers", count=False)
    log = (TOP / run["log_file"]).read_text(errors="replace")
    words = re.findall(r"^(?:\(d\d+\) )?@pointer ([0-9a-f]+) ([0-9a-f]+)\r?$", log, re.M)
    names = {symbols.name(int(addr, 16)) for addr, _ in words}
    seen |= names
    tap.ok("planted" in names, f"{env}: a planted pointer is found", *sorted(names))
    tap.empty([f"{name}: a pointer to code that can be written"
               for name in sorted(names - set(ALLOWED) - {"planted"})], f"{env}: no other pointer can be redirected")
if not sys.argv[1:]:
    tap.empty(sorted(set(ALLOWED) - seen), "every exception is used")
tap.done()
