#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The contract suite with each table of the Hyper-V backend left to native."""
from leave import leave
from vmtest import Tap

tap = Tap()
leave(tap, "hyperv", "hyperv", ["irq", "mmu"], {})
leave(tap, "hyperv", "hyperv", ["time", "smp"], {})
tap.done()
