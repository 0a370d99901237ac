#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""A KVM host that cannot run the guest prints one line with the reason, and ends."""
import subprocess
import tempfile
from pathlib import Path

from vmtest import Tap, cli, environments, judge, qemu, vm

# inner QEMU's arguments, more for the outer one, tag, how the line begins
CASES = (
    ((), ("-cpu", "EPYC,-svm"), "nosvm", "pvops-host: kvm-amd.ko: "),
    (("-machine", "nosuch"), (), "machine", "pvops-host: QEMU: exit status 1: "),
    (("-cpu", "host,nosuch=on"), (), "cpu", "pvops-host: QEMU: exit status 1: "),
)

# A guest that goes where nothing is, from which KVM cannot read an instruction.
ASTRAY = """
	.section .note.Xen, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	_start
	.text
	.code32
	.globl	_start
_start:	mov	$0xe0000000, %eax
	jmp	*%eax
"""

tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    image = Path(folder) / "astray.elf"
    subprocess.run(["gcc", "-x", "assembler", "-nostdlib", "-static", "-Wl,-Ttext=0x200000", "-Wl,--build-id=none",
                    "-o", image, "-"], input=ASTRAY, text=True, check=True)
    run = vm.run("kvm", image=image, tag="host-astray", count=False)
    said = [text for text in run["log"] if text.startswith("pvops-host: ")]
    tap.ok(len(said) == 1 and said[0].startswith("pvops-host: KVM internal error. Suberror: 1 at EIP="),
           "the host logs that KVM gives a guest up", *(said or run["tail"]))
for inner, more, tag, line in CASES:
    run = vm.run("kvm", ["test=none"], tag=f"host-{tag}", count=False, inner=inner, more=more)
    said = [text for text in run["log"] if text.startswith("pvops-host: ")]
    tap.ok(len(said) == 1 and said[0].startswith(line) and len(said[0]) > len(line),
           f"{tag}: {line}...", *(said or run["tail"]))
    tap.ok(not judge.verdict(run) and any("no end marker" in p for p in run["problems"]),
           f"{tag}: the run fails", *run["problems"])

missing = environments.env_rows("kvm")
missing["parts"]["host"] = "build/kvm/nosuch.cpio"
try:
    qemu.check_parts(missing)
    tap.ok(False, "a missing host image is an error")
except cli.MissingError as err:
    tap.ok("make build/kvm/nosuch.cpio" in str(err), "a missing host image is an error", str(err))
tap.done()
