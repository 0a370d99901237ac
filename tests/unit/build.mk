# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Host unit tests: the core and a port for user processes, one program per
# group.  Included by the top Makefile; B is the build folder.
#
#   make unit		build and run all through prove
#   make unit-build	build only
#   build/unit/test-host-plan		one group, TAP

B ?= build
PROVE ?= prove

unit_names := plan apply select catalogue backends backends17 machines batch vmi kvm xen hyperv vmware inject clock
# The pure parts of backends are tested as core.
unit_core := $(wildcard pvops/*.c) backends/vmi/detect.c backends/vmi/rom.c backends/kvm/detect.c backends/xen/detect.c \
	backends/hyperv/detect.c backends/hyperv/vpset.c backends/vmware/detect.c
unit_shared := tests/unit/host_port.c tests/unit/fake_backend.c tests/unit/fake_ops.S \
	tests/unit/users.c
unit_objects := $(patsubst %,$(B)/unit/%.o,$(basename $(unit_core) $(unit_shared)))
unit_programs := $(unit_names:%=$(B)/unit/test-host-%)
unit_scripts := tests/unit/opdoc.t tests/unit/sparse.t tests/unit/catalogue.t tests/unit/prefix.t tests/unit/setup.t \
	tests/unit/targets.t tests/unit/version.t tests/unit/pagecheck.t tests/unit/make.t tests/unit/report.t \
	tests/unit/stack.t tests/unit/portcheck.t tests/unit/rows.t tests/unit/carry.t tests/unit/cover.t tests/unit/terminated.t

# catalogue.t builds against other headers.
unit_include ?= include
unit_more ?=

# Fixed low addresses, because inline code names variables by absolute 32-bit
# address as a kernel's does; no red zone, because sites call.
unit_cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror -fno-pie -mno-red-zone \
	-I$(unit_include) -Itests/unit/include $(unit_more)
unit_ldflags := -no-pie -Wl,-T,tests/unit/sections.ld -Wl,-z,noexecstack \
	-Wl,--defsym,__pv_text_start=__executable_start -Wl,--defsym,__pv_text_end=etext

$(B)/unit/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(unit_cflags) -MMD -MP -c -o $@ $<

$(B)/unit/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)$(CC) $(unit_cflags) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

# Runs inside asm sites, whose callers' vector registers are not saved.
$(B)/unit/tests/unit/fake_backend.o: unit_cflags += -mgeneral-regs-only

$(B)/unit/test-host-%: $(B)/unit/tests/unit/%.o $(unit_objects) tests/unit/sections.ld
	@echo "  LD      $@"
	$(Q)$(CC) $(unit_ldflags) -o $@ $< $(unit_objects) -lcmocka

.SECONDARY: $(unit_objects) $(unit_names:%=$(B)/unit/tests/unit/%.o)

.PHONY: unit unit-build
unit-build: $(unit_programs)

# Core and backends with the flags of the mini guest, and their call graphs (gcc only).
stack_objects := $(patsubst %.c,$(B)/stack/%.o,$(filter pvops/%.c backends/%.c,$(GUEST_SRC)))
$(B)/stack/%.o: %.c tests/guest/build.mk
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)gcc $(GUEST_FLAGS) $(GUEST_INC) -fcallgraph-info=su -MMD -MP -c -o $@ $<


# opdoc.t runs optables.
unit: unit-build $(stack_objects) $(B)/optables/optables
	$(Q)$(PROVE) -e '' $(unit_programs) $(unit_scripts)

-include $(stack_objects:.o=.d) $(unit_objects:.o=.d) $(unit_names:%=$(B)/unit/tests/unit/%.d)
