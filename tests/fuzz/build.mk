# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# Fuzz targets: libFuzzer with address and undefined-behaviour sanitizers
# (README.md).  The top Makefile includes this after tests/unit/build.mk: some targets use
# its port and fake backends.
#
#   make fuzz			bounded run of each, from its seeds; planted bugs
#   make fuzz-long			10 million runs of each: build/report/fuzz.{json,md}
#   make fuzz-long FUZZ_RUNS=-1	for ever
#   build/fuzz/test-host-fuzz-plan FILE	replay one input
#
# Inputs found on the way stay in build/fuzz/corpus; a crash is written to
# build/fuzz.

B ?= build
CLANG ?= clang
FUZZ_SECONDS ?= 10

fuzz_names := plan cmdline sites module vmi cpuid hypercall clock xenstart boot vmcall romcall monitor elf
fuzz_sources := $(wildcard pvops/*.c) backends/vmi/rom.c backends/kvm/detect.c backends/xen/detect.c \
	backends/hyperv/features.c backends/vmware/detect.c tests/unit/host_port.c tests/unit/fake_backend.c \
	tests/unit/fake_ops.S
fuzz_objects := $(patsubst %,$(B)/fuzz/%.o,$(basename $(fuzz_sources)))
fuzz_programs := $(fuzz_names:%=$(B)/fuzz/test-host-fuzz-%)

fuzz_cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror -fno-pie -mno-red-zone \
	-Iinclude -Itests/unit/include -Itests/unit
fuzz_sanitize := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_ldflags := -no-pie -Wl,-T,tests/unit/sections.ld -Wl,-z,noexecstack \
	-Wl,--defsym,__pv_text_start=__executable_start -Wl,--defsym,__pv_text_end=etext

$(B)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CLANG) $(fuzz_cflags) $(fuzz_sanitize) -MMD -MP -c -o $@ $<

$(B)/fuzz/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)$(CLANG) $(fuzz_cflags) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

$(B)/fuzz/test-host-fuzz-%: $(B)/fuzz/tests/fuzz/%.o $(fuzz_objects) tests/unit/sections.ld
	@echo "  LD      $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $(fuzz_ldflags) -o $@ $< $(fuzz_objects) -lZydis

# A fuzz target does not execute the text that it patches.
$(B)/fuzz/tests/unit/host_port.o: fuzz_cflags += '-DHOST_SERIALISE()=((void)0)'

# The sanitizer puts space around globals, but a section must be an array without gaps.
$(B)/fuzz/tests/unit/fake_backend.o: fuzz_sanitize := -fno-sanitize=all

# Whole backends, on a machine made of the input (machine.h).  The backends of each target:
fuzz_machines := hypercall clock xenstart boot vmcall romcall
fuzz_on_hypercall := xen
fuzz_on_xenstart := xen
fuzz_on_clock := xen kvm hyperv
fuzz_on_romcall := vmi
fuzz_on_vmcall := xen kvm hyperv vmware
# Other sources of a target.
fuzz_also_boot := tests/guest/start.c
fuzz_also_hypercall := tests/fuzz/tables.c
fuzz_also_romcall := tests/fuzz/tables.c

fuzz_machine_core := $(filter-out pvops/inject.c,$(wildcard pvops/*.c))
fuzz_machine_sources = tests/fuzz/machine.c tests/fuzz/account.c $(fuzz_machine_core) \
	$(fuzz_also_$(1)) $(foreach b,native $(fuzz_on_$(1)),backends/$(b)/*.c backends/$(b)/*.S)
fuzz_machine_objects = $(patsubst %,$(B)/fuzz/machine/%.o,$(basename \
	$(wildcard $(call fuzz_machine_sources,$(1)))))
fuzz_machine_cflags := -std=gnu11 -O2 -g -Wall -Wextra -Werror -fno-pie -mno-red-zone \
	-mgeneral-regs-only -Iinclude -Itests/fuzz/include
fuzz_machine_ldflags := -no-pie -Wl,-Ttext-segment=0x12000000 \
	-Wl,--defsym,kernel_end=0x10200000 -Wl,-T,tests/unit/sections.ld -Wl,-T,tests/fuzz/machine.ld \
	-Wl,-z,noexecstack \
	-Wl,--defsym,__pv_text_start=__executable_start -Wl,--defsym,__pv_text_end=etext

$(B)/fuzz/machine/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CLANG) $(fuzz_machine_cflags) $(fuzz_sanitize) -MMD -MP -c -o $@ $<

$(B)/fuzz/machine/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)$(CLANG) $(fuzz_machine_cflags) -D__ASSEMBLY__ -MMD -MP -c -o $@ $<

# For targets that do one step after another: enough bytes for enough steps.
fuzz_bytes_hypercall := 160
fuzz_bytes_vmcall := 160
fuzz_bytes_romcall := 160

# Data that each input finds as linked.
$(foreach d,pvops backends tests/guest,$(B)/fuzz/machine/$(d)/%.o): fuzz_machine_cflags += -DMACHINE_STATE
# Per-CPU variables are arrays here, and not all elements have the alignment of their type.
$(B)/fuzz/machine/backends/%.o: fuzz_sanitize += -fno-sanitize=alignment
$(B)/fuzz/machine/%.o: fuzz_sanitize += -fsanitize-ignorelist=tests/fuzz/machine.ignore

define fuzz_machine_rule
$(B)/fuzz/test-host-fuzz-$(1): $(B)/fuzz/machine/tests/fuzz/$(1).o $(call fuzz_machine_objects,$(1)) \
		tests/unit/sections.ld tests/fuzz/machine.ld
	@echo "  LD      $$@"
	$$(Q)$$(CLANG) -fsanitize=fuzzer,address,undefined $$(fuzz_machine_ldflags) -o $$@ $$(filter %.o,$$^) -lZydis
endef
$(foreach t,$(fuzz_machines),$(eval $(call fuzz_machine_rule,$(t))))

# The audit without its command line.
fuzz_audit_objects := $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out %/main.c,$(wildcard tools/audit/*.c)))

$(B)/fuzz/test-host-fuzz-elf: $(B)/fuzz/tests/fuzz/elf.o $(fuzz_audit_objects)
	@echo "  LD      $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -no-pie -o $@ $^ -lelf -lZydis

# The loader of the VMI monitor; not a part of the layer.
fuzz_monitor_cflags := -std=gnu11 -ffreestanding -O2 -g -Wall -Wextra -Werror -fno-pie \
	-fno-strict-aliasing

$(B)/fuzz/monitor/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CLANG) $(fuzz_monitor_cflags) $(fuzz_sanitize) -MMD -MP -c -o $@ $<

$(B)/fuzz/test-host-fuzz-monitor: $(B)/fuzz/monitor/tests/fuzz/monitor.o $(B)/fuzz/monitor/tests/vmi/monitor/loader.o
	@echo "  LD      $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -no-pie -o $@ $^

.SECONDARY: $(fuzz_objects) $(fuzz_audit_objects) $(fuzz_names:%=$(B)/fuzz/tests/fuzz/%.o) $(fuzz_machines:%=$(B)/fuzz/machine/tests/fuzz/%.o)

.PHONY: fuzz fuzz-build fuzz-long fuzz-planted $(fuzz_names:%=fuzz-%)
fuzz-build: $(fuzz_programs)

fuzz: $(fuzz_names:%=fuzz-%) fuzz-planted

fuzz-planted: fuzz-build
	$(Q)$(PROVE) tests/fuzz

# Two at a time, with lower priority than everything else on the machine.
fuzz-long: fuzz-build
	$(Q)tests/fuzz/long.py --build $(B) --runs $(or $(FUZZ_RUNS),10000000) \
		$(foreach t,$(fuzz_names),$(t):$(or $(fuzz_bytes_$(t)),512))

$(fuzz_names:%=fuzz-%): fuzz-%: $(B)/fuzz/test-host-fuzz-%
	@mkdir -p $(B)/fuzz/corpus/$*
	@echo "  FUZZ    $*, at most $(or $(FUZZ_RUNS),200000) runs or $(FUZZ_SECONDS) s"
	$(Q)$< -runs=$(or $(FUZZ_RUNS),200000) -max_total_time=$(FUZZ_SECONDS) -max_len=$(or $(fuzz_bytes_$*),512) -timeout=60 \
		-print_final_stats=1 -artifact_prefix=$(B)/fuzz/crash-$*- \
		$(B)/fuzz/corpus/$* tests/fuzz/corpus/$* >$(B)/fuzz/$*.log 2>&1 || \
		{ tail -n 60 $(B)/fuzz/$*.log >&2; exit 1; }
	$(Q)grep number_of_executed $(B)/fuzz/$*.log

-include $(fuzz_objects:.o=.d) $(fuzz_audit_objects:.o=.d) $(fuzz_names:%=$(B)/fuzz/tests/fuzz/%.d)
-include $(wildcard $(foreach d,machine monitor,$(B)/fuzz/$(d)/*/*.d $(B)/fuzz/$(d)/*/*/*.d $(B)/fuzz/$(d)/*/*/*/*.d))
