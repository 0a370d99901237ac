#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
#	audit.sh			the mini guest's images, by gcc and by clang, with their lists
#	audit.sh linux			ours of the Linux of tools/release.sh, with its list
#	audit.sh IMAGE [OPTION]...	any kernel: an ELF file or a bzImage; options of audit
#	audit.sh table			the kernels that are here, side by side
set -eu
cd "$(dirname "$0")/../.."
audit=build/audit/audit
lists=tools/audit

# A bzImage is unpacked first; its functions have names where kallsyms is in it.
image_audit()
{
	image=$1
	shift
	[ -r "$image" ] || { echo "audit: $image: cannot be read" >&2; exit 3; }
	if [ "$(dd if="$image" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ]; then
		unpacked=build/audit/$(basename "$image").elf
		rm -f "$unpacked.map"
		$lists/unpack.py "$image" "$unpacked" || exit
		[ ! -e "$unpacked.map" ] || set -- --symbols "$unpacked.map" "$@"
		image=$unpacked
	fi
	# A kernel on the layer sees its own findings only.
	! nm "$image" 2>/dev/null | grep -q ' pv_slots$' || set -- "$@" --layer $lists/allow-layer.txt
	$audit "$@" "$image"
}

row()
{
	[ -e "$2" ] || return 0
	title=$1
	shift
	image_audit "$@" --summary >build/audit/row || [ $? -eq 1 ]
	sed -n "s/^.*: \([0-9]*\) sensitive of \([0-9]*\) instructions, \([0-9]*\) of them alternatives: \([0-9]*\) by \([0-9]*\) sites, \([0-9]*\) allowed, \([0-9]*\) left.*/| $title | \2 | \1 | \3 | \5 | \4 | \6 | \7 |/p" build/audit/row
}

release=$(tools/release.sh)
linux=$(tools/release.sh folder)
case ${1:-} in
'')
	$audit --layer $lists/allow-layer.txt --allow $lists/allow-guest.txt build/guest.elf
	# Where the compilers differ a line may be for the other's image.
	$audit --unused-ok --layer $lists/allow-layer.txt --allow $lists/allow-guest.txt --allow $lists/allow-guest-clang.txt \
		build/clang/guest.elf
	;;
linux) $audit --allow $lists/allow-linux.txt --allow $lists/allow-linux-$release.txt "$linux/ours/vmlinux" ;;
table)
	echo "| kernel | instructions | sensitive | in alternatives | sites | covered by them | allowed, with reason | left |"
	echo "|---|---|---|---|---|---|---|---|"
	row "Debian's vmlinuz" build/kernel/vmlinuz
	row "Linux $release, small, stock pv_ops" "$linux/stock/vmlinux"
	row "Linux $release, small, ours" "$linux/ours/vmlinux" --allow $lists/allow-linux.txt --allow $lists/allow-linux-$release.txt
	row "mini guest, gcc" build/guest.elf --allow $lists/allow-guest.txt
	;;
*) image_audit "$@" ;;
esac
