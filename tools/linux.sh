#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Linux with pvops: fetch Debian's source package, unpack it, apply the
# series, configure, build.  Results of earlier runs are reused; nothing is installed.
# KERNEL and TREE in the environment say which Linux (tools/release.sh).  SERIES is a folder
# with a series in the place of patches/linux-RELEASE, as tools/carry.py writes it; its path
# begins in the project.  For Linux 6.1:
#
#	tools/linux.sh			build/linux-6.1/ours/arch/x86/boot/bzImage
#	tools/linux.sh build stock	build/linux-6.1/stock: Linux's own pv_ops
#	tools/linux.sh build unhooked	build/linux-6.1/unhooked: no paravirtualization
#	tools/linux.sh unpack		only the unmodified source: build/linux-6.1/pristine
#	tools/linux.sh prepare [...]	only as far as the configured tree
#	tools/linux.sh series		build/series, for git am (tools/series.sh)
#	tools/linux.sh series-check	the tests of the series
#	tools/linux.sh config WHICH	other configurations (tools/linux-configs.sh)
#
# stock and unhooked are for comparison.  They are built from a tree of their
# own, so that an edit of the series leaves them alone.
set -eu

cd "$(dirname "$0")/.."
top=$PWD
what=${1:-build}
kernel=${2:-ours}
config_name=
[ "$what" != config ] || { config_name=${2:-}; kernel=ours; }
release=$(tools/release.sh)
linux=$(tools/release.sh folder)
tree=$linux/ours
pristine=$linux/pristine
case $kernel in
ours | stock | unhooked) objects=$linux/$kernel ;;
*) echo "$0: '$kernel': no such kernel; there are: ours stock unhooked" >&2; exit 2 ;;
esac
config=$objects/.pvops-config
fetch=build/linux-fetch
series=${SERIES:-patches/linux-$release}
jobs=${JOBS:-$(nproc)}

step()
{
	echo "  $(printf %-7s "$1") $2"
}

# download NAME: the package, to $fetch, if it is not there.
download()
{
	! ls "$fetch/$1"_*.deb >/dev/null 2>&1 || return 0
	step FETCH "$1"
	tools/suites.sh "$1" $fetch || exit
}

unpack()
{
	[ ! -d "$1" ] || return 0
	mkdir -p $linux
	rm -rf "$1.new"
	if [ -n "${TREE:-}" ]; then
		step COPY "$1"
		mkdir "$1.new"
		if [ -e "$TREE/.git" ]; then
			git -C "$TREE" archive HEAD | tar -x -C "$1.new"
		else
			cp -a --reflink=auto "$TREE/." "$1.new"
		fi
	else
		download linux-source-$release
		step UNPACK "$1"
		dpkg -x $fetch/linux-source-${release}_*.deb $fetch/deb
		mkdir -p "$1.new"
		tar -xJf $fetch/deb/usr/src/linux-source-$release.tar.xz \
			-C "$1.new" --strip-components=1
		rm -rf $fetch/deb
	fi
	mv "$1.new" "$1"
}

# The tree keeps a copy of each applied patch.  Only a changed patch and those behind it are
# taken out and applied again, because every touched file costs time to build.
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

# Copy only files that differ, so that make builds no more than it must.
copy()
{
	(cd "$1" && find . -type f) | while read -r file; do
		cmp -s "$1/$file" "$2/$file" && continue
		mkdir -p "$(dirname "$2/$file")"
		cp "$1/$file" "$2/$file"
	done
}

# place TREE: copy the new files and the layer to their places.
place()
{
	copy patches/linux "$1"
	copy pvops "$1/arch/x86/pvops/core"
	for backend in native xen vmi; do
		copy backends/$backend "$1/arch/x86/pvops/$backend"
	done
	copy include/pvops "$1/arch/x86/include/pvops"
}

semantic_inputs()
{
	cat $series/series $series/*.patch patches/cocci/*.cocci tools/semantic.py | sha256sum
}

# The semantic patches are applied on top of the series: they are taken out before the
# series changes, and applied again.
semantic_out()
{
	applied=$tree/.pvops-applied
	[ ! -e $applied/semantic.inputs ] ||
		[ "$(cat $applied/semantic.inputs)" != "$(semantic_inputs)" ] || return 0
	rm -f $applied/semantic.inputs
	[ -e $applied/semantic ] || return 0
	tac $applied/semantic | while read -r name; do
		step UNPATCH "$name"
		patch -d $tree -p1 -s -R --fuzz=0 -i "$top/$applied/$name"
		sed -i '$d' $applied/semantic
	done
}

semantic_in()
{
	applied=$tree/.pvops-applied
	[ ! -e $applied/semantic.inputs ] || return 0
	for rule in patches/cocci/*.cocci; do
		name=$(basename "$rule")
		step SPATCH "$name"
		tools/semantic.py diff --release $release "$rule" $tree >$applied/$name
		[ -s $applied/$name ] || { echo "$rule: changes nothing" >&2; exit 1; }
		patch -d $tree -p1 -s --fuzz=0 -i "$top/$applied/$name"
		echo "$name" >>$applied/semantic
	done
	semantic_inputs >$applied/semantic.inputs
}

# Run make for the kernel's objects.
kmake()
{
	if [ "$kernel" = ours ]; then
		make -C $tree "$@"
	else
		make -C $pristine O="$top/$objects" "$@"
	fi
}

# Print the lines of tools/linux.config, and of the fragments behind $1, that have no mark or
# the mark of kernel $1 or of the release.  The last line about an option holds.
lines_for()
{
	for_kernel=$1
	shift
	cat tools/linux.config "$@" | sed -E "/@/{/@($for_kernel|$release)( |\$)/!d;s/[ \t]*@.*//}" |
		tac | awk '{ name = $1 == "#" ? $2 : $1; sub(/=.*/, "", name) }
			name !~ /^CONFIG_/ || !said[name]++' | tac
}

# Otherwise only the figures would show that Kconfig has overruled a line.
configure()
{
	mkdir -p $objects
	lines_for $kernel >$config.new
	if cmp -s $config.new $config && [ -e $objects/.config ]; then
		rm $config.new
		return
	fi
	step CONFIG "tools/linux.config for $kernel"
	kmake -s KCONFIG_ALLCONFIG="$top/$config.new" allnoconfig
	sed -n '/^CONFIG_/p' $config.new | grep -vxFf $objects/.config >$config.lost || :
	while read -r line; do
		echo "tools/linux.config: $line: has no effect in $kernel:" \
			"$(grep -wF "${line%%=*}" $objects/.config || echo "no such option, or a dependency is missing")" >&2
	done <$config.lost
	if [ -s $config.lost ]; then
		rm $objects/.config
		exit 1
	fi
	rm $config.lost
	mv $config.new $config
}

prepare()
{
	if [ "$kernel" = ours ]; then
		unpack $tree
		semantic_out
		patch_tree
		place $tree
		semantic_in
	else
		unpack $pristine
	fi
	configure
}

build()
{
	step MAKE "$objects/arch/x86/boot/bzImage (log: $objects.log)"
	kmake -j"$jobs" bzImage >$objects.log 2>&1 &
	maker=$!
	while kill -0 $maker 2>/dev/null; do
		sleep 1
		[ -t 1 ] && printf '\r  %6d files' "$(wc -l <$objects.log)"
	done
	[ -t 1 ] && echo
	wait $maker || { grep -E 'error|Error' $objects.log >&2; exit 1; }
}

case $what in
unpack) unpack $pristine ;;
prepare) prepare ;;
build) prepare; build ;;
series | series-check) . tools/series.sh; "$(echo "$what" | tr - _)" ;;
config)
	. tools/linux-configs.sh
	case " $config_names " in
	*" $config_name "*) configuration ;;
	*) echo "$0: config '$config_name': no such configuration; there are: $config_names" >&2; exit 2 ;;
	esac ;;
*) echo "usage: $0 [unpack|prepare|build|series|series-check] [ours|stock|unhooked]" >&2; exit 2 ;;
esac
