#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Linux with pvops in other configurations than that of the tests.
#
#	tools/linux-configs.sh same	CONFIG_PVOPS=n: the text of vmlinux is that
#					of the pristine tree
#	tools/linux-configs.sh hard	the small kernel with ORC, IBT, retpolines,
#					return thunks, noinstr validation, KASLR:
#					no warning; boots natively
#	tools/linux-configs.sh cloud	Debian's cloud-amd64 configuration
#
# Each is built from build/linux-patched, outside of that tree.  "cloud" takes
# an hour or more.
set -eu

cd "$(dirname "$0")/.."
top=$PWD
what=${1:-}
release=6.1
pristine=build/linux-pristine
patched=build/linux-patched
fetch=build/linux-fetch
series=patches/linux-$release
jobs=${JOBS:-$(nproc)}

step()
{
	echo "  $(printf %-7s "$1") $2"
}

fail()
{
	echo "$0: $*" >&2
	exit 1
}

# A tree of its own: where objects lie beside the source, make refuses others.
patched_tree()
{
	stamp=$(find $series patches/linux pvops backends include -type f -exec sha256sum {} + |
		sort | sha256sum)
	[ "$(cat $patched/.pvops-stamp 2>/dev/null)" != "$stamp" ] || return 0
	step PATCH "$patched"
	rm -rf $patched
	cp -a --reflink=auto $pristine $patched
	while read -r name; do
		patch -d $patched -p1 -s --fuzz=0 -i "$top/$series/$name"
	done <$series/series
	cp -r patches/linux/. $patched
	cp -r pvops $patched/arch/x86/pvops/core
	for backend in backends/*/; do
		cp -r "$backend" "$patched/arch/x86/pvops/"
	done
	cp -r include/pvops $patched/arch/x86/include/pvops
	echo "$stamp" >$patched/.pvops-stamp
}

# Lines for one kernel out of tools/linux.config, as tools/linux.sh has it.
lines_for()
{
	sed -E "/@/{/@$1( |\$)/!d;s/[ \t]*@.*//}" tools/linux.config
}

# A line that Kconfig overrules makes another kernel than was asked for.
check_lines()
{
	grep '^CONFIG_' "$1" | grep -vxFf "$2/.config" >"$2/lost" || :
	while read -r line; do
		echo "$1: $line: has no effect" >&2
	done <"$2/lost"
	[ ! -s "$2/lost" ] || exit 1
}

build()
{
	step MAKE "$1 (log: $1.log)"
	make -C $patched O="$top/$1" -j"$jobs" bzImage >"$1.log" 2>&1 ||
		{ grep -E 'error|Error' "$1.log" >&2; exit 1; }
}

same()
{
	tools/linux.sh build stock
	patched_tree
	mkdir -p build/linux-off
	lines_for stock >build/linux-off.config
	make -s -C $patched O="$top/build/linux-off" \
		KCONFIG_ALLCONFIG="$top/build/linux-off.config" allnoconfig
	build build/linux-off
	for section in .text .init.text .exit.text .altinstr_replacement; do
		for tree in stock off; do
			objcopy -O binary -j $section build/linux-$tree/vmlinux \
				build/linux-$tree$section
		done
		cmp build/linux-stock$section build/linux-off$section ||
			fail "CONFIG_PVOPS=n: $section is not that of the pristine tree"
		step SAME "$section, $(stat -c %s build/linux-off$section) bytes"
	done
}

hard()
{
	tools/linux.sh prepare stock
	patched_tree
	mkdir -p build/linux-hard
	{ lines_for ours; cat tools/linux-hard.config; } >build/linux-hard.config
	make -s -C $patched O="$top/build/linux-hard" \
		KCONFIG_ALLCONFIG="$top/build/linux-hard.config" allnoconfig
	check_lines build/linux-hard.config build/linux-hard
	build build/linux-hard
	! grep -E 'warning' build/linux-hard.log || fail "warnings"
	[ -e build/linux-initrd.gz ] ||
		fail "build/linux-initrd.gz is missing: tools/linux.sh boot makes it"
	step BOOT build/linux-hard
	timeout 120 qemu-system-x86_64 -accel tcg -m 512 -display none -serial stdio \
		-monitor none -no-reboot -net none -initrd build/linux-initrd.gz \
		-kernel build/linux-hard/arch/x86/boot/bzImage \
		-append "console=ttyS0 panic=-1" </dev/null | tee build/linux-hard.boot
	grep -q 'pvops-linux: user space reached' build/linux-hard.boot ||
		fail "user space was not reached"
	! grep -E 'WARNING|BUG|unpatched|missing ENDBR' build/linux-hard.boot ||
		fail "the kernel complained"
}

cloud()
{
	tools/linux.sh prepare stock
	patched_tree
	ls $fetch/linux-config-$release*.deb >/dev/null 2>&1 ||
		(cd $fetch && apt-get -q -o APT::Sandbox::User=root \
			download linux-config-$release >fetch.log 2>&1) ||
		{ cat $fetch/fetch.log >&2; exit 1; }
	dpkg -x $fetch/linux-config-$release*.deb $fetch/config
	mkdir -p build/linux-cloud
	xz -dc $fetch/config/usr/src/linux-config-$release/config.amd64_none_cloud-amd64.xz \
		>build/linux-cloud/.config
	cat tools/linux-cloud.config >>build/linux-cloud/.config
	make -s -C $patched O="$top/build/linux-cloud" olddefconfig
	check_lines tools/linux-cloud.config build/linux-cloud
	build build/linux-cloud
}

case $what in
same | hard | cloud) $what ;;
*) echo "usage: $0 same|hard|cloud" >&2; exit 2 ;;
esac
