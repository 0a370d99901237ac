#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Each semantic patch converts one file (.yes.c to .out.c), by each of its rules, and leaves
# another alone (.no.c).  tools/semantic.py finds a rule that changes nothing.
# tools/pv_ops_left.py finds the uses of pv_ops in left.no.c, and none in left.yes.c; it
# needs the unpacked Linux (make linux).
cd "$(dirname "$0")/../.." || exit 1
tests=tests/cocci
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
nr=0

# $1: name; then a command, whose output is shown if it fails.
check()
{
	nr=$((nr + 1))
	what=$1
	shift
	if "$@" >"$out/log" 2>&1; then
		echo "ok $nr - $what"
	else
		sed 's/^/# /' "$out/log"
		echo "not ok $nr - $what"
	fi
}

converts()
{
	spatch --very-quiet --sp-file "$1" "$tests/$2.yes.c" -o "$out/yes.c" &&
		diff -u "$tests/$2.out.c" "$out/yes.c"
}

leaves_alone()
{
	spatch --very-quiet --sp-file "$1" "$tests/$2.no.c" >"$out/diff" &&
		! grep . "$out/diff"
}

# $1: release; $2: lines of the rules that it lacks
finds_lost()
{
	cat >"$out/rules.cocci" <<-'EOF'
	// Two rules in each form
	// Releases: 6.1
	@@ @@
	-one();
	+two();
	@@
	expression e;
	@@
	-three(e);
	// Releases: 6.12 7.2
	@@ @@
	-four();
	EOF
	echo 'void f(void) { one(); }' >"$out/rules.c"
	tools/semantic.py check --release "$1" "$out/rules.cocci" "$out/rules.c" >"$out/found" 2>&1
	[ $? = 1 ] || return 1
	cat "$out/found"
	[ "$(sed 's/[^:]*:\([0-9]*\):.*/\1/' "$out/found" | paste -sd' ' -)" = "$2" ]
}

finds()
{
	tools/pv_ops_left.py $tests/left.no.c >"$out/found" 2>&1 && return 1
	cat "$out/found"
	[ "$(grep -o 'left.no.c:[0-9]*: pv_ops is left' "$out/found" | cut -d: -f2 | paste -sd' ' -)" = "7 9 15 18" ]
}

for rule in patches/cocci/*.cocci; do
	name=$(basename "$rule" .cocci)
	check "test-host-cocci-converts~$name" converts "$rule" "$name"
	check "test-host-cocci-each-rule~$name" tools/semantic.py check "$rule" "$tests/$name.yes.c"
	check "test-host-cocci-leaves-alone~$name" leaves_alone "$rule" "$name"
done
check test-host-cocci-lost-rule~6.1 finds_lost 6.1 "6"
check test-host-cocci-lost-rule~6.12 finds_lost 6.12 "6 11"
check test-host-pv-ops-left-finds-none tools/pv_ops_left.py $tests/left.yes.c
check test-host-pv-ops-left-finds finds
echo "1..$nr"
