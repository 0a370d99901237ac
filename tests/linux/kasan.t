#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Configuration kasan (tools/linux-configs.sh) in three rows: every cell, and the selftests,
# those of memory management too, against the stock kernel of the same configuration.
cd "$(dirname "$0")/../.." && exec python3 tools/linux_matrix.py tap --variant kasan native dom0-smp2 kvm
