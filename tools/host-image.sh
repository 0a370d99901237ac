# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=bash
#
# Part of tools/kvm-host.sh and tools/xen-host.sh: the initrd of a host.

fail() {
	echo "$(basename "$0" .sh): $*" >&2
	exit 1
}

# begin MODULES FILE INIT: $root with busybox and first process, for archive FILE.
begin() {
	modules=$1
	out=$2
	mkdir -p "$(dirname "$out")"
	root=$(mktemp -d "$out.XXXXXX")
	trap 'rm -rf "$root"' EXIT
	mkdir -p "$root"/{guest,bin,modules,proc,sys,dev,tmp}
	install -m 755 "$3" "$root/init"
	local busybox
	busybox=$(command -v busybox) || fail "no busybox here (package busybox-static)"
	! ldd "$busybox" >/dev/null 2>&1 || fail "$busybox is not static (package busybox-static)"
	cp "$busybox" "$root/bin/busybox"
}

# module NAME: add a module, its dependencies first; modules/order is the order of loading.
module() {
	local file=$modules/$1.ko name
	[ ! -e "$root/modules/$1.ko" ] || return 0
	[ -e "$file" ] || file=$file.xz
	[ -e "$file" ] || fail "$modules/$1.ko: no such module, also not with .xz"
	for name in $(modinfo -F depends "$file" | tr , ' '); do
		module "$name"
	done
	# busybox's insmod takes no compressed module.
	case $file in
	*.xz) xz -dc "$file" >"$root/modules/$1.ko" ;;
	*) cp "$file" "$root/modules" ;;
	esac
	echo "$1.ko" >>"$root/modules/order"
}

# Dates and inodes are constant: the archive depends on its contents only.
archive() {
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet --reproducible) >"$root.cpio"
	mv "$root.cpio" "$out"
}
