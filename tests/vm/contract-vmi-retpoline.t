#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The same suite in the image without bare indirect branches.
cd "$(dirname "$0")/../.." && exec python3 tools/vm.py tap --image build/retpoline/guest.elf --tag retpoline vmi test=all
