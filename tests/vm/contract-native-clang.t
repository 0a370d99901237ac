#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The same suite in the image that clang builds.
cd "$(dirname "$0")/../.." && exec python3 tools/vm.py tap --image build/clang/guest.elf --tag clang native test=all
