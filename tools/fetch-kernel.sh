#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# fetch-kernel.sh FOLDER: Debian's own Linux kernel for host systems, unpacked:
#	vmlinuz, and modules/, .ko or .ko.xz as Debian has them, in one folder.
# Nothing is installed.
set -eu
[ $# -eq 1 ] || { echo "usage: fetch-kernel.sh FOLDER" >&2; exit 2; }
mkdir -p "$(dirname "$1")"
out=$(realpath "$(dirname "$1")")/$(basename "$1")
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT

cd "$work"
options=(-q -o APT::Sandbox::User=root)

# linux-image-amd64 only names the kernel of now.
fetch() {
	local name
	name=$(apt-cache "${options[@]}" depends linux-image-amd64 |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
	[ -n "$name" ] || { echo "E: linux-image-amd64: no such package"; return 1; }
	apt-get "${options[@]}" download "$name"
}

if ! fetch >log 2>&1; then
	# No package lists, or stale ones: fetch our own, which needs no root.
	mkdir -p lists/partial cache/archives/partial
	options+=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
	if ! { apt-get "${options[@]}" update && fetch; } >>log 2>&1; then
		echo "fetch-kernel: apt-get download: $(grep '^E:' log | tail -n 1)" >&2
		exit 1
	fi
fi
dpkg -x linux-image-*.deb all
mkdir -p root/modules
cp all/boot/vmlinuz-* root/vmlinuz
# Names of modules are unique; what each needs is in its own text (modinfo).
for folder in all/lib/modules all/usr/lib/modules; do
	[ ! -d $folder ] || find $folder -name '*.ko*' -exec cp -t root/modules {} +
done
[ -n "$(ls root/modules)" ] || {
	echo "fetch-kernel: $(echo linux-image-*.deb): no modules in it" >&2
	exit 1
}
deb=$(echo linux-image-*.deb)
rm -rf "$out"
mv root "$out"
echo "fetch-kernel: $deb"
