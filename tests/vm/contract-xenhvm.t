#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The contract suite in env xenhvm; every test of the guest is one here.
cd "$(dirname "$0")/../.." && exec python3 tools/vm.py tap xenhvm test=all
