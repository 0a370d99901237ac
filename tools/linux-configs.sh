# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=sh
#
# Part of tools/linux.sh: Linux with pvops in other configurations than the tests' one.
#
#	same	CONFIG_PVOPS=n: the text of vmlinux is that of the pristine tree
#	hard	the small kernel with ORC, IBT, retpolines, return thunks, noinstr
#		validation, KASLR, PV spinlocks.  It must build without a warning, except
#		for a planted indirect branch and site; it runs natively and as dom0
#		(see tests/linux/retpoline.t)
#	clang	the small kernel by clang-16, with kCFI; it runs natively and as dom0
#	debian	Debian's amd64 configuration with CONFIG_PVOPS=y, vmlinux and modules,
#		without a warning; takes an hour or two
#	cloud	Debian's cloud-amd64 configuration, likewise; takes half an hour
#	fault	the small kernel with CONFIG_PVOPS_FAULT_INJECTION; only built, for
#		tests/linux/faults.t
#	mm	the small kernel with memory management as distributions have it
#	debug	mm with checks of locks, page tables and memory
#	kasan	mm with KASAN
#	up	mm for one CPU
#	preempt	mm with preemption of the kernel
#
# Each is built from a patched tree, outside of that tree.  For the last five the stock
# kernel is built too, from the pristine tree into the folder NAME-stock
# (tests/linux/envs.toml).  The stock kernels of debian and cloud are Debian's own.

config_names="same hard clang debian cloud fault mm debug kasan up preempt"
patched=$linux/patched
objects=$linux/$config_name

fail()
{
	echo "$0: $*" >&2
	exit 1
}

# A tree of its own: make refuses to build elsewhere if the source folder has objects.
patched_tree()
{
	tree=$patched
	unpack $pristine
	[ -d $patched ] || {
		step COPY $patched
		rm -rf $patched.new
		cp -a --reflink=auto $pristine $patched.new
		mv $patched.new $patched
	}
	semantic_out
	patch_tree
	place $patched
	semantic_in
}

# make_in TREE OBJECTS WHAT...
make_in()
{
	from=$1
	output=$top/$2
	shift 2
	make -C "$from" O="$output" -j"$jobs" "$@"
}

# Warnings of Linux's own code: its hypercall is a static call, which is no noinstr text;
# 6.1.192 has a function that nothing calls.
known="xen_force_evtchn_callback.*: call to __SCT__xen_hypercall() leaves .noinstr.text
uefi_check_trust_mok_keys.* defined but not used"

warnings()
{
	grep 'warning:' $objects.log | grep -v "$known"
}

no_warnings()
{
	! warnings >&2 || fail "$objects: the build has warnings"
}

# Fail if Kconfig has overruled a line of $1: the kernel is not the intended one.
check_lines()
{
	{
		grep '^CONFIG_' "$1" | grep -vxFf $objects/.config
		sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' "$1" | while read -r name; do
			! grep -q "^$name=" $objects/.config || echo "# $name is not set"
		done
	} >$objects/lost || :
	while read -r line; do
		echo "$1: $line: has no effect" >&2
	done <$objects/lost
	[ ! -s $objects/lost ] || exit 1
}

# small TREE KERNEL FRAGMENT...: configure the small kernel with these options, too.
small()
{
	from=$1
	shift
	lines_for "$@" >$objects/lines
	make_in "$from" $objects allnoconfig >$objects.log 2>&1
	check_lines $objects/lines
	bzimage "$from"
}

# bzimage [TREE]
bzimage()
{
	step MAKE "$objects (log: $objects.log)"
	make_in "${1:-$patched}" $objects bzImage >$objects.log 2>&1 ||
		{ grep -E 'error|Error' $objects.log >&2; exit 1; }
}

config_same()
{
	tools/linux.sh build stock
	patched_tree
	lines_for stock >$objects/lines
	make_in $patched $objects allnoconfig >$objects.log 2>&1
	bzimage
	for section in .text .init.text .exit.text .altinstr_replacement; do
		for objects in $linux/stock $linux/same; do
			objcopy -O binary -j $section $objects/vmlinux $objects/same.$section
		done
		cmp $linux/stock/same.$section $linux/same/same.$section ||
			fail "CONFIG_PVOPS=n: $section differs from the pristine tree"
		step SAME "$section, $(stat -c %s $objects/same.$section) bytes"
	done
}

# boot ROW [WORD]...
boot()
{
	step BOOT "$1"
	row=$1
	shift
	tools/linux_matrix.py run --variant $config_name "$row" "$@" >$objects/said ||
		{ cat $objects/said >&2; exit 1; }
	! grep -E 'unpatched|missing ENDBR' "build/log/${linux#build/}-$row~$config_name.log" ||
		fail "the kernel logged a warning"
}

# planted NAME WARNING: tests/linux/NAME.c must cause this warning.
planted()
{
	work=$objects/$1
	rm -rf $work
	mkdir -p $work
	cp tests/linux/$1.c $work
	echo "obj-m := $1.o" >$work/Kbuild
	step PLANT "$work/$1.c (log: $work.log)"
	make -C $patched O="$top/$objects" M="$top/$work" $1.o >$work.log 2>&1 || fail "$work.log: $1.c does not build"
	grep -q "$2" $work.log || fail "$work.log: no warning: $2"
}

config_hard()
{
	patched_tree
	small $patched ours tools/linux-hard.config
	no_warnings
	planted branch 'indirect call found in RETPOLINE build'
	planted site 'bad .pv_sites entry'
	tools/linux-guest.sh hard
	# No selftests on Xen: syscall_nt sets DF, Linux's entry from Xen keeps it (also
	# without our changes), and DEBUG_ENTRY complains.
	boot native
	boot dom0 PARTS=module,stress
	boot dom0-smp2 PARTS=module,stress,hotplug
	boot vmi PARTS=module,stress
	boot vmimon-smp2 PARTS=module,stress,hotplug
}

# The first clang that Linux 6.1 has kCFI with.
config_clang()
{
	command -v clang-16 >/dev/null && command -v ld.lld-16 >/dev/null && command -v llvm-nm-16 >/dev/null ||
		fail "clang-16: not here: apt-get install clang-16 lld-16 llvm-16"
	export LLVM=-16
	patched_tree
	small $patched ours tools/linux-clang.config
	no_warnings
	tools/linux-guest.sh clang
	boot native
	boot dom0-smp2 PARTS=module,stress,user,hotplug
	boot vmimon-smp2 PARTS=module,stress
}

config_fault()
{
	patched_tree
	small $patched ours tools/linux-fault.config
	# What only this configuration has; for the rest see tests/linux/sparse.t.
	step SPARSE "$objects"
	make_in $patched $objects C=2 arch/x86/pvops/ >$objects.log 2>&1 ||
		{ grep -E 'error|Error' $objects.log >&2; exit 1; }
	no_warnings
	tools/linux-guest.sh fault
}

# Options that may differ from Debian's file: the layer's; those of debug information, and of
# what needs it; the compiler's name; and what Debian's file leaves open: keys for signing,
# which Kbuild makes, and a text for build IDs.
may_differ='PVOPS|DEBUG_INFO|GDB_SCRIPTS|BTF|PAHOLE|CC_VERSION_TEXT|MODULE_SIG_ALL|MODULE_SIG_KEY|SYSTEM_TRUSTED_KEYS|BUILD_SALT'

# distribution FLAVOUR: Debian's configuration and CONFIG_PVOPS=y, with all modules.
distribution()
{
	stock=build/kernel-${1%amd64}
	stock=${stock%-}
	patched_tree
	download linux-config-$release
	dpkg -x $fetch/linux-config-${release}_*.deb $fetch/config
	xz -dc "$fetch/config/usr/src/linux-config-$release/config.amd64_none_$1.xz" >$objects/theirs
	cat $objects/theirs tools/linux-distribution.config >$objects/.config.new
	cmp -s $objects/.config.new $objects/.config.asked || {
		cp $objects/.config.new $objects/.config
		make_in $patched $objects olddefconfig >$objects/config.log 2>&1
		cp $objects/.config.new $objects/.config.asked
	}
	check_lines tools/linux-distribution.config
	for file in $objects/theirs $objects/.config; do
		grep -E '^(# )?CONFIG_' $file | grep -vE "^(# )?CONFIG_\w*($may_differ)" | sort >$file.options
	done
	diff $objects/theirs.options $objects/.config.options >$objects/lost ||
		{ sed -n "s|^[<>]|$objects: not as Debian's: &|p" $objects/lost >&2; exit 1; }
	step MAKE "$objects, with modules (log: $objects.log)"
	make_in $patched $objects bzImage modules >$objects.log 2>&1 ||
		{ grep -E 'error|Error' $objects.log >&2; exit 1; }
	no_warnings
	initrd_drivers
	[ -e $stock/vmlinuz ] || tools/fetch.sh ${stock#build/} $stock
	mkdir -p $objects-stock/arch/x86/boot
	cp $stock/vmlinuz $objects-stock/arch/x86/boot/bzImage
	rm -rf $objects-stock/modules
	cp -r $stock/modules $objects-stock/modules
	tools/linux-guest.sh $config_name
	tools/linux-guest.sh $config_name-stock
}

# Install the modules to $objects/modules, and write to $objects/initrd-drivers which of them Debian
# puts into an initrd, each behind those that it needs.
initrd_drivers()
{
	step MODULES $objects/modules
	rm -rf $objects/root $objects/modules
	make_in $patched $objects INSTALL_MOD_PATH="$top/$objects/root" INSTALL_MOD_STRIP=1 \
		modules_install >>$objects.log 2>&1 || { tail -n 3 $objects.log >&2; exit 1; }
	download initramfs-tools-core
	dpkg -x $fetch/initramfs-tools-core_*.deb $fetch/initramfs
	tree=$(echo $objects/root/lib/modules/*)
	hooks=$fetch/initramfs/usr/share/initramfs-tools/hook-functions tree=$tree sh -eu -c '
		. "$hooks"
		MODULESDIR=$tree verbose=
		manual_add_modules() { [ $# = 0 ] || printf "%s\n" "$@"; }
		auto_add_modules' | sort -u >$objects/wanted
	awk '
		function add(file, need, n, i) {
			if (!(file in needs) || added[file]++)
				return
			n = split(needs[file], need)
			for (i = n; i; i--)
				add(need[i])
			sub(".*/", "", file)
			print file
		}
		NR == FNR {
			file = $1; sub(":$", "", file)
			name = file; sub(".*/", "", name); sub("[.]ko$", "", name); gsub("-", "_", name)
			of[name] = file
			$1 = ""; needs[file] = $0
			next
		}
		{ gsub("-", "_"); add(of[$0]) }' $tree/modules.dep $objects/wanted >$objects/initrd-drivers
	mkdir $objects/modules
	find $tree -name '*.ko' -exec mv -t $objects/modules {} +
	step DRIVERS "$objects/initrd-drivers: $(wc -l <$objects/initrd-drivers) of $(wc -l <$tree/modules.dep) modules"
}

config_debian() { distribution amd64; }
config_cloud() { distribution cloud-amd64; }

# with_stock FRAGMENT...: ours, and the stock kernel of the same configuration.
# STOCK_CONFIGS=no in the environment: ours only.
with_stock()
{
	patched_tree
	small $patched ours "$@"
	no_warnings
	tools/linux-guest.sh $config_name
	[ "${STOCK_CONFIGS:-}" != no ] || return 0
	objects=$linux/$config_name-stock
	mkdir -p $objects
	export KCONFIG_ALLCONFIG="$top/$objects/lines"
	small $pristine stock "$@"
	tools/linux-guest.sh $config_name-stock
}

config_mm() { with_stock tools/linux-mm.config; }
config_debug() { with_stock tools/linux-mm.config tools/linux-debug.config; }
config_kasan() { with_stock tools/linux-mm.config tools/linux-kasan.config; }
config_up() { with_stock tools/linux-mm.config tools/linux-up.config; }
config_preempt() { with_stock tools/linux-mm.config tools/linux-preempt.config; }

configuration()
{
	# Kbuild does not build an object again that had a warning, so the warning is lost.
	if [ -f $objects.log ] && warnings >/dev/null; then
		step CLEAN "$objects: the last build had warnings"
		rm -rf $objects
	fi
	mkdir -p $objects build/log
	export KCONFIG_ALLCONFIG="$top/$objects/lines"
	"config_$config_name"
}
