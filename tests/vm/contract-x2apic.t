#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Local APICs in x2APIC mode, by MSRs, one of them with an id above 255.
cd "$(dirname "$0")/../.." && exec python3 tools/vm.py tap x2apic bench=none \
	test=every_cpu:start_cpu:cpu_missing:stop_cpu:send_ipi:send_ipi_mask:flush_tlb_multi:set_timer:timer_far:clock_read:level_interrupt:upcall
