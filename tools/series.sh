# SPDX-License-Identifier: GPL-2.0-only OR MIT
# shellcheck shell=sh
#
# Part of tools/linux.sh: the series as a third person gets it, for `git am` on
# the unpacked source package.
#
# Order: new files, edits, semantic patches, and the edit that adds the option.
# Until then the option cannot be set, so every step compiles.

git=build/linux-git
out=build/series
objects=build/linux-series

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

# Back to the source package; $1: branch to work on.
start()
{
	g am --abort >/dev/null 2>&1 || :
	g checkout -q -f -B "$1" base
	g clean -fdxq
}

# Like `git am`, dates included, so that two runs give the same patches.
commit()
{
	git_date="Sat, 21 Nov 2026 03:00:00 +0000"
	GIT_AUTHOR_DATE=$git_date GIT_COMMITTER_DATE=$git_date \
		g -c user.name="$name" -c user.email="$email" -c commit.gpgsign=false \
		commit -q -s -F -
}

am()
{
	g -c user.name="$name" -c user.email="$email" am -q --committer-date-is-author-date "$@"
}

# A semantic patch's message is the comment on its top, after the licence.
message_of()
{
	sed -n '/^@@/q; /^\/\/ SPDX/d; s/^\/\/ \{0,1\}//; s/^Subject: //; p' "$1" | sed '/./,$!d'
}

series()
{
	repository
	# Who wrote the edits: no setting of whoever runs this is needed.
	from=$(sed -n 's/^From: //p' "$series/$(head -n 1 $series/series)")
	name=${from% <*}
	email=$(echo "${from#*<}" | tr -d '>')
	option=$(grep -lx '+config PVOPS' $series/*.patch) ||
		{ echo "$series: no patch adds config PVOPS" >&2; exit 1; }
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
		spatch_diff "$rule" $git >build/spatch.patch
		patch -d $git -p1 -s --fuzz=0 -i "$top/build/spatch.patch"
		g add -u
		message_of "$rule" | commit
	done
	step AM "${option##*/}"
	am "$top/$option"
	rm -rf $out
	g format-patch -q --zero-commit --signature= -o "$top/$out" base
	echo "  $(ls $out | wc -l) patches in $out; edits to files that Linux has:"
	g diff --diff-filter=M --shortstat base
}

# Every patch, by Linux's own script.
check_style()
{
	step STYLE "checkpatch.pl --strict"
	for file in $out/*.patch; do
		ignore=FILE_PATH_CHANGES	# MAINTAINERS is not ours to edit
		(cd $git && scripts/checkpatch.pl --strict --terse --no-summary --no-tree \
			--ignore $ignore "$top/$file") || bad=1
	done
}

# git am of what was written; and the tree that `make linux` builds is the same.
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
		echo "$out: git am of it and tools/linux.sh prepare differ in:" >&2
		g diff --cached --stat "$want" >&2
		bad=1
	}
	step QUILT $series
	start quilt
	(cd $git && QUILT_PATCHES=$top/$series quilt push -a --fuzz=0 -q) >build/quilt.log 2>&1 ||
		{ cat build/quilt.log >&2; bad=1; }
}

# Every step builds what the series touches, with the overrides' users.
check_steps()
{
	users="arch/x86/kernel/kvm.o arch/x86/kernel/cpu/vmware.o arch/x86/hyperv/
		arch/x86/xen/ arch/x86/kernel/alternative.o arch/x86/kernel/module.o
		arch/x86/kernel/head64.o arch/x86/platform/pvh/"
	start series-steps
	make -s -C $git O="$top/$objects" defconfig
	mkdir -p $objects
	for kernel in stock ours; do
		sed -E "/@/{/@$kernel( |\$)/!d;s/[ \t]*@.*//}" tools/linux.config
	done
}

series_check()
{
	bad=0
	series
	check_style
	check_trees
	check_steps
	start base-again
	[ $bad = 0 ] || exit 1
	echo "series-check: good"
}
