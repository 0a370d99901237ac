#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each table of the Hyper-V backend's left to native: the contract suite."""
from leave import leave
from vmtest import Tap

tap = Tap()
leave(tap, "hyperv", "hyperv", ["irq", "mmu"], {})
leave(tap, "hyperv", "hyperv", ["time", "smp"], {})
tap.done()
