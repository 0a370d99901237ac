#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# kvm-host.sh KERNEL FILE: the initrd of a KVM host, FILE: busybox, Debian's
# modules for AMD's SVM from the folder KERNEL (tools/fetch.sh), this
# machine's QEMU with its libraries and firmware, and tests/vm/kvm-init.  The
# guest comes in a second archive behind it, which tools/vm.py writes.
set -eu
[ $# -eq 2 ] || { echo "usage: kvm-host.sh KERNEL FILE" >&2; exit 2; }
cd "$(dirname "$0")/.."
. tools/host-image.sh

begin "$1/modules" "$2" tests/vm/kvm-init
mkdir "$root/firmware"
module kvm-amd

# Libraries at their own place: some programs look for them by path.
qemu=$(command -v qemu-system-x86_64) || fail "no qemu-system-x86_64 here (package qemu-system-x86)"
cp -L "$qemu" "$root/bin/qemu"
libraries=$(ldd "$qemu") || fail "$qemu: ldd cannot list its libraries"
missing=$(sed -n 's/^\t\(.*\) => not found/\1/p' <<<"$libraries")
[ -z "$missing" ] || fail "$qemu needs ${missing//$'\n'/ }: not here"
for file in $(grep -o '/[^ ]*' <<<"$libraries"); do
	mkdir -p "$root$(dirname "$file")"
	cp -L "$file" "$root$file"
done

# For the machines pc and microvm, and for -kernel.
for name in bios-256k.bin bios-microvm.bin qboot.rom kvmvapic.bin linuxboot.bin linuxboot_dma.bin \
	multiboot.bin multiboot_dma.bin pvh.bin vgabios-stdvga.bin; do
	for folder in /usr/share/qemu /usr/share/seabios; do
		[ ! -e "$folder/$name" ] || cp -L "$folder/$name" "$root/firmware"
	done
	[ -e "$root/firmware/$name" ] || fail "$name: no such firmware (packages qemu-system-data, seabios)"
done

archive
echo "kvm-host: $("$qemu" --version | head -n 1)"
