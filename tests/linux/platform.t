#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""pvops= decides what Linux's own code for a hypervisor does: `auto` and the platform's name use
it, `native` does not, and each group can be left out.  Linux itself tells: functions behind ops,
clocks, lines of its log.  On KVM the host counts what IPIs and remote TLB flushes cost."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import Tap  # noqa: E402

import linux_matrix as matrix  # noqa: E402

# Operations in a phase, tests/linux/remote.c.
ROUNDS = 50
# Ops of each group that platform code may serve, and lines that Linux logs then.
GROUPS = {
    "-time": ["clock_read", "wall_clock", "stolen_time"],
    "-lock": ["lock_wait", "lock_kick", "vcpu_is_preempted", "lock_slowpath", "lock_release"],
    "-mmu": ["flush_tlb_info", "remove_table"],
    "-smp": ["send_ipi", "send_ipi_mask"],
    "-irq": ["upcall"],
    "-cpu": ["io_delay"],
}
ALL = [op for ops in GROUPS.values() for op in ops]
# What platform code serves in a row, with the name of the function.
KVM1 = {
    "clock_read": "kvm_sched_clock_read", "wall_clock": "kvm_get_wallclock", "stolen_time": "kvm_steal_clock",
    "vcpu_is_preempted": "__raw_callee_save___kvm_vcpu_is_preempted",
    "upcall": "kvm_guest_apic_eoi_write", "io_delay": "kvm_io_delay",
}
KVM = KVM1 | {
    "send_ipi_mask": "kvm_send_ipi_mask", "flush_tlb_info": "kvm_flush_tlb_multi", "remove_table": "tlb_remove_table",
    "lock_wait": "kvm_wait", "lock_kick": "kvm_kick_cpu", "lock_slowpath": "__pv_queued_spin_lock_slowpath",
    "lock_release": "__raw_callee_save___pv_queued_spin_unlock",
}
HYPERV = {
    "clock_read": "read_hv_sched_clock_tsc", "send_ipi": "hv_send_ipi", "send_ipi_mask": "hv_send_ipi_mask",
    "flush_tlb_info": "hyperv_flush_tlb_multi", "remove_table": "tlb_remove_table",
}
VMWARE = {"clock_read": "vmware_sched_clock", "io_delay": "paravirt_nop"}
XEN = {
    "clock_read": "xen_sched_clock", "wall_clock": "xen_get_wallclock", "stolen_time": "xen_steal_clock",
    "send_ipi": "xen_smp_send_reschedule", "send_ipi_mask": "xen_smp_send_call_function_ipi",
}
SERVED = {"kvm-smp3": KVM, "kvm": KVM1, "kvm-microvm": KVM1, "kvm-hyperv": KVM1, "hyperv": HYPERV,
          "hyperv-smp2": HYPERV, "vmware": VMWARE, "xenpvh": XEN, "xenhvm": XEN}
# The clock source of the platform.
CLOCK = {"kvm": "kvm-clock", "hyperv": "hyperv_clocksource_tsc_page", "vmware": "tsc", "xenpvh": "xen",
         "xenhvm": "xen", "xen": "xen"}
# Without the part, Linux's log has no such line; with it, a row of several CPUs has one.
SAID = {
    ("kvm-smp3", "-time"): "kvm-clock: Using msrs", ("kvm-smp3", "-lock"): "PV spinlocks enabled",
    ("kvm-smp3", "-mmu"): "KVM setup pv remote TLB flush", ("kvm-smp3", "-smp"): "setup PV IPIs",
    ("hyperv-smp2", "-mmu"): "Using hypercall for remote TLB flush",
    ("hyperv-smp2", "-smp"): "Hyper-V: Using IPI hypercalls",
    ("vmware", "-time"): "TSC freq read from hypervisor",
}
NOT_PVH = "pvops=native: a Xen PVH guest has no timer and no console but Xen's"
NO_TIME = "a PVH guest has no clock but Xen's, and timers are event channels"
NOPV = "the command line says nopv"
VMI = "pvops=vmi: no VMI option ROM"

# row, words of pvops= or None, other words, the backend, parts left to native, refusals
CASES = [
    ("kvm-smp3", None, [], "kvm", [], []),
    ("kvm-smp3", "native", [], "native", [], []),
    ("kvm-smp3", "kvm,-time", [], "kvm", ["-time"], []),
    ("kvm-smp3", "kvm,-lock", [], "kvm", ["-lock"], []),
    ("kvm-smp3", "-mmu", [], "kvm", ["-mmu"], []),
    ("kvm-smp3", "kvm,-smp", [], "kvm", ["-smp"], []),
    ("kvm-smp3", "kvm,-irq,-cpu,-lock_kick", [], "kvm", ["-irq", "-cpu"], ["-lock_kick: goes with lock_wait"]),
    ("kvm", None, ["nopv"], "native", [], []),
    ("kvm", "kvm", ["nopv"], "native", [], [f"pvops=kvm: {NOPV}"]),
    ("kvm", "xenhvm,kvm", ["no-kvmclock", "no-steal-acc", "no-kvmapf"], "kvm", ["clock_read", "wall_clock"],
     ["pvops=xenhvm: no CPUID leaves of Xen"]),
    ("kvm-microvm", None, [], "kvm", [], []),
    ("kvm-nopit", None, ["nopv"], "native", [], []),
    ("kvm-hyperv", None, [], "kvm", [], []),
    ("kvm-hyperv", "vmi,hyperv", [], "hyperv", [], [VMI]),
    ("hyperv-smp2", None, [], "hyperv", [], []),
    ("hyperv-smp2", "native", [], "native", [], []),
    ("hyperv-smp2", "hyperv,-time", [], "hyperv", ["-time"], []),
    ("hyperv-smp2", "hyperv,-mmu", [], "hyperv", ["-mmu"], []),
    ("hyperv-smp2", "hyperv,-smp", ["hv_nopvspin"], "hyperv", ["-smp"], []),
    ("hyperv-smp2", "hyperv,-smp,-mmu", [], "hyperv", ["-smp", "-mmu"], []),
    ("vmware", None, [], "vmware", [], []),
    ("vmware", "native", [], "native", [], []),
    ("vmware", "vmware,-time", [], "vmware", ["-time"], []),
    ("vmware", "vmware,-io_delay", [], "vmware", ["io_delay"], []),
    ("xenpvh", None, [], "xenpvh", [], []),
    ("xenpvh", "native", [], "xenpvh", [], [NOT_PVH]),
    ("xenpvh", "xenpvh,-time", ["nopv"], "xenpvh", [], [f"-time: {NO_TIME}"]),
    ("xenpvh", "-smp,-lock,-mmu", [], "xenpvh", ["-smp"], []),
    ("xenhvm", "native", [], "native", [], []),
    ("xenhvm", "xenhvm,-time,-smp", [], "xenhvm", ["-time", "-smp"], []),
    ("pvshim", "xen,-lock,-time", [], "xen", [], ["-time: a PV guest has no clock and no timer but Xen's"]),
]
# Words of old options that the boot block tells.
NOTES = {"nopv": "nopv: ignored", "no-kvmclock": "no-kvmclock: as", "no-steal-acc": "no-steal-acc: part",
         "no-kvmapf": "no-kvmapf: part", "hv_nopvspin": "hv_nopvspin: as"}


def left(parts):
    return [op for part in parts for op in GROUPS.get(part, [part])]


def served(row, backend, parts):
    """{op: function} of platform code."""
    if backend == "native":
        return {}
    table = HYPERV if backend == "hyperv" else SERVED[row]
    return {op: fn for op, fn in table.items() if op not in left(parts)}


def check(tap, row, words, more, backend, parts, refused):
    counts = row.endswith(("smp2", "smp3"))
    options = [*([f"pvops={words}"] if words else []), *more, *(["no_ipi_broadcast=1"] if counts else [])]
    tag = "platform-" + "-".join(filter(None, [words or "auto", *more])).replace(",", "")
    result = matrix.run(row, "ours", [*options, "PARTS=platform"], tag, host="EXITS=1" if counts else "")
    data, name = result["data"], f"{row} {' '.join(options) or 'auto'}"
    tap.ok(result["end"] and not result["problems"], f"{name}: Linux runs to its end", *result["problems"])
    tap.empty(data.get("complaints", []), f"{name}: no complaint")
    tap.equal((data.get("backend"), data.get("sysfs")), (backend, backend), f"{name}: {backend} is chosen")
    tap.equal(data.get("refused", []), refused, f"{name}: refusals")
    sites = data.get("sites", {})
    tap.ok(sites and sites["indirect"] == sites["failed"] == 0, f"{name}: all sites are patched", str(sites))
    tap.empty([f"{n}: {t[1]}" for n, t in result["tests"].items() if t[0] != "PASS"], f"{name}: programs run")
    said, ops = data.get("said", []), data.get("ops", {})
    if row != "pvshim":
        want = served(row, backend, parts)
        is_ = {op: ops[op][1] for op in ALL if op in ops and ops[op][0] != "native"}
        tap.equal(is_, want, f"{name}: ops of the platform")
        tap.equal({ops[op][0] for op in want if op in ops} - {backend}, set(), f"{name}: their owner")
    else:
        tap.equal({op: ops.get(op, ["?"])[0] for op in GROUPS["-lock"] + ["clock_read"]},
                  {**dict.fromkeys(GROUPS["-lock"], "native"), "clock_read": "xen"}, f"{name}: owners")
    clock = data.get("clocksource")
    if backend != "native" and "clock_read" not in left(parts):
        tap.equal(clock, CLOCK[backend], f"{name}: clock source")
    else:
        tap.ok(clock and clock not in set(CLOCK.values()) - {"tsc"}, f"{name}: native clock source", str(clock))
    if backend == "native":
        tap.empty([line for line in said if "Hypervisor detected" in line], f"{name}: Linux asks no hypervisor")
    for (where, part), line in SAID.items():
        if where == row:
            tap.equal(any(line in text for text in said), backend != "native" and part not in parts,
                      f"{name}: {'has' if backend != 'native' and part not in parts else 'lacks'} \"{line}\"")
    for option in set(more) & set(NOTES) if backend != "native" else ():
        tap.ok(any(f"{backend}: {NOTES[option]}" in line for line in said), f"{name}: the block tells {option}", *said)
    if counts:
        check_exits(tap, name, row, data, backend, parts)


def check_exits(tap, name, row, data, backend, parts):
    """Hypercalls of each phase.  A few are not of the phase's own work."""
    by_mark = {e["mark"]: e for e in data.get("exits", [])}
    exits = {phase: by_mark.get(nr) for phase, nr in data.get("marks", {}).items()}
    if not tap.ok(exits.get("ipi") and exits.get("flush"), f"{name}: the host counts exits", str(exits)):
        return
    print(f"# {name}: {exits}")
    own = backend != "native"
    # A flush without a hypercall of its own is an IPI.
    ipi = own and "-smp" not in parts
    flush = ipi or (own and row.startswith("hyperv") and "-mmu" not in parts)
    for phase, uses in ("ipi", ipi), ("flush", flush):
        calls = exits[phase].get("hypercall", 0)
        tap.ok(calls >= ROUNDS * 3 / 4 if uses else calls <= ROUNDS / 5,
               f"{name}: {phase}: {'a hypercall' if uses else 'no hypercall'} each", str(exits[phase]))


tap = Tap()
only = os.environ.get("PLATFORM_ROWS", "").split()
for case in CASES:
    if not only or case[0] in only:
        check(tap, *case)
tap.done()
