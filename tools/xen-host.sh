#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# xen-host.sh KERNEL TOOLSTACK FILE: the initrd of a dom0, FILE: busybox, Debian's
# modules from the folder KERNEL (tools/fetch.sh), Xen's toolstack from the
# folder TOOLSTACK (tools/fetch.sh), and tests/vm/dom0-init.  The domU
# comes in a second archive behind it, which tools/vm.py writes.
set -eu
[ $# -eq 3 ] || { echo "usage: xen-host.sh KERNEL TOOLSTACK FILE" >&2; exit 2; }
cd "$(dirname "$0")/.."
. tools/host-image.sh

begin "$1/modules" "$3" tests/vm/dom0-init
cp -r "$2/." "$root"
for name in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs; do
	module "$name"
done

archive
