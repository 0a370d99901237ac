#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Linux with pvops: fetch Debian's source package, unpack it, apply the
# series, configure, build.  What exists is reused; nothing is installed.
#
#	tools/linux.sh			build/linux-6.1/arch/x86/boot/bzImage
#	tools/linux.sh prepare		only as far as the patched, configured tree
#	tools/linux.sh boot		build, and boot it natively to user space
set -eu

cd "$(dirname "$0")/.."
top=$PWD
what=${1:-build}
release=6.1
tree=build/linux-$release
fetch=build/linux-fetch
series=patches/linux-$release
jobs=${JOBS:-$(nproc)}

step()
{
	echo "  $(printf %-7s "$1") $2"
}

unpack()
{
	mkdir -p $fetch
	if ! ls $fetch/linux-source-$release*.deb >/dev/null 2>&1; then
		step FETCH linux-source-$release
		(cd $fetch && apt-get -q -o APT::Sandbox::User=root \
			download linux-source-$release >fetch.log 2>&1) ||
			{ cat $fetch/fetch.log >&2; exit 1; }
	fi
	step UNPACK $tree
	rm -rf $tree $tree.new
	dpkg -x $fetch/linux-source-$release*.deb $fetch/deb
	mkdir -p $tree.new
	tar -xJf $fetch/deb/usr/src/linux-source-$release.tar.xz \
		-C $tree.new --strip-components=1
	rm -rf $fetch/deb
	mv $tree.new $tree
}

# Patches as they were applied are kept in the tree: what has changed since, and
# what stands behind it, is taken out and put in again, and no more, because
# every touched file costs time to build.
patch_tree()
{
	applied=$tree/.pvops-applied
	mkdir -p $applied
	touch $applied/series
	same=0
	while read -r name; do
		[ "$(sed -n "$((same + 1))p" $applied/series)" = "$name" ] &&
			cmp -s "$series/$name" "$applied/$name" || break
		same=$((same + 1))
	done <$series/series
	tail -n +$((same + 1)) $applied/series | tac | while read -r name; do
		step UNPATCH "$name"
		patch -d $tree -p1 -s -R --fuzz=0 -i "$top/$applied/$name"
		sed -i '$d' $applied/series
	done
	tail -n +$((same + 1)) $series/series | while read -r name; do
		step PATCH "$name"
		patch -d $tree -p1 -s --fuzz=0 -i "$top/$series/$name"
		cp "$series/$name" $applied
		echo "$name" >>$applied/series
	done
}

# Only what differs is copied, so that make builds only what must be.
copy()
{
	(cd "$1" && find . -type f) | while read -r file; do
		cmp -s "$1/$file" "$2/$file" && continue
		mkdir -p "$(dirname "$2/$file")"
		cp "$1/$file" "$2/$file"
	done
}

prepare()
{
	[ -d $tree ] || unpack
	patch_tree
	copy patches/linux $tree
	copy pvops $tree/arch/x86/pvops/core
	copy backends/native $tree/arch/x86/pvops/native
	copy backends/vmi $tree/arch/x86/pvops/vmi
	copy include/pvops $tree/arch/x86/include/pvops
	if ! cmp -s tools/linux.config $tree/.pvops-config || [ ! -e $tree/.config ]; then
		step CONFIG tools/linux.config
		make -s -C $tree KCONFIG_ALLCONFIG="$top/tools/linux.config" allnoconfig
		cp tools/linux.config $tree/.pvops-config
	fi
}

build()
{
	step MAKE "$tree/arch/x86/boot/bzImage (log: $tree.log)"
	make -C $tree -j"$jobs" bzImage >$tree.log 2>&1 &
	maker=$!
	while kill -0 $maker 2>/dev/null; do
		sleep 1
		[ -t 1 ] && printf '\r  %6d files' "$(wc -l <$tree.log)"
	done
	[ -t 1 ] && echo
	wait $maker || { grep -E 'error|Error' $tree.log >&2; exit 1; }
}

initrd()
{
	root=build/linux-initrd
	rm -rf $root
	mkdir -p $root/bin $root/proc $root/sys $root/dev
	cp "$(command -v busybox)" $root/bin/busybox
	cp tools/linux-init $root/init
	chmod 755 $root/init
	(cd $root && find . | cpio -o -H newc -R 0:0 --quiet | gzip -n) >$root.gz
}

boot()
{
	initrd
	step BOOT native
	timeout 60 qemu-system-x86_64 -accel tcg -m 512 -smp "${SMP:-1}" \
		-display none -serial stdio -monitor none -no-reboot -net none \
		-kernel $tree/arch/x86/boot/bzImage -initrd build/linux-initrd.gz \
		-append "console=ttyS0 panic=-1 ${APPEND:-}" </dev/null | tee build/linux-boot.log
	grep -q 'pvops-linux: user space reached' build/linux-boot.log
}

case $what in
prepare) prepare ;;
build) prepare; build ;;
boot) prepare; build; boot ;;
*) echo "usage: $0 [prepare|build|boot]" >&2; exit 2 ;;
esac
