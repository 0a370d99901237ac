#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What CPUs have to do with each other, in env native-smp72, whose last CPU lies beyond
# what one word or one page has room for.
cd "$(dirname "$0")/../.." && exec python3 tools/vm.py tap native-smp72 bench=none \
	test=every_cpu:start_cpu:cpu_missing:send_ipi:send_ipi_mask:stop_cpu:flush_tlb_multi:lock_wait_kick:vcpu_is_preempted
