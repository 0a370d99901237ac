# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=sh
#
# Part of tools/linux.sh: the series that others apply, by `git am` on the unpacked
# source package.
#
# Order: new files, edits, semantic patches, and the edit that adds the option.
# Until then the option cannot be set, so every step compiles.

git=$linux/git
out=build/series/$release
objects=$linux/series-objects

g()
{
	git -C $git "$@"
}

# The source package as a repository, with one commit.
repository()
{
	unpack $git
	! g rev-parse -q --verify refs/tags/base >/dev/null 2>&1 || return 0
	step GIT "$git (takes some minutes, once)"
	rm -rf $git/.git
	git init -q $git
	g config core.compression 0
	g config gc.auto 0
	g add -A -f .
	g -c user.name=base -c user.email=base -c commit.gpgsign=false \
		commit -q -m "$(ls $fetch)"
	g tag base
}

# start BRANCH: a new branch at the source package.
start()
{
	g am --abort >/dev/null 2>&1 || :
	g checkout -q -f -B "$1" base
	g clean -fdxq
}

# A fixed date, so that two runs give the same patches.
git_date="Sat, 21 Nov 2026 03:00:00 +0000"

# Commit as `git am` does.
commit()
{
	GIT_AUTHOR_DATE=$git_date GIT_COMMITTER_DATE=$git_date \
		g -c user.name="$name" -c user.email="$email" -c commit.gpgsign=false \
		commit -q -s -F -
}

am()
{
	g -c user.name="$name" -c user.email="$email" am -q --committer-date-is-author-date "$@"
}

# The commit message of a semantic patch is its first comment, without the licence.
message_of()
{
	sed -n '/^\/\//!q; /^\/\/ \(SPDX\|Files:\)/d; s/^\/\/ \{0,1\}//; s/^Subject: //; p' "$1" | sed '/./,$!d'
}

series()
{
	repository
	# The author of the edits; git needs no settings of the user.
	from=$(sed -n 's/^From: //p' "$series/$(head -n 1 $series/series)")
	name=${from% <*}
	email=$(echo "${from#*<}" | tr -d '>')
	option=$(grep -lx '+source "arch/x86/pvops/Kconfig"' $series/*.patch) ||
		{ echo "$series: no patch adds CONFIG_PVOPS" >&2; exit 1; }
	start series
	place $git
	for message in patches/messages/*; do
		step COMMIT "$message"
		# shellcheck disable=SC2046 # a list of paths
		g add -f $(sed -n 's/^Files: //p' "$message")
		sed '1,/^$/d' "$message" | commit
	done
	while read -r file; do
		[ "$series/$file" != "$option" ] || continue
		step AM "$file"
		am "$top/$series/$file"
	done <$series/series
	for rule in patches/cocci/*.cocci; do
		step SPATCH "$rule"
		tools/semantic.py diff --release $release "$rule" $git >$linux/spatch.patch
		patch -d $git -p1 -s --fuzz=0 -i "$top/$linux/spatch.patch"
		g add -u
		message_of "$rule" | commit
	done
	step AM "${option##*/}"
	am "$top/$option"
	rm -rf $out
	GIT_COMMITTER_DATE=$git_date g -c user.name="$name" -c user.email="$email" \
		format-patch -q --zero-commit --signature= --cover-letter -o "$top/$out" base
	# Not *.patch: git am stops at a letter.
	tools/cover.py $out/0000-cover-letter.patch
	echo "  $(ls $out/*.patch | wc -l) patches and cover-letter.txt in $out; edits to files that Linux has:"
	g diff --diff-filter=M --shortstat base
}

# Check every patch by Linux's own script.  A patch that adds files may have the findings that
# patches/checkpatch.txt lists, with reasons.  A patch that edits Linux's files may have none.
check_style()
{
	step STYLE "checkpatch.pl --strict"
	g checkout -q -f series
	allowed=$(sed 's/#.*//; s/[[:space:]]//g; /^$/d' patches/checkpatch.txt | paste -sd, -)
	for file in $out/*.patch; do
		ignore=FILE_PATH_CHANGES	# MAINTAINERS is not ours to edit
		! grep -q '^new file' "$file" || ignore=$ignore,$allowed
		(cd $git && scripts/checkpatch.pl --strict --terse --show-types --no-summary \
			--no-tree --root=. --ignore $ignore "$top/$file") || bad=1
	done
}

# Apply the written series by git am; the tree must be the one that `make linux` builds.
check_trees()
{
	step AM "$out"
	start am
	am "$top/$out"/*.patch
	want=$(g rev-parse 'HEAD^{tree}')
	start prepare
	tree=$git
	patch_tree
	place $tree
	semantic_in
	rm -rf $tree/.pvops-applied
	g add -A -f .
	[ "$(g write-tree)" = "$want" ] || {
		echo "$out: git am and tools/linux.sh prepare give different trees:" >&2
		g diff --cached --stat "$want" >&2
		bad=1
	}
	step QUILT $series
	start quilt
	(cd $git && QUILT_PATCHES=$top/$series quilt push -a --fuzz=0 -q) >$linux/quilt.log 2>&1 ||
		{ cat $linux/quilt.log >&2; bad=1; }
}

# The objects of all files that the series touches.
objs="arch/x86/kernel/alternative.o arch/x86/kernel/cpu/vmware.o arch/x86/kernel/head64.o
	arch/x86/kernel/kprobes/core.o arch/x86/kernel/kvm.o arch/x86/kernel/module.o
	arch/x86/kernel/paravirt-spinlocks.o arch/x86/kernel/smpboot.o
	arch/x86/hyperv/ arch/x86/mm/ arch/x86/platform/pvh/ arch/x86/xen/ mm/"

# Configure and build them, with what tools/linux-mm.config has; $1: kernel of tools/linux.config.
build_objects()
{
	lines_for "$1" tools/linux-mm.config >$linux/series.config
	# shellcheck disable=SC2086 # a list of targets
	{
		make -s -C $git O="$top/$objects" ${CC:+"CC=$CC"} \
			KCONFIG_ALLCONFIG="$top/$linux/series.config" allnoconfig &&
			make -C $git O="$top/$objects" ${CC:+"CC=$CC"} -j"$jobs" $objs
	} >$objects.log 2>&1 || { grep -E 'error|Error' $objects.log >&2; bad=1; }
	! grep 'warning:' $objects.log >&2 || bad=1
}

disassemble()
{
	(
		cd $objects
		# shellcheck disable=SC2086 # a list of paths
		find $objs -name '*.o' ! -name built-in.o | sort | xargs objdump -dr
	)
}

# Every step must build.  Without the option the code must not change; with it the code that
# platform code overrides must build, too.
check_steps()
{
	mkdir -p $objects
	start steps
	step BUILD "base"
	build_objects stock
	disassemble >$linux/series.base
	for commit in $(g rev-list --reverse base..series); do
		g checkout -q "$commit"
		step BUILD "$(g log -1 --format=%s)"
		build_objects stock
	done
	disassemble >$linux/series.stock
	cmp $linux/series.base $linux/series.stock ||
		{ echo "$out: changes code without CONFIG_PVOPS" >&2; bad=1; }
	step BUILD "CONFIG_PVOPS=y"
	build_objects ours
}

series_check()
{
	bad=0
	series
	check_style
	check_trees
	check_steps
	[ $bad = 0 ] || exit 1
	echo "series-check: good"
}
