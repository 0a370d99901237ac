#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The user space of the rows of tests/linux/envs.toml.
#
#	tools/linux-guest.sh VARIANT	VARIANT is ours, stock, or a configuration of
#					tools/linux-configs.sh, whose kernel is built.
#					Writes, for Linux 6.1,
#		build/linux-6.1/guest/VARIANT.cpio	the guest's initrd
#		build/linux-6.1/guest/VARIANT-dom0.cpio	the initrd of a dom0 that starts it
#
# KERNEL and TREE in the environment say which Linux (tools/release.sh).
# What exists and is current is reused.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
linux=$(tools/release.sh folder)
variant=${1:-}
tree=$linux/$variant source=$linux/pristine
case $variant in
ours) source=$tree ;;
stock | hard | clang | debian | cloud | fault | mm | debug | kasan | up | preempt | mm-stock | debug-stock | kasan-stock | up-stock | preempt-stock | debian-stock | cloud-stock) ;;
*) echo "usage: $0 ours|stock|hard|clang|debian|cloud|fault|mm|debug|kasan|up|preempt, or a configuration's -stock" >&2; exit 2 ;;
esac
# The kernel of a configuration starts no domU, and has the mm selftests; a distribution's has
# drivers that are modules.
# No test module is built for Debian's own kernels.
stock= domu=1 mm= drivers= own=1
case $variant in
stock) stock=1 ;;
debian | cloud) domu= drivers=$tree ;;
debian-stock | cloud-stock) stock=1 domu= own= drivers=$linux/${variant%-stock} ;;
*-stock) stock=1 domu= mm=1 ;;
fault | clang) domu= ;;
mm | debug | kasan | up | preempt) domu= mm=1 ;;
esac
out=$linux/guest
# Of tests/linux.
programs=(stress shadow segbase user levels tables reread oom features remote)
tests=tools/testing/selftests/x86
kernel=$tree/arch/x86/boot/bzImage
cc=${CC:-gcc}
# LLVM in the environment: the kernel is built by clang.
kbuild=(${LLVM:+LLVM="$LLVM"})
[ "${kbuild[*]}" ] || kbuild=(CC="$cc")

step()
{
	echo "  $(printf %-7s "$1") $2"
}

# quietly STEP LOG COMMAND...: show the log only if the command fails.
quietly()
{
	step "$1" "$2"
	shift
	local log
	log=build/log/linux-guest-$(basename "$1").log
	shift
	mkdir -p build/log
	"$@" >"$log" 2>&1 || {
		echo "linux-guest: $1 failed; the end of $log:" >&2
		tail -n 5 "$log" >&2
		exit 1
	}
}

# newer FILE THAN...
newer()
{
	local file=$1 than
	shift
	[ -e "$file" ] || return 1
	for than in "$@"; do
		[ ! "$than" -nt "$file" ] || return 1
	done
}

# Their own Makefile, with those that need a kernel with 32-bit system calls,
# but no 32-bit compiler.
selftests()
{
	newer $out/selftests/.done $source/$tests/*.[chS] && return
	rm -rf $out/selftests
	mkdir -p $out/selftests
	quietly MAKE $out/selftests make -C $source/$tests OUTPUT="$top/$out/selftests" \
		CC="$cc" EXTRA_CFLAGS=-static CAN_BUILD_I386=1 all_64
	strip $out/selftests/*_64
	touch $out/selftests/.done
}

# Those of memory management, likewise; what tests/linux/init runs of them, and this release has.
mm_selftests()
{
	local mm=$source/tools/testing/selftests/mm name names=
	[ -d $mm ] || mm=${mm%mm}vm
	newer $out/mm-selftests/.done $mm/*.[ch] tests/linux/init && return
	rm -rf $out/mm-selftests
	mkdir -p $out/mm-selftests $out/headers
	for name in $(sed -n '/^mm_tests=/,/^"/s/^\([a-z][^ =]*\).*/\1/p' tests/linux/init | grep -v '^mm_tests' | sort -u); do
		[ ! -e "$mm/${name%_64}.c" ] || names="$names $name"
	done
	[ "$names" ] || { echo "linux-guest: $mm: has none of the selftests that tests/linux/init names" >&2; exit 1; }
	quietly HEADERS $out/headers make -C $source O="$top/$out/headers" headers
	# shellcheck disable=SC2086
	quietly MAKE $out/mm-selftests make -C $mm OUTPUT="$top/$out/mm-selftests" CC="$cc" \
		EXTRA_CFLAGS=-static KHDR_INCLUDES="-isystem $top/$out/headers/usr/include" \
		$(printf "$top/$out/mm-selftests/%s " $names)
	(cd $out/mm-selftests && strip $names)
	touch $out/mm-selftests/.done
}

# program NAME: of tests/linux.
program()
{
	newer $out/$1 tests/linux/$1.c && return
	quietly CC $out/$1 $cc -O2 -Wall -Werror -static -pthread -o $out/$1 tests/linux/$1.c
}

# Modules are built in the folder of the variant, for its kernel.
module()
{
	local work=$out/$variant/module
	newer $work/pvops_sites.ko tests/linux/module/* "$kernel" && return
	rm -rf "$work"
	mkdir -p "$work"
	cp tests/linux/module/* "$work"
	# The list of exported symbols, which the target bzImage alone does not write.
	[ "$drivers" ] || quietly SYMBOLS "$tree/Module.symvers" make -C "$tree" "${kbuild[@]}" modules
	quietly MODULE "$work/pvops_sites.ko" make -C "$tree" M="$top/$work" "${kbuild[@]}" modules
	[ -e "$work/pvops_sites.ko" ] || {
		echo "linux-guest: $work/pvops_sites.ko was not built, see $work.log" >&2
		exit 1
	}
	[ "$stock" ] || ! grep -q '^CONFIG_PVOPS_BENCH=m' "$tree/.config" || cp "$tree/arch/x86/pvops/pvops_bench.ko" "$work"
}

# The modules that are in a distribution's initrd, by their names, and the order of loading.
driver_files()
{
	local root=$1 name
	mkdir -p "$root/drivers"
	while read -r name; do
		if [ -e "$tree/modules/$name.xz" ]; then
			xz -dc "$tree/modules/$name.xz" >"$root/drivers/$name"
		elif [ -e "$tree/modules/$name" ]; then
			cp "$tree/modules/$name" "$root/drivers"
		else
			echo "linux-guest: $tree/modules/$name: not there" >&2
		fi
	done <$drivers/initrd-drivers
	cp $drivers/initrd-drivers "$root/drivers/order"
}

# Symbols that are read-only once the kernel runs, and a pointer to memory that a
# hypervisor supplies (tests/linux/init, part security).
protected()
{
	local name line vmi=
	! grep -q '^CONFIG_PVOPS_VMI=y' "$tree/.config" || vmi="pvvmi_irq_impls pvvmi_cpu_impls pvvmi_mmu_impls pvvmi_entry"
	for name in pv_slots pv_chosen overrides provided pv_batch_submit pv_op_info __pv_sites_start __pv_backends_start \
		native_irq native_cpu native_mmu pvxen_irq_impls pvxen_cpu_impls pvxen_mmu_impls \
		$vmi _text pv_apply pvops_code_start; do
		line=$(grep " $name\$" "$tree/System.map") && [ "$(echo "$line" | wc -l)" = 1 ] || {
			echo "linux-guest: $tree/System.map: not exactly one symbol $name" >&2
			exit 1
		}
		echo "$line"
	done
}

archive()
{
	step CPIO "$2"
	(cd "$1" && find . | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet --reproducible) >"$2.new"
	mv "$2.new" "$2"
}

guest()
{
	local root=$out/$variant/root
	newer "$out/$variant.cpio" tests/linux/* "${programs[@]/#/$out/}" $out/selftests/.done \
		${mm:+$out/mm-selftests/.done} \
		${own:+"$out/$variant/module/pvops_sites.ko"} ${drivers:+$drivers/initrd-drivers "$tree/modules"} \
		tools/linux-guest.sh && return
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/selftests"
	cp "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 tests/linux/init "$root/init"
	cp "${programs[@]/#/$out/}" "$root"
	[ -z "$own" ] || cp "$out/$variant/module"/pvops_*.ko "$root"
	[ -z "$drivers" ] || driver_files "$root"
	cp $out/selftests/*_64 "$root/selftests"
	[ -z "$mm" ] || { mkdir "$root/mm"; cp $out/mm-selftests/[a-z]* "$root/mm"; cp "$kernel" "$root/bzImage"; }
	[ "$stock" ] || protected >"$root/symbols"
	archive "$root" "$out/$variant.cpio"
}

dom0()
{
	local root=$out/$variant/dom0
	newer build/toolstack tools/fetch.sh || tools/fetch.sh toolstack build/toolstack
	newer "$out/$variant-dom0.cpio" build/toolstack tests/linux/dom0-init \
		"$out/$variant.cpio" "$kernel" && return
	rm -rf "$root"
	mkdir -p "$root"
	cp -r build/toolstack/. "$root"
	cp "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 tests/linux/dom0-init "$root/init"
	cp "$out/$variant.cpio" "$root/guest.cpio"
	cp "$kernel" "$root/bzImage"
	archive "$root" "$out/$variant-dom0.cpio"
}

[ -e "$kernel" ] || {
	echo "linux-guest: no $kernel; \`tools/linux.sh build $variant\` makes it" >&2
	exit 3
}
mkdir -p $out
selftests
[ -z "$mm" ] || mm_selftests
for name in "${programs[@]}"; do
	program "$name"
done
[ -z "$own" ] || module
guest
[ -z "$domu" ] || dom0
