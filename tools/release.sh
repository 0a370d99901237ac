#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The Linux that commands are for.
#
#	tools/release.sh		its release, whose series is patches/linux-RELEASE
#	tools/release.sh folder		the folder of what is built of it
#
# KERNEL in the environment names the release; the default is that of the running Debian, or
# the newest.  TREE in the environment is a source tree to build instead of Debian's: its
# Makefile names the release, if KERNEL does not.
set -eu
cd "$(dirname "$0")/.."

there=$(cd patches && ls -d linux-*/series | sed 's|linux-\(.*\)/series|\1|' | sort -V)

fail()
{
	echo "release: $*" >&2
	exit 2
}

# The running Debian's own.
debians()
{
	case $(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release 2>/dev/null) in
	12) echo 6.1 ;;
	13) echo 6.12 ;;
	*) echo "$there" | tail -n 1 ;;
	esac
}

# field NAME: of the tree's version
field()
{
	sed -n "s/^$1 *= *\([0-9][0-9]*\)\$/\1/p" "$TREE/Makefile" | head -n 1
}

version=
if [ -n "${TREE:-}" ]; then
	[ -f "$TREE/Makefile" ] && [ -f "$TREE/Kbuild" ] || fail "TREE=$TREE: no source of Linux"
	version=$(field VERSION).$(field PATCHLEVEL)
	release=${KERNEL:-$version}
	version=$version.$(field SUBLEVEL)
else
	release=${KERNEL:-$(debians)}
fi
echo "$there" | grep -qxF "$release" ||
	fail "KERNEL=$release: no series for this release; there are: $(echo "$there" | tr '\n' ' ')"
case ${1:-} in
'') echo "$release" ;;
folder) echo "build/linux-${version:-$release}" ;;
*) fail "usage: release.sh [folder]" ;;
esac
