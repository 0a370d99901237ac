#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# setup.sh [--check] [linux]: install the missing packages of packages.txt; "linux": also
# those with the mark @linux.  Prints nothing if none is missing.  Without root and sudo it
# prints the command in one line, and exits with 1.  --check installs nothing: one line
# names the missing packages and the command, and the exit status is 1.
set -eu
list=$(dirname "$0")/packages.txt
check=
if [ "${1:-}" = --check ]; then
	check=1
	shift
fi
what=${1:-}
case $#:$what in
0: | 1:linux) ;;
*)
	echo "usage: setup.sh [--check] [linux]" >&2
	exit 2
	;;
esac

have() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

command -v dpkg-query >/dev/null || {
	echo "setup: not a Debian system; $list lists what is needed" >&2
	exit 0
}
# Remove the marks, and the rows that are not asked for.
wanted() {
	if [ "$what" = linux ]; then sed 's/@linux$//'; else sed '/@linux$/d'; fi
}

missing=()
while read -r names; do
	IFS='|' read -ra any <<<"$names"
	for name in "${any[@]}"; do
		have "$name" && continue 2
	done
	missing+=("$names")
done < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$list" | wanted)
[ ${#missing[@]} -gt 0 ] || exit 0

# Of several names choose the first that this release has; if it has none, or if there are no
# package lists, the first.
choose() {
	chosen=()
	local names name any
	for names in "${missing[@]}"; do
		IFS='|' read -ra any <<<"$names"
		for name in "${any[@]}" "${any[0]}"; do
			! apt-cache show "$name" >/dev/null 2>&1 || break
		done
		chosen+=("$name")
	done
}

as_root=()
choose
if [ -n "$check" ]; then
	echo "setup: packages are missing: ${chosen[*]}; run: make deps${what:+ GUEST=linux}" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		as_root=(sudo)
	else
		echo "setup: packages are missing; as root: apt-get install --no-install-recommends ${chosen[*]}" >&2
		exit 1
	fi
fi
install() {
	choose
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y install --no-install-recommends "${chosen[@]}" >&2
}
echo "setup: installing ${chosen[*]}" >&2
# A fresh system has no package lists yet.
install || { "${as_root[@]}" apt-get -q update >&2 && install; } || {
	echo "setup: could not install ${chosen[*]}" >&2
	exit 1
}
