# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The monitor: one ELF that QEMU's -kernel takes as multiboot (32-bit only, so
# the 64-bit code goes into a 32-bit container).

MONITOR_DIR := tests/vmi/monitor
MONITOR_SRC := $(wildcard $(MONITOR_DIR)/*.c $(MONITOR_DIR)/*.S)
MONITOR_FLAGS := -std=gnu11 -ffreestanding -O2 -g1 -Wall -Wextra -Werror -mno-red-zone \
		 -mgeneral-regs-only -fno-stack-protector -fno-pic -fno-pie -fcf-protection=none \
		 -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common -I$(MONITOR_DIR)

# monitor-rules DIR COMPILER: objects and image below DIR.
define monitor-rules
$(1)/vmi/monitor.elf: $(1)/vmi/monitor.elf64
	@objcopy -I elf64-x86-64 -O elf32-i386 $$< $$@

$(1)/vmi/monitor.elf64: $(patsubst %,$(1)/vmi/%.o,$(MONITOR_SRC)) $(MONITOR_DIR)/monitor.lds
	@echo "  LD      $(1)/vmi/monitor.elf"
	@$(2) -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -Wl,-T,$(MONITOR_DIR)/monitor.lds -o $$@ \
		$$(filter %.o,$$^)

$(1)/vmi/%.c.o: %.c $(MONITOR_DIR)/build.mk
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$(2) $(MONITOR_FLAGS) $(call same-bytes,$(2)) -MMD -MP -c -o $$@ $$<

$(1)/vmi/%.S.o: %.S $(MONITOR_DIR)/build.mk
	@mkdir -p $$(@D)
	@echo "  AS      $$<"
	@$(2) $(MONITOR_FLAGS) $(call same-bytes,$(2)) -D__ASSEMBLY__ -MMD -MP -c -o $$@ $$<

-include $(patsubst %,$(1)/vmi/%.d,$(MONITOR_SRC))
endef

$(eval $(call monitor-rules,$(B),gcc))
$(eval $(call monitor-rules,$(B)/clang,clang))
