# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# The counting option ROM, and one with each fault.  Included by the top
# Makefile; B is the build folder.
#
#   make vmi-roms		all
#   build/vmi/rom.bin		the good one
#   build/vmi/rom-<fault>.bin	the others
#   build/vmi/good.bin		the good one, under a name that SeaBIOS places last:
#				it takes option ROMs in the reverse order of names

B ?= build

vmi_rom_faults := truncated checksum offset entry type api2 api4 init garbage slot licence calls \
	selfwrite selfinit undefined
vmi_roms := $(B)/vmi/rom.bin $(vmi_rom_faults:%=$(B)/vmi/rom-%.bin)
# "entry" is number 4, as in rom.S.
vmi_rom_number = $(words $(shell echo '$(vmi_rom_faults)' | sed 's/\<$(1)\>.*/$(1)/'))

vmi_rom_flags := -std=gnu11 -ffreestanding -O2 -g0 -Wall -Wextra -Werror -fpie -mcmodel=small \
	-fvisibility=hidden -mno-red-zone -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-jump-tables -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -fno-strict-aliasing -fno-common
vmi_rom_ldflags := -nostdlib -pie -Wl,--no-dynamic-linker -Wl,--build-id=none -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments -Wl,-z,norelro -Wl,-T,tests/vmi/rom/rom.lds

.PHONY: vmi-roms
vmi-roms: $(vmi_roms) $(B)/vmi/good.bin

$(B)/vmi/good.bin: $(B)/vmi/rom.bin
	@cp $< $@

$(B)/vmi/rom.c.o: tests/vmi/rom/rom.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)gcc $(vmi_rom_flags) -MMD -MP -c -o $@ $<

$(B)/vmi/rom.S.o: tests/vmi/rom/rom.S
	@mkdir -p $(@D)
	@echo "  AS      $<"
	$(Q)gcc $(vmi_rom_flags) -DFAULT=0 -MMD -MP -c -o $@ $<

$(B)/vmi/rom-%.S.o: tests/vmi/rom/rom.S tests/vmi/rom/build.mk
	@mkdir -p $(@D)
	@echo "  AS      $<, fault: $*"
	$(Q)gcc $(vmi_rom_flags) -DFAULT=$(call vmi_rom_number,$*) -MMD -MP -c -o $@ $<

$(vmi_roms): $(B)/vmi/%.bin: $(B)/vmi/%.S.o $(B)/vmi/rom.c.o tests/vmi/rom/rom.lds \
		tests/vmi/rom/finish.py
	@echo "  ROM     $@"
	$(Q)gcc $(vmi_rom_ldflags) -o $@.elf $(filter %.o,$^)
	$(Q)objcopy -O binary -j .image $@.elf $@.raw
	$(Q)tests/vmi/rom/finish.py $@.raw $@

.SECONDARY: $(B)/vmi/rom.c.o $(vmi_roms:.bin=.S.o)

-include $(B)/vmi/rom.c.d $(vmi_roms:.bin=.S.d)
