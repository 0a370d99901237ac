#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Every cell of row vmimon-smp2, and its selftests against the stock kernel's.
cd "$(dirname "$0")/../.." && exec python3 tools/linux_matrix.py tap vmimon-smp2
