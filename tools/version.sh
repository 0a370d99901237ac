#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# version.sh [--check]: write include/pvops/version.h from VERSION, or say that it is stale.
set -eu
cd "$(dirname "$0")/.."
header=include/pvops/version.h
version=$(cat VERSION)
if ! echo "$version" | grep -qxE '[0-9]+\.[0-9]+\.[0-9]+'; then
	echo "VERSION: '$version' is not MAJOR.MINOR.PATCH" >&2
	exit 1
fi

text()
{
	cat <<END
/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/**
 * DOC: The layer's version
 *
 * Generated from VERSION by \`make docs\`.
 */
#ifndef PVOPS_VERSION_H
#define PVOPS_VERSION_H

#define PV_VERSION	"$version"

#endif
END
}

if [ "${1:-}" != --check ]; then
	text >$header
elif ! text | cmp -s - $header; then
	echo "$header: stale, VERSION says $version: make docs" >&2
	exit 1
fi
