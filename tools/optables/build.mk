# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# optables: the implementation of each op in each backend, for docs/ops.md (optables.c).  The
# top Makefile includes this after the guest's, for BACKENDS, and the fuzzers', for the
# machine.

optables_sources := tools/optables/optables.c tests/fuzz/machine.c $(fuzz_machine_core) \
	$(foreach b,$(BACKENDS),$(wildcard backends/$(b)/*.c backends/$(b)/*.S))
optables_objects := $(patsubst %,$(B)/optables/%.o,$(optables_sources))

# The flags of the unit tests, but no function is cloned: its symbol is its name in the page.
optables_cflags := -std=gnu11 -O1 -g1 -Wall -Wextra -Werror -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-ipa-icf -Iinclude -Itools/optables/include

$(B)/optables/%.o: %
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(optables_cflags) $(if $(filter %.S,$<),-D__ASSEMBLY__) -MMD -MP -c -o $@ $<

$(B)/optables/optables: $(optables_objects) tests/unit/sections.ld tests/fuzz/machine.ld
	@echo "  LD      $@"
	$(Q)$(CC) $(fuzz_machine_ldflags) -o $@ $(optables_objects) -lZydis

-include $(optables_objects:.o=.d)
