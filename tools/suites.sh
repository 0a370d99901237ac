#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# suites.sh NAME OUT: download a Debian package to the folder OUT.  NAME is a pattern of apt
# that must match a package's whole name.
#
# First the machine's own sources are asked.  Then every suite of Debian, for the newest
# version, with a configuration of apt under build/apt that names the machine's own mirror and
# Debian's keyring: nothing on the machine changes.  Exit status: 3 no suite has the package,
# 1 no archive answers.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
[ $# -eq 2 ] || { echo "usage: suites.sh NAME OUT" >&2; exit 2; }
name=$1 out=$2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suites=(stable-security stable stable-backports testing-security testing unstable
	oldstable-security oldstable oldstable-backports)
mkdir -p "$out" build/apt
log=$top/build/apt/log

# get OPTION...
get() {
	(cd "$out" && apt-get -q -o APT::Sandbox::User=root "$@" download "^$name\$") >>"$log" 2>&1
}

: >"$log"
! get || exit 0

# The mirror of the machine's own sources; that of security differs by its name only.
site() {
	local sites default=http://deb.debian.org/debian
	sites=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | sort -u)
	case $1 in
	*-security)
		echo "$sites" | grep -m 1 'debian-security' || echo "$default-security" ;;
	*)
		echo "$sites" | grep -v security | grep -m 1 '/debian/\?$' || echo "$default" ;;
	esac
}

folder=$top/build/apt
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
for suite in "${suites[@]}"; do
	echo "deb [signed-by=$keyring] $(site "$suite") $suite main"
done >"$folder/sources.list"
options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache")
echo "  SUITES  $name: asking all suites of Debian" >&2
# Not every mirror has every suite.
apt-get -q -o APT::Sandbox::User=root "${options[@]}" update >>"$log" 2>&1 || :
! get "${options[@]}" || exit 0
if ! ls "$folder"/lists/*Packages* >/dev/null 2>&1; then
	echo "suites: $name: no archive answers: $(grep -m 1 -E '^(E|W|Err)' "$log")" >&2
	exit 1
fi
echo "suites: $name: no suite of Debian has it (${suites[*]})" >&2
exit 3
