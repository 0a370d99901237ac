#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""One image for all environments: the same file has every entry point."""
from vmtest import Tap, boot, elf, vm

XEN_ELFNOTE_ENTRY = 1
XEN_ELFNOTE_PHYS32_ENTRY = 18   # the PVH entry that QEMU's -kernel looks for

tap = Tap()
runs = {env: boot(tap, env, ["test=none", "bench=none"], "image", count=False)
        for env in ("native", "xenpv")}
tap.equal(runs["native"]["image_sha256"], runs["xenpv"]["image_sha256"],
          "both environments booted the same image")
for env, backend in (("native", "native"), ("xenpv", "xen")):
    tap.equal(runs[env]["data"].get("backend"), backend, f"{env}: {backend} is chosen")
notes = {(n.name, n.type) for n in elf.Elf(vm.IMAGE).notes()}
tap.ok(("Xen", XEN_ELFNOTE_PHYS32_ENTRY) in notes, "the image has a PVH entry", str(notes))
tap.ok(("Xen", XEN_ELFNOTE_ENTRY) in notes, "the image has a Xen PV entry", str(notes))
tap.done()
