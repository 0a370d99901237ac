#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# fetch-toolstack.sh FOLDER [hvm]: what of Debian's Xen toolstack starts a guest,
# with its libraries, unpacked as a root file system; hvm: what HVM guests need too,
# QEMU and firmware.  Nothing is installed.
set -eu
# Debian 12's, 13's.
releases=(4.17 4.20)
packages=()
# Whole files, at their own place: firmware, and a hypervisor for PV in PVH.
files=(usr/lib/xen-RELEASE/boot/xen-shim)
# Under /usr/lib/xen-RELEASE/bin.  Their scripts and QEMU serve disks and
# networks, which no guest here has.
programs=(xl xenstored xenconsoled xenconsole xen-init-dom0 libxl-save-helper)
device_model=
if [ "${2:-}" = hvm ]; then
	packages+=(qemu-system-xen qemu-system-data seabios)
	device_model=usr/libexec/xen-qemu-system-i386
	files+=(usr/lib/xen-RELEASE/boot/hvmloader usr/share/seabios/bios-256k.bin
		usr/share/qemu/linuxboot.bin usr/share/qemu/multiboot.bin
		usr/share/qemu/keymaps/en-us)
fi
[ $# -eq 1 ] || [ "$#${2:-}" = 2hvm ] ||
	{ echo "usage: fetch-toolstack.sh FOLDER [hvm]" >&2; exit 2; }
mkdir -p "$(dirname "$1")"
out=$(realpath "$(dirname "$1")")/$(basename "$1")
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT

cd "$work"
options=(-q -o APT::Sandbox::User=root)

# Debian names libraries lib*, and zlib; what else a package depends on is for
# other programs of it.
libraries() {
	apt-cache "${options[@]}" depends --important "$@" |
		sed -n 's/^ *|\?\(Pre\)\?Depends: \(lib[^ ]*\|zlib1g\)$/\2/p'
}

fetch() {
	for release in "${releases[@]}"; do
		! apt-cache "${options[@]}" show xen-utils-$release >/dev/null 2>&1 || break
	done
	local new=(xen-utils-$release "${packages[@]}") all=()
	while [ ${#new[@]} -gt 0 ]; do
		all+=("${new[@]}")
		mapfile -t new < <(libraries "${new[@]}" | sort -u |
			grep -vxF -f <(printf '%s\n' "${all[@]}"))
	done
	apt-get "${options[@]}" download "${all[@]}"
}

if ! fetch >log 2>&1; then
	# No package lists, or stale ones: fetch our own, which needs no root.
	mkdir -p lists/partial cache/archives/partial
	options+=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
	if ! { apt-get "${options[@]}" update && fetch; } >>log 2>&1; then
		echo "fetch-toolstack: apt-get download: $(grep '^E:' log | tail -n 1)" >&2
		exit 1
	fi
fi
for deb in *.deb; do
	dpkg -x "$deb" all
done

# The programs, and every library that one of them or another library names.
mkdir -p root/bin root/lib64
# What the C library loads by itself when a thread is cancelled.
todo=("$(find all -name libgcc_s.so.1)")
for program in "${programs[@]}"; do
	todo+=("all/usr/lib/xen-$release/bin/$program")
done
for file in "${files[@]/RELEASE/$release}"; do
	install -D -t "root/$(dirname "$file")" "all/$file"
done
if [ -n "$device_model" ]; then
	todo+=("all/$device_model")
	# The form that reads by DMA, which QEMU asks for, cannot: its machine on Xen
	# has no such thing.
	mv root/usr/share/qemu/multiboot.bin root/usr/share/qemu/multiboot_dma.bin
fi
while [ ${#todo[@]} -gt 0 ]; do
	file=${todo[0]}
	todo=("${todo[@]:1}")
	case $file in
	*/bin/*) cp "$file" root/bin ;;
	# It looks for its files beside where it stands.
	*/libexec/*) install -D -t root/usr/libexec "$file" ;;
	*/ld-linux-x86-64*) cp -L "$file" root/lib64 ;;
	*) cp -L "$file" root/lib64/"$(basename "$file")" ;;
	esac
	for name in $(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }'); do
		[ ! -e root/lib64/"$name" ] || continue
		lib=$(find all -name "$name" | head -n 1)
		[ -n "$lib" ] || {
			echo "fetch-toolstack: $(basename "$file") wants $name: in none of the packages" >&2
			exit 1
		}
		todo+=("$lib")
	done
done
rm -rf "$out"
mv root "$out"
echo "fetch-toolstack: $(echo xen-utils-*.deb)"
