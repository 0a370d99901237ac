#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# fetch.sh WHAT OUT: parts of Debian packages, unpacked to OUT.  WHAT is
#
#	xen		the hypervisor, a file
#	kernel		Debian's own Linux for hosts, a folder: vmlinuz, and modules/, .ko or
#			.ko.xz as Debian has them
#	kernel-cloud	its flavour for clouds, likewise
#	toolstack	what starts a guest on Xen, with its libraries, a root file system
#	toolstack-hvm	the same with QEMU and firmware, for HVM guests
#
# Nothing is installed: the hypervisor's package would change this machine's boot loader.
set -eu

# Each part has a function download_PART, which names packages to apt, unpack_PART, which
# makes "result" of the *.deb, and here the package that names the version.
declare -A names=([xen]=xen-hypervisor [kernel]=linux-image [toolstack]=xen-utils)
# Of the Debian releases, the oldest first: their Xen.
xen_releases=(4.17 4.20)

hvm=
what=${1:-}
if [ "$what" = toolstack-hvm ]; then
	what=toolstack
	hvm=1
fi
image=linux-image-amd64
if [ "$what" = kernel-cloud ]; then
	what=kernel
	image=linux-image-cloud-amd64
fi
[ $# -eq 2 ] && [ -n "${names[${what:-none}]:-}" ] || {
	echo "usage: fetch.sh xen|kernel|kernel-cloud|toolstack|toolstack-hvm OUT" >&2
	exit 2
}

options=(-q -o APT::Sandbox::User=root)

get() {
	apt-get "${options[@]}" download "$@"
}

fail() {
	echo "fetch: $*" >&2
	exit 1
}

# --- xen ---

download_xen() {
	local release
	for release in "${xen_releases[@]}"; do
		! get "xen-hypervisor-$release-amd64" || return 0
	done
	return 1
}

unpack_xen() {
	dpkg -x xen-hypervisor-*.deb all
	zcat all/boot/xen-*-amd64.gz >result
}

# --- kernel ---

# $image only names the current kernel.
download_kernel() {
	local name
	name=$(apt-cache "${options[@]}" depends $image |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
	[ -n "$name" ] || { echo "E: $image: no such package"; return 1; }
	get "$name"
}

unpack_kernel() {
	local folder
	dpkg -x linux-image-*.deb all
	mkdir -p result/modules
	cp all/boot/vmlinuz-* result/vmlinuz
	# Names of modules are unique; what each needs is in its own text (modinfo).
	for folder in all/lib/modules all/usr/lib/modules; do
		[ ! -d $folder ] || find $folder -name '*.ko*' -exec cp -t result/modules {} +
	done
	[ -n "$(ls result/modules)" ] || fail "$(echo linux-image-*.deb): no modules in it"
}

# --- toolstack ---

# Under /usr/lib/xen-RELEASE/bin.  Not their scripts and QEMU: they serve disks and
# networks, which no guest here has.
programs=(xl xenstored xenconsoled xenconsole xen-init-dom0 libxl-save-helper)
# Whole files, at their own place: a hypervisor for PV in PVH, and firmware.
files=(usr/lib/xen-RELEASE/boot/xen-shim)
hvm_packages=(qemu-system-xen qemu-system-data seabios)
hvm_files=(usr/lib/xen-RELEASE/boot/hvmloader usr/share/seabios/bios-256k.bin
	usr/share/qemu/linuxboot.bin usr/share/qemu/multiboot.bin
	usr/share/qemu/keymaps/en-us)
hvm_program=usr/libexec/xen-qemu-system-i386

# Debian names libraries lib*, and zlib; what else a package depends on is for its other
# programs.
libraries() {
	apt-cache "${options[@]}" depends --important "$@" |
		sed -n 's/^ *|\?\(Pre\)\?Depends: \(lib[^ ]*\|zlib1g\)$/\2/p'
}

download_toolstack() {
	for release in "${xen_releases[@]}"; do
		! apt-cache "${options[@]}" show "xen-utils-$release" >/dev/null 2>&1 || break
	done
	local new=("xen-utils-$release" ${hvm:+"${hvm_packages[@]}"}) all=()
	while [ ${#new[@]} -gt 0 ]; do
		all+=("${new[@]}")
		mapfile -t new < <(libraries "${new[@]}" | sort -u |
			grep -vxF -f <(printf '%s\n' "${all[@]}"))
	done
	get "${all[@]}"
}

# install_with_libraries FILE...: programs, and every library that one of them names.
install_with_libraries() {
	local todo=("$@") file name lib
	mkdir -p result/bin result/lib64
	while [ ${#todo[@]} -gt 0 ]; do
		file=${todo[0]}
		todo=("${todo[@]:1}")
		case $file in
		*/bin/*) cp "$file" result/bin ;;
		# It looks for its files beside its own place.
		*/libexec/*) install -D -t result/usr/libexec "$file" ;;
		*/ld-linux-x86-64*) cp -L "$file" result/lib64 ;;
		*) cp -L "$file" result/lib64/"$(basename "$file")" ;;
		esac
		for name in $(objdump -p "$file" | awk '$1 == "NEEDED" { print $2 }'); do
			[ ! -e result/lib64/"$name" ] || continue
			lib=$(find all -name "$name" | head -n 1)
			[ -n "$lib" ] || fail "$(basename "$file") needs $name: no package has it"
			todo+=("$lib")
		done
	done
}

unpack_toolstack() {
	local deb file folder=all/usr/lib/xen-$release/bin
	for deb in *.deb; do
		dpkg -x "$deb" all
	done
	[ -z "$hvm" ] || files+=("${hvm_files[@]}")
	for file in "${files[@]/RELEASE/$release}"; do
		install -D -t "result/$(dirname "$file")" "all/$file"
	done
	# The C library loads libgcc_s by itself when a thread is cancelled.
	install_with_libraries "$(find all -name libgcc_s.so.1)" "${programs[@]/#/$folder/}" \
		${hvm:+all/$hvm_program}
	# QEMU asks for the form that reads by DMA, which its machine on Xen does not have.
	[ -z "$hvm" ] || mv result/usr/share/qemu/multiboot.bin result/usr/share/qemu/multiboot_dma.bin
}

# --- all ---

mkdir -p "$(dirname "$2")"
out=$(realpath "$(dirname "$2")")/$(basename "$2")
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

if ! download_$what >log 2>&1; then
	# No package lists, or stale ones: fetch our own, which needs no root.
	mkdir -p lists/partial cache/archives/partial
	options+=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
	{ apt-get "${options[@]}" update && download_$what; } >>log 2>&1 ||
		fail "$1: apt-get download: $(grep '^E:' log | tail -n 1)"
fi
unpack_$what
deb=$(echo "${names[$what]}"-*.deb)
rm -rf "$out"
mv result "$out"
echo "fetch: $deb"
