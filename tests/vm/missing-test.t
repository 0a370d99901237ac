#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The guest does not link if the contract of an op names a test that does not exist.
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo 'PV_OP(lock, planted, ASM6, ASM, void, 0, (), planted_op)' >"$folder/planted.h"

link() {
	# The image's objects, with $1 instead of the runner; none of a source that is gone.
	find build/guest -name '*.o' ! -path '*/tests/guest/test.c.o' | while read -r object; do
		source=${object#build/guest/}
		[ ! -e "${source%.o}" ] || echo "$object"
	done | xargs gcc -nostdlib -static -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
			-Wl,-T,tests/guest/guest.lds -o "$folder/guest.elf" "$1" 2>&1
}

echo 1..3
link build/guest/tests/guest/test.c.o >"$folder/out" &&
	echo "ok 1 - the image links as it is" || { cat "$folder/out" >&2; echo "not ok 1"; }
gcc -std=gnu11 -ffreestanding -O2 -mcmodel=kernel -mno-red-zone -mno-sse -fno-pic -fno-stack-protector \
	-Iinclude -Itests/guest/include -Itests/guest -I"$folder" \
	'-DPV_CATALOGUE_EXTENSION="planted.h"' -c -o "$folder/test.o" tests/guest/test.c &&
	echo "ok 2 - the runner takes one op more" || echo "not ok 2"
if link "$folder/test.o" >"$folder/out"; then
	echo "not ok 3 - it links without test_planted_op"
else
	grep -q 'undefined reference to .test_planted_op' "$folder/out" &&
		echo "ok 3 - without test_planted_op it does not link" || { cat "$folder/out" >&2; echo "not ok 3"; }
fi
