#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# xen-host.sh KERNEL TOOLSTACK FILE: the initrd of a dom0, FILE: busybox, Debian's
# modules from the folder KERNEL (tools/fetch-kernel.sh), Xen's toolstack from the
# folder TOOLSTACK (tools/fetch-toolstack.sh), and tests/vm/dom0-init.  The domU
# comes in a second archive behind it, which tools/vm.py writes.
set -eu
[ $# -eq 3 ] || { echo "usage: xen-host.sh KERNEL TOOLSTACK FILE" >&2; exit 2; }
cd "$(dirname "$0")/.."
modules=$1/modules
mkdir -p "$(dirname "$3")"
root=$(mktemp -d "$3.XXXXXX")
trap 'rm -rf "$root"' EXIT

fail() {
	echo "xen-host: $*" >&2
	exit 1
}

mkdir -p "$root"/{guest,modules,proc,sys,dev,tmp}
cp -r "$2/." "$root"
install -m 755 tests/vm/dom0-init "$root/init"
busybox=$(command -v busybox) || fail "no busybox here (package busybox-static)"
! ldd "$busybox" >/dev/null 2>&1 || fail "$busybox is not static (package busybox-static)"
cp "$busybox" "$root/bin/busybox"

# In the order in which they must be loaded, and the dependencies they name.
module() {
	local file=$modules/$1.ko name
	[ ! -e "$root/modules/$1.ko" ] || return 0
	[ -e "$file" ] || fail "$file: no such module"
	for name in $(modinfo -F depends "$file" | tr , ' '); do
		module "$name"
	done
	cp "$file" "$root/modules"
	echo "$1.ko" >>"$root/modules/order"
}
for name in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs; do
	module "$name"
done

# Without dates and inodes the archive depends on what is in it only.
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . | LC_ALL=C sort |
	cpio -o -H newc -R 0:0 --quiet --reproducible) >"$root.cpio"
mv "$root.cpio" "$3"
