#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# fetch-xen.sh FILE: Debian's Xen hypervisor, unpacked to FILE.  It is never
# installed: the package would change this machine's boot loader.
set -eu
# Debian 12's, 13's.
packages=(xen-hypervisor-4.17-amd64 xen-hypervisor-4.20-amd64)
[ $# -eq 1 ] || { echo "usage: fetch-xen.sh FILE" >&2; exit 2; }
mkdir -p "$(dirname "$1")"
out=$(realpath "$(dirname "$1")")/$(basename "$1")
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT

cd "$work"
options=(-q -o APT::Sandbox::User=root)
fetch() {
	local package
	for package in "${packages[@]}"; do
		! apt-get "${options[@]}" download "$package" || return 0
	done
	return 1
}

if ! fetch >log 2>&1; then
	# No package lists, or stale ones: fetch our own, which needs no root.
	mkdir -p lists/partial cache/archives/partial
	options+=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
	if ! { apt-get "${options[@]}" update && fetch; } >>log 2>&1; then
		echo "fetch-xen: apt-get download ${packages[*]}: $(grep '^E:' log | tail -n 1)" >&2
		exit 1
	fi
fi
dpkg -x xen-hypervisor-*.deb root
zcat root/boot/xen-*-amd64.gz >xen
mv xen "$out"
echo "fetch-xen: $(echo xen-hypervisor-*.deb)"
