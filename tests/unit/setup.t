#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The tools on different releases of Debian, which differ in names of packages, place and
compression of a kernel's modules, and Xen's release.  apt and dpkg are stand-ins."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

# KNOWN: packages of the release; FRESH: there are no package lists before an update.
COMMANDS = {
    "id": "echo 0",
    "dpkg-query": 'for name; do :; done; case " $HAVE " in *" $name "*) echo installed ;; esac',
    "apt-cache": """for name; do :; done
case $* in
*depends*linux-image-amd64*) echo "  Depends: linux-image-1" ;;
*show*) [ ! -e "$FRESH" ]; case " $KNOWN " in *" $name "*) ;; *) exit 100 ;; esac ;;
esac""",
    "apt-get": """for name; do :; done
case $* in
*update*) rm -f "$FRESH" ;;
*install*) [ ! -e "$FRESH" ]; echo "$*" | sed 's/.*recommends //' >>"$ASKED" ;;
*download*) case " $KNOWN " in *" $name "*) touch "${name}_1_amd64.deb" ;; *) echo "E: no $name"; exit 100 ;; esac ;;
esac""",
    "dpkg": """mkdir -p "$3/boot"
echo kernel >"$3/boot/vmlinuz-1"
echo "$2" | gzip >"$3/boot/xen-1-amd64.gz"
[ -z "$MODULE" ] || { mkdir -p "$3/$(dirname "$MODULE")"; echo module >"$3/$MODULE"; }""",
    # The stand-ins do not compress, and know no dependencies.
    "xz": 'for name; do :; done; cat "$name"',
    "modinfo": "",
}

tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    bins, fresh, asked = (Path(folder) / name for name in ("bin", "fresh", "asked"))
    bins.mkdir()
    for command, text in COMMANDS.items():
        (bins / command).write_text(f"#!/bin/sh\nset -e\n{text}\n", encoding="utf-8")
        (bins / command).chmod(0o755)

    def run(args, **env):
        asked.unlink(missing_ok=True)
        env = {**os.environ, "PATH": f"{bins}:{os.environ['PATH']}", "FRESH": str(fresh), "ASKED": str(asked),
               "HAVE": "", "KNOWN": "", "MODULE": "", **env}
        done = subprocess.run(args, cwd=TOP, env=env, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr

    rows = [line.split("#")[0].split() for line in (TOP / "tools/packages.txt").read_text(encoding="utf-8").splitlines()]
    names = [row[0] for row in rows if row and "@linux" not in row]
    single = " ".join(n for n in names if "|" not in n)
    either = next(n for n in names if n.startswith("libclang-rt-14-dev|")).split("|")
    others = " ".join(n.split("|")[0] for n in names if "|" in n and not n.startswith(either[0]))
    for lists in (True, False):
        for known, want in (((either[0],), either[0]), ((either[1],), either[1]), (either, either[0])):
            if not lists:
                fresh.touch()
            status, said = run(["tools/setup.sh"], HAVE=f"{single} {others}", KNOWN=" ".join(known))
            tap.equal((status, asked.read_text(encoding="utf-8").split()[-1:] if asked.exists() else said), (0, [want]),
                      f"setup.sh: of {'|'.join(either)} a release with {' and '.join(known)} gets {want}"
                      + ("" if lists else ", without package lists too"))
    status, said = run(["tools/setup.sh"], HAVE=f"{single} {others} {either[1]}")
    tap.equal((status, said), (0, ""), "setup.sh: one installed alternative is enough")

    for path in ("lib/modules/1/kernel/a/kvm-amd.ko", "usr/lib/modules/1/kernel/a/kvm-amd.ko.xz"):
        kernel = Path(folder) / "kernel"
        status, said = run(["tools/fetch.sh", "kernel", str(kernel)], KNOWN="linux-image-1", MODULE=path)
        tap.equal((status, [p.name for p in kernel.glob("modules/*")]), (0, [Path(path).name]), f"fetch.sh kernel: {path}")
        script = '. tools/host-image.sh; begin "$0/modules" "$0/out" tests/vm/kvm-init; module kvm-amd; ' \
                 'cat "$root/modules/kvm-amd.ko" "$root/modules/order"'
        tap.equal(run(["bash", "-euc", script, str(kernel)]), (0, "module\nkvm-amd.ko\n"), "host-image.sh: a module is unpacked for insmod")
    status, said = run(["tools/fetch.sh", "kernel", str(kernel)], KNOWN="linux-image-1")
    tap.equal((status, said), (1, "fetch: linux-image-1_1_amd64.deb: no modules in it\n"),
              "fetch.sh kernel: a package without modules, one line")
    status, said = run(["bash", "-euc", script, str(Path(folder))])
    tap.equal((status, said), (1, f"{Path(folder).name}: {folder}/modules/kvm-amd.ko: no such module, also not with .xz\n"),
              "host-image.sh: a missing module, one line")

    for release in ("4.17", "4.20"):
        name = f"xen-hypervisor-{release}-amd64"
        status, said = run(["tools/fetch.sh", "xen", f"{folder}/xen"], KNOWN=name)
        tap.equal((status, said), (0, f"fetch: {name}_1_amd64.deb\n"), f"fetch.sh xen: a release with Xen {release}")
    status, said = run(["tools/fetch.sh", "xen", f"{folder}/xen"])
    tap.ok(status == 1 and said.count("\n") == 1 and "E: no xen" in said, "fetch.sh xen: a release without Xen, one line", said)
tap.done()
